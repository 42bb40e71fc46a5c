"""Base images that name a version, but one that is too old: for the manifest that is built on them, or to get any fixes.

Sources: go.dev/doc/toolchain ("Go toolchain selection") for what an older `go` does, docker-library/golang (Dockerfile templates: ENV
GOTOOLCHAIN=local since 1.21), Cargo book ("The rust-version field").
"""

from __future__ import annotations

from collections.abc import Iterator

from dockopt.optimizer.evidence.images import Named
from dockopt.optimizer.evidence.model import Evidence
from dockopt.optimizer.evidence.releases import Version, at_least, shown
from dockopt.optimizer.evidence.search import read_files, search
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice
from dockopt.optimizer.symbolic.run import Executed, surroundings_of
from dockopt.optimizer.syntax import Stage
from dockopt.optimizer.wording import shortened

#: subcommands that load the module, and so look at its `go` line
_GO_LOADS = frozenset("build generate get install list mod run test vet".split())
#: subcommands that read `rust-version` of the packages that they compile
_CARGO_COMPILES = frozenset("bench build check install run rustc test".split())
_LOCAL_SINCE = (1, 21)


def outdated(build: Build, stage: Stage, image: Named, version: Version) -> Iterator[Advice]:
    """Yield what is wrong with the version of a base image; the rewrite's name is left to the caller. Raises Unsupported."""
    line = stage.from_.start_line
    if image.family.language == "go":
        yield from _go(build, stage, image, version)
    elif image.family.language == "rust":
        yield from _rust(build, stage, image, version)
    support = image.family.support
    ended = support.end_of(version) if support is not None else None
    if support is not None and ended is not None:
        yield Advice(
            "",
            line,
            f"support of {image.family.shown} {shown(version)}, which `{image.reference}` has, ended {ended} ({support.source})",
            "warning",
            f"a release line of {image.family.shown} that is supported",
        )


def _go(build: Build, stage: Stage, image: Named, version: Version) -> Iterator[Advice]:
    if any(b"GOTOOLCHAIN" in instruction.raw for instruction in stage.instructions):
        return
    for command, one in _uses(build, stage, "go", "go", "go.mod"):
        if not one.said.startswith("go ") or not _loads_module(command) or one.least is None:
            continue
        if at_least(one.least).holds(version):
            return
        remedy = f"`golang:{shown(one.least[:2])}` or later"
        if version >= _LOCAL_SINCE:
            why = "the image sets GOTOOLCHAIN=local (go.dev/doc/toolchain)"
            remedy += ", or ENV GOTOOLCHAIN=auto, which downloads a toolchain in each build"
        elif len(one.least) == 3:
            why = "`go` before 1.21 knows no third number there (go.dev/doc/toolchain)"
        else:
            return
        yield _too_old(stage, image, one, command, why, remedy)
        return


def _loads_module(command: Executed) -> bool:
    words = [word or "@" for word in command.argv]
    # `go install example.com/tool@v1.2.0` does not look at the module around it
    return bool(_GO_LOADS & set(words)) and "init" not in words and not any("@" in word for word in words)


def _rust(build: Build, stage: Stage, image: Named, version: Version) -> Iterator[Advice]:
    for command, one in _uses(build, stage, "cargo", "rust", "Cargo.toml"):
        words = [word or "+" for word in command.argv]
        if not _CARGO_COMPILES & set(words) or one.releases is None or one.releases.holds(version):
            continue
        # rustup takes another toolchain where a file or a `+toolchain` says so
        if any(word.startswith("+") or word == "--ignore-rust-version" for word in words) or any(
            one.path.endswith("rust-toolchain.toml") or one.path.endswith("rust-toolchain")
            for one in search(build, stage, "rust")
        ):
            return
        yield _too_old(
            stage, image, one, command, "cargo compiles no package whose `rust-version` is later", "a later tag"
        )
        return


def _too_old(stage: Stage, image: Named, one: Evidence, command: Executed, why: str, remedy: str) -> Advice:
    wanted = f"`{image.reference}` is too old for {one}"
    failing = f"`{shortened(command.text)}` in line {command.line} fails, because {why}"
    return Advice("", stage.from_.start_line, f"{wanted}: {failing}", "error", remedy, one.path, one.line)


def _uses(
    build: Build, stage: Stage, program: str, language: str, manifest: str
) -> Iterator[tuple[Executed, Evidence]]:
    """Yield the commands of a program that run where a manifest of the context surely lies, with what it says."""
    for command in build.executed:
        if command.stage != stage.index or command.name.rpartition("/")[2] != program or command.cwd is None:
            continue
        path = surroundings_of(command, build.executor).context_path(f"{command.cwd.rstrip('/')}/{manifest}")
        if path is not None:
            for one in read_files(build.context, [path], language):
                yield command, one
