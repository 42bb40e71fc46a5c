"""RUN: the simple commands of a script, one after the other, each with its own value.

Values belong to commands, not to RUN lines: `RUN a && b` and `RUN a`, `RUN b` leave the same state, because a failing `a` ends
the build in both. Where a failure would not end it (`;`, `||`, `&`), or the shell text is not understood, the script is one unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.commands import Surroundings
from dockopt.optimizer.effects import ALWAYS_READ, Effects, Kind, Write, matches
from dockopt.optimizer.regions import EVERYTHING, Region, below, normalize
from dockopt.optimizer.symbolic.mounting import Mounted, mounts_of, view
from dockopt.optimizer.symbolic.residue import without_residue
from dockopt.optimizer.symbolic.state import StageState, Value
from dockopt.optimizer.symbolic.surroundings import ImageSurroundings, Shell
from dockopt.optimizer.symbolic.terms import Term, literal, term
from dockopt.optimizer.symbolic.units import Running, Unit, units_of
from dockopt.optimizer.wording import shortened

if TYPE_CHECKING:
    from dockopt.optimizer.symbolic.execute import Executor, StageRun
    from dockopt.optimizer.syntax import Instruction

CACHE_OPAQUE = (
    "cache-opaque: commands that are not understood use the caches of their tools through these tools only; neither they nor scripts "
    "that they start name the directories"
)


LINKS_AVOID_CACHES = "links-avoid-caches: no link leads into a directory that a tool uses as its cache"


class Executed(NamedTuple):
    """One command that ran: where it stands, what it does and what it got."""

    stage: int
    instruction: Instruction
    line: int
    text: str
    #: character range in the logical line of the instruction, (0, 0) where it cannot be told
    start: int
    end: int
    effects: Effects
    value: Term
    #: what the cache key of its instruction depends on, beside the base
    inputs: frozenset[str]
    #: everything that it read, for explanations
    region: Region
    #: the state before it
    before: StageState
    #: the first word, "" when there is no simple command
    name: str = ""
    #: working directory of the command itself (after `cd`)
    cwd: str | None = None
    #: all arguments of a simple command, None for one that is not known before the build
    argv: tuple[str | None, ...] = ()
    #: what it sees of the variables that instructions, exports and assignments set
    environment: Mapping[str, Value] = {}
    #: directories that the Dockerfile fills from the context in this stage and its parents
    roots: tuple[str, ...] = ()


def surroundings_of(command: Executed, executor: Executor) -> Surroundings:
    """Return what a model could ask where a command ran; its mounts are left out."""
    executor.proceed()
    shell = Shell(command.cwd, command.before.cwd_term, dict(command.environment))
    online = command.instruction.flag("network") != "none"
    return ImageSurroundings(executor, command.before, command.before.files, shell, command.roots, online, command)


def run_instruction(
    executor: Executor, state: StageState, instruction: Instruction, run: StageRun | None
) -> StageState:
    """Return the state after a RUN and record its commands."""
    mounts = mounts_of(executor, state, instruction)
    network = instruction.flag("network") or "default"
    settings = [f"{flag.name}={flag.value}" for flag in instruction.flags if flag.name not in ("mount", "network")]
    roots = run.roots if run is not None else ()
    # a process in `/w/` works where one in `/w` does, although the image's configuration tells them apart
    here = state.cwd_term if state.cwd is None else literal(normalize(state.cwd))
    shell = Shell(state.cwd, here, {})
    running = Running(state)
    for unit in units_of(executor, running, instruction, shell, mounts, roots, network):
        executor.proceed()
        running.state = _apply(executor, running.state, unit, instruction, mounts, (network, *settings), roots)
    return running.state


# -- the step --------------------------------------------------------------------------------------------------------


def _without_caches(
    executor: Executor,
    state: StageState,
    unit: Unit,
    roots: tuple[str, ...],
    mounts: Sequence[Mounted],
    *,
    online: bool,
) -> Effects:
    """Return the effects of a command that is not understood under the assumption `cache-opaque`.

    A cache that lies in a mount, where other builds may have left something, counts only if its entries are checked by hash.
    """
    from dockopt.optimizer.ecosystems.installs import cache_words, caches

    shell = Shell(unit.cwd, unit.cwd_term, dict(unit.local))
    targets = [mounted.target or "/" for mounted in mounts if mounted.mount.type == "cache"]
    found = caches(ImageSurroundings(executor, state, state.files, shell, roots, online), executor.mentioned)
    hidden = tuple(
        path for path, by_hash in found.items() if by_hash or not any(below(path, t) or below(t, path) for t in targets)
    )
    if not hidden or cache_words().search(unit.text) or any(path in unit.text for path in hidden):
        return unit.effects
    everything_else = EVERYTHING.minus(*hidden)
    return replace(
        unit.effects,
        reads=everything_else,
        writes=(Write(Kind.MAY, everything_else),),
        caches=hidden,
        assumptions=(*unit.effects.assumptions, CACHE_OPAQUE),
    )


def _not_through_links(executor: Executor, state: StageState, unit: Unit, roots: tuple[str, ...]) -> Effects:
    """Return the effects of a command that follows links under the assumption `links-avoid-caches`."""
    from dockopt.optimizer.ecosystems.installs import caches

    shell = Shell(unit.cwd, unit.cwd_term, dict(unit.local))
    hidden = tuple(caches(ImageSurroundings(executor, state, state.files, shell, roots, True), executor.mentioned))
    named = Region(unit.effects.named)
    if not hidden or any(named.overlaps(Region((path,))) for path in hidden):
        return unit.effects
    reads = unit.effects.reads.minus(*hidden)
    return replace(unit.effects, reads=reads, assumptions=(*unit.effects.assumptions, LINKS_AVOID_CACHES))


def _apply(
    executor: Executor,
    state: StageState,
    unit: Unit,
    instruction: Instruction,
    mounts: Sequence[Mounted],
    settings: Sequence[str],
    roots: tuple[str, ...],
) -> StageState:
    """Give one unit its value and write what it writes."""
    effects, line = unit.effects, _line_of(instruction, unit.start)
    executor.minds_caches |= effects.unknown is not None or bool(effects.named)
    if effects.unknown is not None and executor.opaque_caches:
        effects = _without_caches(executor, state, unit, roots, mounts, online=settings[0] != "none")
    elif effects.named and executor.opaque_caches:
        effects = _not_through_links(executor, state, unit, roots)
    text = unit.text
    if executor.residue is not None:
        effects, text = without_residue(unit, instruction.stage, effects, executor.residue)
    files = view(executor, state, mounts, effects.caches, line)
    environment = {**state.environment(), **unit.local}
    if effects.variables is not None:
        wanted = (*ALWAYS_READ, *effects.variables, *unit.variables)
        environment = {name: value for name, value in environment.items() if matches(name, wanted)}
    region = effects.reads.minus(*effects.caches) if effects.caches else effects.reads
    parts: list[str | Term] = [
        text,
        *state.shell,
        *settings,
        unit.cwd_term,
        state.user_term,
        state.base,
        effects.world.name,
        *unit.options,
    ]
    parts += [m.value for m in mounts if not _is_seen_by_reading(m, effects)]
    for name in sorted(environment):
        parts += [name, environment[name].term]
    parts.append(files.read(region))
    for probe in sorted(set(effects.probes)):
        parts += [probe, files.resolve(probe)]
    for tree in sorted(set(effects.trees)):
        parts += [tree, files.entries(tree)]
    for cache in effects.caches:
        # a mount hides what lies below it in the image
        hides = any(m.target is not None and below(cache, m.target) for m in mounts)
        brought = None if hides or cache in effects.rebuilt else state.files.brought(cache)
        parts += [] if brought is None else [brought]
    value = term("run", *parts, text=f"`{shortened(unit.text)}`")
    executor.executed.append(
        Executed(
            instruction.stage,
            instruction,
            line,
            unit.text,
            unit.start,
            unit.end,
            effects,
            value,
            state.inputs,
            region,
            state,
            unit.name,
            unit.cwd,
            unit.argv,
            {**state.environment(), **unit.local, **unit.assigned},
            roots,
        )
    )
    targets = [m.target for m in mounts if m.target is not None]
    result = state.files
    writer = f"`{shortened(unit.text)}`"
    for write in effects.writes:
        inside = [target for target in targets if any(below(target, path) for path in write.region.include)]
        where = write.region.minus(*inside) if inside else write.region
        if all(any(below(path, t) for t in targets) for path in where.include):
            continue  # below a mount: gone after the RUN
        if write.kind is Kind.DIRECTORY:
            attributes = term("directory", write.mode or "0755", state.user_term)
            for path in where.include:
                result = result.make_directories(path, attributes, line)
        elif write.kind is Kind.KILL:
            result = result.kill(where, line, writer)
        elif write.kind in (Kind.SET, Kind.NEW, Kind.TREE):
            for path in where.include:
                made = term("directory", value)
                result = result.make_directories(path, made, line, leaf=False, is_new=True)
                # a file that is there already keeps its mode and owner when it is written anew
                old = result.read(Region((path,))) if write.kind is Kind.SET else term("nothing")
                output = term("output", value, path, old, text=f"{path} of {value}")
                is_file, is_new = write.kind is Kind.SET, write.kind is Kind.NEW
                result = result.put(Region((path,)), output, line, writer, is_file=is_file, is_new=is_new, by_run=True)
        else:
            old = result.read(where)
            result = result.put(
                where, term("changed", value, str(where), old, text=f"{where} after {value}"), line, writer, by_run=True
            )
    for cache in effects.caches:
        if any(below(cache, t) for t in targets):
            continue
        where = Region((cache,))
        result = result.put(
            where,
            term("cache", value, cache, result.read(where), text=f"{cache} after {value}"),
            line,
            writer,
            by_run=True,
            by_owner=True,
        )
    return replace(state, files=result)


def _is_seen_by_reading(mounted: Mounted, effects: Effects) -> bool:
    """Tell whether a mount can only matter to a command as the files that it reads there, or not at all.

    A cache mount is a directory and nothing else: what it hides of the image, and what it holds, is part of the `view` of a
    command that reads there. A command that is not understood may look at the table of mounts, too.
    """
    if mounted.mount.type != "cache" or mounted.target is None:
        return False
    return effects.unknown is None or any(below(mounted.target, cache) for cache in effects.caches)


def _line_of(instruction: Instruction, start: int) -> int:
    """Return the source line of a place in the RUN text."""
    if not start:
        return instruction.start_line
    offset = instruction.offset_of(instruction.args_start + start)
    return instruction.start_line + instruction.raw[: offset - instruction.span.start].count(b"\n")


__all__ = ["CACHE_OPAQUE", "Executed", "run_instruction", "surroundings_of"]
