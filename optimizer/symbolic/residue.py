"""What package managers leave behind for themselves (indexes, downloads): a change that removes it is compared without it.

A change may declare that such a directory differs (`WantedDifference.residue`). Then commands are taken not to look there, unless they
are commands of the package manager that need what it left, or name the directory; that is the printed assumption `package-residue`.
So one that comes later has the same value on both sides, and `apt-get install` below lists that were removed has not.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.effects import Effects, Kind, Write
from dockopt.optimizer.regions import Region, below, parents

if TYPE_CHECKING:
    from dockopt.optimizer.symbolic.units import Unit

PACKAGE_RESIDUE = (
    "package-residue: commands that name neither a package manager nor its directories, programs and scripts that they start "
    "included, do not need the indexes and downloads that it left there"
)

APT_LISTS = "/var/lib/apt/lists"
#: the index that `apk update` fetches: of the image itself, or in a cache that was set up (apk-cache(5))
APK_INDEXES = ("/var/cache/apk", "/etc/apk/cache")
#: what `clean all` empties (dnf 4, dnf 5, yum 3 and microdnf), and its line in the log
RPM_CACHES = ("/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum", "/var/log")


class Residue(NamedTuple):
    """The directories that are left out, and commands (stage, text) that the other file has in a form that leaves nothing there."""

    paths: tuple[str, ...]
    respelled: frozenset[tuple[int, str]] = frozenset()


class _Owner(NamedTuple):
    """How a package manager treats what it left in a directory."""

    #: in the text of a command: it may need what lies there
    needs: re.Pattern[str]
    #: program and subcommand that fetch all of it anew
    refreshing: frozenset[tuple[str | None, ...]] = frozenset()
    #: an option with which they neither look there nor leave anything
    sparing: str = ""
    #: program and subcommand that need nothing that lies there
    indifferent: frozenset[tuple[str | None, ...]] = frozenset()


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-])({pattern})(?![\w-])")


#: apt(8), apt-get(8) and what stands on libapt; the update drops lists that are not current (`APT::Get::List-Cleanup`)
_APT = _Owner(
    _words(
        r"apt|apt-[\w-]+|aptitude|add-apt-repository|mk-build-deps|gdebi|tasksel|dselect|unattended-upgrades?|synaptic|apt_pkg"
    ),
    frozenset({("apt-get", "update"), ("apt", "update")}),
)
#: apk(8): `--no-cache` does not use any local cache path; without an index `apk del` only warns
_APK = _Owner(_words(r"apk"), frozenset({("apk", "update")}), "--no-cache", frozenset({("apk", "del")}))
#: dnf(8): metadata that are missing are fetched, unless it may use the cache only
_RPM = _Owner(_words(r"-C|--cacheonly|offline-[\w-]+|system-upgrade|log[\w-]*"))
#: pip's cache is looked up by URL and hash: a missing entry is fetched or built again
_PIP = _Owner(_words(r"cache (list|info|dir|remove|purge)|--no-index|offline"), sparing="--no-cache-dir")


def _owner_of(path: str) -> _Owner | None:
    if path == APT_LISTS:
        return _APT
    if path in APK_INDEXES:
        return _APK
    if path in RPM_CACHES:
        return _RPM
    return _PIP if path.endswith("/.cache/pip") else None


def without_residue(unit: Unit, stage: int, effects: Effects, residue: Residue) -> tuple[Effects, str]:
    """Return the effects of a command, and the text that stands for it, where what lies in the directories is not looked at."""
    hidden: dict[str, Kind | None] = {}
    text = unit.text
    for path in residue.paths:
        owner = _owner_of(path)
        if owner is None:
            continue
        called = tuple(word for word in unit.argv if word is None or not word.startswith("-"))[:2]
        fresh = effects.unknown is None and called in owner.refreshing
        if owner.sparing and owner.sparing in unit.argv and effects.unknown is None:
            text = re.sub(rf" {re.escape(owner.sparing)}(?= |$)", "", text)
            hidden[path] = None
        elif (stage, unit.text) in residue.respelled:
            hidden[path] = Kind.MAY
        elif fresh:
            hidden[path] = Kind.TREE
        elif called in owner.indifferent or not (owner.needs.search(unit.text) or _names(unit.text, path)):
            hidden[path] = Kind.MAY
    if not hidden:
        return effects, text
    return _hiding(effects, hidden), text


def _hiding(effects: Effects, hidden: dict[str, Kind | None]) -> Effects:
    """Return effects that look at none of the paths, and write there what is given for each."""
    paths = tuple(hidden)
    writes = [
        write._replace(region=write.region.minus(*paths))
        for write in effects.writes
        if not all(any(below(path, hole) for hole in paths) for path in write.region.include)
    ]
    for path, kind in hidden.items():
        here = Region((path,))
        if kind is not None and any(write.region.overlaps(here) for write in effects.writes):
            writes.append(Write(kind, here))
    return replace(
        effects,
        reads=effects.reads.minus(*paths),
        writes=tuple(writes),
        assumptions=(*effects.assumptions, PACKAGE_RESIDUE),
    )


def _names(text: str, path: str) -> bool:
    """Tell whether a text has the path in it, something below it, or one of the directories above it with all that it holds."""
    places = [re.escape(place) + "/?" for place in parents(path)]
    return path in text or any(re.search(rf"(?<![\w.$}}/-]){place}\*?(?![\w./-])", text) for place in (*places, "/"))
