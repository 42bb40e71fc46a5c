"""Patterns of gitignore(5), compared with paths in time that grows with the product of both lengths, whatever they are.

An expression with a part for each `*` takes minutes for a few of them: a project that nobody has to trust must not be able to make
an editor wait. So each component is compared for itself, and `**` by the set of places that are reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

_DEEP = "**"
#: an expression that no text matches
_NOTHING = r"[^\s\S]"
#: `[:alpha:]` and the like, of ASCII only
_CLASSES = {
    "alnum": "[A-Za-z0-9]",
    "alpha": "[A-Za-z]",
    "blank": r"[ \t]",
    "cntrl": r"[\x00-\x1f\x7f]",
    "digit": "[0-9]",
    "graph": r"[\x21-\x7e]",
    "lower": "[a-z]",
    "print": r"[\x20-\x7e]",
    "punct": r"[!-/:-@\[-`{-~]",
    "space": r"[ \t\n\v\f\r]",
    "upper": "[A-Z]",
    "xdigit": "[0-9A-Fa-f]",
}


class GitPattern(NamedTuple):
    """One line of an ignore file."""

    negated: bool
    directories_only: bool
    #: one for each component; None for any number of them
    components: tuple[re.Pattern[str] | None, ...]

    def matches(self, path: str) -> bool:
        """Tell whether a path, or a directory above it, is meant; a directory ends with `/`."""
        names = path.rstrip("/").split("/")
        reached = self._behind_any(frozenset({0}))
        for count, name in enumerate(names, 1):
            reached = self._behind_any(
                frozenset(
                    at if component is None else at + 1
                    for at in reached
                    if at < len(self.components)
                    for component in (self.components[at],)
                    if component is None or component.match(name)
                )
            )
            is_directory = count < len(names) or path.endswith("/")
            if len(self.components) in reached and (is_directory or not self.directories_only):
                return True
        return False

    def _behind_any(self, reached: frozenset[int]) -> frozenset[int]:
        """Add what is reached when `**` stands for nothing."""
        found = set(reached)
        for start in reached:
            behind = start
            while behind < len(self.components) and self.components[behind] is None:
                behind += 1
                found.add(behind)
        return frozenset(found)


def git_pattern(line: str) -> GitPattern | None:
    """Read one line; None for a comment, a blank line, and what can mean no path."""
    if line.startswith("#"):
        return None
    text = re.sub(r"(?<!\\) +$", "", line)
    negated = text.startswith("!")
    text = text[negated:]
    directories_only = text.endswith("/")
    text = text.removesuffix("/")
    if not text or (len(text) - len(text.rstrip("\\"))) % 2:
        return None  # a backslash at the end escapes nothing
    parts = text.removeprefix("/").split("/") if "/" in text else [_DEEP, text]
    if parts[-1] == _DEEP:
        parts.append("*")  # what is in a directory, not the directory itself
    return GitPattern(negated, directories_only, tuple(None if part == _DEEP else _component(part) for part in parts))


def git_patterns(lines: Iterable[str]) -> tuple[GitPattern, ...]:
    """Read the lines of an ignore file."""
    return tuple(pattern for line in lines if (pattern := git_pattern(line)) is not None)


def decision(patterns: Sequence[GitPattern], path: str) -> bool | None:
    """Tell whether the last pattern that means a path ignores it, None where none does."""
    for pattern in reversed(patterns):
        if pattern.matches(path):
            return not pattern.negated
    return None


@lru_cache(maxsize=1024)
def _component(text: str) -> re.Pattern[str]:
    """Compile one component; there is no choice in it that would have to be taken back, whatever follows."""
    chunks = [""]
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*":
            chunks.append("")
        elif char == "?":
            chunks[-1] += "."
        elif char == "[":
            members, at = _brackets(text, at)
            chunks[-1] += members
        else:
            if char == "\\":
                char, at = text[at], at + 1
            chunks[-1] += re.escape(char)
    first, *others = chunks
    if not others:
        return re.compile(rf"(?s:{first})\Z")
    # the first place of a piece is as good as any later one, since what follows begins with a `*`
    between = "".join(f"(?>.*?{chunk})" for chunk in others[:-1])
    return re.compile(rf"(?s:{first}{between}.*{others[-1]})\Z")


def _brackets(text: str, start: int) -> tuple[str, int]:
    """Return the expression of a set of characters and where it ends, as wildmatch.c of git reads it."""
    at = start + (text[start : start + 1] in ("!", "^"))
    found: list[str] = []
    first = True
    while at < len(text) and (first or text[at] != "]"):
        first = False
        if text.startswith("[:", at) and (end := text.find(":]", at)) >= 0:
            found.append(_CLASSES.get(text[at + 2 : end], _NOTHING))
            at = end + 2
            continue
        low, at = _member(text, at)
        high = low
        if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("", "]"):
            high, at = _member(text, at + 1)
        # the beginning of a range counts, also where the end comes before it
        found.append(re.escape(low) if high <= low else f"[{re.escape(low)}-{re.escape(high)}]")
    if at >= len(text):
        return _NOTHING, at  # without an end it means nothing
    any_of = "|".join(found)
    return (f"(?!{any_of})." if text[start] in "!^" else f"(?:{any_of})"), at + 1


def _member(text: str, at: int) -> tuple[str, int]:
    if text[at] == "\\" and at + 1 < len(text):
        at += 1
    return text[at], at + 1
