"""Bytes per instruction, and what of an image need not be there."""

from __future__ import annotations

import io
import json

import pytest
from dockopt.optimizer.images.archive import Image
from dockopt.optimizer.images.layers import merge, owners, read_layer
from dockopt.optimizer.report.size_table import as_json, as_text
from dockopt.optimizer.size import _KINDS, instruction_of, measure
from dockopt.optimizer.syntax import parse
from dockopt.rewrites.registry import REWRITES
from hypothesis import given
from hypothesis import strategies as st

from tests.images.tars import Path, directory, hard_link, layer

#: rewrites that other branches of the issue bring
LATER = {"multi-stage"}


def image(history: list[tuple[str, bool]], *data: bytes) -> Image:
    """Return an image; its history has texts, and whether an entry has no layer."""
    layers = tuple(read_layer(io.BytesIO(found)) for found in data)
    entries = [{"created_by": text, **({"empty_layer": True} if empty else {})} for text, empty in history]
    return Image((), {"history": entries}, merge(layers), layers)


@pytest.mark.parametrize(
    ("created_by", "instruction"),
    [
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("COPY . . # buildkit", "COPY . ."),
        ("ENV A=1", "ENV A=1"),
        ('CMD ["/bin/sh" "-c" "x"]', 'CMD ["/bin/sh" "-c" "x"]'),
        ("/bin/sh -c #(nop) COPY dir:1234 in /app ", "COPY dir:1234 in /app"),
        ('/bin/sh -c #(nop)  CMD ["x"]', 'CMD ["x"]'),
        ("/bin/sh -c make   all", "RUN make all"),
        ("|2 A=1 B=x y /bin/sh -c make $A", "RUN make $A"),
        ("RUN |1 VERSION=1.2 /bin/sh -c make # buildkit", "RUN make"),
        ("RUN /bin/bash -eo pipefail -c make # buildkit", "RUN /bin/bash -eo pipefail -c make"),
        ("", ""),
    ],
)
def test_instructions_of_the_history(created_by: str, instruction: str) -> None:
    assert instruction_of(created_by) == instruction


LISTS = layer(Path("var/lib/apt/lists/a", data=b"a" * 60_000), Path("usr/bin/curl", data=b"c" * 5_000))
BASE = layer(Path("usr/lib/gcc/cc1", data=b"g" * 70_000), Path("var/lib/apt/lists/base", data=b"b" * 20_000))
BIG = layer(
    Path("srv/big", data=b"x" * 40_000), Path("srv/.git/pack", data=b"p" * 30_000), hard_link("srv/too", "srv/big")
)
GONE = layer(Path("srv/.wh.big"), directory("etc"))
HISTORY = [
    ("debian.sh", False),
    ("CMD bash", True),
    ("ENV A=1", True),
    ("RUN /bin/sh -c apt-get update # buildkit", False),
    ("COPY . /srv # buildkit", False),
    ("RUN /bin/sh -c rm /srv/big # buildkit", False),
    ('CMD ["x"]', True),
]
DOCKERFILE = b'FROM debian:12\nENV A=1\nRUN apt-get update\nCOPY . /srv\nRUN rm /srv/big\nCMD ["x"]\n'


def test_layers_and_savings() -> None:
    found = measure(image(HISTORY, BASE, LISTS, BIG, GONE), parse(DOCKERFILE))
    assert [(entry.instruction, entry.bytes, entry.files, entry.line, entry.base) for entry in found.layers] == [
        ("debian.sh", 90_000, 2, None, True),
        ("RUN apt-get update", 65_000, 2, 3, False),
        ("COPY . /srv", 70_000, 2, 4, False),
        ("RUN rm /srv/big", 0, 0, 5, False),
    ]
    assert found.bytes == 225_000
    assert [(saving.what, saving.where, saving.bytes, saving.rewrites[0]) for saving in found.savings] == [
        ("compilers for C", "/usr/lib/gcc", 70_000, "multi-stage"),
        # not what the base has there: no rewrite can change it
        ("package lists of apt", "/var/lib/apt/lists", 60_000, "apt-hygiene"),
        ("removed or replaced above the layer of line 4", "/srv", 40_000, "merge-runs"),
        ("history of the project", "/srv/.git", 30_000, "ignore-files"),
    ]


def test_without_a_dockerfile_every_layer_counts() -> None:
    found = measure(image(HISTORY, BASE, LISTS, BIG, GONE))
    assert not any(entry.base or entry.line for entry in found.layers)
    assert max(s.bytes for s in found.savings if s.what == "package lists of apt") == 80_000


