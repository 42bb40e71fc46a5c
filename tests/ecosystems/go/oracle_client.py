"""The go.mod reader of the go command as a long-running process (`tests/oracle_gomod`), and the comparison with ours."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dockopt.optimizer.ecosystems.go.modfile import (
    GoMod,
    GoWork,
    ModFileError,
    Replacement,
    parse_go_mod,
    parse_go_work,
)
from dockopt.optimizer.syntax.gotext import replace_invalid

from tests.syntax.oracle_client import find_go

SOURCES = Path(__file__).parents[2] / "oracle_gomod"


def build(directory: Path) -> Path:
    """Compile the oracle into a directory; raises CalledProcessError, for example when its module cannot be downloaded."""
    program = directory / "gomod"
    go = find_go()
    assert go is not None
    environment = os.environ | {
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    subprocess.run(
        [go, "build", "-o", str(program), "."], cwd=SOURCES, env=environment, check=True, capture_output=True
    )
    return program


class Oracle:
    """Asks the process; one JSON line out, one back."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def read(self, kind: str, source: bytes) -> dict[str, Any]:
        """Read a file as "mod", "lax" (the go.mod of a dependency) or "work"."""
        return self._ask({"kind": kind, "source": base64.b64encode(source).decode()})

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """Return what golang.org/x/mod says of each module path with a version."""
        return list(self._ask({"kind": "versions", "pairs": pairs})["facts"] or ())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def difference(oracle: Oracle, kind: str, source: bytes) -> str | None:
    """Compare our reading of a file with Go's; return the first difference."""
    answer = oracle.read(kind, source)
    refused = str(answer["error"])
    try:
        ours = parse_go_work(source, "go.work") if kind == "work" else parse_go_mod(source, "go.mod", lax=kind == "lax")
    except ModFileError as error:
        if not refused:
            return f"refused: {error}"
        # where more than one line is wrong both name the first; Go counts a directive that it does not know as wrong
        unknown = "unknown directive" in refused or "unknown block type" in refused
        if answer["line"] and not unknown and error.line != answer["line"]:
            return f"line {error.line} ({error.message}), expected line {answer['line']} ({refused})"
        return None if 1 <= error.line <= source.count(b"\n") + 1 else f"line {error.line} is outside of the file"
    if ours.unknown:
        return None if "unknown" in refused else f"{ours.unknown} is known"
    if refused:
        return f"accepted, Go says {refused}"
    for name, mine, theirs in facts(ours, answer):
        # each byte that is no UTF-8 is U+FFFD in JSON
        if json.loads(replace_invalid(json.dumps(mine, ensure_ascii=False))) != theirs:
            return f"{name} is {mine!r}, expected {theirs!r}"
    return None


def facts(ours: GoMod | GoWork, answer: dict[str, Any]) -> Iterable[tuple[str, object, object]]:
    """Yield name, our value and Go's value of everything that is compared."""
    yield "go", ours.go, answer["go"]
    yield "toolchain", ours.toolchain, answer["toolchain"]
    yield "godebug", [list(setting) for setting in ours.godebug], answer["godebug"] or []
    yield "replace", [shown(r) for r in ours.replace], [their_replacement(r) for r in answer["replace"] or ()]
    if isinstance(ours, GoWork):
        yield (
            "use",
            [list(pair) for pair in ours.use],
            [list(pair) for pair in zip(answer["use"] or (), answer["useLines"] or (), strict=True)],
        )
        return
    yield "module", ours.module or "", answer["module"]
    required = [{"path": r.path, "version": r.version, "indirect": r.indirect, "line": r.line} for r in ours.require]
    yield "require", required, [r | {"version": asked(r["version"])} for r in answer["require"] or ()]
    yield "exclude", [list(pair) for pair in ours.exclude], [[p, asked(v)] for p, v in answer["exclude"] or ()]
    yield "retract", [list(pair) for pair in ours.retract], [[*map(asked, pair)] for pair in answer["retract"] or ()]
    yield "tool", list(ours.tool), answer["tool"] or []
    yield "ignore", list(ours.ignore), answer["ignore"] or []


def asked(version: str) -> str:
    """Return the version that the oracle would have looked up, else the version itself."""
    _, found, digits = version.partition(".0.0-asked.x")
    return bytes.fromhex(digits).decode("utf-8", "replace") if found else version


def shown(replacement: Replacement) -> list[str | int]:
    old, new = replacement.old_version or "", replacement.new_version or ""
    return [replacement.old_path, old, replacement.new_path, new, replacement.line]


def their_replacement(answer: dict[str, Any]) -> list[str | int]:
    old, new = answer["old"], answer["new"]
    return [old["Path"], asked(old.get("Version", "")), new["Path"], asked(new.get("Version", "")), answer["line"]]
