"""go.mod and go.work are read as the go command reads them (`go mod edit -json`, `go work edit -json`)."""

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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


TOKENS = st.sampled_from(
    ["module", "go", "require", "replace", "exclude", "retract", "toolchain", "(", ")", "=>", "a.com/b", "c.com/d/v2", "v1.2.3", "v2.0.0",
     "./x", "../y", "1.22", "go1.22.1", "\n", "\n", "\n", "// c", "// indirect", ",", "[", "]", '"a.com/b"', "`v1.2.3`", "\t", "\r\n"]
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TOKENS, max_size=14))
def test_random_tokens(tmp_path: Path, tokens: list[str]) -> None:
    check_mod(tmp_path, " ".join(tokens))


LINES = st.sampled_from(
    ["require a.com/b v1.2.3", "require a.com/b v1.2.4 // indirect", "require (", ")", "\tc.com/d v0.1.0", "replace a.com/b => ./x",
     "replace a.com/b v1.2.3 => e.com/f v1.0.0", "exclude c.com/d v0.1.0", "go 1.23.1", "toolchain go1.23.2", "", "// comment",
     "retract v1.0.0 // oops", "godebug x=1", "retract (", "replace ("]
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=9))
def test_random_lines(tmp_path: Path, lines: list[str]) -> None:
    check_mod(tmp_path, "module example.com/app\n" + "".join(line + "\n" for line in lines))
