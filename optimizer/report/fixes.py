"""What a finding would do to the files on disk, as replacements of whole lines: one notion for all formats.

The changes of a report build on each other: the proof of the second speaks of the text that the first one left. So the fix of a
finding is all changes up to its own; every one of these texts is proven, while one change picked out of the middle is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import NamedTuple

from dockopt.optimizer.apply import apply_edits, edits_by_path
from dockopt.optimizer.proposal import Edit
from dockopt.optimizer.report.diff import FileDiff, replaced_lines, split_lines, unified_diff
from dockopt.optimizer.report.outcome import Outcome


class LineReplacement(NamedTuple):
    """Replace the lines [first, last), counted from 0, by `text`; lines end at `\\n`, the last one of a file may lack it."""

    first: int
    last: int
    text: bytes


class FileFix(NamedTuple):
    """One file before and after a fix."""

    #: relative to the build context, "" is the Dockerfile
    path: str
    #: as the user would name it, from the working directory
    shown: str
    #: None for a new file
    before: bytes | None
    after: bytes

    @property
    def replacements(self) -> tuple[LineReplacement, ...]:
        """The lines that differ, from top to bottom."""
        return tuple(LineReplacement(*found) for found in replaced_lines(self.before or b"", self.after))

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The same in bytes of the old file."""
        starts = [0]
        for line in split_lines(self.before or b""):
            starts.append(starts[-1] + len(line))
        return tuple(Edit(starts[first], starts[last], text, self.path) for first, last, text in self.replacements)

    def diff(self) -> FileDiff:
        """The same as a patch."""
        return unified_diff(self.shown, self.before, self.after)


Fix = tuple[FileFix, ...]


def fixes_of_changes(outcome: Outcome) -> list[Fix]:
    """Return the fix of every safe change: what the file and those beside it are once it and all before it are applied.

    Where the replay does not end in the result of the report, each has the whole result.
    """
    report = outcome.report
    if report is None:
        return []
    texts: dict[str, bytes] = {}
    steps: list[dict[str, bytes]] = []
    for change in report.changes:
        for path, edits in edits_by_path(change.proposal.edits).items():
            applied = apply_edits(texts.get(path, _before(outcome, path) or b""), edits)
            texts[path] = applied.result
        steps.append(dict(texts))
    whole = {"": report.result, **report.other_files}
    if steps and {"": report.source, **steps[-1]} != whole:
        steps = [whole] * len(steps)
    return [tuple(_file_fixes(outcome, step)) for step in steps]


def _file_fixes(outcome: Outcome, texts: dict[str, bytes]) -> Iterator[FileFix]:
    report = outcome.report
    assert report is not None
    for path, after in sorted(texts.items()):
        before = _before(outcome, path)
        if before != after:
            shown = str(PurePath(report.context or ".") / path) if path else outcome.path
            yield FileFix(path, shown, before, after)


def _before(outcome: Outcome, path: str) -> bytes | None:
    report = outcome.report
    assert report is not None
    return outcome.other_before.get(path) if path else report.source
