"""Which official images bring which language, how their tags name versions and variants, and which releases get no more fixes.

Tags: the `library/` files of docker-library/official-images, oven-sh/bun, dotnet/dotnet-docker. Ends of support: go.dev/doc/devel/release
("each major Go release is supported until there are two newer major releases"), nodejs/Release (schedule.json), devguide.python.org
("Status of Python versions"), ruby-lang.org ("Ruby Maintenance Branches"), php.net ("Supported Versions"). The table only holds ends
that have passed: it can lack some, but none of them is ever undone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dockopt.optimizer.bases import repository
from dockopt.optimizer.evidence.releases import Version, shown

#: what takes the place of a version in a tag, and moves
_MOVING = frozenset({"", "latest", "lts", "current", "stable"})
_SUITES = r"trixie|bookworm|bullseye|buster|stretch|jessie|noble|jammy|focal"
#: variants that can stand behind a version: `slim`, `alpine`, `alpine3.20`, `slim-bookworm`, `cli-alpine`
_VARIANT = re.compile(
    rf"(?:(?:cli|fpm|apache|zts|jdk|jre|debian)-?)?(?:(?:alpine(?:3\.\d+)?|slim|{_SUITES})(?:-(?:{_SUITES}|slim))?)?"
)


@dataclass(frozen=True, slots=True)
class Support:
    """Releases that get no more fixes."""

    #: release lines that have ended, with the day; all below the least of them have ended, too
    ended: Mapping[Version, str]
    source: str

    def end_of(self, version: Version) -> str | None:
        """Return the day on which support of a release line ended, None while it goes on, as far as is known."""
        lengths = {len(line) for line in self.ended}
        for length in lengths:
            line = version[:length]
            if len(line) < length:
                continue
            if line in self.ended:
                return self.ended[line]
            if line < min(self.ended):
                return f"before {min(self.ended.values())}"
        return None


@dataclass(frozen=True, slots=True)
class Family:
    """The images of one language."""

    language: str
    shown: str
    #: how many numbers a tag may have
    lengths: tuple[int, ...]
    support: Support | None = None
    #: how many numbers make a release line, all of which will do where one does
    line: int = 2


_GO_SUPPORT = Support(
    {(1, 20): "2024-02-06", (1, 21): "2024-08-13", (1, 22): "2025-02-11", (1, 23): "2025-08-12"},
    "go.dev/doc/devel/release",
)
_NODE_SUPPORT = Support(
    {
        (14,): "2023-04-30", (15,): "2021-06-01", (16,): "2023-09-11", (17,): "2022-06-01", (18,): "2025-04-30", (19,): "2023-06-01",
        (20,): "2026-04-30", (21,): "2024-06-01", (23,): "2025-06-01",
    },
    "github.com/nodejs/Release",
)  # fmt: skip
_PYTHON_SUPPORT = Support(
    {(3, 6): "2021-12-23", (3, 7): "2023-06-27", (3, 8): "2024-10-07", (3, 9): "2025-10-31"},
    "devguide.python.org/versions",
)
_RUBY_SUPPORT = Support(
    {(2, 7): "2023-03-31", (3, 0): "2024-04-23", (3, 1): "2025-03-26", (3, 2): "2026-03-31"},
    "ruby-lang.org/en/downloads/branches",
)
_PHP_SUPPORT = Support(
    {(7, 4): "2022-11-28", (8, 0): "2023-11-26", (8, 1): "2025-12-31"}, "php.net/supported-versions.php"
)

FAMILIES: Mapping[str, Family] = {
    "golang": Family("go", "Go", (2, 3), _GO_SUPPORT),
    "node": Family("node", "Node.js", (1, 2, 3), _NODE_SUPPORT, line=1),
    "python": Family("python", "Python", (2, 3), _PYTHON_SUPPORT),
    "ruby": Family("ruby", "Ruby", (2, 3), _RUBY_SUPPORT),
    "rust": Family("rust", "Rust", (2, 3)),
    "php": Family("php", "PHP", (2, 3), _PHP_SUPPORT),
    "elixir": Family("elixir", "Elixir", (2, 3)),
    # the builds of one release have names like 21.0.2_13: only the first number is certain
    "eclipse-temurin": Family("java", "Java", (1,), line=1),
    "oven/bun": Family("bun", "Bun", (1, 2, 3)),
    # `global.json` asks for one feature band of the SDK by default, and a shorter tag moves on to the next band
    "mcr.microsoft.com/dotnet/sdk": Family("dotnet", ".NET", (3,)),
}


@dataclass(frozen=True, slots=True)
class Tag:
    """What a tag says: a version, or none, and a variant; `other` is a tag that is not understood."""

    version: Version | None = None
    variant: str = ""
    moving: bool = False
    other: bool = False


def tag_of(reference: str) -> Tag:
    """Read the tag of a reference."""
    tag = repository(reference)[1]
    head, dash, rest = tag.partition("-")
    numbers = re.fullmatch(r"\d+(?:\.\d+){0,2}", head)
    if numbers is not None:
        return Tag(tuple(map(int, head.split("."))), rest)
    if head in _MOVING:
        return Tag(variant=rest, moving=True, other=bool(dash) and not _is_variant(rest))
    return Tag(variant=tag, moving=True) if _is_variant(tag) else Tag(other=True)


def _is_variant(text: str) -> bool:
    return bool(text) and _VARIANT.fullmatch(text) is not None


def tagged(reference: str, version: Version, variant: str) -> str:
    """Return a reference with another version and the same variant."""
    name, colon, _ = reference.rpartition(":")
    name = name if colon and "/" not in reference[len(name) :] else reference
    return f"{name}:{shown(version)}{'-' if variant else ''}{variant}"


@dataclass(frozen=True, slots=True)
class Named:
    """An image of a language as a Dockerfile names it."""

    family: Family
    tag: Tag
    reference: str = field(compare=False, default="")


def named(reference: str) -> Named | None:
    """Return what a reference says of a language, None for images of no language, or by digest."""
    family = FAMILIES.get(repository(reference)[0])
    return None if family is None or "@" in reference else Named(family, tag_of(reference), reference)
