"""`composer install`: which commands are it, and what it reads of a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.installs import Cause, Install, cause_of
from dockopt.optimizer.ecosystems.php.calls import call_of, is_installation, subcommand_of, words_of
from dockopt.optimizer.ecosystems.php.project import Project, project_of
from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.effects import World
from dockopt.optimizer.symbolic.run import surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed

_STARTED = re.compile(r"\bcomposer(\.phar)?\s+(\S+\s+)*?(install|update)\b")
#: subcommands that install, and change the manifest or the lock file by what they find
_CHANGING = {
    "require": "composer.json",
    "update": "composer.lock",
    "remove": "composer.json",
    "create-project": "the whole project",
}


def caches(_around: Surroundings) -> tuple[str, ...]:
    """Return nothing: no rewrite makes use of Composer's cache yet."""
    return ()


def is_install(command: Executed) -> bool:
    """Tell whether a command is `composer install`."""
    return is_installation(command.argv)


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return the `composer install` that a command is."""
    if not command.argv and _STARTED.search(command.text):
        why = command.effects.unknown or "its commands cannot be told apart"
        return Cause(f"`composer` installs in a script that is not understood: {why}", "", command.line)
    if not is_install(command):
        return _changes(command)
    around = surroundings_of(command, executor)
    if any(mount.type == "bind" for mount in command.instruction.mounts):
        return Cause("it works on files that are mounted for it", "", command.line)
    try:
        call = call_of(command.argv)
        project = project_of(call, View(around))
    except Obstacle as obstacle:
        return _deeper(obstacle, around, command, executor) or cause_of(obstacle, around, command)
    if command.effects.unknown is not None:
        return Cause(command.effects.unknown, "", command.line)
    problem = _problem(project, around, command)
    if problem is not None:
        return problem
    return Install(
        "php",
        "PHP packages",
        call.shown,
        project.directory,
        project.files,
        (),
        True,
        trees=project.trees,
        outputs=(project.vendor,),
        activity="installation",
        locked=project.world is not World.REPOSITORY,
    )


def _changes(command: Executed) -> Cause | None:
    """Return why `composer require` and its kin stay where they are; `composer global` has nothing to do with the project."""
    found = words_of(command.argv)
    name = None if found is None else subcommand_of(found[1])
    changed = _CHANGING.get(name or "")
    return None if changed is None else Cause(f"`composer {name}` changes {changed}", "", command.line)


def _problem(project: Project, around: Surroundings, command: Executed) -> Cause | None:
    """Return why an installation cannot stand above the sources although it is understood."""
    for path in project.histories:
        name = path.rpartition("/")[2]
        reason = (
            f"Composer asks `{name}` for the version of the project and notes it in `vendor`; add `{name}` to the ignore file, or a "
            "`version` to composer.json"
        )
        return Cause(reason, "", command.line)
    if not around.kept_out(project.vendor):
        pattern = project.vendor.removeprefix(project.directory + "/")
        reason = (
            f"it builds on `{project.vendor}` where the context brings one; add `{pattern}` to the ignore file first"
        )
        return Cause(reason, "", command.line)
    return None


def _deeper(obstacle: Obstacle, around: Surroundings, command: Executed, executor: Executor) -> Cause | None:
    """Return the obstacle that would be left if no command between had touched the manifest: that is what people want to know."""
    if not obstacle.path or around.context_path(obstacle.path) is not None:
        return None
    for earlier in reversed([c for c in executor.executed if c.stage == command.stage]):
        there = surroundings_of(earlier._replace(cwd=command.cwd, environment=command.environment), executor)
        if there.context_path(obstacle.path) is None:
            continue
        try:
            project_of(call_of(command.argv), View(there))
        except Obstacle as found:
            path = there.context_path(found.path) if found.path else None
            return Cause(found.reason, path, found.line) if path else None
        return None
    return None
