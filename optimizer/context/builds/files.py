"""Finds the files in which a project says how it is built, at known names in known places; nothing else is listed or read.

No link is followed out of the project, nothing above its top is opened, and counts and sizes are bounded.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dockopt.optimizer.context.builds.model import is_inside
from dockopt.optimizer.presence import is_directory

#: larger files are not read, bytes; no hand-written build file comes near
FILE_LIMIT = 512 * 1024
#: how many subdirectories of one directory are looked into
_MAX_DIRECTORIES = 200
#: how many files of one kind are read
_MAX_FILES = 200
#: directories at the top of a project in which build scripts lie
_SCRIPT_DIRECTORIES = re.compile(
    r"\.?(?:scripts?|hack|build|ci|cd|docker|deploy\w*|tools?|bin|dev|devops|infra|packag(?:e|ing)|release|make|etc|test)",
    re.IGNORECASE,
)
_SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "vendor", ".venv", "venv", ".tox", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Project:
    """The part of the file system that belongs to one Dockerfile's project."""

    #: nothing outside of this directory is looked at
    root: Path
    #: the directory of the Dockerfile and those above it, up to the root
    above: tuple[Path, ...]
    #: where files of the whole project lie: the repository, else the directory of the Dockerfile
    top: Path
    is_repository: bool = True


Places = Callable[[Project], Iterator[Path]]


def above(project: Project) -> Iterator[Path]:
    """Yield the directory of the Dockerfile and those above it."""
    yield from project.above


def above_and_beside(project: Project) -> Iterator[Path]:
    """Yield those above, then the directories at the top of a repository."""
    yield from project.above
    if project.is_repository:
        yield from (path for path in _subdirectories(project.top) if path not in project.above)


def script_places(project: Project) -> Iterator[Path]:
    """Yield those above, then the directories at the top that hold scripts, two levels of them."""
    yield from project.above
    for first in _subdirectories(project.top):
        if _SCRIPT_DIRECTORIES.fullmatch(first.name):
            for path in (first, *_subdirectories(first)):
                if path not in project.above:
                    yield path


def workflows(project: Project) -> Iterator[Path]:
    """Yield the directories of GitHub's workflows and of the project's own actions."""
    for directory in _inside(project, project.top / ".github" / "workflows", project.top / ".github" / "actions"):
        yield directory
        yield from _subdirectories(directory)


def gitlab(project: Project) -> Iterator[Path]:
    """Yield where GitLab's pipeline and the files that it includes lie by custom."""
    yield project.top
    for directory in _inside(project, *(project.top / name for name in (".gitlab", ".gitlab-ci", "ci"))):
        yield directory
        yield from _subdirectories(directory)


def devcontainers(project: Project) -> Iterator[Path]:
    """Yield the places of devcontainer.json (containers.dev, specification, "devcontainer.json")."""
    for directory in project.above:
        yield directory
        for own in _inside(project, directory / ".devcontainer"):
            yield own
            yield from _subdirectories(own)


def _inside(project: Project, *directories: Path) -> Iterator[Path]:
    """Yield those directories that are there and, links followed, in the project."""
    for directory in directories:
        if is_directory(directory) and is_inside(directory, project.root):
            yield directory


def named(project: Project, places: Places, names: re.Pattern[str], first: Sequence[str] = ()) -> Iterator[Path]:
    """Yield the files of some places whose whole name matches, links to files inside the project included.

    Those of one directory come in the order of `first`, then by name.
    """
    count = 0
    for directory in dict.fromkeys(places(project)):
        found = [entry for entry in _listing(directory)[1] if names.fullmatch(entry[0]) is not None]
        for name, kind in sorted(found, key=lambda entry: first.index(entry[0]) if entry[0] in first else len(first)):
            path = directory / name
            if kind == "link" and not is_inside(path, project.root):
                continue
            count += 1
            if count > _MAX_FILES:
                return
            yield path


def signature(path: Path) -> tuple[int, int] | None:
    """Return (time of change in ns, size) of a regular file within the size limit, None for anything else."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) and found.st_size <= FILE_LIMIT else None


def content(path: Path) -> bytes | None:
    """Return a file's bytes, None if it cannot be read or is too large. A pipe that took its place is not waited for."""
    try:
        descriptor = os.open(os.path.realpath(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    with os.fdopen(descriptor, "rb") as stream:
        try:
            data = stream.read(FILE_LIMIT + 1)
        except OSError:
            return None
    return data if len(data) <= FILE_LIMIT else None


def _subdirectories(directory: Path) -> list[Path]:
    return [directory / name for name in _listing(directory)[0][:_MAX_DIRECTORIES]]


def _listing(directory: Path) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the names of the directories, and those of the files with "file" or "link"; links to directories are neither."""
    try:
        found = directory.stat()
    except (OSError, ValueError):
        return (), ()
    # a directory that gets or loses an entry has another time
    return _listed(directory, found.st_mtime_ns) if stat.S_ISDIR(found.st_mode) else ((), ())


@lru_cache(maxsize=1024)
def _listed(directory: Path, _changed: int) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    directories: list[str] = []
    files: list[tuple[str, str]] = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_symlink():
                    if entry.is_file():
                        files.append((entry.name, "link"))
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name not in _SKIPPED:
                        directories.append(entry.name)
                elif entry.is_file(follow_symlinks=False):
                    files.append((entry.name, "file"))
    except OSError:
        return (), ()
    return tuple(sorted(directories)), tuple(sorted(files))
