"""Ranges as npm, Python, Composer and RubyGems mean them, and the tags that they lead to."""

from __future__ import annotations

import pytest
from dockopt.optimizer.evidence.releases import EVERY, Version, all_of, parse_range, version_of
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("18", (18,)), ("18.x", (18,)), ("v18", (18,)), ("^18.2", (18,)), ("~18", (18,)), ("~18.17.1", (18, 17)), ("18.17.1", (18, 17, 1)),
        (">=18 <19", (18,)), (">=18.2.0 <19.0.0", (18,)), ("18 - 18.5", None), ("^18 || ^18.2", (18,)), ("18.* || 18.4.x", (18,)),
        (">=18", None), ("^18 || ^20", None), (">=18 <=18.17.3", None), ("*", None), ("", None), ("latest", None), ("^18-beta", None),
        (">=18.17.3 <=18.17.3", (18, 17, 3)), ("<18", None), ("18.1.2.3", None),
    ],
)  # fmt: skip
def test_npm(text: str, tag: Version | None) -> None:
    found = parse_range(text)
    assert (found.tag((1, 2, 3)) if found is not None else None) == tag


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        (">=3.11,<3.12", (3, 11)), ("==3.11.*", (3, 11)), ("~=3.11.2", (3, 11)), ("==3.11", (3, 11, 0)), (">=3.11", None), ("~=3.11", None),
        ("^3.11", None), ("~3.11", (3, 11)), (">=3.10,<3.12,!=3.10.*", (3, 11)), (">=3.11,!=3.12.*,<3.13", (3, 11)), (">=3.11, <4", None),
    ],
)  # fmt: skip
def test_python(text: str, tag: Version | None) -> None:
    found = parse_range(text, padded=True)
    assert found is not None
    assert found.tag((2, 3)) == tag


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("~8.2", None),
        ("~8.2.1", (8, 2)),
        ("8.2.*", (8, 2)),
        ("^8.2", None),
        (">=8.2 <8.3", (8, 2)),
        ("~8.2.0 || ~8.3.0", None),
    ],
)
def test_composer(text: str, tag: Version | None) -> None:
    found = parse_range(text, tilde_keeps_all_but_last=True, padded=True)
    assert found is not None
    assert found.tag((2, 3)) == tag


@pytest.mark.parametrize(
    ("text", "tag"), [("~> 3.3.0", (3, 3)), ("~> 3.3", None), ("3.3.1", (3, 3, 1)), (">= 3.1, < 3.2", (3, 1))]
)
def test_ruby(text: str, tag: Version | None) -> None:
    found = parse_range(text, padded=True)
    assert found is not None
    assert found.tag((2, 3)) == tag


@given(
    st.lists(
        st.tuples(
            st.sampled_from([">=", "<=", ">", "<", "==", "!=", "~="]),
            st.tuples(st.just(3), st.integers(7, 9)) | st.tuples(st.just(3), st.integers(7, 9), st.integers(0, 2)),
        ),
        min_size=1,
        max_size=3,
    ),
    st.integers(6, 10),
    st.integers(0, 4),
)
def test_as_packaging_reads_specifiers(parts: list[tuple[str, Version]], minor: int, patch: int) -> None:
    text = ", ".join(f"{operator}{'.'.join(map(str, version))}" for operator, version in parts)
    found = parse_range(text, padded=True)
    assert found is not None
    assert found.holds((3, minor, patch)) == SpecifierSet(text).contains(f"3.{minor}.{patch}")


@given(st.text(alphabet="^~<>=!|, .x*v-0123456789", max_size=12))
def test_whatever_is_read_has_ordered_spans(text: str) -> None:
    found = parse_range(text)
    if found is not None:
        assert all(low < high for low, high in found.spans)
        assert (found & EVERY) == found


def test_a_tag_stands_for_its_newest_release() -> None:
    assert all_of((1, 22)).holds((1, 22))
    assert not all_of((1, 22, 3)).holds((1, 22))
    assert version_of("v20.11.0") == (20, 11, 0)
    assert version_of("20.11.0-rc1") is None
