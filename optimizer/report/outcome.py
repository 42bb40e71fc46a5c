"""What one call has to say about one file: the report of the engine with its diffs and what happened on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from dockopt.optimizer.apply import Applied, apply_edits
from dockopt.optimizer.proposal import Change, Edit, FileReport
from dockopt.optimizer.report.diff import FileDiff, unified_diff


@dataclass(frozen=True, slots=True)
class Shown:
    """What the caller wants to see beside safe changes."""

    explain: bool = False
    refusals: bool = False
    unproven: bool = False
    all: bool = False
    quiet: bool = False


@dataclass(slots=True)
class Outcome:
    """One file of one call."""

    path: str
    report: FileReport | None = None
    #: why there is no report, or why it could not be acted on: `path:line:column: message`
    error: str | None = None
    #: the error is a defect of dockopt
    internal: bool = False
    written: bool = False
    #: two builds have shown the same image
    verified: bool = False
    #: old bytes of `report.other_files` (path relative to the context), None for a new file
    other_before: Mapping[str, bytes | None] = field(default_factory=dict)

    def diff(self) -> FileDiff:
        """The diff of the Dockerfile over all safe changes; no lines where there is none."""
        if self.report is None:
            return FileDiff(())
        return unified_diff(self.path, self.report.source, self.report.result)

    def other_diffs(self) -> dict[str, FileDiff]:
        """The diffs of the other files of the same changes, by their path relative to the context."""
        if self.report is None:
            return {}
        context = PurePath(self.report.context or ".")
        return {
            path: unified_diff(str(context / path), self.other_before.get(path), after)
            for path, after in sorted(self.report.other_files.items())
        }

    def findings(self, shown: Shown) -> int:
        """How many things `--check` complains of.

        That is every change that would be applied, repairs, advice that is more than a note, and, where they are asked for,
        changes of the image.
        """
        if self.report is None:
            return 0
        wrong = sum(advice.level != "note" for advice in self.report.advice)
        return (
            len(self.report.changes) + len(self.report.repairs) + wrong + (len(self.report.offered) if shown.all else 0)
        )


def source_lines(report: FileReport) -> list[int]:
    """For every safe change the line of the *source* that it speaks of.

    A change is found in the text that the changes before it left, so its own line may be off by what those inserted.
    The texts are replayed and each line is followed back; one that an earlier change wrote is given the line where that
    change begins. Where the replay does not end in `report.result`, the lines stay as they are.
    """
    given = [change.proposal.line for change in report.changes]
    if len(given) < 2:
        return given
    text = report.source
    steps: list[Applied] = []
    starts: list[bytes] = []
    for change in report.changes:
        starts.append(text)
        applied = apply_edits(text, _dockerfile_edits(change))
        if applied.skipped:
            return given
        steps.append(applied)
        text = applied.result
    if text != report.result:
        return given
    lines: list[int] = []
    for index, line in enumerate(given):
        offset = _offset_of_line(starts[index], line)
        for step in reversed(steps[:index]):
            offset = _old_offset(step.applied, offset)
        lines.append(report.source.count(b"\n", 0, offset) + 1)
    return lines


def _dockerfile_edits(change: Change) -> list[Edit]:
    return [edit for edit in change.proposal.edits if not edit.path]


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
