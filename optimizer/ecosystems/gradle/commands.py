"""Command models of `gradle` and `gradlew`: every task runs the build scripts first, and these are programs.

Gradle User Manual, *Build Lifecycle*: settings.gradle(.kts) and the build.gradle(.kts) of all projects are compiled and run in the
initialization and configuration phases, before any task, `dependencies` included. They and the plugins that they apply may read any file.
"""

from __future__ import annotations

from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.effects import Effects, unknown

RUNS_SCRIPTS = "its build scripts are programs that run before any task, so it is not known what they read"


def gradle(_invocation: Invocation, _around: Surroundings) -> Effects:
    """Return the effects of one `gradle` or `gradlew` command: unknown."""
    return unknown(RUNS_SCRIPTS)
