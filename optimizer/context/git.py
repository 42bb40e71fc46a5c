"""What git ignores of a project: files that lie here, and that a clone does not have.

Only ignore files are read (gitignore(5)), not by git itself, which is not started. A file that is tracked although a
pattern matches it counts as ignored: what is told is that a clone *may* lack it.
"""

from __future__ import annotations

import stat
from functools import lru_cache
from pathlib import Path

from dockopt.optimizer import presence
from dockopt.optimizer.context.disk import WHOLE, Disk
from dockopt.optimizer.context.gitpatterns import GitPattern, decision, git_patterns

#: larger ignore files are not read, bytes
_LIMIT = 1 << 20
#: a project is less deep
_MOST_LEVELS = 60


def is_ignored(root: Path, rel: str, disk: Disk = WHOLE) -> bool:
    """Tell whether git ignores a path relative to a directory that lies in a work tree; False where there is none."""
    top = _work_tree(root, disk.limit)
    if top is None:
        return False
    path = (root / rel).relative_to(top).parts
    # a directory that is ignored hides all that is in it, whatever patterns say of that
    return any(_matches(top, path[:end], is_directory=end < len(path)) for end in range(1, len(path) + 1))


@lru_cache(maxsize=64)
def _work_tree(directory: Path, limit: Path | None) -> Path | None:
    for level, folder in enumerate(Disk(limit).upwards(directory)):
        if level > _MOST_LEVELS:
            return None
        if presence.is_there(folder / ".git"):
            return folder
    return None


def _matches(top: Path, parts: tuple[str, ...], *, is_directory: bool) -> bool:
    """Tell whether the ignore files from the deepest directory upwards say so of one path; the first that says anything decides."""
    for depth in range(len(parts) - 1, -1, -1):
        folder = top.joinpath(*parts[:depth])
        name = "/".join(parts[depth:]) + ("/" if is_directory or presence.is_directory(top.joinpath(*parts)) else "")
        files = [folder / ".gitignore"] + ([top / ".git" / "info" / "exclude"] if not depth else [])
        for file in files:
            spec = _patterns(file)
            said = None if spec is None else decision(spec, name)
            if said is not None:
                return said
    return False


def _patterns(file: Path) -> tuple[GitPattern, ...] | None:
    """Return the patterns of an ignore file, None where it is not there or cannot be read; git follows no link there."""
    try:
        found = file.lstat()
        return (
            _parsed(file, found.st_mtime_ns, found.st_size)
            if stat.S_ISREG(found.st_mode) and found.st_size <= _LIMIT
            else None
        )
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=256)
def _parsed(file: Path, _time: int, _size: int) -> tuple[GitPattern, ...]:
    """Read an ignore file; one that has changed meanwhile is read anew. Raises OSError, ValueError."""
    # git passes over a byte order mark (dir.c, add_patterns_from_buffer)
    return git_patterns(file.read_text("utf-8-sig", "replace").split("\n"))
