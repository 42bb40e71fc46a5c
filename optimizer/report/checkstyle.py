"""The XML of Checkstyle, which most tools that collect findings can read.

The elements are those of Checkstyle's own XMLLogger: `error` for a finding, `exception` for a file that could not be processed.
The attribute `fingerprint` is ours. There is no place for a fix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockopt.optimizer.fingerprint import place_of
from dockopt.optimizer.report.finding import Level, findings_of
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.optimizer.report.xml_text import HEADER, attributes, content

_SEVERITIES = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "info"}


def document(outcomes: Sequence[Outcome], shown: Shown) -> str:
    """One `file` for every Dockerfile, also for those without a finding."""
    return HEADER + "".join(f"{line}\n" for line in _lines(outcomes, shown))


def _lines(outcomes: Sequence[Outcome], shown: Shown) -> Iterator[str]:
    yield '<checkstyle version="10.0">'
    for outcome in outcomes:
        yield f"<file{attributes({'name': place_of(outcome.path)})}>"
        if outcome.error is not None:
            yield f"<exception>{content(outcome.error)}</exception>"
        for found in findings_of(outcome, shown):
            values = {
                "line": found.line,
                "column": 1,
                "severity": _SEVERITIES[found.level],
                "message": found.text,
                "source": f"dockopt.{found.rewrite}",
                "fingerprint": found.fingerprint,
            }
            yield f"<error{attributes(values)}/>"
        yield "</file>"
    yield "</checkstyle>"
