"""`dockopt verify` and `dockopt diff-images` with a real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dockopt.optimizer.engines import BuildRequest
from dockopt.optimizer.engines.command import Docker
from dockopt.optimizer.verify import verify

from tests.engine.engine import Engine

ORIGINAL = b"FROM debian:12\nRUN echo made > /tmp/made\nRUN rm /tmp/made\nCOPY file /app/file\n"


@pytest.fixture
def project(engine: Engine, tmp_path: Path) -> Path:
    assert engine
    (tmp_path / "Dockerfile").write_bytes(ORIGINAL)
    (tmp_path / "file").write_text("x")
    return tmp_path


def images() -> set[str]:
    # other builds may run meanwhile, so only names that `verify` gives are looked at
    command = ["docker", "images", "--quiet", "--filter=reference=dockopt-verify"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def program(project: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "dockopt", *arguments, "--engine=docker", "--network=host", str(project)]


ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.mark.engine
def test_a_right_rewrite_is_verified(project: Path) -> None:
    before = images()
    done = subprocess.run(program(project, "verify"), capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "same image" in done.stdout
    assert images() == before


@pytest.mark.engine
@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (ORIGINAL.replace(b"RUN rm /tmp/made\n", b""), "/tmp/made"),
        (ORIGINAL.replace(b"/app/file", b"/app/other"), "/app/file"),
        (ORIGINAL.replace(b"COPY", b"COPY --chmod=700"), "/app/file"),
        (ORIGINAL + b"ENV A=1\n", "config Env A"),
        (ORIGINAL + b"USER 1000\n", "config User"),
    ],
)  # fmt: skip
def test_a_wrong_rewrite_is_told(project: Path, wrong: bytes, where: str) -> None:
    request = BuildRequest(ORIGINAL, project, project / "Dockerfile", network="host")
    found = verify(Docker(), request, wrong, lambda _: None)
    assert found.status == "different"
    assert where in [difference.where for difference in found.differences]


@pytest.mark.engine
def test_an_end_in_the_middle_leaves_nothing(project: Path) -> None:
    before = images()
    (project / "Dockerfile").write_bytes(ORIGINAL + b"RUN sleep 60\n")
    process = subprocess.Popen(
        program(project, "verify"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    time.sleep(4)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert images() == before


@pytest.mark.engine
def test_the_next_run_removes_what_a_killed_one_left(project: Path) -> None:
    before = images()
    # differs between builds, so that the engine is still building when the images are there
    (project / "Dockerfile").write_bytes(ORIGINAL + b"RUN date +%s%N > /stamp\n")
    process = subprocess.Popen(
        program(project, "verify"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT
    )
    while not images() - before and process.poll() is None:
        time.sleep(0.1)
    process.kill()
    process.wait()
    assert images() - before
    (project / "Dockerfile").write_bytes(ORIGINAL)
    done = subprocess.run(program(project, "verify"), capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert images() <= before
