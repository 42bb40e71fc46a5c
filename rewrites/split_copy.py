"""copies the manifests first, installs the dependencies, then copies the sources

What it does
    Above the first COPY of a source directory it copies the files that the install step reads, and runs the install step
    there. An install step that stands below the COPY moves up; where a build fetches its dependencies by the way, the
    install step is added.

Why it costs cache
    A COPY is a cache miss as soon as one of its files changes, and after one miss the rest of the stage runs again. With
    the sources above it, every edit downloads all dependencies again.

Before
    WORKDIR /src
    COPY . .
    RUN go mod download
    RUN go build -o /bin/app ./cmd/app

After
    WORKDIR /src
    COPY go.mod go.sum ./
    RUN go mod download
    COPY . .
    RUN go build -o /bin/app ./cmd/app

When it does not fire
    The module is vendored or needs nothing; the install step is not known to read just its manifests; a manifest is a
    link, or does not surely come from the context; a command in between may prepare the install, and is not known to be
    able to move along with it; modules are kept in a cache mount already.

Why it is safe
    The later COPY lays the same manifests over the first ones, so nothing of the new COPY is left in the image. The
    install step reads the same bytes at its new place, which is checked, not assumed: both Dockerfiles are executed
    symbolically and every value is compared. What an added download leaves in the module cache is in the image only if
    the stage itself is exported; it is then offered, not applied.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dockopt.optimizer.ecosystems.installs import Cause, Install, install_for, is_install
from dockopt.optimizer.effects import ALWAYS_READ, World, matches
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit, Proposal, Refusal, WantedDifference
from dockopt.optimizer.regions import Region, below, relative
from dockopt.optimizer.symbolic.placing import may_be_copied, placed
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Instruction, Stage, variables
from dockopt.rewrites.copies import ContextCopy, context_copies
from dockopt.rewrites.editing import PLAIN, insert_above, keyword, move_above
from dockopt.rewrites.manifests import Need, as_written, ignored_outputs, is_needed_only, needs_of

ID = "split-copy"
SUMMARY = "copies manifests first, installs dependencies, then copies the sources"
#: how many manifests a message names
_NAMED = 4
#: what an install does with each edit, by its activity
_VERBS = {"download": "downloads", "installation": "installs"}


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at every stage for an install, or a build that needs one, below a COPY of sources."""
    for stage in build.dockerfile.stages:
        copies = context_copies(build, stage)
        sources = [copy for copy in copies if copy.is_sources]
        commands = [command for command in build.executed if command.stage == stage.index]
        split = _installed_above(build, sources, commands) if sources else None
        done: set[tuple[str, str, str]] = set()
        if not sources and (elsewhere := _in_parent(build, stage, commands)) is not None:
            yield elsewhere
        for command in commands:
            above = [copy for copy in sources if copy.instruction.index < command.instruction.index]
            found = install_for(command, build.executor) if above else None
            if split is not None and not _is_another(found, split):
                continue
            if isinstance(found, Cause):
                reason = found.reason + _why_unknown(build, command, found)
                yield Refusal(ID, above[0].instruction.start_line, reason, found.path, found.line)
                break
            if isinstance(found, Install) and (found.ecosystem, found.directory, found.activity) not in done:
                done.add((found.ecosystem, found.directory, found.activity))
                yield from _one(build, stage, copies, command, found)


def _why_unknown(build: Build, command: Executed, cause: Cause) -> str:
    """Say of an earlier command that is the cause why nothing is known of it: that may name a remedy."""
    if cause.path or cause.line == command.line:
        return ""
    culprits = (c for c in build.executed if c.stage == command.stage and c.line == cause.line and c.effects.unknown)
    return next((f"; nothing is known of it: {culprit.effects.unknown}" for culprit in culprits), "")


def _installed_above(build: Build, sources: Sequence[ContextCopy], commands: list[Executed]) -> list[Install] | None:
    """Return the installs that stand above the sources in this stage, as far as they are understood; None if there are none."""
    above = [command for command in commands if is_install(command) and _stands_above(command, sources)]
    found = [install_for(command, build.executor) for command in above]
    return [one for one in found if isinstance(one, Install)] if above else None


