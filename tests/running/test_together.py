"""`non-root` together with the other rewrites that change the image: one after the other, and all at once, the same file comes out.

Those that choose the image have to come before it, as they do in the registry: `runtime-base` leaves an image alone in which an
account is made, and `multi-stage` takes the account along.
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


def test_another_image_is_not_chosen_below_an_account() -> None:
    case = FIXTURES / "go-on-debian"
    source = (case / "Dockerfile").read_bytes()
    assert applied(case, source, "runtime-base") != source
    text = applied(case, source, "non-root")
    assert text != source
    assert applied(case, text, "runtime-base") == text


def test_a_stage_that_runs_takes_the_account_along() -> None:
    case = FIXTURES / "single-stage"
    text = applied(case, (case / "Dockerfile").read_bytes(), "non-root")
    assert b"adduser" in text
    builds, runs = applied(case, text, "multi-stage").split(b"\n\n")
    assert b"adduser" in builds
    assert b"USER" not in builds
    for line in (b"/etc/group /etc/group", b"/etc/passwd /etc/passwd", b"USER 10001:10001"):
        assert line in runs
