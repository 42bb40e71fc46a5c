import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

SCRIPT = Path(__file__).with_name("fake_engine.py")
GO = b"FROM golang:1.22\nWORKDIR /src\nCOPY . .\nRUN go build ./...\n"
GOOD = b"FROM alpine:3.20\nRUN make\n"


class Result(NamedTuple):
    code: int
    out: bytes
    err: str


Program = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "DOCKOPT_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "Dockerfile").write_bytes(GO)
    (tmp_path / "good.Dockerfile").write_bytes(GOOD)
    return tmp_path


@pytest.fixture
def dockopt(project: Path) -> Program:
    """The program in a process of its own, in the project, with the fake engine."""

    def run(*arguments: str | bytes, stdin: bytes = b"", **environment: str) -> Result:
        done = subprocess.run(
            [sys.executable, SCRIPT, *arguments],
            input=stdin,
            capture_output=True,
            cwd=project,
            env={**os.environ, **environment},
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr.decode("utf-8", "surrogateescape"))

    return run
