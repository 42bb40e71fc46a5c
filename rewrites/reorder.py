"""moves instructions below or above others by how often they change

What it does
    A RUN that installs packages moves above the COPY of files that it does not read. An ARG with a version, a commit or
    a date moves down to the first instruction that needs it, together with the ENVs and LABELs that only pass it on.

Why it costs cache
    After one miss the rest of the stage runs again. A package installation below a COPY of sources, or below an ARG that
    each build sets anew, runs with every edit or every build although nothing of it has changed.

Before
    FROM alpine:3.20
    ARG VERSION
    COPY --from=build /out/app /app
    RUN apk add --no-cache ca-certificates
    LABEL version=$VERSION

After
    FROM alpine:3.20
    RUN apk add --no-cache ca-certificates
    COPY --from=build /out/app /app
    ARG VERSION
    LABEL version=$VERSION

When it does not fire
    The command is not understood, or what the COPY brings lies where it reads or writes (packages read and write the
    system's directories); its result is up to the network alone (`curl`, `git clone`); nothing expensive would be passed.

Why it is safe
    The ranking is static: base image, packages, dependencies, sources, arguments that change with every build. It only
    says what to try. Each move is proven: both Dockerfiles are executed symbolically, every command has to see the same
    files and variables as before, and every write has to have the same value. Packages come from repositories, so a
    result that is reused longer may be older; the message says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dockopt.optimizer.ecosystems.installs import is_install
from dockopt.optimizer.effects import World
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Proposal, Refusal
from dockopt.optimizer.regions import Region
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Instruction, Stage, variables
from dockopt.optimizer.wording import shortened
from dockopt.rewrites.copies import context_copies
from dockopt.rewrites.editing import move_above, move_below

ID = "reorder"
#: arguments that continuous integration sets anew for each build
_VOLATILE = re.compile(
    r"(APP_|BUILD_|GIT_|VCS_|SOURCE_|PROJECT_)?(VERSION|COMMIT(_?(SHA|HASH|ID|REF))?|SHA|REF|REVISION|REV|DATE|TIME|TIMESTAMP|"
    r"BRANCH|TAG|NUMBER|ID)|CI_\w+|GITHUB_(SHA|REF|RUN_\w+)",
    re.IGNORECASE,
)
_NOT_VOLATILE = frozenset({"ID", "TIME", "NUMBER", "REF", "TAG", "PROJECT_ID", "APP_ID", "SOURCE_ID"})


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at every installation below a COPY, then at every volatile ARG above an installation."""
    for stage in build.dockerfile.stages:
        yield from _installations(build, stage)
        yield from _arguments(build, stage)


# -- up --------------------------------------------------------------------------------------------------------------


def _installations(build: Build, stage: Stage) -> Iterator[Proposal | Refusal]:
    volatile = _volatile_copies(build, stage)
    if not volatile:
        return
    for instruction in stage.instructions:
        if instruction.keyword != "RUN":
            continue
        commands = build.commands_of(stage.index, instruction.index)
        above = [copy for copy in volatile if copy.index < instruction.index]
        line = instruction.start_line
        if not above or not _installs(commands) or any(map(is_install, commands)):
            # what installs by the files of the project is the matter of `split-copy`
            continue
        if (blocker := _blocker(commands)) is not None:
            yield Refusal(ID, line, blocker[0], "", blocker[1])
            continue
        written = _written(build, stage, above)
        free = [copy for copy in above if not _touches(commands, _region_of(written, above, copy))]
        if not free:
            reached = ((copy, c) for copy in above for c in commands if _touches([c], written[copy.index]))
            first, toucher = next(reached)
            reason = f"`{toucher.name}` may read or write where line {first.start_line} copies to"
            yield Refusal(ID, line, reason, "", first.start_line)
            continue
        target = free[0]
        name = commands[0].name if commands[0].name else "the command"
        yield Proposal(
            ID,
            line,
            f"`{_short(instruction)}` stands below `{_short(target)}`: every change of those files runs it again",
            move_above(build.dockerfile, [*_workdirs(stage, target, instruction), instruction], target),
            gain=f"`{name}` is reused whatever the COPY brings; packages stay as old as that layer",
        )


def _workdirs(stage: Stage, target: Instruction, moved: Instruction) -> list[Instruction]:
    """Return the WORKDIRs that an instruction would be moved across: they go with it, so it keeps its directory."""
    between = [i for i in stage.instructions if target.index < i.index < moved.index]
    return [i for i in between if i.keyword == "WORKDIR"]


def _volatile_copies(build: Build, stage: Stage) -> list[Instruction]:
    """Return the COPYs whose files change often: sources, and what other stages built."""
    sources = {copy.instruction.index for copy in context_copies(build, stage) if copy.is_sources}
    names = {other.name for other in build.dockerfile.stages[: stage.index]} | {
        str(other.index) for other in build.dockerfile.stages[: stage.index]
    }
    return [
        instruction
        for instruction in stage.instructions
        if instruction.index in sources
        or (instruction.keyword == "COPY" and (instruction.flag("from") or "").lower() in names)
    ]


