"""Holds what the model says of the steps of an edited project against what a builder without BuildKit does with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from dockopt.optimizer.cachekeys import Prediction, StepKey, Unpredictable, predict
from dockopt.optimizer.syntax import DockerfileSyntaxError
from hypothesis import HealthCheck, Phase, assume, note, settings
from hypothesis import strategies as st

from tests.soundness.edits import Project, edit

#: edits of one project, one upon the other
CHAIN = 4


def as_many_as(edits: int, *, usual: int) -> settings:
    """Return settings for about so many edits: always the same ones where it is the usual number."""
    return settings(
        max_examples=max(1, edits // CHAIN),
        derandomize=edits == usual,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        deadline=None,
        print_blob=True,
    )


def compare_edits(
    project: Project,
    data: st.DataObject,
    keys: Callable[[Project], list[StepKey]],
    built: Callable[[Project], list[bool] | None],
    counted: Counter[str],
) -> None:
    """Build a project and then with edits, each upon the one before; fail where a prediction was wrong.

    `built` tells for each step but FROM whether it came from the cache, and gives None for a build that fails.
    """
    note(f"{project.text()}{project.build_args}")
    try:
        known = keys(project)
        if built(project) is None:
            counted["original fails"] += 1
            assume(False)
        pick = data.draw(st.randoms(use_true_random=True)).choice
        for _ in range(CHAIN):
            kind = edit(pick, project, spellings=False)
            if kind == "nothing":
                continue
            note(f"--- {kind}\n{project.text()}{project.build_args}\n{sorted(project.nodes.items())}")
            after = keys(project)
            found = built(project)
            if found is None:
                counted["edited fails"] += 1
                break
            counted["edits"] += 1
            for step, said, real in zip(after, predict(known, after), found, strict=True):
                if said is Prediction.PERHAPS:
                    counted[f"perhaps, {'cached' if real else 'runs'}"] += 1
                    continue
                counted[said.value] += 1
                assert (said is Prediction.CACHED) == real, (
                    f"line {step.instruction.start_line}: {said}, engine: cached={real}"
                )
            known += after
    except (DockerfileSyntaxError, Unpredictable):
        counted["not predicted"] += 1
        assume(False)
        raise
