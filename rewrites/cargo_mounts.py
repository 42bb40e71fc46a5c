"""Cache mounts for cargo: what it downloads, which is proven, and what it compiles, which cannot be.

*Downloads.* `$CARGO_HOME/registry` and `git/db` hold archives, indices and commits by name; a missing entry is fetched again. The
locks of cargo lie beside these directories, not in them, so two builds at a time would not see each other's: `sharing=locked`.

*What it compiled.* In `target` cargo takes an artefact for current unless a source has a later modification time (The Cargo
Book, `core/compiler/fingerprint`). COPY keeps the times of the context, and a layer keeps those of the day when it was made; so an
older time can come with newer content, and the program that comes out is the old one. A build script may also have looked at
things that cargo does not know of. The validator says so, and the change is shown with that obligation only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.rust.arguments import CargoCommand, read_command
from dockopt.optimizer.ecosystems.rust.commands import COMPILING, offline
from dockopt.optimizer.ecosystems.rust.install import STARTS_CARGO
from dockopt.optimizer.ecosystems.rust.lockfile import LockFile, parse_lock_file
from dockopt.optimizer.ecosystems.rust.manifest import ManifestError
from dockopt.optimizer.ecosystems.rust.places import Places
from dockopt.optimizer.ecosystems.rust.project import Project, project_at
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit, Proposal, Refusal, WantedDifference
from dockopt.optimizer.regions import below, join
from dockopt.optimizer.symbolic.execute import evaluate
from dockopt.optimizer.symbolic.run import Executed, surroundings_of
from dockopt.optimizer.syntax import Instruction, Stage
from dockopt.rewrites.copies import context_copies
from dockopt.rewrites.editing import with_mounts

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings

ID = "cache-mounts"
_PLAIN = re.compile(r"[A-Za-z0-9_./@%+,:=-]+")
#: cargo as a command, not as a part of a path
_CARGO = re.compile(r"(?:^|[\s;&|(])cargo\s")
#: a directory of our own for what a build is wanted for
_OUTPUT = "/out"


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at every command by which cargo compiles a project below a COPY of its sources."""
    seen: set[int] = set()
    for command in build.executed:
        read = reads_project(command)
        scripted = not command.argv and STARTS_CARGO.search(command.text) is not None
        if (read is None and not scripted) or command.instruction.index in seen:
            continue
        lineage = build.lineage(command.stage)
        if not _is_below_sources(build, lineage, command) or _in_a_layer(build, lineage, command):
            continue
        seen.add(command.instruction.index)
        around = surroundings_of(command, build.executor)
        places = Places.of(around)
        if isinstance(places, str):
            yield Refusal(ID, command.instruction.start_line, places, "", command.line)
            continue
        offline_here = read is not None and read.is_offline
        if offline_here or offline(around) is not None or command.cwd is None:
            continue
        found = project_at(around, command.cwd, places.cargo_home)
        project = found if isinstance(found, Project) else None
        if any(config.offline_line or config.source_line for _, config in (project.configs if project else ())):
            continue  # it downloads nothing
        lock = project.lock if project is not None else _lock_beside(around, command.cwd)
        if (said := _downloads(build, command, places, lock)) is not None:
            yield said
        if project is not None and read is not None and read.name in ("build", "install"):
            yield from _target(build, command, read, project)


def reads_project(command: Executed) -> CargoCommand | None:
    """Return a command of cargo that compiles a project, None for all others."""
    read = read_command(command.argv) if command.argv[:1] == ("cargo",) else None
    if read is None or read.name not in COMPILING or (read.name == "install" and "--path" not in read.options):
        return None
    return read


def _is_below_sources(build: Build, lineage: Collection[int], command: Executed) -> bool:
    """Tell whether a directory of the context is copied above a command: without that, edits do not run it again."""
    return any(
        copy.instruction.index < command.instruction.index and any(op.kind == "overlay" for op in copy.ops)
        for stage in lineage
        for copy in context_copies(build, build.dockerfile.stages[stage])
    )


def _lock_beside(around: Surroundings, directory: str) -> LockFile | None:
    """Return what the Cargo.lock of a directory says, None where it has none that can be read."""
    data = around.read_context(join(directory, "Cargo.lock"))
    try:
        return None if data is None else parse_lock_file(data)
    except ManifestError:
        return None


# -- downloads -------------------------------------------------------------------------------------------------------


def _downloads(build: Build, command: Executed, places: Places, lock: LockFile | None) -> Proposal | Refusal | None:
    line, instruction = command.instruction.start_line, command.instruction
    if lock is not None and not lock.downloads:
        return None
    wanted = [f"{places.cargo_home}/registry"] if lock is None or lock.registry else []
    wanted += [f"{places.cargo_home}/git/db"] if lock is not None and lock.git else []
    if any(_is_mounted(instruction, path) for path in places.downloads):
        return None
    if command.before.user != "root":
        who = "this command runs as another user" if command.before.user else "its user is not known before the build"
        return Refusal(ID, line, f"a new mount belongs to root, and {who}", "", command.line)
    exported = build.is_exported(command.stage)
    flags = [f"--mount=type=cache,target={path},sharing=locked" for path in wanted]
    return Proposal(
        ID,
        line,
        "`cargo` starts with no crates: every edit downloads all of them again",
        (with_mounts(build.dockerfile, instruction, flags),),
        gain="`cargo` downloads only crates that this machine has not had yet; it compiles as much as before",
        declared=WantedDifference(frozenset(wanted) if exported else frozenset()),
    )


