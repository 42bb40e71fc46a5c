"""One Dockerfile from bytes to report: the road of the whole program, without any output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dockopt.optimizer.cancellation import Proceed, go_on
from dockopt.optimizer.context.disk import WHOLE, Disk
from dockopt.optimizer.origin import SourceLines
from dockopt.optimizer.proposal import Advice, Change, FileReport, PassedOver, Refusal

if TYPE_CHECKING:
    from dockopt.optimizer.configuration.effective import Choice
    from dockopt.optimizer.context import Located
    from dockopt.optimizer.opening import Opened
    from dockopt.optimizer.plan import Rewrite
    from dockopt.optimizer.symbolic.memory import Pasts
    from dockopt.rewrites.registry import Rewrite as Registered

_Finding = TypeVar("_Finding", Refusal, Advice)


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller wants of an analysis."""

    context: Path | None = None
    #: ids of rewrites to run; None means all that are on by default
    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    #: ids of rewrites that the user has asked for by name in this very call: what they repair is applied, and what they change in
    #: the image if changing it is what they are for, or with `offers`
    named: frozenset[str] = frozenset()
    #: what the configuration names by `apply` is as good as named by the call; not so in an editor, which fixes all that is *safe*
    apply_configured: bool = True
    #: look also for what would change the image on purpose
    offers: bool = False
    #: stop after the n-th change (a debugging aid); None means no limit
    bisect_limit: int | None = None
    #: what of the file system may be looked at, with the unsaved texts of an editor
    disk: Disk = WHOLE
    #: called all along the way; what it raises ends the analysis (an editor that has a newer text)
    proceed: Proceed = go_on
    #: why a proven change is not wanted, None if it is; it is then left alone for that reason
    passed_over: PassedOver | None = None
    #: what is remembered of earlier analyses of the same Dockerfile; it is kept up by each
    pasts: Pasts | None = None


class Examined(NamedTuple):
    """A report, and the build that it speaks of, for further questions; None where the file could not be opened."""

    report: FileReport
    opened: Opened | None


def analyze(path: Path, source: bytes, options: Options | None = None) -> FileReport:
    """Analyse one Dockerfile and return what would be changed, what was refused and why.

    `path` tells where the file lies (for its context); it is not read again. Never raises for bad input: `FileReport.error`
    then says what is wrong.
    """
    return examine(path, source, options).report


def examine(path: Path, source: bytes, options: Options | None = None) -> Examined:
    """Analyse one Dockerfile as `analyze` does, and return the opened build too."""
    from dockopt.optimizer.inputs import InputError
    from dockopt.optimizer.opening import ContextUnreadable, open_build
    from dockopt.optimizer.plan import optimize
    from dockopt.optimizer.steps import measured
    from dockopt.optimizer.suppression import Guard
    from dockopt.optimizer.symbolic.execute import Unsupported
    from dockopt.rewrites.registry import REWRITES

    options = options or Options()
    report = FileReport(str(path), source, source)
    try:
        with measured(report.steps, "open"):
            opened = open_build(path, source, options.context, options.disk, options.pasts, options.proceed)
    except InputError as error:
        if isinstance(error, ContextUnreadable):
            _tell_context(report, error.located_context)
        report.error = error.located(str(path))
        return Examined(report, None)
    _tell_context(report, opened.located)
    report.notes += opened.notes
    if opened.disagreement is not None:
        report.refusals.append(Refusal("syntax", 1, f"two parsers read this file differently: {opened.disagreement}"))
        return Examined(report, opened)
    configuration = opened.build.configuration
    # what the configuration *selects* is not named: nothing that changes the image is applied without `apply` or the command line
    named = options.named | (configuration.applied if options.apply_configured else frozenset())
    choices = configuration.choices(rewrite.id for rewrite in REWRITES)
    wanted = [
        rewrite
        for rewrite in REWRITES
        if rewrite.id not in options.ignore and _is_wanted(rewrite, options, choices[rewrite.id], named)
    ]
    changing = frozenset(r.id for r in wanted if r.id in named and (r.changes_image or options.offers))
    guard = Guard(opened.build.dockerfile)
    rewrites: Sequence[Rewrite] = guard.around(wanted)
    try:
        plan = optimize(
            opened.build,
            rewrites,
            options.bisect_limit,
            repairing=named,
            changing=changing,
            passed_over=options.passed_over,
            steps=report.steps,
        )
    except Unsupported as error:
        _end(options)
        report.refusals.append(Refusal("model", error.line, error.reason, "", error.line))
        return Examined(report, opened)
    _end(options)
    complete = options.bisect_limit is None and options.passed_over is None
    report.notes += guard.notes((rewrite.id for rewrite in wanted), complete=complete)
    report.result = plan.build.dockerfile.source
    report.other_files = dict(plan.build.other_files)
    report.changes = plan.changes
    lines = SourceLines(source, report.result)
    report.offered = [_of_change(change, lines) for change in plan.offered]
    report.unproven = [_of_change(change, lines) for change in plan.unproven]
    report.repairs = [_of_change(change, lines) for change in plan.repairs]
    report.refusals = [_of_finding(refusal, lines) for refusal in plan.refusals]
    report.advice = [_of_finding(advice, lines) for advice in plan.advice]
    return Examined(report, opened)


def _end(options: Options) -> None:
    """End an analysis that was not given up: what is not remembered for it may go."""
    if options.pasts is not None:
        options.pasts.finish()


def _is_wanted(rewrite: Registered, options: Options, choice: Choice, named: frozenset[str]) -> bool:
    """Tell whether a rewrite runs: what the command line selects goes before what the configuration says."""
    if options.select is not None:
        return rewrite.id in options.select
    is_selected = choice.runs and choice.by is not None
    return is_selected or (choice.runs and (options.offers or not rewrite.changes_image or rewrite.id in named))


def _of_change(change: Change, lines: SourceLines) -> Change:
    """Return a change with the line of its finding in the source; its edits speak of the changed text."""
    return replace(change, proposal=replace(change.proposal, line=lines.of(change.proposal.line)))


def _of_finding(finding: _Finding, lines: SourceLines) -> _Finding:
    """Return a refusal or advice with lines of the source."""
    cause = lines.of(finding.cause_line) if not finding.cause_path else finding.cause_line
    return replace(finding, line=lines.of(finding.line), cause_line=cause)


def _tell_context(report: FileReport, located: Located) -> None:
    report.context, report.context_reason = _shown(located.context), located.reason


def _shown(context: Path) -> str:
    """Return the context as a user would write it: relative to the working directory where that is shorter."""
    import os

    relative = os.path.relpath(context)
    return relative if len(relative) < len(str(context)) else str(context)
