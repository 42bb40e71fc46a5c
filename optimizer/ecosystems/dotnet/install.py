"""`dotnet restore`: which commands are it or need it, and what it reads of a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.dotnet.commands import restore_line
from dockopt.optimizer.ecosystems.dotnet.restore import Restore, restore_of, tools_of
from dockopt.optimizer.ecosystems.dotnet.view import Obstacle
from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.effects import World
from dockopt.optimizer.symbolic.run import surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed

#: subcommands that restore by the way unless `--no-restore` is given (learn.microsoft.com, *dotnet restore*)
_BUILDING = frozenset({"build", "publish", "test", "pack", "run"})
_STARTS_DOTNET = re.compile(r"\bdotnet\s+(?:restore|build|publish|test|pack|run|tool\s+restore)\b")


def caches(_around: Surroundings) -> tuple[str, ...]:
    """Return nothing: no download is added whose result a build would find in a cache."""
    return ()


def is_install(command: Executed) -> bool:
    """Tell whether a command is `dotnet restore` or `dotnet tool restore`."""
    return command.name.rpartition("/")[2] == "dotnet" and restore_line(command.argv, _raw(command)) is not None


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return the restore that a command is; a Cause for a build that restores by the way."""
    if not command.argv:
        if not _STARTS_DOTNET.search(command.text):
            return None
        why = command.effects.unknown or "its commands cannot be told apart"
        return Cause(f"it starts `dotnet` in a script that is not understood: {why}", "", command.line)
    if (command.argv[0] or "").rpartition("/")[2] != "dotnet":
        return None
    found = restore_line(command.argv, _raw(command))
    if found is None:
        return _building(command, executor)
    kind, line = found
    if any(mount.type == "bind" for mount in command.instruction.mounts):
        return Cause("it works on files that are mounted for it", "", command.line)
    shown = "dotnet tool restore" if kind == "tool" else "dotnet restore"
    around = surroundings_of(command, executor)
    try:
        restore = tools_of(line, around) if kind == "tool" else restore_of(line, around)
    except Obstacle as obstacle:
        path = around.context_path(obstacle.path) if obstacle.path else None
        return Cause(f"`{shown}`: {obstacle.reason}", path or "", obstacle.line if path else command.line)
    if command.effects.unknown is not None:
        return Cause(f"`{shown}`: {command.effects.unknown}", "", command.line)
    problem = _problem(restore, around, shown)
    if problem is not None:
        return Cause(problem[0], problem[1], 0 if problem[1] else command.line)
    return Install(
        "dotnet",
        restore.what,
        " ".join(_raw(command)),
        restore.directory,
        restore.files,
        (),
        True,
        trees=restore.trees,
        outputs=restore.outputs,
        locked=restore.world is World.LOCKED,
    )


def _building(command: Executed, executor: Executor) -> Cause | None:
    """Say of a command that restores by the way why no restore is added above it; None where there is one already."""
    words = command.argv[1:]
    if not words or words[0] not in _BUILDING or "--no-restore" in words:
        return None
    before = [c for c in executor.executed if c.stage == command.stage and c.line <= command.line and c is not command]
    if any(is_install(other) for other in before):
        return None
    reason = (
        f"`dotnet {words[0]}` restores packages by the way, with its own options and files; write `RUN dotnet restore` above it, "
        "with the same project and `-r`"
    )
    return Cause(reason, "", command.line)


def _problem(restore: Restore, around: Surroundings, shown: str) -> tuple[str, str] | None:
    """Return why a restore cannot stand above the sources although it is understood, and the file that is the cause."""
    for path, why in restore.rewritten:
        name = path.rpartition("/")[2]
        return f"`{shown}` may write `{name}` anew: {why}", around.context_path(path) or ""
    for path in restore.outputs:
        if not around.kept_out(path):
            return (
                f"`{shown}` builds on `{path}` where the context brings one; add `**/obj` to the ignore file first",
                "",
            )
    return None


def _raw(command: Executed) -> tuple[str, ...]:
    """Return the words of a command as they are written, where white space surely stands between them only."""
    words = tuple(command.text.split())
    return words if len(words) == len(command.argv) else tuple(word or "an argument" for word in command.argv)
