"""Sets of releases, as version files and manifests describe them.

Sources: node-semver README ("Ranges"), PEP 440 ("Version specifiers"), Poetry ("Dependency specification"), Composer ("Versions and
constraints"), RubyGems ("Patterns: pessimistic version constraint").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: one to three numbers: `(1, 22)` stands for all releases 1.22.x
Version = tuple[int, ...]
#: a number that no release reaches
_ENDLESS = 10**9
_FIRST, _LAST = (0, 0, 0), (_ENDLESS, 0, 0)
_PLAIN = re.compile(r"v?(\d{1,6}(?:\.\d{1,6}){0,2})")
_COMPARATOR = re.compile(
    r"(?P<op>\^|~>|~=|~|>=|<=|===?|!=|>|<|=)?\s*v?(?P<version>\d{1,6}(?:\.\d{1,6}){0,2})(?P<wild>(?:\.[*xX]){0,2})"
)
_HYPHEN = re.compile(r"v?(\d{1,6}(?:\.\d{1,6}){0,2})\s+-\s+v?(\d{1,6}(?:\.\d{1,6}){0,2})")
#: longer texts are no ranges that somebody wrote
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Releases:
    """A union of spans [first, end) of releases, each of three numbers; no pre-releases."""

    spans: tuple[tuple[Version, Version], ...]

    def __and__(self, other: Releases) -> Releases:
        """Return what is in both."""
        found = []
        for low, high in self.spans:
            for first, end in other.spans:
                if max(low, first) < min(high, end):
                    found.append((max(low, first), min(high, end)))
        return Releases(tuple(found))

    def __or__(self, other: Releases) -> Releases:
        """Return what is in one of both; spans that touch become one."""
        merged: list[tuple[Version, Version]] = []
        for low, high in sorted((*self.spans, *other.spans)):
            if merged and low <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return Releases(tuple(merged))

    def holds(self, version: Version) -> bool:
        """Tell whether the newest release that a tag may ever stand for is one of these."""
        newest = (*version, *[_ENDLESS - 1] * (3 - len(version)))
        return any(low <= newest < high for low, high in self.spans)

    def tag(self, lengths: Sequence[int]) -> Version | None:
        """Return the shortest version, of so many numbers, whose tag stands for these releases and no others, now and later."""
        if len(self.spans) != 1:
            return None
        ((low, high),) = self.spans
        for length in sorted(lengths):
            version = low[:length]
            if high <= _after(version) and self.holds(version):
                return version
        return None


EVERY = Releases(((_FIRST, _LAST),))


def version_of(text: str) -> Version | None:
    """Return a plain version of one to three numbers, None for anything else."""
    found = _PLAIN.fullmatch(text.strip())
    return tuple(map(int, found[1].split("."))) if found is not None else None


def shown(version: Version) -> str:
    """Return a version as it is written."""
    return ".".join(map(str, version))


def all_of(version: Version) -> Releases:
    """Return the releases that a version of one to three numbers stands for."""
    return Releases(((_padded(version), _after(version)),))


def at_least(version: Version) -> Releases:
    """Return a release and all later ones."""
    return Releases(((_padded(version), _LAST),))


def parse_range(text: str, *, tilde_keeps_all_but_last: bool = False, padded: bool = False) -> Releases | None:
    """Return the releases that a range admits, None for what is not understood.

    `~8.2` ends before 8.3 for npm and Poetry, and before 9 for Composer (`tilde_keeps_all_but_last`). Where `padded` holds, `3.11`
    and `==3.11` mean 3.11.0 only (PEP 440, Poetry, Composer, RubyGems); for npm they mean every 3.11.
    """
    if len(text) > _LONGEST:
        return None
    union = Releases(())
    for alternative in re.split(r"\|\|?", text):
        found = _alternative(alternative.strip(), tilde_keeps_all_but_last, padded)
        if found is None:
            return None
        union |= found
    return union


def _alternative(text: str, all_but_last: bool, padded: bool) -> Releases | None:
    if text in ("", "*", "x", "X"):
        return EVERY
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen is not None:
        low, high = (tuple(map(int, part.split("."))) for part in hyphen.groups())
        return Releases(((_padded(low), _after(high)),))
    found, at = EVERY, 0
    while at < len(text):
        match = _COMPARATOR.match(text, at)
        if match is None:
            return None
        end = match.end()
        rest = re.compile(r"\s*(?:,\s*|\s|$)").match(text, end)
        if rest is None:
            return None
        one = _comparator(match, all_but_last, padded)
        if one is None:
            return None
        found &= one
        at = max(rest.end(), end)
    return found


def _comparator(match: re.Match[str], all_but_last: bool, padded: bool) -> Releases | None:
    operator, wild = match["op"] or "", bool(match["wild"])
    version: Version = tuple(map(int, match["version"].split(".")))
    low, point = _padded(version), padded and not wild
    whole = Releases(((low, _after(low if point else version)),))
    if operator in ("", "=", "==", "==="):
        return whole
    if operator == "!=":
        return Releases(((_FIRST, low), (whole.spans[0][1], _LAST)))
    if operator == ">=":
        return Releases(((low, _LAST),))
    if operator == "<":
        return Releases(((_FIRST, low),))
    if operator == ">":
        return Releases(((whole.spans[0][1], _LAST),))
    if operator == "<=":
        return Releases(((_FIRST, whole.spans[0][1]),))
    if operator == "^":
        # the first number that is not zero stays
        kept = next((n for n, number in enumerate(version, 1) if number), len(version))
        return Releases(((low, _after(version[:kept])),))
    if operator in ("~>", "~=") or all_but_last:
        return Releases(((low, _after(version[:-1] if len(version) > 1 else version)),))
    return Releases(((low, _after(version[:2])),))


def _padded(version: Version) -> Version:
    return (*version, *[0] * (3 - len(version)))


def _after(version: Version) -> Version:
    """Return the first release behind all that a version stands for."""
    return _padded((*version[:-1], version[-1] + 1))
