"""go.sum: for which module versions a hash is there, and which ones a download would add."""

from __future__ import annotations

import pytest
from dockopt.optimizer.ecosystems.go.gosum import (
    missing_contents,
    missing_sums,
    parse_go_sum,
    replacement_of,
    requirements_after_replace,
)
from dockopt.optimizer.ecosystems.go.modfile import ModFileError, Replacement, parse_go_mod
from hypothesis import given
from hypothesis import strategies as st

HASH = "h1:ulPml9dGW4lJHC+SlOTsFe3k7vp9ViFaCABsUp6jBbM="
EMPTY_GO_MOD = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY="
HEAD = "module example.com/app\n\ngo 1.22\n"


def missing(mod: str, sums: str, *also: Replacement) -> list[str]:
    return list(missing_sums(parse_go_mod((HEAD + mod).encode(), "go.mod"), parse_go_sum(sums.encode()), also))


def asked(mod: str, *also: Replacement) -> list[tuple[str, str]]:
    return list(requirements_after_replace(parse_go_mod((HEAD + mod).encode(), "go.mod"), also))


# -- the file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"a.com/b v1.0.0 {HASH}\n",
        f"a.com/b v1.0.0 {HASH}",
        f"\n\n  a.com/b \t v1.0.0   {HASH}  \r\n\n",
        f"a.com/b v1.0.0 {HASH}\r\n",
        # twice, with another hash, and with a hash of a later Go
        f"a.com/b v1.0.0 {HASH}\na.com/b v1.0.0 {HASH}\n",
        f"a.com/b v1.0.0 h2:xyz\na.com/b v1.0.0 {HASH}\n",
    ],
)
def test_one_hash(text: str) -> None:
    assert parse_go_sum(text.encode()) == {("a.com/b", "v1.0.0")}


@pytest.mark.parametrize(
    "text", ["", "\n", " \t\r\n", f"a.com/b v1.0.0/go.mod {EMPTY_GO_MOD}\n", "a.com/b v1.0.0 h2:xyz\n"]
)
def test_no_usable_hash(text: str) -> None:
    assert parse_go_sum(text.encode()) == frozenset()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a.com/b v1.0.0\n", 1),
        (f"\na.com/b v1.0.0 {HASH} more\n", 2),
        (f"a.com/b v1.0.0 {HASH}\n\n<<<<<<< HEAD\n", 3),
        (f"a.com/b v1.0.0 {HASH}a.com/c v1.0.0 {HASH}\n", 1),
    ],
)
def test_a_line_with_other_than_three_fields(text: str, line: int) -> None:
    with pytest.raises(ModFileError, match="three fields") as caught:
        parse_go_sum(text.encode(), "x/go.sum")
    assert caught.value.line == line
    assert caught.value.path == "x/go.sum"


def test_bytes_that_are_no_text() -> None:
    assert parse_go_sum(b"a.com/\xff v1.0.0 " + HASH.encode()) == {("a.com/\udcff", "v1.0.0")}


# -- what a go.mod needs ---------------------------------------------------------------------------------------------


def test_content_and_go_mod_are_needed() -> None:
    mod = "require a.com/b v1.0.0\n"
    assert missing(mod, "") == ["a.com/b v1.0.0", "a.com/b v1.0.0/go.mod"]
    assert missing(mod, f"a.com/b v1.0.0 {HASH}\n") == ["a.com/b v1.0.0/go.mod"]
    assert missing(mod, f"a.com/b v1.0.0/go.mod {HASH}\n") == ["a.com/b v1.0.0"]
    assert missing(mod, f"a.com/b v1.0.0 {HASH}\na.com/b v1.0.0/go.mod {HASH}\n") == []
    assert missing(mod, f"a.com/b v1.0.1 {HASH}\na.com/b v1.0.1/go.mod {HASH}\n") != []


def test_indirect_requirements_count_and_doubles_do_not() -> None:
    twice = "require a.com/b v1.0.0 // indirect\nrequire a.com/b v1.0.0\n"
    assert missing(twice, "") == ["a.com/b v1.0.0", "a.com/b v1.0.0/go.mod"]


