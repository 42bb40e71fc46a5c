"""What each step of `docs/go.md` does to the size of the image and to the time of a rebuild.

`python -m benchmarks.road --write` measures with the engine that the `docker` command line leads to, and puts the table into the page.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import NamedTuple

from benchmarks.measuring import ROOT, arguments, circumstances, publish, table
from tests.engine.engine import Engine

ROAD = ROOT / "fixtures" / "road"
PAGE = ROOT / "docs" / "go.md"


class Stop(NamedTuple):
    """One step of the road: what is selected to come here from the one before (nothing: all that keeps the image)."""

    name: str
    select: tuple[str, ...] = ()

    @property
    def dockerfile(self) -> Path:
        """The Dockerfile as it is after this step."""
        return ROAD / "steps" / f"{STEPS.index(self)}-{self.name}.Dockerfile"

    @property
    def command(self) -> str:
        """How a user comes here."""
        if self is STEPS[0]:
            return "as it was"
        return f"`dockopt fix --write{' --select ' + ','.join(self.select) if self.select else ''}`"


STEPS = (
    Stop("naive"),
    Stop("pinned", ("pin-base",)),
    Stop("two-stages", ("multi-stage",)),
    Stop("cached"),
    Stop("static", ("static-go",)),
    Stop("user", ("non-root",)),
)


class Measured(NamedTuple):
    """What one step costs."""

    size: int  # bytes
    rebuild: float  # seconds after an edit of a source file
    serves: str  # what the program prints as the first line: the user that it runs as


def measure(engine: Engine, stop: Stop, rounds: int) -> Measured:
    """Build a step, run it, and rebuild it after edits. Raises RuntimeError where a build or the program fails."""
    source = stop.dockerfile.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        context = Path(shutil.copytree(ROAD, Path(folder) / "project"))
        tag = engine.tag("road")
        _build(engine, source, context, tag)
        said = engine.run(tag, "/app/server", "-once").splitlines()[0]
        taken = []
        for _ in range(rounds):
            with (context / "main.go").open("a", encoding="utf-8") as file:
                file.write(f"\nvar _ = {uuid.uuid4().hex!r}\n".replace("'", '"'))
            start = time.perf_counter()
            _build(engine, source, context, tag)
            taken.append(time.perf_counter() - start)
    return Measured(size_of(tag), statistics.median(taken), said)


def size_of(tag: str) -> int:
    """Return the bytes of an image as the engine counts them."""
    done = subprocess.run(
        ["docker", "image", "inspect", "--format", "{{.Size}}", tag], capture_output=True, check=True, timeout=60
    )
    return int(done.stdout)


def _build(engine: Engine, source: bytes, context: Path, tag: str) -> None:
    result = engine.build(source, context, tag=tag)
    if not result.ok:
        raise RuntimeError(result.log)


def main() -> None:
    """Measure all steps and print or write the table."""
    options = arguments(__doc__, rounds=5).parse_args()
    with Engine() as engine:
        found = {stop: measure(engine, stop, options.rounds) for stop in STEPS}
    first = found[STEPS[0]]
    rows = [
        (
            stop.command,
            f"{one.size / 1e6:,.1f} MB",
            f"{first.size / one.size:,.0f}",
            f"{one.rebuild:.1f} s",
            f"{first.rebuild / one.rebuild:.1f}",
            one.serves.removeprefix("user "),
        )
        for stop, one in found.items()
    ]
    headings = ("step", "image", "times smaller", "rebuild", "times faster", "runs as")
    result = table(headings, rows) + f"\n{circumstances(f'median of {options.rounds} rebuilds')}\n"
    publish("road", result, write=options.write, page=PAGE)


if __name__ == "__main__":
    main()
