"""cuts the installation out of a longer RUN, so that it can move above the sources

What it does
    Where one RUN below a COPY of sources installs packages or downloads dependencies and then goes on to build, it cuts
    the RUN in two. It does so only where another rewrite then moves the installation above the COPY.

Why it costs cache
    A RUN is one entry of the cache. If one of its commands reads the sources, all of them run again with every edit.

Before
    COPY . .
    RUN apk add --no-cache git && \\
        go build -o /bin/app .

After
    RUN apk add --no-cache git
    COPY . .
    RUN go build -o /bin/app .

When it does not fire
    The commands are joined by anything but `&&`; the RUN has flags or here-documents; what the first part installs is
    removed again by the second part, and the stage is exported (a layer would keep it); nothing could move after the cut.

Why it is safe
    A command that fails ends the build in one RUN and in two. Changes of the shell's state (`cd`, `export`) are repeated
    in the second part, and the validator compares what every command sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockopt.optimizer.ecosystems.installs import is_install
from dockopt.optimizer.effects import World
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Proposal, Refusal
from dockopt.optimizer.syntax import Stage
from dockopt.rewrites.chains import Chain, Link, chain_of, cut, effects_known, removes
from dockopt.rewrites.copies import context_copies

ID = "split-run"


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at every chain below a COPY of sources that holds an installation and more."""
    for stage in build.dockerfile.stages:
        sources = [copy.instruction for copy in context_copies(build, stage) if copy.is_sources]
        if not sources:
            continue
        for instruction in stage.instructions:
            if instruction.index < sources[0].index:
                continue
            chain = chain_of(build, stage, instruction)
            if chain is not None and len(chain.links) > 1:
                yield from _cuts(build, stage, chain)


def _cuts(build: Build, stage: Stage, chain: Chain) -> Iterator[Proposal | Refusal]:
    at = _end_of_packages(chain)
    if at is not None:
        yield _cut(build, stage, chain, at, "reorder")
        return
    for i, link in enumerate(chain.links):
        if link.executed is None or not is_install(link.executed):
            continue
        if any(not before.is_state for before in chain.links[:i]):
            yield _cut(build, stage, chain, _state_before(chain, i), "split-copy")
        elif i + 1 < len(chain.links):
            yield _cut(build, stage, chain, i + 1, "split-copy")
        return


def _end_of_packages(chain: Chain) -> int | None:
    """Return where the packages are installed that a chain begins with, None where it does not, or has nothing else."""
    end = None
    for i, link in enumerate(chain.links):
        if link.is_state:
            continue
        if not effects_known([link]) or link.executed is None or is_install(link.executed):
            break
        if link.executed.effects.world is World.FREE or link.executed.argv[:2] == ("go", "build"):
            break
        if link.executed.effects.world is World.REPOSITORY or (end is not None and removes(link)):
            end = i + 1
    return end if end is not None and end < len(chain.links) else None


def _state_before(chain: Chain, i: int) -> int:
    """Return the first of the changes of state directly before a link: they go with it."""
    while i > 0 and chain.links[i - 1].is_state:
        i -= 1
    return i


def _cut(build: Build, stage: Stage, chain: Chain, at: int, enables: str) -> Proposal | Refusal:
    line = chain.instruction.start_line
    first, second = chain.links[:at], chain.links[at:]
    remover = next((link for link in second if removes(link)), None)
    if remover is not None and build.is_exported(stage.index):
        where = remover.executed.line if remover.executed is not None else line
        return Refusal(
            ID,
            line,
            f"`{_name(remover)}` removes again what came before it: cut apart, a layer would keep it",
            "",
            where,
        )
    installs = next(link for link in (*reversed(first), *second) if not link.is_state)
    return Proposal(
        ID,
        line,
        f"`{_name(installs)}` shares a RUN with `{_name(_other(installs, first, second))}`: every edit runs both again",
        cut(build.dockerfile, chain, at),
        gain=f"`{_name(installs)}` can stand above the sources",
        enables=(enables,),
    )


def _other(installs: Link, first: Sequence[Link], second: Sequence[Link]) -> Link:
    return next(link for link in (*second, *first) if link is not installs and not link.is_state)


def _name(link: Link) -> str:
    """Return a command without its operands: `apt-get install`, `go build`, `make`."""
    argv = () if link.executed is None else link.executed.argv
    words = [word for word in argv[:3] if word is not None]
    if not words:
        return "a command"
    count = 3 if words[:2] == ["go", "mod"] else 2
    named = [words[0]]
    for word in words[1:count]:
        if not word.isalpha():
            break
        named.append(word)
    return " ".join(named)
