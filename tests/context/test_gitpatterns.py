"""Patterns of ignore files mean what they mean to git."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from dockopt.optimizer.context.gitpatterns import decision, git_patterns
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PATHS = "a|b|ab|a.b|a b|[a]|A|a/b|a/a/b|b/a/ab|a/b/a/b|ab/a.b|b/ab/b/a|*|a*b|!a|#a|aXb|a/*".split("|")
PIECES = [
    "a",
    "b",
    "*",
    "**",
    "?",
    "/",
    "/",
    "[ab]",
    "[!a]",
    "[^b]",
    "[a-b]",
    "[b-a]",
    "[]a]",
    "[[:alpha:]]",
    "[\\]]",
    "[a-]",
    ".",
    "\\*",
    "\\a",
    "!",
    "#",
    " ",
    "[",
]


#: `**` beside other characters is an ordinary `*` (gitignore(5)); git itself takes it for more behind a literal beginning
ODD = re.compile(r"[^/]\*\*|\*\*[^/]")


def asked_of_git(top: Path, lines: list[str], paths: list[str]) -> dict[str, bool | None]:
    """Ask `git check-ignore` about paths that are not there, which count as files."""
    if not (top / ".git").exists():
        subprocess.run(["git", "init", "-q", os.fspath(top)], check=True)
    (top / ".gitignore").write_text("".join(f"{line}\n" for line in lines))
    command = ["git", "-C", os.fspath(top), "-c", "core.ignoreCase=false", "check-ignore"]
    command += ["--no-index", "--stdin", "-z", "-v", "-n"]
    answer = subprocess.run(command, input="\0".join(paths).encode(), stdout=subprocess.PIPE, check=False)
    assert answer.returncode in (0, 1)
    fields = answer.stdout.decode().split("\0")
    return {
        path: None if not pattern else not pattern.startswith("!")
        for pattern, path in zip(fields[2::4], fields[3::4], strict=False)
    }


def ours(lines: list[str], path: str) -> bool | None:
    """Go down as git does: what is in a directory that is ignored is ignored."""
    patterns = git_patterns(lines)
    parts = path.split("/")
    for end in range(1, len(parts)):
        said = decision(patterns, "/".join(parts[:end]) + "/")
        if said is not None:
            return said if said else decision(patterns, path)
    return decision(patterns, path)


@pytest.mark.skipif(shutil.which("git") is None, reason="asks git")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=6)
        .map("".join)
        .filter(lambda line: ODD.search(line) is None),
        min_size=1,
        max_size=2,
    )
)
def test_git_says_the_same(tmp_path: Path, lines: list[str]) -> None:
    theirs = asked_of_git(tmp_path, lines, PATHS)
    assert {path: bool(ours(lines, path)) for path in PATHS} == {path: bool(said) for path, said in theirs.items()}


@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        ("a*b", "x/aXXb", True),
        ("/a", "x/a", False),
        ("a/b", "x/a/b", False),
        ("**/a/b", "x/a/b", True),
        ("a/**/b", "a/b", True),
        ("a/**", "a", False),
        ("a/**", "a/b/c", True),
        ("a/", "a", False),
        ("a/", "a/", True),
        ("a/", "x/a/b", True),
        (r"\!a", "!a", True),
        ("a\\", "a", False),
        ("a  ", "a", True),
        ("# a", "# a", False),
        ("", "a", False),
        ("*a" * 40 + "b", "a" * 200, False),
        ("**/" * 40 + "b", "a/" * 60 + "a", False),
    ],
)
def test_one_pattern(pattern: str, path: str, meant: bool) -> None:
    assert bool(decision(git_patterns([pattern]), path)) is meant


def test_the_last_pattern_that_means_a_path_decides() -> None:
    patterns = git_patterns(["*.log", "!keep.log", "/keep.log"])
    assert [decision(patterns, path) for path in ("x.log", "a/keep.log", "keep.log", "b")] == [True, False, True, None]
