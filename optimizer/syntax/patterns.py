"""Patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`: lex.go, convertShellPatternToRegex.

BuildKit turns a pattern into a Go regular expression: only `*` and `?` mean something, neither matches a line feed, the
leftmost match of the first alternative wins. The same is done here by a search that visits no state twice, so that no
pattern takes more than (length of pattern) × (length of value) steps.
"""

from __future__ import annotations

import re

_MANY, _ONE = 0, 1  # elements of a parsed pattern besides literal characters
_TEMPLATE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")


class PatternError(ValueError):
    """A pattern that BuildKit refuses."""


def _parse(pattern: str) -> list[str | int]:
    parts: list[str | int] = []
    # the pattern goes through text/scanner once more, which drops a byte order mark
    chars = iter(pattern.removeprefix("\ufeff"))
    for char in chars:
        if char == "*":
            parts.append(_MANY)
        elif char == "?":
            parts.append(_ONE)
        elif char == "\\":
            escaped = next(chars, "")
            if escaped == "" or escaped not in "*?\\}/":
                shown = escaped or "\ufffd"
                raise PatternError(f"invalid pattern ({pattern}) in substitution: invalid escape '\\{shown}'")
            parts.append(escaped)
        else:
            parts.append(char)
    return parts


def _find(parts: list[str | int], value: str, start: int, greedy: bool, seen: set[int]) -> int:
    """Return where a match that begins at `start` ends, -1 if there is none; `seen` holds the states known to fail."""
    width = len(parts) + 1
    stack = [(0, start)]
    while stack:
        part, at = stack.pop()
        if part == len(parts):
            return at
        state = at * width + part
        if state in seen:
            continue
        seen.add(state)
        element = parts[part]
        if element == _MANY:
            more = (part, at + 1) if at < len(value) and value[at] != "\n" else None
            done = (part + 1, at)
            order = (done, more) if greedy else (more, done)
            stack.extend(item for item in order if item is not None)
        elif at < len(value) and (value[at] == element or (element == _ONE and value[at] != "\n")):
            stack.append((part + 1, at + 1))
    return -1


def trim_prefix(pattern: str, value: str, greedy: bool) -> str:
    """Cut the shortest (or longest) prefix that matches. Raises PatternError."""
    end = _find(_parse(pattern), value, 0, greedy, set())
    return value if end < 0 else value[end:]


def trim_suffix(pattern: str, value: str, greedy: bool) -> str:
    """Cut the shortest (or longest) suffix that matches: BuildKit turns both round and cuts a prefix. Raises PatternError."""
    turned: list[str] = []
    at = 0
    while at < len(pattern):
        step = 2 if pattern[at] == "\\" and at != len(pattern) - 1 else 1
        turned.append(pattern[at : at + step])
        at += step
    return trim_prefix("".join(reversed(turned)), value[::-1], greedy)[::-1]


def replace(pattern: str, replacement: str, value: str, everywhere: bool) -> str:
    """Replace the first match, or all of them. Raises PatternError."""
    parts = _parse(pattern)
    out: list[str] = []
    copied = at = 0
    seen: set[int] = set()
    while at <= len(value):
        end = _find(parts, value, at, True, seen)
        if end < 0:
            at += 1
            continue
        if not everywhere:
            return value[:at] + replacement + value[end:]
        seen.clear()
        out.append(value[copied:at])
        # no replacement for an empty match directly behind another match
        if end > copied or at == 0:
            out.append(_filled(replacement, value[at:end]))
        copied = end
        at = max(end, at + 1)
    return "".join(out) + value[copied:]


def _filled(replacement: str, match: str) -> str:
    """Fill in `$0` as Go's ReplaceAllString does: other groups do not exist and are empty."""

    def fill(found: re.Match[str]) -> str:
        if found.group(1):
            return "$"
        name = found.group(2) or found.group(3)
        return match if name == "0" else ""

    return _TEMPLATE.sub(fill, replacement) if "$" in replacement else replacement
