"""Which image for running Java belongs to an image for building it: the same vendor, major version and system.

Facts: github.com/adoptium/containers (directories VERSION/jre/SYSTEM, read in August 2026), the tags of `eclipse-temurin`, `maven` and
`gradle` in the Docker Official Images library, and the first lines of the Dockerfiles of carlossg/docker-maven and
keeganwitt/docker-gradle: both start from `eclipse-temurin:N-jdk[-SYSTEM]`. In a JDK and a JRE of Temurin the places, the variables and
the packages of the system are the same, but for binutils, which only the JDK has.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dockopt.optimizer.bases import repository

_SYSTEM = r"(?:-(?P<system>alpine(?:-3\.\d+)?|focal|jammy|noble|resolute))?"
_TAGS = {
    # the JDK where the tag names neither
    "eclipse-temurin": re.compile(
        rf"(?P<version>(?P<major>\d+)(?:u\d+-b\d+|(?:\.\d+)*_\d+(?:\.\d+)*)?)(?:-(?P<kind>jdk|jre))?{_SYSTEM}"
    ),
    "maven": re.compile(rf"(?:.*-)?eclipse-temurin-(?P<version>(?P<major>\d+)){_SYSTEM}"),
    # from 17 on all are of Temurin, but for those that name another vendor
    "gradle": re.compile(rf"(?:\d[\w.]*-)?jdk-?(?P<version>(?P<major>\d+)){_SYSTEM}"),
}
_FIRST_OF_GRADLE = 17
#: versions with long support, for all of which there is a JRE on every system that is named below
_MAJORS = frozenset({8, 11, 17, 21, 25})
_SYSTEMS = frozenset({"", "jammy", "noble", "resolute", "alpine", *(f"alpine-3.{minor}" for minor in range(21, 25))})
#: releases before this one had no JRE (Dockerfiles of December 2021)
_FIRST_WITH_JRE = {17: (17, 0, 1)}
#: removed in June 2025; the tags for these versions are still there
_ON_FOCAL = frozenset({8, 11, 17})


class JavaImage(NamedTuple):
    """An image that Java programs are built in, and the one that runs them."""

    major: int
    runtime: str
    is_alpine: bool


def builds_java(reference: str) -> bool:
    """Tell whether the name of an image says that Java programs are built or run in it, by whatever vendor."""
    name = repository(reference)[0].rpartition("/")[2]
    return (
        re.fullmatch(r"maven|gradle|.*(?:jdk|temurin|corretto|zulu|liberica|sapmachine|graalvm|semeru).*", name)
        is not None
    )


def java_image(reference: str) -> JavaImage | str:
    """Return the image for running what an image builds, or why it is not known."""
    name, tag = repository(reference)
    pattern = _TAGS.get(name)
    if pattern is None:
        return f"which image for running belongs to `{name}` is not known (`eclipse-temurin` has one for each version)"
    if "@" in reference:
        return f"`{reference}` is pinned by its digest: that its tag is right, and which image for running is as old, is not known"
    found = pattern.fullmatch(tag)
    if found is None:
        return f"the tag `{tag or 'latest'}` does not say which version of Eclipse Temurin builds the program, and on which system"
    major, system = int(found["major"]), found["system"] or ""
    if name == "gradle" and major < _FIRST_OF_GRADLE:
        return f"the vendor of Java {major} differs from tag to tag of `gradle`"
    if found.groupdict().get("kind") == "jre":
        return f"`{reference}` has no JDK"
    if major not in _MAJORS or (system not in _SYSTEMS and (system != "focal" or major not in _ON_FOCAL)):
        return f"whether there is an image with a JRE beside `{reference}` is not known"
    release = tuple(int(number) for number in re.findall(r"\d+", found["version"].split("_")[0]))
    if found["version"] != found["major"] and release < _FIRST_WITH_JRE.get(major, ()):
        return f"there is no JRE of the release `{found['version']}`"
    return JavaImage(
        major, f"eclipse-temurin:{found['version']}-jre{'-' if system else ''}{system}", system.startswith("alpine")
    )
