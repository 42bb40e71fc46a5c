"""What a user says that commands do of which no model speaks (`[effects."./build.sh"]`).

A declaration is trusted, and every proof that uses it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockopt.optimizer.effects import Effects, Kind, World, Write
from dockopt.optimizer.regions import Region, below, join

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings

#: where programs, libraries and their settings lie: every script needs some, so no declaration has to name them
_SYSTEM = Region(("/bin", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/sbin", "/usr"))


@dataclass(frozen=True, slots=True)
class Declared:
    """What a user says of a command."""

    words: tuple[str, ...]
    place: str  #: file and table, for proofs
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    variables: tuple[str, ...] | None = None
    network: bool = True

    def effects(self, around: Surroundings) -> Effects | None:
        """Return the effects where the command runs; None where the working directory is not known, or no project is there."""
        if around.cwd is None:
            return None
        holders = [root for root in around.project_roots if below(around.cwd, root)]
        root = min(holders, key=len, default=None)
        if root is None:
            return None
        paths = [(join(around.cwd, path), path.endswith("/")) for path in self.reads]
        writes = tuple(Write(Kind.MAY, Region((join(around.cwd, path),))) for path in self.writes)
        return Effects(
            reads=_SYSTEM.minus(root),
            probes=tuple(path for path, is_tree in paths if not is_tree),
            trees=tuple(path for path, is_tree in paths if is_tree),
            variables=self.variables,
            writes=writes,
            world=World.FREE if self.network else World.NONE,
            assumptions=(f"declared-effects: `{' '.join(self.words)}` does what {self.place} says and nothing else",),
        )
