"""The report for programs: one JSON document per call, described in `docs/report.md` and `docs/report.schema.json`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from typing import Any

from dockopt import __version__
from dockopt.optimizer.fingerprint import place_of
from dockopt.optimizer.proposal import Advice, Edit, Refusal, Verdict
from dockopt.optimizer.report.diff import FileDiff
from dockopt.optimizer.report.finding import Finding, all_findings
from dockopt.optimizer.report.outcome import Outcome, Shown

#: raised when a field goes or changes its meaning; new fields may appear without notice
SCHEMA_VERSION = 1

Json = dict[str, Any]


def document(outcomes: Sequence[Outcome], shown: Shown) -> str:  # noqa: ARG001 - programs get everything
    """The whole document, ASCII only, with a new line at its end; what `shown` asks for makes no difference."""
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


def path_entry(path: str) -> str | dict[str, str]:
    """A file name, see `lossless`."""
    return lossless(os.fsencode(path))


def prose(text: str) -> str:
    """Words meant for people; a lone surrogate (a byte of a file name that is no UTF-8) becomes an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _file(outcome: Outcome) -> Json:
    report = outcome.report
    entry: Json = {
        "path": path_entry(outcome.path),
        "place": path_entry(place_of(outcome.path)),
        "context": None,
        "contextReason": None,
        "error": None if outcome.error is None else prose(outcome.error),
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
    entry["context"] = path_entry(report.context)
    entry["contextReason"] = prose(report.context_reason)
    said = iter(all_findings(outcome))
    for kind in ("changes", "repairs", "offered", "unproven", "advice"):
        entry[kind] = [finding_entry(found) for found in islice(said, len(getattr(report, kind)))]
    entry["refusals"] = [_refusal(refusal) for refusal in report.refusals]
    entry["notes"] = [prose(note) for note in report.notes]
    if report.error is None:
        entry["result"] = lossless(report.result)
        entry["diff"] = _diff(outcome.diff())
        entry["otherFiles"] = [
            {"path": path_entry(path), "result": lossless(report.other_files[path]), "diff": _diff(diff)}
            for path, diff in outcome.other_diffs().items()
        ]
    return entry


def _diff(diff: FileDiff) -> str | dict[str, str]:
    return lossless(bytes(diff))


def finding_entry(found: Finding) -> Json:
    """One finding, as the JSON report and every line of JSON Lines have it; advice has other fields than a change."""
    change = found.source
    if isinstance(change, Advice):
        return _advice(change, found)
    proposal = change.proposal
    return {
        "rewrite": proposal.rewrite,
        "level": found.level.value,
        "fingerprint": found.fingerprint,
        "line": found.line,
        "endLine": found.end_line,
        "message": prose(proposal.message),
        "gain": prose(proposal.gain),
        "risk": prose(proposal.risk),
        "notes": [prose(note) for note in proposal.notes],
        "applicability": change.applicability.value,
        "declared": [prose(text) for text in proposal.declared.described()],
        "edits": [_edit(edit) for edit in proposal.edits],
        "fix": [_edit(edit) for file in found.fix for edit in file.edits],
        "verdict": _verdict(change.verdict),
    }


def _edit(edit: Edit) -> Json:
    return {"path": path_entry(edit.path), "start": edit.start, "end": edit.end, "text": lossless(edit.text)}


def _verdict(verdict: Verdict) -> Json:
    return {
        "status": verdict.status,
        "differences": [prose(name) for name in verdict.differences],
        "obligation": None if verdict.obligation is None else prose(verdict.obligation),
        "line": verdict.line,
        "proof": {
            "compared": [prose(text) for text in verdict.compared],
            "frozen": [{"path": path_entry(entry.path), "state": entry.state} for entry in verdict.frozen],
            "assumptions": [prose(text) for text in verdict.assumptions],
        },
    }


def _advice(advice: Advice, found: Finding) -> Json:
    return {
        "rewrite": advice.rewrite,
        "level": advice.level,
        "fingerprint": found.fingerprint,
        "line": advice.line,
        "endLine": found.end_line,
        "message": prose(advice.message),
        "remedy": prose(advice.remedy),
        "causePath": path_entry(advice.cause_path),
        "causeLine": advice.cause_line,
    }


def _refusal(refusal: Refusal) -> Json:
    return {
        "rewrite": refusal.rewrite,
        "line": refusal.line,
        "reason": prose(refusal.reason),
        "causePath": path_entry(refusal.cause_path),
        "causeLine": refusal.cause_line,
    }
