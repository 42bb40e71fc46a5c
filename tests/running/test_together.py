"""`non-root` together with the other rewrites that change the image: one after the other, and all at once, the same file comes out.

Those that choose the image have to come before it, as they do in the registry: they leave an image alone in which an account is made.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.rewrites.registry import REWRITES

FIXTURES = Path(__file__).parents[2] / "fixtures" / "non-root"
CHANGING = [rewrite.id for rewrite in REWRITES if rewrite.changes_image]
CHOOSES_IMAGE = ("multi-stage", "runtime-base")


def applied(case: Path, source: bytes, *names: str) -> bytes:
    chosen = frozenset(names)
    return analyze(case / "Dockerfile", source, Options(case, chosen, named=chosen)).result


@pytest.mark.parametrize(
    "name", ["go-on-alpine", "go-on-scratch", "volume-of-compose", "node-writes-uploads", "single-stage"]
)
def test_one_after_the_other_and_all_at_once_give_the_same_file(name: str) -> None:
    case = FIXTURES / name
    source = (case / "Dockerfile").read_bytes()
    alone = [rewrite for rewrite in CHANGING if applied(case, source, rewrite) != source]
    assert "non-root" in alone
    at_once = applied(case, source, *CHANGING)
    assert b"\nUSER " in at_once
    assert applied(case, at_once, *CHANGING) == at_once
    for order in permutations(alone):
        if any(order.index(name) > order.index("non-root") for name in CHOOSES_IMAGE if name in order):
            continue
        text = source
        for rewrite in (*order, *CHANGING):
            text = applied(case, text, rewrite)
        assert text == at_once, order


@pytest.mark.parametrize("name", CHOOSES_IMAGE)
def test_another_image_is_not_chosen_below_an_account(name: str) -> None:
    case = FIXTURES / ("single-stage" if name == "multi-stage" else "go-on-debian")
    source = (case / "Dockerfile").read_bytes()
    assert applied(case, source, name) != source
    text = applied(case, source, "non-root")
    assert text != source
    assert applied(case, text, name) == text
