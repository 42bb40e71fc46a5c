"""Which changes are not to be reported again: those of a baseline, and those that a branch has nothing to do with."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dockopt.optimizer.context import gopath
from dockopt.optimizer.context.revision import Revision
from dockopt.optimizer.fingerprint import fingerprint, identity, instruction_at, place_of
from dockopt.optimizer.origin import SourceLines, lines_of_changes
from dockopt.optimizer.proposal import Advice, Change, FileReport, FrozenInput, PassedOver, Refusal
from dockopt.optimizer.report.finding import Finding, findings_of
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.optimizer.syntax import parse

IN_BASELINE = "it is in the baseline"


@dataclass
class Branch:
    """What a branch did to one Dockerfile and to the files beside it, compared with the commit where it began."""

    base: Revision
    #: as the user names the commit
    name: str
    #: the Dockerfile as it was, None where it is new
    old: bytes | None
    #: the findings that the old Dockerfile has among the files of today; None where it is the same
    old_findings: frozenset[str] | None
    #: what the proofs' paths are relative to
    context: Path
    #: the files that say what belongs to the context
    ignore_files: tuple[Path, ...] = ()
    _cache: dict[FrozenInput, bool] = field(default_factory=dict, repr=False)

    def touched_input(self, inputs: Sequence[FrozenInput]) -> bool:
        """Tell whether a file on which a proof rests came, went or changed; the ignore files are among them."""
        return any(map(self._changed, self.ignore_files)) or any(map(self._touched, inputs))

    def had(self, marks: set[str]) -> bool:
        """Tell whether one of these findings is older than the branch."""
        return self.old is not None and (self.old_findings is None or not marks.isdisjoint(self.old_findings))

    def _touched(self, entry: FrozenInput) -> bool:
        if entry not in self._cache:
            self._cache[entry] = self._differs(entry)
        return self._cache[entry]

    def _differs(self, entry: FrozenInput) -> bool:
        path = self.context / entry.path
        place = self._from_top(path)
        if place is None:  # outside of the repository there is nothing that a branch could touch
            return False
        if entry.state.startswith("selects "):
            return self._selected(place) != {
                self._from_top(self.context / name) for name in _selected_today(entry.state)
            }
        if entry.state == "directory":
            return not self.base.has_directory(place)
        if entry.state in ("absent", "ignored"):
            return self._was_there(place) and not os.path.lexists(path)
        return self._changed(path)

    def _was_there(self, place: str) -> bool:
        return place in self.base.files() or self.base.has_directory(place)

    def _changed(self, path: Path) -> bool:
        """Tell whether a file differs, line ends aside, or whether it is there on one side only."""
        place = self._from_top(path)
        old = None if place is None else self.base.read(place)
        try:
            new = path.read_bytes()
        except OSError:
            return old is not None
        return old is None or _lines(old) != _lines(new)

    def _selected(self, pattern: str) -> set[str | None]:
        depth = pattern.count("/")
        names = {"/".join(path.split("/")[: depth + 1]) for path in self.base.files() if path.count("/") >= depth}
        try:
            return {name for name in names if gopath.match(pattern, name)}
        except gopath.BadPatternError:
            return set()

    def _from_top(self, path: Path) -> str | None:
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links are not followed
        return absolute.relative_to(self.base.top).as_posix() if absolute.is_relative_to(self.base.top) else None


def _lines(content: bytes) -> bytes:
    r"""Return a text with `\n` at the ends of its lines: git may have put others into the work tree (`core.autocrlf`)."""
    return content.replace(b"\r\n", b"\n")


def _selected_today(state: str) -> list[str]:
    names = state.removeprefix("selects ")
    return [] if names == "nothing" else names.split(", ")


#: analyses a text that lies at the path of the Dockerfile
Analyze = Callable[[bytes, PassedOver | None], FileReport]
#: more rounds than rewrites that can stand in for each other
_MAX_ROUNDS = 20


def every_finding(path: str, source: bytes, shown: Shown, analyze: Analyze) -> list[Finding]:
    """Return all findings that a Dockerfile has, also those that come up only where others are left alone.

    A rewrite may propose something only because another one may not: without these a baseline would not keep its word.
    """
    found: list[Finding] = []
    known: frozenset[str] = frozenset()
    for _ in range(_MAX_ROUNDS):
        narrowing = Narrowing(path, source, known) if known else None
        report = analyze(source, narrowing)
        if narrowing is not None:
            narrowing.without_known_advice(report)
        new = [entry for entry in findings_of(Outcome(path, report), shown) if entry.fingerprint not in known]
        if not new:
            break
        found += new
        known |= {entry.fingerprint for entry in new}
    return found


class Narrowing:
    """Says of every change of one Dockerfile why it is not to be reported, None if it is (`PassedOver`)."""

    def __init__(
        self, path: str, source: bytes, baseline: frozenset[str] = frozenset(), branch: Branch | None = None
    ) -> None:
        """Ask for the changes of the Dockerfile at `path` that are not in `baseline`, and that `branch` has touched."""
        self._place = place_of(path)
        self._source = source
        self._baseline = baseline
        self._branch = branch
        self._lines: tuple[bytes, SourceLines] | None = None
        self._dockerfile = parse(source)
        #: entries of the baseline that were met
        self.met: set[str] = set()

    def __call__(self, before: Sequence[Change], change: Change, text: bytes) -> str | None:
        """Return why a change is not to be reported, None if it is."""
        # the report finds the line of a change that was applied in one way, and that of all others in another
        lines = {lines_of_changes(self._source, (*before, change))[-1], self._moved(text).of(change.proposal.line)}
        return self._reason(change.proposal.rewrite, lines, change.verdict.frozen)

    def without_known_advice(self, report: FileReport) -> FileReport:
        """Return the report with advice that is not wanted among the refusals; whoever plans changes is not asked for it."""
        kept: list[Advice] = []
        for advice in report.advice:
            cause = (FrozenInput(advice.cause_path, "file"),) if advice.cause_path else ()
            reason = self._reason(advice.rewrite, {advice.line}, cause)
            if reason is None:
                kept.append(advice)
            else:
                report.refusals.append(Refusal(advice.rewrite, advice.line, reason))
        report.advice = kept
        return report

    def _reason(self, rewrite: str, lines: set[int], inputs: Sequence[FrozenInput]) -> str | None:
        instructions = [instruction_at(self._dockerfile, line) for line in lines]
        marks = {fingerprint(rewrite, self._place, identity(self._dockerfile, found)) for found in instructions}
        if not marks.isdisjoint(self._baseline):
            self.met |= marks & self._baseline
            return IN_BASELINE
        branch = self._branch
        if branch is None or not branch.had(marks) or branch.touched_input(inputs):
            return None
        if any(found is not None and self._is_touched(found.start_line, found.end_line) for found in instructions):
            return None
        return f"nothing that it speaks of was touched since `{branch.name}`"

    def _moved(self, text: bytes) -> SourceLines:
        if self._lines is None or self._lines[0] != text:
            self._lines = (text, SourceLines(self._source, text))
        return self._lines[1]

    def _is_touched(self, first: int, last: int) -> bool:
        """Tell whether the branch changed one of these lines of the Dockerfile, or took out one between them."""
        from dockopt.optimizer.report.diff import replaced_lines

        branch = self._branch
        if branch is None or branch.old is None:
            return False
        replaced = replaced_lines(_lines(self._source), _lines(branch.old))
        return any(start < last and end > first - 1 for start, end, _ in replaced)
