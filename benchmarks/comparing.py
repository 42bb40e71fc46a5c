"""What `dockopt verify` adds to the two builds that it needs, and how long the comparison of two large images takes.

Uses the engine that the `docker` command line leads to.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measuring import arguments, circumstances, dockopt_command, publish, table
from benchmarks.rebuild import versions
from tests.engine.engine import Engine
from tests.engine.examples import Example, examples

FILES, FILE_SIZE = 20_000, 52_000
"""20,000 files, 1.04 GB together; random, so that nothing shrinks."""
DEFAULT = ("go-cgo", "go-service", "go-vendored")
"""Examples with a large and with small final images."""

_BUILT = re.compile(r"built in ([0-9.]+) s before and ([0-9.]+) s after")


def run_measured(command: Sequence[str | Path], accepted: Sequence[int]) -> tuple[str, float, float]:
    """Run a command; return what it prints, the seconds, and the most memory in MB (of a process; what the engine takes is not its own).

    Raises:
        RuntimeError: it ends with another exit code than the accepted ones.
    """
    start = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accepted:
        raise RuntimeError(f"`{' '.join(map(str, command))}` ended with {process.returncode}: {said}")
    # kilobytes on Linux, bytes on macOS (getrusage(2))
    return said, time.perf_counter() - start, used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def verifying(example: Example) -> list[str]:
    """Verify one example, and return its row."""
    command = [*dockopt_command(), "verify", example.dockerfile, "--context", example.context, "--network=host"]
    said, seconds, memory = run_measured([*command, "--engine=docker"], (0,))
    found = _BUILT.search(said)
    if found is None:
        raise RuntimeError(f"{example.name}: {said}")
    builds = float(found[1]) + float(found[2])
    return [example.name, f"{builds:.1f}", f"{seconds:.1f}", f"{seconds / builds:.2f}", f"{memory:.0f}"]


def large_context(folder: Path) -> None:
    """Make the files of a large image."""
    source = random.Random(0)
    for i in range(FILES):
        path = folder / "files" / str(i % 200) / str(i)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.randbytes(FILE_SIZE))
    (folder / "one").touch()


def comparing(rounds: int) -> Iterator[list[str]]:
    """Yield rows for two images of the engine, and for the same ones as archives."""
    with Engine() as engine, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large_context(folder)
        tags = [engine.tag("large"), engine.tag("large")]
        # not one layer is the same in both, and one file is one too many
        for tag, first in zip(tags, ("", "COPY one /one\n"), strict=True):
            built = engine.build(f"FROM scratch\n{first}COPY files /files\n".encode(), folder, tag=tag)
            if not built.ok:
                raise RuntimeError(built.log)
        archives = [folder / f"{i}.tar" for i in range(2)]
        for tag, archive in zip(tags, archives, strict=True):
            subprocess.run(["docker", "save", f"--output={archive}", tag], check=True)
        subjects: dict[str, Sequence[str | Path]] = {"of the engine": tags, "archives": archives}
        for what, images in subjects.items():
            taken = [run_measured([*dockopt_command(), "diff-images", *images], (1,)) for _ in range(rounds)]
            seconds = statistics.median(seconds for _, seconds, _ in taken)
            yield [what, f"{seconds:.1f}", f"{max(memory for _, _, memory in taken):.0f}"]


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__, 3)
    parser.add_argument(
        "names", nargs="*", default=list(DEFAULT), help=f"examples to verify (default: {' '.join(DEFAULT)})"
    )
    options = parser.parse_args()
    if why := Engine.missing():
        sys.exit(f"needs a build engine: {why}")
    heading = f"{circumstances(*versions())}.\n\n"
    rows = list(comparing(options.rounds))
    large = f"Medians of {options.rounds} comparisons of two images of {FILES:,} files and {FILES * FILE_SIZE / 1e9:.2f} GB. {heading}"
    publish("compare", large + table(["images", "s", "most MB"], rows), write=options.write)
    rows = [verifying(example) for example in examples() if example.name in options.names]
    columns = ["example", "s of both builds", "s of `verify`", "ratio", "most MB"]
    publish("verify", f"One run each. {heading}" + table(columns, rows), write=options.write)


if __name__ == "__main__":
    main()
