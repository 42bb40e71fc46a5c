"""What is known of the users of base images, and that nothing is made up for others."""

from __future__ import annotations

import pytest
from dockopt.optimizer.accounts import needs_root, users_of


@pytest.mark.parametrize(
    ("reference", "program"),
    [
        ("alpine:3.20", "addgroup"),
        ("docker.io/library/alpine@sha256:" + "0" * 64, "addgroup"),
        ("alpine:${VERSION}", "addgroup"),
        ("python:3.12-alpine", "addgroup"),
        ("golang:${GO}-alpine", "addgroup"),
        ("python:3.12-slim", "groupadd"),
        ("debian:${RELEASE}-slim", "groupadd"),
        ("eclipse-temurin:21-jre", "groupadd"),
    ],
)
def test_accounts_are_made_in_the_way_of_the_distribution(reference: str, program: str) -> None:
    users = users_of(reference)
    assert users is not None
    assert users.is_root
    assert users.making[0].startswith(program)


@pytest.mark.parametrize(
    ("reference", "owner", "is_root"),
    [
        ("scratch", "10001:10001", True),
        ("node:22-alpine", "1000:1000", True),
        ("node:$VERSION", "1000:1000", True),
        ("gcr.io/distroless/static-debian12", "65532:65532", True),
        ("gcr.io/distroless/base-debian12:debug-nonroot", "65532:65532", False),
    ],
)
def test_an_account_that_is_there_is_taken(reference: str, owner: str, is_root: bool) -> None:
    users = users_of(reference)
    assert users is not None
    assert users.account is not None
    assert (users.account.owner, users.is_root, users.making) == (owner, is_root, ())


@pytest.mark.parametrize(
    "reference",
    [
        "$BASE",
        "example.com/alpine:3",
        "python:$VERSION",
        "golang:1.22-windowsservercore",
        "eclipse-temurin:21-ubi9-minimal",
        "nginx:1",
    ],
)
def test_nothing_is_known_of_others(reference: str) -> None:
    assert users_of(reference) is None


def test_what_has_to_start_as_root_says_why() -> None:
    assert needs_root("postgres:16") is not None
    assert needs_root("docker.io/library/nginx:1.27-alpine") is not None
    assert needs_root("nginxinc/nginx-unprivileged") is None
