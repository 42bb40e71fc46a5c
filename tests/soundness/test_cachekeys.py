"""Which steps a random edit runs again, as `dockopt.optimizer.cachekeys` predicts it and as BuildKit does it.

`DOCKOPT_CACHE_EDITS` sets how many edits are built (a second each, or so), `--hypothesis-seed` which ones.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from dockopt.optimizer.cachekeys import BaseImage, Prediction, StepKey, Unpredictable, predict, step_keys
from dockopt.optimizer.engines import BuildRequest
from dockopt.optimizer.engines.command import Docker
from dockopt.optimizer.syntax import Dockerfile, DockerfileSyntaxError, parse
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from tests.engine.engine import Engine
from tests.soundness.edits import NodesSnapshot, Project, edit, projects
from tests.soundness.generator import BASES, write

FEW = 24
EDITS = int(os.environ.get("DOCKOPT_CACHE_EDITS", FEW))
#: edits of one project, one upon the other
CHAIN = 8
COUNTED: Counter[str] = Counter()


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    if why := Engine.missing():
        pytest.skip(f"needs a build engine: {why}")
    yield Docker()
    print(f"\nedits: {dict(sorted(COUNTED.items()))}")


@pytest.fixture(scope="module")
def images(docker: Docker) -> dict[str, BaseImage]:
    """What the engine knows of the base images."""
    found = {}
    for name in set(BASES) - {"scratch"}:
        config = Engine().config(name)
        env, cwd, user = config["Env"], config["WorkingDir"], config["User"]
        assert isinstance(env, dict)
        found[name] = BaseImage(tuple(env.items()), str(cwd), str(user))
    return found


def keys(project: Project, images: Mapping[str, BaseImage]) -> tuple[Dockerfile, list[StepKey]]:
    dockerfile = parse(project.text().encode())
    # the frontend is that of Docker 26
    options = project.options(images, network="host", expands_mode=False)
    return dockerfile, step_keys(dockerfile, NodesSnapshot(project.nodes), options)


def built(docker: Docker, project: Project, tag: str) -> dict[tuple[str, int], bool] | None:
    """Build, and return by stage and number of the step whether it was cached; None for a build that fails."""
    with tempfile.TemporaryDirectory(prefix="dockopt-context-") as name:
        write(project.nodes, Path(name))
        arguments = [f"{name}={value}" for name, value in project.build_args.items()]
        request = BuildRequest(
            project.text().encode(), Path(name), Path(name, "Dockerfile"), network="host", build_args=arguments
        )
        log = docker.build(request, tag, lambda _: None)
    return {(step.stage, step.number): step.cached for step in log.steps} if log.ok else None


def reported(dockerfile: Dockerfile, steps: list[StepKey], found: Mapping[tuple[str, int], bool]) -> list[bool | None]:
    """Return for each step whether the engine said that it was cached; None where it says nothing (one whose twin it reports)."""
    several, answers = len(dockerfile.stages) > 1, list[bool | None]()
    for step in steps:
        stage = dockerfile.stages[step.stage]
        place = [id(other) for other in steps if other.stage == step.stage].index(id(step))
        # a base image is the first step; `scratch` and other stages are none
        number = place + (1 if stage.base == "scratch" or stage.base.startswith("s") else 2)
        name = stage.name or ""
        answers.append(found.get((name if several else "", number), found.get((name, number))))
    return answers


@pytest.mark.engine
@settings(
    max_examples=max(1, EDITS // CHAIN),
    derandomize=EDITS == FEW,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    deadline=None,
    print_blob=True,
)
@given(data=st.data())
def test_cached_steps_are_predicted(docker: Docker, images: dict[str, BaseImage], data: st.DataObject) -> None:
    # what earlier examples built must not be found
    project = data.draw(projects(spellings=False, nonce=uuid.uuid4().hex))
    tag = f"dockopt-test/keys:{uuid.uuid4().hex[:12]}"
    try:
        _, known = keys(project, images)
        note(f"{project.text()}{project.build_args}")
        if built(docker, project, tag) is None:
            COUNTED["original fails"] += 1
            assume(False)
        # each edit on top of the one before: all that has been built so far may be found
        pick = data.draw(st.randoms(use_true_random=True)).choice
        for _ in range(CHAIN):
            nodes, kind = dict(project.nodes), edit(pick, project, spellings=False)
            if kind == "nothing":
                continue
            note(f"--- {kind}: {sorted(set(nodes.items()) ^ set(project.nodes.items()), key=str)}")
            note(f"{project.text()}{project.build_args}")
            dockerfile, after = keys(project, images)
            found = built(docker, project, tag)
            if found is None:
                # some of its steps were built, which ones is not known
                COUNTED["edited fails"] += 1
                break
            COUNTED["edits"] += 1
            COUNTED[f"edit: {kind}"] += 1
            compare(known, dockerfile, after, found)
            known += after
    except (DockerfileSyntaxError, Unpredictable):
        assume(False)
        raise
    finally:
        docker.remove([tag])


def compare(
    known: list[StepKey], dockerfile: Dockerfile, after: list[StepKey], found: Mapping[tuple[str, int], bool]
) -> None:
    """Hold the prediction of one build against what the engine said."""
    for step, said, real in zip(after, predict(known, after), reported(dockerfile, after, found), strict=True):
        if real is None or said is Prediction.PERHAPS:
            COUNTED["not reported" if real is None else f"perhaps, {'cached' if real else 'runs'}"] += 1
            continue
        COUNTED[said.value] += 1
        assert (said is Prediction.CACHED) == real, (
            f"line {step.instruction.start_line}: {said}, BuildKit: cached={real}"
        )
