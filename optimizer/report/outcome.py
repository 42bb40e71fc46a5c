"""What one call has to say about one file: the report of the engine with its diffs and what happened on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from dockopt.optimizer.baseline import Entry
from dockopt.optimizer.origin import lines_of_changes
from dockopt.optimizer.proposal import FileReport
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
    #: two builds have shown the same image, or one that differs as declared
    verified: bool = False
    #: old bytes of `report.other_files` (path relative to the context), None for a new file
    other_before: Mapping[str, bytes | None] = field(default_factory=dict)
    #: fingerprints of findings that the file has, reported or not, and the entries that a new baseline would have
    met: frozenset[str] = frozenset()
    known: tuple[Entry, ...] = ()

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
    """For every safe change the line of the source that it speaks of."""
    return lines_of_changes(report.source, report.changes, report.result)
