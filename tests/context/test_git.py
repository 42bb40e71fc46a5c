"""What git ignores, held against git itself, and that no change makes a build need such a file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from dockopt.optimizer.context.git import is_ignored
from dockopt.optimizer.engine import Options, analyze

IGNORED = {
    ".gitignore": "*.log\n!keep.log\n/build/\nnode_modules\n.npmrc\n**/cache/**\ndoc/*.txt\n",
    "service/.gitignore": "!special.log\npackage-lock.json\n/local\n",
    ".git/info/exclude": "private\n",
}
PATHS = [
    "a.log", "keep.log", "build/x", "service/build/x", "service/special.log", "service/b.log", "service/node_modules/a/b", ".npmrc",
    "service/.npmrc", "service/package-lock.json", "package-lock.json", "service/local", "local", "private", "service/private/x",
    "a/cache/b", "doc/x.txt", "doc/deep/x.txt", "service/package.json", "Dockerfile",
]  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    subprocess.run(["git", "init", "-q", tmp_path], check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    for name, text in {**dict.fromkeys(PATHS, "x\n"), **IGNORED}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_git_says_the_same(tree: Path) -> None:
    done = subprocess.run(
        ["git", "-C", tree, "check-ignore", *PATHS],
        capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "HOME": str(tree)},
    )  # fmt: skip
    expected = set(done.stdout.split())
    assert len(expected) > 8
    assert {path for path in PATHS if is_ignored(tree, path)} == expected
    below = {path for path in PATHS if path.startswith("service/") and is_ignored(tree / "service", path[8:])}
    assert below == {path for path in expected if path.startswith("service/")}


def test_without_a_work_tree_nothing_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*\n")
    assert not is_ignored(tmp_path, "a")


def test_no_copy_is_added_of_a_file_that_a_clone_may_lack(tree: Path) -> None:
    context = tree / "service"
    source = b"FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\n"
    (context / "package.json").write_text("{}\n")
    (context / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {"": {}}}\n')
    (context / ".npmrc").unlink()
    (context / ".dockerignore").write_text("node_modules\n")
    options = Options(context=context, select=frozenset({"split-copy"}))
    report = analyze(context / "Dockerfile", source, options)
    assert report.result == source
    (unproven,) = report.unproven
    assert unproven.verdict.obligation == (
        "git ignores `package-lock.json`: a clone of the project may not have it, and then a COPY of it fails"
    )
    (context / ".gitignore").write_text("")
    again = analyze(context / "Dockerfile", source, options)
    assert b"COPY package.json package-lock.json ./\n" in again.result
