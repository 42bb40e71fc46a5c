"""JSON Lines: one object per finding or advice, and one per file that could not be processed, for tools that read line by line.

Described in `docs/report.md`; the fields of a finding are those of `docs/report.schema.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockopt.optimizer.fingerprint import place_of
from dockopt.optimizer.proposal import Advice
from dockopt.optimizer.report.finding import findings_of
from dockopt.optimizer.report.json import Json, finding_entry, path_entry, prose
from dockopt.optimizer.report.outcome import Outcome, Shown


def document(outcomes: Sequence[Outcome], shown: Shown) -> str:
    """The lines, ASCII only; nothing where there is nothing to say."""
    import json

    return "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in _lines(outcomes, shown))


def _lines(outcomes: Sequence[Outcome], shown: Shown) -> Iterator[Json]:
    for outcome in outcomes:
        where = {"path": path_entry(outcome.path), "place": path_entry(place_of(outcome.path))}
        if outcome.error is not None:
            yield {"kind": "error", **where, "error": prose(outcome.error), "internalError": outcome.internal}
        for found in findings_of(outcome, shown):
            kind = "advice" if isinstance(found.source, Advice) else "finding"
            yield {"kind": kind, **where, **finding_entry(found)}
