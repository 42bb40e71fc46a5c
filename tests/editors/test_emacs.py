"""Emacs with eglot as a user has them, with the set-up in `editors/emacs`: open, see, apply, save, undo."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.engine import analyze

SOURCE = Path(__file__).parents[2]
FIXTURES = SOURCE / "fixtures"
pytest.importorskip("pygls", reason="the extra `lsp` is not installed")


def has_eglot() -> bool:
    if shutil.which("emacs") is None:
        return False
    asked = ["emacs", "--batch", "--eval", "(progn (package-initialize) (require 'eglot))"]
    return subprocess.run(asked, capture_output=True, check=False, timeout=60).returncode == 0


pytestmark = pytest.mark.skipif(not has_eglot(), reason="Emacs with eglot is not installed")


def run(tmp_path: Path, case: str, line: int, *, fix_on_save: bool = False) -> tuple[Path, dict[str, Any]]:
    project = tmp_path / "project"
    shutil.copytree(FIXTURES / case, project)
    subprocess.run(["git", "init", "--quiet", project], check=True, timeout=60)
    done = subprocess.run(
        ["emacs", "--batch", "--load", Path(__file__).with_name("emacs.el")],
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "PYTHONPATH": str(SOURCE / ".src"),
            "DOCKOPT_PYTHON": sys.executable,
            "DOCKERFILE": str(project / "Dockerfile"),
            "SET_UP": str(SOURCE / "editors" / "emacs" / "dockopt-eglot.el"),
            "LINE": str(line),
            "FIX_ON_SAVE": "1" if fix_on_save else "0",
        },
        cwd=project,
        capture_output=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return project, dict(json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("["))


def test_a_session(tmp_path: Path) -> None:
    source = FIXTURES / "examples" / "go-service" / "Dockerfile"
    project, seen = run(tmp_path, "examples/go-service", 4)
    assert seen["managed"] is True
    assert seen["found"] is True
    assert sorted(seen["shown"]) == [4, 6]
    assert "dockopt (split-copy): `go mod download`" in seen["offered"][0]
    assert "COPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\n" in seen["applied"]
    assert seen["written"] == seen["applied"]
    assert seen["undone"] is True
    assert seen["all"].encode() == analyze(project / "Dockerfile", source.read_bytes()).result
    assert seen["nothing left"] is True
    assert (project / "Dockerfile").read_text() == seen["all"]


def test_a_fix_that_needs_another_file(tmp_path: Path) -> None:
    project, seen = run(tmp_path, "split-copy/node-modules-get-ignored", 3)
    assert seen["all"] == (project / "expected.Dockerfile").read_text()
    assert (project / ".dockerignore").read_bytes() == (project / "expected.dockerignore").read_bytes()


def test_fixing_on_save(tmp_path: Path) -> None:
    project, seen = run(tmp_path, "examples/go-service", 4, fix_on_save=True)
    source = FIXTURES / "examples" / "go-service" / "Dockerfile"
    assert seen["saved"].encode() == analyze(project / "Dockerfile", source.read_bytes()).result
    assert (project / "Dockerfile").read_text() == seen["saved"]


def test_it_can_what_the_other_tests_say(tmp_path: Path) -> None:
    """`tests/lsp/clients.py` has what eglot 1.9 in Emacs 28 says of itself."""
    from tests.lsp.clients import EMACS_28

    _, seen = run(tmp_path, "examples/go-service", 4)
    said = seen["capabilities"]
    if said.get("general", {}).get("positionEncodings"):
        pytest.skip("recorded is eglot 1.9, this is a newer one")
    assert said["workspace"]["workspaceEdit"] == EMACS_28["workspace"]["workspaceEdit"]
    assert said["workspace"]["didChangeWatchedFiles"] == EMACS_28["workspace"]["didChangeWatchedFiles"]
    assert "resolveSupport" not in said["textDocument"]["codeAction"]
    assert "diagnostic" not in said["textDocument"]
