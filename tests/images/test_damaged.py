"""Whatever an archive of an image holds, it is read or refused: nothing else happens, and the answer can be printed."""

from __future__ import annotations

import copy
import gzip
import io
import json
import os
from pathlib import Path as File
from random import Random
from typing import Any

import pytest
from dockopt.optimizer.images.archive import read_archive, read_layout
from dockopt.optimizer.images.compare import differences
from dockopt.optimizer.images.layers import ArchiveError
from dockopt.optimizer.report.size_table import as_json, as_text
from dockopt.optimizer.size import measure

from tests.images.tars import Path, archive, blob, directory, hard_link, layer, link, oci

ROUNDS = int(os.environ.get("DOCKOPT_DAMAGED_ARCHIVES", "400"))
LISTS = Path("var/lib/apt/lists/x", data=b"b" * 20_000)
LAYER = layer(directory("d"), Path("d/a", data=b"a" * 9_000), LISTS, link("l", "d/a"), hard_link("h", "d/a"))
CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "config": {"Env": ["A=1"], "Cmd": ["a"], "Labels": {"a": "b"}, "User": "x", "Healthcheck": {"Test": ["CMD", "a"]}},
    "history": [{"created_by": "RUN x"}, {"created_by": "ENV", "empty_layer": True}],
}
VALUES = (None, 1, -1, 1.5, True, "x", "", [], {}, [[]], ["a", 1], {"a": 1}, "\ud800", "../../etc", "/" * 10)


def damaged(random: Random, document: Any) -> Any:
    """Put something else in the place of a value of a document, or leave it out."""
    document = copy.deepcopy(document)
    while isinstance(document, dict | list) and document:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        key = random.choice(keys)
        if random.random() < 0.3:
            if random.random() < 0.3:
                del document[key]
            else:
                document[key] = copy.deepcopy(random.choice(VALUES))
            return document
        document[key] = damaged(random, document[key])
        return document
    return copy.deepcopy(random.choice(VALUES))


def flipped(random: Random, data: bytes) -> bytes:
    """Put other bytes in some places, or cut the end off."""
    found = bytearray(data)
    for _ in range(random.randint(1, 6)):
        found[random.randrange(len(found))] = random.randrange(256)
    return bytes(found[: random.randrange(len(found))] if random.random() < 0.2 else found)


def files(random: Random) -> dict[str, bytes]:
    """Return the files of an image that is damaged somewhere."""
    config = damaged(random, CONFIG) if random.random() < 0.5 else CONFIG
    content = gzip.compress(LAYER) if random.random() < 0.5 else LAYER
    found = oci({"x": (config, [content])}, nested=random.random() < 0.5)
    if random.random() < 0.5:
        manifest = {"Config": blob(json.dumps(config).encode()), "RepoTags": ["x:1"], "Layers": [blob(content)]}
        found["manifest.json"] = json.dumps([manifest]).encode()
    name = random.choice(sorted(found))
    if random.random() < 0.5 and found[name].startswith((b"{", b"[")):
        found[name] = json.dumps(damaged(random, json.loads(found[name]))).encode()
    elif random.random() < 0.5:
        found[name] = flipped(random, found[name])
    return found


def test_what_is_read_can_be_told(tmp_path: File) -> None:
    random, refused = Random(2611), 0
    for number in range(ROUNDS):
        found = files(random)
        try:
            if random.random() < 0.3:
                folder = tmp_path / str(number)
                for name, data in found.items():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_bytes(data)
                images = read_layout(folder)
            else:
                data = archive(found)
                data = flipped(random, data) if random.random() < 0.3 else data
                data = gzip.compress(data) if random.random() < 0.3 else data
                images = read_archive(io.BytesIO(flipped(random, data) if random.random() < 0.1 else data))
        except ArchiveError:
            refused += 1
            continue
        for image in images:
            assert differences(image, image) == []
            size = measure(image)
            as_text("x", size)
            as_json("x", size)
    assert ROUNDS // 10 < refused < ROUNDS * 9 // 10


def test_an_index_that_is_a_part_of_itself() -> None:
    name = "blobs/sha256/" + "0" * 64
    entry = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": "sha256:" + "0" * 64}
    index = json.dumps({"manifests": [entry]}).encode()
    with pytest.raises(ArchiveError, match="a part of itself"):
        read_archive(io.BytesIO(archive({"index.json": index, name: index})))


def test_a_damaged_setting_is_named() -> None:
    config = {"config": {"Env": {"A": "1"}}}
    with pytest.raises(ArchiveError, match=r"`Env` of blobs/sha256/.* is damaged: it is no list"):
        read_archive(io.BytesIO(archive(oci({"x": (config, [LAYER])}))))


def test_a_list_that_is_written_as_a_text_is_one_of_one_word() -> None:
    (image,) = read_archive(io.BytesIO(archive(oci({"x": ({"config": {"Cmd": "a"}}, [LAYER])}))))
    assert image.config["config"]["Cmd"] == "a"


def test_a_compressed_layer_that_is_damaged() -> None:
    content = bytearray(gzip.compress(LAYER))
    content[40:60] = bytes(20)
    with pytest.raises(ArchiveError, match="damaged"):
        read_archive(io.BytesIO(archive(oci({"x": (CONFIG, [bytes(content)])}))))


@pytest.mark.parametrize("layers", [0, 150])
def test_images_of_no_and_of_many_layers(layers: int) -> None:
    history = [{"created_by": f"RUN echo {number}"} for number in range(layers)]
    content = [layer(Path(f"f{number}", data=b"x")) for number in range(layers)]
    (image,) = read_archive(io.BytesIO(archive(oci({"x": ({"config": {"User": "1"}, "history": history}, content)}))))
    size = measure(image)
    assert size.bytes == layers
    assert f"in {layers} layers" in as_text("x", size)
    assert len(json.loads(as_json("x", size))["layers"]) == layers


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(None, id="none"),
        pytest.param([], id="empty"),
        pytest.param([{"created_by": "RUN a"}], id="fewer entries than layers"),
        pytest.param([{"created_by": "RUN a", "empty_layer": True}] * 3, id="entries of no layer only"),
        pytest.param([{}, {}], id="entries that say nothing"),
    ],
)
def test_a_history_that_does_not_fit(history: list[dict[str, Any]] | None) -> None:
    config = {"config": {}} if history is None else {"config": {}, "history": history}
    content = [LAYER, layer(Path("z", data=b"zz"))]
    (image,) = read_archive(io.BytesIO(archive(oci({"x": (config, content)}))))
    size = measure(image)
    assert [row.bytes for row in size.layers] == [29_000, 2]
    assert all(row.instruction in ("layer 1", "layer 2", "(not told)") for row in size.layers)
    as_text("x", size)
