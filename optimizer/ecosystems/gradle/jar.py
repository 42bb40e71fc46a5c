"""Which jar a `gradle build` makes: its scripts are programs, so that is not followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.gradle.install import install_for
from dockopt.optimizer.ecosystems.installs import Cause

if TYPE_CHECKING:
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed


def gradle_jar(command: Executed, executor: Executor) -> Cause | None:
    """Return why it is not known which jar a command makes; None if it is not of Gradle."""
    found = install_for(command, executor)
    return found if isinstance(found, Cause) else None
