"""Which stages a stage is built on: the nearest earlier one of exactly that name."""

from __future__ import annotations

import pytest
from dockopt.optimizer.lineage import lineage_of, made_by, parents_of
from dockopt.optimizer.syntax import parse


@pytest.mark.parametrize(
    ("text", "parents"),
    [
        ("FROM a\nFROM b\n", [None, None]),
        ("FROM x AS a\nFROM a AS b\nFROM b\n", [None, 0, 1]),
        ("FROM x AS a\nFROM y AS a\nFROM a\n", [None, None, 1]),
        ("FROM b AS a\nFROM a AS b\n", [None, 0]),
        ("FROM x AS Base\nFROM base\n", [None, 0]),
        ("FROM x AS a\nFROM 0\n", [None, None]),
        ("FROM x AS a\nFROM $B\n", [None, None]),
    ],
)
def test_the_stage_that_from_means(text: str, parents: list[int | None]) -> None:
    assert parents_of(parse(text.encode()).stages) == parents


def test_bases_with_their_variables_expanded() -> None:
    assert parents_of(parse(b"FROM x AS a\nFROM $B\n").stages, ["x", "a"]) == [None, 0]


def test_what_an_image_is_made_of() -> None:
    dockerfile = parse(b"FROM x AS a\nUSER 1\nFROM y AS a\nUSER 2\nFROM z\nUSER 3\nFROM a AS last\nUSER 4\n")
    assert lineage_of(dockerfile.stages, 3) == (3, 1)
    assert [instruction.args for instruction in made_by(dockerfile)] == ["2", "4"]
    assert [instruction.args for instruction in made_by(dockerfile, "2")] == ["3"]
