"""Projects of users, and this repository as they would name it: at a commit, from a clean machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_EXAMPLE = ROOT / "fixtures" / "examples" / "go-service"
_SHIPPED = (
    ".pre-commit-hooks.yaml",
    ".src",
    "LICENSE",
    "README.md",
    "action.yml",
    "ci",
    "optimizer",
    "pyproject.toml",
    "rewrites",
)
_IDENTITY = (
    "-c",
    "user.name=n",
    "-c",
    "user.email=e@example.invalid",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "init.defaultBranch=main",
)


def git(top: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", *_IDENTITY, *arguments],
        cwd=top,
        env=environment,
        check=check,
        capture_output=True,
        text=True,
        timeout=600,
    )


def commit_all(top: Path) -> None:
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "all", "--no-verify")


@pytest.fixture(scope="session")
def dockopt_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / ".src").is_dir():
        pytest.skip("needs the source tree")
    top = tmp_path_factory.mktemp("dockopt-repository")
    for name in _SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, top / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, top / name)
    git(top, "init", "-q")
    commit_all(top)
    return top


@pytest.fixture(scope="session")
def environment(dockopt_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that has dockopt, as pip installs it from the repository."""
    place = tmp_path_factory.mktemp("installed") / "dockopt"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    install = [
        place / "bin" / "python",
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        dockopt_repository,
    ]
    done = subprocess.run(install, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of a user, committed; its Dockerfile has two findings."""
    top = tmp_path / "project"
    shutil.copytree(_EXAMPLE, top)
    git(top, "init", "-q")
    commit_all(top)
    return top
