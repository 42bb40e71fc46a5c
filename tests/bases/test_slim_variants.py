"""Which slim variant belongs to a tag, and what it may lack."""

from __future__ import annotations

import pytest
from dockopt.optimizer.slim_variants import is_small, place_of_packages, slim_variant


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("node:20", "node:20-slim"),
        ("node", "node:slim"),
        ("node:latest", "node:slim"),
        ("node:lts", "node:lts-slim"),
        ("node:bookworm", "node:bookworm-slim"),
        ("node:20.11.1-bookworm", "node:20.11.1-bookworm-slim"),
        ("docker.io/library/node:22", "docker.io/library/node:22-slim"),
        ("python:3", "python:3-slim"),
        ("python:3.12-bookworm", "python:3.12-slim-bookworm"),
        ("python:trixie", "python:slim-trixie"),
        ("python:latest", "python:slim"),
    ],
)
def test_the_variant_of_a_tag(reference: str, expected: str) -> None:
    assert slim_variant(reference) == expected


@pytest.mark.parametrize(
    "reference",
    ["node:10", "node:20-alpine", "node:20-onbuild", "node:lts-iron", "python:2.7", "python:3.6", "python:3.13-rc", "golang:1.22",
     "node@sha256:00", "node:20@sha256:00", "example.com/node:20", "node:20-windowsservercore", "node:$VERSION"],
)  # fmt: skip
def test_what_is_not_known_has_none(reference: str) -> None:
    assert slim_variant(reference) is None


def test_small_ones_are_told() -> None:
    assert is_small("node:20-alpine3.19")
    assert is_small("python:3.12-slim-bookworm")
    assert not is_small("node:20-bookworm")


@pytest.mark.parametrize(
    "text",
    [
        "/usr/bin/convert",
        "/usr/share/fonts",
        "/bin/bash",
        "FONTS=/usr/share/fonts:/opt/fonts",
        "/etc/ssl/certs",
        "/lib/x",
    ],
)
def test_places_of_packages(text: str) -> None:
    assert place_of_packages(text) is not None


@pytest.mark.parametrize(
    "text", ["/users", "/home", "/opt/data", "/etc/hosts", "/usr/local/bin/node", "/usr/src", "usr/bin", "/library"]
)
def test_places_that_both_have(text: str) -> None:
    assert place_of_packages(text) is None
