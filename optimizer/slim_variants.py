"""Official images with and without what builds: which slim variant belongs to a tag, and which places it may lack.

Sources: nodejs/docker-node, stackbrew.js (`20-bookworm` and `20-bookworm-slim`; a tag without a release and its `-slim` have the
same default release) and Dockerfile-slim.template; docker-library/python, Dockerfile-linux.template (`slim-bookworm`; the full
variant starts from buildpack-deps, the slim one from Debian's slim image with certificates, netbase and time zones added).
"""

from __future__ import annotations

import re

from dockopt.optimizer.bases import repository

_NODE = re.compile(
    r"(?P<version>\d+(?:\.\d+){0,2}|lts|current|latest|)(?:(?:^|-)(?P<release>buster|bullseye|bookworm|trixie))?"
)
_PYTHON = re.compile(r"(?P<version>3(?:\.\d+){0,2}|latest|)(?:(?:^|-)(?P<release>buster|bullseye|bookworm|trixie))?")
#: what is older has tags of another making
_FIRST = {"node": (12,), "python": (3, 8)}
#: places of Debian that belong to packages: most of what lies there comes with those that only the full image has
_OF_PACKAGES = re.compile(
    r"/(?:usr/(?!src/?$|local(?:/|$))|s?bin/|lib(?:32|64|x32)?/|"
    r"etc/(?!(?:hosts|hostname|resolv\.conf|passwd|group|localtime|timezone|os-release)$)|var/lib/(?!data)|opt/yarn)[\w.@+~/*{}-]*"
)


def is_small(reference: str) -> bool:
    """Tell whether an image is a small variant already."""
    return re.search(r"slim|alpine", repository(reference)[1]) is not None


def slim_variant(reference: str) -> str | None:
    """Return the image with the same version on the same release of Debian and less of everything else, None if not known."""
    name, tag = repository(reference)
    found = {"node": _NODE, "python": _PYTHON}[name].fullmatch(tag) if name in _FIRST else None
    if found is None or "@" in reference:
        return None
    version, release = found["version"], found["release"]
    numbers = tuple(int(part) for part in version.split(".")) if version[:1].isdigit() else ()
    if numbers and len(numbers) >= len(_FIRST[name]) and numbers < _FIRST[name]:
        return None
    parts = [] if version in ("", "latest") else [version]
    if release:
        parts += [release, "slim"] if name == "node" else ["slim", release]
    else:
        parts.append("slim")
    return f"{reference.removesuffix(f':{tag}') if tag else reference}:{'-'.join(parts)}"


def place_of_packages(text: str) -> str | None:
    """Return a place in a text, such as a string or the value of a variable, that the slim variant may lack."""
    return next((piece for piece in re.split(r"[=,:;\s]", text) if _OF_PACKAGES.fullmatch(piece)), None)
