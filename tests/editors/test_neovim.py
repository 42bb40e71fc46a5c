"""Neovim as a user has it, with the set-up in `editors/neovim`: open, see, apply, save, undo."""

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
pytestmark = pytest.mark.skipif(shutil.which("nvim") is None, reason="Neovim is not installed")


def run(tmp_path: Path, case: str, line: int, *, fix_on_save: bool = False) -> tuple[Path, dict[str, Any]]:
    project = tmp_path / "project"
    shutil.copytree(FIXTURES / case, project)
    (project / ".git").mkdir()
    set_up = tmp_path / "runtime" / "lua"
    set_up.mkdir(parents=True)
    shutil.copy(SOURCE / "editors" / "neovim" / "dockopt.lua", set_up)
    done = subprocess.run(
        [
            *("nvim", "--headless", "--clean", "-n", "-c", f"set runtimepath+={set_up.parent}", "-c", "filetype on"),
            *("-c", f"luafile {Path(__file__).with_name('neovim.lua')}", "-c", "cquit"),
        ],
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "PYTHONPATH": str(SOURCE / ".src"),
            "DOCKOPT_PYTHON": sys.executable,
            "DOCKERFILE": str(project / "Dockerfile"),
            "LINE": str(line),
            "FIX_ON_SAVE": "1" if fix_on_save else "0",
        },
        cwd=project,
        capture_output=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    lines = [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("[")]
    return project, dict(lines)


def test_a_session(tmp_path: Path) -> None:
    source = FIXTURES / "examples" / "go-service" / "Dockerfile"
    project, seen = run(tmp_path, "examples/go-service", 4)
    assert seen["filetype"] == "dockerfile"
    assert seen["root"] == str(project)
    assert seen["found"]
    assert sorted(seen["shown"]) == [[3, 0, 8, "dockopt"], [5, 0, 62, "dockopt"]]
    assert seen["changed"]
    assert "dockopt (split-copy): `go mod download`" in seen["offered"][0]
    assert "dockopt (split-copy): ignore here" in seen["offered"]
    assert "COPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\n" in seen["applied"]
    assert seen["written"] == seen["applied"]
    assert seen["undone"], "one step takes the whole fix back"
    assert seen["all"].encode() == analyze(project / "Dockerfile", source.read_bytes()).result
    assert seen["nothing left"]
    assert seen["hovered"]
    assert seen["stopped"]
    assert (project / "Dockerfile").read_text() == seen["all"]


def test_a_fix_that_needs_another_file(tmp_path: Path) -> None:
    project, seen = run(tmp_path, "split-copy/node-modules-get-ignored", 3)
    assert seen["all"] == (project / "expected.Dockerfile").read_text()
    assert (project / ".dockerignore").read_bytes() == (project / "expected.dockerignore").read_bytes()


def test_fixing_on_save(tmp_path: Path) -> None:
    project, seen = run(tmp_path, "split-copy/node-modules-get-ignored", 3, fix_on_save=True)
    assert seen["saved"] == (project / "expected.Dockerfile").read_text()
    assert (project / "Dockerfile").read_text() == seen["saved"]
    assert (project / ".dockerignore").read_bytes() == (project / "expected.dockerignore").read_bytes()


def test_it_can_what_the_other_tests_say(tmp_path: Path) -> None:
    """`tests/lsp/clients.py` has what Neovim 0.7 says of itself; newer versions say more."""
    from tests.lsp.clients import NEOVIM_0_7

    _, seen = run(tmp_path, "examples/go-service", 4)
    version = subprocess.run(["nvim", "--version"], capture_output=True, check=True, timeout=60).stdout.decode()
    if not version.startswith("NVIM v0.7."):
        pytest.skip(f"recorded is Neovim 0.7, this is {version.splitlines()[0]}")
    said = seen["capabilities"]
    ours = NEOVIM_0_7["textDocument"]
    assert said["textDocument"]["codeAction"]["resolveSupport"] == ours["codeAction"]["resolveSupport"]
    assert said["textDocument"]["codeAction"]["dataSupport"] == ours["codeAction"]["dataSupport"]
    assert "diagnostic" not in said["textDocument"]
    edit = said["workspace"]["workspaceEdit"]
    assert "documentChanges" not in edit
    assert sorted(edit["resourceOperations"]) == ["create", "delete", "rename"]
    assert "didChangeWatchedFiles" not in said["workspace"]
