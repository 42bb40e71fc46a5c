"""Names of images as Docker reads them."""

import pytest
from dockopt.optimizer.registry.reference import BadReference, parse_reference

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "locked"),
    [
        ("golang", "docker.io", "library/golang", None, "golang:latest"),
        ("golang:1.26-alpine", "docker.io", "library/golang", "1.26-alpine", "golang:1.26-alpine"),
        ("docker.io/golang:1", "docker.io", "library/golang", "1", "docker.io/golang:1"),
        ("index.docker.io/me/app:1", "docker.io", "me/app", "1", "index.docker.io/me/app:1"),
        ("me/app", "docker.io", "me/app", None, "me/app:latest"),
        ("ghcr.io/me/app:v1", "ghcr.io", "me/app", "v1", "ghcr.io/me/app:v1"),
        ("localhost/app", "localhost", "app", None, "localhost/app:latest"),
        ("localhost:5000/app:1", "localhost:5000", "app", "1", "localhost:5000/app:1"),
        ("[::1]:5000/app:1", "[::1]:5000", "app", "1", "[::1]:5000/app:1"),
        (f"golang:1@{DIGEST}", "docker.io", "library/golang", "1", "golang:1"),
    ],
)
def test_names(text: str, registry: str, repository: str, tag: str | None, locked: str) -> None:
    found = parse_reference(text)
    assert (found.registry, found.repository, found.tag) == (registry, repository, tag)
    assert found.locked(DIGEST) == f"{locked}@{DIGEST}"
    assert parse_reference(found.locked(DIGEST)).digest == DIGEST


@pytest.mark.parametrize(
    "text",
    ["", "Golang", "golang:", "golang:a b", "golang@sha256:12", "golang@md5:00", "a//b", "-x.example/app", "me/App",
     "evil.example/../v2/x", "golang:1?x=y", "golang:1/../../2", "a.example:80:90/x", "x" * 300],
)  # fmt: skip
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(BadReference):
        parse_reference(text)
