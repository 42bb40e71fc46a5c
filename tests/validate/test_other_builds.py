"""What other files of a project say of a Dockerfile's builds: contexts, targets and named contexts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from dockopt.optimizer.engine import analyze
from dockopt.optimizer.proposal import FileReport

EXAMPLE = Path(__file__).parents[2] / "fixtures" / "examples" / "go-service"
MAKEFILE = "image:\n\tdocker build -f Dockerfile other\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The Go service, in a repository."""
    root = tmp_path / "project"
    shutil.copytree(EXAMPLE, root)
    (root / ".git").mkdir()
    return root


def report(root: Path) -> FileReport:
    path = root / "Dockerfile"
    return analyze(path, path.read_bytes())


def ids(found: FileReport) -> list[str]:
    return [change.proposal.rewrite for change in found.changes]


def test_alone_the_service_is_improved(project: Path) -> None:
    assert ids(report(project)) == ["split-copy", "cache-mounts"]


def test_a_change_that_is_right_in_two_contexts_is_proven_in_both(project: Path) -> None:
    shutil.copytree(EXAMPLE, project / "other")
    (project / "compose.yaml").write_text("services:\n  app:\n    build: .\n")
    (project / "Makefile").write_text(MAKEFILE)
    found = report(project)
    assert ids(found) == ["split-copy", "cache-mounts"]
    assert found.context_reason == 'compose.yaml:3 service "app"; Makefile:2 rule `image` has another context'
    verdict = found.changes[0].verdict
    frozen = {entry.path for entry in verdict.frozen}
    assert {"go.mod", "other/go.mod", "go.work", "other/go.work"} <= frozen
    assert any(text.startswith("in the context `other`: ") for text in verdict.compared)


def test_a_change_that_is_wrong_in_the_other_context_is_refused_with_its_place(project: Path) -> None:
    shutil.copytree(EXAMPLE, project / "other")
    (project / "other" / "go.mod").write_text(
        "module example.com/x\n\ngo 1.22\n\nrequire example.com/y v1.0.0\n\nreplace example.com/y => ./y\n"
    )
    (project / "compose.yaml").write_text("services:\n  app:\n    build: .\n")
    (project / "Makefile").write_text(MAKEFILE)
    found = report(project)
    assert "split-copy" not in ids(found)
    (refusal,) = [refusal for refusal in found.refusals if refusal.rewrite == "split-copy"]
    assert "it is not proven in the context `other` of Makefile:2 rule `image`: " in refusal.reason
    assert (refusal.cause_path, refusal.cause_line) == ("Makefile", 2)


def test_a_context_without_the_manifests_is_no_place_for_them(project: Path) -> None:
    (project / "other").mkdir()
    (project / "compose.yaml").write_text("services:\n  app:\n    build: .\n")
    (project / "Makefile").write_text(MAKEFILE)
    found = report(project)
    assert "split-copy" not in ids(found)
    assert any("`go.mod` is not in the build context" in refusal.reason for refusal in found.refusals)


def test_what_the_user_names_is_the_only_context(project: Path) -> None:
    from dockopt.optimizer.engine import Options

    (project / "other").mkdir()
    (project / "Makefile").write_text(MAKEFILE)
    path = project / "Dockerfile"
    found = analyze(path, path.read_bytes(), Options(context=project))
    assert ids(found) == ["split-copy", "cache-mounts"]


def test_a_context_that_lacks_sources_gives_way_to_one_that_has_them(project: Path) -> None:
    (project / "other").mkdir()
    text = (project / "Dockerfile").read_text().replace("COPY . .", "COPY go.mod main.go ./", 1)
    (project / "main.go").write_text("package main\n")
    (project / "Dockerfile").write_text(text)
    (project / "Makefile").write_text(MAKEFILE)
    found = report(project)
    assert Path(found.context).resolve() == project
    assert found.context_reason == (
        "all sources resolve here; Makefile:2 rule `image` has another context, without some of them"
    )


def test_a_context_that_is_not_known_is_noted(project: Path) -> None:
    (project / "Makefile").write_text("image:\n\tdocker build -f Dockerfile $(DIR)\n")
    found = report(project)
    assert found.notes == ["Makefile:2 rule `image` builds it in a context that is not known here"]


