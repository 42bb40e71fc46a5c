"""What one simple command reads and writes.

A command reads everything and writes everything unless a *command model* says otherwise, and a model may only subtract
(DESIGN §5). `UNKNOWN` is the honest default: a state after an unknown command depends on all of the state before it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dockopt.optimizer.regions import EVERYTHING, Region


class World(enum.IntEnum):
    """How far a command's result depends on the world outside the build (network, clock), from none to free.

    A rewrite may let a LOCKED command (hash-checked downloads) be reused longer, a REPOSITORY command (apt, apk, unlocked
    installs) too, with a message; a FREE one (curl, git clone, date) never.
    """

    NONE = 0
    LOCKED = 1
    REPOSITORY = 2
    FREE = 3


class Kind(enum.Enum):
    """How a write treats what was there before."""

    SET = "set"  # exact path, a file: its content hides what was there; mode and owner may be those of what was there
    NEW = (
        "new"  # exact path, a file that the project surely has not (the model looked): no COPY of the context brings it
    )
    TREE = "tree"  # exact path, a directory with all that is in it: the result hides what was there
    MAY = "may"  # the result depends on what was there, or the command only adds
    KILL = "kill"  # the path is gone afterwards, whatever was there
    DIRECTORY = "directory"  # `mkdir -p`: the directory exists afterwards; its content is untouched


class Write(NamedTuple):
    """One region that a command writes."""

    kind: Kind
    region: Region
    mode: str = ""  # for DIRECTORY: the mode of a newly made one when it is not 0755


#: variables that the shell and the C library consult for every program
ALWAYS_READ = ("PATH", "LD_*", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "POSIXLY_CORRECT")


class Leftovers(NamedTuple):
    """A tool may take what it finds of its own earlier work for what it has to make now (make, cargo, tsc -b)."""

    #: directories that it looks things up in by their content or version: what is left there does no harm
    harmless: tuple[str, ...]
    #: how it decides, and what would have to hold for that to be right
    why: str


@dataclass(frozen=True, slots=True)
class Effects:
    """The reads and writes of one simple command; the defaults are those of a command about which nothing is known."""

    #: paths whose content or absence may matter
    reads: Region = EVERYTHING
    #: files (exact paths) that matter although `reads` leaves their subtree out; an absent one matters too
    probes: tuple[str, ...] = ()
    #: directories of which all entries matter although `reads` leaves them out (their own mode and owner do not)
    trees: tuple[str, ...] = ()
    #: names of variables that may matter, `GO*` is a prefix; None: all of them
    variables: tuple[str, ...] | None = None
    writes: tuple[Write, ...] = (Write(Kind.MAY, EVERYTHING),)
    #: directories that belong to this tool as a cache: it reads *through* them (a missing entry is made again, an extra
    #: one changes nothing), and adds to them. Only other programs see their content.
    caches: tuple[str, ...] = ()
    #: those of them whose entries the tool makes again from what else it reads, whoever put them there (a compiler's cache); of the
    #: others it matters what `COPY` brought: that may be nowhere else
    rebuilt: tuple[str, ...] = ()
    world: World = World.FREE
    #: why nothing is known, else None; a known command has no reason
    unknown: str | None = None
    #: absolute paths of the image that are surely not there, and without which the command surely fails
    missing: tuple[str, ...] = ()
    #: context-relative files whose text the model relied on (`go.mod`); they become frozen inputs of a proof
    relied_on: tuple[str, ...] = ()
    #: printed assumptions that the model makes (`modules-available`, …)
    assumptions: tuple[str, ...] = ()
    #: of a command that reads everything only because links may lead anywhere: the paths that it names
    named: tuple[str, ...] = ()
    #: what files that an earlier run left behind may do, None where they do nothing
    leftovers: Leftovers | None = None
    #: ids of caches → path, for rewrites (`go-build` → `/root/.cache/go-build`)
    cache_names: dict[str, str] = field(default_factory=dict)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether a variable's name is one of the patterns (`GO*` is a prefix)."""
    return any(name == p or (p.endswith("*") and name.startswith(p[:-1])) for p in patterns)


def unknown(reason: str, missing: Sequence[str] = ()) -> Effects:
    """Return the effects of a command that is not understood; `reason` completes "`make` is not understood: …".

    `missing` names what it surely fails without.
    """
    return Effects(unknown=reason, missing=tuple(missing))


def pure(**changes: object) -> Effects:
    """Return the effects of a command that writes nothing and asks nothing of the world; it still reads everything."""
    defaults: dict[str, object] = {"writes": (), "world": World.NONE}
    return Effects(**{**defaults, **changes})  # type: ignore[arg-type]  # keyword names are checked by the dataclass


def together(parts: Sequence[Effects], *, keep_first: bool = False) -> Effects:
    """Return effects of commands that run in one unit, in an order and number that is not followed."""
    for part in parts:
        if part.unknown is not None:
            return part
    if not parts:
        return unknown("nothing is known of it")
    variables: tuple[str, ...] | None = ()
    for part in parts:
        variables = None if variables is None or part.variables is None else (*variables, *part.variables)
    includes = {path for part in parts for path in part.reads.include}
    # what one part leaves out is read if another part reads it
    holes = [h for part in parts for h in part.reads.exclude if all(not p.reads.overlaps(Region((h,))) for p in parts)]
    writes = [
        write
        if keep_first and i == 0
        else write._replace(kind=Kind.MAY if write.kind is not Kind.DIRECTORY else write.kind)
        for i, part in enumerate(parts)
        for write in part.writes
    ]
    caches = (
        {c for c in parts[0].caches if keep_first} if keep_first else set.intersection(*(set(p.caches) for p in parts))
    )
    if not keep_first:
        writes += [Write(Kind.MAY, Region((c,))) for part in parts for c in part.caches if c not in caches]
    return Effects(
        reads=Region(tuple(sorted(includes)), tuple(sorted(set(holes)))),
        probes=tuple(path for part in parts for path in part.probes),
        trees=tuple(path for part in parts for path in part.trees),
        variables=variables,
        writes=tuple(writes),
        caches=tuple(sorted(caches)),
        world=World(max(part.world for part in parts)),
        relied_on=tuple(path for part in parts for path in part.relied_on),
        assumptions=tuple(dict.fromkeys(a for part in parts for a in part.assumptions)),
        cache_names=parts[0].cache_names if keep_first else {},
    )