def _stands_above(install: Executed, sources: Sequence[ContextCopy]) -> bool:
    """Tell whether an install stands above the sources; one that it looks at itself does not count: cargo wants `src/main.rs`."""
    read = install.effects.probes
    others = (c for c in sources if not (c.ops and all(op.kind == "put" and op.path in read for op in c.ops)))
    first = next(others, None)
    return first is None or install.instruction.index < first.instruction.index


def _is_another(found: Install | Cause | None, split: list[Install]) -> bool:
    """Tell whether an install goes by files that no install above the sources reads, or compiles what these only download.

    Where somebody has split the copies before, nothing else is news.
    """
    if not isinstance(found, Install) or not found.itself:
        return False
    read = {path for one in split for path in one.manifests}
    fetched = {one.activity for one in split if one.ecosystem == found.ecosystem} == {"download"}
    return not read.issuperset(found.manifests) or (fetched and found.activity != "download")


def _in_parent(build: Build, stage: Stage, commands: list[Executed]) -> Refusal | None:
    """Return the refusal for a build whose sources stand in the stage that this one starts from."""
    parent = build.executor.stage_named(stage.base, stage.index)
    while parent is not None:
        above = parent.stage
        copies = [copy for copy in context_copies(build, above) if copy.is_sources]
        if copies and not any(is_install(command) for command in build.executed if command.stage == above.index):
            for command in commands:
                if isinstance(install_for(command, build.executor), Install):
                    reason = f"line {command.line} builds from these files in another stage, and other stages may start here too"
                    return Refusal(ID, copies[0].instruction.start_line, reason, "", command.line)
        parent = build.executor.stage_named(above.base, above.index)
    return None


def _one(
    build: Build, stage: Stage, copies: list[ContextCopy], command: Executed, install: Install
) -> Iterator[Proposal | Refusal]:
    together = build.commands_of(stage.index, command.instruction.index)
    if install.itself:
        install = _of_the_run(build, together, install)
    needs = needs_of(build, copies, command, install)
    if isinstance(needs, str):
        first = next(copy for copy in copies if copy.is_sources)
        yield Refusal(ID, first.instruction.start_line, needs, "", command.line)
        return
    # a COPY by a wildcard that brings the manifests (`COPY go.* ./`) is no COPY of sources
    wildcards = {
        need.copy.position for need in needs if need.op.source is not None and need.op.source.pattern is not None
    }
    sources = [
        copy
        for copy in copies
        if copy.is_sources
        and copy.position not in wildcards
        and copy.instruction.index < command.instruction.index
        and not is_needed_only(copy, needs)
    ]
    if not sources:
        return
    target = sources[0]
    line = target.instruction.start_line
    run = command.instruction
    problem = _mounted(command, install) or (_alone(together, install) if install.itself else None)
    if problem is not None:
        yield Refusal(ID, line, problem, "", run.start_line)
        return
    edits = _edits(build, stage, target, needs, command, install)
    ignored = ignored_outputs(build, install, sources)
    if isinstance(edits, str) or isinstance(ignored, str):
        yield Refusal(ID, line, edits if isinstance(edits, str) else str(ignored), "", command.line)
        return
    declared = install.caches if not install.itself and build.is_exported(stage.index) else ()
    copied = " ".join(target.instruction.words)
    yield Proposal(
        ID,
        line,
        f"`{target.instruction.keyword} {copied}` stands above the {install.activity} of {install.what}: "
        f"every edit {_VERBS[install.activity]} them again",
        (*edits, *ignored),
        gain=f"`{install.command}` runs again only when {_changing(install)}"
        + ("" if install.locked else "; packages stay as old as that layer"),
        declared=WantedDifference(frozenset(declared)),
    )


def _changing(install: Install) -> str:
    """Name what an install reads, files, and directories with a slash, and say that it changes."""
    names = [posixpath.basename(path) for path in install.manifests]
    names += [posixpath.basename(path) + "/" for path in install.trees]
    shown = list(dict.fromkeys(names))
    if len(shown) > _NAMED + 1:
        shown[_NAMED:] = [f"{len(shown) - _NAMED} other files"]
    return f"{' or '.join(shown)} {'change' if len(shown) > 1 else 'changes'}"


