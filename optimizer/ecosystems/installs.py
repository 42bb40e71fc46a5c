"""What a rewrite may ask an ecosystem: which install a command needs, and which files that install reads."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from dockopt.optimizer.ecosystems.registry import ECOSYSTEMS

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.ecosystems.view import Obstacle
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


def cause_of(obstacle: Obstacle, around: Surroundings, command: Executed) -> Cause:
    """Return an obstacle as the cause why nothing is done: the command that may have made its file, or its line in the context."""
    path = around.context_path(obstacle.path) if obstacle.path else None
    if obstacle.path and path is None:
        writer = command.before.files.last_writer(obstacle.path)
        if writer is not None:
            return Cause(f"{writer.label} may have made or changed `{obstacle.path}`", "", writer.line)
    return Cause(obstacle.reason, path or "", obstacle.line if path else command.line)


class Ecosystem(Protocol):
    """The functions of an ecosystem's module."""

    def caches(self, around: Surroundings) -> tuple[str, ...]:
        """Return the directories that the ecosystem's tools use as caches, () where that is not certain."""

    def is_install(self, command: Executed) -> bool:
        """Tell whether a command is the install step itself."""

    def install_for(self, command: Executed, executor: Executor) -> Install | Cause | None:
        """Return the install that a command is or needs; a Cause if that is not certain, None if it has nothing to do with it."""


@cache
def _module(name: str) -> Ecosystem:
    return cast("Ecosystem", importlib.import_module(f"dockopt.optimizer.ecosystems.{name}.install"))


@cache
def _mentions(programs: frozenset[str]) -> re.Pattern[str]:
    """Return an expression that finds programs in a text, whatever directory they are called from."""
    names = "|".join(map(re.escape, sorted(programs, reverse=True)))
    return re.compile(rf"(?<![\w-])(?:{names})(?![\w-])" if names else r"(?!)")


# an editor asks this again of the same lines and commands after each change of another one
@lru_cache(maxsize=1 << 11)
def _called_in(text: str) -> frozenset[str]:
    """Return the names of the ecosystems whose programs a text names."""
    return frozenset(entry.name for entry in ECOSYSTEMS if _mentions(entry.names()).search(text))


def _concerned(command: Executed) -> Iterator[Ecosystem]:
    """Yield the ecosystems that may have to do with a command: the modules of the others are not even loaded."""
    called = _called_in(command.text)
    for entry in ECOSYSTEMS:
        in_a_script = entry.follows_scripts and command.effects.unknown is not None
        if in_a_script or entry.name in called:
            yield _module(entry.name)


@cache
def cache_words() -> re.Pattern[str]:
    """Return an expression that finds words by which a script gets at the caches of some ecosystem's tools."""
    return re.compile("|".join([r"\.cache", *(word for entry in ECOSYSTEMS for word in entry.cache_words)]))


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Ask all ecosystems what a command installs, or needs to have installed; the first that knows answers."""
    executor.proceed()
    for ecosystem in _concerned(command):
        found = ecosystem.install_for(command, executor)
        if found is not None:
            return found
    return None


def is_install(command: Executed) -> bool:
    """Tell whether a command is the install step of some ecosystem."""
    return any(ecosystem.is_install(command) for ecosystem in _concerned(command))


def mentioned(dockerfile: str) -> frozenset[str]:
    """Return the names of the ecosystems whose programs a Dockerfile names, or that follow scripts of the project."""
    # no name goes on in the next line
    named = (_called_in(line) for line in dockerfile.split("\n"))
    return frozenset(entry.name for entry in ECOSYSTEMS if entry.follows_scripts).union(*named)


def caches(around: Surroundings, names: frozenset[str]) -> dict[str, bool]:
    """Return the cache directories of some ecosystems, each with whether its entries are checked by their hashes.

    Those count that the Dockerfile mentions (`mentioned`).
    """
    found = {
        path: entry.caches_by_hash
        for entry in ECOSYSTEMS
        if entry.name in names
        for path in _module(entry.name).caches(around)
    }
    return dict(sorted(found.items()))
