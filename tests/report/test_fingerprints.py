"""A fingerprint stays with its finding through edits elsewhere, and through where and how dockopt is called."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.fingerprint import fingerprint, identity, instruction_at, place_of, repository_of
from dockopt.optimizer.report.finding import findings_of
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.optimizer.syntax import parse

EXAMPLE = Path(__file__).parents[2] / "fixtures" / "examples" / "go-service"
TWO_STAGES = b"""FROM golang:1.22 AS build
RUN make
RUN make
FROM alpine
RUN make
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "service")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    monkeypatch.chdir(tmp_path / "service")
    repository_of.cache_clear()
    return tmp_path / "service"


def marks(source: bytes, path: str = "Dockerfile", context: Path = Path()) -> list[tuple[str, str]]:
    outcome = Outcome(path, analyze(Path(path), source, Options(context=context)))
    return [(found.rewrite, found.fingerprint) for found in findings_of(outcome, Shown())]


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: b"# a comment\n\n" + text,
        lambda text: text.replace(b"FROM golang", b"# why\nFROM golang"),
        lambda text: text + b"\nLABEL a=b\n",
        lambda text: text.replace(b"\nCOPY", b"\nENV A=b\nCOPY"),
        lambda text: text.replace(b"RUN CGO_ENABLED=0 go", b"run   CGO_ENABLED=0 \\\n  # why\n  go"),
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"FROM busybox AS tools\nRUN true\n\n" + text,
    ],
    ids=["lines-above", "comment", "lines-below", "instruction-above", "layout", "line-ends", "stage-in-front"],
)
def test_an_edit_elsewhere_changes_no_fingerprint(project: Path, edit: object) -> None:
    source = (project / "Dockerfile").read_bytes()
    assert callable(edit)
    edited = edit(source)
    assert edited != source
    assert marks(edited) == marks(source) != []


def test_another_instruction_is_another_finding(project: Path) -> None:
    source = (project / "Dockerfile").read_bytes()
    ((_, copy), (_, build)) = marks(source)
    ((_, same), (_, other)) = marks(source.replace(b"./cmd/shortlinks", b"-v ./cmd/shortlinks"))
    assert (copy, build != other) == (same, True)


def test_neither_the_directory_nor_the_machine_is_part_of_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (project / "Dockerfile").read_bytes()
    here = marks(source)
    monkeypatch.chdir(project.parent)
    assert marks(source, "service/Dockerfile", Path("service")) == here
    assert marks(source, str(project / "Dockerfile"), project) == here
    assert marks(source, "service/../service/Dockerfile", Path("service")) == here
    moved = project.parent.parent / "elsewhere"
    shutil.move(project.parent, moved)
    monkeypatch.chdir(moved)
    repository_of.cache_clear()
    assert marks(source, "service/Dockerfile", Path("service")) == here


def test_another_dockerfile_has_other_fingerprints(project: Path) -> None:
    source = (project / "Dockerfile").read_bytes()
    assert {mark for _, mark in marks(source)}.isdisjoint(mark for _, mark in marks(source, "other.Dockerfile"))


def test_equal_instructions_are_told_apart() -> None:
    dockerfile = parse(TWO_STAGES)
    found = [identity(dockerfile, instruction_at(dockerfile, line)) for line in (2, 3, 5)]
    assert len(set(found)) == 3
    assert len({fingerprint("rule", "Dockerfile", entry) for entry in found}) == 3
    assert fingerprint("rule", "Dockerfile", found[0]) != fingerprint("rule", "Dockerfile", found[0], 1)


def test_a_line_without_an_instruction_belongs_to_the_next_one() -> None:
    dockerfile = parse(b"# c\nFROM a\n\nRUN b\n\n")
    assert [getattr(instruction_at(dockerfile, line), "keyword", None) for line in (1, 2, 3, 4, 5)] == [
        "FROM",
        "FROM",
        "RUN",
        "RUN",
        None,
    ]
    assert identity(dockerfile, None) == ()


def test_no_two_lists_of_parts_are_one() -> None:
    assert fingerprint("a", "bc", ()) != fingerprint("ab", "c", ())
    assert fingerprint("a", "b", ("c", "d")) != fingerprint("a", "b", ("cd",))


def test_the_place_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a")
    repository_of.cache_clear()
    assert place_of("b/../Dockerfile") == "Dockerfile"
    assert place_of("../Dockerfile") == (tmp_path / "Dockerfile").as_posix()
    (tmp_path / ".git").mkdir()
    repository_of.cache_clear()
    assert place_of("b/Dockerfile") == "a/b/Dockerfile"
    repository_of.cache_clear()


def test_what_makes_a_fingerprint_is_not_changed_by_accident() -> None:
    """Baselines and merge requests of users hold these: a change here raises the version in the fingerprint."""
    assert fingerprint("split-copy", "Dockerfile", ("build", "COPY . .", "0")) == "c67aeef1c49e81277ac72ab874f21c09"
