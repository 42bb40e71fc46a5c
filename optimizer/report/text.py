"""The report for people: one line per finding, its reason, its proof, and the diff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dockopt.optimizer.proposal import Advice, Applicability, Change, FileReport, FrozenInput, Refusal, Verdict
from dockopt.optimizer.report.diff import FileDiff
from dockopt.optimizer.report.outcome import Outcome, Shown, source_lines
from dockopt.optimizer.report.safe_text import safe

_NAMED_INPUTS = 6


class Line(NamedTuple):
    """One line of output without its end, safe for terminals; `style` is a key of the terminal's palette."""

    text: str
    style: str = ""


Block = Line | FileDiff


def file_blocks(outcome: Outcome, shown: Shown) -> Iterator[Block]:
    """Everything that is said about one file; errors are not part of it (they go to standard error)."""
    report = outcome.report
    if report is None:
        return
    path = safe(outcome.path)
    offered = report.offered if shown.all else []
    unproven = report.unproven if shown.unproven else []
    rest = _left_over(report, shown)
    details = bool(report.repairs or offered or unproven or report.advice or (shown.refusals and report.refusals))
    if report.changes:
        yield Line(f"{path}: {_context(report)}", "file")
    elif not shown.quiet and not (report.repairs or offered or report.advice):
        yield Line(f"{path}: nothing to improve{f' ({rest})' if rest else ''}", "good")
    for change, line in zip(report.changes, source_lines(report), strict=True):
        changes = change.applicability is Applicability.CHANGES_IMAGE
        yield from _change(path, line, change, shown, mark=" (changes the image)" if changes else "")
    if report.changes and rest and not shown.quiet:
        yield Line(f"{path}: {rest}", "dim")
    if details and not report.changes:
        yield Line(f"{path}: {_context(report)}", "file")
    for change in report.repairs:
        mark = f" (`fix --write --select {safe(change.proposal.rewrite)}` applies it)"
        yield from _change(path, change.proposal.line, change, shown, mark=mark)
    for change in offered:
        mark = f" (changes the image; `fix --write --all --select {safe(change.proposal.rewrite)}` applies it)"
        yield from _change(path, change.proposal.line, change, shown, mark=mark)
    for change in unproven:
        yield from _change(path, change.proposal.line, change, shown, mark=" (unproven, not applied)")
    for advice in report.advice:
        yield from _advice(path, advice)
    if shown.refusals:
        yield from (_refusal(path, refusal) for refusal in report.refusals)
    for note in () if shown.quiet else report.notes:
        yield Line(f"{path}: note: {safe(note)}", "dim")


def diff_blocks(outcome: Outcome) -> Iterator[Block]:
    """The diffs of the Dockerfile and of the other files of its changes."""
    for diff in (outcome.diff(), *outcome.other_diffs().values()):
        if diff.lines:
            yield diff


def summary_line(outcomes: Sequence[Outcome]) -> Line:
    """One line over several files."""
    parts = []
    for written, verb in ((True, "improved"), (False, "can be improved")):
        counts = [len(outcome.report.changes) for outcome in outcomes if outcome.report and outcome.written == written]
        if any(counts):
            parts.append(f"{sum(map(bool, counts))} {verb} ({_counted(sum(counts), 'change')})")
    parts = parts or ["nothing to improve"]
    failed = sum(outcome.error is not None for outcome in outcomes)
    if failed:
        parts.append(f"{failed} could not be processed")
    return Line(f"{_counted(len(outcomes), 'file')}: {', '.join(parts)}", "summary")


def proof_line(verdict: Verdict) -> str:
    """The verdict in one line: what is the same, and for which contexts."""
    if verdict.status == "unproven":
        place = f" (line {verdict.line})" if verdict.line else ""
        return f"not proven: {safe(verdict.obligation or 'no reason was given')}{place}"
    if verdict.status == "repairs":
        return f"it does not build from nothing as it is: {safe(verdict.obligation or '')}"
    same = "same image"
    if verdict.status == "equal-but":
        same = f"same image but for {_names(verdict.differences)}"
    return f"{same}: proven for every context{_agreeing(verdict.frozen)}"


