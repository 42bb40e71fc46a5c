"""Code actions: a fix for each finding, all fixes at once, and a comment that ends the matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dockopt.optimizer.lsp.analysis import Analysis, Finding
from dockopt.optimizer.lsp.client import Client
from dockopt.optimizer.lsp.diagnostics import SOURCE
from dockopt.optimizer.lsp.documents import Documents
from dockopt.optimizer.lsp.edits import CannotEdit, fix_edit, insertion
from dockopt.optimizer.lsp.fixes import Fix
from dockopt.optimizer.lsp.handshake import FIX_ALL, QUICK_FIX
from dockopt.optimizer.lsp.positions import NoSuchPlace, Range
from dockopt.optimizer.proposal import Applicability
from dockopt.optimizer.report.safe_text import safe
from lsprotocol import types

_REASON = "reason…"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for."""

    first: int  # lines of the protocol, from 0
    last: int
    kinds: Sequence[str] | None
    diagnostics: Sequence[types.Diagnostic]

    def wants(self, kind: str) -> bool:
        """Tell whether a kind is asked for; kinds are a hierarchy, `source` asks for `source.fixAll.dockopt` too."""
        return self.kinds is None or any(not asked or f"{kind}.".startswith(f"{asked}.") for asked in self.kinds)

    def about(self, finding: Finding, line: int) -> list[types.Diagnostic]:
        """Return the client's diagnostics that speak of a finding at a line of the protocol."""
        rewrite = finding.change.proposal.rewrite
        return [d for d in self.diagnostics if (d.source, d.code) == (SOURCE, rewrite) and d.range.start.line == line]


def asked_of(params: types.CodeActionParams) -> Asked:
    """Read a request."""
    only = params.context.only
    return Asked(
        params.range.start.line,
        params.range.end.line,
        None if only is None else [str(getattr(kind, "value", kind)) for kind in only],
        params.context.diagnostics,
    )


def code_actions(analysis: Analysis, asked: Asked, client: Client, documents: Documents) -> list[types.CodeAction]:
    """Return the actions that are asked for. Raises Stale."""
    found: list[types.CodeAction] = []
    if asked.wants(QUICK_FIX):
        here = list(_here(analysis, asked))
        found += _quick_fixes(analysis, here, asked, client, documents)
        found += _ignoring(analysis, here, asked, client)
    if asked.wants(FIX_ALL) and analysis.report.changes:
        action = types.CodeAction(title=_all_title(analysis), kind=FIX_ALL)
        if client.defers:
            action.data = {"uri": analysis.document.uri, "version": analysis.document.version}
        else:
            action = resolved(action, analysis, client, documents)
        if action.data is not None or action.edit is not None:
            found.append(action)
    return found


def resolved(action: types.CodeAction, analysis: Analysis, client: Client, documents: Documents) -> types.CodeAction:
    """Add the edit of all safe fixes to its action; nothing has to be confirmed there, or saving would wait. Raises Stale."""
    fix = analysis.all_fixes
    if fix is not None:
        try:
            action.edit = fix_edit(analysis, fix, client, documents)
        except (CannotEdit, NoSuchPlace):
            action.edit = None
    return action


def _all_title(analysis: Analysis) -> str:
    count = len(analysis.report.changes)
    return f"dockopt: apply {'the change that keeps' if count == 1 else f'all {count} changes that keep'} the image"


def _here(analysis: Analysis, asked: Asked) -> Iterator[tuple[Finding, Range]]:
    """Yield the findings of the instructions that a range touches, with the range of the instruction."""
    for finding in analysis.findings:
        instruction = analysis.instruction_of(finding.line)
        if instruction is None:
            continue
        where = analysis.range_of_instruction(instruction)
        if where.start.line <= asked.last and asked.first <= where.end.line:
            yield finding, where


def _quick_fixes(
    analysis: Analysis, here: Iterable[tuple[Finding, Range]], asked: Asked, client: Client, documents: Documents
) -> Iterator[types.CodeAction]:
    preferred = False
    for finding, where in here:
        change = finding.change
        fix = analysis.fix(finding)
        if fix is None or not fix.texts:
            continue
        safe_change = change.applicability is Applicability.SAFE
        try:
            edit = fix_edit(analysis, fix, client, documents, confirm=_warning(finding))
        except (CannotEdit, NoSuchPlace):
            continue
        yield types.CodeAction(
            title=_title(finding, fix),
            kind=QUICK_FIX,
            diagnostics=asked.about(finding, where.start.line) or None,
            is_preferred=True if safe_change and not preferred else None,
            edit=edit,
        )
        preferred = preferred or safe_change


def _title(finding: Finding, fix: Fix) -> str:
    """Say whose action it is, what it brings, and what it costs."""
    proposal = finding.change.proposal
    mark = {
        Applicability.CHANGES_IMAGE: ", changes the image",
        Applicability.REPAIRS: ", repairs the build",
    }.get(finding.change.applicability, "")
    others = ""
    if fix.with_others:
        others = f" (with {fix.with_others} other change{'s' if fix.with_others > 1 else ''} before it)"
    return f"dockopt ({proposal.rewrite}{mark}): {safe(proposal.gain or proposal.message)}{others}"


def _warning(finding: Finding) -> str | None:
    """Return what a user should know before the edit is made; None for one that keeps the image."""
    change = finding.change
    if change.applicability is Applicability.SAFE:
        return None
    if change.applicability is Applicability.REPAIRS:
        return "it does not build as it is, so there is no image that could be kept"
    return f"the image will differ in {', '.join(safe(path) for path in change.verdict.differences) or 'what it says'}"


def _ignoring(
    analysis: Analysis, here: Iterable[tuple[Finding, Range]], asked: Asked, client: Client
) -> Iterator[types.CodeAction]:
    """Yield for each rewrite and instruction the action that puts a comment above it."""
    seen: set[tuple[str, int]] = set()
    for finding, where in here:
        rewrite = finding.change.proposal.rewrite
        instruction = analysis.instruction_of(finding.line)
        if instruction is None or (rewrite, instruction.start_line) in seen or analysis.tree is None:
            continue
        seen.add((rewrite, instruction.start_line))
        raw = instruction.raw
        indent = raw[: len(raw) - len(raw.lstrip(b" \t"))].decode("ascii")
        newline = analysis.tree.newline.decode("ascii")
        text = f"# dockopt: ignore={rewrite} {_REASON}{newline}{indent}"
        yield types.CodeAction(
            title=f"dockopt ({rewrite}): ignore here",
            kind=QUICK_FIX,
            diagnostics=asked.about(finding, where.start.line) or None,
            edit=insertion(analysis, Range(where.start, where.start), text, client),
        )
