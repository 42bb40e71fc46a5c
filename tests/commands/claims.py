"""What the effects that a model returns say of one path: whether it may be written, and whether it may matter."""

from __future__ import annotations

from dockopt.optimizer.effects import Effects, Kind
from dockopt.optimizer.regions import Region, below


def claimed(path: str, effects: Effects) -> bool:
    """Tell whether the model says that a path may be written."""
    for write in effects.writes:
        if write.kind is Kind.DIRECTORY and any(below(include, path) for include in write.region.include):
            return True
        if write.kind is Kind.SET and any(below(include, path) for include in write.region.include):
            return True  # the file itself, and parents that it makes
        if write.region.covers(Region((path,))):
            return True
    return False


def matters(path: str, effects: Effects) -> bool:
    """Tell whether the model says that a path is read; the old content of a MAY write is."""
    where = Region((path,))
    return (
        effects.reads.overlaps(where)
        or any(below(path, probe) or below(probe, path) for probe in effects.probes)
        or any(write.region.overlaps(where) for write in effects.writes)
    )
