"""One Dockerfile from bytes to report: the road of the whole program, without any output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dockopt.optimizer.proposal import FileReport, Refusal


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller wants of an analysis."""

    context: Path | None = None
    #: ids of rewrites to run; None means all that are on by default
    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    #: stop after the n-th change (a debugging aid); None means no limit
    bisect_limit: int | None = None


def analyze(path: Path, source: bytes, options: Options | None = None) -> FileReport:
    """Analyse one Dockerfile and return what would be changed, what was refused and why.

    `path` tells where the file lies (for its context); it is not read again. Never raises for bad input: `FileReport.error`
    then says what is wrong.
    """
    from dockopt.optimizer.context import BuildContext, ContextError, IgnoreFileError, locate_context
    from dockopt.optimizer.model import Build, FrozenContext
    from dockopt.optimizer.plan import optimize
    from dockopt.optimizer.symbolic.execute import Unsupported
    from dockopt.optimizer.syntax import DockerfileSyntaxError, cross_check, parse
    from dockopt.rewrites.registry import REWRITES

    options = options or Options()
    report = FileReport(str(path), source, source)
    try:
        dockerfile = parse(source)
    except DockerfileSyntaxError as error:
        report.error = f"{path}:{error.line}:{error.column}: {error.message}"
        return report
    sources = [
        word
        for instruction in dockerfile.instructions
        if instruction.keyword in ("COPY", "ADD") and not instruction.has_flag("from")
        for word in instruction.words[:-1]
    ]
    located = locate_context(path, explicit=options.context, sources=sources)
    report.context, report.context_reason = _shown(located.context), located.reason
    try:
        reader = BuildContext(located.context, path)
    except (ContextError, IgnoreFileError) as error:
        report.error = f"{path}: the build context cannot be read: {error}"
        return report
    disagreement = cross_check(dockerfile)
    if disagreement is not None:
        report.refusals.append(Refusal("syntax", 1, f"two parsers read this file differently: {disagreement}"))
        return report
    rewrites = [
        rewrite
        for rewrite in REWRITES
        if (options.select is None or rewrite.id in options.select) and rewrite.id not in options.ignore
    ]
    build = Build(dockerfile, FrozenContext(reader), located.targets)
    try:
        plan = optimize(build, rewrites, options.bisect_limit)
    except Unsupported as error:
        report.refusals.append(Refusal("model", error.line, error.reason, "", error.line))
        return report
    report.result = plan.build.dockerfile.source
    report.changes, report.offered, report.unproven, report.refusals = (
        plan.changes,
        plan.offered,
        plan.unproven,
        plan.refusals,
    )
    return report


def _shown(context: Path) -> str:
    """Return the context as a user would write it: relative to the working directory where that is shorter."""
    import os

    relative = os.path.relpath(context)
    return relative if len(relative) < len(str(context)) else str(context)
