"""BuildKit's own parser as a long-running process (`tests/oracle`), and the comparison of its answers with our tree."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dockopt.optimizer.syntax import Dockerfile, DockerfileSyntaxError, Instruction, parse
from dockopt.optimizer.syntax.gotext import encode, lower, replace_invalid
from dockopt.optimizer.syntax.mounts import MountError, parse_mount

SOURCES = Path(__file__).parent.parent / "oracle"


def find_go() -> str | None:
    """Return the Go command, also where it is installed but not on the path."""
    return shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")


def build(directory: Path) -> Path:
    """Compile the oracle into a directory; raises CalledProcessError, for example when modules cannot be downloaded."""
    program = directory / "oracle"
    go = find_go()
    assert go is not None
    environment = os.environ | {"GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0"}
    subprocess.run(
        [go, "build", "-o", str(program), "."], cwd=SOURCES, env=environment, check=True, capture_output=True
    )
    return program


class Oracle:
    """Asks the process; one JSON line out, one back."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def parse(self, source: bytes) -> dict[str, Any]:
        return self({"op": "parse", "source": _b64(source)})

    def expand(self, word: str, env: Mapping[str, str], escape: str, skip_quotes: bool = False) -> dict[str, Any]:
        environment = {name: _b64(encode(value)) for name, value in env.items()}
        answer = self(
            {
                "op": "expand",
                "source": _b64(encode(word)),
                "env": environment,
                "escape": escape,
                "skipQuotes": skip_quotes,
            }
        )
        return answer | {"result": _text(answer["result"]), "words": _texts(answer["words"])}

    def mount(self, value: str) -> dict[str, Any]:
        # in a flag each character is one byte (see Flag)
        return self({"op": "mount", "source": _b64(value.encode("latin-1"))})

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(data: str | None) -> bytes:
    return base64.b64decode(data or "")


def _text(data: str | None) -> str:
    return _bytes(data).decode("utf-8", "surrogateescape")


