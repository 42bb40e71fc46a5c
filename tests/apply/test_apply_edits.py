import pytest
from dockopt.optimizer.apply import apply_edits, edits_by_path
from dockopt.optimizer.proposal import Edit
from hypothesis import given
from hypothesis import strategies as st

SOURCE = b"0123456789"


@pytest.mark.parametrize(
    ("edits", "result"),
    [
        pytest.param([], SOURCE, id="nothing"),
        pytest.param([Edit(2, 4, b"ab")], b"01ab456789", id="replacement"),
        pytest.param([Edit(8, 9, b"y"), Edit(1, 2, b"x")], b"0x234567y9", id="any-order"),
        pytest.param([Edit(2, 4, b"a"), Edit(4, 6, b"b")], b"01ab6789", id="touching-ranges"),
        pytest.param([Edit(4, 4, b"+"), Edit(2, 4, b"")], b"01+456789", id="insertion-at-the-end-of-a-range"),
        pytest.param([Edit(2, 4, b"-"), Edit(2, 2, b"+")], b"01+-456789", id="insertion-at-the-start-of-a-range"),
        pytest.param([Edit(3, 3, b"b"), Edit(3, 3, b"a")], b"012ba3456789", id="insertions-keep-their-order"),
        pytest.param([Edit(3, 3, b"a"), Edit(3, 3, b"a")], b"012a3456789", id="identical-insertions-count-once"),
        pytest.param([Edit(3, 5, b"a"), Edit(3, 5, b"a")], b"012a56789", id="identical-replacements-count-once"),
        pytest.param([Edit(0, 0, b"<"), Edit(10, 10, b">")], b"<0123456789>", id="both-ends"),
        pytest.param([Edit(0, 10, b"")], b"", id="everything"),
    ],
)
def test_edits_are_applied(edits: list[Edit], result: bytes) -> None:
    applied = apply_edits(SOURCE, edits)
    assert applied.result == result
    assert not applied.skipped


@pytest.mark.parametrize(
    ("edits", "result", "skipped", "reason"),
    [
        pytest.param(
            [Edit(2, 5, b"a"), Edit(4, 6, b"b")],
            b"01a56789",
            Edit(4, 6, b"b"),
            "overlaps the edit of bytes 2 to 5",
            id="partly",
        ),
        pytest.param([Edit(3, 4, b"b"), Edit(2, 5, b"a")], b"01a56789", Edit(3, 4, b"b"), "overlaps", id="inside"),
        pytest.param(
            [Edit(2, 5, b"a"), Edit(3, 3, b"b")], b"01a56789", Edit(3, 3, b"b"), "overlaps", id="insertion-inside"
        ),
        pytest.param([Edit(2, 5, b"a"), Edit(2, 5, b"b")], b"01a56789", Edit(2, 5, b"b"), "overlaps", id="two-texts"),
        pytest.param([Edit(-1, 2, b"")], SOURCE, Edit(-1, 2, b""), "no range", id="before-the-start"),
        pytest.param([Edit(3, 2, b"")], SOURCE, Edit(3, 2, b""), "no range", id="backwards"),
        pytest.param([Edit(9, 11, b"")], SOURCE, Edit(9, 11, b""), "the file has 10", id="past-the-end"),
    ],
)
def test_edits_are_skipped_with_a_reason(edits: list[Edit], result: bytes, skipped: Edit, reason: str) -> None:
    applied = apply_edits(SOURCE, edits)
    assert applied.result == result
    assert [edit for edit, _ in applied.skipped] == [skipped]
    assert reason in applied.skipped[0][1]


def test_edits_of_several_files_are_taken_apart_first() -> None:
    edits = [Edit(0, 0, b"a"), Edit(0, 0, b"b", ".dockerignore"), Edit(1, 1, b"c")]
    with pytest.raises(ValueError, match="several files"):
        apply_edits(SOURCE, edits)
    assert edits_by_path(edits) == {"": [edits[0], edits[2]], ".dockerignore": [edits[1]]}


# all of one file: `apply_edits` refuses to compare offsets of several
EDITS = st.lists(
    st.builds(Edit, st.integers(-1, 12), st.integers(-1, 12), st.binary(max_size=3), st.just("")), max_size=8
)


@given(EDITS)
def test_every_edit_is_applied_or_skipped_and_what_none_covers_stays(edits: list[Edit]) -> None:
    applied = apply_edits(SOURCE, edits)
    assert sorted((*applied.applied, *(edit for edit, _ in applied.skipped))) == sorted(set(edits))
    # an independent way to the same result: from the last edit to the first, in place
    text = bytearray(SOURCE)
    for edit in reversed(applied.applied):
        text[edit.start : edit.end] = edit.text
    assert bytes(text) == applied.result
    for left, right in zip(applied.applied, applied.applied[1:], strict=False):
        assert left.end <= right.start


@given(EDITS, st.randoms())
def test_the_order_given_matters_only_at_one_place(edits: list[Edit], random: object) -> None:
    distinct = list({(edit.start, edit.end): edit for edit in edits}.values())
    shuffled = list(distinct)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert apply_edits(SOURCE, shuffled).result == apply_edits(SOURCE, distinct).result
