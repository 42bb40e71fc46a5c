"""Which stages a stage is built on, and the instructions that its image is made of."""

from __future__ import annotations

from collections.abc import Sequence

from dockopt.optimizer.syntax import Dockerfile, Instruction, Stage


def parents_of(stages: Sequence[Stage], bases: Sequence[str] | None = None) -> list[int | None]:
    """Return for each stage the one that its FROM means: the nearest earlier one whose lower-case name is exactly the base.

    `bases` are the bases of all stages with their variables expanded; without them a base with a variable means no stage.
    Source: BuildKit `dockerfile2llb/convert.go` (`addState`).
    """
    found: list[int | None] = []
    named: dict[str, int] = {}
    for stage in stages:
        found.append(named.get(stage.base if bases is None else bases[stage.index]))
        if stage.name is not None:
            named[stage.name] = stage.index
    return found


def lineage_of(stages: Sequence[Stage], index: int) -> tuple[int, ...]:
    """Return a stage and the stages that it is built on, down to the one with a base image."""
    parents, found = parents_of(stages), [index]
    while (parent := parents[found[-1]]) is not None:
        found.append(parent)
    return tuple(found)


def made_by(dockerfile: Dockerfile, target: str | None = None) -> Sequence[Instruction]:
    """Return the instructions of a stage and of the stages that it is built on, the first one first, without FROM.

    A target is a name or a number, as of `docker build --target`; None, and one that is not there, is the last stage.
    """
    stages = dockerfile.stages
    named = [stage for stage in stages if target is not None and target.lower() in (stage.name, str(stage.index))]
    stage = named[-1] if named else stages[-1]
    return [
        instruction for index in reversed(lineage_of(stages, stage.index)) for instruction in stages[index].instructions
    ]
