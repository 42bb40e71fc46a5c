"""What the sources of a project say that its program writes, needs and listens on.

They are read as text, by the tables of `dockopt.optimizer.running.languages`; nothing is run. A place that is not spelled out in
the sources, or comes from a variable that the image does not set, is not known: that is a question, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.running.languages import CONFIGURATIONS, CONFIGURED, KEEPING, Language

#: how many entries of a context are looked at, and how large a source may be, in bytes
_MOST_ENTRIES = 20_000
_LARGEST = 1 << 20
#: ports below this one need root or a capability (`ip(7)`, ip_unprivileged_port_start)
FIRST_FREE_PORT = 1024
_DEPTH = 3
_LITERAL = re.compile(
    r"\s*(?:[rbu]?\"([^\"\\\n$%{]*)\"|[rbu]?'([^'\\\n$%{]*)'|`([^`\\\n$]*)`)\s*(?=[,);\n]|$|\|\||\?\?)"
)
_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*(?=[,);\n]|$)")
_WHOLE_LINE_COMMENT = re.compile(r"(?m)^[ \t]*(?://|#[ !]|\*[ /]).*$")


class Place(NamedTuple):
    """A directory, or a file, that a source names; relative ones start from where the program runs."""

    path: str
    #: it is a directory, or something below it is meant
    is_directory: bool


class Found(NamedTuple):
    """One place in a source that matters for the user as whom the program runs."""

    text: str
    file: str
    line: int
    #: what it writes, None where that is not spelled out
    place: Place | None = None
    #: the variable of the environment from which the place comes
    variable: str | None = None


@dataclass(slots=True)
class SourceFacts:
    """All that the sources of a language say."""

    writes: list[Found] = field(default_factory=list)
    root: list[Found] = field(default_factory=list)
    starts: list[Found] = field(default_factory=list)
    keepers: list[Found] = field(default_factory=list)
    #: texts that name a place where programs keep files
    named: list[Found] = field(default_factory=list)
    ports: list[tuple[int, Found]] = field(default_factory=list)
    #: it may use the directory for temporary files
    temporary: bool = False
    #: files that were read
    files: int = 0
    #: why not all was read
    unread: str | None = None


def read_sources(context: FrozenContext, language: Language, variable: Callable[[str], str | None]) -> SourceFacts:
    """Read all sources of a language in the context; `variable` returns what the image sets a variable to, None if nothing."""
    facts = SourceFacts()
    paths = context.files_below("", _MOST_ENTRIES)
    if paths is None:
        facts.unread = "the build context cannot be listed, or is too large"
        return facts
    for path in paths:
        is_manifest = language.manifests.search(path) is not None
        is_configuration = CONFIGURATIONS.search(path) is not None and not is_manifest
        if language.not_run.search(path) or not (is_manifest or is_configuration or language.sources.search(path)):
            continue
        data = context.peek(path)
        if data is None or len(data) > _LARGEST:
            facts.unread = f"`{path}` cannot be read, or is too large"
            return facts
        text = data.decode("utf-8", "replace")
        if is_manifest:
            facts.keepers += _found(language.keepers, text, path)
        elif is_configuration and not language.sources.search(path):
            facts.named += _named(CONFIGURED, text, path)
        else:
            facts.files += 1
            _read_source(facts, language, _WHOLE_LINE_COMMENT.sub("", text), path, variable)
    return facts


def _read_source(
    facts: SourceFacts, language: Language, text: str, path: str, variable: Callable[[str], str | None]
) -> None:
    facts.temporary |= language.temporary.search(text) is not None
    facts.root += _found(language.root, text, path)
    facts.starts += _found(language.starts, text, path)
    for match in language.ports.finditer(text):
        port = next((int(group) for group in match.groups() if group), 0)
        if 0 < port < FIRST_FREE_PORT:
            facts.ports.append((port, _one(match, text, path)))
    facts.named += _named(KEEPING, text, path)
    resolver = _Resolver(text, language, variable)
    for match in language.writes.finditer(text):
        found = _one(match, text, path)
        groups = match.groupdict()
        at = next(
            (match.end(name) for name in ("argument", "directory_argument") if groups.get(name) is not None), None
        )
        if at is not None:
            place, name = resolver.place(at)
            if place is not None and groups.get("directory"):
                place = place._replace(is_directory=True)
            found = found._replace(place=place, variable=name)
        facts.writes.append(found)


def _found(pattern: re.Pattern[str], text: str, path: str) -> Iterator[Found]:
    for match in pattern.finditer(text):
        yield _one(match, text, path)


def _named(pattern: re.Pattern[str], text: str, path: str) -> Iterator[Found]:
    for match in pattern.finditer(text):
        yield _one(match, text, path)._replace(text=match["place"], place=Place(match["place"], is_directory=False))


def _one(match: re.Match[str], text: str, path: str) -> Found:
    line = text.count("\n", 0, match.start()) + 1
    if match[0].startswith("\n"):
        line += 1
    shown = " ".join(match[0].split()).strip("\"' :=({[,")
    return Found(shown or match[0].strip(), path, line)


class _Resolver:
    """Finds out which path an expression of one source stands for, where it is spelled out there."""

    def __init__(self, text: str, language: Language, variable: Callable[[str], str | None]) -> None:
        self._text, self._language, self._variable = text, language, variable

    def place(self, at: int, depth: int = 0) -> tuple[Place | None, str | None]:
        """Return what the expression at an offset means, and the variable of the environment that it comes from."""
        text, language = self._text, self._language
        if depth > _DEPTH:
            return None, None
        literal = _LITERAL.match(text, at)
        if literal is not None:
            path = next(group for group in literal.groups() if group is not None)
            return (Place(path, is_directory=path.endswith("/")), None) if path else (None, None)
        start = at + len(text[at:]) - len(text[at:].lstrip(" \t\n")) if text[at : at + 1].isspace() else at
        joined = language.join.match(text, start)
        if joined is not None:
            place, name = self.place(joined.end(), depth + 1)
            return (None if place is None else place._replace(is_directory=True)), name
        read = language.variable.match(text, start)
        if read is not None:
            return self._from_environment(read)
        named = _NAME.match(text, start)
        if named is not None:
            return self._assigned(named[1], depth)
        return None, None

    def _from_environment(self, read: re.Match[str]) -> tuple[Place | None, str | None]:
        groups = read.groupdict()
        name = groups.get("name") or groups.get("quoted") or ""
        value = self._variable(name)
        if value is None and groups.get("default"):
            value = groups["default"][1:-1]
        return (Place(value, value.endswith("/")), name) if value else (None, name)

    def _assigned(self, name: str, depth: int) -> tuple[Place | None, str | None]:
        """Return what a name stands for that is given a value in one place of the file only."""
        found = list(re.finditer(rf"(?<![\w.]){re.escape(name)}\b\s*(?::=|=(?![=>]))", self._text))
        # a parameter, a loop variable or a field of the same name may be meant instead
        if len(found) != 1 or re.search(
            rf"[(,]\s*{re.escape(name)}\s*(?:,|:|string\b|\bstr\b)", self._text[: found[0].start()]
        ):
            return None, None
        return self.place(found[0].end(), depth + 1)


__all__ = ["FIRST_FREE_PORT", "Found", "Place", "SourceFacts", "read_sources"]
