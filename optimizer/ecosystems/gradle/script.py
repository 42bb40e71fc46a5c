"""A build script of Gradle that only says values: its statements and blocks, as far as they are of a known form.

Scripts are programs in Groovy or Kotlin. One is taken here for what it says only if every statement has a form that sets a value or names
a plugin, a repository or a library (Gradle User Manual, "Writing Build Scripts"); everything else is for the caller to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|[{}()\n;]|[^'\"/{}()\n;]+|.",
    re.DOTALL,
)


class ScriptError(Exception):
    """A script is not of the form that is followed, and the line."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message, self.line = message, line


class Statement(NamedTuple):
    """One statement; `body` are those of the block behind it, None where there is none."""

    text: str
    line: int
    body: tuple[Statement, ...] | None = None

    def every(self) -> Iterator[Statement]:
        """Yield the statement and all that stand in its block."""
        yield self
        for inner in self.body or ():
            yield from inner.every()


def parse_script(text: str) -> tuple[Statement, ...]:
    """Return the statements of a script. Raises ScriptError."""
    tokens = iter(_tokens(text))
    statements, closed = _block(tokens)
    if closed:
        raise ScriptError("a `}` closes no block", closed)
    return statements


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    for found in _TOKEN.finditer(text.replace("\r\n", "\n")):
        token = found[0]
        if not token.startswith(("//", "/*")):
            yield token, line
        line += token.count("\n")


def _block(tokens: Iterator[tuple[str, int]], depth: int = 0) -> tuple[tuple[Statement, ...], int]:
    """Return the statements up to the end of a block, and the line where it is closed (0: the text ends)."""
    found: list[Statement] = []
    text, start, parentheses, last = "", 0, 0, 1
    if depth > 20:
        raise ScriptError("blocks are nested too deeply", last)
    for token, line in tokens:
        last = line
        if token == "(":
            parentheses += 1
        elif token == ")":
            parentheses -= 1
        elif token in "{}" and parentheses:
            raise ScriptError("a block stands in an argument", line)
        if token == "{":
            body, closed = _block(tokens, depth + 1)
            if not closed:
                raise ScriptError("a block is not closed", line)
            found.append(Statement(" ".join(text.split()), start or line, body))
            text, start = "", 0
        elif token == "}" or (token in "\n;" and parentheses <= 0):
            if text.strip():
                found.append(Statement(" ".join(text.split()), start))
            text, start = "", 0
            if token == "}":
                return tuple(found), line
        else:
            if token.strip() and not start:
                start = line
            text += token
    if text.strip():
        found.append(Statement(" ".join(text.split()), start))
    return tuple(found), 0
