"""How long a rebuild takes after typical edits, with the Dockerfiles as they are and as dockopt rewrites them.

Uses the engine that the `docker` command line leads to. What a rewrite gains depends on how fast packages come (next to nothing where
they are near) and on how much is compiled.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dockopt.optimizer.interrupts import ending_cleanly

from benchmarks.cachemounts import NAMESPACE, CacheMounts
from benchmarks.edits import KINDS, Edit, edit_project, edits, project
from benchmarks.measuring import arguments, circumstances, publish, table
from tests.engine.engine import BuildResult, Engine
from tests.engine.examples import Example, examples

SIDES = ("before", "after")
_NUMBER = re.compile(r"\d+(\.\d+)+")
_HEADINGS = (
    "example", "edit", "rounds", "s before", "s after", "before ÷ after", "reused before", "reused after", "rewrites",
)  # fmt: skip


class NotBuilt(Exception):
    """An example cannot be measured here (a base image is missing, a registry does not answer); the message says why."""


class Trial(NamedTuple):
    """One timed build."""

    seconds: float
    cached: int
    steps: int


@dataclass(slots=True)
class Taken:
    """Timed builds so far: kept in a file, so that a run can go on where another one ended."""

    path: Path | None
    trials: dict[tuple[str, str, str], list[Trial]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is not None and self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                subject, kind, side, *figures = json.loads(line)
                self.trials.setdefault((subject, kind, side), []).append(Trial(*figures))

    def add(self, subject: str, kind: str, side: str, trial: Trial) -> None:
        """Keep one more."""
        self.trials.setdefault((subject, kind, side), []).append(trial)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([subject, kind, side, *trial]) + "\n")

    def of(self, subject: str, kind: str, side: str) -> list[Trial]:
        """Return those of one subject, edit and side, the oldest first."""
        return self.trials.get((subject, kind, side), [])


@dataclass(frozen=True, slots=True)
class Subject:
    """An example with both texts and its edits."""

    example: Example
    texts: dict[str, bytes]
    edits: dict[str, tuple[Edit, ...]]
    rewrites: str
    #: the ignore file that comes with the rewritten text; None leaves the one of the project
    ignore: bytes | None = None

    @property
    def key(self) -> str:
        """The name, and a digest of all that decides what is measured: figures of other texts must not be mixed in."""
        said = repr((sorted(self.texts.items()), sorted(self.edits.items()), self.ignore))
        return f"{self.example.name}:{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def subjects(names: list[str]) -> Iterator[Subject]:
    """Yield the examples that dockopt changes.

    Raises:
        KeyError: one of them has no edits.
    """
    for example in examples():
        if names and example.name not in names:
            continue
        report = example.report()
        if report.result != report.source:
            rewrites = ", ".join(dict.fromkeys(change.proposal.rewrite for change in report.changes))
            texts = dict(zip(SIDES, (report.source, report.result), strict=True))
            # the only other file that a change may have is the ignore file that counts
            ignore = next(iter(report.other_files.values()), None)
            yield Subject(example, texts, edits()[example.name], rewrites, ignore)


def build(subject: Subject, side: str, namespace: str, kind: str | None = None) -> Trial:
    """Time a build of one side, after an edit of its own where a kind is named: else it would find the steps of another build.

    Raises:
        NotBuilt: the build fails.
    """
    example = subject.example
    with Engine() as engine, tempfile.TemporaryDirectory() as folder:
        copy = project(example.context, example.dockerfile, subject.texts[side], Path(folder))
        dockerfile = copy / example.dockerfile.relative_to(example.context)
        if kind is not None:
            edit_project(copy, dockerfile, subject.edits[kind], f"m{uuid.uuid4().hex[:12]}")
        start = time.perf_counter()
        result = engine.build(
            dockerfile.read_bytes(),
            copy,
            tag=engine.tag(example.name),
            build_args={NAMESPACE: namespace},
            # beside the Dockerfile, not in the context: `COPY . .` would copy another file than on the other side
            ignore=subject.ignore if side == "after" else None,
        )
        seconds = time.perf_counter() - start
    if not result.ok:
        raise NotBuilt(_last_error(result))
    return Trial(seconds, result.cached, len(result.work))


def _last_error(result: BuildResult) -> str:
    lines = [line for line in result.log.splitlines() if "ERROR" in line] or result.log.splitlines() or [""]
    return lines[-1].strip()


def measure(chosen: list[Subject], rounds: int, taken: Taken) -> dict[str, str]:
    """Take what is missing of the rounds; return which examples cannot be built here, and why.

    First everything is built that no edit concerns, then all examples, edits and sides come in turn, round by round. Each timed build
    finds the cache mounts as these first builds left them.

    Raises:
        RuntimeError: cache mounts cannot be copied.
    """
    left_out: dict[str, str] = {}
    todo = [
        (subject, kind, side)
        for count in range(rounds)
        for subject in chosen
        for kind in KINDS
        for side in SIDES
        if len(taken.of(subject.key, kind, side)) <= count
    ]
    if not todo:
        return left_out
    namespace = f"dockopt-benchmark-{uuid.uuid4().hex[:12]}"
    with Engine() as engine:
        mounts = CacheMounts(engine, namespace, [text for subject in chosen for text in subject.texts.values()])
        try:
            for subject in chosen:
                with _leaving_out(subject, left_out):
                    for side in SIDES:
                        build(subject, side, namespace)
            mounts.save()
            for subject, kind, side in todo:
                if subject.example.name in left_out:
                    continue
                with _leaving_out(subject, left_out):
                    trial = build(subject, side, namespace, kind)
                    taken.add(subject.key, kind, side, trial)
                    print(f"{subject.example.name} {kind} {side}: {trial.seconds:.1f} s", file=sys.stderr, flush=True)
                    mounts.restore()
        finally:
            mounts.clear()
    return left_out


@contextmanager
def _leaving_out(subject: Subject, left_out: dict[str, str]) -> Iterator[None]:
    """Go on without an example that does not build."""
    name = subject.example.name
    try:
        yield
    except NotBuilt as error:
        left_out[name] = str(error)
        print(f"{name}: left out: {error}", file=sys.stderr, flush=True)


def rows(subject: Subject, taken: Taken) -> Iterator[list[str]]:
    """Yield one row for each kind of edit that has figures, from the rounds that have both sides."""
    for kind in KINDS:
        both = [taken.of(subject.key, kind, side) for side in SIDES]
        rounds = min(map(len, both))
        before, after = (trials[:rounds] for trials in both)
        if rounds:
            old, new = (statistics.median(trial.seconds for trial in trials) for trials in (before, after))
            reused = [f"{trials[-1].cached} of {trials[-1].steps}" for trials in (before, after)]
            first = kind == KINDS[0]
            name, rewrites = (subject.example.name, subject.rewrites) if first else ("", "")
            yield [name, kind, str(rounds), f"{old:.1f}", f"{new:.1f}", f"{old / new:.1f}", *reused, rewrites]


def versions() -> list[str]:
    """Return the version of the engine."""
    said = subprocess.run(["docker", "version", "--format", "{{json .Server}}"], capture_output=True, check=True).stdout
    server = _NUMBER.match(json.loads(said)["Version"])
    return [f"Docker {server[0] if server else 'unknown'} with BuildKit"]


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__, 5)
    parser.add_argument("names", nargs="*", help="examples (default: all)")
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="keep the figures there, and go on from those that it has"
    )
    options: argparse.Namespace = parser.parse_args()
    if why := Engine.missing():
        sys.exit(f"needs a build engine: {why}")
    taken = Taken(options.resume)
    chosen = list(subjects(options.names))
    with ending_cleanly():
        left_out = measure(chosen, options.rounds, taken)
    found = [row for subject in chosen for row in rows(subject, taken)]
    heading = f"Medians of rebuilds in turn, each after an edit of its own. {circumstances(*versions())}.\n\n"
    if left_out:
        # why was said when it happened; words of an engine name addresses of one machine
        heading += f"Left out, because they do not build here: {', '.join(left_out)}.\n\n"
    publish("rebuild", heading + table(_HEADINGS, found), write=options.write)


if __name__ == "__main__":
    main()