@pytest.mark.parametrize(
    ("replace", "expected"),
    [
        ("", [("a.com/b", "v1.0.0")]),
        ("exclude a.com/b v1.0.0\n", []),
        ("exclude a.com/b v1.0.1\n", [("a.com/b", "v1.0.0")]),
        ("replace a.com/b => ./b\n", []),
        ("replace a.com/b v1.0.0 => ./b\n", []),
        ("replace a.com/b v1.0.1 => ./b\n", [("a.com/b", "v1.0.0")]),
        ("replace a.com/c => ./b\n", [("a.com/b", "v1.0.0")]),
        ("replace a.com/b => c.com/d v2.0.0+incompatible\n", [("c.com/d", "v2.0.0+incompatible")]),
        # the exact version wins, wherever it stands
        ("replace a.com/b => ./b\nreplace a.com/b v1.0.0 => c.com/d v1.1.0\n", [("c.com/d", "v1.1.0")]),
        ("replace a.com/b v1.0.0 => c.com/d v1.1.0\nreplace a.com/b => ./b\n", [("c.com/d", "v1.1.0")]),
        # no chain: a replacement is not replaced again
        ("replace a.com/b => c.com/d v1.1.0\nreplace c.com/d => ./d\n", [("c.com/d", "v1.1.0")]),
    ],
)
def test_replacements(replace: str, expected: list[tuple[str, str]]) -> None:
    assert asked("require a.com/b v1.0.0\n" + replace) == expected


def test_replacements_of_a_workspace_win() -> None:
    exact = "require a.com/b v1.0.0\nreplace a.com/b v1.0.0 => c.com/d v1.1.0\n"
    local = Replacement("a.com/b", None, "./b", None, 1)
    other = Replacement("x.com/y", None, "./y", None, 1)
    remote = Replacement("a.com/b", "v1.0.0", "e.com/f", "v1.2.0", 1)
    assert asked(exact, other) == [("c.com/d", "v1.1.0")]
    assert asked(exact, local) == []
    assert asked(exact, local, remote) == [("e.com/f", "v1.2.0")]
    assert missing(exact, "", remote) == ["e.com/f v1.2.0", "e.com/f v1.2.0/go.mod"]


def test_the_last_of_two_general_replacements() -> None:
    first, second = Replacement("a", None, "./x", None, 1), Replacement("a", None, "./y", None, 2)
    assert replacement_of("a", "v1.0.0", (), (first, second)) is second
    assert replacement_of("b", "v1.0.0", (), (first, second)) is None


# -- every module of the graph ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ("", ()),
        ("a v1.0.0", ()),
        ("a v1.0.0/go.mod", ("a v1.0.0",)),
        ("a v1.0.0/go.mod, a v1.0.0", ()),
        # only the highest version is downloaded
        ("a v1.9.0/go.mod, a v1.10.0/go.mod, a v1.10.0", ()),
        ("a v1.9.0/go.mod, a v1.10.0/go.mod, a v1.9.0", ("a v1.10.0",)),
        ("a v1.0.0-rc.1/go.mod, a v1.0.0/go.mod, a v1.0.0", ()),
        ("a v1.0.0/go.mod, b v1.0.0", ("a v1.0.0",)),
        ("b v1.0.0/go.mod, a v1.0.0/go.mod", ("a v1.0.0", "b v1.0.0")),
    ],
)
def test_contents_of_all_modules(known: str, expected: tuple[str, ...]) -> None:
    sums = parse_go_sum("".join(f"{entry.strip()} {HASH}\n" for entry in known.split(",") if entry).encode())
    assert missing_contents(sums) == expected


MODULES = st.tuples(st.sampled_from(["a.com/b", "c.com/d"]), st.sampled_from(["v1.0.0", "v1.1.0", "v1.1.0-rc.1"]))


@given(st.lists(MODULES, max_size=4), st.sets(MODULES))
def test_what_is_missing_makes_it_complete(required: list[tuple[str, str]], have: set[tuple[str, str]]) -> None:
    mod = "".join(f"require {path} {version}\n" for path, version in required)
    text = "".join(f"{path} {version} {HASH}\n" for path, version in have)
    lacking = missing(mod, text)
    assert {entry.split()[0] for entry in lacking} <= {path for path, _ in required}
    assert missing(mod, text + "".join(f"{entry} {HASH}\n" for entry in lacking)) == []
    for entry in lacking:
        assert missing(mod, text + "".join(f"{other} {HASH}\n" for other in lacking if other != entry)) == [entry]
