"""Images in archives and folders: what `docker save` writes (old and new), docker-archive, and OCI image layouts.

An archive is read once, from its beginning to its end, as it comes out of a pipe: layers are turned into tables of their paths as they
pass, and put together when the manifest is known. A layer that two images share is read once.
"""

from __future__ import annotations

import posixpath
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dockopt.optimizer.images.documents import configuration, descriptor, document, rows, table, text, texts
from dockopt.optimizer.images.layers import BLOCK, ArchiveError, Contents, Layer, merge, read_layer

_JSON_LIMIT = 8 << 20
_PEEK = 512
_MANIFEST_TYPES = ("manifest.v1+json", "manifest.v2+json")


@dataclass(frozen=True, slots=True)
class Image:
    """An image: its names, the configuration as the specification has it, and every path."""

    names: tuple[str, ...]
    config: dict[str, Any]
    contents: Contents
    #: the lowest first
    layers: tuple[Layer, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the files in all layers, not compressed: what one layer has and another one hides counts, too."""
        return sum(layer.size for layer in self.layers)


def is_archive(path: Path) -> bool:
    """Tell whether a file begins like an archive: a tar, or one that is compressed. Raises OSError."""
    with path.open("rb") as stream:
        start = stream.read(_PEEK)
    return start[257:262] == b"ustar" or start.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ"))


def read_archive(stream: IO[bytes]) -> list[Image]:
    """Read all images of an archive, in the order of its manifest. Raises ArchiveError."""
    documents: dict[str, bytes] = {}
    layers: dict[str, Layer] = {}
    links: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=stream, mode="r|*", bufsize=BLOCK) as archive:
            for member in archive:
                name = posixpath.normpath(member.name)
                if member.issym() or member.islnk():
                    links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
                elif member.isfile():
                    source = archive.extractfile(member)
                    if source is not None:
                        _sort(name, member.size, source, documents, layers)
    except (tarfile.TarError, EOFError) as error:
        raise ArchiveError(f"it is no archive: {error}") from error
    return _images(documents, layers, links)


def read_layout(folder: Path) -> list[Image]:
    """Read all images of a folder with an OCI image layout. Raises ArchiveError, OSError."""
    documents: dict[str, bytes] = {}
    layers: dict[str, Layer] = {}
    if not (folder / "index.json").is_file():
        raise ArchiveError("it has no index.json, so it is no OCI image layout")
    for path in (folder / "index.json", *sorted((folder / "blobs").glob("*/*"))):
        with path.open("rb") as source:
            _sort(path.relative_to(folder).as_posix(), path.stat().st_size, source, documents, layers)
    return _images(documents, layers, {})


def _sort(name: str, size: int, source: IO[bytes], documents: dict[str, bytes], layers: dict[str, Layer]) -> None:
    """Keep a small JSON document as it is, and of a layer the table of its paths."""
    start = source.read(_PEEK)
    if start[:1] in (b"{", b"[") and size <= _JSON_LIMIT:
        documents[name] = start + source.read()
    elif size and not name.endswith(("/VERSION", "oci-layout")):
        layers[name] = read_layer(source, start)
    elif name.startswith("blobs/"):
        layers[name] = Layer({}, frozenset(), frozenset())


def _images(documents: dict[str, bytes], layers: dict[str, Layer], links: dict[str, str]) -> list[Image]:
    def layer(name: str) -> Layer:
        found = layers.get(links.get(name, name))
        if found is None:
            raise ArchiveError(f"the layer `{name}` is missing")
        return found

    def image(names: list[str], config: str, layer_names: list[str]) -> Image:
        found = tuple(map(layer, layer_names))
        return Image(tuple(names), configuration(_there(documents, config), config), merge(found), found)

    if "manifest.json" in documents:
        what = "`manifest.json`"
        return [
            image(
                texts(entry.get("RepoTags"), what),
                posixpath.normpath(text(entry.get("Config"), what)),
                [posixpath.normpath(name) for name in texts(entry.get("Layers"), what)],
            )
            for entry in rows(document(documents["manifest.json"], "manifest.json"), what)
        ]
    if "index.json" not in documents:
        raise ArchiveError("it has neither manifest.json nor index.json, so it holds no image")
    return [
        image(names, descriptor(table(manifest.get("config"), "`config`"), "`config`"),
              [descriptor(entry, "a layer") for entry in rows(manifest.get("layers"), "`layers`")])
        for names, manifest in _manifests(documents, "index.json", [], ())
    ]  # fmt: skip


def _manifests(
    documents: dict[str, bytes], index: str, names: list[str], above: tuple[str, ...]
) -> list[tuple[list[str], dict[str, Any]]]:
    """Return the manifests that an index leads to, each with the names of its image; `above` are the indexes that led here."""
    if index in above:
        raise ArchiveError(f"`{index}` is a part of itself")
    found = []
    listed = table(document(_there(documents, index), index), f"`{index}`")
    for entry in rows(listed.get("manifests"), f"`manifests` of `{index}`"):
        notes = table(entry.get("annotations"), f"`annotations` of `{index}`")
        if notes.get("vnd.docker.reference.type") == "attestation-manifest":
            continue
        own = [
            text(notes[key], f"`{key}` of `{index}`")
            for key in ("io.containerd.image.name", "org.opencontainers.image.ref.name")
            if key in notes
        ]
        blob = descriptor(entry, f"`{index}`")
        if text(entry.get("mediaType"), f"`mediaType` of `{index}`").endswith(_MANIFEST_TYPES):
            found.append((own or names, table(document(_there(documents, blob), blob), f"`{blob}`")))
        else:
            found += _manifests(documents, blob, own or names, (*above, index))
    return found


def _there(documents: dict[str, bytes], name: str) -> bytes:
    if name not in documents:
        raise ArchiveError(f"`{name}` is missing")
    return documents[name]
