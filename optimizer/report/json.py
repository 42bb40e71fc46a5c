"""The report for programs: one JSON document per call, described in `docs/report.md` and `docs/report.schema.json`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from dockopt import __version__
from dockopt.optimizer.proposal import Advice, Change, Edit, Refusal, Verdict
from dockopt.optimizer.report.diff import FileDiff
from dockopt.optimizer.report.outcome import Outcome, source_lines

#: raised when a field goes or changes its meaning; new fields may appear without notice
SCHEMA_VERSION = 1

Json = dict[str, Any]


def document(outcomes: Sequence[Outcome]) -> str:
    """The whole document, ASCII only, with a new line at its end."""
    import json

    content = {"schema": SCHEMA_VERSION, "version": __version__, "files": [_file(outcome) for outcome in outcomes]}
    return json.dumps(content, indent=2, ensure_ascii=True) + "\n"


def lossless(content: bytes) -> str | dict[str, str]:
    """Bytes as a JSON string where they are UTF-8, else as `{"base64": …}`; both give back the very same bytes."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        import base64

        return {"base64": base64.b64encode(content).decode("ascii")}


def _path(path: str) -> str | dict[str, str]:
    return lossless(os.fsencode(path))


def _prose(text: str) -> str:
    """Words meant for people; a lone surrogate (a byte of a file name that is no UTF-8) becomes an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _file(outcome: Outcome) -> Json:
    report = outcome.report
    entry: Json = {
        "path": _path(outcome.path),
        "context": None,
        "contextReason": None,
        "error": None if outcome.error is None else _prose(outcome.error),
        "internalError": outcome.internal,
        "written": outcome.written,
        "changes": [],
        "offered": [],
        "unproven": [],
        "repairs": [],
        "refusals": [],
        "advice": [],
        "notes": [],
        "result": None,
        "diff": None,
        "otherFiles": [],
    }
    if report is None:
        return entry
    entry["context"] = _path(report.context)
    entry["contextReason"] = _prose(report.context_reason)
    entry["changes"] = [
        _change(change, line) for change, line in zip(report.changes, source_lines(report), strict=True)
    ]
    entry["offered"] = [_change(change, change.proposal.line) for change in report.offered]
    entry["unproven"] = [_change(change, change.proposal.line) for change in report.unproven]
    entry["repairs"] = [_change(change, change.proposal.line) for change in report.repairs]
    entry["refusals"] = [_refusal(refusal) for refusal in report.refusals]
    entry["advice"] = [_advice(advice) for advice in report.advice]
    entry["notes"] = [_prose(note) for note in report.notes]
    if report.error is None:
        entry["result"] = lossless(report.result)
        entry["diff"] = _diff(outcome.diff())
        entry["otherFiles"] = [
            {"path": _path(path), "result": lossless(report.other_files[path]), "diff": _diff(diff)}
            for path, diff in outcome.other_diffs().items()
        ]
    return entry


def _diff(diff: FileDiff) -> str | dict[str, str]:
    return lossless(bytes(diff))


def _change(change: Change, line: int) -> Json:
    proposal = change.proposal
    return {
        "rewrite": proposal.rewrite,
        "line": line,
        "message": _prose(proposal.message),
        "gain": _prose(proposal.gain),
        "risk": _prose(proposal.risk),
        "notes": [_prose(note) for note in proposal.notes],
        "applicability": change.applicability.value,
        "declared": [_prose(text) for text in proposal.declared.described()],
        "edits": [_edit(edit) for edit in proposal.edits],
        "verdict": _verdict(change.verdict),
    }


def _edit(edit: Edit) -> Json:
    return {"path": _path(edit.path), "start": edit.start, "end": edit.end, "text": lossless(edit.text)}


def _verdict(verdict: Verdict) -> Json:
    return {
        "status": verdict.status,
        "differences": [_prose(name) for name in verdict.differences],
        "obligation": None if verdict.obligation is None else _prose(verdict.obligation),
        "line": verdict.line,
        "proof": {
            "compared": [_prose(text) for text in verdict.compared],
            "frozen": [{"path": _path(entry.path), "state": entry.state} for entry in verdict.frozen],
            "assumptions": [_prose(text) for text in verdict.assumptions],
        },
    }


def _advice(advice: Advice) -> Json:
    return {
        "rewrite": advice.rewrite,
        "line": advice.line,
        "level": advice.level,
        "message": _prose(advice.message),
        "remedy": _prose(advice.remedy),
        "causePath": _path(advice.cause_path),
        "causeLine": advice.cause_line,
    }


def _refusal(refusal: Refusal) -> Json:
    return {
        "rewrite": refusal.rewrite,
        "line": refusal.line,
        "reason": _prose(refusal.reason),
        "causePath": _path(refusal.cause_path),
        "causeLine": refusal.cause_line,
    }