def _installs(commands: Sequence[Executed]) -> bool:
    """Tell whether something of a RUN is worth keeping: it fetches packages or files."""
    return any(
        command.effects.unknown is None and command.effects.world >= World.REPOSITORY and command.effects.writes
        for command in commands
    )


def _blocker(commands: Sequence[Executed]) -> tuple[str, int] | None:
    """Return why a RUN has to stay where it is whatever the COPYs bring, and the line of the command that is the cause."""
    for command in commands:
        if command.effects.unknown is not None:
            return f"`{_shown(command)}` is not understood: {command.effects.unknown}", command.line
        if command.effects.world is World.FREE:
            return (
                f"the result of `{_shown(command)}` is up to the network or the clock, so it must not be reused longer",
                command.line,
            )
    return None


def _written(build: Build, stage: Stage, copies: Sequence[Instruction]) -> dict[int, Region]:
    """Return for each COPY the region that it writes."""
    states = build.runs[stage.index].states
    position = {instruction.index: i for i, instruction in enumerate(stage.instructions)}
    found: dict[int, Region] = {}
    for copy in copies:
        ops = [op for op in states[position[copy.index] + 1].files.ops if op.line == copy.start_line]
        found[copy.index] = Region(tuple(sorted({path for op in ops for path in op.region.include})))
    return found


def _region_of(written: dict[int, Region], above: Sequence[Instruction], first: Instruction) -> Region:
    """Return what the COPYs from `first` on write: all of them would be passed."""
    return Region(tuple(path for copy in above if copy.index >= first.index for path in written[copy.index].include))


def _touches(commands: Sequence[Executed], where: Region) -> bool:
    return any(
        command.region.overlaps(where) or any(write.region.overlaps(where) for write in command.effects.writes)
        for command in commands
    )


# -- down ------------------------------------------------------------------------------------------------------------


def _arguments(build: Build, stage: Stage) -> Iterator[Proposal | Refusal]:
    position = 0
    while position < len(stage.instructions):
        group = _volatile_group(stage, position, build.dockerfile.escape)
        if group:
            yield from _down(build, stage, position, group)
        position += max(1, len(group))


def _volatile_group(stage: Stage, position: int, escape: str) -> list[Instruction]:
    """Return the volatile ARGs that follow one another from here on, and the ENVs and LABELs behind them that expand them.

    They move together.
    """
    group: list[Instruction] = []
    names: set[str] = set()
    for instruction in stage.instructions[position:]:
        if instruction.keyword == "ARG" and all(_is_volatile(pair.key) for pair in instruction.pairs):
            pass
        elif (
            not names or instruction.keyword not in ("ENV", "LABEL") or not names & variables(instruction.args, escape)
        ):
            break
        group.append(instruction)
        names |= {pair.key for pair in instruction.pairs if instruction.keyword != "LABEL"}
    return group


def _down(build: Build, stage: Stage, position: int, group: list[Instruction]) -> Iterator[Proposal | Refusal]:
    names = frozenset(pair.key for instruction in group for pair in instruction.pairs if instruction.keyword != "LABEL")
    last, passed = None, None
    for below in stage.instructions[position + len(group) :]:
        if _needs(build, stage, below, names):
            break
        last = below
        if below.keyword == "RUN" and _is_costly(build.commands_of(stage.index, below.index)):
            passed = passed or below
    if last is None or passed is None:
        return
    arguments = {pair.key for instruction in group if instruction.keyword == "ARG" for pair in instruction.pairs}
    shown = ", ".join(f"`{name}`" for name in sorted(arguments))
    yield Proposal(
        ID,
        group[0].start_line,
        f"`ARG` {shown} stands above `{_short(passed)}`, which does not use it: every new value runs that again",
        move_below(build.dockerfile, group, last),
        gain=f"a new value of {shown} runs only what uses it",
    )


def _is_volatile(name: str) -> bool:
    return _VOLATILE.fullmatch(name) is not None and name.upper() not in _NOT_VOLATILE


def _is_costly(commands: Sequence[Executed]) -> bool:
    return any(command.effects.world > World.NONE for command in commands)


def _needs(build: Build, stage: Stage, instruction: Instruction, names: frozenset[str]) -> bool:
    """Tell whether an instruction may look at one of the variables, or sets one itself."""
    text = instruction.args + "".join(heredoc.body for heredoc in instruction.heredocs)
    text += "".join(flag.raw for flag in instruction.flags)
    if any(re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text) for name in names):
        return True
    if names & variables(text, build.dockerfile.escape):
        return True
    return instruction.keyword == "RUN" and any(
        command.effects.variables is None or any(name in command.effects.variables for name in names)
        for command in build.commands_of(stage.index, instruction.index)
    )


def _shown(command: Executed) -> str:
    """Return the program of a command, or its text where it is more than one program."""
    return command.name or shortened(command.text)


def _short(instruction: Instruction) -> str:
    return shortened(f"{instruction.keyword} {instruction.args}")
