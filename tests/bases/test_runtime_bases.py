"""What is known of an image by its name, and what is not claimed."""

from __future__ import annotations

import pytest
from dockopt.optimizer.runtime_bases import runtime_base, table, with_defaults
from dockopt.optimizer.syntax import parse


@pytest.mark.parametrize(
    ("reference", "libc", "shell"),
    [
        ("scratch", "", False),
        ("alpine:3.20", "musl", True),
        ("docker.io/library/alpine", "musl", True),
        ("debian:bookworm-slim", "glibc", True),
        ("golang:1.22", "glibc", True),
        ("golang:1.22-alpine3.19", "musl", True),
        ("python:3.12-slim", "glibc", True),
        ("gcr.io/distroless/static-debian12:nonroot", "", False),
        ("gcr.io/distroless/cc-debian12", "glibc", False),
        ("registry.access.redhat.com/ubi9/ubi-minimal:9.4", "glibc", True),
        ("busybox:1.36", None, True),
    ],
)
def test_what_an_image_has(reference: str, libc: str | None, shell: bool) -> None:
    found = runtime_base(reference)
    assert found is not None
    assert (found.libc, found.shell) == (libc, shell)


@pytest.mark.parametrize(
    "reference",
    [
        "example.com/alpine:3.20",
        "alpine-glibc",
        "frolvlad/alpine-glibc",
        "golang@sha256:" + 64 * "0",
        "golang:$TAG",
        "gcr.io/distroless/java21-debian12",
        "golang:1.22-nanoserver",
    ],
)
def test_what_is_not_known(reference: str) -> None:
    assert runtime_base(reference) is None


def test_an_argument_counts_by_its_default_but_is_not_certain() -> None:
    dockerfile = parse(b"ARG V=3.20\nARG BASE=alpine:${V}\nARG OPEN\nFROM $BASE\n")
    assert with_defaults(dockerfile, "$BASE") == ("alpine:3.20", False)
    assert with_defaults(dockerfile, "alpine:3") == ("alpine:3", True)


def test_the_table_has_a_row_for_each_choice() -> None:
    assert table().count("\n| `") == 8
