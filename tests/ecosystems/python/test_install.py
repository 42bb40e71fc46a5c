"""Which commands of a Dockerfile install packages that the project lists, and why they sometimes stay where they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.ecosystems.python.install import install_for, is_install
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.syntax import parse

HEAD = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n"
POETRY = {"pyproject.toml": '[tool.poetry]\nname = "a"\nversion = "1"\n', "poetry.lock": "package = []\n"}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name, text in {
        **POETRY,
        "requirements.txt": "flask\n",
        "free.txt": "git+https://example.org/a@main\n",
        "app.py": "",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def answer(text: str, context: Path) -> Install | Cause | None:
    """Return what is said of the last command."""
    build = Build(parse(text.encode()), FrozenContext(BuildContext(context)))
    return install_for(build.executed[-1], build.executor)


def cause(text: str, context: Path) -> Cause:
    found = answer(text, context)
    assert isinstance(found, Cause), found
    return found


def test_an_installation(context: Path) -> None:
    found = answer(f"{HEAD}RUN pip install -r requirements.txt\n", context)
    assert isinstance(found, Install)
    assert (found.command, found.manifests, found.outputs) == (
        "pip install -r requirements.txt",
        ("/app/requirements.txt",),
        (),
    )
    assert (found.itself, found.locked, found.activity) == (True, False, "installation")


@pytest.mark.parametrize(
    "run",
    [
        "pip install flask",
        "pip --version",
        "python -m venv /opt/venv",
        "python app.py",
        "poetry config virtualenvs.create false",
        "true",
        "make",
    ],
)
def test_commands_that_install_nothing_of_the_project(run: str, context: Path) -> None:
    assert answer(f"{HEAD}RUN {run}\n", context) is None


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("pip install -r requirements.txt", True),
        ("python3 -m pip install --requirement=requirements.txt", True),
        ("pip install .", True),
        ("pip install -e .[dev]", True),
        ("uv sync --frozen", True),
        ("uv pip sync requirements.txt", True),
        ("poetry install --only main", True),
        ("pipenv install --deploy", True),
        ("pipenv install flask", False),
        ("conda env update -f environment.yml", True),
        ("conda install numpy", False),
        ("python setup.py install", True),
        ("python setup.py --version", False),
        ("pip install --upgrade pip", False),
        ("pip list", False),
        ("uv tool install ruff", False),
    ],
)
def test_what_counts_as_an_installation(run: str, expected: bool, context: Path) -> None:
    build = Build(parse(f"{HEAD}RUN {run}\n".encode()), FrozenContext(BuildContext(context)))
    assert is_install(build.executed[-1]) == expected


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        (f"{HEAD}RUN pip install -r free.txt\n", "must not be reused longer", ("free.txt", 1)),
        (f"{HEAD}RUN echo idna > requirements.txt\nRUN pip install -r requirements.txt\n", "may have made or changed", ("", 4)),
        (f"{HEAD}RUN if true; then pip install -r requirements.txt; fi\n", "a script that is not understood", ("", 4)),
        (f"{HEAD}RUN poetry build\n", "`poetry build` builds the project itself", ("pyproject.toml", 0)),
        (f"{HEAD}RUN python -m build\n", "`python -m build` builds the project itself", ("pyproject.toml", 0)),
        ("FROM python:3.12\nCOPY . /\nRUN pip install -r requirements.txt\n", "among the directories of the system", ("", 3)),
        (f"{HEAD}RUN --mount=type=bind,target=/x pip install -r requirements.txt\n", "files that are mounted", ("", 4)),
        (f"{HEAD}RUN python -m venv venv\nRUN venv/bin/pip install -r requirements.txt\n", "`venv` in the ignore file", ("", 3)),
    ],
)  # fmt: skip
def test_why_not(text: str, words: str, place: tuple[str, int], context: Path) -> None:
    found = cause(text, context)
    assert words in found.reason
    assert (found.path, found.line) == place


def test_what_earlier_commands_have_set_counts_across_stages(context: Path) -> None:
    base = "FROM python:3.12-slim AS base\nRUN {}\nFROM base\nWORKDIR /app\nCOPY . .\nUSER {}\nRUN {}\n"
    outside = base.format("poetry config virtualenvs.create false", "root", "poetry install --no-root")
    assert isinstance(answer(outside, context), Install)
    inside = base.format("poetry config virtualenvs.in-project true", "root", "poetry install --no-root")
    assert "`.venv`" in cause(inside, context).reason
    made = base.format("useradd -m app", "app", "pip install --user -r requirements.txt")
    assert isinstance(answer(made, context), Install)
    unknown = base.format("true", "app", "pip install --user -r requirements.txt")
    assert "home directory of the user `app`" in cause(unknown, context).reason
