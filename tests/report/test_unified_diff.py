"""Diffs: whatever the files hold, `git apply` makes the new ones of the old ones."""

import os
import subprocess
from pathlib import Path

import pytest
from dockopt.optimizer.report.diff import diff_name, unified_diff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LINE = st.sampled_from(
    [b"RUN a\n", b"RUN b\r\n", b"\n", b"-- x\n", b"+\xff\n", b"\\ No newline\n", b" \t\x0c\x1c\n", b"x\x85y\n"]
)
TEXT = st.builds(
    lambda lines, last: b"".join(lines) + last,
    st.lists(LINE, max_size=12),
    st.sampled_from([b"", b"end", b"end\r", b"-"]),
)


def applied(directory: Path, name: str, before: bytes | None, diff: bytes) -> bytes:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if before is not None:
        path.write_bytes(before)
    if diff:
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn"],
            input=diff,
            cwd=directory,
            check=True,
            capture_output=True,
            timeout=30,
        )
    return path.read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=TEXT, after=TEXT)
def test_any_change_applies(tmp_path: Path, before: bytes, after: bytes) -> None:
    diff = bytes(unified_diff("Dockerfile", before, after))
    assert bool(diff) == (before != after)
    # git deletes a file that becomes empty by such a diff only where it says so; ours keeps it
    assert applied(tmp_path, "Dockerfile", before, diff) == after


def test_a_small_change_of_a_large_file_is_small(tmp_path: Path) -> None:
    before = b"".join(b"RUN step %d\n" % (number % 7) for number in range(50_000))
    after = before[:300_000] + b"RUN more\n" + before[300_000:]
    diff = unified_diff("Dockerfile", before, after)
    assert len(diff.lines) < 15
    assert applied(tmp_path, "Dockerfile", before, bytes(diff)) == after


def test_a_new_file(tmp_path: Path) -> None:
    diff = bytes(unified_diff(".dockerignore", None, b".git\n"))
    assert diff == b"--- /dev/null\n+++ b/.dockerignore\n@@ -0,0 +1 @@\n+.git\n"
    assert applied(tmp_path, ".dockerignore", None, diff) == b".git\n"


@pytest.mark.parametrize(
    "name", ["a b", "é", 'q"uote', "back\\slash", "tab\tname", "new\nline", os.fsdecode(b"\xff"), "sub/a b"]
)
def test_any_name_applies(tmp_path: Path, name: str) -> None:
    diff = bytes(unified_diff(name, b"FROM a\n", b"FROM b\n"))
    assert diff.count(b"\n") == 5
    assert applied(tmp_path, name, b"FROM a\n", diff) == b"FROM b\n"


def test_names_are_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    assert diff_name("./x/../Dockerfile") == "Dockerfile"
    assert diff_name(str(tmp_path / "in" / "sub" / "Dockerfile")) == "sub/Dockerfile"
    assert diff_name("../in/Dockerfile") == "Dockerfile"
    assert diff_name("../Dockerfile") == str(tmp_path / "Dockerfile").lstrip("/")
    assert diff_name("..odd/Dockerfile") == "..odd/Dockerfile"
