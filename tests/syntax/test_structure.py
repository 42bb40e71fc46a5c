"""The view that users of `dockerfile-parse` know, and that library as a second opinion."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from dockerfile_parse import DockerfileParser
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse
from hypothesis import given, settings
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


def library_structure(data: bytes) -> list[dict[str, Any]]:
    source: Any = BytesIO(data)  # the library wants bytes here, whatever its stub says
    found: list[dict[str, Any]] = DockerfileParser(fileobj=source).structure
    return found


COMMENTS = ["# why\n", "  # indented\n", "#\n", "#a # b\n", "# ends in \\\n"]
KEYWORDS = ["RUN", "run", "Copy", "ENV", "LABEL", "CMD", "EXPOSE", "ONBUILD RUN", "USER", "VOLUME", "HEALTHCHECK CMD"]
ARGUMENTS = ["a=b", 'c="d e"', "f='g'", "x#=y", "$H=1", "i=\\j", "k=", "l--=", "é=日本"]


@st.composite
def inside_limits(draw: st.DrawFn) -> bytes:
    """A file of which the library understands all: continuations, comments within, blanks behind, CRLF, `escape`."""
    escape = draw(st.sampled_from("\\\\`"))
    lines = ["# syntax=docker/dockerfile:1\n"] if draw(st.booleans()) else []
    lines += [f"# escape={escape}\n"] if escape == "`" or draw(st.booleans()) else []
    lines += ["FROM alpine AS base\n"]
    for _ in range(draw(st.integers(0, 5))):
        lines += draw(st.lists(st.sampled_from([*COMMENTS, "\n", "  \n"]), max_size=2))
        line = draw(st.sampled_from(["", "  ", "\t"])) + draw(st.sampled_from(KEYWORDS)) + " "
        for argument in draw(st.lists(st.sampled_from(ARGUMENTS), min_size=1, max_size=4)):
            line += argument + draw(st.sampled_from([" ", "  ", "\t"]))
            if draw(st.booleans()):
                lines.append(line + escape + draw(st.sampled_from(["", " ", " \t"])) + "\n")
                lines += draw(st.lists(st.sampled_from(COMMENTS), max_size=2))
                line = draw(st.sampled_from(["", "    "]))
        lines.append(line + "z=z\n")
    whole = "".join(lines)
    if draw(st.booleans()):
        whole = whole.removesuffix("\n")
    return (whole.replace("\n", "\r\n") if draw(st.booleans()) else whole).encode()


@settings(max_examples=400)
@given(inside_limits())
def test_the_view_is_that_of_the_library(data: bytes) -> None:
    file = parse(data)
    assert view.outside_limits(file) is None
    assert view.structure(file) == library_structure(data)
    assert view.cross_check(file) is None


def test_both_agree_on_wild_files() -> None:
    """Whatever passes as inside the limits is there: no correct file may be refused for what the library gets wrong."""
    inside = 0
    for seed in range(4000):
        try:
            file = parse(source(seed))
        except DockerfileSyntaxError:
            continue
        assert view.cross_check(file) is None, file.source
        inside += view.outside_limits(file) is None
    assert inside > 300


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (b"FROM a\nRUN <<E\nb\nE\n", "here-document in line 2"),
        (b"FROM a\nRUN b \\\n\n c\n", "empty continuation line"),
        (b"FROM a\nRUN b\\\\\n", "at the end of a line"),
        (b"\xef\xbb\xbfFROM a\n", "unusual white space"),
        (b"FROM a\nRUN \xff\n", "not UTF-8"),
        (b"FROM a\nRUN b \\\n", "continuation without an end"),
        (b"FROM a\nRUN b \\\n# c\n", "continuation without an end"),
        (b"FROM a\nRUN\\\n b\n", "no argument behind the keyword in line 2"),
        (b"FROM a\nCMD\n", "no argument behind the keyword in line 2"),
        (b"# check=skip=all\n# escape=`\nFROM a\n", "`check` directive beside `escape`"),
        (b"#!/x\n# escape=`\nFROM a\n", "`escape` directive below a shebang"),
        (b"# syntax=\n# escape=`\nFROM a\nRUN b \\\n c\n", "looks like an `escape` directive"),
        (b"FROM a\nRUN b\rc\n", "unusual white space"),
        (b"FROM a\nRUN b\xc2\xa0\n", "unusual white space"),
    ],
)
def test_outside_its_limits_the_library_has_no_say(text: bytes, limit: str) -> None:
    file = parse(text)
    assert limit in (view.outside_limits(file) or "")
    assert view.cross_check(file) is None


GOOD = b"# a comment\nFROM alpine:3.20\nCOPY src /app\nRUN apk add --no-cache curl\n"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("instruction", "ADD", "reads line 3 differently: instruction is 'ADD', expected 'COPY'"),
        ("startline", 1, "reads line 2 differently: startline is 1, expected 2"),
        ("endline", 3, "reads line 3 differently: endline is 3, expected 2"),
        ("value", "src", "reads line 3 differently: value is 'src', expected 'src /app'"),
    ],
)
def test_each_difference_is_told_with_its_line(
    monkeypatch: pytest.MonkeyPatch, key: str, value: object, said: str
) -> None:
    entries = library_structure(GOOD)
    entries[2][key] = value
    monkeypatch.setattr(DockerfileParser, "structure", entries)
    assert said in (view.cross_check(parse(GOOD)) or "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda entries: entries[:-1], "finds 3 instructions and comments, expected 4, first difference near line 4"),
        (lambda entries: [*entries, entries[-1]], "finds 5 instructions and comments, expected 4"),
    ],
)
def test_an_instruction_too_few_or_too_many_is_told(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], said: str
) -> None:
    monkeypatch.setattr(DockerfileParser, "structure", change(library_structure(GOOD)))
    assert said in (view.cross_check(parse(GOOD)) or "")


def test_a_file_that_is_read_in_two_ways_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the two do not agree, one of them is wrong, and nobody knows which."""
    shutil.copytree(FIXTURES / "examples" / "go-service", tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "Dockerfile").read_bytes()
    options = Options(context=tmp_path)
    assert analyze(tmp_path / "Dockerfile", text, options).result != text
    monkeypatch.setattr(DockerfileParser, "structure", library_structure(text)[:-1])
    report = analyze(tmp_path / "Dockerfile", text, options)
    assert report.result == text
    assert not report.changes
    assert [refusal.rewrite for refusal in report.refusals] == ["syntax"]
    assert "two parsers read this file differently" in report.refusals[0].reason
