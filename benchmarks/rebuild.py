"""How long a rebuild takes after an edit of the sources, with the Dockerfiles as they are and as dockopt rewrites them.

Uses the engine that the `docker` command line leads to. What a rewrite gains depends on how fast modules come (next to
nothing where the proxy is near) and on how much is compiled (most of it the standard library, which no Go image brings).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
import uuid
from functools import partial
from pathlib import Path

from benchmarks.measuring import Run, arguments, circumstances, interleaved, publish, table
from tests.engine.engine import BuildResult, Engine
from tests.engine.examples import Example, examples

_NUMBER = re.compile(r"\d+(\.\d+)+")


def build(engine: Engine, example: Example, source: bytes, context: Path) -> BuildResult:
    """Build the last stage.

    Raises:
        RuntimeError: the build fails.
    """
    result = engine.build(source, context, tag=engine.tag(example.name))
    if not result.ok:
        raise RuntimeError(f"{example.name}: {result.log}")
    return result


def rebuild(engine: Engine, example: Example, source: bytes) -> Run:
    """Time a build after an edit that no other build has seen, or it would find the steps of that one."""
    with tempfile.TemporaryDirectory() as folder:
        context = example.edited(Path(folder), uuid.uuid4().hex)
        start = time.perf_counter()
        build(engine, example, source, context)
        # what the daemon computes is nobody's CPU time here
        return Run(time.perf_counter() - start, 0.0)


def measure_one(engine: Engine, example: Example, rounds: int) -> list[str] | None:
    """Return the row of one example, or nothing if dockopt leaves it alone."""
    report = example.report()
    if report.result == report.source:
        return None
    for source in (report.source, report.result):
        build(engine, example, source, example.context)  # fills the cache with what no edit concerns
    variants = {"before": report.source, "after": report.result}
    medians = interleaved(
        {name: partial(rebuild, engine, example, source) for name, source in variants.items()}, rounds
    )
    before, after = medians["before"].seconds, medians["after"].seconds
    rewrites = ", ".join(dict.fromkeys(change.proposal.rewrite for change in report.changes))
    return [example.name, f"{before:.1f}", f"{after:.1f}", f"{before / after:.1f}", rewrites]


def versions(engine: Engine, example: Example) -> list[str]:
    """Return the versions of Go in the base image, and of the engine."""
    base = example.source.split()[1].decode()
    tag = engine.tag("go-version")
    with tempfile.TemporaryDirectory() as folder:
        engine.build(f"FROM {base}\n".encode(), Path(folder), tag=tag)
    go = _NUMBER.search(engine.run(tag, "go", "version"))
    said = subprocess.run(["docker", "version", "--format", "{{json .Server}}"], capture_output=True, check=True).stdout
    server = _NUMBER.match(json.loads(said)["Version"])
    return [f"Go {go[0] if go else 'unknown'}", f"Docker {server[0] if server else 'unknown'} with BuildKit"]


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__, 3)
    parser.add_argument("names", nargs="*", help="examples (default: all)")
    options = parser.parse_args()
    if why := Engine.missing():
        sys.exit(f"needs a build engine: {why}")
    chosen = [example for example in examples() if not options.names or example.name in options.names]
    rows = []
    with Engine() as engine:
        told = versions(engine, next(example for example in examples() if example.name == "go-service"))
        for example in chosen:
            if row := measure_one(engine, example, options.rounds):
                print(*row, file=sys.stderr, flush=True)
                rows.append(row)
    heading = (
        f"Medians of {options.rounds} rebuilds in turn, each after an edit of its own. {circumstances(*told)}.\n\n"
    )
    names = ["example", "s before", "s after", "before ÷ after", "rewrites"]
    publish("rebuild", heading + table(names, rows), write=options.write)


if __name__ == "__main__":
    main()
