"""Sets of paths inside an image: subtrees minus subtrees, with the aliases that base images have.

Everything here errs to one side on purpose: two regions *overlap* unless they provably do not, and one *covers* another only
if it provably does.
"""

from __future__ import annotations

import posixpath
from functools import lru_cache
from typing import NamedTuple

#: Directories that are links to one another in many base images (merged /usr, /run): writing below one of a group may be
#: writing below another. Debian: "usrmerge"; Alpine has no such links before 3.22, which does no harm here.
_ALIASES: tuple[tuple[str, str], ...] = (
    ("/usr/bin", "/bin"),
    ("/usr/sbin", "/bin"),
    ("/sbin", "/bin"),
    ("/usr/lib64", "/lib"),
    ("/usr/lib32", "/lib"),
    ("/usr/libx32", "/lib"),
    ("/usr/lib", "/lib"),
    ("/lib64", "/lib"),
    ("/lib32", "/lib"),
    ("/libx32", "/lib"),
    ("/var/run", "/run"),
    ("/var/lock", "/run/lock"),
)


def normalize(path: str) -> str:
    """Return the absolute path without `.`, `..`, doubled and trailing slashes (POSIX; `//x` is `/x`)."""
    clean = posixpath.normpath("/" + path)
    return "/" + clean.lstrip("/")


def join(directory: str, path: str) -> str:
    """Resolve `path` against the absolute `directory`."""
    return normalize(path if path.startswith("/") else f"{directory}/{path}")


def below(path: str, root: str) -> bool:
    """Tell whether `path` is `root` or lies in its subtree (both normalized)."""
    return root in (path, "/") or path.startswith(root + "/")


def relative(path: str, root: str) -> str:
    """Return `path` as seen from its ancestor `root`, "" for `root` itself."""
    return path[len(root) :].lstrip("/") if root != "/" else path.lstrip("/")


def parents(path: str) -> tuple[str, ...]:
    """Return the proper ancestors of an absolute path from the top, without `/` itself."""
    parts = path.strip("/").split("/")[:-1]
    return tuple("/" + "/".join(parts[: i + 1]) for i in range(len(parts)))


@lru_cache(maxsize=1 << 14)
def _canonical(path: str) -> str:
    for alias, target in _ALIASES:
        if below(path, alias):
            return target + path[len(alias) :]
    return path


@lru_cache(maxsize=1 << 16)
def _nested(a: str, b: str) -> str | None:
    """Return the deeper of two paths if one holds the other, seen through the aliases, else None."""
    if below(a, b):
        return a
    if below(b, a):
        return b
    x, y = _canonical(a), _canonical(b)
    if below(x, y):
        return a
    if below(y, x):
        return b
    # a parent of an alias (`/usr`) holds what the alias leads to
    if any(below(alias, a) and (below(y, target) or below(target, y)) for alias, target in _ALIASES):
        return b
    if any(below(alias, b) and (below(x, target) or below(target, x)) for alias, target in _ALIASES):
        return a
    return None


class Region(NamedTuple):
    """The subtrees `include` without the subtrees `exclude` (absolute, normalized paths)."""

    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    def overlaps(self, other: Region) -> bool:
        """Return False only if no path can be in both."""
        return _overlap(self, other)

    def holds(self, path: str) -> bool:
        """Return False only if the path itself surely is not in this region; something below it may be."""
        return any(below(path, root) or below(_canonical(path), _canonical(root)) for root in self.include)

    def covers(self, other: Region) -> bool:
        """Return True only if each path of `other` is in this region."""
        for b in other.include:
            if not any(below(b, a) for a in self.include):
                return False
            for hole in self.exclude:
                if _nested(hole, b) is not None and not any(below(hole, gap) for gap in other.exclude):
                    return False
        return True

    def minus(self, *paths: str) -> Region:
        """Return this region without the given subtrees; the outermost of nested ones stands for all."""
        holes = {*self.exclude, *paths}
        return Region(self.include, tuple(sorted(h for h in holes if not any(h != o and below(h, o) for o in holes))))

    def __str__(self) -> str:
        text = ", ".join(self.include)
        return f"{text} without {', '.join(self.exclude)}" if self.exclude else text


# each proof asks this of the same pairs of writes again, and the answer depends on nothing else
@lru_cache(maxsize=1 << 15)
def _overlap(one: Region, other: Region) -> bool:
    """Return False only if no path can be in both regions."""
    holes = one.exclude + other.exclude
    for a in one.include:
        for b in other.include:
            deeper = _nested(a, b)
            if deeper is not None and not any(below(deeper, hole) for hole in holes):
                return True
    return False


#: every path of the image
EVERYTHING = Region(("/",))


def region(*paths: str) -> Region:
    """Return the region of the given subtrees."""
    return Region(tuple(sorted(paths)))
