"""Which steps a random edit runs again in the classic builder, as `dockopt.optimizer.cachekeys.classic` predicts it and as it does it.

`DOCKOPT_CLASSIC_EDITS` sets how many edits are built (some seconds each), `--hypothesis-seed` which ones.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from dockopt.optimizer.cachekeys import BaseImage, Prediction, StepKey, Unpredictable, predict
from dockopt.optimizer.cachekeys.classic import step_keys
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from tests.engine.engine import Engine
from tests.soundness.edits import NodesSnapshot, Project, edit, projects
from tests.soundness.generator import BASES, write

FEW = 4
EDITS = int(os.environ.get("DOCKOPT_CLASSIC_EDITS", FEW))
#: edits of one project, one upon the other
CHAIN = 4
COUNTED: Counter[str] = Counter()
_STEP = re.compile(r"^Step \d+/\d+ : (.*)$")


@pytest.fixture(scope="module")
def images() -> Iterator[dict[str, BaseImage]]:
    """What the engine knows of the base images; skipped, visibly, where it has no classic builder."""
    if why := Engine.missing():
        pytest.skip(f"needs a build engine: {why}")
    with tempfile.TemporaryDirectory() as name:
        Path(name, "Dockerfile").write_text("FROM scratch\nLABEL a=1\n")
        if "Step 1/2" not in docker("build", name).stdout:
            pytest.skip("needs an engine that still has the classic builder")
    found = {}
    for name in set(BASES) - {"scratch"}:
        config = Engine().config(name)
        assert isinstance(config["Env"], dict)
        found[name] = BaseImage(tuple(config["Env"].items()), str(config["WorkingDir"]), str(config["User"]))
    yield found
    print(f"\nclassic builder: {dict(sorted(COUNTED.items()))}")


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DOCKER_BUILDKIT": "0"}
    return subprocess.run(
        ["docker", *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=600, check=False
    )  # fmt: skip


def keys(project: Project, images: dict[str, BaseImage]) -> list[StepKey]:
    return step_keys(parse(project.text().encode()), NodesSnapshot(project.nodes), project.options(images))


def built(project: Project, tag: str) -> list[bool] | None:
    """Build, and tell for each step but FROM whether it came from the cache; None for a build that fails."""
    with tempfile.TemporaryDirectory(prefix="dockopt-context-") as name:
        write(project.nodes, Path(name))
        # what is ignored is not in the context that COPY sees
        Path(name, "Dockerfile").write_text(project.text())
        Path(name, ".dockerignore").write_text("Dockerfile\n.dockerignore\n")
        arguments = [f"--build-arg={key}={value}" for key, value in project.build_args.items()]
        done = docker("build", "--network=host", f"--tag={tag}", *arguments, name)
    if done.returncode:
        return None
    found: list[bool] = []
    for line in done.stdout.splitlines():
        if step := _STEP.match(line):
            if not step[1].startswith("FROM "):
                found.append(False)
        elif line == " ---> Using cache":
            found[-1] = True
    return found


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
def test_cached_steps_are_predicted(images: dict[str, BaseImage], data: st.DataObject) -> None:
    # what earlier examples built must not be found
    project = data.draw(projects(spellings=False, nonce=uuid.uuid4().hex))
    tag = f"dockopt-test/classic:{uuid.uuid4().hex[:12]}"
    note(f"{project.text()}{project.build_args}")
    try:
        known = keys(project, images)
        if built(project, tag) is None:
            COUNTED["original fails"] += 1
            assume(False)
        pick = data.draw(st.randoms(use_true_random=True)).choice
        for _ in range(CHAIN):
            kind = edit(pick, project, spellings=False)
            if kind == "nothing":
                continue
            note(f"--- {kind}\n{project.text()}{project.build_args}\n{sorted(project.nodes.items())}")
            after = keys(project, images)
            found = built(project, tag)
            if found is None:
                COUNTED["edited fails"] += 1
                break
            COUNTED["edits"] += 1
            for step, said, real in zip(after, predict(known, after), found, strict=True):
                if said is Prediction.PERHAPS:
                    COUNTED[f"perhaps, {'cached' if real else 'runs'}"] += 1
                    continue
                COUNTED[said.value] += 1
                assert (said is Prediction.CACHED) == real, (
                    f"line {step.instruction.start_line}: {said}, engine: cached={real}"
                )
            known += after
    except (DockerfileSyntaxError, Unpredictable):
        COUNTED["not predicted"] += 1
        assume(False)
        raise
    finally:
        docker("image", "rm", "--force", tag)
