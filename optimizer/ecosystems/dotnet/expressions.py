"""Expressions in MSBuild files: which values they may have, and which files they ask for.

Source: learn.microsoft.com, *MSBuild properties*, *Property functions* and *Conditions*. A property may have several values here, because
conditions are not decided: each value counts. What is not known before the build is `Unknown`, and matters only where it leads to a file.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dockopt.optimizer.ecosystems.dotnet.view import Obstacle, View, resolved

#: more values of one text are not followed
MOST_VALUES = 32
_LONGEST = 10_000
_DEEPEST = 50
_EXISTS = re.compile(r"\bexists\s*\(", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_STATIC = re.compile(r"\[([\w.]+)\]::(\w+)\s*(?=(\()?)")
_MEMBER = re.compile(r"[A-Za-z_][\w-]*\s*[.\[].*", re.DOTALL)
#: classes of which every function that MSBuild allows depends on its arguments alone
_PURE = frozenset(
    "system.byte system.char system.convert system.decimal system.double system.enum system.int16 system.int32 system.int64 system.math "
    "system.uint16 system.uint32 system.uint64 system.sbyte system.single system.string system.stringcomparer system.version "
    "system.text.regularexpressions.regex system.uri system.uribuilder system.runtime.interopservices.osplatform "
    "system.runtime.interopservices.runtimeinformation system.operatingsystem microsoft.build.utilities.toollocationhelper".split()
)
#: functions of `[MSBuild]` and `[System.IO.Path]` that look at a file system, a registry or a feature of Visual Studio
_LOOKING = frozenset(
    "getregistryvalue getregistryvaluefromview gettemppath gettempfilename getrandomfilename exists".split()
)


class Unknown(Exception):  # it is an answer, not an error
    """A text is not known before the build; `reason` says because of what."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Scope:
    """What the expressions of one file of a project see."""

    view: View
    #: the directory of the project, the file itself, and the line that is read
    project: str
    file: str
    line: int
    #: lower-case name → values, or why they are not known
    properties: Mapping[str, frozenset[str] | str]
    #: answers for a property that no file sets
    undefined: Callable[[str], frozenset[str] | str]

    def obstacle(self, reason: str) -> Obstacle:
        """Return the obstacle for what stands in this line."""
        return Obstacle(reason, self.file, self.line)

    # -- values ------------------------------------------------------------------------------------------------------

    def values(self, text: str) -> tuple[str, ...]:
        """Return every value that a text may have. Raises Unknown."""
        if "@(" in text or "%(" in text:
            raise Unknown(f"`{text}` is made of items")
        choices: list[tuple[str, ...]] = []
        at = 0
        for start, end in references(text):
            choices += [(text[at:start],), self._reference(text[start + 2 : end - 1].strip())]
            at = end
        choices.append((text[at:],))
        total = 1
        for choice in choices:
            total *= len(choice)
        if total > MOST_VALUES or sum(len(value) for choice in choices for value in choice) > _LONGEST:
            raise Unknown(f"`{text}` has too many possible values")
        return tuple(dict.fromkeys("".join(parts) for parts in itertools.product(*choices)))

    def paths(self, text: str, directory: str) -> tuple[str, ...]:
        """Return every path that a text may name, as seen from a directory. Raises Obstacle where that is not certain."""
        try:
            found = self.values(text)
        except Unknown as unknown:
            raise self.obstacle(f"`{text}` is not known before the build: {unknown.reason}") from None
        for value in found:
            if any(character in value for character in "*?%"):
                raise self.obstacle(f"the files that `{value}` selects are not known before the build")
        return tuple(dict.fromkeys(resolved(directory, value.strip()) for value in found if value.strip()))

    def _reference(self, inner: str) -> tuple[str, ...]:
        if _NAME.fullmatch(inner):
            return tuple(sorted(self._property(inner)))
        static = _static_call(inner)
        if static is not None and not static.rest:
            return self._function(static.owner, static.name, static.given, inner)
        raise Unknown(f"`$({inner})` is not computed")

    def _property(self, name: str) -> frozenset[str]:
        own = self._built_in(name.lower())
        found = own if own is not None else self.properties.get(name.lower())
        if found is None:
            found = self.undefined(name)
        if isinstance(found, str):
            raise Unknown(found)
        return found

    def _built_in(self, name: str) -> frozenset[str] | None:
        """Return a reserved property (*MSBuild reserved and well-known properties*); the project's own file has no name here."""
        directory = posixpath.dirname(self.file)
        slashed = directory.rstrip("/") + "/"
        project = self.project.rstrip("/") + "/"
        known = {
            "msbuildthisfiledirectory": (slashed,),
            "msbuildthisfilefullpath": (self.file,),
            "msbuildthisfile": (posixpath.basename(self.file),),
            "msbuildprojectdirectory": (self.project,),
            # set by Microsoft.Common.targets only: empty in a project's own properties, where a relative path means the same
            "projectdir": ("", project),
        }
        return frozenset(known[name]) if name in known else None

    def _function(self, owner: str, name: str, given: list[str], inner: str) -> tuple[str, ...]:
        """Compute a function of paths for all values of its arguments."""
        self._check(owner, name, inner)
        lists = [self.values(argument) for argument in given]
        found: list[str] = []
        for values in itertools.islice(itertools.product(*lists), MOST_VALUES):
            found.append(self._call(owner, name, values, inner))
        return tuple(dict.fromkeys(found))

    def _call(self, owner: str, name: str, values: tuple[str, ...], inner: str) -> str:
        if owner == "msbuild":
            if name == "getpathoffileabove" and len(values) in (1, 2):
                start = values[1] if len(values) == 2 else posixpath.dirname(self.file)
                return self._above(start, values[0]) or ""
            if name == "getdirectorynameoffileabove" and len(values) == 2:
                found = self._above(values[0], values[1])
                return "" if found is None else posixpath.dirname(found)
            if name in ("normalizepath", "normalizedirectory") and values:
                path = self._joined(values)
                return path if name == "normalizepath" else path.rstrip("/") + "/"
            if name == "ensuretrailingslash" and len(values) == 1:
                return values[0].replace("\\", "/").rstrip("/") + "/"
        if owner == "system.io.path":
            if name == "combine" and values:
                return self._joined(values)
            if name == "getfullpath" and len(values) == 1:
                return resolved(self.project, values[0])
            if name == "getdirectoryname" and len(values) == 1 and values[0].startswith("/"):
                return posixpath.dirname(values[0])
        raise Unknown(f"`$({inner})` is not computed")

    def _joined(self, values: tuple[str, ...]) -> str:
        path = self.project
        for value in values:
            path = resolved(path, value)
        return path

    def _above(self, start: str, name: str) -> str | None:
        if "/" in name or "\\" in name or not name:
            raise self.obstacle(f"`{name}` is no plain name of a file")
        return self.view.nearest(resolved(self.project, start), name)

    # -- what a text asks for ----------------------------------------------------------------------------------------

    def check(self, text: str) -> None:
        """Note the files that the functions in a text read. Raises Obstacle for what cannot be followed."""
        if text.count("$(") > _DEEPEST:
            raise self.obstacle("it has too many references to properties")
        for start, end in references(text):
            inner = text[start + 2 : end - 1].strip()
            static = _static_call(inner)
            if static is not None:
                for argument in (*static.given, static.rest):
                    self.check(argument)
                if static.owner in ("system.io.file", "system.io.directory"):
                    self._file_function(static.owner, static.name, static.given, inner)
                elif "fileabove" in static.name:
                    self._upward(static, inner)
                else:
                    self._check(static.owner, static.name, inner)
            elif _MEMBER.fullmatch(inner):
                self.check(inner)
            elif not _NAME.fullmatch(inner) and not inner.lower().startswith("registry:"):
                # there is no registry on Linux: such a reference is empty
                raise self.obstacle(f"`$({inner})` is not understood")

    def _upward(self, call: _Call, inner: str) -> None:
        try:
            self._function(call.owner, call.name, call.given, inner)
        except Unknown as unknown:
            raise self.obstacle(f"`$({inner})` looks for a file: {unknown.reason}") from None

    def _check(self, owner: str, name: str, inner: str) -> None:
        pure = owner in _PURE or (owner in ("msbuild", "system.io.path") and name not in _LOOKING)
        # variables count anyway, all of them
        pure = pure or (
            owner == "system.environment" and name in ("getenvironmentvariable", "is64bitoperatingsystem", "osversion")
        )
        if not pure:
            raise self.obstacle(
                f"`$({inner})` may give another value in the next build, or reads files that are not known"
            )

    def _file_function(self, owner: str, name: str, given: list[str], inner: str) -> None:
        if not given or name not in ("readalltext", "readalllines", "exists"):
            raise self.obstacle(f"`$({inner})` reads files that are not known before the build")
        for path in self.paths(given[0], self.project):
            if owner == "system.io.file":
                self.view.has(path, self.file, self.line)
            else:
                self.view.exists(path, self.file, self.line)

    def condition(self, text: str, *, about_import: bool = False) -> None:
        """Note the paths whose existence a condition asks for. Raises Obstacle."""
        self.check(text)
        if "@(" in text:
            raise self.obstacle(f"`{text}` depends on items, which may be files")
        for found in _EXISTS.finditer(text):
            end = _closing(text, found.end())
            inside = text[found.end() : end - 1].strip()
            # conditions of imports see relative paths from their file, others from the project (MSBuild's Evaluator)
            directories = {self.project, posixpath.dirname(self.file)} if about_import else {self.project}
            for directory in sorted(directories):
                for path in self.paths(inside.strip("'\""), directory):
                    self.view.exists(path, self.file, self.line)


