"""builds a service of Go, Rust, Java, Node or Python in one stage, and runs it in another that holds what it needs

What it does
    Gives the stage that builds and runs a program a name, ends it behind what builds, and adds a last stage that starts from a small
    image and takes over the program, the files that it reads and the accounts that are made for it. What configures the image goes
    along; settings of the toolchain (`GOPROXY`, `CGO_ENABLED`) stay behind. A Go program that surely needs no C is built without;
    one of Rust gets an image with the C library of the release of Debian or Alpine that it is built on; a jar that Maven or Gradle
    makes gets the JRE of the same version of Eclipse Temurin, on the same system.

    A program of Node or Python runs in the slim variant of the image that its packages are installed in. It takes its whole working
    directory along, and what pip has installed; a project that `tsc` compiles takes package.json, `node_modules`, what is compiled
    and the files that its sources name, where that can be told.

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

    FROM gcr.io/distroless/static-debian13
    WORKDIR /app
    COPY --from=build /app/server /app/server
    EXPOSE 8080
    CMD ["/app/server"]

When it does not fire
    What is started is not surely the program that a `go build` or `cargo build` of this stage makes, or a script starts it; the
    sources cannot be followed, start other programs, look up accounts by name, read the directory of Go, or load plugins; a file of
    the image is neither built in nor named, and nobody but the author knows whether it is read (then it is asked for); a command of
    the stage leaves what may be needed, such as packages; Compose, a Makefile, a script or CI starts another command in a container
    of it, or Compose checks the health, or a development container uses the stage; somebody builds the last stage by its name; it
    needs C, and the release of the base image is not known. Of Rust also: a package of Cargo.lock may link a C library, or the
    project has a build script, several packages, or settings of its own for cargo. Of Java also: the vendor or version of the JDK is
    not known; the build has modules, profiles, a parent, plugins or statements of which it is not known what they make, or the jar
    does not surely hold its libraries; `gradlew` is called, or a `mvnw` that Apache did not publish; sources or libraries use tools
    of the JDK, start programs, load libraries of C or need fonts.

    Of Node: anything but `node` with a file is started (a framework, a watcher, a compiler); package-lock.json is not there, or it has
    packages with an install script, for one system, or known to need a browser, OpenSSL or other programs; the sources start
    programs, load libraries or name places of Debian's packages; certificates of the image are asked for; the health check starts
    what the slim image lacks; something lies beside the project. Of Python: it is not known before the build that pip compiles
    nothing, which only `--only-binary=:all:` and a list with hashes say; and the same of sources, packages and places. An image that
    is slim or on Alpine already has nothing to gain.

Why it is safe
    The stage that builds does what it did: the validator compares every command. Of the new image it shows that each file is
    what the old one had in its place, and that every setting is the same but for those that are declared. Which files the
    program reads is read from its own sources; packages of other modules are not looked at, so try it before it goes out. A slim
    variant has the same Node or Python on the same release of Debian, so that the C library and what is linked with it stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockopt.optimizer.ecosystems.go.needs import needs_of
from dockopt.optimizer.ecosystems.go.runtime_sources import GoSources
from dockopt.optimizer.ecosystems.go.shipping import Shipped, shipped
from dockopt.optimizer.entrypoint import Start, health_checked, started
from dockopt.optimizer.jvm.images import builds_java
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Proposal, Refusal
from dockopt.optimizer.runtime_bases import base_of
from dockopt.optimizer.syntax import Stage
from dockopt.rewrites.distroless import lacking_platform
from dockopt.rewrites.multi_stage_jvm import builds_jar, propose_jvm
from dockopt.rewrites.multi_stage_node import propose_node
from dockopt.rewrites.multi_stage_python import propose_python
from dockopt.rewrites.multi_stage_rust import propose_rust
from dockopt.rewrites.runtime_choice import NoBase, choose
from dockopt.rewrites.stage_commands import is_of_go, obstacle_in
from dockopt.rewrites.stage_cut import keepers
from dockopt.rewrites.stage_outside import outside_problem
from dockopt.rewrites.stage_split import ID, Language, split, start_problem
from dockopt.rewrites.static_go import without_c

#: what asks package `mime` for the type of a file
_SERVES_FILES = re.compile(rb"\b(?:FileServer|FileServerFS|ServeFile|ServeContent|TypeByExtension|StaticFS|Static)\(")


def propose(build: Build) -> Iterator[Proposal | Refusal | Advice]:
    """Look at the last stage, if a program is built and started there that needs no toolchain when it runs."""
    stage = build.dockerfile.stages[-1]
    name = base_of(build.executor, stage.index).reference.split("/")[-1]
    if name.startswith("golang"):
        yield from _propose_go(build, stage)
    elif re.match(r"rust(?![\w.-])", name):
        yield from propose_rust(build, stage)
    elif re.match(r"(?:maven|gradle)(?![\w.-])", name) or (builds_java(name) and builds_jar(build, stage)):
        yield from propose_jvm(build, stage)
    elif re.match(r"node(?![\w.-])", name):
        yield from propose_node(build, stage)
    elif re.match(r"python(?![\w.-])", name):
        yield from propose_python(build, stage)


def _propose_go(build: Build, stage: Stage) -> Iterator[Proposal | Refusal | Advice]:
    start = started(build, stage.index)
    built = [found for found in shipped(build) if found.stage == stage.index and found.copy is None]
    programs = [found for found in built if any(found.path in p.places[:1] for p in start.programs)]
    line = stage.from_.start_line
    refusal = _start_problem(stage, start, programs)
    if refusal is None:
        refusal = outside_problem(build, stage) or lacking_platform(build, stage)
    if refusal is None:
        refusal = obstacle_in(build, stage, is_of_go)
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
    problem = start_problem(stage, start)
    if problem is not None:
        return problem
    if not programs:
        name = start.programs[0].argv[0] if start.programs else None
        return f"`{name or '?'}`, which is started, is not surely what a `go build` of this stage makes", "", line
    if len({found.path for found in programs}) > 1 or len(start.programs) > 1:
        return "more than one program is started", "", line
    found = programs[-1]
    if found.build.facts is None:
        cause = found.build.problem
        if cause is None:
            return "the sources of the program cannot be followed", "", found.build.command.line
        return f"the sources of the program cannot be followed: {cause.reason}", cause.path, cause.line
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


def _split(build: Build, stage: Stage, found: Shipped, start: Start) -> Iterator[Proposal | Refusal | Advice]:
    line = stage.from_.start_line
    health = health_checked(build, stage.index)
    cgo = without_c(found.build)
    choice = choose(build, stage, found, start, health, cgo)
    if isinstance(choice, NoBase):
        yield Refusal(ID, line, choice.reason, choice.path, choice.line)
        return
    lacking = "neither Go nor git nor Debian's programs are there any more, only busybox"
    language = Language(GoSources(found.build), build.runs[-1].final.files, "go:embed", lacking, tuple(_notes(found)))
    yield from split(build, stage, found.path, start, health, choice, keepers(build, stage, found.build), language)


def _notes(found: Shipped) -> Iterator[str]:
    facts, tree = found.build.facts, found.build.tree
    if facts is not None and any(_SERVES_FILES.search(tree.read(path) or b"") for path in facts.files):
        yield "it serves files: types of rare endings come from `/etc/mime.types`, which the new image may lack (package `mime`)"
    if facts is not None and facts.foreign:
        yield "what packages of other modules read or start when the program runs is not looked at"
