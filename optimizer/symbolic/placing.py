"""What the Dockerfile itself put somewhere: answers that leave out what the base and commands above the first COPY may have left."""

from __future__ import annotations

import re

from dockopt.optimizer.regions import Region, below, relative
from dockopt.optimizer.symbolic.filesystem import FileSystem, Op

#: the writer of an instruction that copies
_COPYING = re.compile(r"`(COPY|ADD) ")


def placed(files: FileSystem, path: str) -> str:
    """Return the `kind` of a path in a directory that was empty before the first COPY from the context reached it.

    What the base and commands above that COPY may have left there does not count; whoever asks has to say so.
    """
    target = Region((path,))
    for op in reversed(files.ops):
        if op.kind in ("dir", "dir-set"):
            if below(op.path, path):
                return "directory"
        elif op.kind == "kill":
            if op.region.covers(target):
                return "absent"
        elif op.kind == "overlay":
            answer = files.overlay_kind(op, path)
            if answer is not None:
                return answer
        elif op.region.overlaps(target):
            if op.region.include == (path,):
                return "file" if op.is_file else "unknown"
            if not op.region.holds(path):
                if op.is_file:
                    return "directory"
            elif not op.is_early:
                return "unknown"
    return "directory" if path in files.known_directories else "absent"


def listing(files: FileSystem, path: str) -> tuple[str, ...] | None:
    """Return the names of what the Dockerfile put into a directory, None where that is not certain.

    What the base and commands above the first COPY may have left there does not count, as for `placed`.
    """
    names: set[str] = set()
    target = Region((path,))
    for op in files.ops:
        inner = [relative(include, path).split("/")[0] for include in op.region.include if below(include, path)]
        if op.kind == "overlay" and below(path, op.path):
            found = _entries_of(files, op, path)
            if found is None:
                return None
            names.update(found)
        elif op.kind in ("dir", "dir-set") or (len(inner) == len(op.region.include) and "" not in inner):
            if op.kind != "kill":
                names.update(name for name in inner if name)
        elif op.kind == "kill" and op.region.covers(target):
            names.clear()
        elif op.region.overlaps(target) and not op.is_early:
            return None
    return tuple(sorted(names))


def _entries_of(files: FileSystem, op: Op, path: str) -> list[str] | None:
    """Return the names that an overlay brings into a directory at or below its own path, None if that is not certain."""
    if op.source is None or op.source.pattern is not None:
        return None
    rel = f"{op.source.path}/{relative(path, op.path)}".strip("/")
    kind = files.context.kind(rel)
    if kind != "directory":
        return [] if kind == "absent" else None
    if any(character in rel for character in "*?[\\"):
        return None
    found = files.context.glob(f"{rel}/*".lstrip("/"))
    return None if found is None else [entry.rpartition("/")[2] for entry in found]


def kept_out(files: FileSystem, path: str) -> bool:
    """Tell whether no COPY of a directory of the context can bring anything to a path, whatever is on disk."""
    return all(op.kind != "overlay" or not files.reaches(op, Region((path,))) for op in files.ops)


def may_be_copied(files: FileSystem, path: str) -> str | None:
    """Return the last COPY or ADD that may have put something at a path, for messages."""
    target = Region((path,))
    for op in reversed(files.ops):
        copies = op.kind in ("put", "overlay") and _COPYING.match(op.writer) is not None
        if copies and op.region.overlaps(target) and files.lookup(op, path) != "absent":
            return op.label
    return None
