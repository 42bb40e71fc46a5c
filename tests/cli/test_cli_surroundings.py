"""Whatever a shell has done to streams, directory and environment: an answer or one line, never an internal error."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / ".src"
#: every command that answers on standard output without an engine or a network
ANSWERING = [
    "suggest", "fix", "config", "ci", "rules", "explain reorder", "graph Dockerfile", "completion bash",
    "--help", "--version", "suggest --help", "init --yes",
]  # fmt: skip


def shell(script: str, directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `$D` is the program; it has no standard input."""
    found = subprocess.run(
        ["sh", "-c", script],
        cwd=directory,
        env={
            **os.environ,
            "PYTHONPATH": f"{SOURCE}",
            "D": f"{shlex.quote(sys.executable)} -m dockopt",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    for sign in ("internal error", "Traceback", "Exception ignored"):
        assert sign not in found.stderr
    return found


@pytest.mark.parametrize("command", ANSWERING)
def test_a_full_disk(command: str, project: Path) -> None:
    found = shell(f"$D {command} > /dev/full", project)
    assert found.returncode == 2
    assert found.stderr.endswith("dockopt: standard output cannot be written: No space left on device\n")


@pytest.mark.parametrize("command", ANSWERING)
@pytest.mark.parametrize(
    "end", [">&-", "2>&-", "<&-", "| true"], ids=["no output", "no errors", "no input", "no reader"]
)
def test_streams_that_are_closed(command: str, end: str, project: Path) -> None:
    assert shell(f"$D {command} {end}", project).returncode in (0, 2)


@pytest.mark.parametrize("command", ["suggest", "config", "ci", "init --yes", "graph Dockerfile"])
@pytest.mark.parametrize(
    "around",
    ["env -u HOME", "HOME=/nonexistent LC_ALL=C", "PATH=/nonexistent", "COLUMNS=5 TERM=dumb NO_COLOR=1 FORCE_COLOR="],
)
def test_environments_with_little_in_them(command: str, around: str, project: Path) -> None:
    assert shell(f"{around} $D {command}", project).returncode == 0


@pytest.mark.parametrize("command", ["suggest", "config", "ci", "init --yes", "fix --write", "graph Dockerfile"])
def test_a_working_directory_that_was_removed(command: str, project: Path) -> None:
    assert shell(f"mkdir gone && cd gone && rmdir ../gone && exec $D {command}", project).returncode == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_language_server_without_a_client(closed: str, project: Path) -> None:
    pytest.importorskip("pygls", reason="the extra `lsp` is not installed")
    found = shell(f"$D lsp {closed}", project)
    assert found.returncode == 2
    assert "an editor starts this program" in found.stderr


def test_errors_never_get_into_the_report(project: Path) -> None:
    """Where standard error is closed they get lost; the exit code still tells."""
    found = shell("$D suggest --format json nowhere good.Dockerfile 2>&-", project)
    assert found.returncode == 2
    assert found.stdout == "" or json.loads(found.stdout)
    assert "dockopt: " not in found.stdout