def test_a_file_that_is_not_understood_is_noted(project: Path) -> None:
    (project / "compose.yaml").write_text("services:\n  app: [build:\n")
    assert [note.partition(" (")[0] for note in report(project).notes] == [
        "`compose.yaml:3` is left aside: it is no YAML"
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("compose.yaml", "services: {app: {build: {context: ., target: BUILD}}}\n"),
        ("docker-bake.hcl", 'target "x" {\n  target = "build"\n}\n'),
        (
            ".github/workflows/x.yml",
            "jobs: {x: {steps: [{uses: docker/build-push-action@v6, with: {context: ., target: build}}]}}",
        ),
        (".gitlab-ci.yml", "x:\n  script: docker build --target build .\n"),
        ("Makefile", "image:\n\tdocker build --target build .\n"),
        ("build.sh", "docker build --target build .\n"),
        ("package.json", '{"scripts": {"image": "docker build --target build ."}}'),
        (
            "skaffold.yaml",
            "apiVersion: skaffold/v4beta11\nbuild: {artifacts: [{image: x, docker: {target: build}}]}\n",
        ),
        (".devcontainer.json", '{"build": {"dockerfile": "Dockerfile", "target": "build"}}'),
        ("docker.mk", "image:\n\tdocker build --target $(STAGE) .\n"),
    ],
)
def test_a_stage_that_is_a_target_is_exported(project: Path, name: str, text: str) -> None:
    """What a cache mount leaves out of an exported stage is a difference of its image."""
    from dockopt.optimizer.opening import open_build

    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    source = (project / "Dockerfile").read_bytes()
    private = open_build(project / "Dockerfile", source).build
    assert not private.is_exported(0)
    path.write_text(text)
    assert open_build(project / "Dockerfile", source).build.is_exported(0)
    assert "cache-mounts" not in ids(report(project))


NAMED = "image:\n\tdocker build --build-context {}=vendor-image .\n"


@pytest.mark.parametrize("name", ["golang:1.22", "docker.io/library/golang:1.22", "golang:1.22::linux/arm64"])
def test_nothing_is_known_of_a_base_that_a_build_replaces(project: Path, name: str) -> None:
    (project / "Makefile").write_text(NAMED.format(name))
    found = report(project)
    assert found.changes == []
    assert found.notes == ["Makefile:2 rule `image` puts a context in the place of `golang:1.22`"]


def test_another_image_is_not_meant(project: Path) -> None:
    (project / "Makefile").write_text(NAMED.format("golang:1.23"))
    assert ids(report(project)) == ["split-copy", "cache-mounts"]


def test_a_base_with_a_variable_may_be_the_one_that_is_replaced(project: Path) -> None:
    text = (project / "Dockerfile").read_text().replace("FROM golang:1.22", "ARG V=1.22\nFROM golang:${V}", 1)
    (project / "Dockerfile").write_text(text)
    assert ids(report(project)) == ["split-copy", "cache-mounts"]
    (project / "Makefile").write_text(NAMED.format("golang:1.22"))
    assert report(project).changes == []


def test_a_stage_that_a_build_replaces_is_left_alone(project: Path) -> None:
    (project / "compose.yaml").write_text(
        "services:\n  app:\n    build:\n      context: .\n      additional_contexts: {build: ./x}\n"
    )
    (refusal,) = report(project).refusals
    assert refusal.reason == 'compose.yaml:4 service "app" replaces the stage `build` by a context'


@pytest.mark.parametrize("name", ["scratch", "context"])
def test_two_names_are_never_contexts(project: Path, name: str) -> None:
    (project / "Makefile").write_text(NAMED.format(name))
    assert ids(report(project)) == ["split-copy", "cache-mounts"]


def test_an_ignore_file_of_one_context_is_not_edited_for_two(tmp_path: Path) -> None:
    case = Path(__file__).parents[2] / "fixtures" / "split-copy" / "node-modules-get-ignored"
    for name in ("Dockerfile", "package.json", "package-lock.json"):
        for directory in (tmp_path, tmp_path / "other"):
            directory.mkdir(exist_ok=True)
            shutil.copy(case / name, directory)
    (tmp_path / ".git").mkdir()
    assert ids(report(tmp_path)) == ["split-copy"]
    (tmp_path / "compose.yaml").write_text("services:\n  app:\n    build: .\n")
    (tmp_path / "Makefile").write_text(MAKEFILE)
    found = report(tmp_path)
    assert found.changes == []
    assert any(
        "it edits the ignore file of one context, and Makefile:2" in refusal.reason for refusal in found.refusals
    )


@pytest.mark.parametrize(("here", "there"), [("", "other"), ("other", "")])
def test_what_repairs_the_build_in_one_context_is_no_equal_change_in_two(tmp_path: Path, here: str, there: str) -> None:
    """The file that the installation has come to need is copied above it; in the other context nothing needs it."""
    case = Path(__file__).parents[2] / "fixtures" / "drift" / "go-replace-came-later"
    for directory in (tmp_path, tmp_path / "other"):
        shutil.copytree(case, directory, dirs_exist_ok=True)
        (directory / "expected.Dockerfile").unlink()
    plain = tmp_path / there / "go.mod"
    plain.write_text("".join(line for line in plain.read_text().splitlines(True) if "replace" not in line))
    (tmp_path / ".git").mkdir()
    (tmp_path / "Makefile").write_text("image:\n\tdocker build .\n\tdocker build -f Dockerfile other\n")
    found = report(tmp_path)
    assert not any(change.proposal.rewrite == "drift" for change in found.changes)
