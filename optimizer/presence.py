"""Whether there is a file or directory that can be used, told without an exception.

`Path.is_file` raises for a name that is too long for the system, and for one in a directory that may not be searched. This is for
places where that is as good as nothing; what a proof rests on asks `BuildContext`, to which it is something unknown.
"""

from __future__ import annotations

from pathlib import Path


def is_file(path: Path) -> bool:
    """Tell whether a file can be seen at a path, links followed."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_directory(path: Path) -> bool:
    """Tell whether a directory can be seen at a path, links followed."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Tell whether anything can be seen at a path, links followed."""
    try:
        return path.exists()
    except OSError:
        return False
