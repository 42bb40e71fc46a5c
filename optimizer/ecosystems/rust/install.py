"""`cargo fetch`: which commands are it or need it, and what it reads of a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.ecosystems.rust.arguments import CargoCommand, read_command
from dockopt.optimizer.ecosystems.rust.commands import COMPILING, offline, unsettled
from dockopt.optimizer.ecosystems.rust.places import Places
from dockopt.optimizer.ecosystems.rust.project import Obstacle, Project, project_at
from dockopt.optimizer.regions import join, parents, relative
from dockopt.optimizer.symbolic.run import surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.filesystem import FileSystem
    from dockopt.optimizer.symbolic.run import Executed

_CHEF = re.compile(r"\bcargo(\s+\+\S+)?\s+chef\b")
#: a script that lets cargo compile a project
STARTS_CARGO = re.compile(
    r"\bcargo(\s+\+\S+)?\s+(b|build|zigbuild|auditable|check|test|run|clippy|rustc|install\s+--path)\b"
)


def caches(around: Surroundings) -> tuple[str, ...]:
    """Return the directories in which cargo keeps what it downloads, () where that is not certain or nothing can be downloaded."""
    places = Places.of(around)
    return () if isinstance(places, str) or offline(around) is not None else places.owned


def is_install(command: Executed) -> bool:
    """Tell whether a command is `cargo fetch`, or `cargo chef cook`, which compiles what a recipe names."""
    read = read_command(command.argv) if command.argv[:1] == ("cargo",) else None
    if read is not None:
        return read.name == "fetch" or (read.name == "chef" and read.operands[:1] == ("cook",))
    return not command.argv and _CHEF.search(command.text) is not None and " cook" in command.text


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return the `cargo fetch` that a command is or needs."""
    if not command.argv:
        if _CHEF.search(command.text) or not STARTS_CARGO.search(command.text):
            return None
        why = command.effects.unknown or "its commands cannot be told apart"
        return Cause(f"it starts cargo in a script that is not understood: {why}", "", command.line)
    if command.argv[0] != "cargo":
        return None
    read = read_command(command.argv)
    if read is None or (read.name != "fetch" and read.name not in COMPILING) or _is_elsewhere(read):
        return None
    itself = read.name == "fetch"
    if not itself and _fetched_before(command, executor):
        return None
    cause = _unfit(read, command, executor)
    if cause is not None:
        return cause
    around = surroundings_of(command, executor)
    places = Places.of(around)
    if isinstance(places, str):
        return Cause(places, "", command.line)
    problem = offline(around)
    if problem is not None:
        return Cause(f"{problem}, so nothing is downloaded", "", command.line)
    found = project_at(around, command.cwd or "/", places.cargo_home)
    if isinstance(found, Obstacle):
        return _without_lock_file(around, command, executor) or _located(found, command)
    return (
        _nothing_to_fetch(found, command, executor)
        or _settings(found, around, command)
        or (None if itself else _needs_sources(found, command))
        or Install(
            "rust",
            "crates",
            f"cargo {read.toolchain + ' ' if read.toolchain else ''}fetch{_options(read)}",
            found.root,
            found.files,
            places.owned,
            itself,
            locked=found.lock is not None,
        )
    )


def _fetched_before(command: Executed, executor: Executor) -> bool:
    """Tell whether an earlier RUN of the stage has fetched or compiled the dependencies on its own."""
    return any(
        is_install(other) and other.stage == command.stage and other.instruction.index < command.instruction.index
        for other in executor.executed
    )


def _is_elsewhere(read: CargoCommand) -> bool:
    """Tell whether it installs a published package: that has nothing to do with the project."""
    return read.name == "install" and "--path" not in read.options


def _options(read: CargoCommand) -> str:
    target = read.options.get("--target")
    return (" --locked" if read.is_locked else "") + (f" --target {target}" if target else "")


