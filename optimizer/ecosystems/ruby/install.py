"""`bundle install`: which commands are it, and what it reads of a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.installs import Cause, Install, cause_of
from dockopt.optimizer.ecosystems.ruby.calls import call_of, is_installation
from dockopt.optimizer.ecosystems.ruby.project import Project, project_of
from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.effects import World
from dockopt.optimizer.symbolic.run import surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed

_STARTED = re.compile(r"\bbundler?\s+(install|check)\b")


def caches(_around: Surroundings) -> tuple[str, ...]:
    """Return nothing: what Bundler and RubyGems keep lies among what they install."""
    return ()


def is_install(command: Executed) -> bool:
    """Tell whether a command is `bundle install`."""
    return is_installation(command.argv)


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return the `bundle install` that a command is."""
    if not command.argv and _STARTED.search(command.text):
        why = command.effects.unknown or "its commands cannot be told apart"
        return Cause(f"`bundle install` stands in a script that is not understood: {why}", "", command.line)
    if not is_install(command):
        return None
    around = surroundings_of(command, executor)
    if any(mount.type == "bind" for mount in command.instruction.mounts):
        return Cause("it works on files that are mounted for it", "", command.line)
    try:
        call = call_of(command.argv)
        project = project_of(call, View(around))
    except Obstacle as obstacle:
        return cause_of(obstacle, around, command)
    if command.effects.unknown is not None:
        return Cause(command.effects.unknown, "", command.line)
    problem = _problem(project, around, command)
    if problem is not None:
        return problem
    return Install(
        "ruby",
        "gems",
        call.shown,
        project.directory,
        project.files,
        (),
        True,
        trees=project.trees,
        outputs=project.outputs,
        activity="installation",
        locked=project.world is not World.REPOSITORY,
    )


def _problem(project: Project, around: Surroundings, command: Executed) -> Cause | None:
    """Return why an installation cannot stand above the sources although it is understood."""
    if project.rewritten is not None:
        why, path, line = project.rewritten
        remedy = "" if "bundle lock" in why else "; update it with `bundle lock`"
        reason = f"Bundler may write the lock file anew: {why}{remedy}"
        return Cause(reason, around.context_path(path) or "", line)
    for path in project.outputs:
        if not around.kept_out(path):
            pattern = path.removeprefix(project.directory + "/")
            reason = f"it builds on `{path}` where the context brings one; add `{pattern}` to the ignore file first"
            return Cause(reason, "", command.line)
    return None
