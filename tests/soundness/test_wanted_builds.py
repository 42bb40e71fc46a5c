"""Changes of the image in files that nobody thought of, built before and after: nothing differs but what is declared.

The files are those of `test_wanted_changes.py`. Compilers and package managers are stand-ins (`stand_ins/`), so that a build takes a
second and asks nobody; what they write is where the real ones write it, but a flag changes nothing. `DOCKOPT_WANTED_BUILDS` sets how
many pairs are built (200 take some fifteen minutes), `DOCKOPT_WANTED_SEED` which ones.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from dockopt.optimizer.declared import declared_by
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.engines import BuildRequest, choose
from dockopt.optimizer.verify import OriginalFails, failure, verify

from tests.engine.engine import Engine
from tests.soundness.wanted_generator import CHANGING, drawn

pytestmark = pytest.mark.engine

PAIRS = int(os.environ.get("DOCKOPT_WANTED_BUILDS", "4"))
SEED = int(os.environ.get("DOCKOPT_WANTED_SEED", "5"))
#: the versions that `pin-base` writes are all the same image here
NAMED = frozenset(CHANGING) - {"pin-base"}
SOURCES = Path(__file__).with_name("stand_ins")
#: targets of its Dockerfile, each with what it is built on
STAND_INS = tuple((target, kind) for kind in ("debian", "alpine") for target in (kind, "golang", "node"))
_FROM = re.compile(rb"^((?:\xef\xbb\xbf)?[ \t]*from[ \t]+(?:--\S+[ \t]+)*)(\S+)(.*)$", re.IGNORECASE | re.MULTILINE)
_ARGUMENT = re.compile(rb"^((?:\xef\xbb\xbf)?arg base=)(\S+)(.*)$", re.IGNORECASE | re.MULTILINE)
_SYNTAX = re.compile(rb"^(?:\xef\xbb\xbf)?[ \t]*#[ \t]*syntax[ \t]*=.*\r?\n", re.IGNORECASE | re.MULTILINE)


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[dict[str, str]]:
    """Images by target and kind: `golang alpine`."""
    if why := Engine.missing():
        pytest.skip(f"needs a build engine: {why}")
    with Engine() as engine:
        found = {}
        dockerfile = (SOURCES / "Dockerfile").read_bytes()
        for target, kind in STAND_INS:
            tag = engine.tag(f"stand-in-{kind}-{target}")
            built = engine.build(dockerfile, SOURCES, tag=tag, target=target, build_args={"BASE": kind})
            assert built.ok, built.log
            found[f"{target} {kind}"] = tag
        yield found


def _with_stand_ins(text: bytes, images: dict[str, str]) -> bytes:
    """Put the stand-ins in the place of base images; the same ones before and after."""

    def image(found: re.Match[bytes]) -> bytes:
        name = found[2].decode("latin-1").partition("@")[0]
        repository, _, tag = name.partition(":")
        kind = "alpine" if "alpine" in tag or repository == "alpine" else "debian"
        if repository in ("golang", "node"):
            name = images[f"{repository} {kind}"]
        elif repository in ("alpine", "debian", "ubuntu", "python", "rust"):
            name = images[f"{kind} {kind}"]
        elif repository.startswith("gcr.io/distroless/") and "/static" not in repository:
            name = images["debian debian"]
        return found[1] + name.encode() + found[3]

    return _ARGUMENT.sub(image, _FROM.sub(image, _SYNTAX.sub(b"", text)))


def test_nothing_but_what_is_declared_differs(stand_ins: dict[str, str]) -> None:
    random, counted = Random(SEED), Counter[str]()
    failed = Counter[Path]()
    engine = choose("docker")
    while counted["built"] < PAIRS:
        wanted = drawn(random)
        if failed[wanted.case] > 1:
            continue
        source = wanted.text()
        report = analyze(wanted.case / "Dockerfile", source, Options(context=wanted.case, select=NAMED, named=NAMED))
        if not report.changes:
            continue
        before, after = (
            BuildRequest(_with_stand_ins(text, stand_ins), wanted.case, wanted.case / "Dockerfile", network="host")
            for text in (source, report.result)
        )
        try:
            found = verify(engine, before, after, lambda _: None, declared_by(report.changes, report.result))
        except OriginalFails:
            counted["original fails"] += 1
            # sources that are no real ones, a program that there is no stand-in of: it will not build with other changes either
            failed[wanted.case] += 1
            continue
        counted["built"] += 1
        counted[found.status] += 1
        told = [f"{difference.where}: {difference.what}" for difference in found.differences[:10]]
        assert found.status in ("same", "declared"), "\n".join(
            [
                repr(wanted),
                *told,
                *([failure(found.after)] if not found.after.ok else []),
                source.decode(),
                report.result.decode(),
            ]
        )
    print(f"\nbuilds: {dict(counted)}")


def test_bases_are_replaced_wherever_they_stand() -> None:
    images = {f"{target} {kind}": f"{target}-{kind}" for target, kind in STAND_INS}
    text = (
        b"# syntax=x\nARG BASE=golang:1.22\nfrom --platform=$P golang:1-alpine@sha256:0 AS a\n"
        b"FROM gcr.io/distroless/cc-debian12\nFROM $BASE\nFROM a\n"
    )
    assert _with_stand_ins(b"\xef\xbb\xbfFROM alpine:3\n", images) == b"\xef\xbb\xbfFROM alpine-alpine\n"
    assert _with_stand_ins(text, images) == (
        b"ARG BASE=golang-debian\nfrom --platform=$P golang-alpine AS a\nFROM debian-debian\nFROM $BASE\nFROM a\n"
    )
