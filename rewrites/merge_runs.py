"""joins neighbouring RUNs where two layers do harm

What it does
    Joins `apt-get update` with the installation that stands alone below it, and a RUN that only removes files with the RUN
    directly above that made them.

Why it costs cache
    An index of packages that has a layer of its own is reused for months: an installation that is changed below it asks
    for versions that the mirrors do not have any more. And what one layer made and the next one removed is still in the
    image: it is pushed, pulled and stored.

Before
    RUN apt-get update
    RUN apt-get install -y --no-install-recommends ca-certificates
    RUN rm -rf /var/lib/apt/lists/*

After
    RUN apt-get update && \\
        apt-get install -y --no-install-recommends ca-certificates && \\
        rm -rf /var/lib/apt/lists/*

When it does not fire
    The stage is not exported: its layers are for the cache alone; another instruction or a comment stands between the two;
    a RUN has flags or here-documents, is joined by `;` or `||`, or changes the state of the shell; anything else, because a
    RUN of its own is a boundary of the cache that its author may want.

Why it is safe
    A command that fails ends the build in one RUN and in two, and each command sees the same files: layers are no part of
    what a command can see. Both are reused together from then on, so neither is reused longer than before.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockopt.optimizer.effects import Kind
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Proposal, Refusal
from dockopt.optimizer.regions import region
from dockopt.optimizer.syntax import Instruction, Stage
from dockopt.rewrites.chains import Chain, Link, called, chain_of, effects_known, join_below, removes

ID = "merge-runs"
_UPDATES = frozenset(
    {("apt-get", "update"), ("apt", "update"), ("apk", "update"), ("dnf", "makecache"), ("yum", "makecache")}
)
_INSTALLS = frozenset(
    {("apt-get", "install"), ("apt", "install"), ("apk", "add"), ("dnf", "install"), ("yum", "install")}
)
#: programs that share an index of packages
_FAMILY = {"apt-get": "apt", "apt": "apt", "apk": "apk", "dnf": "dnf", "yum": "yum"}
#: where the installation of packages surely leaves something that nobody needs
_LEFTOVERS = region(
    "/usr/share/doc", "/usr/share/info", "/usr/share/locale", "/usr/share/man", "/var/cache", "/var/log"
)
#: where refreshing an index does
_INDEXES = region("/var/lib/apt", "/var/cache")


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at every pair of neighbouring RUNs of an exported stage."""
    for stage in build.dockerfile.stages:
        if not build.is_exported(stage.index):
            continue
        for above, below in zip(stage.instructions, stage.instructions[1:], strict=False):
            if above.keyword != "RUN" or below.keyword != "RUN":
                continue
            first, second = chain_of(build, stage, above), chain_of(build, stage, below)
            problem = next(
                (
                    f"{where}: {chain}"
                    for where, chain in (("the RUN above", first), ("this RUN", second))
                    if isinstance(chain, str)
                ),
                None,
            )
            if isinstance(first, str) or isinstance(second, str):
                if problem is not None and _looks_divided(build, stage, above, below):
                    yield Refusal(ID, below.start_line, problem, "", above.start_line)
                continue
            found = _reason(first, second)
            if found is None:
                continue
            edit = join_below(build.dockerfile, first, below)
            if edit is None:
                yield Refusal(
                    ID, below.start_line, "a comment stands between two RUNs that could be one", "", above.start_line
                )
            elif any(link.is_state for link in first.links):
                reason = "the RUN above changes the state of the shell (`cd`, `export`, `set`)"
                yield Refusal(ID, below.start_line, reason, "", above.start_line)
            else:
                message, gain = found
                yield Proposal(ID, below.start_line, message, (edit,), gain=gain)


def _reason(first: Chain, second: Chain) -> tuple[str, str] | None:
    """Return what is wrong with two RUNs that should be one, and what joining them gains."""
    update, install = first.links[-1], second.links[0]
    if (
        called(update.executed) in _UPDATES
        and called(install.executed) in _INSTALLS
        and _family(update) == _family(install)
    ):
        name = " ".join(word for word in called(update.executed) if word)
        return (
            f"`{name}` has a layer of its own, so its index is old when the installation changes",
            f"`{name}` runs again together with the installation",
        )
    known = effects_known([link for link in first.links if not link.is_state]) and effects_known(second.links)
    if known and all(map(removes, second.links)) and any(_leaves(first, link) for link in second.links):
        return (
            "it removes what the RUN above it made, but the layer of that RUN still has it",
            "the removed files are in no layer of the image",
        )
    return None


def _looks_divided(build: Build, stage: Stage, above: Instruction, below: Instruction) -> bool:
    """Tell whether one RUN refreshes an index of packages and the next one uses it."""
    first, second = build.commands_of(stage.index, above.index), build.commands_of(stage.index, below.index)
    return bool(first and second) and called(first[-1]) in _UPDATES and called(second[0]) in _INSTALLS


def _family(link: Link) -> str | None:
    return _FAMILY.get((called(link.executed) or (None,))[0] or "")


def _leaves(first: Chain, removing: Link) -> bool:
    """Tell whether the first RUN makes what a command of the second removes; what lower layers made stays there anyway."""
    assert removing.executed is not None
    removed = [write.region for write in removing.executed.effects.writes]
    for link in first.links:
        if link.executed is None:
            continue
        what = called(link.executed)
        known = _INDEXES if what in _UPDATES else _LEFTOVERS if what in _INSTALLS else None
        for write in link.executed.effects.writes:
            for where in removed:
                exact = write.kind in (Kind.SET, Kind.DIRECTORY) or where.covers(write.region)
                if write.region.overlaps(where) and (exact or (known is not None and known.covers(where))):
                    return True
    return False