def _texts(data: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(_text(item) for item in data or ())


def expected_error(source: bytes, answer: Mapping[str, Any]) -> str | None:
    """Return the message with which BuildKit refuses the file, None if it accepts it."""
    if not source:
        return "the Dockerfile cannot be empty"  # dockerfile2llb/convert.go
    message = answer["parseError"] or answer["typedError"]
    if message is None and not answer["stages"]:
        return "dockerfile contains no stages to build"  # dockerfile2llb/convert.go
    if message is not None and message.startswith("dockerfile parse error on line "):
        message = message.partition(": ")[2]
    return str(message) if message is not None else None


def difference(source: bytes, answer: Mapping[str, Any]) -> str | None:
    """Compare our reading of a file with BuildKit's; return the first difference."""
    message = expected_error(source, answer)
    try:
        df = parse(source)
    except DockerfileSyntaxError as error:
        if message is None:
            return f"refused, BuildKit accepts: {error.message}"
        if not same_message(error.message, message):
            return f"refused with {error.message!r}, BuildKit says {message!r}"
        if not (1 <= error.line <= source.count(b"\n") + 1 and 0 <= error.offset <= len(source) and error.column >= 1):
            return f"error at impossible place {error.line}:{error.column} ({error.offset})"
        return misplaced(source, error, answer)
    if message is not None:
        return f"accepted, BuildKit refuses: {message}"
    return _compare(df, answer)


def misplaced(source: bytes, error: DockerfileSyntaxError, answer: Mapping[str, Any]) -> str | None:
    """Compare where an error is: our line and offset belong together, and the line is one of those that BuildKit blames."""
    before = source[: error.offset].removeprefix(b"\xef\xbb\xbf")
    place = (before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
    # at the very end of the file the last line is named, whether or not a line feed ends it
    if place != (error.line, error.column) and error.offset != len(source):
        return f"error at {error.line}:{error.column}, but its offset is at {place}"
    first, last = answer["errorStart"], answer["errorEnd"]
    if error.message.startswith(("only one ", "invalid escape token", "dockerfile line greater")):
        first, last = first + 1, last + 1  # BuildKit names the line before the one at fault
    if first and not first <= error.line <= max(first, last):
        return f"error in line {error.line}, expected one of {first} to {last}: {error.message}"
    return None


def mount_difference(value: str, answer: Mapping[str, Any]) -> str | None:
    """Compare our reading of a --mount value with BuildKit's; what a variable decides is not compared."""
    try:
        mount = parse_mount(value)
    except MountError as error:
        refused = answer["typedError"]
        fine = refused is not None and same_message(str(error), refused)
        return None if fine else f"refused with {error}, BuildKit says {refused}"
    if answer["typedError"] or answer["parseError"]:
        return f"accepted, BuildKit refuses: {answer['typedError'] or answer['parseError']}"
    if "$" in value:
        return None
    if (mount.error is None) != (answer["runError"] is None) or not same_message(
        mount.error or "", answer["runError"] or ""
    ):
        return f"running it gives {mount.error!r}, expected {answer['runError']!r}"
    if mount.error is not None:
        return None
    theirs = answer["mount"]
    ours = (mount.type, mount.from_, mount.source, mount.target, mount.id, mount.sharing, mount.readonly)
    texts = (_text(theirs[name]) or None for name in ("from", "source", "target", "id"))
    expected = (theirs["type"], *texts, theirs["sharing"] or None, theirs["readOnly"])
    return None if ours == expected else f"read as {ours}, expected {expected}"


def same_message(ours: str, theirs: str) -> bool:
    # BuildKit adds suggestions and the name of the surrounding call
    ours = replace_invalid(ours)
    return theirs.startswith(ours) or ours in theirs


def _compare(df: Dockerfile, answer: Mapping[str, Any]) -> str | None:
    if b"".join(node.raw for node in df.nodes) != df.source:
        return "the nodes do not give the source"
    if len(df.instructions) != len(answer["nodes"]):
        return f"{len(df.instructions)} instructions, expected {len(answer['nodes'])}"
    for node, theirs in zip(df.instructions, answer["nodes"], strict=True):
        for name, mine, other in facts(node, theirs):
            if mine != other:
                return f"line {node.start_line} {node.keyword}: {name} is {mine!r}, expected {other!r}"
    stages = [(s.name or "", s.base, s.platform or "", len(s.instructions)) for s in df.stages]
    other_stages = [(_text(s["name"]), _text(s["base"]), _text(s["platform"]), s["commands"]) for s in answer["stages"]]
    if stages != other_stages:
        return f"stages are {stages}, expected {other_stages}"
    rest = (df.escape, len(df.meta_args), len(df.warnings), df.syntax or "", df.check or "")
    other_rest = (
        answer["escape"],
        answer["metaArgs"],
        answer["warnings"],
        _text(answer["syntax"]),
        _text(answer["check"]),
    )
    return None if rest == other_rest else f"file facts are {rest}, expected {other_rest}"


def facts(node: Instruction, theirs: Mapping[str, Any]) -> Iterable[tuple[str, Any, Any]]:
    """Yield name, our value and BuildKit's value of everything that is compared."""
    yield "keyword", node.keyword_raw, _text(theirs["keyword"])
    yield "lines", (node.start_line, node.end_line), (theirs["start"], theirs["end"])
    yield "logical line", encode(node.logical), _bytes(theirs["original"])
    flags = tuple(f"--{f.name}" + ("" if f.value is None else f"={f.value}") for f in node.flags)
    yield "flags", flags, _texts(theirs["flags"])
    yield "JSON form", node.json is not None, theirs["json"]
    args = list(_texts(theirs["args"]))
    if node.keyword == "HEALTHCHECK" and args:
        args[0] = args[0].upper()
    yield "arguments", flat_arguments(node), args
    heredocs = [(h.name, h.fd or 0, h.expand, h.chomp, encode(h.body) if not h.chomp else None) for h in node.heredocs]
    other = [
        (_text(h["name"]), h["fd"], h["expand"], h["chomp"], _bytes(h["body"]) if not h["chomp"] else None)
        for h in theirs["heredocs"]
    ]
    yield "here-documents", heredocs, other
    yield "comments", node.prev_comment, _texts(theirs["comments"])
    child = theirs["child"]
    yield "child", node.child is not None, child is not None
    if child is not None and node.child is not None and lower(node.child.keyword_raw) != "onbuild":
        yield from (
            (f"child's {name}", mine, theirs)
            for name, mine, theirs in facts(node.child, child)
            if name not in ("lines", "here-documents", "comments")
        )


def flat_arguments(node: Instruction) -> list[str]:
    """Return the arguments as BuildKit's node list has them."""
    keyword = node.keyword
    if keyword in ("ENV", "LABEL"):
        old = len(node.pairs) == 1 and "{0.key}={0.value}".format(node.pairs[0]) != replace_invalid(node.pairs[0].raw)
        return [text for pair in node.pairs for text in (pair.key, pair.value or "", "" if old else "=")]
    if keyword == "ARG":
        return [pair.key if pair.value is None else f"{pair.key}={pair.value}" for pair in node.pairs]
    if keyword in ("ADD", "COPY", "VOLUME", "FROM", "EXPOSE", "HEALTHCHECK"):
        return list(node.words)
    if keyword == "ONBUILD":
        return []
    if node.json is not None:
        return list(node.json)
    if keyword in ("RUN", "CMD", "ENTRYPOINT", "SHELL", "USER", "WORKDIR", "MAINTAINER", "STOPSIGNAL"):
        return [node.args] if node.args else []
    return [""]  # an unknown instruction: such a file is refused before anything is compared
