"""go.mod and go.work are read as the go command reads them.

Some files are given to the command itself (`go mod edit -json`, `go work edit -json`), many to the packages that it is made of.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.ecosystems.go.modfile import (
    GoMod,
    GoWork,
    ModFileError,
    Replacement,
    parse_go_mod,
    parse_go_work,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ecosystems.go.oracle_client import Oracle, difference
from tests.syntax.oracle_client import find_go

HEAD = "module example.com/app\n\ngo 1.22\n"
MODS = {
    "plain": HEAD,
    "nothing": "",
    "only a comment": "// hi\n",
    "blocks": HEAD + "require (\n\ta.com/b v1.2.3\n\tc.com/d v0.0.0-20200101000000-abcdefabcdef // indirect\n)\n",
    "single lines": HEAD + "require a.com/b v1.2.3\nexclude a.com/b v1.2.2\nretract v1.0.0\nretract [v1.1.0, v1.1.9]\n",
    "replacements": HEAD + "replace a.com/b => ./local\nreplace a.com/b v1.2.3 => c.com/d v1.0.0\nreplace x.com/y => ../up\n",
    "absolute": HEAD + "replace a.com/b => /abs/path\n",
    "quotes": 'module "example.com/app"\n\nrequire "a.com/b" `v1.2.3`\n\nreplace "a.com/b" => "./with space"\n',
    "comments everywhere": "// a\nmodule example.com/app // b\n\nrequire ( // c\n\t// d\n\ta.com/b v1.2.3 // e\n) // f\n",
    "toolchain": HEAD + "toolchain go1.22.3\n",
    "old go": "module example.com/app\n\ngo 1.9\n",
    "tool": "module example.com/app\n\ngo 1.24\n\ntool a.com/b/cmd/c\n\nrequire a.com/b v1.2.3\n",
    "godebug": HEAD + "godebug default=go1.21\ngodebug (\n\tpanicnil=1\n)\n",
    "windows": HEAD.replace("\n", "\r\n") + "require a.com/b v1.2.3\r\n",
    "no line end": HEAD + "require a.com/b v1.2.3",
    "incompatible": HEAD + "require a.com/b v2.0.0+incompatible\n",
    "major": HEAD + "require a.com/b/v2 v2.3.4\n",
    "gopkg": HEAD + "require gopkg.in/yaml.v3 v3.0.1\n",
    "open block": HEAD + "require (\n\ta.com/b v1.2.3\n",
    "two modules": "module a.com/b\nmodule c.com/d\n",
    "two go lines": HEAD + "go 1.23\n",
    "bad version": HEAD + "require a.com/b 1.2.3\n",
    "wrong major": HEAD + "require a.com/b v2.3.4\n",
    "unknown block": HEAD + "nothing (\n\ta\n)\n",
    "unknown line": HEAD + "nothing a\n",
    "no arrow": HEAD + "replace a.com/b ./local\n",
    "directory with a version": HEAD + "replace a.com/b => ./local v1.0.0\n",
    "path without a version": HEAD + "replace a.com/b => c.com/d\n",
    "bad string": 'module "example.com\n',
    "two words": "module a b\n",
    "a bracket": HEAD + "retract [v1.0.0\n",
    "byte order mark": "\ufeff" + HEAD,
}  # fmt: skip
WORKS = {
    "plain": "go 1.22\n\nuse .\n",
    "block": "go 1.22\n\nuse (\n\t./a\n\t./b // why\n)\n\nreplace a.com/b => ./c\n",
    "toolchain": "go 1.22\ntoolchain go1.22.3\nuse ../x\n",
    "quotes": 'go 1.22\nuse "./with space"\n',
    "nothing": "",
    "unknown": "go 1.22\nmodule a\n",
    "no directory": "go 1.22\nuse\n",
}


def asked(tmp_path: Path, command: list[str], name: str, text: str) -> dict[str, Any] | None:
    go = find_go()
    if go is None:
        pytest.skip("needs Go")
    (tmp_path / name).write_bytes(text.encode())
    environment = os.environ | {"GOWORK": "off" if name == "go.mod" else "", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    done = subprocess.run(
        [go, *command, "-json", name], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    return None if done.returncode else dict(json.loads(done.stdout))


def replacements(found: tuple[Replacement, ...]) -> dict[tuple[str, str], tuple[str, str]]:
    return {(r.old_path, r.old_version or ""): (r.new_path, r.new_version or "") for r in found}


def their_replacements(answer: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (r["Old"]["Path"], r["Old"].get("Version", "")): (r["New"]["Path"], r["New"].get("Version", ""))
        for r in answer.get("Replace") or ()
    }


def compare_mod(ours: GoMod, theirs: dict[str, Any]) -> None:
    assert (ours.module or "") == (theirs.get("Module") or {}).get("Path", "")
    assert ours.go == theirs.get("Go")
    assert ours.toolchain == theirs.get("Toolchain")
    assert [(r.path, r.version, r.indirect) for r in ours.require] == [
        (r["Path"], r["Version"], r.get("Indirect", False)) for r in theirs.get("Require") or ()
    ]
    # `go mod edit` drops lines that are there twice
    assert set(ours.exclude) == {(r["Path"], r["Version"]) for r in theirs.get("Exclude") or ()}
    assert list(ours.retract) == [(r["Low"], r["High"]) for r in theirs.get("Retract") or ()]
    assert replacements(ours.replace) == their_replacements(theirs)
    assert list(ours.tool) == [t["Path"] for t in theirs.get("Tool") or ()]


def compare_work(ours: GoWork, theirs: dict[str, Any]) -> None:
    assert ours.go == theirs.get("Go")
    # `go work edit -json` of Go 1.26 does not print the toolchain
    assert theirs.get("Toolchain") in (None, ours.toolchain)
    assert [path for path, _ in ours.use] == [u["DiskPath"] for u in theirs.get("Use") or ()]
    assert replacements(ours.replace) == their_replacements(theirs)


def check_mod(tmp_path: Path, text: str) -> None:
    theirs = asked(tmp_path, ["mod", "edit"], "go.mod", text)
    try:
        ours = parse_go_mod(text.encode(), "go.mod")
    except ModFileError as error:
        # `go mod edit` does not look at the module of a retraction, all that build do (rule.go, parseToFile with `fix`)
        assert theirs is None or "`retract` needs a `module` line" in str(error), f"refused: {error}"
        assert 1 <= error.line <= text.count("\n") + 1
        return
    if theirs is None:
        # the go command looks a version up that is none, and goes on with directives of a newer Go
        assert ours.unknown or not all(r.pinned for r in ours.require), "accepted"
        return
    compare_mod(ours, theirs)


@pytest.mark.parametrize("name", MODS)
def test_go_mod(tmp_path: Path, name: str) -> None:
    check_mod(tmp_path, MODS[name])


@pytest.mark.parametrize("name", WORKS)
def test_go_work(tmp_path: Path, name: str) -> None:
    theirs = asked(tmp_path, ["work", "edit"], "go.work", WORKS[name])
    try:
        ours = parse_go_work(WORKS[name].encode(), "go.work")
    except ModFileError:
        assert theirs is None
        return
    if theirs is None:
        assert ours.unknown
        return
    compare_work(ours, theirs)


#: files that are hard to read, for the reader itself: each as the go.mod of a main module and of a dependency, and as go.work
HARD: tuple[bytes, ...] = (
    b"",
    b"\n\n\n",
    b"\xef\xbb\xbfmodule a.com/b\n",
    b"module a.com/b\r\ngo 1.22\r\nrequire (\r\n\tc.com/d v1.0.0 // indirect\r\n)\r\n",
    b"module a.com/b\rgo 1.22\n",
    b"module a.com/b // Deprecated: gone\n",
    b"module a.com/b/v1\n",
    b"module\n",
    b"module (\n\ta.com/b\n)\n",
    b"module ()\n",
    b"module ( // why\n)\n",
    b"module (a.com/b)\n",
    b"module 'a.com/b'\n",
    b"module `a.com/b`\n",
    b'module "a.com/\\x62"\n',
    b'module "a.com/\\u00e9" // \xc3\xa9\n',
    b'module "a.com/\\ud800"\n',
    b'module "a.com\\/b"\n',
    b'module "a.com/b" "c.com/d"\n',
    b'module "a.com/b"go 1.22\n',
    b'module a.com"/b"\n',
    b"module a.com/\xff\n",
    b"module a.com/b\xe2\x80\x8b\n",
    b"module a.com/b\xc2\xa0go\n",
    b"module a.com/b\x00\n",
    b"module a.com/b\x0b\n",
    b"module a.com/b /* no */\n",
    b"module a.com/b/*\n",
    b"module a.com//b\n",
    b"module https://a.com/b\n",
    b"// only // a // comment",
    b"go 1.22\ngo 1.22\n",
    b"go 1\n",
    b"go 1.22.0.1\n",
    b"go 1.22rc1\n",
    b"go 1.22 // why\n",
    b"go v1.22\n",
    b"go 1.22x\n",
    b'go "1.22"\n',
    b"go 01.22\n",
    b"go (\n\t1.22\n)\n",
    b"toolchain go1.22.1\n",
    b"toolchain default\n",
    b"toolchain default2\n",
    b"toolchain local\n",
    b"toolchain go1\n",
    b"toolchain go12\n",
    b"toolchain go1.22.1-custom\n",
    b"toolchain go1.22\ntoolchain go1.22\n",
    b"godebug default=go1.21\ngodebug (\n\tpanicnil=1\n\tx=y=z\n)\n",
    b"godebug x\n",
    b"godebug x=1,y=2\n",
    b'godebug "x=1"\n',
    b"godebug =\n",
    b"tool a.com/b/cmd/c\ntool (\n\ta.com/d\n\ta.com/d\n)\n",
    b"tool a b\n",
    b"ignore ./node_modules\nignore (\n\tstatic\n\t./x/y // why\n)\n",
    b'ignore "./with space"\n',
    b"ignore\n",
    b"require a.com/b v1.2.3 // indirect\nrequire a.com/b v1.2.4 //indirect\nrequire a.com/b v1.2.5 // indirect; why\n",
    b"require a.com/b v1.2.3 // not indirect\nrequire a.com/b v1.2.3 // indirect because\n",
    b"require (\n\t// indirect\n\ta.com/b v1.2.3\n)\n",
    b"require (\n\ta.com/b v1.2.3\n) // indirect\n",
    b"require ( // indirect\n\ta.com/b v1.2.3\n)\n",
    b"require (\na.com/b v1.2.3)\n",
    b"require (a.com/b v1.2.3\n)\n",
    b"require (\n\ta.com/b v1.2.3\n) c\n",
    b"require a.com/b (\n\tv1.2.3\n)\n",
    b"require(\n\ta.com/b v1.2.3\n)\n",
    b"require (\n)\nrequire (\n\n)\n",
    b"require (\n",
    b"require )\n",
    b")\n",
    b"(\n)\n",
    b"require a.com/b\n",
    b"require a.com/b v1.2.3 v1.2.4\n",
    b'require "a.com/b" "v1.2.3"\n',
    b"require a.com/b v1.2.3+incompatible\nrequire a.com/b v3.0.0+incompatible\n",
    b"require a.com/b v1.2.3+meta\n",
    b"require a.com/b/v2 v2.0.0+incompatible\n",
    b"require a.com/b/v2 v0.0.0-20200101000000-abcdefabcdef\n",
    b"require gopkg.in/yaml.v1 v0.0.0-20200101000000-abcdefabcdef\n",
    b"require gopkg.in/yaml.v2 v2.0.0\nrequire gopkg.in/x/yaml.v3-unstable v3.0.0\n",
    b"require gopkg.in/yaml v1.0.0\n",
    b"require a.com/b v1\n",
    b"require a.com/b latest\n",
    b'require a.com/b ""\n',
    b"exclude a.com/b v1.2.3\nexclude (\n\ta.com/b v1.2.3\n\tc.com/d v0.1.0\n)\n",
    b"exclude a.com/b\n",
    b"module a.com/b\nretract v1.0.0\nretract [v1.1.0, v1.2.0] // why\nretract (\n\tv1.3.0\n\t[v1.4.0,v1.5.0]\n)\n",
    b"module a.com/b\nretract [v1.0.0 v1.1.0]\n",
    b"module a.com/b\nretract [v1.0.0, v1.1.0\n",
    b"module a.com/b\nretract v1.0.0, v1.1.0\n",
    b"module a.com/b\nretract []\n",
    b"module a.com/b\nretract\n",
    b"module a.com/b\nretract v2.0.0\n",
    b"module a.com/b/v2\nretract v2.0.0\n",
    b"retract v1.0.0\n",
    b"replace a.com/b => ../b\nreplace a.com/b v1.2.3 => c.com/d v1.0.0\nreplace (\n\te.com/f => /abs\n\tg.com/h => .\n)\n",
    b'replace "a.com/b" => "./with space"\n',
    b"replace a.com/b => .hidden\n",
    b"replace a.com/b => .\\local\n",
    b"replace a.com/b => C:\\local\n",
    b"replace a.com/b => C:/local\n",
    b"replace a.com/b v1.2.3 => ./x v1.0.0\n",
    b"replace a.com/b => c.com/d@v1.0.0\n",
    b"replace a.com/b => c.com/d/v2 v1.0.0\n",
    b"replace a.com/b/v1 => ./x\n",
    b"replace a.com/b =>\n",
    b"replace => ./x\n",
    b"replace a.com/b v1.2.3 v1.2.4 => ./x\n",
    b"replace a.com/b=>./x\n",
    b"use .\nuse ./a // why\nuse (\n\t../b\n\t/abs\n)\n",
    b'use "./with space" `./x`\n',
    b'use "./with space"\n',
    b"use\n",
    b"use ./a ./b\n",
    b"future a\nmodule a.com/b\n",
    b"future (\n\ta b c\n)\nmodule a.com/b\n",
    b"future block (\n\ta\n)\nmodule a.com/b\n",
    b"module a.com/b\n\n<<<<<<< HEAD\nrequire a.com/b v1.2.3\n=======\n>>>>>>> x\n",
)
KINDS = ("mod", "lax", "work")


@pytest.mark.parametrize("kind", KINDS)
def test_hard_files(oracle: Oracle, kind: str) -> None:
    found = {source: difference(oracle, kind, source) for source in HARD}
    assert not {source: problem for source, problem in found.items() if problem is not None}


@pytest.mark.parametrize("kind", KINDS)
def test_every_prefix_of_a_file(oracle: Oracle, kind: str) -> None:
    whole = (
        b'module "a.com/b" // c\n\ngo 1.22\n\nrequire (\n\tc.com/d v1.0.0 // indirect\n)\nretract [v1.0.0, v1.1.0]\n'
        b"replace e.com/f v1.0.0 => ./x\nuse (\n\t./y\n)\n"
    )
    for end in range(len(whole) + 1):
        assert difference(oracle, kind, whole[:end]) is None, whole[:end]


WORDS = st.sampled_from(
    [*"module go toolchain require exclude replace retract tool ignore use godebug future".split(), "a.com/b", "c.com/d/v2", "a.com/b/v1",
     "gopkg.in/y.v3", "./x", "../y", ".", "/abs", "C:\\x", "1.22", "1.22.1", "go1.22.1", "default", "v1.2.3", "v2.0.0", "v3.0.1", "v1",
     "latest", "v0.0.0-20200101000000-abcdefabcdef", "v2.0.0+incompatible", "k=v", "é", "\ufeff", "=>", "(", ")", "[", "]", ",", "\n", "\n",
     "\n", "\r\n", "\t", "// c", "// indirect", "//", "/*", "/", '"a.com/b"', '"\\x61"', '"', "`x`", "'"]
)  # fmt: skip
LINES = st.sampled_from(
    ["require a.com/b v1.2.3", "require a.com/b v1.2.4 // indirect", "require (", ")", "\tc.com/d v0.1.0", "replace a.com/b => ./x",
     "replace a.com/b v1.2.3 => e.com/f v1.0.0", "exclude c.com/d v0.1.0", "go 1.23.1", "toolchain go1.23.2", "", "// comment", "use ./x",
     "retract v1.0.0 // oops", "godebug x=1", "retract (", "replace (", "use (", "\t./y", "\tx.com/y => ../z", "module example.com/app",
     "tool a.com/b/cmd", "ignore ./web", "\t[v1.0.0, v1.1.0]", ") // end", "require ()", "exclude (\r"]
)  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(KINDS), st.lists(WORDS, max_size=16), st.sampled_from(["", " "]))
def test_random_words(oracle: Oracle, kind: str, words: list[str], between: str) -> None:
    source = between.join(words).encode()
    assert difference(oracle, kind, source) is None


@settings(max_examples=400)
@given(st.sampled_from(KINDS), st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_random_lines(oracle: Oracle, kind: str, lines: list[str], end: str) -> None:
    source = "".join(line + end for line in lines).encode()
    assert difference(oracle, kind, source) is None


@settings(max_examples=300)
@given(st.sampled_from(KINDS), st.sampled_from(HARD), st.integers(0, 200), st.integers(0, 3), st.binary(max_size=3))
def test_random_edits(oracle: Oracle, kind: str, source: bytes, at: int, cut: int, put: bytes) -> None:
    at %= len(source) + 1
    changed = source[:at] + put + source[at + cut :]
    assert difference(oracle, kind, changed) is None
