"""Places in texts with all kinds of characters and line ends."""

from __future__ import annotations

import pytest
from dockopt.optimizer.lsp.positions import (
    ENCODINGS,
    LineIndex,
    NoSuchPlace,
    Place,
    smallest_replacement,
)
from hypothesis import given
from hypothesis import strategies as st

TEXTS = st.text(st.sampled_from("ab \t\f\x0b\x1c\x85\u2028\u2029é€🐳\ufeff\r\n"), max_size=40)


@pytest.mark.parametrize("separator", list("\x0b\f\x1c\x1d\x1e\x85\u2028\u2029"), ids=ascii)
def test_what_python_takes_for_a_line_end_is_none(separator: str) -> None:
    index = LineIndex(f"RUN a{separator}b\nRUN e\n")
    assert index.offset(Place(1, 4)) == len(f"RUN a{separator}b\nRUN ")
    assert index.place(len(f"RUN a{separator}b\n")) == Place(1, 0)


@pytest.mark.parametrize(
    ("text", "lines"), [("a\r\nb", 2), ("a\rb", 2), ("a\nb", 2), ("a\n\rb", 3), ("", 1), ("a\n", 2)]
)
def test_the_three_line_ends_of_the_protocol(text: str, lines: int) -> None:
    assert LineIndex(text).place(len(text)).line == lines - 1


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 9), ("utf-16", 7), ("utf-32", 6)])
def test_units_of_each_encoding(encoding: str, character: int) -> None:
    index = LineIndex("RUN 🐳 x", encoding)
    assert index.place(6) == Place(0, character)
    assert index.offset(Place(0, character)) == 6


def test_a_place_behind_a_line_is_its_end() -> None:
    index = LineIndex("ab\r\ncd")
    assert index.offset(Place(0, 99)) == 2
    assert index.offset(Place(7, 0)) == 6
    assert index.offset(Place(-1, 3)) == 0


def test_no_place_within_a_line_end_or_a_character() -> None:
    with pytest.raises(NoSuchPlace):
        LineIndex("a\r\nb").place(2)
    with pytest.raises(NoSuchPlace):
        LineIndex("é").from_byte(1)


def test_a_place_within_a_surrogate_pair_is_before_it() -> None:
    assert LineIndex("a🐳b").offset(Place(0, 2)) == 1


@given(TEXTS, st.sampled_from(ENCODINGS))
def test_places_and_offsets_are_inverse(text: str, encoding: str) -> None:
    index = LineIndex(text, encoding)
    for offset in range(len(text) + 1):
        try:
            place = index.place(offset)
        except NoSuchPlace:
            assert text[offset - 1 : offset + 1] == "\r\n"
            continue
        assert index.offset(place) == offset
        assert index.from_byte(index.to_byte(offset)) == offset


@given(TEXTS, TEXTS, st.sampled_from(ENCODINGS))
def test_the_smallest_replacement_can_be_told_and_gives_the_new_text(old: str, new: str, encoding: str) -> None:
    replacement = smallest_replacement(old, new)
    if replacement is None:
        assert old == new
        return
    index = LineIndex(old, encoding)
    where = index.range_of(replacement.start, replacement.end)
    start, end = index.offset(where.start), index.offset(where.end)
    assert old[:start] + replacement.text + old[end:] == new


def test_the_smallest_replacement_is_small() -> None:
    assert smallest_replacement("a\nb\nc\n", "a\nX\nc\n") == (2, 3, "X")
    assert smallest_replacement("aaa", "aa") == (2, 3, "")
    assert smallest_replacement("x\r\ny", "x\ny") is not None
