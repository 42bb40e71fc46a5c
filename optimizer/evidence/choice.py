"""Chooses the one version that all evidence leads to, or says why none is certain; conflicts are shown, not decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dockopt.optimizer.evidence.images import Family
from dockopt.optimizer.evidence.model import Evidence
from dockopt.optimizer.evidence.releases import EVERY, Version, at_least, shown

_LINES = {1: "major", 2: "minor"}


class Choice(NamedTuple):
    """A version for a tag, and the evidence for it."""

    version: Version
    because: Evidence
    #: a least release was taken as the one to build with
    is_least: bool = False

    @property
    def kind(self) -> str:
        """What kind of tag the version makes."""
        line = _LINES.get(len(self.version))
        return "the tag of one release" if line is None else f"a {line} tag"


class NoChoice(NamedTuple):
    """Why no version is certain, and the place of the cause."""

    reason: str
    cause: Evidence


def choose(family: Family, found: Sequence[Evidence]) -> Choice | NoChoice:
    """Return the version for a tag of an image; `found` must not be empty."""
    for one in found:
        if one.unclear:
            return NoChoice(f"{one} tells no version: {one.unclear}", one)
    used: Evidence | None = None
    for one in found:
        if one.version is None:
            continue
        if used is None or used.version is None:
            used = one
        elif not _agree(used.version, one.version):
            return _conflict(used, one)
        elif len(one.version) > len(used.version):
            used = one
    if used is not None and used.version is not None:
        return _used(family, used, used.version, found)
    least = max((one for one in found if one.least is not None), key=lambda one: one.least or (), default=None)
    if least is not None and least.least is not None:
        return _least(family, least, least.least, found)
    return _within(family, found)


def _used(family: Family, used: Evidence, version: Version, found: Sequence[Evidence]) -> Choice | NoChoice:
    if len(version) < min(family.lengths):
        return NoChoice(f"{used} leaves open which release line of {family.shown} it is", used)
    version = version[: max(family.lengths)]
    if family.language == "go" and version < (1, 21) and version[2:] == (0,):
        version = version[:2]  # the first release of a line has had a third number since Go 1.21 only
    against = _against(version, found)
    return Choice(version, used) if against is None else _conflict(used, against)


def _least(family: Family, least: Evidence, version: Version, found: Sequence[Evidence]) -> Choice | NoChoice:
    """Take the release line of a least release: it is one that is surely new enough, and `go` keeps it so."""
    line = version[: family.line]
    ended = family.support.end_of(line) if family.support is not None else None
    if ended is not None and family.support is not None:
        return NoChoice(
            f"{least} asks for that release or a later one, and support of {family.shown} {shown(line)} ended {ended} "
            f"({family.support.source}): choose a newer one, or lock today's by `dockopt pin --digest`",
            least,
        )
    against = _against(line, found)
    return Choice(line, least, is_least=True) if against is None else _conflict(least, against)


def _within(family: Family, found: Sequence[Evidence]) -> Choice | NoChoice:
    """Take the one release line that all ranges are about."""
    admitted = EVERY
    for one in found:
        before, admitted = admitted, admitted & (one.releases or EVERY)
        if not admitted.spans:
            earlier = next(
                (other for other in found if not ((other.releases or EVERY) & (one.releases or EVERY)).spans), None
            )
            return (
                NoChoice(f"{one} admits no release that the rest of the project admits", one)
                if (earlier is None or not before.spans)
                else _conflict(earlier, one)
            )
    version = admitted.tag(family.lengths)
    last = found[-1]
    if version is None:
        said = ", ".join(map(str, found[:3]))
        return NoChoice(
            f"{said} admits more than one release line of {family.shown}: write the tag that it is to be, "
            "or lock today's image by `dockopt pin --digest`",
            last,
        )
    return Choice(version, next(one for one in found if one.releases != EVERY))


def _against(version: Version, found: Sequence[Evidence]) -> Evidence | None:
    """Return the first evidence that does not admit what a tag stands for."""
    for one in found:
        bound = at_least(one.least) if one.least is not None else one.releases
        if bound is not None and not bound.holds(version):
            return one
    return None


def _agree(one: Version, other: Version) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _conflict(one: Evidence, other: Evidence) -> NoChoice:
    return NoChoice(f"the project contradicts itself: {one} and {other}; make them agree first", other)
