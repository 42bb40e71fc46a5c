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

import re
from collections.abc import Iterator, Sequence

from dockopt.optimizer.ecosystems.installs import is_install
from dockopt.optimizer.effects import World
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Proposal, Refusal
from dockopt.optimizer.regions import Region
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Stage
from dockopt.rewrites.chains import Chain, Link, chain_of, cut, effects_known, may_remove, removes
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
            if instruction.keyword != "RUN":
                continue
            commands = build.commands_of(stage.index, instruction.index)
            chain = chain_of(build, stage, instruction)
            if isinstance(chain, str):
                if any(map(_installs, commands)) and _does_more(commands):
                    yield Refusal(ID, instruction.start_line, f"an installation is part of a longer RUN: {chain}")
            elif len(chain.links) > 1:
                yield from _cuts(build, stage, chain)


def _installs(command: Executed) -> bool:
    """Tell whether a command fetches packages or dependencies, and so could be kept apart."""
    return is_install(command) or (command.effects.unknown is None and command.effects.world is World.REPOSITORY)


def _does_more(commands: Sequence[Executed]) -> bool:
    return any(not _installs(command) for command in commands) or any(
        re.search(r";|&&|\n", c.text.strip()) for c in commands
    )


def _cuts(build: Build, stage: Stage, chain: Chain) -> Iterator[Proposal | Refusal]:
    packages = _packages(chain)
    if packages is not None:
        yield _cut(build, stage, chain, packages, "reorder")
        return
    for i, link in enumerate(chain.links):
        if link.executed is None or not is_install(link.executed):
            continue
        begin, end = _prepared_from(chain, i), i + 1
        # where all that comes before the install goes along with it, nothing shares the RUN
        if _work(chain.links[:begin]) or _work(chain.links[end:]):
            yield _cut(build, stage, chain, (begin, end), "split-copy")
            return


def _packages(chain: Chain) -> tuple[int, int] | None:
    """Return where the installation of packages begins and ends, None where there is none or nothing else."""
    begin = end = None
    for i, link in enumerate(chain.links):
        executed = link.executed
        if link.is_state:
            continue
        installs = executed is not None and _installs(executed) and not is_install(executed)
        if installs or (begin is not None and effects_known([link]) and removes(link)):
            begin = _state_before(chain, i) if begin is None else begin
            end = i + 1
        elif begin is not None:
            break
    if begin is None or end is None or (not _work(chain.links[:begin]) and not _work(chain.links[end:])):
        return None
    return begin, end


def _work(links: Sequence[Link]) -> bool:
    """Tell whether some command does more than to change the state of the shell."""
    return any(not link.is_state for link in links)


def _prepared_from(chain: Chain, i: int) -> int:
    """Return the first of the commands directly before an install that may prepare it and look at nothing of its project."""
    executed = chain.links[i].executed
    project = Region(((executed.cwd if executed is not None else None) or "/",))
    while i > 0:
        link = chain.links[i - 1]
        known = link.executed is not None and link.executed.effects.unknown is None
        if not link.is_state and not (known and link.executed and not link.executed.effects.reads.overlaps(project)):
            break
        i -= 1
    return i


def _state_before(chain: Chain, i: int) -> int:
    """Return the first of the changes of state directly before a link: they go with it."""
    while i > 0 and chain.links[i - 1].is_state:
        i -= 1
    return i


def _cut(build: Build, stage: Stage, chain: Chain, part: tuple[int, int], enables: str) -> Proposal | Refusal:
    """Propose to give the links [begin, end) a RUN of their own."""
    line = chain.instruction.start_line
    begin, end = part
    remover = next((link for link in chain.links[end:] if may_remove(chain, link)), None)
    if remover is not None and build.is_exported(stage.index):
        where = remover.executed.line if remover.executed is not None else line
        reason = f"`{_name(remover)}` removes again what came before it: cut apart, a layer would keep it"
        return Refusal(ID, line, reason, "", where)
    inside = chain.links[begin:end]
    installs = next(link for link in reversed(inside) if link.executed is not None and _installs(link.executed))
    others = [link for link in (*chain.links[end:], *chain.links[:begin]) if not link.is_state]
    edits = [
        edit
        for at in part
        if _work(chain.links[:at]) and _work(chain.links[at:])
        for edit in cut(build.dockerfile, chain, at)
    ]
    return Proposal(
        ID,
        line,
        f"`{_name(installs)}` shares a RUN with `{_name(others[0])}`: every edit runs both again",
        tuple(edits),
        gain=f"`{_name(installs)}` can stand above the sources",
        enables=(enables,),
    )


def _name(link: Link) -> str:
    """Return a command without its operands: `apt-get install`, `go build`, `make`."""
    argv: Sequence[str | None] = () if link.executed is None else link.executed.argv
    if link.executed is None and link.step.command is not None:
        argv = [word.literal for word in link.step.command.words]
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
