"""Lines of a changed Dockerfile followed back to the file that the user has."""

from __future__ import annotations

from collections.abc import Sequence

from dockopt.optimizer.apply import Applied, apply_edits
from dockopt.optimizer.proposal import Change, Edit


def lines_of_changes(source: bytes, changes: Sequence[Change], result: bytes | None = None) -> list[int]:
    """For every change the line of the *source* that it speaks of.

    A change is found in the text that the changes before it left, so its own line may be off by what those inserted.
    The texts are replayed and each line is followed back; one that an earlier change wrote is given the line where that
    change begins. Where the replay does not end in `result`, the lines stay as they are.
    """
    given = [change.proposal.line for change in changes]
    if len(given) < 2:
        return given
    text = source
    steps: list[Applied] = []
    starts: list[bytes] = []
    for change in changes:
        starts.append(text)
        applied = apply_edits(text, [edit for edit in change.proposal.edits if not edit.path])
        if applied.skipped:
            return given
        steps.append(applied)
        text = applied.result
    if result is not None and text != result:
        return given
    lines: list[int] = []
    for index, line in enumerate(given):
        offset = _offset_of_line(starts[index], line)
        for step in reversed(steps[:index]):
            offset = _old_offset(step.applied, offset)
        lines.append(source.count(b"\n", 0, offset) + 1)
    return lines


class SourceLines:
    """Translates lines of the changed text, of which the last round speaks, to lines of the text that the user has."""

    def __init__(self, source: bytes, result: bytes) -> None:
        self._lines: list[int] | None = None
        if source != result:
            from difflib import SequenceMatcher

            before, after = source.split(b"\n"), result.split(b"\n")
            self._lines = [1] * (len(after) + 1)
            moved = {text: i + 1 for i, text in reversed(list(enumerate(before))) if text.strip()}
            for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
                for j in range(j1, j2):
                    if tag == "equal":
                        self._lines[j + 1] = i1 + (j - j1) + 1
                    else:  # moved here from elsewhere, or new
                        self._lines[j + 1] = moved.get(after[j], max(1, min(i1 + 1, i2 or 1)))

    def of(self, line: int) -> int:
        """Return the line of the source from which a line of the result comes, or beside which it was written."""
        return self._lines[line] if self._lines is not None and 0 < line < len(self._lines) else line


def _offset_of_line(text: bytes, line: int) -> int:
    offset = 0
    for _ in range(line - 1):
        found = text.find(b"\n", offset)
        if found < 0:
            break
        offset = found + 1
    return offset


def _old_offset(applied: tuple[Edit, ...], offset: int) -> int:
    """Where a byte of the new text came from; a byte that an edit wrote comes from the start of that edit."""
    shift = 0  # new minus old
    for edit in applied:
        start = edit.start + shift
        if offset < start:
            break
        if offset < start + len(edit.text):
            return edit.start
        shift += len(edit.text) - (edit.end - edit.start)
    return offset - shift
