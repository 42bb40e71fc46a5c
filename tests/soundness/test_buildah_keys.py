"""Which steps a random edit runs again in buildah, as `dockopt.optimizer.cachekeys.buildah` predicts it and as it does it.

`DOCKOPT_BUILDAH_EDITS` sets how many edits are built (some seconds each), `--hypothesis-seed` which ones.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from dockopt.optimizer.cachekeys import BaseImage, StepKey
from dockopt.optimizer.cachekeys.buildah import step_keys
from dockopt.optimizer.syntax import parse
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.engine import Engine
from tests.soundness.edited_builds import as_many_as, compare_edits
from tests.soundness.edits import NodesSnapshot, Project, projects
from tests.soundness.generator import write

FEW = 4
EDITS = int(os.environ.get("DOCKOPT_BUILDAH_EDITS", FEW))
BASE = "busybox"
COUNTED: Counter[str] = Counter()
_STEP = re.compile(r"^(?:\[\d+/\d+\] )?STEP \d+/\d+: (.*)$")


class Buildah:
    """The command with a store of its own."""

    def __init__(self, folder: Path) -> None:
        policy = folder / "policy.json"
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        registries = folder / "registries.conf"
        registries.write_text('unqualified-search-registries = ["docker.io"]\n')
        self._environment = {
            name: value for name, value in os.environ.items() if name not in ("DOCKER_CONFIG", "DOCKER_HOST")
        } | {"CONTAINERS_REGISTRIES_CONF": str(registries), "BUILDAH_ISOLATION": "chroot"}
        self._options = ["--storage-driver=vfs", f"--root={folder / 'root'}", f"--runroot={folder / 'run'}"]
        self._policy = f"--signature-policy={policy}"

    def __call__(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        policy = [self._policy] if command in ("build", "pull") else []
        return subprocess.run(
            ["buildah", *self._options, command, *policy, *arguments],
            env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
            timeout=600, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """Buildah with the base images of the engine; skipped, visibly, where one of the two is missing."""
    if why := Engine.missing() or (None if shutil.which("buildah") else "no `buildah` command"):
        pytest.skip(f"needs buildah, and an engine for base images: {why}")
    folder = tmp_path_factory.mktemp("buildah")
    found = Buildah(folder)
    archive = folder / "base.tar"
    subprocess.run(["docker", "save", f"--output={archive}", BASE], check=True, capture_output=True)
    pulled = found("pull", f"docker-archive:{archive}")
    assert pulled.returncode == 0, pulled.stdout
    yield found
    found("rmi", "--all", "--force")
    print(f"\nbuildah: {dict(sorted(COUNTED.items()))}")


def keys(project: Project) -> list[StepKey]:
    config = Engine().config(BASE)
    assert isinstance(config["Env"], dict)
    image = BaseImage(tuple(config["Env"].items()), str(config["WorkingDir"]), str(config["User"]))
    return step_keys(parse(project.text().encode()), NodesSnapshot(project.nodes), project.options({BASE: image}))


def built(buildah: Buildah, project: Project, tag: str) -> list[bool] | None:
    """Build, and tell for each step but FROM whether it came from the cache; None for a build that fails."""
    with tempfile.TemporaryDirectory(prefix="dockopt-context-") as name, tempfile.TemporaryDirectory() as other:
        write(project.nodes, Path(name))
        file = Path(other, "Dockerfile")
        file.write_text(project.text())
        arguments = [f"--build-arg={key}={value}" for key, value in project.build_args.items()]
        done = buildah("build", "--layers", "--format=docker", f"--tag={tag}", f"--file={file}", *arguments, name)
    if done.returncode:
        return None
    found: list[bool] = []
    for line in done.stdout.splitlines():
        if step := _STEP.match(line):
            if not step[1].startswith("FROM "):
                found.append(False)
        elif line.startswith("--> Using cache"):
            found[-1] = True
    return found


@pytest.mark.engine
@as_many_as(EDITS, usual=FEW)
@given(data=st.data())
def test_cached_steps_are_predicted(buildah: Buildah, data: st.DataObject) -> None:
    # what earlier examples built must not be found
    project = data.draw(projects(spellings=False, nonce=uuid.uuid4().hex))
    for number, stage in enumerate(project.stages):
        stage[0] = re.sub("FROM (debian:12|scratch)", f"FROM {BASE}", stage[0])
        project.stages[number] = [
            line for line in stage if "<<" not in line and "--link" not in line and "type=bind" not in line
        ]
    tag = f"dockopt-test-buildah:{uuid.uuid4().hex[:12]}"
    try:
        compare_edits(project, data, keys, lambda edited: built(buildah, edited, tag), COUNTED)
    finally:
        buildah("rmi", "--force", tag)