class _Call(NamedTuple):
    """A call of a static function: `[owner]::name(given)rest`, owner and name in lower case."""

    owner: str
    name: str
    given: list[str]
    rest: str


def _static_call(inner: str) -> _Call | None:
    found = _STATIC.match(inner)
    if found is None:
        return None
    end = _closing(inner, found.end() + 1) if found[3] else found.end()
    given = arguments(inner[found.end() + 1 : end - 1]) if found[3] else []
    return _Call(found[1].lower(), found[2].lower(), given, inner[end:].strip())


def references(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of every outermost `$(…)`; one that is not closed ends with the text."""
    at = text.find("$(")
    while at >= 0:
        end = _closing(text, at + 2)
        yield at, end
        at = text.find("$(", end)


def _closing(text: str, at: int) -> int:
    """Return the place behind the parenthesis that closes one which was opened before `at`."""
    depth, quote = 1, ""
    for i in range(at, len(text)):
        character = text[i]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if not depth:
                return i + 1
    return len(text) + 1


def arguments(text: str) -> list[str]:
    """Split the arguments of a function at commas outside of quotes and parentheses; quotes are taken off."""
    parts, depth, quote, start = [], 0, "", 0
    for i, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "," and not depth:
            parts.append(text[start:i])
            start = i + 1
    if text.strip():
        parts.append(text[start:])
    stripped = (part.strip() for part in parts)
    return [s[1:-1] if len(s) > 1 and s[0] in "'\"`" and s[-1] == s[0] else s for s in stripped]
