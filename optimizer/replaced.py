"""What a proposal puts in the place of base images and commands: is that all that it replaces, and what comes of it?

Such a proposal is proven without its replacements, by the validator; this module looks at the replacements alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dockopt.optimizer.bases import repository
from dockopt.optimizer.effects import Effects
from dockopt.optimizer.image_words import base_words
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Replaced
from dockopt.optimizer.symbolic.execute import Unsupported
from dockopt.optimizer.syntax import Instruction, variables
from dockopt.optimizer.wording import shortened


class Obligation(NamedTuple):
    """What would have to be known, and the line of which it speaks."""

    text: str
    line: int


def replaced(without: Build, after: Build) -> tuple[Replaced, ...] | Obligation:
    """Return what differs on purpose between a Dockerfile without the replacements of a proposal and with them.

    An Obligation says why that cannot be told: something else is replaced too, or a new base image may lack what a command needs.
    """
    mine, theirs = without.dockerfile.instructions, after.dockerfile.instructions
    if len(mine) != len(theirs) or len(without.dockerfile.stages) != len(after.dockerfile.stages):
        return Obligation("it replaces more than base images and commands", after.dockerfile.stages[0].from_.start_line)
    found: list[Replaced] = []
    try:
        for old, new in zip(mine, theirs, strict=True):
            if old.raw == new.raw:
                continue
            line = new.start_line
            if (old.keyword, _flags(old)) != (new.keyword, _flags(new)):
                return Obligation(f"it replaces more of line {line} than a base image or a command", line)
            if new.keyword == "FROM":
                a, b = without.dockerfile.stages[new.stage], after.dockerfile.stages[new.stage]
                problem = _new_base(without, after, new.stage, a.base, b.base)
                if problem is not None:
                    return problem
                found.append(_base(a.base, b.base))
            elif new.keyword == "ARG" and new in after.dockerfile.meta_args:
                bases = _new_default(without, after, old, new)
                if isinstance(bases, Obligation):
                    return bases
                found += bases
            elif new.keyword == "RUN":
                found += _new_commands(without, after, new)
            else:
                return Obligation(f"it replaces `{new.keyword}`, which is neither a base image nor a command", line)
    except Unsupported as error:
        return Obligation(error.reason, error.line)
    return tuple(found)


def _flags(instruction: Instruction) -> list[str]:
    return [flag.raw for flag in instruction.flags]


def _base(old: str, new: str) -> Replaced:
    return Replaced(f"what comes from the base image, `{old}` before and `{new}` after", None)


def _new_default(without: Build, after: Build, old: Instruction, new: Instruction) -> list[Replaced] | Obligation:
    """Return what another default of a build argument before the first FROM changes: base images, and nothing else."""
    line = new.start_line
    changed = [b.key for a, b in zip(old.pairs, new.pairs, strict=False) if a != b and a.key == b.key]
    if len(changed) != 1 or [pair.key for pair in old.pairs] != [pair.key for pair in new.pairs]:
        return Obligation(f"it replaces more of line {line} than one default", line)
    bases = []
    for before, now in zip(base_words(without.dockerfile), base_words(after.dockerfile), strict=True):
        if before.stage is None or changed[0] not in variables(before.written, without.dockerfile.escape):
            continue
        # `base_words` has looked for every other use of the argument
        for word in (before, now):
            if word.obstacle is not None or word.reference is None:
                reason = "" if word.obstacle is None else f": {word.obstacle.reason}"
                return Obligation(f"what base image the default in line {line} makes is not known{reason}", word.line)
        assert before.reference is not None
        assert now.reference is not None
        problem = _new_base(without, after, before.stage.index, before.reference, now.reference)
        if problem is not None:
            return problem
        bases.append(_base(before.reference, now.reference))
    return bases or Obligation(f"the default in line {line} is not part of a base image", line)


def _new_base(without: Build, after: Build, index: int, before: str, now: str) -> Obligation | None:
    """Return why another base image may break the build: a command of another image runs on it."""
    old, new = without.dockerfile.stages[index], after.dockerfile.stages[index]
    if old.name != new.name or old.platform != new.platform:
        return Obligation("it changes the name or the platform of a stage", new.from_.start_line)
    if repository(before)[0] == repository(now)[0]:
        return None
    for stage in after.dockerfile.stages:
        for instruction in stage.instructions if index in after.lineage(stage.index) else ():
            if instruction.keyword == "RUN":
                text = shortened(instruction.args)
                return Obligation(f"`{text}` may need what `{before}` has and `{now}` has not", instruction.start_line)
    return None


def _new_commands(without: Build, after: Build, new: Instruction) -> Iterator[Replaced]:
    """Yield for each command that is not the same what it leaves, as far as a model tells."""
    twins = [command.text for command in without.commands_of(new.stage, new.index)]
    for command in after.commands_of(new.stage, new.index):
        if command.text in twins:
            twins.remove(command.text)
            continue
        paths = _written(command.effects)
        leaves = "anything, as it is not understood" if paths is None else ", ".join(paths) or "no files"
        yield Replaced(f"what `{shortened(command.text)}` does: {leaves}", paths)
    for text in twins:
        yield Replaced(f"what `{shortened(text)}` does not do any more", ())


def _written(effects: Effects) -> tuple[str, ...] | None:
    if effects.unknown is not None:
        return None
    return tuple(dict.fromkeys([*(path for write in effects.writes for path in write.region.include), *effects.caches]))
