"""What is known of an image by its name, and what is not claimed."""

from __future__ import annotations

import pytest
from dockopt.optimizer.bases import facts_of
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
        ("composer:2", "musl", True),
        ("cgr.dev/chainguard/static", "", False),
        ("cgr.dev/chainguard/glibc-dynamic", "glibc", False),
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
        "composer:2-bin",
    ],
)
def test_what_is_not_known(reference: str) -> None:
    assert runtime_base(reference) is None


@pytest.mark.parametrize(
    ("reference", "certificates", "time_zones", "packages"),
    [
        ("alpine", True, False, "apk"),
        ("alpine:3.22.1", True, False, "apk"),
        ("alpine:3.9", None, False, "apk"),
        ("debian:bookworm-20260918-slim", False, True, "apt"),
        ("debian:13.7", False, True, "apt"),
        ("debian:bullseye-slim", False, None, "apt"),
        ("debian:$RELEASE", None, None, None),
        ("ubuntu:24.04", False, False, "apt"),
        ("gcr.io/distroless/base-debian13:nonroot", True, True, ""),
        ("cgr.dev/chainguard/static", None, None, ""),
        ("maven:3-eclipse-temurin-21", None, None, "apt"),
        ("maven:3-amazoncorretto-21", None, None, None),
        ("eclipse-temurin:21-ubi9-minimal", None, None, None),
        ("composer:2", None, None, "apk"),
    ],
)
def test_certificates_time_zones_and_packages(
    reference: str, certificates: bool | None, time_zones: bool | None, packages: str | None
) -> None:
    found = runtime_base(reference)
    said = (None, None, None) if found is None else (found.certificates, found.time_zones, found.packages)
    assert said == (certificates, time_zones, packages)


@pytest.mark.parametrize(
    "reference", ["scratch", "alpine", "debian", "ubuntu", "busybox", "gcr.io/distroless/cc-debian12"]
)
def test_an_image_of_known_size_says_where_that_was_read(reference: str) -> None:
    found = runtime_base(reference)
    assert found is not None and found.megabytes is not None and found.source


@pytest.mark.parametrize("tag", ["nonroot", "debug", "debug-nonroot", "$TAG"])
def test_of_other_tags_of_distroless_environment_and_user_are_not_known(tag: str) -> None:
    assert facts_of("gcr.io/distroless/static-debian13").user == "root"
    assert facts_of(f"gcr.io/distroless/static-debian13:{tag}").user is None


def test_an_argument_counts_by_its_default_but_is_not_certain() -> None:
    dockerfile = parse(b"ARG V=3.20\nARG BASE=alpine:${V}\nARG OPEN\nFROM $BASE\n")
    assert with_defaults(dockerfile, "$BASE") == ("alpine:3.20", False)
    assert with_defaults(dockerfile, "alpine:3") == ("alpine:3", True)


def test_the_table_has_a_row_for_each_choice() -> None:
    assert table().count("\n| `") == 8
