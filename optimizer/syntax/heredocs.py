"""Detection of here-documents: BuildKit's `parser/parser.go`, heredocsFromLine. Nothing here is shell parsing.

The whole logical line, keyword and flags included, is split into words by the Dockerfile lexer; a line that it cannot lex has no
here-documents. The escape character is `\\` whatever the `escape` directive says.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dockopt.optimizer.syntax.arguments import Line
from dockopt.optimizer.syntax.lexer import ExpansionError, Scanner

_HEREDOC = re.compile(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)")
_MAY_HOLD = frozenset({"ADD", "COPY", "RUN"})
_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)
MAX_FD = (1 << 64) - 1


class Announcement(NamedTuple):
    """A here-document that a logical line announces; its body is still to be read."""

    name: str
    expand: bool
    chomp: bool
    fd: int | None
    word: str


def announced(line: Line) -> list[Announcement]:
    """Return the here-documents whose bodies follow this line. Raises ExpansionError where BuildKit refuses the delimiter."""
    if "<<" not in line.text:
        return []
    holder = line.child if line.keyword == "ONBUILD" and line.child is not None else line
    if holder.keyword not in _MAY_HOLD or holder.json is not None:
        return []
    scanner = Scanner(line.text, _unset, raw_quotes=True, raw_escapes=True, skip_unset=True)
    try:
        scanner.run()
    except ExpansionError:
        return []
    except RecursionError:
        raise ExpansionError("substitutions are nested too deeply") from None
    found = (announcement(word) for word in scanner.words)
    return [item for item in found if item is not None]


def announcement(word: str) -> Announcement | None:
    """Read one word as `<<NAME` (ParseHeredoc), None if it is not. Raises ExpansionError."""
    match = _HEREDOC.fullmatch(word)
    if match is None or not match.group(3):
        return None
    plain = Scanner(match.group(3), _unset, skip_unset=True)
    plain.run()
    if len(plain.words) != 1:
        return None
    kept = Scanner(match.group(3), _unset, raw_quotes=True, skip_unset=True)
    kept.run()
    if len(kept.words) != 1:
        raise ExpansionError(f"internal lexing of heredoc produced inconsistent results: {match.group(3)}")
    name, raw = plain.words[0], kept.words[0]
    expand = name.count("'") + name.count('"') == raw.count("'") + raw.count('"')
    fd = min(int(match.group(1)[:21]), MAX_FD) if match.group(1) else None
    return Announcement(name, expand, match.group(2) == "-", fd, word)


def is_heredoc_word(word: str) -> bool:
    """Tell whether a COPY or ADD argument is a here-document; one that does not lex is not (MustParseHeredoc)."""
    try:
        return announcement(word) is not None
    except ExpansionError:
        return False


def chomped(body: str) -> str:
    """Remove the leading tabs of every line, as `<<-` asks for (ChompHeredocContent)."""
    return _LEADING_TABS.sub("", body)


def _unset(_name: str) -> str | None:
    return None
