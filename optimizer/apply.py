"""Apply edits to the bytes of one file: the one routine of command line, planner, editor and tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dockopt.optimizer.proposal import Edit


class Applied(NamedTuple):
    """What became of a set of edits."""

    result: bytes
    #: the edits that are in `result`, by position; offsets are those of the old text
    applied: tuple[Edit, ...]
    skipped: tuple[tuple[Edit, str], ...]


def apply_edits(source: bytes, edits: Sequence[Edit]) -> Applied:
    """Apply `edits` (offsets in bytes of `source`, ranges half-open) and tell which were skipped, and why.

    Identical edits count once. Edits that only touch do not overlap: an insertion at the start or the end of a replaced
    range is kept, one inside it is not. Of two overlapping edits the one that starts first wins, then the shorter, then
    the one given first. Insertions at one place stay in the given order.

    Raises `ValueError` where the edits speak of more than one file: offsets of different files cannot be compared
    (`edits_by_path` takes them apart).
    """
    paths = {edit.path for edit in edits}
    if len(paths) > 1:
        raise ValueError(f"the edits speak of several files: {', '.join(sorted(map(repr, paths)))}")
    skipped: list[tuple[Edit, str]] = []
    inside: list[Edit] = []
    for edit in dict.fromkeys(edits):
        problem = _range_problem(edit, len(source))
        if problem is None:
            inside.append(edit)
        else:
            skipped.append((edit, problem))
    inside.sort(key=lambda edit: (edit.start, edit.end))
    pieces: list[bytes] = []
    applied: list[Edit] = []
    position = 0
    for edit in inside:
        if edit.start < position:
            last = applied[-1]
            skipped.append((edit, f"overlaps the edit of bytes {last.start} to {last.end}"))
            continue
        pieces += (source[position : edit.start], edit.text)
        applied.append(edit)
        position = edit.end
    pieces.append(source[position:])
    return Applied(b"".join(pieces), tuple(applied), tuple(skipped))


def edits_by_path(edits: Iterable[Edit]) -> dict[str, list[Edit]]:
    """Group edits by the file they speak of, in given order ("" is the Dockerfile)."""
    groups: dict[str, list[Edit]] = {}
    for edit in edits:
        groups.setdefault(edit.path, []).append(edit)
    return groups


def _range_problem(edit: Edit, size: int) -> str | None:
    if edit.start < 0 or edit.end < edit.start:
        return f"bytes {edit.start} to {edit.end} are no range"
    if edit.end > size:
        return f"ends at byte {edit.end}, but the file has {size}"
    return None
