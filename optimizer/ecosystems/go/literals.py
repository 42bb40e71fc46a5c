"""String literals and embedded files of Go sources, as text: nothing is evaluated.

Source: the Go specification ("String literals") and the documentation of package `embed` (patterns of `//go:embed`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(
    r"//[ \t]?(?P<comment>[^\n]*)|/\*.*?\*/|`(?P<raw>[^`]*)`|\"(?P<text>(?:\\.|[^\"\\\n])*)\"|'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)
_EMBED = re.compile(r"go:embed[ \t]+(.*)")
_PATTERN = re.compile(r"\"(?:\\.|[^\"\\])*\"|`[^`]*`|\S+")
_IMPORTS = re.compile(r"(?m)^import[ \t]*(?:\([^)]*\)|(?:[\w.]+[ \t]+)?\"[^\"\n]*\")")


class Literal(NamedTuple):
    """One string of a source and its 1-based line."""

    text: str
    line: int


class Texts(NamedTuple):
    """What one source says in strings."""

    literals: tuple[Literal, ...]  #: those of imports left out
    embedded: tuple[str, ...]  #: patterns of `//go:embed`, relative to the directory of the source


@lru_cache(maxsize=2048)
def texts_of(data: bytes) -> Texts:
    """Return the strings of a Go file."""
    source = data.decode("utf-8", "replace")
    imports = [found.span() for found in _IMPORTS.finditer(source)]
    literals: list[Literal] = []
    embedded: list[str] = []
    for token in _TOKEN.finditer(source):
        comment = token["comment"]
        if comment is not None:
            # a directive has no blank behind the slashes
            if token[0].startswith("//go:embed"):
                embedded += _patterns(comment)
            continue
        text = token["raw"] if token["raw"] is not None else _unquoted(token["text"])
        if text and not any(start <= token.start() < end for start, end in imports):
            literals.append(Literal(text, source.count("\n", 0, token.start()) + 1))
    return Texts(tuple(literals), tuple(embedded))


def _patterns(comment: str) -> Iterator[str]:
    found = _EMBED.match(comment)
    for word in _PATTERN.findall(found[1] if found else ""):
        yield word[1:-1] if word[:1] in ('"', "`") else word


def _unquoted(text: str | None) -> str:
    """Return the value of an interpreted literal; one with an escape that JSON has not stays as it is written."""
    if text is None or "\\" not in text:
        return text or ""
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text
