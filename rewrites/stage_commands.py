"""What the commands of a building stage leave, beside the program, that a container may need."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dockopt.optimizer.effects import Kind
from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import below
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Stage
from dockopt.optimizer.wording import shortened
from dockopt.rewrites.stage_accounts import MAKES, account_problem

#: packages that only building needs, or that the new base has a part of that does not differ for a program that starts no others
_BUILDING = frozenset(
    "git gcc g++ make cmake build-base build-essential musl-dev libc-dev libc6-dev linux-headers ca-certificates tzdata openssh "
    "openssh-client pkgconfig pkg-config pkgconf upx protobuf protobuf-dev protoc protobuf-compiler mercurial subversion bash curl wget "
    "unzip zip xz tar gzip jq file patch gnupg apt-transport-https binutils-gold util-linux coreutils nodejs npm yarn maven".split()
)
#: commands whose writes are the program, caches, or nothing that lasts
_WITHOUT_TRACE = frozenset({"rm", "mkdir", "chmod", "chown", "chgrp"})
_RUNS_TESTS = frozenset({"test", "vet", "fmt", "list", "env", "version"})


def is_of_go(command: Executed) -> bool:
    """Tell whether a command of the go tool makes nothing but programs and caches, though it is not known what it makes of them."""
    return command.name == "go" and len(command.argv) > 1 and command.argv[1] in _RUNS_TESTS


def obstacle_in(build: Build, stage: Stage, compiles: Callable[[Executed], bool]) -> tuple[str, str, int] | None:
    """Return why the new image may lack something that a command has made, with the place of the cause. Raises Unsupported.

    `compiles` tells whether a command is one whose traces are known to be programs and caches.
    """
    for instruction in stage.instructions:
        line = instruction.start_line
        if instruction.keyword in ("ONBUILD", "SHELL"):
            return f"`{instruction.keyword}` of this stage would not hold in a new one", "", line
        if instruction.keyword == "ENV" and any(pair.key == "PATH" for pair in instruction.pairs):
            return "it sets PATH, whose directories another image lacks", "", line
        if instruction.keyword == "VOLUME" and any("$" in word for word in instruction.words):
            return "a volume depends on a build argument", "", line
    final = build.runs[stage.index].final
    if final.user != "root":
        # what belongs to a user is the business of the program: another image has directories of root
        for position, instruction in enumerate(stage.instructions):
            state = build.runs[stage.index].states[position]
            if instruction.keyword == "WORKDIR" and state.user != "root":
                return "its working directory belongs to a user, who may write there", "", instruction.start_line
        for command in build.executed:
            if command.stage != stage.index:
                continue
            if command.name in ("chown", "chgrp", "chmod"):
                return f"the user may need what `{shortened(command.text)}` gives", "", command.line
            if command.name == "mkdir" and command.before.user != "root":
                return (
                    f"the directory of `{shortened(command.text)}` belongs to a user, who may write there",
                    "",
                    command.line,
                )
    for command in build.executed:
        if command.stage == stage.index and not compiles(command) and (reason := _problem(command)) is not None:
            return reason, "", command.line
    return None


def _problem(command: Executed) -> str | None:
    shown = shortened(command.text)
    if command.effects.unknown is not None:
        return f"what `{shown}` leaves for the program is not known: {command.effects.unknown}"
    if command.name == "go":
        return None
    if command.name in ("apk", "apt-get", "apt"):
        return _package(command)
    if command.name in MAKES:
        return account_problem(command)
    if command.name in _WITHOUT_TRACE or all(write.kind is Kind.KILL for write in command.effects.writes):
        return None
    return f"the program may need what `{shown}` leaves"


def _package(command: Executed) -> str | None:
    words = list(command.argv[1:])
    if "install" in words or "add" in words:
        start = words.index("install") if "install" in words else words.index("add")
        skip = False
        for word in words[start + 1 :]:
            if skip:
                skip = False
            elif word is None:
                return f"which packages `{shortened(command.text)}` installs is not known"
            elif word in ("-t", "--virtual", "-X", "--repository"):
                skip = True
            elif not word.startswith("-") and word.partition("=")[0].partition("~")[0] not in _BUILDING:
                return f"the program may need the package `{word}`"
    return None


def made_directories(build: Build, stage: Stage) -> Iterator[str]:
    """Yield the directories that a `mkdir` makes for the program, the ones that only building needs left out. Raises Unsupported."""
    final = build.runs[stage.index].final
    brought = [op.path for op in final.files.ops if op.kind in ("put", "overlay") and op.label]
    seen: set[str] = set()
    for command in build.executed:
        if command.stage != stage.index or command.name != "mkdir":
            continue
        for write in command.effects.writes:
            for path in write.region.include:
                used = any(below(other, path) for other in brought) or below(final.cwd or "/", path)
                if path not in seen and not used and final.files.kind(path) == "directory":
                    seen.add(path)
                    if not any(below(path, other) and path != other for other in seen):
                        yield path


def unknown_behind(build: Build, stage: Stage, first: Executed) -> tuple[str, str, int] | None:
    """Return what cannot be followed past a build (`first`) of which it is not known what it leaves beside its program."""
    for command in build.executed:
        if command.stage == stage.index and command.name == "mkdir":
            return "the program may need the directory that `mkdir` makes", "", command.line
    behind = False
    for instruction in stage.instructions:
        behind |= instruction is first.instruction
        if behind and instruction.keyword in ("COPY", "ADD", "WORKDIR"):
            reason = f"`{instruction.keyword}` stands behind the build, of which it is not known what it leaves"
            return reason, "", instruction.start_line
    return None
