"""What one command of a Python package manager reads of a project and leaves behind: the common form of all of them."""

from __future__ import annotations

from dataclasses import dataclass

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.python.surroundings import VARIABLES, Place
from dockopt.optimizer.effects import Effects, Kind, World, Write
from dockopt.optimizer.regions import Region

LOCK_CURRENT = (
    "python-lock-current: the lock file fits its manifest, so the package manager has no cause to write it anew"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command that is understood. Paths are those of the image."""

    place: Place
    #: files of the project that it reads, the most important one first
    files: tuple[str, ...] = ()
    #: files that it looks for and does not find
    absent: tuple[str, ...] = ()
    #: directories of which it reads all entries
    trees: tuple[str, ...] = ()
    #: directories in the project that it makes or changes
    outputs: tuple[str, ...] = ()
    #: what it writes beside the environment
    writes: tuple[Write, ...] = ()
    #: variables that matter beside those of the tools
    variables: tuple[str, ...] = ()
    world: World = World.NONE
    #: why its result is up to the world alone, with file and line
    free: tuple[str, str, int] | None = None
    assumptions: tuple[str, ...] = ()
    #: files whose text says that they do not matter; they need not be there for the command
    relied_on: tuple[str, ...] = ()
    #: how it is called, where it installs what files of the project list; "" for all other commands
    install: str = ""
    #: it changes the environment that it belongs to
    changes: bool = True


def effects_of_step(step: Step, around: Surroundings) -> Effects:
    """Return the effects of a command."""
    place = step.place
    writes = list(step.writes)
    if step.changes:
        writes.append(Write(Kind.MAY, place.outside))
        writes += [Write(Kind.MAY, Region((path,))) for path in place.inside]
    writes += [Write(Kind.MAY, Region((path,))) for path in step.outputs if path not in place.inside]
    trees = tuple(dict.fromkeys((*step.trees, *place.inside, *(p for p in step.outputs if place.is_inside(p)))))
    texts = (around.context_path(path) for path in (*step.files, *step.relied_on))
    return Effects(
        reads=place.reads,
        probes=tuple(dict.fromkeys((*step.files, *step.absent, *place.probes))),
        trees=trees,
        variables=(*VARIABLES, *step.variables),
        writes=tuple(writes),
        world=step.world,
        relied_on=tuple(path for path in texts if path is not None),
        assumptions=tuple(dict.fromkeys((*place.assumptions, *step.assumptions))),
    )
