"""Archives of images are read as a stream, layers put on one another by the rules of the OCI specification."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path as File

import pytest
from dockopt.optimizer.images import layers as layers_module
from dockopt.optimizer.images.archive import Image, read_archive, read_layout
from dockopt.optimizer.images.compare import differences
from dockopt.optimizer.images.layers import ArchiveError, Contents, merge, read_layer
from hypothesis import given
from hypothesis import strategies as st

from tests.images.tars import Path, archive, blob, directory, hard_link, layer, link, oci

BASE = layer(directory("d"), Path("d/a", data=b"a"), Path("d/b", data=b"b"), Path("f", data=b"f"), link("l", "d/a"))


def merged(*data: bytes) -> Contents:
    return merge(read_layer(io.BytesIO(found)) for found in data)


def read_compressed(data: bytes) -> Contents:
    return merge([read_layer(io.BytesIO(data[4:]), data[:4])])


def test_kinds() -> None:
    found = merged(
        layer(
            directory("d", 0o750), Path("d/f", data=b"x", mode=0o4755, uid=5), link("l", "d/f"), hard_link("h", "d/f"),
            Path("p", tarfile.FIFOTYPE), Path("c", tarfile.CHRTYPE), Path("x", pax={"SCHILY.xattr.user.a": "1", "comment": "no"}),
        )
    )  # fmt: skip
    assert (found["/d"].kind, found["/d"].mode) == ("directory", 0o750)
    assert (found["/d/f"].mode, found["/d/f"].uid, found["/d/f"].size) == (0o4755, 5, 1)
    assert (found["/l"].kind, found["/l"].content) == ("link", "d/f")
    assert found["/h"] == found["/d/f"]
    assert (found["/p"].kind, found["/c"].kind) == ("pipe", "device")
    assert found["/x"].attributes == (("user.a", "1"),)


def test_compressed_layers() -> None:
    data = layer(Path("a", data=b"a" * 5000), compressed=True)
    assert read_compressed(data) == merged(layer(Path("a", data=b"a" * 5000)))


@pytest.mark.parametrize(
    ("top", "gone", "kept"),
    [
        (layer(Path("d/.wh.a")), {"/d/a"}, {"/d", "/d/b", "/f"}),
        (layer(Path(".wh.d")), {"/d", "/d/a", "/d/b"}, {"/f", "/l"}),
        (layer(directory("d"), Path("d/.wh..wh..opq"), Path("d/c")), {"/d/a", "/d/b"}, {"/d", "/d/c", "/f"}),
        (layer(Path("d", data=b"now a file")), {"/d/a", "/d/b"}, {"/d", "/f"}),
        (layer(directory("f"), Path("f/x")), set(), {"/f", "/f/x", "/d/a"}),
        (layer(Path(".wh.nothing")), set(), {"/d/a"}),
        (layer(Path(".wh..wh..opq"), Path("new")), {"/d", "/d/a", "/f", "/l"}, {"/new"}),
    ],
)  # fmt: skip
def test_whiteouts(top: bytes, gone: set[str], kept: set[str]) -> None:
    found = merged(BASE, top)
    assert not gone & found.keys()
    assert kept <= found.keys()


def test_a_hard_link_to_a_lower_layer() -> None:
    assert merged(BASE, layer(hard_link("h", "d/a")))["/h"] == merged(BASE)["/d/a"]
    with pytest.raises(ArchiveError, match="hard link"):
        merged(layer(hard_link("h", "nothing")))


NAMES = st.sampled_from(["a", "b", "d", "d/a", "d/e", "d/e/a", "f"])
STEPS = st.lists(st.tuples(st.sampled_from(["file", "directory", "gone"]), NAMES), max_size=4)


@given(st.lists(STEPS, min_size=1, max_size=4))
def test_layers_are_what_was_done_one_after_the_other(history: list[list[tuple[str, str]]]) -> None:
    tree: dict[str, str] = {}
    found = []
    for number, steps in enumerate(history):
        members: dict[str, Path] = {}
        for kind, name in steps:
            parents = [name.rsplit("/", i)[0] for i in range(1, name.count("/") + 1)]
            if (
                any(tree.get(parent) != "directory" for parent in parents)
                or name in members
                or name in {other.rpartition("/")[0] for other in members}
                or any(parent in members for parent in parents)
            ):
                continue
            if kind != "directory" or tree.get(name) != "directory":
                for other in [other for other in tree if other == name or other.startswith(name + "/")]:
                    del tree[other]
            if kind == "gone":
                folder, _, last = name.rpartition("/")
                members[name] = Path(f"{folder}/.wh.{last}".lstrip("/"))
            else:
                tree[name] = "directory" if kind == "directory" else f"file {number}"
                members[name] = directory(name) if kind == "directory" else Path(name, data=str(number).encode())
        found.append(layer(*members.values()))
    assert {path[1:]: entry.kind for path, entry in merged(*found).items()} == {
        path: kind.partition(" ")[0] for path, kind in tree.items()
    }


def test_what_docker_writes_today() -> None:
    config = {"architecture": "amd64", "config": {"Env": ["A=1"]}}
    files = oci({"x": (config, [BASE])})
    files["manifest.json"] = json.dumps(
        [{"Config": blob(json.dumps(config).encode()), "RepoTags": ["x:1", "y:2"], "Layers": [blob(BASE)]}]
    ).encode()
    (image,) = read_archive(io.BytesIO(archive(files)))
    assert image.names == ("x:1", "y:2")
    assert image.config == config
    assert image.contents == merged(BASE)


def test_what_docker_wrote_before() -> None:
    files = {
        "abc/VERSION": b"1.0",
        "abc/json": b"{}",
        "abc/layer.tar": BASE,
        "config.json": b'{"config": {}}',
        "manifest.json": b'[{"Config": "config.json", "RepoTags": ["x:1"], "Layers": ["abc/layer.tar", "def/layer.tar"]}]',
    }
    (image,) = read_archive(io.BytesIO(archive(files, {"def/layer.tar": "../abc/layer.tar"})))
    assert image.contents == merged(BASE)


@pytest.mark.parametrize("nested", [False, True])
def test_layouts(tmp_path: File, nested: bool) -> None:
    files = oci(
        {"one": ({"config": {}}, [BASE]), "two": ({"config": {"User": "1"}}, [BASE, layer(Path("z"))])}, nested=nested
    )
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    for images in (read_layout(tmp_path), read_archive(io.BytesIO(archive(files)))):
        assert [image.names for image in images] == [("one",), ("two",)]
        assert "/z" in images[1].contents
        assert "/z" not in images[0].contents


def test_a_shared_layer_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = []
    entry = layers_module._entry
    monkeypatch.setattr(layers_module, "_entry", lambda *given: entries.append(given) or entry(*given))
    read_archive(io.BytesIO(archive(oci({"one": ({}, [BASE]), "two": ({"config": {}}, [BASE])}))))
    assert len(entries) == 5


@pytest.mark.parametrize(
    "data", [b"", b"no archive at all", archive({}), archive({"manifest.json": b'[{"Config": "c", "Layers": []}]'}),
             archive({"manifest.json": b"[nonsense"}), archive({"index.json": b"{}", "x": b"no layer either"})[:700]]
)  # fmt: skip
def test_damage(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        if read_archive(io.BytesIO(data)) == []:
            raise ArchiveError("nothing in it")


def image(data: bytes, **config: object) -> Image:
    return Image((), {"architecture": "amd64", "config": config}, merged(data))


def test_the_same() -> None:
    assert differences(image(BASE, Env=["A=1", "B=2"]), image(BASE, Env=["B=2", "A=1"], Labels=None)) == []


def test_a_container_begins_in_the_root_where_nothing_is_said() -> None:
    assert differences(image(BASE, WorkingDir="/"), image(BASE)) == []
    assert [d.where for d in differences(image(BASE, WorkingDir="/"), image(BASE, WorkingDir="/app"))] == [
        "config WorkingDir"
    ]


def test_differences_are_named() -> None:
    old = layer(
        Path("same"), Path("mode"), Path("owner"), Path("text", data=b"a"), Path("gone"), link("l", "a"), Path("kind")
    )
    new = layer(
        Path("same"), Path("mode", mode=0o600), Path("owner", uid=7), Path("text", data=b"bb"), link("l", "b"), directory("kind"),
        Path("more"),
    )  # fmt: skip
    found = differences(image(old, Env=["A=1"], Cmd=["a"]), image(new, Env=["A=2", "C=3"]))
    assert {difference.where: difference.what for difference in found} == {
        "config Cmd": 'only in the first image: ["a"]',
        "config Env A": "1 became 2",
        "config Env C": "only in the second image: 3",
        "/gone": "only in the first image (file, 0644, 0:0)",
        "/kind": "file became directory, mode 0644 became 0755",
        "/l": "a became b",
        "/mode": "mode 0644 became 0600",
        "/more": "only in the second image (file, 0644, 0:0)",
        "/owner": "owner 0:0 became 7:0",
        "/text": "content (1 bytes) became other content (2 bytes)",
    }
    assert [
        d.where for d in differences(image(old), image(new), masked={"/mode", "/owner", "/text", "/l", "/kind"})
    ] == ["/gone", "/more"]


def test_names_after_the_time_are_left_out_where_the_original_has_them_too() -> None:
    def built_at(*names: str) -> Image:
        return image(layer(directory("logs"), *(Path(f"logs/{name}", data=b"x") for name in names)))

    old, new = built_at("2026-01-01T10.log"), built_at("2026-01-01T12.log", "2026-01-01T9.log")
    twice = {"/logs/2026-01-01T10.log", "/logs/2026-01-01T11.log"}
    assert [d.where for d in differences(old, new, masked=twice)] == ["/logs/2026-01-01T9.log"]
    once = {"/logs/2026-01-01T10.log"}
    assert len(differences(old, new, masked=once)) == 2