def _unfit(read: CargoCommand, command: Executed, executor: Executor) -> Cause | None:
    """Return why what a command fetches cannot be fetched ahead of it."""
    line = command.line
    if read.is_offline:
        return Cause("it works without the network (`--offline` or `--frozen`), so nothing is downloaded", "", line)
    if read.unusual is not None:
        return Cause(f"`{read.unusual}` makes cargo work on something else than where it stands", "", line)
    if read.name == "install" and not read.is_locked:
        reason = "`cargo install` without `--locked` takes the newest versions, whatever Cargo.lock says; `--locked` keeps to it"
        return Cause(reason, "", line)
    if read.options.get("--path", ".") not in (".", "./"):
        return Cause("`--path` makes cargo work on something else than where it stands", "", line)
    if "--target" in read.options and not re.fullmatch(r"[a-z0-9_.-]+", read.options["--target"] or ""):
        return Cause("the target that it compiles for is not known before the build", "", line)
    if any(mount.type == "bind" for mount in command.instruction.mounts):
        return Cause("it works on files that are mounted for it", "", line)
    if command.cwd is None:
        return Cause("its working directory is not known before the build", "", line)
    earlier = next((other for other in executor.executed if _compiles_before(other, command)), None)
    if earlier is not None:
        reason = f"line {earlier.line} has compiled the dependencies already, with other sources in the place of these"
        return Cause(reason, "", earlier.line)
    return None


def _compiles_before(other: Executed, command: Executed) -> bool:
    """Tell whether an earlier command compiles the same project while most of it is not there yet."""
    if other.stage != command.stage or other.instruction.index >= command.instruction.index or other.cwd != command.cwd:
        return False
    read = read_command(other.argv) if other.argv[:1] == ("cargo",) else None
    if read is None or read.name not in COMPILING or _is_elsewhere(read):
        return False
    manifest = f"{(other.cwd or '').rstrip('/')}/src/main.rs"
    writer = other.before.files.last_writer(manifest)
    return writer is not None and writer.source is None


def _without_lock_file(around: Surroundings, command: Executed, executor: Executor) -> Cause | None:
    """Return the cause where it is plain that a package has no Cargo.lock, whatever else is not certain."""
    directory = command.cwd or "/"
    manifest = join(directory, "Cargo.toml")
    above = any(around.kind(join(place, "Cargo.toml")) == "file" for place in parents(directory))
    if above or around.kind(manifest) != "file" or around.kind(join(directory, "Cargo.lock")) != "absent":
        return None
    return _no_lock_file(_context_path(command.before.files, manifest), executor)


def _no_lock_file(manifest: str, executor: Executor) -> Cause:
    name = "/".join((*manifest.split("/")[:-1], "Cargo.lock"))
    ignore_file = executor.files.ignore_file if executor.files.excluded(name) else None
    if ignore_file is not None:
        reason = "the ignore file keeps Cargo.lock out, so each build takes the newest versions"
        return Cause(reason, ignore_file[0], _line_of_rule(ignore_file[1]))
    reason = "there is no Cargo.lock, so each build takes the newest versions; commit it, and its downloads can be kept"
    return Cause(reason, manifest)


def _nothing_to_fetch(found: Project, command: Executed, executor: Executor) -> Cause | None:
    place = _context_path(command.before.files, found.manifests[0])
    if found.lock is None:
        return _no_lock_file(place, executor)
    if not found.lock.downloads:
        return Cause("Cargo.lock has nothing but the project itself, so there is nothing to download", place)
    return None


def _line_of_rule(text: bytes) -> int:
    return next((n for n, line in enumerate(text.splitlines(), 1) if b"Cargo.lock" in line or b".lock" in line), 0)


def _settings(found: Project, around: Surroundings, command: Executed) -> Cause | None:
    problem = unsettled(found, around)
    return None if problem is None else _located(problem, command)


def _needs_sources(found: Project, command: Executed) -> Cause | None:
    """Return why a download alone cannot stand above the sources: cargo reads no manifest without a target."""
    if not found.sources:
        return None
    manifest, source = found.sources[0]
    others = len(found.sources) - 1
    shown = f"`{relative(source, found.root) or source}`" + (f" and {others} more source files" if others else "")
    reason = (
        f"a `cargo fetch` above the sources needs {shown}, because cargo reads no manifest whose targets are not there; "
        "a cache mount keeps the downloads without that"
    )
    return Cause(reason, _context_path(command.before.files, manifest))


def _located(obstacle: Obstacle, command: Executed) -> Cause:
    files = command.before.files
    if obstacle.path and files.kind(obstacle.path) == "unknown":
        writer = files.last_writer(obstacle.path)
        if writer is not None:
            return Cause(f"{writer.label} may have made `{obstacle.path}`", "", writer.line)
    path = _context_path(files, obstacle.path) if obstacle.path else ""
    return Cause(obstacle.reason, path, obstacle.line if path else command.line)


def _context_path(files: FileSystem, path: str) -> str:
    found = files.context_file(path)
    return "" if found is None else found[0]
