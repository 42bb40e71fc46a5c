"""`non-root` together with the other rewrites that change the image: in any order, and all at once, the same file comes out."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.rewrites.registry import REWRITES

FIXTURES = Path(__file__).parents[2] / "fixtures" / "non-root"
CHANGING = [rewrite.id for rewrite in REWRITES if rewrite.changes_image]


def applied(case: Path, source: bytes, *names: str) -> bytes:
    chosen = frozenset(names)
    return analyze(case / "Dockerfile", source, Options(case, chosen, named=chosen)).result


@pytest.mark.parametrize("name", ["go-on-alpine", "go-on-scratch", "node-writes-uploads", "single-stage"])
def test_any_order_and_all_at_once_give_the_same_file(name: str) -> None:
    case = FIXTURES / name
    source = (case / "Dockerfile").read_bytes()
    alone = [rewrite for rewrite in CHANGING if applied(case, source, rewrite) != source]
    assert "non-root" in alone
    at_once = applied(case, source, *CHANGING)
    assert b"\nUSER 1" in at_once
    assert applied(case, at_once, *CHANGING) == at_once
    for order in permutations(alone):
        text = source
        for rewrite in (*order, *CHANGING):
            text = applied(case, text, rewrite)
        assert text == at_once, order
