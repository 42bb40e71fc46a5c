"""No change makes BuildKit's own checks (`docker build --check`) complain of more than before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soundness.keys_oracle import KeysOracle, build
from tests.syntax.oracle_client import find_go

FIXTURES = Path(__file__).parents[2] / "fixtures"
CHANGED = sorted(path.parent for path in FIXTURES.glob("*/*/expected.Dockerfile"))
ROAD = sorted((FIXTURES / "road" / "steps").iterdir())
CASING = "ConsistentInstructionCasing"


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeysOracle]:
    if find_go() is None:
        pytest.skip("needs go to compile BuildKit's own code")
    found = KeysOracle(build(tmp_path_factory.mktemp("oracle")))
    yield found
    found.close()


def test_no_golden_case_has_more_warnings_than_before(oracle: KeysOracle) -> None:
    assert len(CHANGED) > 200
    worse = {}
    for case in CHANGED:
        before = oracle.checks((case / "Dockerfile").read_bytes())
        after = oracle.checks((case / "expected.Dockerfile").read_bytes())
        if isinstance(before, str):
            # not today's BuildKit (a Windows base, a platform of another builder): nothing is worse than a failure
            continue
        more = after if isinstance(after, str) else after - before
        if CASING in before and isinstance(more, Counter):
            # it complains of whichever case is rarer in a file of both; new lines follow their neighbours
            del more[CASING]
        if more:
            worse[f"{case.parent.name}/{case.name}"] = more
    assert not worse


def test_the_road_ends_without_a_warning(oracle: KeysOracle) -> None:
    assert oracle.checks(ROAD[-1].read_bytes()) == {}


def test_checks_are_really_made(oracle: KeysOracle) -> None:
    assert oracle.checks(b"FROM alpine AS Build\nWORKDIR app\n") == {"StageNameCasing": 1, "WorkdirRelativePath": 1}
