"""One Dockerfile from bytes to report: the road of the whole program, without any output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockopt.optimizer.origin import SourceLines
from dockopt.optimizer.proposal import Change, FileReport, PassedOver, Refusal

if TYPE_CHECKING:
    from dockopt.optimizer.context import Located


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller wants of an analysis."""

    context: Path | None = None
    #: ids of rewrites to run; None means all that are on by default
    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    #: stop after the n-th change (a debugging aid); None means no limit
    bisect_limit: int | None = None
    #: why a proven change is not wanted, None if it is; it is then left alone for that reason
    passed_over: PassedOver | None = None


def analyze(path: Path, source: bytes, options: Options | None = None) -> FileReport:
    """Analyse one Dockerfile and return what would be changed, what was refused and why.

    `path` tells where the file lies (for its context); it is not read again. Never raises for bad input: `FileReport.error`
    then says what is wrong.
    """
    from dockopt.optimizer.inputs import InputError
    from dockopt.optimizer.opening import ContextUnreadable, open_build
    from dockopt.optimizer.plan import optimize
    from dockopt.optimizer.symbolic.execute import Unsupported
    from dockopt.rewrites.registry import REWRITES

    options = options or Options()
    report = FileReport(str(path), source, source)
    try:
        opened = open_build(path, source, options.context)
    except InputError as error:
        if isinstance(error, ContextUnreadable):
            _tell_context(report, error.located_context)
        report.error = error.located(str(path))
        return report
    _tell_context(report, opened.located)
    report.notes += opened.notes
    if opened.disagreement is not None:
        report.refusals.append(Refusal("syntax", 1, f"two parsers read this file differently: {opened.disagreement}"))
        return report
    rewrites = [
        rewrite
        for rewrite in REWRITES
        if (options.select is None or rewrite.id in options.select) and rewrite.id not in options.ignore
    ]
    try:
        plan = optimize(
            opened.build, rewrites, options.bisect_limit, options.select or frozenset(), options.passed_over
        )
    except Unsupported as error:
        report.refusals.append(Refusal("model", error.line, error.reason, "", error.line))
        return report
    report.result = plan.build.dockerfile.source
    report.other_files = dict(plan.build.other_files)
    report.changes = plan.changes
    lines = SourceLines(source, report.result)
    report.offered = [_of_change(change, lines) for change in plan.offered]
    report.unproven = [_of_change(change, lines) for change in plan.unproven]
    report.repairs = [_of_change(change, lines) for change in plan.repairs]
    report.refusals = [_of_refusal(refusal, lines) for refusal in plan.refusals]
    return report


def _of_change(change: Change, lines: SourceLines) -> Change:
    """Return a change with the line of its finding in the source; its edits speak of the changed text."""
    return replace(change, proposal=replace(change.proposal, line=lines.of(change.proposal.line)))


def _of_refusal(refusal: Refusal, lines: SourceLines) -> Refusal:
    cause = lines.of(refusal.cause_line) if not refusal.cause_path else refusal.cause_line
    return replace(refusal, line=lines.of(refusal.line), cause_line=cause)


def _tell_context(report: FileReport, located: Located) -> None:
    report.context, report.context_reason = _shown(located.context), located.reason


def _shown(context: Path) -> str:
    """Return the context as a user would write it: relative to the working directory where that is shorter."""
    import os

    relative = os.path.relpath(context)
    return relative if len(relative) < len(str(context)) else str(context)
