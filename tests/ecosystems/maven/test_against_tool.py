"""The real `mvn`, while files change that its model claims unread: the same list, and nothing written into the project.

Maven has to be installed, and its plugin for dependencies has to be fetched once; without either the tests are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ecosystems.maven.image import pom

DEPENDENCY = (
    "<dependencies><dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>2.0.13</version>"
    "</dependency></dependencies>"
)


def mvn(project: Path, repository: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["mvn", "-B", f"-Dmaven.repo.local={repository}", *words]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300, check=False)


def put(project: Path, name: str, text: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("mvn") is None:
        pytest.skip("there is no `mvn`")
    project, found = tmp_path_factory.mktemp("warm"), tmp_path_factory.mktemp("repository")
    put(project, "pom.xml", pom(DEPENDENCY))
    result = mvn(project, found, "dependency:resolve")
    if result.returncode:
        pytest.skip(f"artifacts cannot be fetched: {result.stdout[-300:]}")
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    put(tmp_path, "pom.xml", pom(DEPENDENCY))
    put(tmp_path, "src/main/java/A.java", "class A { }\n")
    put(tmp_path, "src/main/resources/a.properties", "a=1\n")
    return tmp_path


def resolved(project: Path, repository: Path) -> list[str]:
    result = mvn(project, repository, "-o", "dependency:resolve")
    assert result.returncode == 0, result.stdout
    return [line for line in result.stdout.splitlines() if "Total time" not in line and "Finished at" not in line]


def entries(project: Path) -> set[Path]:
    return set(project.rglob("*"))


def test_no_source_matters_and_nothing_is_written(project: Path, repository: Path) -> None:
    before, there = resolved(project, repository), entries(project)
    assert any("org.slf4j:slf4j-simple:jar:2.0.13" in line for line in before)
    assert entries(project) == there
    changes: list[Callable[[], None]] = [
        lambda: put(project, "src/main/java/A.java", "no java\n"),
        lambda: put(project, "src/test/java/T.java", "no java\n"),
        lambda: put(project, "other/pom.xml", "no pom"),
        lambda: put(project, "README.md", "read me\n"),
        lambda: put(project, "target/classes/A.class", "no class"),
        lambda: put(project, "settings.xml", "no settings"),
        lambda: shutil.rmtree(project / "src"),
    ]
    for change in changes:
        change()
    there = entries(project)
    assert resolved(project, repository) == before
    assert entries(project) == there


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pom.xml", "no pom"),
        (".mvn/maven.config", "--no-such-option\n"),
        (".mvn/jvm.config", "-no-such-option\n"),
        (".mvn/extensions.xml", "no extensions"),
    ],
)
def test_what_it_claims_to_read_is_read(project: Path, repository: Path, name: str, text: str) -> None:
    put(project, name, text)
    assert mvn(project, repository, "-o", "dependency:resolve").returncode != 0


def test_the_modules_of_a_parent_are_not_read(project: Path, repository: Path) -> None:
    above = "<parent><groupId>org.example</groupId><artifactId>top</artifactId><version>1</version></parent>"
    modules = "<packaging>pom</packaging><modules><module>a</module><module>b</module></modules>"
    put(project, "pom.xml", pom(modules, artifact="top"))
    put(project, "a/pom.xml", pom(above + DEPENDENCY))
    put(project, "b/pom.xml", "no pom")
    resolved(project / "a", repository)
    assert mvn(project, repository, "-o", "dependency:resolve").returncode != 0


def test_a_module_that_is_not_built_is_in_no_repository(project: Path, repository: Path) -> None:
    """So no `mvn dependency:go-offline` is added to a build of several modules."""
    above = "<parent><groupId>org.example</groupId><artifactId>top</artifactId><version>1</version></parent>"
    modules = "<packaging>pom</packaging><modules><module>a</module><module>b</module></modules>"
    needs = DEPENDENCY.replace("org.slf4j", "org.example").replace("slf4j-simple", "a").replace("2.0.13", "1")
    put(project, "pom.xml", pom(modules, artifact="top"))
    put(project, "a/pom.xml", pom(above, artifact="a"))
    put(project, "b/pom.xml", pom(above + needs, artifact="b"))
    result = mvn(project, repository, "-o", "dependency:resolve")
    assert result.returncode != 0
    assert "Could not resolve dependencies for project org.example:b" in result.stdout
