"""Which commands install packages of npm, and what they read of a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.ecosystems.node.calls import call_of
from dockopt.optimizer.ecosystems.node.project import Project, project_of
from dockopt.optimizer.ecosystems.view import Obstacle
from dockopt.optimizer.effects import World
from dockopt.optimizer.symbolic.placing import placed
from dockopt.optimizer.symbolic.run import surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed


#: a command of a script that installs the packages of a project
_INSTALLS = re.compile(
    r"(?:^|[\s;&|('\"])(?:npm\s+(?:ci|i|install)|(?:yarn|pnpm|bun)\s+install)(?=\s*(?:$|[;&|)'\"\n]|-(?!g\b|-global)))"
)


def caches(_around: Surroundings) -> tuple[str, ...]:
    """Return nothing: no download is added whose result a build would find in a cache."""
    return ()


def is_install(command: Executed) -> bool:
    """Tell whether a command installs the packages of a project."""
    call = call_of(command.argv)
    return not isinstance(call, str | None) and call.action != "global"


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return the installation that a command is."""
    call = call_of(command.argv)
    if call is None:
        return _hidden(command)
    shown = " ".join(word or "?" for word in command.argv[:2])
    if isinstance(call, str):
        return Cause(f"`{shown}`: {call}", "", command.line)
    if call.action in ("global", "fetch"):
        return None
    around = surroundings_of(command, executor)
    try:
        project = project_of(call, around)
    except Obstacle as obstacle:
        return _located(obstacle, command, around)
    if command.effects.unknown is not None:
        return Cause(f"`{shown}`: {command.effects.unknown}", "", command.line)
    problem = _problem(project, around, shown)
    if problem is not None:
        return Cause(problem[0], problem[1], 0 if problem[1] else command.line)
    return Install(
        "node",
        "npm packages",
        " ".join(word or "?" for word in command.argv),
        project.directory,
        project.files,
        (),
        True,
        trees=project.trees,
        outputs=project.removes,
        activity="installation",
        locked=project.world is not World.REPOSITORY,
    )


def _hidden(command: Executed) -> Cause | None:
    """Return why an installation in a script that is not taken apart stays where it is."""
    if command.argv or _INSTALLS.search(command.text) is None:
        return None
    why = command.effects.unknown or "its commands cannot be told apart"
    return Cause(f"it installs npm packages in a script that is not understood: {why}", "", command.line)


def _located(obstacle: Obstacle, command: Executed, around: Surroundings) -> Cause:
    """Return an obstacle with its place: a file of the context, or the line that made the file uncertain."""
    files = command.before.files
    if obstacle.path and placed(files, obstacle.path) != "absent" and files.context_file(obstacle.path) is None:
        writer = files.last_writer(obstacle.path)
        if writer is not None:
            return Cause(f"{writer.label} may have made `{obstacle.path}`", "", writer.line)
    path = around.context_path(obstacle.path) if obstacle.path else None
    return Cause(obstacle.reason, path or "", obstacle.line if path else command.line)


def _problem(project: Project, around: Surroundings, shown: str) -> tuple[str, str] | None:
    """Return why an installation cannot stand above the sources although it is understood, and the file that is the cause."""
    if project.rewritten is not None:
        path, why = project.rewritten
        name = path.rpartition("/")[2]
        return f"`{shown}` may write `{name}` anew: {why}; update the lock file", around.context_path(path) or ""
    for path in project.outputs:
        if path not in project.removes and not around.kept_out(path):
            name = path.rpartition("/")[2]
            pattern = path.removeprefix(project.directory + "/")
            if pattern.startswith(".yarn/") and not any("/.yarn/" in file for file in (*project.files, *project.trees)):
                pattern = ".yarn"
            if pattern != "node_modules" and name == "node_modules":
                pattern = "**/node_modules"
            reason = (
                f"`{shown}` builds on `{path}` where the context brings one; add `{pattern}` to the ignore file first"
            )
            return reason, ""
    return None
