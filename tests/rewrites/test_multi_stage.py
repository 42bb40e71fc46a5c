"""A runtime stage of its own, together with the other rewrites: whatever the order, the same file comes out."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.rewrites.registry import REWRITES

FIXTURES = Path(__file__).parents[2] / "fixtures"
SAFE = tuple(r.id for r in REWRITES if not r.changes_image)
CASES = sorted(path.parent for path in FIXTURES.glob("multi-stage/*/expected.Dockerfile"))
PROJECTS = [
    *CASES,
    *(FIXTURES / "examples" / name for name in ("go-single-stage", "go-vendored", "go-chain", "go-templates")),
]


def fixed(case: Path, source: bytes, *rewrites: str) -> bytes:
    chosen = frozenset(rewrites)
    return analyze(case / "Dockerfile", source, Options(context=case, select=chosen, named=chosen)).result


@pytest.mark.parametrize("case", PROJECTS, ids=lambda case: case.name)
@pytest.mark.parametrize("others", [("static-go",), SAFE], ids=["static-go", "safe"])
def test_at_once_and_one_after_the_other_are_the_same(case: Path, others: tuple[str, ...]) -> None:
    source = (case / "Dockerfile").read_bytes()
    at_once = fixed(case, source, *others, "multi-stage")
    after = fixed(case, fixed(case, source, *others), "multi-stage")
    assert fixed(case, after, *others, "multi-stage").decode() == at_once.decode()
    before = fixed(case, fixed(case, source, "multi-stage"), *others)
    assert before.decode() == at_once.decode()
    assert fixed(case, at_once, *others, "multi-stage") == at_once


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_never_done_without_being_named(case: Path) -> None:
    source = (case / "Dockerfile").read_bytes()
    report = analyze(case / "Dockerfile", source, Options(context=case))
    assert not any(c.proposal.rewrite == "multi-stage" for c in (*report.changes, *report.offered))