def _agreeing(frozen: Sequence[FrozenInput]) -> str:
    present = [entry.path for entry in frozen if entry.state not in ("absent", "ignored")]
    ignored = [entry.path for entry in frozen if entry.state == "ignored"]
    absent = [entry.path for entry in frozen if entry.state == "absent"]
    parts = []
    if present:
        parts.append(f"agrees on {_names(present)}")
    if ignored:
        parts.append(f"ignores {_names(ignored)}")
    if absent:
        parts.append(f"has no {_names(absent)}")
    if not parts:
        return ""
    head = ", ".join(parts[:-1])
    return f" that {head} and {parts[-1]}" if head else f" that {parts[-1]}"


def _names(names: Iterable[str]) -> str:
    shown = [safe(name) for name in names]
    if len(shown) > _NAMED_INPUTS + 1:
        shown[_NAMED_INPUTS:] = [f"{len(shown) - _NAMED_INPUTS} more"]
    return ", ".join(shown)


def _context(report: FileReport) -> str:
    reason = f" ({safe(report.context_reason)})" if report.context_reason else ""
    return f"context {safe(report.context or '.')}{reason}"


def _left_over(report: FileReport, shown: Shown) -> str:
    """`3 places left alone; --explain-refusals tells why`: what exists and is not shown, or nothing."""
    parts = []
    if report.refusals and not shown.refusals:
        parts.append(f"{_counted(len(report.refusals), 'place')} left alone; --explain-refusals tells why")
    if report.unproven and not shown.unproven:
        parts.append(f"{_counted(len(report.unproven), 'proposal')} not proven; --unproven shows them")
    if report.offered and not shown.all:
        parts.append(f"{_counted(len(report.offered), 'proposal')} would change the image; --all shows them")
    return "; ".join(parts)


def _change(path: str, line: int, change: Change, shown: Shown, mark: str = "") -> Iterator[Line]:
    proposal, verdict = change.proposal, change.verdict
    yield Line(f"{path}:{line}: {safe(proposal.rewrite)}: {safe(proposal.message)}{mark}", "finding")
    if proposal.gain:
        yield Line(f"  gain: {safe(proposal.gain)}", "gain")
    if proposal.risk:
        yield Line(f"  risk: {safe(proposal.risk)}", "risk")
    yield Line(f"  {proof_line(verdict)}", "proof")
    for note in proposal.notes:
        yield Line(f"  note: {safe(note)}", "dim")
    if not shown.explain:
        return
    for compared in verdict.compared:
        yield Line(f"    compared: {safe(compared)}", "dim")
    for entry in verdict.frozen:
        yield Line(f"    frozen: {safe(entry.path)} ({safe(entry.state)})", "dim")
    for assumption in verdict.assumptions:
        yield Line(f"    assumes: {safe(assumption)}", "dim")


def _advice(path: str, advice: Advice) -> Iterator[Line]:
    level = "" if advice.level == "note" else f"{advice.level}: "
    yield Line(
        f"{path}:{advice.line}: {safe(advice.rewrite)}: {level}{safe(advice.message)}{cause_of(advice)}",
        "finding" if level else "dim",
    )
    if advice.remedy:
        yield Line(f"  remedy: {safe(advice.remedy)}", "gain")


def _refusal(path: str, refusal: Refusal) -> Line:
    text = f"{path}:{refusal.line}: {safe(refusal.rewrite)}: left alone: {safe(refusal.reason)}{cause_of(refusal)}"
    return Line(text, "refusal")


def cause_of(finding: Refusal | Advice) -> str:
    """Where the cause of a finding stands, in brackets; empty where it is the finding's own line."""
    if finding.cause_path:
        place = f":{finding.cause_line}" if finding.cause_line else ""
        return f" ({safe(finding.cause_path)}{place})"
    if finding.cause_line and finding.cause_line != finding.line:
        return f" (line {finding.cause_line})"
    return ""


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
