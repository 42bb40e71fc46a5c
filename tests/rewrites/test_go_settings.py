"""Rewrites of the settings of a Go image: one after the other they give what they give together, and nothing without being named."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze

FIXTURES = Path(__file__).parents[2] / "fixtures"
CHANGING = ("env-match", "static-go", "runtime-base")
CASES = sorted(path.parent for name in CHANGING for path in FIXTURES.glob(f"{name}/*/Dockerfile"))


def result(case: Path, source: bytes, *names: str) -> bytes:
    chosen = frozenset(names)
    report = analyze(case / "Dockerfile", source, Options(context=case, select=chosen, named=chosen))
    assert report.error is None
    return report.result


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_one_after_the_other_is_all_at_once(case: Path) -> None:
    source = (case / "Dockerfile").read_bytes()
    after = source
    for name in CHANGING:
        after = result(case, after, name)
    together = result(case, source, *CHANGING)
    assert together == after
    assert result(case, together, *CHANGING) == together


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_nothing_of_it_comes_unasked(case: Path) -> None:
    report = analyze(case / "Dockerfile", (case / "Dockerfile").read_bytes(), Options(context=case))
    said = [*report.changes, *report.offered, *report.unproven]
    assert not {change.proposal.rewrite for change in said} & set(CHANGING)
    assert not {advice.rewrite for advice in report.advice} & set(CHANGING)
