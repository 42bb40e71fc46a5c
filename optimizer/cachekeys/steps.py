"""The keys of the steps of a build, and what two builds of them have in common."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple

from dockopt.optimizer.syntax import Instruction


class Unpredictable(Exception):
    """A key depends on something that is not modelled or not known before the build; the message says what."""


class Prediction(enum.Enum):
    """What a second build will say of an instruction."""

    CACHED = "cached"
    RUNS = "runs"
    PERHAPS = "perhaps"  #: up to the content of another stage or image


class StepKey(NamedTuple):
    """The key of one instruction that has one."""

    stage: int
    instruction: Instruction
    key: str
    #: the key without what content may make up for: a build in which no step has this hope cannot give the result
    hope: str


def predict(before: Sequence[StepKey], after: Sequence[StepKey]) -> list[Prediction]:
    """Tell for each instruction of the second build whether it is reused when nothing but the first one was built before."""
    keys, hopes = {step.key for step in before}, {step.hope for step in before}
    return [
        Prediction.CACHED if step.key in keys else Prediction.PERHAPS if step.hope in hopes else Prediction.RUNS
        for step in after
    ]
