"""Which directory is the context, and the reason that is printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.context.locate import Located, locate_context


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "services" / "api").mkdir(parents=True)
    (tmp_path / "services" / "api" / "Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def located(repository: Path, *sources: str, explicit: Path | None = None) -> Located:
    return locate_context(repository / "services" / "api" / "Dockerfile", explicit=explicit, sources=sources)


def test_what_the_user_says_comes_first(repository: Path) -> None:
    found = located(repository, ".", explicit=repository)
    assert found.context == repository
    assert "command line" in found.reason


def test_a_compose_file_says_context_and_target(repository: Path) -> None:
    (repository / "compose.yaml").write_text(
        "services:\n  api:\n    build:\n      context: .\n      dockerfile: services/api/Dockerfile\n      target: run\n"
    )
    found = located(repository, ".")
    assert found.context == repository
    assert "compose.yaml" in found.reason
    assert found.targets == ("run",)


def test_two_compose_files_that_disagree_are_no_certainty(repository: Path) -> None:
    for name, context in (("compose.yaml", "."), ("compose.ci.yaml", "services")):
        file = "services/api/Dockerfile" if context == "." else "api/Dockerfile"
        (repository / name).write_text(
            f"services:\n  api:\n    build:\n      context: {context}\n      dockerfile: {file}\n"
        )
    assert not located(repository, ".").certain


def test_the_nearest_directory_that_has_the_sources(repository: Path) -> None:
    (repository / "go.mod").write_text("module x\n")
    (repository / "cmd").mkdir()
    assert located(repository, "go.mod", "cmd/").context == repository
    (repository / "services" / "api" / "main.go").write_text("package main\n")
    assert located(repository, "main.go").context == repository / "services" / "api"


@pytest.mark.parametrize("manifest", ["go.mod", "go.work", "package.json", "Cargo.toml", "pyproject.toml"])
def test_a_copy_of_everything_means_the_project(repository: Path, manifest: str) -> None:
    (repository / manifest).write_text("")
    found = located(repository, ".")
    assert found.context == repository
    assert manifest in found.reason


def test_nothing_tells(repository: Path) -> None:
    found = located(repository)
    assert found.context == repository / "services" / "api"
    assert not found.certain or "no source tells" in found.reason


def test_the_search_ends_at_the_repository(tmp_path: Path, repository: Path) -> None:
    inner = repository / "services"
    (inner / ".git").mkdir()
    (repository / "go.mod").write_text("module x\n")
    assert located(repository, "go.mod").context != tmp_path
