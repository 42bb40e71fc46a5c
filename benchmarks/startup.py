"""How long dockopt takes to start and to read one small Dockerfile, next to what Python itself takes."""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.measuring import (
    CONTEXT,
    GO_SERVICE,
    arguments,
    circumstances,
    dockopt_command,
    interleaved,
    publish,
    run_command,
    table,
)

BARE = "python -c pass"


def measure(rounds: int) -> str:
    """Return the table."""
    dockopt = dockopt_command()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        for name in CONTEXT:
            shutil.copy(GO_SERVICE / name, directory)
        commands: dict[str, list[str | Path]] = {
            BARE: [sys.executable, "-c", "pass"],
            "python -m site": [sys.executable, "-m", "site"],
            "dockopt --version": [*dockopt, "--version"],
            "dockopt --help": [*dockopt, "--help"],
            "dockopt suggest Dockerfile": [*dockopt, "suggest", "Dockerfile"],
        }
        subjects = {name: partial(run_command, command, directory) for name, command in commands.items()}
        interleaved(subjects, 2)  # writes byte code, and fills the file cache of the system
        medians = interleaved(subjects, rounds)
    bare = medians[BARE].seconds
    rows = [
        (f"`{name}`", f"{run.seconds * 1000:.0f}", f"{run.cpu * 1000:.0f}", f"{run.seconds / bare:.1f}")
        for name, run in medians.items()
    ]
    heading = f"Medians of {rounds} runs each. {circumstances()}.\n\n"
    return heading + table(["command", "ms", "CPU ms", f"× `{BARE}`"], rows)


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__, 25).parse_args()
    publish("startup", measure(options.rounds), write=options.write)


if __name__ == "__main__":
    main()
