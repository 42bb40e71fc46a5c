"""Image archives made in memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Path(NamedTuple):
    """One member of a layer."""

    name: str
    kind: bytes = tarfile.REGTYPE
    data: bytes = b""
    target: str = ""
    mode: int = 0o644
    uid: int = 0
    pax: Mapping[str, str] | None = None


def layer(*paths: Path, compressed: bool = False) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in paths:
            info = tarfile.TarInfo(path.name)
            info.type, info.mode, info.uid, info.linkname, info.size = (
                path.kind,
                path.mode,
                path.uid,
                path.target,
                len(path.data),
            )
            info.pax_headers = dict(path.pax or {})
            archive.addfile(info, io.BytesIO(path.data))
    return gzip.compress(stream.getvalue()) if compressed else stream.getvalue()


def directory(name: str, mode: int = 0o755) -> Path:
    return Path(name, tarfile.DIRTYPE, mode=mode)


def link(name: str, target: str) -> Path:
    return Path(name, tarfile.SYMTYPE, target=target)


def hard_link(name: str, target: str) -> Path:
    return Path(name, tarfile.LNKTYPE, target=target)


def archive(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as found:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            found.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            found.addfile(info)
    return stream.getvalue()


def blob(data: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"


def described(data: bytes, kind: str) -> dict[str, Any]:
    return {
        "mediaType": f"application/vnd.oci.image.{kind}",
        "digest": blob(data)[6:].replace("/", ":"),
        "size": len(data),
    }


def oci(images: Mapping[str, tuple[dict[str, Any], Sequence[bytes]]], *, nested: bool = False) -> dict[str, bytes]:
    """The files of an OCI layout with these images: name → (config, layers)."""
    files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    entries = []
    for name, (config, layers) in images.items():
        data = json.dumps(config).encode()
        manifest = json.dumps(
            {
                "config": described(data, "config.v1+json"),
                "layers": [described(found, "layer.v1.tar") for found in layers],
            }
        ).encode()
        for part in (data, manifest, *layers):
            files[blob(part)] = part
        entry = described(manifest, "manifest.v1+json")
        if nested:
            attestation = described(b'{"a": 1}', "manifest.v1+json") | {
                "annotations": {"vnd.docker.reference.type": "attestation-manifest"}
            }
            index = json.dumps({"manifests": [entry, attestation]}).encode()
            files[blob(index)] = index
            entry = described(index, "index.v1+json")
        entries.append(entry | {"annotations": {"org.opencontainers.image.ref.name": name}})
    files["index.json"] = json.dumps({"manifests": entries}).encode()
    return files
