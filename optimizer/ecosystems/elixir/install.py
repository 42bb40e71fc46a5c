"""Which commands fetch or compile the dependencies of an Elixir project, and what they read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.elixir.calls import calls_of
from dockopt.optimizer.ecosystems.elixir.commands import problem_of
from dockopt.optimizer.ecosystems.elixir.project import Project, project_of
from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.ecosystems.view import Obstacle
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import relative
from dockopt.optimizer.symbolic.run import surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed

_TASKS = ("deps.get", "deps.compile")


def caches(_around: Surroundings) -> tuple[str, ...]:
    """Return nothing: no download is added whose result a build would find in a cache."""
    return ()


def is_install(command: Executed) -> bool:
    """Tell whether a command fetches or compiles dependencies."""
    if command.argv[:1] != ("mix",):
        return False
    calls = calls_of(command.argv)
    return not isinstance(calls, str) and any(call.task in _TASKS for call in calls)


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return the installation that a command is."""
    if command.argv[:1] != ("mix",):
        return None
    calls = calls_of(command.argv)
    shown = " ".join(word or "?" for word in command.argv)
    if isinstance(calls, str):
        named = {(word or "").rstrip(",") for word in command.argv}
        return Cause(f"`{shown}`: {calls}", "", command.line) if named & {*_TASKS} else None
    if not any(call.task in _TASKS for call in calls):
        return None
    around = surroundings_of(command, executor)
    try:
        project = project_of(around)
        problem = problem_of(project, calls)
    except Obstacle as obstacle:
        problem = obstacle
    if problem is not None:
        path = around.context_path(problem.path) if problem.path else None
        return Cause(problem.reason, path or "", problem.line if path else command.line)
    if command.effects.unknown is not None:
        return Cause(f"`{shown}`: {command.effects.unknown}", "", command.line)
    cause = _unstable(project, around, command, shown)
    if cause is not None:
        return cause
    compiles = any(call.task == "deps.compile" for call in calls)
    return Install(
        "elixir",
        "Hex packages",
        shown,
        project.directory,
        (*project.manifests, *(project.configuration if compiles else ())),
        (),
        True,
        activity="installation" if compiles else "download",
        locked=command.effects.world is not World.REPOSITORY,
    )


def _unstable(project: Project, around: Surroundings, command: Executed, shown: str) -> Cause | None:
    """Return why an installation cannot stand above the sources, or need not, although it is understood."""
    if not project.fetches:
        path = around.context_path(project.manifests[0])
        return Cause("mix.exs names no package, so there is nothing to fetch", path or "", 0 if path else command.line)
    if project.stale is not None:
        why, line = project.stale
        path = around.context_path(project.manifests[0] if line else project.lock_path)
        return Cause(
            f"`{shown}` may write mix.lock anew: {why}; run `mix deps.get` and commit mix.lock", path or "", line
        )
    for path in (project.deps, project.build):
        if not around.kept_out(path):
            pattern = relative(path, project.directory)
            reason = (
                f"`{shown}` builds on `{path}` where the context brings one; add `{pattern}` to the ignore file first"
            )
            return Cause(reason, "", command.line)
    return None
