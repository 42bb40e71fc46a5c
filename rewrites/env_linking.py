"""The part of env-match that looks at programs: do they start in the image that they are copied to?

That a Go program is linked dynamically, and why, is told by `optimizer/ecosystems/go`; a C or C++ program is one whose compiler is called
by name with `-o`, a Rust one lies in `target/release` (with a target of its own cargo writes to `target/<triple>`, cargo book,
"Build cache").
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockopt.optimizer.bases import repository
from dockopt.optimizer.ecosystems.go.c_packages import Without
from dockopt.optimizer.ecosystems.go.linking import wants_static
from dockopt.optimizer.ecosystems.go.needs import needs_of
from dockopt.optimizer.ecosystems.go.shipping import Shipped, ancestry, shipped, source_stage
from dockopt.optimizer.entrypoint import Start, health_checked, started
from dockopt.optimizer.image_words import Obstacle, renamed_base
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Proposal, Refusal
from dockopt.optimizer.regions import join
from dockopt.optimizer.runtime_bases import StageBase, base_of
from dockopt.optimizer.symbolic.execute import clean_source
from dockopt.optimizer.syntax import Instruction
from dockopt.rewrites.distroless import lacking_on_distroless

#: what a stage does to run programs of another C library, or libraries that it brings along
_BRINGS_LIBC = re.compile(
    r"gcompat|libc6-compat|glibc|ld-linux|ld-musl|musl|patchelf|/lib(?:32|64)?(?:/|\s|$)|ldd\b|qemu"
)
_COMPILER = re.compile(r"(?:.*[-/])?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+)(?:-\d+)?")
_CARGO_OUTPUT = re.compile(r".*/target/(?:release|debug)/[^/]+")
#: build tags that let a package use a shared library of the system instead of its own C sources (READMEs of the packages)
_TAGS_WITH_LIBRARY = {
    ("github.com/mattn/go-sqlite3", "libsqlite3"): "libsqlite3",
    ("github.com/confluentinc/confluent-kafka-go", "dynamic"): "librdkafka",
}
#: base images whose libraries are known to be those of the C library alone
_BARE = frozenset({"scratch", "static", "base", "cc", "alpine", "debian", "slim", "ubuntu"})
_SUITES = {"bookworm": "12", "trixie": "13", "bullseye": "11"}
_BUILD_PLATFORM = re.compile(r"\$\{?BUILDPLATFORM\}?")


class _Native(NamedTuple):
    """A compiled program that is copied to an image."""

    path: str
    line: int  #: of what builds it
    libc: str
    certain: bool
    why: str
    stage: int
    copy: Instruction | None


def propose(build: Build, rewrite: str) -> Iterator[Proposal | Refusal | Advice]:
    """Yield what does not start, for each image that somebody can see. Raises Unsupported."""
    told: set[tuple[int, str]] = set()
    for found in shipped(build):
        if (found.stage, found.path) not in told:
            told.add((found.stage, found.path))
            yield from _go(build, found, rewrite)
    for native in _natives(build):
        yield from _native(build, native, rewrite)


# -- Go ----------------------------------------------------------------------------------------------------------------


def _go(build: Build, found: Shipped, rewrite: str) -> Iterator[Proposal | Refusal | Advice]:
    made, line = found.build, found.build.command.line
    runtime = base_of(build.executor, found.stage)
    yield from _platform(build, found, rewrite)
    yield from _stubs(found, rewrite)
    if found.copy is None or runtime.facts is None or runtime.facts.libc is None:
        return
    linking = made.linking
    if linking.static is True or made.cgo.system not in ("linux", None):
        return
    if linking.libc is None:
        return
    if linking.static is None:
        silent = made.cgo.explicit or wants_static(made.settings) or _brings_libc(build, found.stage)
        if linking.libc != runtime.facts.libc and not silent:
            yield _may_be_dynamic(found, runtime, rewrite)
        return
    brings = _brings_libc(build, found.stage)
    reason, path, at = _cause(found)
    if linking.libc != runtime.facts.libc:
        if brings is True:
            return
        certain = linking.certain and runtime.certain and brings is False
        lacks = "has no C library" if not runtime.facts.libc else f"has {_named(runtime.facts.libc)}"
        message = (
            f"`{found.path}` needs {_named(linking.libc)} ({reason}), and `{runtime.reference}` (line {runtime.line}) {lacks}: "
            f"it {'does' if certain else 'may'} not start there"
        )
        level = "error" if certain else "warning"
        yield Advice(rewrite, line, message, level, _remedy(found, runtime), path, at)
        proposal = _matching_base(build, found, runtime, rewrite) if certain else None
        if proposal is not None:
            yield proposal
        return
    yield from _libraries(build, found, runtime, rewrite, brings=brings)


def _stubs(found: Shipped, rewrite: str) -> Iterator[Advice]:
    """Yield packages that build without cgo and then answer with errors only."""
    made = found.build
    if made.cgo.on is not False or made.facts is None:
        return
    for use in made.facts.uses:
        if use.without is Without.FAILS:
            message = (
                f"`{found.path}` is built without cgo ({made.cgo.why}), and `{use.package}` then fails when it is used: "
                f"it needs {use.what}"
            )
            remedy = f"`CGO_ENABLED=1` in front of `go {made.subcommand}`, and a C compiler"
            yield Advice(rewrite, made.command.line, message, "error", remedy, use.path, use.line)


def _named(libc: str | None) -> str:
    return libc if libc else "the C library"


def _cause(found: Shipped) -> tuple[str, str, int]:
    """Return why a program is linked dynamically, and the place in the context that says so."""
    made = found.build
    line = made.command.line
    if made.settings.value("-buildmode")[1] == "pie":
        return "`-buildmode=pie` has the dynamic loader start it", "", line
    if made.facts is not None and made.facts.dynamic is not None:
        use = made.facts.dynamic
        return f"`{use.package}` needs {use.what}", use.path, use.line
    uses = () if made.facts is None else (*made.facts.uses, *made.facts.standard)
    for use in uses:
        if use.own:
            return f'`{use.package}` imports "C"', use.path, use.line
        if made.facts is not None and use in made.facts.uses:
            return f"`{use.package}` needs {use.what}", use.path, use.line
        return f"cgo is on, and {use.what} uses the C library", use.path, use.line
    return "; ".join(made.linking.reasons), "", line


def _remedy(found: Shipped, runtime: StageBase) -> str:
    made = found.build
    alpine = runtime.facts is not None and runtime.facts.libc == "musl"
    elsewhere = (
        "build it in the `-alpine` variant of the same image, with `apk add --no-cache gcc musl-dev`"
        if alpine and made.linking.libc == "glibc"
        else "run it in an image with the same C library"
    )
    if made.linking.libc == "glibc":
        elsewhere += (
            ", or run it in `debian:…-slim` or `gcr.io/distroless/base`"
            if alpine
            else (" (`debian:…-slim`, `gcr.io/distroless/base`)")
        )
    if made.settings.value("-buildmode")[1] == "pie":
        return f"leave out `-buildmode=pie`, or {elsewhere}"
    if made.facts is not None and made.facts.dynamic is not None:
        return elsewhere
    if made.facts is not None and made.facts.uses:
        if all(use.without is Without.OTHER for use in made.facts.uses):
            return (
                f"`CGO_ENABLED=0` in front of `go {made.subcommand}` has it work by other means than C; or {elsewhere}"
            )
        fails = any(use.without is Without.FAILS for use in made.facts.uses)
        return f"{'without cgo it would fail when it runs' if fails else 'it cannot be built without cgo'}: {elsewhere}"
    if made.facts is not None and made.facts.surely_none:
        return f"`CGO_ENABLED=0` in front of `go {made.subcommand}`: nothing that it is built from needs C"
    return f"`CGO_ENABLED=0` in front of `go {made.subcommand}`, if no module needs C; else {elsewhere}"


def _may_be_dynamic(found: Shipped, runtime: StageBase, rewrite: str) -> Advice:
    made = found.build
    lacks = "has no C library" if not (runtime.facts and runtime.facts.libc) else f"has {runtime.facts.libc}"
    message = (
        f"whether `{found.path}` needs {_named(made.linking.libc)} is not known, and `{runtime.reference}` (line {runtime.line}) "
        f"{lacks}: {made.cgo.why}"
    )
    remedy = f"`CGO_ENABLED=0` in front of `go {made.subcommand}` says that it needs none"
    return Advice(rewrite, made.command.line, message, "warning", remedy, "", made.command.line)


def _libraries(
    build: Build, found: Shipped, runtime: StageBase, rewrite: str, *, brings: bool | None
) -> Iterator[Advice]:
    """Yield shared libraries beside the C library that a runtime stage without any installation lacks."""
    made = found.build
    if made.facts is None or runtime.facts is None or runtime.facts.kind not in _BARE or brings is not False:
        return
    if _has_run(build, found.stage):
        return
    known, tags = made.settings.value("-tags")
    given = set(re.split(r"[,\s]+", tags or "")) if known else set()
    for use in made.facts.uses:
        tagged = [
            what for (package, tag), what in _TAGS_WITH_LIBRARY.items() if package == use.package and tag in given
        ]
        if use.own or use.loaded or (use.bundled and not tagged):
            continue
        what = tagged[0] if tagged else use.what
        message = (
            f"`{found.path}` needs {what} as a shared library (`{use.package}`), and nothing installs it in the stage that starts "
            f"from `{runtime.reference}` (line {runtime.line})"
        )
        level = "error" if runtime.certain and made.linking.certain else "warning"
        remedy = "install the library in the runtime stage, or link it statically"
        yield Advice(rewrite, made.command.line, message, level, remedy, use.path, use.line)


def _matching_base(build: Build, found: Shipped, runtime: StageBase, rewrite: str) -> Proposal | None:
    """Return the proposal of a base of the same Debian as the building image, where it surely has what is needed.

    Distroless where no shell is needed; Debian itself where a shell starts the program and nothing else, and no certificates are seen
    to be needed, which its slim variant lacks.
    """
    made = found.build
    suite = next((s for s in _SUITES if s in repository(made.base.reference)[1]), None)
    stage = build.dockerfile.stages[found.stage]
    if suite is None or made.linking.libc != "glibc" or build.executor.stage_named(stage.base, stage.index) is not None:
        return None
    if made.facts is None or any(not use.bundled and not use.own for use in made.facts.uses):
        return None
    if lacking_on_distroless(build, stage) is not None:
        return None
    if _has_run(build, stage.index) or not _starts_own_programs(build, stage.index):
        return None
    needs = needs_of(made)
    if _shells(build, stage.index):
        if (
            needs is None
            or needs.certificates is not None
            or needs.time_zones is not None
            or needs.programs is not None
        ):
            return None
        base, risk = f"debian:{suite}-slim", "it has no certificates of authorities, which Alpine has"
        gain = f"the C library that it was built with, that of Debian {suite}, and a shell to start it"
    else:
        base, risk = (
            f"gcr.io/distroless/cc-debian{_SUITES[suite]}",
            "there is no shell and no package manager in the image",
        )
        gain = f"the C libraries of the Debian ({suite}) that it was built in; certificates and time zones too, and no shell"
    edit = renamed_base(build.dockerfile, stage, base, build.named_contexts)
    if isinstance(edit, Obstacle):
        return None
    return Proposal(
        rewrite,
        stage.from_.start_line,
        f"`{found.path}` does not start in `{runtime.reference}`",
        (edit,),
        gain=gain,
        replacing=(edit,),
        risk=risk,
    )


def _starts(build: Build, stage: int) -> Iterator[Start]:
    yield started(build, stage)
    health = health_checked(build, stage)
    if health is not None:
        yield health


def _starts_own_programs(build: Build, stage: int) -> bool:
    """Tell whether a container surely starts nothing but what was built here, a shell apart."""
    mine = {found.path for found in shipped(build) if found.stage == stage}
    return all(
        start.unknown is None and start.programs and all(program.path in mine for program in start.programs)
        for start in _starts(build, stage)
    )


def _shells(build: Build, stage: int) -> bool:
    return any(start.shells for start in _starts(build, stage))


def _has_run(build: Build, stage: int) -> bool:
    return any(
        instruction.keyword == "RUN"
        for index in ancestry(build, stage)
        for instruction in build.dockerfile.stages[index].instructions
    )


def _brings_libc(build: Build, stage: int) -> bool | None:
    """Tell whether a runtime stage gets another C library or the libraries of the building stage; None: it may."""
    answer: bool | None = False
    for index in ancestry(build, stage):
        run = build.runs[index]
        for position, instruction in enumerate(run.stage.instructions):
            text = instruction.args + "".join(heredoc.body for heredoc in instruction.heredocs)
            if instruction.keyword in ("RUN", "COPY", "ADD", "ENV") and _BRINGS_LIBC.search(text):
                return True
            if instruction.keyword in ("COPY", "ADD"):
                target = join(run.states[position].cwd or "/", instruction.words[-1])
                if target in ("/", "/usr", "/usr/lib") and not _only_named(instruction):
                    answer = None
            if instruction.keyword == "RUN" and any(
                command.effects.unknown is not None for command in build.commands_of(index, instruction.index)
            ):
                answer = None
    return answer


def _only_named(instruction: Instruction) -> bool:
    """Tell whether what is copied has names that are those of files: `COPY --from=build /app /`."""
    return all(not word.endswith("/") and "*" not in word for word in instruction.words[:-1])


# -- platforms ---------------------------------------------------------------------------------------------------------


def _platform(build: Build, found: Shipped, rewrite: str) -> Iterator[Advice]:
    made, line = found.build, found.build.command.line
    starts = any(found.path in program.places for program in started(build, found.stage).programs)
    if made.cgo.system not in ("linux", None) and starts:
        message = f"`{found.path}` is built for {made.cgo.system}, and a Linux image starts it"
        yield Advice(rewrite, line, message, "error", "`GOOS=linux`, or leave `GOOS` out", "", line)
        return
    if found.copy is None:
        return
    builder, runtime = build.dockerfile.stages[made.command.stage], build.dockerfile.stages[found.stage]
    named = re.fullmatch(r"linux/(\w+)(?:/\w+)?", runtime.platform or "")
    architecture = made.cgo.architecture
    if named is not None and architecture and named[1] != architecture:
        message = f"`{found.path}` is built for {architecture} (`GOARCH`), and line {runtime.from_.start_line} asks for {named[1]}"
        yield Advice(rewrite, line, message, "error", f"`GOARCH={named[1]}`", "", runtime.from_.start_line)
    elif builder.platform is not None and _BUILD_PLATFORM.fullmatch(builder.platform) and runtime.platform is None:
        known, value = _variable(found, "GOARCH")
        if known and not value:
            message = (
                f"`{found.path}` is built for the machine that builds (`--platform={builder.platform}`, line "
                f"{builder.from_.start_line}), whatever platform the image is for"
            )
            yield Advice(
                rewrite,
                line,
                message,
                "warning",
                "`ARG TARGETOS TARGETARCH` and `GOOS=$TARGETOS GOARCH=$TARGETARCH`",
                "",
                line,
            )
        elif architecture:
            message = (
                f"`GOARCH={architecture}` is fixed, and line {builder.from_.start_line} builds for other platforms too"
            )
            yield Advice(rewrite, line, message, "warning", "`ARG TARGETARCH` and `GOARCH=$TARGETARCH`", "", line)


def _variable(found: Shipped, name: str) -> tuple[bool, str | None]:
    command = found.build.command
    value = command.environment.get(name) or command.before.variable(name)
    return (True, None) if value is None else (value.text is not None, value.text)


# -- C, C++ and Rust -----------------------------------------------------------------------------------------------------


def _natives(build: Build) -> Iterator[_Native]:
    """Yield programs that a compiler linked dynamically and that a COPY brings to an image under their own path."""
    text = build.dockerfile.source.decode("utf-8", "replace")
    rust_static = "crt-static" in text or "musl" in text or _cargo_settings(build)
    for stage in build.exported:
        for index in ancestry(build, stage.index):
            for instruction in build.dockerfile.stages[index].instructions:
                source = source_stage(build, instruction)
                if source is None:
                    continue
                base = base_of(build.executor, source)
                if base.facts is None or not base.facts.libc:
                    continue
                for word in instruction.words[:-1]:
                    path = "/" + clean_source(word)
                    compiled = _compiled(build, source, path)
                    if compiled is not None:
                        yield _Native(
                            path, compiled[0], base.facts.libc, base.certain, compiled[1], stage.index, instruction
                        )
                    elif _CARGO_OUTPUT.fullmatch(path) and base.facts.libc == "glibc" and not rust_static:
                        line = next((c.line for c in build.executed if c.stage == source and c.name == "cargo"), None)
                        if line is not None:
                            why = "Rust links against glibc"
                            yield _Native(path, line, "glibc", base.certain, why, stage.index, instruction)


def _cargo_settings(build: Build) -> bool:
    """Tell whether settings of cargo may link statically."""
    context = build.context.aside()
    return any(b"crt-static" in (context.read(f".cargo/{name}") or b"") for name in ("config", "config.toml"))


def _compiled(build: Build, stage: int, path: str) -> tuple[int, str] | None:
    """Return line and reason where a stage links a program dynamically to a path."""
    for command in build.executed:
        if command.stage not in set(ancestry(build, stage)) or not command.argv or command.cwd is None:
            continue
        if None in command.argv or not _COMPILER.fullmatch(command.name):
            continue
        words: Sequence[str] = [word for word in command.argv if word is not None]
        if any(word in ("-static", "-static-pie", "-c", "-shared", "-nostdlib", "-E", "-S") for word in words):
            continue
        output = next((b for a, b in itertools.pairwise(words) if a == "-o"), "a.out")
        if join(command.cwd, output) == path:
            return command.line, f"`{command.name}` links against it unless `-static` is given"
    return None


def _native(build: Build, native: _Native, rewrite: str) -> Iterator[Advice]:
    runtime = base_of(build.executor, native.stage)
    if runtime.facts is None or runtime.facts.libc in (None, native.libc):
        return
    brings = _brings_libc(build, native.stage)
    if brings is True:
        return
    certain = native.certain and runtime.certain and brings is False
    lacks = "has no C library" if not runtime.facts.libc else f"has {runtime.facts.libc}"
    message = (
        f"`{native.path}` needs {native.libc} ({native.why}), and `{runtime.reference}` (line {runtime.line}) {lacks}: "
        f"it {'does' if certain else 'may'} not start there"
    )
    remedy = "build it in an image of the same family as the one that it runs in, or link it statically"
    yield Advice(rewrite, native.line, message, "error" if certain else "warning", remedy, "", native.line)
