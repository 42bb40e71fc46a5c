"""What a proposal puts in the place of base images and commands: is that all that it replaces, and what comes of it?

Such a proposal is proven without its replacements, by the validator; this module looks at the replacements alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dockopt.optimizer.bases import repository
from dockopt.optimizer.effects import Effects
from dockopt.optimizer.image_words import base_words
from dockopt.optimizer.model import Build
from dockopt.optimizer.symbolic.execute import Unsupported
from dockopt.optimizer.syntax import Instruction, variables
from dockopt.optimizer.wording import shortened


class Obligation(NamedTuple):
    """What would have to be known, and the line of which it speaks."""

    text: str
    line: int


def replaced(without: Build, after: Build) -> tuple[str, ...] | Obligation:
    """Return in words what differs on purpose between a Dockerfile without the replacements of a proposal and with them.

    An Obligation says why that cannot be told: something else is replaced too, or a new base image may lack what a command needs.
    """
    mine, theirs = without.dockerfile.instructions, after.dockerfile.instructions
    if len(mine) != len(theirs) or len(without.dockerfile.stages) != len(after.dockerfile.stages):
        return Obligation("it replaces more than base images and commands", after.dockerfile.stages[0].from_.start_line)
    found: list[str] = []
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
                found.append(_base_words(a.base, b.base))
            elif new.keyword == "ARG" and new in after.dockerfile.meta_args:
                words = _new_default(without, after, old, new)
                if isinstance(words, Obligation):
                    return words
                found += words
            elif new.keyword == "RUN":
                found += _new_commands(without, after, new)
            else:
                return Obligation(f"it replaces `{new.keyword}`, which is neither a base image nor a command", line)
    except Unsupported as error:
        return Obligation(error.reason, error.line)
    return tuple(found)


def _flags(instruction: Instruction) -> list[str]:
    return [flag.raw for flag in instruction.flags]


def _base_words(old: str, new: str) -> str:
    return f"what comes from the base image, `{old}` before and `{new}` after"


def _new_default(without: Build, after: Build, old: Instruction, new: Instruction) -> list[str] | Obligation:
    """Return in words what another default of a build argument before the first FROM changes: base images, and nothing else."""
    line = new.start_line
    changed = [b.key for a, b in zip(old.pairs, new.pairs, strict=False) if a != b and a.key == b.key]
    if len(changed) != 1 or [pair.key for pair in old.pairs] != [pair.key for pair in new.pairs]:
        return Obligation(f"it replaces more of line {line} than one default", line)
    words = []
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
        words.append(_base_words(before.reference, now.reference))
    return words or Obligation(f"the default in line {line} is not part of a base image", line)


def _new_base(without: Build, after: Build, index: int, before: str, now: str) -> Obligation | None:
    """Return why another base image may break the build: a command of another image runs on it."""
    old, new = without.dockerfile.stages[index], after.dockerfile.stages[index]
    if old.name != new.name or old.platform != new.platform:
        return Obligation("it changes the name or the platform of a stage", new.from_.start_line)
    if repository(before)[0] == repository(now)[0]:
        return None
    for stage in after.dockerfile.stages:
        for instruction in stage.instructions if index in _ancestry(after, stage.index) else ():
            if instruction.keyword == "RUN":
                text = shortened(instruction.args)
                return Obligation(f"`{text}` may need what `{before}` has and `{now}` has not", instruction.start_line)
    return None


def _ancestry(build: Build, index: int) -> Iterator[int]:
    """Yield a stage and the stages that it is built on."""
    yield index
    parent = build.executor.stage_named(build.dockerfile.stages[index].base, index)
    if parent is not None:
        yield from _ancestry(build, parent.stage.index)


def _new_commands(without: Build, after: Build, new: Instruction) -> Iterator[str]:
    """Yield for each command that is not the same what it leaves, as far as a model tells."""
    twins = [command.text for command in without.commands_of(new.stage, new.index)]
    for command in after.commands_of(new.stage, new.index):
        if command.text in twins:
            twins.remove(command.text)
            continue
        yield f"what `{shortened(command.text)}` does: {_written(command.effects)}"
    for text in twins:
        yield f"what `{shortened(text)}` does not do any more"


def _written(effects: Effects) -> str:
    if effects.unknown is not None:
        return "anything, as it is not understood"
    paths: Iterable[str] = dict.fromkeys(
        [path for write in effects.writes for path in write.region.include] + list(effects.caches)
    )
    return ", ".join(paths) or "no files"
