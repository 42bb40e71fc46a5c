"""npm: which commands install packages, and what they read of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.ecosystems.node.project import Obstacle, project_at
from dockopt.optimizer.regions import join
from dockopt.optimizer.symbolic.run import surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed


def caches(_around: Surroundings) -> tuple[str, ...]:
    """Return nothing: where npm keeps its cache is known to its model only."""
    return ()


def is_install(command: Executed) -> bool:
    """Tell whether a command is `npm ci`."""
    return command.argv[:2] == ("npm", "ci")


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return the installation that a command is."""
    if not is_install(command):
        return None
    found = project_at(surroundings_of(command, executor))
    if isinstance(found, Obstacle):
        return Cause(found.reason, "", command.line)
    return Install(
        "node", "npm packages", "npm ci", found.directory, found.files, (), True,
        outputs=(join(found.directory, "node_modules"),), activity="installation",
    )  # fmt: skip
