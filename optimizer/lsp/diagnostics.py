"""What the report says, as diagnostics: opportunities, not mistakes, so nothing louder than an information but a broken build."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dockopt import __version__
from dockopt.optimizer.lsp.analysis import Analysis, Finding
from dockopt.optimizer.lsp.client import Client
from dockopt.optimizer.lsp.edits import range_of
from dockopt.optimizer.lsp.settings import Settings
from dockopt.optimizer.proposal import Advice, Applicability
from dockopt.optimizer.report.safe_text import safe
from dockopt.optimizer.report.text import proof_line
from lsprotocol import types

#: other servers for Docker look at the same files; this tells whose finding it is
SOURCE = "dockopt"
_ERROR_PLACE = re.compile(r"(\d+):(\d+): ")
_SEVERITY = {
    Applicability.SAFE: types.DiagnosticSeverity.Information,
    Applicability.REPAIRS: types.DiagnosticSeverity.Warning,
}
_LEVEL = {"error": types.DiagnosticSeverity.Error, "warning": types.DiagnosticSeverity.Warning}
_MARK = {Applicability.CHANGES_IMAGE: " (changes the image)", Applicability.UNPROVEN: " (unproven)"}


def diagnostics(analysis: Analysis, client: Client, settings: Settings) -> list[types.Diagnostic]:
    """Return all diagnostics of a document, in the order of the command line's report."""
    if analysis.report.error is not None:
        return [_error(analysis, analysis.report.error)]
    found = [_finding(analysis, finding, client, settings) for finding in shown(analysis, settings)]
    return found + [_advice(analysis, advice) for advice in analysis.report.advice]


def shown(analysis: Analysis, settings: Settings) -> Iterator[Finding]:
    """Yield the findings that are diagnostics under some settings."""
    for finding in analysis.findings:
        if settings.image_changing or finding.change.applicability is not Applicability.CHANGES_IMAGE:
            yield finding
    if settings.unproven:
        yield from analysis.unproven


def _finding(analysis: Analysis, finding: Finding, client: Client, settings: Settings) -> types.Diagnostic:
    change = finding.change
    rewrite = change.proposal.rewrite
    href = None
    if settings.documentation is not None and client.describes_codes:
        href = types.CodeDescription(href=f"{settings.documentation.rstrip('/')}/{rewrite}.md")
    return types.Diagnostic(
        range=range_of(analysis.range_of_line(finding.line)),
        severity=_SEVERITY.get(change.applicability, types.DiagnosticSeverity.Hint),
        code=rewrite,
        code_description=href,
        source=SOURCE,
        message=message_of(finding),
        data=_data(rewrite, analysis),
    )


def _advice(analysis: Analysis, advice: Advice) -> types.Diagnostic:
    return types.Diagnostic(
        range=range_of(analysis.range_of_line(advice.line)),
        severity=_LEVEL.get(advice.level, types.DiagnosticSeverity.Information),
        code=advice.rewrite,
        source=SOURCE,
        message=safe(advice.message) + (f"\n{safe(advice.remedy)}" if advice.remedy else ""),
        data=_data(advice.rewrite, analysis),
    )


def message_of(finding: Finding) -> str:
    """Return the words of the command line for a finding: what is wrong, what the change gains, and what is proven."""
    proposal = finding.change.proposal
    lines = [safe(proposal.message) + _MARK.get(finding.change.applicability, "")]
    if proposal.gain:
        lines.append(f"gain: {safe(proposal.gain)}")
    lines.append(proof_line(finding.change.verdict))
    return "\n".join([*lines, *(f"note: {safe(note)}" for note in proposal.notes)])


def _data(rewrite: str, analysis: Analysis) -> dict[str, Any]:
    return {"rewrite": rewrite, "version": analysis.document.version, "dockopt": __version__}


def _error(analysis: Analysis, error: str) -> types.Diagnostic:
    """Return why there is no report, at its place where it has one."""
    message = error.removeprefix(f"{analysis.report.path}:").lstrip()
    place = _ERROR_PLACE.match(message)
    severity = types.DiagnosticSeverity.Information
    line = 1
    if place is not None:
        severity, line, message = types.DiagnosticSeverity.Error, int(place[1]), message[place.end() :]
    return types.Diagnostic(
        range=range_of(analysis.range_of_line(line)),
        severity=severity,
        code="syntax" if place is not None else "context",
        source=SOURCE,
        message=safe(message),
    )
