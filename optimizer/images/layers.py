"""Layers: the paths that one brings and removes, and what is there when they lie on one another.

Whiteouts follow the OCI image specification, `layer.md`: `.wh.NAME` removes NAME of the layers below, `.wh..wh..opq` everything of a
directory. Times are left out: no two builds agree on them.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import tarfile
from collections.abc import Iterable, Sequence
from typing import IO, NamedTuple, cast

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_XATTR = "SCHILY.xattr."
_CHUNK = 1 << 20
BLOCK = 1 << 16
"""Bytes that are read at once; of larger blocks `tarfile` copies too much, of its own 10 KiB it reads too many."""
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class ArchiveError(Exception):
    """This is no image archive, or one in a form that is not read; the message says what."""


class Entry(NamedTuple):
    """One path; `content` is the SHA-256 of a file, the target of a link, or the numbers of a device."""

    kind: str
    mode: int
    uid: int
    gid: int
    content: str
    attributes: tuple[tuple[str, str], ...] = ()
    size: int = 0


Contents = dict[str, Entry]
"""Absolute paths without a slash at the end."""


class Layer(NamedTuple):
    """What one layer brings; a hard link has the kind "hard link" and the path of its file as content."""

    entries: Contents
    removed: frozenset[str]
    opaque: frozenset[str]

    @property
    def size(self) -> int:
        """Bytes of its files, not compressed; a hard link has none of its own."""
        return sum(entry.size for entry in self.entries.values())


def read_layer(stream: IO[bytes], start: bytes = b"") -> Layer:
    """Read a layer, compressed or not, without keeping more than a piece of it; `start` is what was read of it already.

    Raises ArchiveError.
    """
    source: IO[bytes] = cast("IO[bytes]", _Joined(start, stream))
    if start.startswith(_GZIP):
        source = cast("IO[bytes]", gzip.GzipFile(fileobj=source))
    elif start.startswith(_ZSTD):
        source = _zstd(source)
    entries: Contents = {}
    removed: set[str] = set()
    opaque: set[str] = set()
    try:
        with tarfile.open(fileobj=source, mode="r|", bufsize=BLOCK) as archive:
            for member in archive:
                path = posixpath.normpath("/" + member.name)
                path = "/" + path.lstrip("/")
                folder, name = posixpath.split(path)
                if name == _OPAQUE:
                    opaque.add(folder)
                elif name.startswith(_WHITEOUT):
                    removed.add(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
                elif path != "/":
                    entries[path] = _entry(archive, member)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ArchiveError(f"a layer is damaged: {error}") from error
    return Layer(entries, frozenset(removed), frozenset(opaque))


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    attributes = tuple(
        sorted((key.removeprefix(_XATTR), value) for key, value in member.pax_headers.items() if key.startswith(_XATTR))
    )
    mode, size = member.mode & 0o7777, 0
    if member.isdir():
        kind, content = "directory", ""
    elif member.issym():
        # the mode of a link means nothing, and tools write different ones
        kind, content, mode = "link", member.linkname, 0o777
    elif member.islnk():
        kind, content = "hard link", "/" + posixpath.normpath("/" + member.linkname).lstrip("/")
    elif member.isfile():
        digest = hashlib.sha256()
        source = archive.extractfile(member)
        while source is not None and (data := source.read(_CHUNK)):
            digest.update(data)
        kind, content, size = "file", digest.hexdigest(), member.size
    else:
        kind = "device" if member.isdev() and not member.isfifo() else "pipe"
        content = f"{member.devmajor}:{member.devminor}" if kind == "device" else ""
    return Entry(kind, mode, member.uid, member.gid, content, attributes, size)


def merge(layers: Iterable[Layer]) -> Contents:
    """Return what is there when the layers lie on one another, the lowest first."""
    merged: Contents = {}
    for layer in layers:
        # a path that is no directory any more takes all with it that was below it
        replaced = {path for path, entry in layer.entries.items() if entry.kind != "directory" and path in merged}
        gone = layer.removed | {path for path in replaced if merged[path].kind == "directory"}
        if gone or layer.opaque:
            merged = {path: entry for path, entry in merged.items() if not _is_gone(path, gone, layer.opaque)}
        for path, entry in layer.entries.items():
            if entry.kind == "hard link":
                target = layer.entries.get(entry.content) or merged.get(entry.content)
                if target is None:
                    raise ArchiveError(f"`{path}` is a hard link to `{entry.content}`, which is not there")
                merged[path] = target
            else:
                merged[path] = entry
    return merged


def owners(layers: Sequence[Layer]) -> dict[str, int]:
    """Return for each path that is there when the layers lie on one another the index of the layer that it is from."""
    marked = [
        layer._replace(
            entries={
                path: Entry("directory" if entry.kind == "directory" else "file", 0, 0, 0, str(index))
                for path, entry in layer.entries.items()
            }
        )
        for index, layer in enumerate(layers)
    ]
    return {path: int(entry.content) for path, entry in merge(marked).items()}


def _is_gone(path: str, gone: Iterable[str], opaque: frozenset[str]) -> bool:
    if path in gone:
        return True
    while (path := posixpath.dirname(path)) != "/":
        if path in gone or path in opaque:
            return True
    return "/" in opaque


def _zstd(source: IO[bytes]) -> IO[bytes]:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # Python 3.14
    except ImportError:
        raise ArchiveError("a layer is compressed with zstd, which needs Python 3.14") from None
    return cast("IO[bytes]", zstd.ZstdFile(source))


class _Joined:
    """A stream with the bytes put back that were looked at."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start, self._rest = start, rest

    def read(self, size: int = -1) -> bytes:
        if not self._start:
            return self._rest.read(size)
        if size < 0:
            data, self._start = self._start + self._rest.read(), b""
            return data
        data, self._start = self._start[:size], self._start[size:]
        return data
