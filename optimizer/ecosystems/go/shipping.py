"""Which programs of the `go build`s of a Dockerfile its images hold, and by which COPY they come there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from dockopt.optimizer.ecosystems.go.binary import GoBuild, Program, go_builds
from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import below, join, relative
from dockopt.optimizer.symbolic.execute import clean_source, evaluate
from dockopt.optimizer.syntax import Instruction


class Shipped(NamedTuple):
    """One program in the image of one stage."""

    build: GoBuild
    program: Program
    stage: int
    path: str  #: in the image of that stage
    copy: Instruction | None  #: what brings it from another stage; None: it is built there, or in a stage below


def shipped(build: Build) -> tuple[Shipped, ...]:
    """Return the programs in the images that somebody can see. Raises Unsupported."""
    return tuple(found for stage in build.exported for found in programs_in(build, stage.index))


def programs_in(build: Build, stage: int) -> Iterator[Shipped]:
    """Yield the programs that a stage holds at its end, as far as it can be told. Raises Unsupported."""
    for index in reversed(tuple(ancestry(build, stage))):
        for made in go_builds(build.executor, index):
            if isinstance(made, GoBuild):
                for program in made.programs:
                    if program.path is not None:
                        yield Shipped(made, program, stage, program.path, None)
        run = build.runs[index]
        for position, instruction in enumerate(run.stage.instructions):
            source = source_stage(build, instruction)
            if source is not None:
                words = [
                    evaluate(word, run.states[position], build.dockerfile.escape, instruction.start_line).text
                    for word in instruction.words
                ]
                cwd = run.states[position].cwd
                yield from _copied(build, stage, instruction, source, words, cwd)


def ancestry(build: Build, stage: int) -> Iterator[int]:
    """Yield a stage and the stages that it is built on."""
    yield stage
    parent = build.executor.stage_named(build.dockerfile.stages[stage].base, stage)
    if parent is not None:
        yield from ancestry(build, parent.stage.index)


def source_stage(build: Build, instruction: Instruction) -> int | None:
    """Return the stage that a COPY takes from, None where it takes from elsewhere."""
    name = instruction.flag("from") if instruction.keyword == "COPY" else None
    if name is None:
        return None
    if name.isdigit():
        return int(name) if int(name) < instruction.stage else None
    found = [stage.index for stage in build.dockerfile.stages[: instruction.stage] if stage.name == name.lower()]
    return found[-1] if found else None


def _copied(
    build: Build, stage: int, instruction: Instruction, source: int, words: list[str | None], cwd: str | None
) -> Iterator[Shipped]:
    *sources, destination = words
    if destination is None or (cwd is None and not destination.startswith("/")):
        return
    target = join(cwd or "/", destination)
    position = build.dockerfile.stages[instruction.stage].instructions.index(instruction)
    conventional = re.fullmatch(r"/(?:usr/)?(?:local/)?s?bin", target) is not None
    known = build.runs[instruction.stage].states[position].files.kind(target)
    into = (
        destination.endswith(("/", "/."))
        or destination in (".", "..")
        or len(sources) > 1
        or known == "directory"
        or conventional
    )
    for found in programs_in(build, source):
        for word in sources:
            if word is None:
                continue
            path = "/" + clean_source(word)
            if found.path == path:
                place = join(target, posixpath.basename(path)) if into else target
            elif below(found.path, path):
                place = join(target, relative(found.path, path))
            else:
                continue
            yield Shipped(found.build, found.program, stage, place, instruction)
