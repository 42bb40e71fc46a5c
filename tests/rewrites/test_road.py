"""The road of `docs/go.md`: each step of `fixtures/road/` is exactly what one call makes of the step before it.

`DOCKOPT_UPDATE_FIXTURES=1` writes what comes out today; read it before it is committed.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.proposal import FileReport

from benchmarks.road import ROAD, STEPS, Stop


def step(stop: Stop, source: bytes) -> FileReport:
    select = frozenset(stop.select) or None
    report = analyze(ROAD / "Dockerfile", source, Options(ROAD, select, named=frozenset(stop.select)))
    assert report.error is None
    return report


@pytest.mark.parametrize(("before", "after"), list(pairwise(STEPS)), ids=lambda stop: stop.name)
def test_each_step_comes_from_the_one_before(before: Stop, after: Stop) -> None:
    report = step(after, before.dockerfile.read_bytes())
    if os.environ.get("DOCKOPT_UPDATE_FIXTURES"):
        after.dockerfile.write_bytes(report.result)
    assert report.changes
    assert report.result.decode() == after.dockerfile.read_text()


def test_all_at_once_is_the_same_road() -> None:
    everything = frozenset(name for stop in STEPS for name in stop.select) | {"split-copy", "cache-mounts"}
    report = analyze(ROAD / "Dockerfile", STEPS[0].dockerfile.read_bytes(), Options(ROAD, everything, named=everything))
    assert report.result.decode() == STEPS[-1].dockerfile.read_text()


def test_the_end_of_the_road_is_one() -> None:
    source = STEPS[-1].dockerfile.read_bytes()
    for stop in STEPS[1:]:
        assert step(stop, source).result == source


def test_the_page_shows_every_step() -> None:
    page = (Path(__file__).parents[2] / "docs" / "go.md").read_text(encoding="utf-8")
    for stop in STEPS:
        assert stop.dockerfile.name in page
    assert f"```dockerfile\n{STEPS[0].dockerfile.read_text()}```" in page
    assert f"```dockerfile\n{STEPS[-1].dockerfile.read_text()}```" in page
