"""A build with Gradle is left alone, and the script that is the cause is named."""

from __future__ import annotations

import pytest
from dockopt.optimizer.ecosystems.gradle.install import install_for
from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.syntax import parse

from tests.ecosystems.go.fakes import Context


def answer(run: str, files: dict[str, str]) -> object:
    text = f"FROM gradle:8\nWORKDIR /app\nCOPY . .\nRUN {run}\n"
    build = Build(parse(text.encode()), FrozenContext(Context(files)))  # type: ignore[arg-type]  # it is asked for files only
    return install_for(build.executed[-1], build.executor)


@pytest.mark.parametrize(
    ("text", "meaning", "line"),
    [
        ("rootProject.name = 'x'\nincludeBuild 'logic'\n", "it includes another build", 2),
        ("apply from: 'a.gradle'\n", "it applies another script", 1),
        ("plugins {\n  id('x')\n}\n", "it applies plugins", 1),
        ("def v = file('VERSION').text\n", "it reads files", 1),
        ("// includeBuild 'logic'\n", "", 1),
    ],
)
def test_the_script_and_the_line_are_named(text: str, meaning: str, line: int) -> None:
    found = answer("./gradlew build", {"gradlew": "", "settings.gradle": text})
    assert isinstance(found, Cause)
    assert (found.path, found.line) == ("settings.gradle", line)
    assert meaning in found.reason
    assert ("(" in found.reason) == bool(meaning)


def test_scripts_that_cannot_be_read_are_no_excuse() -> None:
    found = answer("gradle build", {"a.txt": ""})
    assert isinstance(found, Cause)
    assert (found.path, found.line) == ("", 4)


@pytest.mark.parametrize("run", ["./gradlew --version", "gradle --stop", "echo gradle"])
def test_commands_that_build_nothing_are_none(run: str) -> None:
    assert answer(run, {"build.gradle": ""}) is None


def test_gradle_in_a_condition_is_a_cause() -> None:
    found = answer("if true; then gradle build; fi", {"build.gradle": ""})
    assert isinstance(found, Cause)
    assert "a shell `if`" in found.reason