def _is_mounted(instruction: Instruction, path: str) -> bool:
    """Tell whether some mount has to do with a directory: then its author has thought of it."""
    return any(
        mount.target is None
        or "$" in mount.target
        or below(path, mount.target.rstrip("/") or "/")
        or below(mount.target, path)
        for mount in instruction.mounts
    )


def _in_a_layer(build: Build, lineage: Collection[int], command: Executed) -> bool:
    """Tell whether an earlier RUN leaves crates in the image: a mount would hide what is there.

    So it is where dependencies have been compiled before the sources come (`cargo chef cook`, sources made up for that).
    """
    return any(
        other.stage in lineage
        and other.instruction.index < command.instruction.index
        and _CARGO.search(other.text) is not None
        and not _installs_published(other)
        and not any(mount.type == "cache" for mount in other.instruction.mounts)
        for other in build.executed
    )


def _installs_published(command: Executed) -> bool:
    """Tell whether a command fetches a tool, which is no reason to leave the crates of the project to a layer."""
    read = read_command(command.argv) if command.argv[:1] == ("cargo",) else None
    return read is not None and read.name == "install" and "--path" not in read.options


# -- what was compiled -----------------------------------------------------------------------------------------------


def _target(build: Build, command: Executed, read: CargoCommand, project: Project) -> Iterator[Proposal | Refusal]:
    """Propose a mount for the target directory, and to take the programs out of it in the same RUN."""
    around = surroundings_of(command, build.executor)
    target = Places.target(around, project.root, project.target_dir)
    if "--target-dir" in read.options:
        given = read.options["--target-dir"]
        target = None if given is None else join(command.cwd or "/", given)
    stage, instruction = build.dockerfile.stages[command.stage], command.instruction
    if target is None or target == "/" or _is_mounted(instruction, target) or build.is_exported(command.stage):
        return
    if command.before.user != "root" or any(_starts_from(other, stage) for other in build.dockerfile.stages):
        return
    line = instruction.start_line
    name = target.rpartition("/")[2]
    for other in build.executed:
        below_it = other.stage == command.stage and other.instruction.index > instruction.index
        if below_it and (
            re.search(rf"\b{re.escape(name)}\b", other.text) or _CARGO.search(other.text) or other.cwd == target
        ):
            reason = f"line {other.line} looks at `{target}`, which a mount would leave empty: join both RUNs first"
            yield Refusal(ID, line, reason, "", other.line)
            return
    taken = _taken_out(build, stage, target)
    if isinstance(taken, Refusal):
        yield taken
        return
    paths, copies = taken
    flag = f"--mount=type=cache,id={_id(project)},target={target},sharing=locked"
    edits = [with_mounts(build.dockerfile, instruction, [flag]), *copies]
    if paths:
        script = f"mkdir -p {_OUTPUT} && cp {' '.join(paths)} {_OUTPUT}/"
        if instruction.heredocs or instruction.json is not None or not _may_be_added_to(build, command):
            yield Refusal(ID, line, "programs cannot be copied out of a mount at the end of this RUN", "", command.line)
            return
        end = instruction.offset_of(len(instruction.logical.rstrip()))
        escape = build.dockerfile.escape.encode()
        joined = b" " + escape + build.dockerfile.newline + b"    && " + script.encode()
        edits.append(Edit(end, end, joined))
    yield Proposal(
        ID,
        line,
        f"`{command.name} {read.name}` starts with an empty `{name}` directory: every edit compiles all crates again",
        tuple(edits),
        gain="only packages that changed are compiled",
    )


def _starts_from(other: Stage, stage: Stage) -> bool:
    return stage.name is not None and other.base == stage.name


def _may_be_added_to(build: Build, command: Executed) -> bool:
    """Tell whether something can be appended to a RUN: all of its commands end it when they fail."""
    commands = build.commands_of(command.stage, command.instruction.index)
    text = command.instruction.args
    return all(other.argv for other in commands) and not re.search(r"\|\||;|#|\n|&(?!&)(?<!&&)", text)


def _id(project: Project) -> str:
    """Return the name of a mount for one project: the default is the path, which many projects share."""
    name = next((m.package for m in project.packages if m.package), None) or project.root.rpartition("/")[2]
    return f"cargo-target-{name}"


def _taken_out(build: Build, stage: Stage, target: str) -> tuple[list[str], list[Edit]] | Refusal:
    """Return what other stages take from the directory, and the edits by which they take it from elsewhere."""
    paths: dict[str, str] = {}
    edits: list[Edit] = []
    for other in build.dockerfile.stages:
        for position, instruction in enumerate(other.instructions):
            if (instruction.flag("from") or "").lower() not in (stage.name, str(stage.index)):
                continue
            line = instruction.start_line
            state = build.runs[other.index].states[position]
            spans = instruction.word_spans or ()
            for word, span in zip(instruction.words[:-1], spans, strict=False):
                text = evaluate(word, state, build.dockerfile.escape, line).text
                path = None if text is None else join("/", text)
                if path is None or any(char in path for char in "*?["):
                    reason = f"what `{word}` takes from the stage that compiles is not known before the build"
                    return Refusal(ID, line, reason)
                if below(target, path):
                    return Refusal(ID, line, f"`{path}` is taken as a whole, and `{target}` would not be in it")
                if below(path, target):
                    name = posixpath.basename(path)
                    if not _PLAIN.fullmatch(path) or paths.setdefault(name, path) != path:
                        return Refusal(ID, line, f"two files with the name `{name}` are taken from `{target}`")
                    edits.append(Edit(*span, f"{_OUTPUT}/{name}".encode()))
            if not spans and any(word.startswith(target) for word in instruction.words):
                return Refusal(ID, line, "the sources of this COPY cannot be edited one by one")
    return list(paths.values()), edits
