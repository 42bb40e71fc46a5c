"""What a project's configuration may say, how it is found, and what a proof makes of declared commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.configuration import find_configuration
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.inputs import InputError
from dockopt.optimizer.proposal import FileReport

#: the script stands between the sources and the download: only a known one lets them change places
BEGIN, SCRIPT, DOWNLOAD = "FROM golang:1.22\nWORKDIR /app\n", "RUN ./tools/version.sh\n", "RUN go mod download\n"
DOCKERFILE = f"{BEGIN}COPY . .\n{SCRIPT}{DOWNLOAD}".encode()
DECLARED = """
[effects."./tools/version.sh"]
reads = ["VERSION", "tools/"]
writes = ["version.txt"]
variables = ["CI_*"]
network = false
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "Dockerfile").write_bytes(DOCKERFILE)
    text = "module example.com/x\n\ngo 1.22\n\nrequire golang.org/x/text v0.14.0\n"
    (tmp_path / "service" / "go.mod").write_text(text)
    sums = (f"golang.org/x/text v0.14.0{name} h1:{'a' * 43}=\n" for name in ("", "/go.mod"))
    (tmp_path / "service" / "go.sum").write_text("".join(sums))
    return tmp_path


def report(project: Path) -> FileReport:
    folder = project / "service"
    return analyze(folder / "Dockerfile", DOCKERFILE, Options(context=folder))


def test_a_script_that_nobody_knows_is_left_alone_and_the_remedy_is_named(project: Path) -> None:
    found = report(project)
    assert not found.changes
    said = [refusal.reason for refusal in found.refusals]
    assert any('`[effects."./tools/version.sh"]` in dockopt.toml can say what it does' in text for text in said), said


def test_a_declared_script_is_trusted_and_the_proof_says_so(project: Path) -> None:
    (project / "dockopt.toml").write_text(DECLARED)
    found = report(project)
    assert [change.proposal.rewrite for change in found.changes] == ["split-copy"]
    assert found.result.decode() == f"{BEGIN}COPY go.mod go.sum ./\n{DOWNLOAD}COPY . .\n{SCRIPT}"
    for change in found.changes:
        (assumption,) = (a for a in change.verdict.assumptions if a.startswith("declared-effects"))
        assert assumption == (
            'declared-effects: `./tools/version.sh` does what `[effects."./tools/version.sh"]` in `dockopt.toml` says '
            "and nothing else"
        )


def test_what_a_declared_script_writes_is_written(project: Path) -> None:
    for line in ('"go.mod"', '"/go/pkg/"', '"/usr/local/go/"'):
        (project / "dockopt.toml").write_text(DECLARED.replace('"version.txt"', line))
        assert report(project).result == DOCKERFILE


def test_the_nearest_file_counts_and_git_is_the_top(project: Path) -> None:
    assert find_configuration(project / "service" / "Dockerfile").path is None
    (project / "dockopt.toml").write_text("")
    (project / "service" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find_configuration(project / "service" / "Dockerfile").path == project / "dockopt.toml"
    (project / "service" / "pyproject.toml").write_text("[tool.dockopt.effects.x]\nreads = []\n")
    found = find_configuration(project / "service" / "Dockerfile")
    assert found.path == project / "service" / "pyproject.toml"
    (project / "service" / ".git").mkdir()
    (project / "service" / "pyproject.toml").unlink()
    assert find_configuration(project / "service" / "Dockerfile").path is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[effect.x]\n", "there is no setting `effect`; did you mean `effects`?"),
        ("[effects.x]\nread = []\n", "there is no setting `read`; did you mean `reads`?"),
        ("[effects.x]\nreads = 'a'\n", "`effects.x.reads` is no list of texts"),
        ("[effects.x]\nreads = [1]\n", "`effects.x.reads` is no list of texts"),
        ("[effects.x]\nnetwork = 'no'\n", "`effects.x.network` is neither true nor false"),
        ('[effects."x \'"]\n', "the command cannot be split into words"),
        ('[effects.""]\n', "is no command"),
        ("effects = 1\n", "`effects` is no table"),
        ("[effects]\nx = 1\n", "is no table"),
        ("[effects\n", "it is no TOML"),
    ],
)
def test_what_is_not_understood_is_said_with_its_place(project: Path, text: str, message: str) -> None:
    (project / "dockopt.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        find_configuration(project / "service" / "Dockerfile")
    assert message in str(caught.value)
    assert str(project / "dockopt.toml") in str(caught.value)
    found = report(project)
    assert found.error is not None
    assert message in found.error
