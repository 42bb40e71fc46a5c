"""SARIF 2.1.0, with fixes: for code scanning, editors and everything else that collects findings.

docs.oasis-open.org/sarif/sarif/v2.1.0. Paths are relative to `%SRCROOT%`, the top of the repository, which is where the log is read and
not known here. Regions count UTF-16 code units, lines end at `\\n` or `\\r\\n` (§3.14.18). A fix replaces whole lines of the files as they
are on disk; text that is no UTF-8 is inserted as `binary` (§3.3.3).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from dockopt import __version__
from dockopt.optimizer.fingerprint import place_of
from dockopt.optimizer.proposal import Change
from dockopt.optimizer.report.diff import split_lines
from dockopt.optimizer.report.finding import Finding, Level, findings
from dockopt.optimizer.report.fixes import FileFix, LineReplacement
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.optimizer.report.safe_text import safe

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
#: the name under which the fingerprint stands; its number is that of the way in which it is made
_FINGERPRINT = "dockopt/v1"
_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "note"}

Json = dict[str, Any]


def document(outcomes: Sequence[Outcome], shown: Shown) -> str:
    """One log with one run, ASCII only."""
    import json

    found = list(findings(outcomes, shown))
    rules = list(dict.fromkeys(finding.rewrite for finding in found))
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    run = {
        "tool": {
            "driver": {
                "name": "dockopt",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": _rules(rules),
            }
        },
        "automationDetails": {"id": "dockopt/"},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The top of the repository."}}},
        "columnKind": "utf16CodeUnits",
        "newlineSequences": ["\r\n", "\n"],
        "invocations": [{"executionSuccessful": not failed, "toolExecutionNotifications": list(map(_failure, failed))}],
        "results": [_result(finding, rules.index(finding.rewrite)) for finding in found],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=True) + "\n"


def _rules(ids: Iterable[str]) -> list[Json]:
    from dockopt.optimizer.rules import explanation, registered

    known = {rewrite.id: rewrite for rewrite in registered()}
    rules = []
    for name in ids:
        rule: Json = {"id": name, "defaultConfiguration": {"level": "warning"}}
        if name in known:
            summary = f"It {known[name].summary}."
            rule |= {
                "shortDescription": {"text": summary},
                "help": {"text": explanation(name).strip()},
                "properties": {"tags": ["performance", "docker"]},
            }
        rules.append(rule)
    return rules


def _result(finding: Finding, index: int) -> Json:
    result: Json = {
        "ruleId": finding.rewrite,
        "ruleIndex": index,
        "level": _LEVELS[finding.level],
        "message": {"text": safe(finding.text, keep="\n")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _location(finding.path),
                    "region": {"startLine": finding.line, "endLine": finding.end_line},
                }
            }
        ],
        "partialFingerprints": {_FINGERPRINT: finding.fingerprint},
        "properties": _properties(finding),
    }
    if finding.fix:
        result["fixes"] = [
            {
                "description": {"text": finding.fix_words},
                "artifactChanges": [_artifact_change(file) for file in finding.fix],
            }
        ]
    return result


def _properties(finding: Finding) -> Json:
    properties: Json = {"applicability": finding.applicability.value}
    if isinstance(finding.source, Change):
        verdict = finding.source.verdict
        properties |= {"verdict": verdict.status, "differences": [safe(name) for name in verdict.differences]}
    return properties


def _artifact_change(file: FileFix) -> Json:
    lines = split_lines(file.before or b"")
    return {
        "artifactLocation": _location(file.shown),
        "replacements": [_replacement(lines, replacement) for replacement in file.replacements],
    }


def _replacement(lines: Sequence[bytes], replacement: LineReplacement) -> Json:
    """A region of whole lines: it ends where the line below begins, or at the end of a last line without a new line."""
    (start_line, start_column), (end_line, end_column) = (
        _start(lines, replacement.first),
        _start(lines, replacement.last),
    )
    region = {"startLine": start_line, "startColumn": start_column, "endLine": end_line, "endColumn": end_column}
    # the content may be left out where nothing is inserted, but reviewdog 0.21 ends with a crash then
    return {"deletedRegion": region, "insertedContent": _content(replacement.text)}


def _start(lines: Sequence[bytes], index: int) -> tuple[int, int]:
    """Line and column, from 1, at which a line begins that has a number from 0; the end of the text for the one after the last."""
    if index and index == len(lines) and not lines[-1].endswith(b"\n"):
        text = lines[-1].decode("utf-8", "replace")
        return index, 1 + len(text.encode("utf-16-le")) // 2
    return index + 1, 1


def _content(text: bytes) -> Json:
    try:
        return {"text": text.decode("utf-8")}
    except UnicodeDecodeError:
        import base64

        return {"binary": base64.b64encode(text).decode("ascii")}


def _location(path: str) -> Json:
    from urllib.parse import quote

    place = place_of(path)
    if place.startswith("/"):
        return {"uri": f"file://{quote(os.fsencode(place))}"}
    return {"uri": quote(os.fsencode(place)), "uriBaseId": _ROOT}


def _failure(outcome: Outcome) -> Json:
    assert outcome.error is not None
    return {
        "level": "error",
        "message": {"text": safe(outcome.error)},
        "locations": [{"physicalLocation": {"artifactLocation": _location(outcome.path)}}],
    }
