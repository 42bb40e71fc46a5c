"""The command line of `java`: which jar it starts, and which options name files or need more than a JRE.

Source: the manual of `java` (docs.oracle.com/en/java/javase/21/docs/specs/man/java.html). With `-jar` the jar is the source of all
classes, and `-cp` and `CLASSPATH` are ignored. An option that is not in the table is a problem, so are files of arguments (`@file`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dockopt.optimizer.entrypoint import Program
from dockopt.optimizer.regions import below, join

#: options that name no file, and start nothing
_PLAIN = re.compile(
    r"-X(?:m[sxn]|ss|mixed|int|comp|rs|verify|noclassgc|batch|fuse)[\w:]*|-XX:[+-]?[\w]+(?:=[\w.%:]+)?|-(?:server|client|d64|showversion)"
    r"|-(?:ea|esa|da|dsa|enable(?:system)?assertions|disable(?:system)?assertions)(?::[\w.$]+)?"
    r"|--(?:add-(?:opens|exports|reads)|enable-native-access|illegal-access|sun-misc-unsafe-memory-access)=[\w./=,-]+|--enable-preview"
    r"|-splash:|-verbose(?::\w+)?"
)
_WITH_A_VALUE = frozenset({"--add-opens", "--add-exports", "--add-reads", "--enable-native-access"})
_PROPERTY = re.compile(r"-D(?P<name>[\w.\[\]-]+)(?:=(?P<value>.*))?", re.DOTALL)
#: properties that lead to other classes or libraries
_PLACES = re.compile(
    r"java\.(?:library\.path|class\.path|home|ext\.dirs|endorsed\.dirs|security\.manager|system\.class\.loader)|jna\.|loader\.|sun\.boot"
)
_AGENT = re.compile(r"-javaagent:(?P<path>[^=]+)(?:=.*)?", re.DOTALL)
#: what Linux has in every container, and what a program makes by itself
_EVERYWHERE = re.compile(r"/(?:dev|proc|sys|tmp)(?:/.*)?")
_URL = re.compile(r"(?!file:)[A-Za-z][\w+.-]*:(?:[\w+.-]+:)*//.*|(?:jdbc|classpath\*?):.*", re.DOTALL)
#: variables in which options for Java machines stand
OPTIONS_IN_VARIABLES = re.compile(r"(?:.*_)?(?:JAVA|JVM|JDK|APP|CATALINA)\w*(?:OPTS|OPTIONS|ARGS)|OPTS")


class JavaStart(NamedTuple):
    """One start of a jar."""

    jar: str  #: absolute path
    options: tuple[str, ...]
    arguments: tuple[str, ...]


def java_start(program: Program) -> JavaStart | str:
    """Return what a program that is called `java` starts, or why that is not known."""
    words = list(program.argv[1:])
    options: list[str] = []
    while words:
        word = words.pop(0)
        if word is None:
            continue  # a variable with options: what the Dockerfile sets in it is looked at by itself
        if word == "-jar":
            jar = words.pop(0) if words else None
            if jar is None or program.cwd is None or re.search(r"[*?\[{$`]", jar):
                return f"which jar it starts is not known before the container runs{f' (`{jar}`)' if jar else ''}"
            return JavaStart(join(program.cwd, jar), tuple(options), tuple(word for word in words if word))
        options.append(word)
        if word in _WITH_A_VALUE and words:
            options.append(words.pop(0) or "")
    return "it is not started by `java -jar`"


def option_problem(options: Iterable[str], cwd: str, brought: Iterable[str]) -> str | None:
    """Return the first option that needs more than the jar, a JRE and files that COPY brings (`brought`)."""
    paths = tuple(brought)
    rest = list(options)
    while rest:
        word = rest.pop(0)
        if word in _WITH_A_VALUE:
            rest = rest[1:]
            continue
        if _PLAIN.fullmatch(word):
            continue
        agent = _AGENT.fullmatch(word)
        if agent is not None:
            if join(cwd, agent["path"]) not in paths:
                return f"the agent `{agent['path']}` does not surely come from the build context"
            continue
        given = _PROPERTY.fullmatch(word)
        if given is None or _PLACES.match(given["name"]):
            return f"what `{word}` needs beside the jar is not followed"
        problem = path_problem(given["value"] or "", cwd, paths)
        if problem is not None:
            return problem
    return None


def path_problem(text: str, cwd: str, brought: Iterable[str]) -> str | None:
    """Return the first path in an argument that the new image may lack: a file that no COPY brings."""
    for piece in _paths_in(text):
        path = join(cwd, piece)
        if not _EVERYWHERE.fullmatch(path) and not any(below(other, path) for other in brought):
            return f"`{piece}`, which the program is told, does not surely come from the build context"
    return None


def _paths_in(text: str) -> Iterator[str]:
    for word in re.split(r"[,;\s]", text):
        value = re.sub(r"^-{0,2}[\w.-]+=", "", word)
        if not _URL.fullmatch(value):
            piece = re.sub(r"^(?:optional:)?(?:file:(?://)?)?", "", value)
            if "/" in piece:
                yield piece
