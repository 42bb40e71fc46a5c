"""What a build of a project for the Java machine makes, whatever tool builds it."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from dockopt.optimizer.regions import join
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


_COPY = re.compile(r"(?:cp|mv)\s+(?P<source>[\w./*+-]+\.jar)\s+(?P<to>[\w./+-]+\.jar)")


def with_copies(made: JarBuild, commands: Iterable[Executed]) -> tuple[JarBuild, tuple[Executed, ...]]:
    """Return a build with the other names that commands give its jars, and these commands.

    `cp target/*.jar app.jar` only succeeds where there is one jar, since the last argument is no directory (POSIX, `cp`): that
    which the build makes, if it is the only one to match.
    """
    jars = dict(made.jars)
    taken: list[Executed] = []
    behind = False
    for command in commands:
        found = _COPY.fullmatch(command.text.strip()) if behind else None
        behind |= command is made.command
        if found is None or command.cwd is None:
            continue
        pattern = join(command.cwd, found["source"])
        matching = [path for path in jars if posixpath.dirname(path) == posixpath.dirname(pattern)]
        matching = [
            path for path in matching if fnmatch.fnmatchcase(posixpath.basename(path), posixpath.basename(pattern))
        ]
        if len(matching) == 1 and "*" not in posixpath.dirname(pattern):
            bundled = jars.pop(matching[0]) if command.name == "mv" else jars[matching[0]]
            jars[join(command.cwd, found["to"])] = bundled
            taken.append(command)
    return replace(made, jars=jars), tuple(taken)
