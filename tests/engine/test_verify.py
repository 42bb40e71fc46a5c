"""`dockopt verify` and `dockopt diff-images` with a real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from dockopt.optimizer.engines import BuildRequest
from dockopt.optimizer.engines.command import Docker
from dockopt.optimizer.verify import verify

from tests.engine.engine import Engine
from tests.engines.signals import heed_signals

ORIGINAL = b"FROM debian:12\nRUN echo made > /tmp/made\nRUN rm /tmp/made\nCOPY file /app/file\n"


@pytest.fixture
def project(engine: Engine, tmp_path: Path) -> Path:
    assert engine
    (tmp_path / "Dockerfile").write_bytes(ORIGINAL)
    (tmp_path / "file").write_text("x")
    return tmp_path


def images_of(process: int) -> list[str]:
    # other builds may run meanwhile, so only names that this process gave are looked at
    command = ["docker", "images", "--format={{.Tag}}", "--filter=reference=dockopt-verify"]
    tags = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return [tag for tag in tags if tag.split("-")[1] == str(process)]


def program(project: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "dockopt", *arguments, "--engine=docker", "--network=host", str(project)]


ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        program(project, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        preexec_fn=heed_signals,
    )  # fmt: skip


@pytest.mark.engine
def test_a_right_rewrite_is_verified(project: Path) -> None:
    process = start(project, "verify")
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "same image" in out
    assert images_of(process.pid) == []


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
    found = verify(Docker(), request, replace(request, dockerfile=wrong), lambda _: None)
    assert found.status == "different"
    assert where in [difference.where for difference in found.differences]


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_in_the_middle_leaves_nothing(project: Path, number: int) -> None:
    duration = f"60.{time.time_ns()}"
    (project / "Dockerfile").write_bytes(ORIGINAL + f"RUN sleep {duration}\n".encode())
    process = start(project, "verify")
    deadline = time.monotonic() + 60
    while not running("sleep", duration) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert images_of(process.pid) == []
    deadline = time.monotonic() + 30
    while running("sleep", duration) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not running("sleep", duration), "the engine goes on with the build"


def running(*command: str) -> bool:
    """Tell whether a process with these words runs on this machine; where the engine is elsewhere, none does."""
    wanted = "\0".join(command).encode() + b"\0"
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == wanted:
                return True
        except OSError:
            continue
    return False


@pytest.mark.engine
def test_the_next_run_removes_what_a_killed_one_left(project: Path) -> None:
    # the second build waits for what the first one made to be seen
    slow = ORIGINAL.replace(b"FROM debian:12\n", b"FROM debian:12\nRUN sleep 3\n")
    (project / "Dockerfile").write_bytes(slow)
    process = start(project, "verify")
    while not images_of(process.pid) and process.poll() is None:
        time.sleep(0.1)
    process.kill()
    process.communicate()
    assert images_of(process.pid) != []
    (project / "Dockerfile").write_bytes(ORIGINAL)
    again = start(project, "verify", "--cache")
    _, err = again.communicate()
    assert (again.returncode, err) == (0, "")
    assert images_of(process.pid) == []
