"""Reads the file system of an image: every path with its kind, mode, owner and content, without times.

Two ways lead to the same map: the layer directories of the overlay2 storage driver, merged as the kernel would (fast,
needs their bytes on this machine), and the archive that `docker export` writes (slow, works everywhere).
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

PLACEHOLDERS = ("/.dockerenv", "/dev", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/proc", "/sys")
"""What the daemon puts into every container and `docker export` therefore shows, whatever the image has there."""


class Entry(NamedTuple):
    """One path; `content` is a SHA-256 for a file, the target of a link, the numbers of a device."""

    kind: str
    mode: int
    uid: int
    gid: int
    content: str
    attributes: tuple[tuple[str, bytes], ...] = ()

    def words(self) -> tuple[str, ...]:
        """Return the fields as a person reads them."""
        return (self.kind, f"{self.mode:04o}", str(self.uid), str(self.gid), self.content, repr(self.attributes))


Contents = dict[str, Entry]
"""Absolute paths of an image; `/` itself only where the layer directories were read."""


class _Layer(NamedTuple):
    entries: Contents
    removed: frozenset[str]
    opaque: frozenset[str]


def overlay_contents(layers: Iterable[str]) -> Contents:
    """Merge layer directories, the lowest first, by the rules of overlayfs.

    Raises:
        OSError: a directory cannot be read.
        ValueError: a directory was renamed without copying it, which these rules do not cover.
    """
    merged: Contents = {}
    for layer in layers:
        entries, removed, opaque = _layer(layer)
        replaced = {path for path, entry in entries.items() if entry.kind != "directory"}
        # what a layer removes, hides below an opaque directory or replaces by a file goes with all that is below it
        for path in (removed | opaque | replaced) & merged.keys():
            if merged[path].kind == "directory":
                below = f"{path.rstrip('/')}/"
                for hidden in [known for known in merged if known.startswith(below) and known != path]:
                    del merged[hidden]
        for path in removed & merged.keys():
            del merged[path]
        merged |= entries
    return merged


@functools.lru_cache(maxsize=256)
def _layer(directory: str) -> _Layer:
    """Read one layer; a finished layer never changes, and most are shared between images."""
    entries: Contents = {}
    removed: set[str] = set()
    opaque: set[str] = set()
    todo = [("/", directory)]
    while todo:
        path, real = todo.pop()
        info = os.lstat(real)
        # overlayfs marks a removed path by a device of number 0/0
        if stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
            removed.add(path)
            continue
        names = os.listxattr(real, follow_symlinks=False)
        if "trusted.overlay.redirect" in names or "trusted.overlay.metacopy" in names:
            raise ValueError(f"`{real}`: overlay features that are not read here (redirect_dir, metacopy)")
        if "trusted.overlay.opaque" in names and os.getxattr(real, "trusted.overlay.opaque") == b"y":
            opaque.add(path)
        attributes = tuple(
            (name, os.getxattr(real, name, follow_symlinks=False))
            for name in sorted(names)
            if not name.startswith("trusted.overlay.")
        )
        kind, content = _content(real, info)
        entries[path] = Entry(kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, content, attributes)
        if kind == "directory":
            todo += [(f"{path.rstrip('/')}/{child.name}", child.path) for child in os.scandir(real)]
    return _Layer(entries, frozenset(removed), frozenset(opaque))


def _content(real: str, info: os.stat_result) -> tuple[str, str]:
    if stat.S_ISDIR(info.st_mode):
        return "directory", ""
    if stat.S_ISREG(info.st_mode):
        with Path(real).open("rb") as file:
            return "file", hashlib.file_digest(file, "sha256").hexdigest()
    if stat.S_ISLNK(info.st_mode):
        return "link", os.readlink(real)  # noqa: PTH115  (a Path would make `./a` and `a` the same)
    return "special", f"{stat.S_IFMT(info.st_mode):o} {info.st_rdev}"


def tar_contents(stream: IO[bytes]) -> Contents:
    """Read the archive of a container without holding it in memory."""
    found: Contents = {}
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = f"/{member.name.strip('/')}"
            if path in PLACEHOLDERS or path.startswith(("/dev/", "/proc/", "/sys/")):
                continue
            if member.islnk():
                found[path] = found[f"/{member.linkname.strip('/')}"]
                continue
            attributes = tuple(
                (name.removeprefix("SCHILY.xattr."), value.encode("utf-8", "surrogateescape"))
                for name, value in sorted(member.pax_headers.items())
                if name.startswith("SCHILY.xattr.")
            )
            kind, content = _member(archive, member)
            mode = 0o777 if kind == "link" else member.mode & 0o7777
            found[path] = Entry(kind, mode, member.uid, member.gid, content, attributes)
    return found


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[str, str]:
    if member.isdir():
        return "directory", ""
    if member.issym():
        return "link", member.linkname
    if member.isreg():
        data = archive.extractfile(member)
        assert data is not None
        total = hashlib.sha256()
        while chunk := data.read(1 << 20):
            total.update(chunk)
        return "file", total.hexdigest()
    kinds = {tarfile.CHRTYPE: stat.S_IFCHR, tarfile.BLKTYPE: stat.S_IFBLK, tarfile.FIFOTYPE: stat.S_IFIFO}
    number = os.makedev(member.devmajor, member.devminor) if member.isdev() and not member.isfifo() else 0
    return "special", f"{kinds[member.type]:o} {number}"
