"""Files of a commit, read from the objects of git.

git is started for that, with plumbing commands only, which run nothing of the repository: no hook, filter, textconv, external diff,
file system monitor, pager or alias, and no transport either, so that a partial clone fetches nothing (`GIT_ALLOW_PROTOCOL`, git(1)).
Neither the index nor the work tree is read; what lies there is compared by the caller, byte by byte. It is never the git of the
project: the program is looked for on the absolute directories of PATH.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

#: seconds; objects of a local repository are there at once
_PATIENCE = 120
_SAFE = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "protocol.allow=never")


class RevisionError(Exception):
    """A commit cannot be read; the message says what to do about it."""


@dataclass(frozen=True)
class Revision:
    """The files of one commit of a repository."""

    top: Path
    commit: str

    @cached_property
    def _entries(self) -> Mapping[str, str]:
        """All files, links and submodules by their path from the top; the value is the name of the object."""
        listing = _git(self.top, "ls-tree", "-r", "-z", "--full-tree", self.commit)
        entries = {}
        for line in listing.split(b"\0"):
            if line:
                head, _, path = line.partition(b"\t")
                entries[os.fsdecode(path)] = head.split()[2].decode("ascii")
        return entries

    @cached_property
    def _submodules(self) -> frozenset[str]:
        listing = _git(self.top, "ls-tree", "-r", "-z", "--full-tree", self.commit)
        return frozenset(
            os.fsdecode(line.partition(b"\t")[2]) for line in listing.split(b"\0") if line.startswith(b"160000 ")
        )

    def submodule(self, path: str) -> str | None:
        """Return the commit that is recorded for a submodule, None where there was none. Raises RevisionError."""
        return self._entries[path] if path in self._submodules else None

    def files(self) -> frozenset[str]:
        """Return the paths of all files, relative to the top, with `/`."""
        return frozenset(self._entries)

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file as they are in the commit, None where there is none. Raises RevisionError."""
        name = self._entries.get(path)
        return None if name is None else _git(self.top, "cat-file", "blob", name)

    def has_directory(self, path: str) -> bool:
        """Tell whether a directory is there."""
        return any(entry.startswith(f"{path}/") for entry in self._entries)


def branch_point(top: Path, revision: str) -> Revision:
    """Return the commit at which the branch that is checked out left `revision`. Raises RevisionError."""
    try:
        named = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except RevisionError as error:
        if not _has_commits(top):
            raise RevisionError(
                f"`{top}` has no commit yet, so everything in it is new; leave the option out"
            ) from error
        raise RevisionError(
            f"there is no commit `{revision}` in `{top}`; fetch it first (a CI clone often has the last commit only){error}"
        ) from error
    commit = named.decode("ascii").strip()
    try:
        base = _git(top, "merge-base", "--end-of-options", commit, "HEAD").decode("ascii").split()
    except RevisionError as error:
        raise RevisionError(
            f"`{revision}` and what is checked out in `{top}` have no commit in common; fetch more of the history{error}"
        ) from error
    return Revision(top, base[0])


def nothing_yet(top: Path) -> Revision:
    """Return what a repository held before it came: no file. Raises RevisionError."""
    return Revision(top, _git(top, "hash-object", "-t", "tree", os.devnull).decode("ascii").strip())


def _has_commits(top: Path) -> bool:
    try:
        _git(top, "rev-parse", "--verify", "--quiet", "HEAD")
    except RevisionError:
        return False
    return True


def _git(top: Path, *arguments: str) -> bytes:
    """Return what a command prints. Raises RevisionError with git's own words, if it has any, after `: `."""
    import subprocess

    program = _program()
    if program is None:
        raise RevisionError(": git is not installed")
    try:
        done = subprocess.run(
            [program, "--no-pager", *_SAFE, *arguments],
            cwd=top,
            env=_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RevisionError(f": git cannot be run ({error})") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RevisionError(f": {said[0]}" if said else "")
    return done.stdout


def _environment(outer: Mapping[str, str]) -> dict[str, str]:
    """The environment without what points git at another repository (a hook has that), and without all transports."""
    kept = {
        name: value for name, value in outer.items() if not name.startswith("GIT_") or name.startswith("GIT_CONFIG")
    }
    return kept | {
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


@cache
def _program() -> str | None:
    import shutil

    directories = [place for place in os.get_exec_path() if os.path.isabs(place)]  # noqa: PTH117 - `Path("")` is `.`
    return shutil.which("git", path=os.pathsep.join(directories)) if directories else None
