"""Versions of modules and of Go are read and compared as golang.org/x/mod and the go command do."""

from __future__ import annotations

import itertools

import pytest
from dockopt.optimizer.ecosystems.go.versions import (
    canonical,
    fits_path,
    go_version_key,
    import_path_problem,
    path_major,
    semver_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ecosystems.go.oracle_client import Oracle

VERSIONS = (
    *(
        "v0.0.0 v1.2.3 v1.2.4 v1.10.0 v1 v1.2 v2.0.0 v10.0.0 v1.2.3-rc.1 v1.2.3-rc.2 v1.2.3-rc.10 v1.2.3-rc v1.2.3-1 v1.2.3-a "
        "v1.2.3-a.b v1.2.3-A v1.2.3-0 v1.2.3-00 v1.2.3-01 v1.2.3-0a v1.2.3-- v1.2.3- v1.2.3-a..b v1.2.3+meta v1.2.3-a+b.c "
        "v1.2.3+ v2.0.0+incompatible v3.1.0-pre+incompatible v01.2.3 v1.02.3 1.2.3 V1.2.3 v v1.2.3.4 v1.2.x v1.2-rc v1+meta "
        "latest v0.0.0-20200101000000-abcdefabcdef v1.2.4-0.20200101000000-abcdefabcdef v2.0.0-20200101000000-abcdefabcdef "
        "v１.2.3 v1.2.3-é v99999999999999999999.0.0"
    ).split(),
    "",
    "v1.2.3 ",
    "v1.2.3\n",
)
PATHS = (
    *(
        "a.com/b a.com/b/v2 a.com/b/v1 a.com/b/v0 a.com/b/v02 a.com/b/v10 a.com/b/v2.0 a.com/b/v.2 a.com/b/v a.com/v2 v2 /v2 "
        "a.com/b/V2 gopkg.in/yaml.v2 gopkg.in/yaml.v1 gopkg.in/yaml.v0 gopkg.in/yaml.v01 gopkg.in/yaml gopkg.in/x/y.v3 "
        "gopkg.in/x/y.v3-unstable gopkg.in/.v2 gopkg.in/yaml.v gopkg.in/yaml.v2/sub gopkg.in a a//b a/ /a -a a.com/-b a.com/.b "
        "a.com/b. a.com/b..c a.com/é a.com/b@v1 a.com/~1 a.com/b~1 a.com/con a.com/CON.txt a.com/com1 a.com/com10 a.com/lpt9.x "
        "a.com/aux/b a.com/x+y a.com/x_y a.com/x,y a.com/b/v2/v3 a.com/b/v3-unstable . .. a.com/v2.0.0"
    ).split(),
    "",
    "a.com/a b",
)
GO_VERSIONS = (
    *(
        "1.9 1.16 1.17 1.20 1.20.0 1.20.1 1.20rc1 1.21 1.21.0 1.21rc1 1.21rc2 1.21rc10 1.21beta1 1.21.1 1.22 1.22.10 1.22.9 "
        "1.100 2.0 1.0 1.21alpha3"
    ).split(),
)


def sign(left: object, right: object, *, less: bool) -> int:
    return 0 if left == right else -1 if less else 1


def check_paths(oracle: Oracle, pairs: list[tuple[str, str]]) -> None:
    for (path, version), theirs in zip(pairs, oracle.judge(pairs), strict=True):
        assert canonical(version) == theirs["canonical"], version
        assert path_major(path) == theirs["major"], path
        assert (import_path_problem(path) is None) == (theirs["import"] == ""), (path, theirs["import"])
        if theirs["canonical"] and theirs["major"] is not None:
            assert fits_path(canonical(version), path_major(path) or "") == theirs["fits"], (path, version)


def test_paths_and_versions(oracle: Oracle) -> None:
    check_paths(oracle, list(itertools.product(PATHS, VERSIONS)))


def test_module_versions_are_ordered(oracle: Oracle) -> None:
    pairs = list(itertools.product(VERSIONS, VERSIONS))
    for (left, right), theirs in zip(pairs, oracle.judge(pairs), strict=True):
        a, b = semver_key(left), semver_key(right)
        assert sign(a, b, less=a < b) == theirs["order"], (left, right)


def test_go_versions_are_ordered(oracle: Oracle) -> None:
    pairs = list(itertools.product(GO_VERSIONS, GO_VERSIONS))
    for (left, right), theirs in zip(pairs, oracle.judge(pairs), strict=True):
        a, b = go_version_key(left), go_version_key(right)
        assert sign(a, b, less=a < b) == theirs["goOrder"], (left, right)


@pytest.mark.parametrize("text", ["", "1", "go1.21", "1.21.", "1.021", "0.9", "1.21.1.1", "1.21 ", "v1.21", "1.21x"])
def test_no_go_version(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Go version"):
        go_version_key(text)


LETTERS = st.text("av12.0-+/~", max_size=8)


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            LETTERS.map("a.b/".__add__) | LETTERS | LETTERS.map("gopkg.in/x".__add__), LETTERS.map("v1.".__add__)
        ),
        max_size=20,
    )
)
def test_random_paths_and_versions(oracle: Oracle, pairs: list[tuple[str, str]]) -> None:
    check_paths(oracle, pairs)


@settings(max_examples=200)
@given(st.lists(st.text("01a.-A", max_size=6).map("v1.0.0-".__add__), max_size=5))
def test_random_pre_releases_are_ordered(oracle: Oracle, versions: list[str]) -> None:
    pairs = list(itertools.product(versions, versions))
    for (left, right), theirs in zip(pairs, oracle.judge(pairs), strict=True):
        a, b = semver_key(left), semver_key(right)
        assert sign(a, b, less=a < b) == theirs["order"], (left, right)
