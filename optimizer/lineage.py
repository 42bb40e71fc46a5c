"""The instructions that an image is made of, of all that a Dockerfile has."""

from __future__ import annotations

from collections.abc import Sequence

from dockopt.optimizer.syntax import Dockerfile, Instruction


def made_by(dockerfile: Dockerfile, target: str | None = None) -> Sequence[Instruction]:
    """Return the instructions of a stage and of the stages that it is built on, the first one first, without FROM.

    A target is a name or a number, as of `docker build --target`; None, and one that is not there, is the last stage.
    """
    stages = dockerfile.stages
    named = [stage for stage in stages if target is not None and target.lower() in (stage.name, str(stage.index))]
    stage = named[-1] if named else stages[-1]
    found = list(stage.instructions)
    while (
        below := [
            other for other in stages[: stage.index] if other.name == stage.base.lower() and other.name is not None
        ]
    ) != []:
        stage = below[-1]
        found[:0] = stage.instructions
    return found
