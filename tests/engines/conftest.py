from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engines.signals import heed_signals

FAKE = Path(__file__).with_name("fake_docker.py")
DOCKERFILE = b"FROM alpine:3.20\nCOPY src /app\nRUN apk add --no-cache curl\n"


@dataclass
class World:
    """A project, and a PATH on which nothing but the fake engine builds."""

    project: Path
    state: Path
    environment: dict[str, str]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "dockopt", *arguments]

    def run(self, scenario: str, *arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            self.command(*arguments), cwd=self.project, env=self.environment | {"FAKE_SCENARIO": scenario}, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def start(self, scenario: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command(*arguments), cwd=self.project, env=self.environment | {"FAKE_SCENARIO": scenario},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_signals,
        )  # fmt: skip

    def wait_for(self, name: str) -> str:
        """Wait until the fake engine has written a file, and return what it holds."""
        deadline = time.monotonic() + 60
        while not (self.state / name).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        return (self.state / name).read_text()

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.state / "log").read_text().splitlines()]

    @property
    def images(self) -> list[str]:
        return [path.name for path in self.state.glob("image-*")]


@pytest.fixture
def world(tmp_path: Path) -> World:
    project, state, programs, temporary = (tmp_path / name for name in ("project", "state", "bin", "tmp"))
    for folder in (project, state, programs, temporary):
        folder.mkdir()
    (project / "src").mkdir()
    (project / "src" / "main.go").write_text("package main\n")
    (project / "Dockerfile").write_bytes(DOCKERFILE)
    docker = programs / "docker"
    docker.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
    docker.chmod(0o755)
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin", "FAKE_STATE": str(state), "TMPDIR": str(temporary), "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip
    return World(project, state, environment)
