"""What lies directly in a directory of the symbolic file system, where that is certain."""

from __future__ import annotations

from dockopt.optimizer.regions import Region, below, relative
from dockopt.optimizer.symbolic.filesystem import FileSystem, Op


def children(files: FileSystem, path: str) -> tuple[str, ...] | None:
    """Return the names of all entries of a directory in order, None where that cannot be told.

    Copies of the context say which names they bring; the answer of the context becomes a frozen input.
    """
    if not files.empty_base and (path in files.known_directories or files.kind(path) == "unknown"):
        return None
    found: dict[str, None] = {}
    for op in files.ops:
        if not op.region.overlaps(Region((path,))):
            continue
        if op.kind in ("dir", "dir-set") or (op.is_file and op.path != path):
            if below(op.path, path) and op.path != path:
                found[_first(op.path, path)] = None
            continue
        names = _brought(files, op, path) if op.kind == "overlay" else None
        if op.kind == "kill" and op.region.covers(Region((path,))):
            found = {}
        elif names is None:
            return None
        else:
            found |= dict.fromkeys(names)
    # what a copy brought another write may have taken away again
    return tuple(sorted(name for name in found if files.kind(f"{path.rstrip('/')}/{name}") != "absent"))


def _first(path: str, directory: str) -> str:
    return relative(path, directory).split("/")[0]


def _brought(files: FileSystem, op: Op, path: str) -> tuple[str, ...] | None:
    """Return the names that a copy of a directory of the context brings into another directory."""
    if op.source is None or op.source.pattern is not None:
        return None
    if not below(path, op.path):
        return (_first(op.path, path),)
    rel = f"{op.source.path}/{relative(path, op.path)}".strip("/")
    if files.context.kind(rel) == "absent":
        return ()
    selected = files.context.glob(f"{rel}/*".lstrip("/")) if not any(c in rel for c in "*?[\\") else None
    return None if selected is None else tuple(name.rpartition("/")[2] for name in selected)
