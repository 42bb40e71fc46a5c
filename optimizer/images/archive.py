"""Images in archives and folders: what `docker save` writes (old and new), docker-archive, and OCI image layouts.

An archive is read once, from its beginning to its end, as it comes out of a pipe: layers are turned into tables of their paths as they
pass, and put together when the manifest is known. A layer that two images share is read once.
"""

from __future__ import annotations

import json
import posixpath
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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

    if "manifest.json" in documents:
        images = []
        for entry in _json(documents, "manifest.json"):
            config = _json(documents, posixpath.normpath(entry["Config"]))
            found = tuple(layer(posixpath.normpath(name)) for name in entry.get("Layers") or ())
            images.append(Image(tuple(entry.get("RepoTags") or ()), config, merge(found), found))
        return images
    if "index.json" not in documents:
        raise ArchiveError("it has neither manifest.json nor index.json, so it holds no image")
    images = []
    for names, manifest in _manifests(documents, _json(documents, "index.json"), ()):
        config = _json(documents, _blob(manifest["config"]))
        found = tuple(layer(_blob(entry)) for entry in manifest.get("layers") or ())
        images.append(Image(names, config, merge(found), found))
    return images


def _manifests(
    documents: dict[str, bytes], index: dict[str, Any], names: tuple[str, ...]
) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    found = []
    for entry in index.get("manifests") or ():
        notes = entry.get("annotations") or {}
        if notes.get("vnd.docker.reference.type") == "attestation-manifest":
            continue
        own = tuple(
            notes[key] for key in ("io.containerd.image.name", "org.opencontainers.image.ref.name") if key in notes
        )
        document = _json(documents, _blob(entry))
        if str(entry.get("mediaType", "")).endswith(_MANIFEST_TYPES):
            found.append((own or names, document))
        else:
            found += _manifests(documents, document, own or names)
    return found


def _blob(descriptor: dict[str, Any]) -> str:
    return "blobs/" + str(descriptor["digest"]).replace(":", "/")


def _json(documents: dict[str, bytes], name: str) -> Any:
    try:
        return json.loads(documents[name])
    except KeyError:
        raise ArchiveError(f"`{name}` is missing") from None
    except ValueError as error:
        raise ArchiveError(f"`{name}` is damaged: {error}") from error
