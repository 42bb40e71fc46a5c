"""Ignore files with many `*` are compared in no time, and mean what they meant."""

from __future__ import annotations

import pytest
from dockopt.optimizer.context import goregexp
from dockopt.optimizer.context.ignore import IgnoreRules, _expression, _without_choice
from hypothesis import given
from hypothesis import strategies as st

PIECES = ["a", "b", "ab", "*", "**", "?", "/", ".", "-", "[ab]", "(", "a*b", "é", "|", "{2}"]


@pytest.mark.parametrize("pattern", ["*a" * 40 + "*b", "x/" + "*a" * 40 + "*b", "*.a" * 30 + "*b", "*a-" * 30 + "*b"])
def test_many_stars(pattern: str) -> None:
    """With a choice in each of them, six take ten seconds."""
    rules = IgnoreRules.parse(pattern.encode(), ".dockerignore")
    for name in ("a" * 200, ".a" * 100, "a-" * 100):
        assert not rules.ignored(name)
        assert not rules.ignored(f"x/{name}")
    assert IgnoreRules.parse(("*a" * 20 + "*b").encode(), ".dockerignore").ignored("a" * 30 + "b")


@given(
    st.lists(st.sampled_from(PIECES), min_size=2, max_size=9).map("".join),
    st.lists(st.text("ab/.-é(", min_size=1, max_size=9), min_size=1, max_size=8),
)
def test_the_meaning_stays(pattern: str, paths: list[str]) -> None:
    try:
        plain = goregexp.translate(_expression(pattern)[1])
    except goregexp.RegexpError:
        return
    quick = _without_choice(plain)
    for path in paths:
        assert (quick.search(path) is None) == (plain.search(path) is None)


def test_the_choice_is_really_taken_out() -> None:
    assert "(?>" in _without_choice(goregexp.translate(_expression("*a*b*c")[1])).pattern
