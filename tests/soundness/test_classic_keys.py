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
from dockopt.optimizer.cachekeys import BaseImage, StepKey
from dockopt.optimizer.cachekeys.classic import step_keys
from dockopt.optimizer.syntax import parse
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.engine import Engine
from tests.soundness.edited_builds import as_many_as, compare_edits
from tests.soundness.edits import NodesSnapshot, Project, projects
from tests.soundness.generator import BASES, write

FEW = 4
EDITS = int(os.environ.get("DOCKOPT_CLASSIC_EDITS", FEW))
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
@as_many_as(EDITS, usual=FEW)
@given(data=st.data())
def test_cached_steps_are_predicted(images: dict[str, BaseImage], data: st.DataObject) -> None:
    # what earlier examples built must not be found
    project = data.draw(projects(spellings=False, nonce=uuid.uuid4().hex))
    tag = f"dockopt-test/classic:{uuid.uuid4().hex[:12]}"
    try:
        compare_edits(project, data, lambda edited: keys(edited, images), lambda edited: built(edited, tag), COUNTED)
    finally:
        docker("image", "rm", "--force", tag)
