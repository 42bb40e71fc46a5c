"""Every byte of a file belongs to one node, and texts map back to their bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.syntax import Dockerfile, DockerfileSyntaxError, parse
from hypothesis import given
from hypothesis import strategies as st

from tests.syntax.generator import source

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures").rglob("*ockerfile*"))
FILES = [path for path in FIXTURES if path.is_file()]


def parsed(data: bytes) -> Dockerfile | None:
    try:
        return parse(data)
    except DockerfileSyntaxError as error:
        assert 0 <= error.offset <= len(data)
        assert error.line >= 1
        assert error.column >= 1
        return None


def check(data: bytes) -> None:
    file = parsed(data)
    if file is None:
        return
    assert b"".join(node.raw for node in file.nodes) == data
    at = 0
    for node in file.nodes:
        assert (node.span.start, node.span.end) == (at, at + len(node.raw))
        at = node.span.end
    for instruction in file.instructions:
        inside = range(instruction.span.start, instruction.span.end + 1)
        start, end = instruction.args_start, len(instruction.logical)
        assert instruction.offset_of(start) in inside
        assert instruction.offset_of(end) in inside
        for flag in instruction.flags:
            assert data[flag.span.start : flag.span.end].decode("utf-8", "surrogateescape")[:2] in (
                "--",
                '"-',
                "'-",
                "\\-",
                "`-",
            )
        for heredoc in instruction.heredocs:
            assert instruction.span.start <= heredoc.span.start <= heredoc.span.end <= instruction.span.end


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_fixtures(path: Path) -> None:
    check(path.read_bytes())


@given(st.integers(0, 10**9))
def test_generated(seed: int) -> None:
    check(source(seed))


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    check(data)


@given(st.integers(0, 10**9), st.data())
def test_a_file_cut_anywhere(seed: int, data: st.DataObject) -> None:
    whole = source(seed)
    check(whole[: data.draw(st.integers(0, len(whole)))])
