"""Names of images, taken apart as Docker does.

Source: github.com/distribution/reference, `normalize.go` (splitDockerDomain) and `regexp.go`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

DOCKER_HUB = "docker.io"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d+)?"
)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: a whole name may not be longer
_LONGEST = 255


class BadReference(ValueError):
    """A text that names no image; the message says why."""


class Reference(NamedTuple):
    """One image in a registry."""

    #: host and port, `docker.io` for Docker Hub
    registry: str
    repository: str
    tag: str | None
    digest: str | None
    #: registry and repository as they were written
    name: str

    @property
    def tagged(self) -> str:
        """The name with its tag: `latest` where none is written."""
        return f"{self.name}:{self.tag or 'latest'}"

    def locked(self, digest: str) -> str:
        """Return how a Dockerfile names exactly this content of the tag."""
        return f"{self.tagged}@{digest}"


def parse_reference(text: str) -> Reference:
    """Take a name apart. Raises BadReference."""
    name, at, digest = text.partition("@")
    if at and DIGEST.fullmatch(digest) is None:
        raise BadReference(f"`{text}` has a digest that is none of the form sha256:…")
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and _TAG.fullmatch(tag) is None:
        raise BadReference(f"`{text}` has a tag that cannot be one")
    name = f"{head}{slash}{last}"
    first, slash, rest = name.partition("/")
    if slash and (any(char in first for char in ".:") or first == "localhost" or first != first.lower()):
        registry, repository = first, rest
    else:
        registry, repository = DOCKER_HUB, name
    if registry in ("index.docker.io", DOCKER_HUB):
        registry = DOCKER_HUB
        repository = repository if "/" in repository else f"library/{repository}"
    if _HOST.fullmatch(registry) is None or _PATH.fullmatch(repository) is None or len(repository) > _LONGEST:
        raise BadReference(f"`{text}` is no name of an image")
    return Reference(registry, repository, tag or None, digest or None, name)
