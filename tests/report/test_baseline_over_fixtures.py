"""A baseline keeps its word over all fixtures: what it holds is not reported again, and nothing comes up in its place."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.narrowing import Narrowing, every_finding
from dockopt.optimizer.proposal import FileReport, PassedOver
from dockopt.optimizer.report.finding import all_findings
from dockopt.optimizer.report.outcome import Outcome, Shown

FIXTURES = Path(__file__).parents[2] / "fixtures"
#: each is analysed four times and more: one in six, or all where `DOCKOPT_ALL_FIXTURES` is set
CASES = sorted(path.parent for path in FIXTURES.glob("*/*/Dockerfile"))[
    :: 1 if os.environ.get("DOCKOPT_ALL_FIXTURES") else 6
]
SHOWN = Shown(all=True, unproven=True)


def report_of(case: Path, source: bytes, passed_over: PassedOver | None) -> FileReport:
    return analyze(case / "Dockerfile", source, Options(context=case, passed_over=passed_over))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_what_is_in_the_baseline_is_not_reported(case: Path) -> None:
    path, source = str(case / "Dockerfile"), (case / "Dockerfile").read_bytes()
    known = {found.fingerprint for found in every_finding(path, source, SHOWN, partial(report_of, case))}
    plain = {found.fingerprint for found in all_findings(Outcome(path, report_of(case, source, None)))}
    assert plain <= known
    narrowing = Narrowing(path, source, frozenset(known))
    narrowed = narrowing.without_known_advice(report_of(case, source, narrowing))
    assert all_findings(Outcome(path, narrowed)) == []
    assert narrowed.result == source
    assert not narrowed.other_files
