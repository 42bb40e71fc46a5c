"""Ignore files select what BuildKit's own client would send, for tables of quirks and for thousands of random files."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.context.ignore import IgnoreFileError, IgnoreRules

from tests.syntax.oracle_client import find_go

SOURCES = Path(__file__).parent.parent / "oracle_ignore"
TREE = (
    "a", "b.go", "c.md", ".git/", ".git/HEAD", ".git/refs/", ".git/refs/x", "dir/", "dir/a", "dir/b.md", "dir/sub/", "dir/sub/a",
    "dir/sub/c.go", "dir/sub/deep/", "dir/sub/deep/a", "node_modules/", "node_modules/x/", "node_modules/x/index.js", "sp ace",
    "README.md", "Dockerfile", ".dockerignore", "é/", "é/ü",
)  # fmt: skip
QUIRKS = (
    "", "*", "**", "*\n!a", "*\n!dir", "*\n!dir/sub", "**\n!dir/sub/a", "dir\n!dir/sub/a", "dir/*\n!dir/sub", "dir/**\n!dir/sub/deep/a",
    "a/b\n!a", "/a", "./a", "dir/", "/dir/", "dir/.", "dir/../a", "../a", "..", ".", "!.", "*.md\n!README.md", "**/*.md", "**/a",
    "*/a", "*/*/a", "**/sub", "**/sub/**", "dir/**/a", "d?r", "[a-d]", "[^a-d]*", "[", "[a-", "\\a", "\\[", "dir\\sub", "# comment\na",
    "  # comment\na", "\ufeffa", " a ", "\ta", "a\r\nb.go\r\n", "!", "! a", "!!a", "a\n!a\na", "node_modules", "**/node_modules/**",
    ".git\n!.git/HEAD", ".git/\n!.git/HEAD\n!.git/refs", ".*", "**/.*", "sp ace", "sp\\ ace", "É", "é", "*/ü", "dir/sub\n!dir",
    "dir\n!**/a", "*\n!**/*.go", "**/**", "***", "a**", "**b.go", "dir**", "dir/***/a", "*.{go,md}", "dir/sub/deep/..", "//a", "dir//a",
)  # fmt: skip
PIECES = (
    "a",
    "b.go",
    "dir",
    "sub",
    "deep",
    "*",
    "**",
    "?",
    ".git",
    "HEAD",
    "*.md",
    "*.go",
    "[ab]*",
    "[^a]",
    "node_modules",
    "..",
    ".",
    "\\a",
    "x",
)


class Oracle:
    """Asks BuildKit's code; one JSON line out, one back."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, source: bytes, files: Sequence[str]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"source": base64.b64encode(source).decode(), "files": list(files)}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    go = find_go()
    if go is None:
        pytest.skip("needs Go to build BuildKit's matcher")
    program = tmp_path_factory.mktemp("oracle") / "ignore"
    environment = os.environ | {"GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0"}
    subprocess.run(
        [go, "build", "-o", str(program), "."], cwd=SOURCES, env=environment, check=True, capture_output=True
    )
    found = Oracle(program)
    yield found
    found.close()


def difference(oracle: Oracle, source: bytes) -> str | None:
    answer = oracle(source, TREE)
    try:
        rules = IgnoreRules.parse(source, ".dockerignore")
        ours = {path.rstrip("/") for path in TREE if is_sent(rules, path)}
    except IgnoreFileError as error:
        return None if answer["error"] else f"refused: {error}"
    if answer["error"]:
        return f"accepted, BuildKit says {answer['error']}"
    theirs = set(answer["sent"])
    return None if ours == theirs else f"only ours {sorted(ours - theirs)}, only theirs {sorted(theirs - ours)}"


def is_sent(rules: IgnoreRules, path: str) -> bool:
    """A path is sent if no rule leaves it out, a directory also with something below it that is sent."""
    if not path.endswith("/"):
        return not rules.ignored(path)
    if not rules.ignored(path.rstrip("/")):
        return True
    return any(is_sent(rules, other) for other in TREE if other.startswith(path) and other != path)


@pytest.mark.parametrize("text", QUIRKS)
def test_quirks(oracle: Oracle, text: str) -> None:
    assert difference(oracle, text.encode()) is None


def test_random_files(oracle: Oracle) -> None:
    rng = random.Random(3)
    for _ in range(3000):
        lines = []
        for _ in range(rng.randrange(1, 5)):
            path = "/".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 4)))
            lines.append(
                rng.choice(("", "", "!", "/", " ", "#", "./")) + path + rng.choice(("", "", "", "/", "\r", "/**"))
            )
        source = "\n".join(lines).encode()
        assert difference(oracle, source) is None, source


def test_bytes_that_are_no_text(oracle: Oracle) -> None:
    for source in (b"\xff\na", b"a\xc3\nb.go", b"\x00", b"a\x00b\n*.md"):
        assert difference(oracle, source) is None, source
