"""The hooks, in the real pre-commit and in real commits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dockopt.optimizer.context.discover import is_dockerfile_name

from tests.integrations.conftest import ROOT, commit_all, git
from tests.integrations.snippets import snippets

HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pre-commit has installed, for all tests once."""
    return tmp_path_factory.mktemp("pre-commit")


def configure(project: Path, repository: Path, *hooks: str) -> None:
    revision = git(repository, "rev-parse", "HEAD").stdout.strip()
    content = yaml.safe_load(snippets()[".pre-commit-config.yaml"])
    (entry,) = content["repos"]
    assert entry["hooks"] == [{"id": "dockopt-fix"}]
    entry |= {"repo": str(repository), "rev": revision, "hooks": [{"id": hook} for hook in hooks]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(content))
    commit_all(project)


def pre_commit(project: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=project,
        env={**environment, "PRE_COMMIT_HOME": str(home), "PRE_COMMIT_COLOR": "never"},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def test_the_hooks_are_valid() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert set(HOOKS) == {"dockopt-suggest", "dockopt-fix"}


NAMES = """Dockerfile Dockerfile.dev Dockerfile-dev Dockerfile_dev api.Dockerfile api.dockerfile Containerfile a/b/DOCKERFILE
    a/Dockerfile.d/x Dockerfiles.txt xDockerfile Dockerfile.dockerignore api.Containerfile Dockerfile~ Dockerfile.md Dockerfile.j2
    docker-compose.yml a.py Dockerfile.sha256 dockerfile.rs Dockerfile.3.12 Dockerfile.yaml .dockerfile a.dockerfile.old""".split()


@pytest.mark.parametrize("name", NAMES)
def test_the_hooks_are_for_the_files_that_are_found_in_a_directory(name: str) -> None:
    for hook in HOOKS.values():
        wanted = bool(re.search(hook["files"], name)) and not re.search(hook["exclude"], name)
        assert wanted == is_dockerfile_name(name.rpartition("/")[2])


def test_a_commit_with_findings_is_stopped_and_then_fixed(project: Path, home: Path, dockopt_repository: Path) -> None:
    configure(project, dockopt_repository, "dockopt-suggest")
    assert pre_commit(project, home, "install").returncode == 0
    dockerfile = project / "Dockerfile"
    before = dockerfile.read_text()
    dockerfile.write_text(before + "# a change\n")
    git(project, "add", "Dockerfile")

    os.environ["PRE_COMMIT_HOME"] = str(home)
    try:
        stopped = git(project, "commit", "-q", "-m", "with findings", check=False)
        assert stopped.returncode == 1
        assert "dockopt suggest" in stopped.stderr
        assert "+COPY go.mod go.sum ./" in stopped.stderr
        assert dockerfile.read_text() == before + "# a change\n", "suggest writes nothing"

        configure(project, dockopt_repository, "dockopt-fix")
        dockerfile.write_text(before + "# another change\n")
        git(project, "add", "Dockerfile")
        fixed = git(project, "commit", "-q", "-m", "with findings", check=False)
        assert fixed.returncode == 1
        assert "files were modified by this hook" in fixed.stderr
        assert "RUN go mod download\nCOPY . ." in dockerfile.read_text()

        configure(project, dockopt_repository, "dockopt-fix", "dockopt-suggest")
        dockerfile.write_text(dockerfile.read_text() + "# and another\n")
        git(project, "add", "Dockerfile")
        assert git(project, "commit", "-q", "-m", "good").returncode == 0
        assert "good" in git(project, "log", "-1", "--format=%s").stdout

        (project / "notes.txt").write_text("nothing of interest\n")
        git(project, "add", "notes.txt")
        other = git(project, "commit", "-m", "no Dockerfile")
        assert "(no files to check)Skipped" in other.stderr
    finally:
        del os.environ["PRE_COMMIT_HOME"]


def test_all_files(project: Path, home: Path, dockopt_repository: Path) -> None:
    configure(project, dockopt_repository, "dockopt-suggest")
    done = pre_commit(project, home, "run", "--all-files")
    assert done.returncode == 1
    assert "Dockerfile:4: split-copy" in done.stdout
    assert "- exit code: 1" in done.stdout


def test_a_change_of_a_manifest_alone(project: Path, home: Path, dockopt_repository: Path) -> None:
    """With the options that the documentation names for it, everything is looked at in every commit."""
    configure(project, dockopt_repository, "dockopt-suggest")
    file = project / ".pre-commit-config.yaml"
    content = yaml.safe_load(file.read_text())
    content["repos"][0]["hooks"][0] |= {"files": "", "pass_filenames": False, "always_run": True}
    file.write_text(yaml.safe_dump(content))
    (project / "go.mod").write_text((project / "go.mod").read_text() + "// more\n")
    git(project, "add", "-A")
    done = pre_commit(project, home, "run")
    assert done.returncode == 1
    assert "Dockerfile:4: split-copy" in done.stdout
