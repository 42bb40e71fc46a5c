"""The Code Quality report of GitLab: a list of issues in the fields that GitLab reads of the Code Climate format.

docs.gitlab.com, "Code Quality": `description`, `check_name`, `fingerprint`, `severity`, `location.path`, `location.lines.begin`.
A merge request shows the issues that its target branch has not, by their fingerprint. There is no place for a fix.
"""

from __future__ import annotations

from collections.abc import Sequence

from dockopt.optimizer.report.finding import Level, findings
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.optimizer.report.safe_text import safe

_SEVERITIES = {Level.ERROR: "major", Level.WARNING: "minor", Level.NOTE: "info"}


def document(outcomes: Sequence[Outcome], shown: Shown) -> str:
    """The list, ASCII only; files that could not be processed have no place in it."""
    import json

    issues = [
        {
            "type": "issue",
            "check_name": found.rewrite,
            "description": safe(f"{found.message} ({found.gain})" if found.gain else found.message),
            "content": {"body": safe(found.text, keep="\n")},
            "categories": ["Performance"],
            "severity": _SEVERITIES[found.level],
            "fingerprint": found.fingerprint,
            "location": {"path": safe(found.place), "lines": {"begin": found.line, "end": found.end_line}},
        }
        for found in findings(outcomes, shown)
    ]
    return json.dumps(issues, indent=2) + "\n"