def _mounted(command: Executed, install: Install) -> str | None:
    for mount in command.instruction.mounts:
        if mount.type == "cache" and not install.itself:
            target = mount.target or ""
            if any(below(cache, target) or below(target, cache) for cache in install.caches):
                return f"{install.what} are kept in a cache mount already"
    return None


def _alone(together: list[Executed], install: Install) -> str | None:
    """Return why the RUN of an install cannot move as a whole: a command in it is none, and may look at the project."""
    if any(not is_install(other) and _looks_at_sources(other, install) for other in together):
        return "the install step is one command of a longer RUN"
    return None


def _looks_at_sources(command: Executed, install: Install) -> bool:
    """Tell whether a command may look at files of the project that the install does not need."""
    effects, files = command.effects, command.before.files
    if effects.unknown is not None or effects.reads.overlaps(Region((install.directory,))):
        return True
    wanted = {*install.manifests, *install.trees}
    trees = [path for path in effects.trees if not any(below(path, made) for made in install.outputs)]
    others = [p for p in (*effects.probes, *trees) if below(p, install.directory) and p not in wanted]
    return any(files.context_file(path) is not None or placed(files, path) == "directory" for path in others)


def _of_the_run(build: Build, together: list[Executed], install: Install) -> Install:
    """Return what all installs of one RUN read and make: they move together."""
    all_of_them = [install]
    for other in together:
        found = install_for(other, build.executor) if is_install(other) else None
        if isinstance(found, Install) and found.ecosystem == install.ecosystem and found != install:
            all_of_them.append(found)
    return replace(
        install,
        manifests=tuple(dict.fromkeys(path for each in all_of_them for path in each.manifests)),
        trees=tuple(dict.fromkeys(path for each in all_of_them for path in each.trees)),
        outputs=tuple(dict.fromkeys(path for each in all_of_them for path in each.outputs)),
        locked=all(each.locked for each in all_of_them),
    )


def _is_indifferent(command: Executed, install: Install) -> bool:
    """Tell whether a command surely has nothing to do with what the Dockerfile copies, such as the installation of packages.

    What the installation makes among the sources (an environment) is no part of them.
    """
    effects = command.effects
    if effects.unknown is not None or effects.world is World.FREE or not command.roots:
        return False
    sources = Region(command.roots, install.outputs)
    files = command.before.files
    looked_at = Region((*(path for path in effects.probes if may_be_copied(files, path) is not None), *effects.trees))
    regions = (command.region, looked_at, *(write.region for write in effects.writes))
    return not any(region.overlaps(sources) for region in regions if region.include)


def _companions(
    build: Build, stage: Stage, target: ContextCopy, command: Executed, install: Install
) -> list[Instruction]:
    """Return what has to move along with an install step: RUNs that prepare it, and variables that these commands ask for."""
    run = command.instruction
    consulted = list(build.commands_of(stage.index, run.index))
    found: list[Instruction] = []
    for other in reversed([i for i in stage.instructions if target.instruction.index < i.index < run.index]):
        commands = build.commands_of(stage.index, other.index)
        if other.keyword == "RUN" and all(
            # `bundle config` makes settings among the sources, for the installation and nobody else
            _is_indifferent(c, install) or (c.argv[:1] == command.argv[:1] and not _looks_at_sources(c, install))
            for c in commands
        ):
            found.append(other)
            consulted += commands
        elif other.keyword in ("USER", "SHELL"):
            found.append(other)
        elif other.keyword in ("ENV", "ARG"):
            names = {pair.key for pair in other.pairs}
            used = {name for later in found for name in variables(later.args, build.dockerfile.escape)}
            used |= variables(run.args, build.dockerfile.escape)
            asked = (*ALWAYS_READ, *(name for c in consulted for name in c.effects.variables or ("*",)))
            if names & used or any(matches(name, asked) for name in names):
                found.append(other)
    return found


