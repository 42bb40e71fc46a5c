"""What a rewrite may ask an ecosystem: which install a command needs, and which files that install reads."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from dockopt.optimizer.ecosystems.registry import ECOSYSTEMS

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed


@dataclass(frozen=True, slots=True)
class Cause:
    """Why nothing can be done, and where the cause stands: a file of the context ("" is the Dockerfile) and a line in it."""

    reason: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Install:
    """The step that fetches the dependencies of a project, and all that it reads of it. Paths are those of the image."""

    ecosystem: str
    what: str  #: what it fetches, for messages ("Go modules", "npm packages")
    command: str  #: how it is called
    directory: str  #: where it has to run
    manifests: tuple[str, ...]  #: files of the project that it reads, the most important one first
    caches: tuple[str, ...]  #: directories in which it leaves something, whether or not a build needed it
    #: the command that was asked about is this install itself
    itself: bool
    #: directories of the project that it reads with all that is in them
    trees: tuple[str, ...] = ()
    #: directories below the project that it makes: what a later COPY brought there would end up in them
    outputs: tuple[str, ...] = ()
    #: it only fetches ("download"), or also unpacks, compiles and runs scripts ("installation")
    activity: str = "download"
    #: a lock file says what it fetches; without one it is reused although newer versions may have come out
    locked: bool = True


class Ecosystem(Protocol):
    """The functions of an ecosystem's module."""

    def caches(self, around: Surroundings) -> tuple[str, ...]:
        """Return the directories that the ecosystem's tools use as caches, () where that is not certain."""

    def is_install(self, command: Executed) -> bool:
        """Tell whether a command is the install step itself."""

    def install_for(self, command: Executed, executor: Executor) -> Install | Cause | None:
        """Return the install that a command is or needs; a Cause if that is not certain, None if it has nothing to do with it."""


@cache
def ecosystems() -> tuple[Ecosystem, ...]:
    """Return all ecosystems."""
    return tuple(
        cast("Ecosystem", importlib.import_module(f"dockopt.optimizer.ecosystems.{entry.name}.install"))
        for entry in ECOSYSTEMS
    )


@cache
def cache_words() -> re.Pattern[str]:
    """Return an expression that finds words by which a script gets at the caches of some ecosystem's tools."""
    return re.compile("|".join([r"\.cache", *(word for entry in ECOSYSTEMS for word in entry.cache_words)]))


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Ask all ecosystems what a command installs, or needs to have installed; the first that knows answers."""
    for ecosystem in ecosystems():
        found = ecosystem.install_for(command, executor)
        if found is not None:
            return found
    return None


def is_install(command: Executed) -> bool:
    """Tell whether a command is the install step of some ecosystem."""
    return any(ecosystem.is_install(command) for ecosystem in ecosystems())


def caches(around: Surroundings) -> tuple[str, ...]:
    """Return the cache directories of all ecosystems."""
    return tuple(sorted({path for ecosystem in ecosystems() for path in ecosystem.caches(around)}))


def shareable_caches(around: Surroundings) -> tuple[str, ...]:
    """Return those cache directories in which it does no harm what other builds left there."""
    pairs = zip(ECOSYSTEMS, ecosystems(), strict=True)
    return tuple(sorted({path for entry, found in pairs if entry.shareable for path in found.caches(around)}))