@pytest.mark.parametrize("change", [b"USER x\n", b"EXPOSE 1\nEXPOSE 2\nEXPOSE 3\n"])
def test_a_history_of_another_dockerfile_names_no_lines(change: bytes) -> None:
    found = measure(image(HISTORY, BASE, LISTS, BIG, GONE), parse(DOCKERFILE + change))
    assert not any(entry.base or entry.line for entry in found.layers)
    assert [entry.bytes for entry in found.layers] == [90_000, 65_000, 70_000, 0]


def test_a_history_that_does_not_fit_the_layers() -> None:
    found = measure(image(HISTORY[:3], BASE, LISTS), parse(DOCKERFILE))
    assert [entry.instruction for entry in found.layers] == ["layer 1", "layer 2"]


def test_instructions_of_the_stages_below_and_of_a_target() -> None:
    text = b"FROM debian AS base\nRUN a\nFROM base AS test\nRUN b\nFROM scratch\nCOPY x /\n"
    history = [("base", False), ("RUN /bin/sh -c a", False), ("RUN /bin/sh -c b", False)]
    found = measure(image(history, BASE, LISTS, BIG), parse(text), "test")
    assert [entry.line for entry in found.layers] == [None, 2, 4]


def test_a_file_that_is_replaced_by_a_directory_or_a_link_to_it() -> None:
    found = measure(
        image(
            [("a", False), ("b", False)],
            layer(Path("f", data=b"f" * 20_000)),
            layer(directory("f"), Path("f/g", data=b"g" * 20_000)),
        )
    )
    assert [(saving.where, saving.bytes) for saving in found.savings] == [("/", 20_000)]


def test_little_is_not_worth_a_line() -> None:
    small = layer(Path("var/lib/apt/lists/a", data=b"a" * 9_000))
    assert measure(image([("a", False)], small)).savings == ()


def test_tables() -> None:
    found = measure(image(HISTORY, BASE, LISTS, BIG, GONE), parse(DOCKERFILE))
    text = as_text("x\x1b[31m", found)
    assert "\x1b" not in text
    lines = text.splitlines()
    assert "0.2 MB in 4 layers (files, not compressed)" in lines[0]
    assert lines[5] == "0.1   29%       2   line 3   RUN apt-get update"
    assert any(
        "package lists of apt: /var/lib/apt/lists" in line and "apt-hygiene, merge-runs" in line for line in lines
    )
    nothing = as_text("x", measure(image([("a", False)], layer(Path("a", data=b"a")))))
    assert nothing.endswith("nothing was found that need not be there\n")


def test_document() -> None:
    found = measure(image(HISTORY, BASE, LISTS, BIG, GONE), parse(DOCKERFILE))
    document = json.loads(as_json("x", found))
    assert (document["version"], document["image"], document["bytes"]) == (1, "x", 225_000)
    assert document["layers"][1] == {
        "instruction": "RUN apt-get update",
        "line": 3,
        "base": False,
        "bytes": 65_000,
        "files": 2,
    }
    assert document["savings"][1]["rewrites"] == ["apt-hygiene", "merge-runs"]


def test_every_rewrite_that_is_named_is_one() -> None:
    named = {rewrite for kind in _KINDS for rewrite in kind.rewrites}
    assert named - LATER <= {rewrite.id for rewrite in REWRITES}


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/root/.cache/pip/http/a", "cache of pip"),
        ("/home/app/.cache/pip/a", "cache of pip"),
        ("/app/node_modules/.cache/babel/a", "caches of bundlers and compilers"),
        ("/.git/HEAD", "history of the project"),
        ("/app/.git/HEAD", "history of the project"),
        ("/root/.cargo/registry/a", "crates"),
        ("/root/.cargo/bin/cargo", "toolchain of Rust"),
        ("/go/pkg/mod/a", "modules of Go"),
        ("/usr/local/go/bin/go", "toolchain of Go"),
        ("/usr/local/gopher", None),
        ("/app/.gitignore", None),
        ("/app/var/lib/apt/lists/a", None),
        ("/root/.npmrc", None),
    ],
)
def test_places(path: str, what: str | None) -> None:
    assert next((kind.what for kind in _KINDS if kind.place.match(path)), None) == what


_names = st.sampled_from(["a", "b", "a/c", "b/c", ".wh.a", "a/.wh.c", "b/.wh..wh..opq"])


@given(st.lists(st.lists(_names, unique=True, max_size=4), min_size=1, max_size=4))
def test_what_is_there_is_from_the_last_layer_that_brought_it(names: list[list[str]]) -> None:
    layers = [read_layer(io.BytesIO(layer(*(Path(name, data=b"x") for name in found)))) for found in names]
    owned = owners(layers)
    assert owned.keys() == merge(layers).keys()
    assert all(path in layers[index].entries for path, index in owned.items())
    assert all(path not in above.entries for path, index in owned.items() for above in layers[index + 1 :])