def _edits(
    build: Build, stage: Stage, target: ContextCopy, needs: Sequence[Need], command: Executed, install: Install
) -> tuple[Edit, ...] | str:
    dockerfile = build.dockerfile
    own = {id(copy.instruction): copy for copy in (need.copy for need in needs)}
    moved = [
        copy.instruction for copy in own.values() if copy.position > target.position and is_needed_only(copy, needs)
    ]
    groups: dict[tuple[str, str], list[str]] = {}
    above, there = build.runs[stage.index].states[target.position].files, command.before.files
    for need in needs:
        if not need.is_tree and above.context_file(need.path) == there.context_file(need.path):
            continue  # another COPY brought the same file before the sources
        if need.copy.position < target.position or need.copy.instruction in moved:
            continue
        place = as_written(need, target, build.runs[stage.index].states[target.position].cwd)
        if isinstance(place, str):
            return place
        source, destination, flags = place
        groups.setdefault((destination, flags), []).append(source)
    word = keyword("COPY", target.instruction)
    lines = [
        f"{word} {flags}{' '.join(dict.fromkeys(sources))} {destination}"
        for (destination, flags), sources in groups.items()
    ]
    step = _step(build, stage, target, command, install)
    if isinstance(step, str):
        return step
    workdirs, change = step
    if install.itself:
        along = {i.index: i for i in (*workdirs, *_companions(build, stage, target, command, install))}
        workdirs = [along[index] for index in sorted(along)]
    copied = (insert_above(dockerfile, target.instruction, lines),) if lines else ()
    if install.itself:
        run = command.instruction
        entered = move_above(dockerfile, workdirs, target.instruction)
        # COPY makes the directory for root, WORKDIR for the user of the stage: whichever came first does so again
        as_root = build.runs[stage.index].states[target.position].user == "root"
        return (
            *((*entered, *copied) if as_root else (*copied, *entered)),
            *move_above(dockerfile, moved, target.instruction),
            *move_above(
                dockerfile,
                [run],
                target.instruction,
                {run.offset_of(run.args_start): change.encode()},
                below_others=bool(lines),
            ),
        )
    flags = "".join(
        flag.raw + " "
        for flag in command.instruction.flags
        if flag.name != "mount" or "type=cache" not in (flag.value or "").replace(" ", "")
    )
    run_line = f"{keyword('RUN', target.instruction)} {flags}{change}{install.command}"
    if not moved and not workdirs:
        return (insert_above(dockerfile, target.instruction, [*lines, run_line]),)
    return (
        *move_above(dockerfile, workdirs, target.instruction),
        *copied,
        *move_above(dockerfile, moved, target.instruction),
        insert_above(dockerfile, target.instruction, [run_line]),
    )


def _step(
    build: Build, stage: Stage, target: ContextCopy, command: Executed, install: Install
) -> tuple[list[Instruction], str] | str:
    """Return the WORKDIRs that have to move up with the install step, and the `cd` that it needs otherwise."""
    states = build.runs[stage.index].states
    here = states[target.position].cwd
    # a RUN that moves up as a whole takes the `cd` in it along
    run = next(i for i, other in enumerate(stage.instructions) if other is command.instruction)
    wanted = states[run].cwd if install.itself else install.directory
    unknown = "the working directory is not known before the build"
    if wanted is None:
        return unknown
    if here is not None and (here == wanted or (not install.itself and below(here, install.directory))):
        return [], ""
    below_target = stage.instructions[target.position + 1 :]
    workdirs: list[Instruction] = []
    for position, instruction in enumerate(below_target, start=target.position + 1):
        if instruction.keyword in ("COPY", "ADD") and instruction.words[-1].startswith("/"):
            continue
        if instruction.keyword != "WORKDIR" or not target.instruction.words[-1].startswith("/"):
            break
        workdirs.append(instruction)
        if states[position + 1].cwd == wanted:
            return workdirs, ""
    if here is None:
        return unknown
    where = relative(wanted, here) if below(wanted, here) else wanted
    if not PLAIN.fullmatch(where):
        return f"`{where}` needs quoting"
    if install.itself and command.instruction.json is not None:
        return "the install step is no shell command"
    return [], f"cd {where} && "
