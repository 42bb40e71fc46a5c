"""What a build of a project for the Java machine makes, whatever tool builds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dockopt.optimizer.symbolic.run import Executed


class Library(NamedTuple):
    """Something that the program depends on when it runs, and where that is said: a file of the context and a line."""

    group: str
    artifact: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class JarBuild:
    """What a command makes of a project of one module."""

    command: Executed
    root: str  #: directory of the project
    output: str  #: the directory below it in which all lies that the build makes
    #: the jars by their paths in the image, and whether they hold the libraries
    jars: Mapping[str, bool]
    manifest: str  #: the build file, in the context
    libraries: tuple[Library, ...]
    #: it runs tests, which may write anywhere
    tests: bool = False
