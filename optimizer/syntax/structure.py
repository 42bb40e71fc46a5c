"""The view that users of `dockerfile-parse` know, and a second opinion from that library about where instructions end.

`structure` has the keys of `DockerfileParser.structure` but is computed from our tree, so it is right where the library is
not (here-documents, blank lines in continuations, a byte order mark, `\\\\` at the end of a line). `cross_check` runs the library
inside its documented limits only.
"""

from __future__ import annotations

import re
from typing import Any

from dockopt.optimizer.syntax.gotext import SPACES, decode
from dockopt.optimizer.syntax.tree import Blank, Bom, Comment, Directive, Dockerfile, Instruction

_COMMENT_LINE = re.compile(rf"[{SPACES}]*#")
_COMMENT_START = re.compile(r"^\s*#\s*")
#: white space and control characters that the library reads differently, and a carriage return inside a line
_UNUSUAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]|\r(?!\n)"
)
_FIRST_LINE = re.compile(r"[ \t]*[A-Za-z]+[ \t]+[^\s]")
#: what the library takes for an `escape` directive; BuildKit does not where a line above ended the directives
_ESCAPE = re.compile(r"\s*#\s*escape\s*=", re.IGNORECASE)


def structure(df: Dockerfile) -> list[dict[str, Any]]:
    """Return what `DockerfileParser.structure` returns: instruction, startline and endline (0-based), content, value.

    Comments and directives are entries named COMMENT; one inside an instruction comes before that instruction, whose
    content leaves it out, as in the library. The value has the flags; here-documents are in the content only.
    """
    entries: list[dict[str, Any]] = []
    for node in df.nodes:
        if isinstance(node, Instruction):
            entries += _instruction(node)
        elif isinstance(node, Comment | Directive):
            entries.append(
                _entry(
                    "COMMENT", node.start_line - 1, node.start_line - 1, decode(node.raw), _comment(decode(node.raw))
                )
            )
        else:
            assert isinstance(node, Blank | Bom)
    return entries


def _entry(name: str, start: int, end: int, content: str, value: str) -> dict[str, Any]:
    return {"instruction": name, "startline": start, "endline": end, "content": content, "value": value}


def _comment(line: str) -> str:
    return _COMMENT_START.sub("", line).replace("\n", "")


def _instruction(node: Instruction) -> list[dict[str, Any]]:
    body = node.heredocs[0].span.start - node.span.start if node.heredocs else len(node.raw)
    lines = decode(node.raw[:body]).split("\n")
    last = lines.pop()
    lines = [line + "\n" for line in lines] + ([last] if last else [])
    entries: list[dict[str, Any]] = []
    content: list[str] = []
    end = node.end_line - 1
    for index, line in enumerate(lines):
        if index and _COMMENT_LINE.match(line):
            at = node.start_line - 1 + index
            entries.append(_entry("COMMENT", at, at, line, _comment(line)))
        else:
            content.append(line)
    text = node.logical.strip(SPACES)[len(node.keyword_raw) :].strip(SPACES)
    keyword = node.keyword
    entries.append(_entry(keyword, node.start_line - 1, end, "".join(content) + decode(node.raw[body:]), text))
    return entries


def outside_limits(df: Dockerfile) -> str | None:
    """Say why `dockerfile-parse` cannot be trusted with a file, None if it can."""
    try:
        text = df.source.decode()
    except UnicodeDecodeError:
        return "not UTF-8"
    if _UNUSUAL.search(text):
        return "unusual white space or control characters"
    directives = [decode(node.raw).lower() for node in df.nodes if isinstance(node, Directive)]
    if df.check is not None and df.escape == "`":
        return "`check` directive beside `escape`"
    if any("escape" in line for line in directives) and df.source.startswith(b"#!"):
        return "`escape` directive below a shebang"
    if any(isinstance(node, Comment) and _ESCAPE.match(decode(node.raw)) for node in df.nodes):
        return "comment that looks like an `escape` directive"
    double = df.escape * 2
    for node in df.instructions:
        if node.heredocs:
            return f"here-document in line {node.start_line}"
        lines = [line.rstrip() for line in decode(node.raw).split("\n")]
        if not lines[-1]:
            lines.pop()
        if not _FIRST_LINE.match(lines[0]):
            return f"no argument behind the keyword in line {node.start_line}"
        if any(not line for line in lines):
            return f"empty continuation line in the instruction of line {node.start_line}"
        if any(line.endswith(double) for line in lines):
            return f"`{double}` at the end of a line in the instruction of line {node.start_line}"
        if lines[-1].endswith(df.escape) or (len(lines) > 1 and lines[-1].lstrip().startswith("#")):
            return f"continuation without an end in line {node.end_line}"
    return None


def cross_check(df: Dockerfile) -> str | None:
    """Compare our instructions with those of `dockerfile-parse`; return how they differ, None if they agree.

    None too for a file outside that library's limits (`outside_limits`), where it has no say.
    """
    if outside_limits(df) is not None:
        return None
    from io import BytesIO

    from dockerfile_parse import DockerfileParser

    source: Any = BytesIO(df.source)  # the library wants bytes here, whatever its stub says
    theirs = DockerfileParser(fileobj=source).structure
    ours = structure(df)
    for mine, other in zip(ours, theirs, strict=False):
        for key in ("instruction", "startline", "endline", "value"):
            if mine[key] != other[key]:
                line = min(mine["startline"], other["startline"]) + 1
                return (
                    f"`dockerfile-parse` reads line {line} differently: {key} is {other[key]!r}, expected {mine[key]!r}"
                )
    if len(ours) != len(theirs):
        line = [*ours, *theirs][min(len(ours), len(theirs))]["startline"] + 1
        return (
            f"`dockerfile-parse` finds {len(theirs)} instructions and comments, expected {len(ours)}, "
            f"first difference near line {line}"
        )
    return None
