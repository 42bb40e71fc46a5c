"""builds a Go service in one stage, and runs it in another that holds the program and what it reads

What it does
    Gives the stage that builds and runs a Go program a name, ends it behind what builds, and adds a last stage that starts from a
    small image and takes over the program and the files that it reads. What configures the image goes along; settings of
    the toolchain (`GOPROXY`, `CGO_ENABLED`) stay behind. A program that surely needs no C is built without.

Why it changes the image
    An image that was built in holds the toolchain, a compiler, a package manager, caches and the sources: hundreds of megabytes that
    are shipped and scanned, and that whoever takes over the program may use. A running service needs none of it.

Before
    FROM golang:1.22
    WORKDIR /app
    COPY . .
    RUN go build -o server .
    EXPOSE 8080
    CMD ["/app/server"]

After
    FROM golang:1.22 AS build
    WORKDIR /app
    COPY . .
    RUN CGO_ENABLED=0 go build -o server .

    FROM gcr.io/distroless/static-debian12
    WORKDIR /app
    COPY --from=build /app/server /app/server
    EXPOSE 8080
    CMD ["/app/server"]

When it does not fire
    What is started is not surely the program that a `go build` of this stage makes, or a script starts it; the sources cannot be
    followed, start other programs, look up accounts by name, read the directory of Go, or load plugins; a file of the image is neither
    built in nor named, and nobody but the author knows whether it is read (then it is asked for); a command of the stage leaves what
    may be needed, such as packages or accounts; Compose starts another command or checks the health, or a development container uses
    the stage; somebody builds the last stage by its name; it needs C, and the release of the base image is not known.

Why it is safe
    The stage that builds does what it did: the validator compares every command. Of the new image it shows that each file is
    what the old one had in its place, and that every setting is the same but for those that are declared. Which files the
    program reads is read from its own sources; packages of other modules are not looked at, so try it before it goes out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from dockopt.optimizer.ecosystems.go.needs import needs_of
from dockopt.optimizer.ecosystems.go.runtime_files import Named, RuntimeFiles, runtime_files
from dockopt.optimizer.ecosystems.go.shipping import Shipped, shipped
from dockopt.optimizer.entrypoint import Start, health_checked, started
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Edit, Proposal, Refusal, RuntimeStage, WantedDifference
from dockopt.optimizer.regions import below
from dockopt.optimizer.runtime_bases import base_of, runtime_base
from dockopt.optimizer.syntax import Stage
from dockopt.rewrites.distroless import lacking_platform
from dockopt.rewrites.runtime_choice import Choice, NoBase, choose
from dockopt.rewrites.stage_commands import made_directories, obstacle_in
from dockopt.rewrites.stage_cut import TOOLCHAIN, Cut, cut_stage, keepers
from dockopt.rewrites.static_go import without_c

ID = "multi-stage"
#: what asks package `mime` for the type of a file
_SERVES_FILES = re.compile(rb"\b(?:FileServer|FileServerFS|ServeFile|ServeContent|TypeByExtension|StaticFS|Static)\(")
_REMEDY = "build it in with `go:embed`, name it in the sources, or keep it out by the ignore file"


class _Moved(NamedTuple):
    """The program in the old image and in the new one."""

    old: str
    new: str


def propose(build: Build) -> Iterator[Proposal | Refusal | Advice]:
    """Look at the last stage, if a Go program is built and started there."""
    stage = build.dockerfile.stages[-1]
    base = base_of(build.executor, stage.index)
    if not base.reference.split("/")[-1].startswith("golang"):
        return
    start = started(build, stage.index)
    built = [found for found in shipped(build) if found.stage == stage.index and found.copy is None]
    programs = [found for found in built if any(found.path in p.places[:1] for p in start.programs)]
    line = stage.from_.start_line
    refusal = _start_problem(stage, start, programs)
    if refusal is None:
        refusal = _outside_problem(build, stage)
    if refusal is None:
        refusal = obstacle_in(build, stage)
    if refusal is None and len({found.path for found in built}) > 1:
        other = next(found for found in built if found.path != programs[0].path)
        refusal = f"`{other.path}` is built here too, and may be started", "", other.build.command.line
    if refusal is not None:
        yield Refusal(ID, line, *refusal)
        return
    yield from _split(build, stage, programs[0], start)


_Reason = tuple[str, str, int]


def _start_problem(stage: Stage, start: Start, programs: list[Shipped]) -> _Reason | None:
    line = start.instructions[0].start_line if start.instructions else stage.from_.start_line
    if start.unknown is not None:
        return start.unknown.reason, start.unknown.path, start.unknown.line
    if start.scripts:
        path, source = next(iter(start.scripts.items()))
        return f"`{path}` starts it, a script that may need programs of the base image", source, 1
    if any(shell not in ("/bin/sh", "/bin/ash") for shell in start.shells):
        return f"it is started by `{start.shells[0]}`, which no small image has", "", line
    if not programs:
        name = start.programs[0].argv[0] if start.programs else None
        return f"`{name or '?'}`, which is started, is not surely what a `go build` of this stage makes", "", line
    if len({found.path for found in programs}) > 1 or len(start.programs) > 1:
        return "more than one program is started", "", line
    found = programs[-1]
    if found.build.facts is None:
        problem = found.build.problem
        if problem is None:
            return "the sources of the program cannot be followed", "", found.build.command.line
        return f"the sources of the program cannot be followed: {problem.reason}", problem.path, problem.line
    if found.build.facts.starts_programs is not None:
        return "the program starts other programs", *found.build.facts.starts_programs
    needs = needs_of(found.build)
    if needs is not None and needs.accounts is not None:
        return "the program looks up users or groups by name, which another image may lack", *needs.accounts
    if needs is not None and needs.toolchain is not None:
        return "the program reads the directory of Go", *needs.toolchain
    if "plugin" in found.build.facts.imports:
        return "the program loads plugins, which need the C library and the toolchain that it was built with", "", line
    return None


def _outside_problem(build: Build, stage: Stage) -> _Reason | None:
    """Return why another last stage may not be what those who build the Dockerfile expect."""
    from dockopt.optimizer.running.services import services_of

    line = stage.from_.start_line
    if build.executor.stage_named(stage.base, stage.index) is not None:
        return "it starts from another stage", "", line
    if stage.platform is not None:
        return "it is built for a platform of its own", "", line
    if stage.name in build.targets or str(stage.index) in build.targets:
        return (
            f"somebody builds `{stage.name or stage.index}` by its name, and would get the stage that builds",
            "",
            line,
        )
    if build.elsewhere:
        other = build.elsewhere[0]
        return (
            f"it is built in the context `{other.shown}` too, whose sources are not looked at",
            other.file,
            other.line,
        )
    lacking = lacking_platform(build, stage)
    if lacking is not None:
        return lacking
    for declared in build.declared:
        if declared.file.name.endswith("devcontainer.json"):
            return "a development container is made of it, and needs the toolchain", "", line
    for service in services_of(build):
        for key, at in (*service.replaces, *service.starts):
            return (
                f"Compose sets `{key}` of the service `{service.name}`, and may need what the new image lacks",
                service.file,
                at,
            )
        for mount in service.mounts:
            final = build.runs[-1].final
            if mount.is_of_host and final.cwd is not None and below(final.cwd, mount.target):
                return f"Compose mounts a directory of the host over `{mount.target}`", service.file, mount.line
    return None


def _split(build: Build, stage: Stage, found: Shipped, start: Start) -> Iterator[Proposal | Refusal | Advice]:
    line = stage.from_.start_line
    final = build.runs[-1].final
    health = health_checked(build, stage.index)
    cgo = without_c(found.build)
    choice = choose(build, stage, found, start, health, cgo)
    if isinstance(choice, NoBase):
        yield Refusal(ID, line, choice.reason, choice.path, choice.line)
        return
    cut = cut_stage(build, stage, keepers(build, stage, found.build))
    if isinstance(cut, Refusal):
        yield replace(cut, rewrite=ID)
        return
    read = runtime_files(found.build, final.files, final.cwd or "/", _words(build, start, health), build.context)
    if read.questions:
        for question in read.questions:
            message = f"can it run in a stage of its own? {question.message}"
            yield Advice(ID, line, message, "note", _REMEDY, question.file, question.line)
        count = len(read.questions)
        what = "a question" if count == 1 else f"{count} questions"
        yield Refusal(
            ID, line, f"it runs in the image that it is built in, and {what} about that only the author can answer"
        )
        return
    yield _proposal(build, stage, found, start, choice, cut, read)


def _words(build: Build, start: Start, health: Start | None) -> Iterator[Named]:
    """Yield variables and arguments in which the program may be told a path."""
    final = build.runs[-1].final
    line = build.dockerfile.stages[-1].from_.start_line
    for name, value in final.env.items():
        if value.text and name != "PATH" and name not in TOOLCHAIN:
            yield Named(value.text, "", line)
    for begun in (start, health):
        for program in () if begun is None else begun.programs:
            for word in program.argv[1:]:
                if word:
                    yield Named(word, program.file, program.line)


def _proposal(
    build: Build, stage: Stage, found: Shipped, start: Start, choice: Choice, cut: Cut, read: RuntimeFiles
) -> Proposal:
    named = [p.argv[0] or "" for p in start.programs]
    program = _Moved(found.path, found.path)
    if not any("/" in name for name in named):
        # it is looked up on PATH, and that of the new image does not hold the directory of the go tool
        program = _Moved(found.path, f"/usr/local/bin/{posixpath.basename(found.path)}")
    directories = [
        d
        for d in made_directories(build, stage)
        if not any(below(d, p) or below(p, d) for p in (program.old, *read.paths))
    ]
    taken = sorted((*read.paths, *directories))
    copies = [(program.old, program.new), *((path, path) for path in taken)]
    edits = [*cut.edits(choice.image, copies)]
    replacing: tuple[Edit, ...] = ()
    if choice.without_c is not None:
        replacing = (choice.without_c,)
        edits.append(choice.without_c)
    kept = tuple(path for path in (*(() if program.old != program.new else (program.old,)), *taken))
    moved = ((program.old, program.new),) if program.old != program.new else ()
    return Proposal(
        ID,
        stage.from_.start_line,
        f"the image of `{found.path}` is the one that it is built in, with toolchain, sources and caches",
        tuple(edits),
        gain=_gain(choice),
        declared=WantedDifference(
            settings=frozenset(f"env {name}" for name in cut.dropped), runtime_stage=RuntimeStage(kept, moved)
        ),
        replacing=replacing,
        risk=_risk(choice, cut),
        notes=tuple(_notes(found, choice, read, directories)),
    )


def _gain(choice: Choice) -> str:
    facts = runtime_base(choice.image)
    size = "" if facts is None or facts.megabytes is None else f" of about {facts.megabytes:g} MB and the program"
    return f"an image{size}, without compiler and sources: as a rule several hundred megabytes less (estimate)"


def _risk(choice: Choice, cut: Cut) -> str:
    parts = []
    if not choice.shell:
        parts.append(
            "no shell and no package manager: `docker exec … sh` finds nothing, the tag `debug` of the base has a shell"
        )
    else:
        parts.append("neither Go nor git nor Debian's programs are there any more, only busybox")
    parts.append(f"`--target {cut.name}` builds the image with the toolchain")
    return "; ".join(parts)


def _notes(found: Shipped, choice: Choice, read: RuntimeFiles, directories: list[str]) -> Iterator[str]:
    for path in read.paths:
        place = read.named[path]
        said = f"{place.file}:{place.line}" if place.file else "the Dockerfile"
        yield f"`{path}` is taken along: {said} names it"
    for path in directories:
        yield f"`{path}` is taken along: a command makes it"
    if choice.why:
        yield choice.why
    facts, tree = found.build.facts, found.build.tree
    if facts is not None and any(_SERVES_FILES.search(tree.read(path) or b"") for path in facts.files):
        yield "it serves files: types of rare endings come from `/etc/mime.types`, which the new image may lack (package `mime`)"
    if facts is not None and facts.foreign:
        yield "what packages of other modules read or start when the program runs is not looked at"
