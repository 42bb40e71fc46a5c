"""The view that users of `dockerfile-parse` know, and that library as a second opinion."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse
from hypothesis import given
from hypothesis import strategies as st

from tests.syntax.generator import source

# the package has a function of the same name
view = importlib.import_module("dockopt.optimizer.syntax.structure")
FIXTURES = Path(__file__).parents[2] / "fixtures"
PATHS = sorted(path for path in FIXTURES.rglob("*ockerfile*") if path.is_file())


def test_keys_and_values() -> None:
    text = b"# syntax=docker/dockerfile:1\nFROM a \\\n# why\n  AS b\nRUN <<E\nc\nE\n"
    found = view.structure(parse(text))
    assert [(e["instruction"], e["startline"], e["endline"]) for e in found] == [
        ("COMMENT", 0, 0),
        ("COMMENT", 2, 2),
        ("FROM", 1, 3),
        ("RUN", 4, 6),
    ]
    assert found[2] == {
        "instruction": "FROM",
        "startline": 1,
        "endline": 3,
        "content": "FROM a \\\n  AS b\n",
        "value": "a   AS b",
    }
    assert found[3]["content"] == "RUN <<E\nc\nE\n"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_both_agree_on_fixtures(path: Path) -> None:
    assert view.cross_check(parse(path.read_bytes())) is None


@given(st.integers(0, 10**9))
def test_both_agree_inside_the_limits_of_the_library(seed: int) -> None:
    try:
        file = parse(source(seed))
    except DockerfileSyntaxError:
        return
    assert view.cross_check(file) is None


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (b"FROM a\nRUN <<E\nb\nE\n", "here-document in line 2"),
        (b"FROM a\nRUN b \\\n\n c\n", "empty continuation line"),
        (b"FROM a\nRUN b\\\\\n", "at the end of a line"),
        (b"\xef\xbb\xbfFROM a\n", "unusual white space"),
        (b"FROM a\nRUN \xff\n", "not UTF-8"),
        (b"FROM a\nRUN b \\\n", "continuation without an end"),
    ],
)
def test_outside_its_limits_the_library_has_no_say(text: bytes, limit: str) -> None:
    file = parse(text)
    assert limit in (view.outside_limits(file) or "")
    assert view.cross_check(file) is None


def test_a_file_that_is_read_in_two_ways_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the two do not agree, one of them is wrong, and nobody knows which."""
    monkeypatch.setattr(view, "_comment", lambda line: "something else")
    text = b"# a comment\nFROM alpine:3.20\nCOPY src /app\nRUN apk add --no-cache curl\n"
    (tmp_path / "src").mkdir()
    report = analyze(tmp_path / "Dockerfile", text, Options(context=tmp_path))
    assert report.result == text
    assert [refusal.rewrite for refusal in report.refusals] == ["syntax"]
    assert "two parsers" in report.refusals[0].reason
