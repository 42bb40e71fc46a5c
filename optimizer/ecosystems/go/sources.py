"""Go source files of a package: which of them a build takes, and what they import.

Sources: `go/build` (`build.go`: goodOSArchFile, shouldBuild, readGoInfo) and `go/build/constraint` of Go 1.26. What depends on
something that is not known before the build is None, neither taken nor left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol

from dockopt.optimizer.ecosystems.go.versions import go_version_key
from dockopt.optimizer.regions import join
from dockopt.optimizer.symbolic import placing
from dockopt.optimizer.symbolic.filesystem import FileSystem

#: internal/syslist (Go 1.26): words that a file name may end with; those of unix are matched by the tag `unix`
_SYSTEMS = frozenset(
    "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos".split()
)
_ARCHITECTURES = frozenset(
    "386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 ppc64le riscv "
    "riscv64 s390 s390x sparc sparc64 wasm".split()
)
_RELEASE = re.compile(r"go1\.(\d+)")
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<line>//[^\n]*)|(?P<block>/\*.*?\*/)|(?P<raw>`[^`]*`)|(?P<text>\"(?:\\.|[^\"\\\n])*\")|(?P<word>\w+)|(?P<mark>.)",
    re.DOTALL,
)
_EXPRESSION = re.compile(r"\s*(&&|\|\||!|\(|\)|[\w.]+)")
#: a file this large is generated; its imports stand at its head all the same
_HEAD = 1 << 20


class SourceFile(NamedTuple):
    """The head of a Go file, up to its last import."""

    package: str
    imports: tuple[tuple[str, int], ...]  #: path and line
    constraint: str  #: what stands behind `//go:build`, "" where nothing does
    plus_build: tuple[str, ...] = ()  #: the older `// +build` lines; all of them have to hold


@lru_cache(maxsize=4096)
def parse_source(data: bytes) -> SourceFile | None:
    """Return package and imports of a Go file; None where it is no Go file."""
    text = data[:_HEAD].decode("utf-8", "replace").removeprefix("\ufeff")
    constraint, plus = "", []
    package = ""
    imports: list[tuple[str, int]] = []
    grouped = importing = False
    for found in _TOKEN.finditer(text):
        kind, token = found.lastgroup, found.group()
        if kind == "line" and not package:
            if token.startswith("//go:build "):
                constraint = token[len("//go:build ") :].strip()
            elif (line := re.match(r"//[ \t]*\+build[ \t]+(.*)", token)) is not None:
                plus.append(line[1].strip())
        if kind in ("space", "line", "block"):
            continue
        if not package:
            if kind != "word":
                return None
            package = "?" if token == "package" else ""
            if not package:
                return None
        elif package == "?":
            package = token
        elif importing and kind in ("text", "raw"):
            imports.append((token[1:-1], text.count("\n", 0, found.start()) + 1))
            importing = grouped
        elif importing and token == "(":
            grouped = True
        elif importing and token == ")":
            grouped = importing = False
        elif importing:
            continue  # the name of an import, `.` or `_`, and `;`
        elif token == "import":
            importing = True
        elif token != ";":
            break
    return SourceFile(package, tuple(imports), constraint, tuple(plus)) if package not in ("", "?") else None


@dataclass(frozen=True, slots=True)
class Target:
    """What build constraints ask for; None is not known before the build."""

    system: str | None = "linux"
    architecture: str | None = None
    cgo: bool | None = True
    tags: frozenset[str] | None = frozenset()
    release: str = "1.1"  #: the `go` line of go.mod: the tool is at least as new

    def tag(self, name: str) -> bool | None:
        """Tell whether a build tag is set."""
        if name == "cgo":
            return self.cgo
        if name in _SYSTEMS or name == "unix":
            if self.system is None:
                return None
            return name == self.system or (name == "unix" and self.system not in ("windows", "js", "plan9", "wasip1"))
        if name in _ARCHITECTURES:
            return None if self.architecture is None else name == self.architecture
        if name == "gc":
            return True
        release = _RELEASE.fullmatch(name)
        if release is not None:
            return True if go_version_key(f"1.{release[1]}") <= go_version_key(self.release) else None
        return None if self.tags is None else name in self.tags

    def takes(self, name: str, source: SourceFile) -> bool | None:
        """Tell whether a build takes a file (tests apart)."""
        found = self._by_name(name)
        if found is False:
            return False
        stated = self._stated(source)
        return False if stated is False else None if None in (found, stated) else True

    def _by_name(self, name: str) -> bool | None:
        stem = name.removesuffix(".go").removesuffix("_test")
        # `linux.go` is no file for Linux: the first word does not count (goodOSArchFile)
        words = stem.split("_")[1:]
        if len(words) >= 2 and words[-2] in _SYSTEMS and words[-1] in _ARCHITECTURES:
            return _all([self.tag(words[-1]), self.tag(words[-2])])
        if words and words[-1] in _SYSTEMS | _ARCHITECTURES:
            return self.tag(words[-1])
        return True

    def _stated(self, source: SourceFile) -> bool | None:
        if source.constraint:
            return evaluate(source.constraint, self.tag)
        # in one line blanks are "or" and commas "and"; lines are joined by "and"
        lines = []
        for line in source.plus_build:
            options = [_all([self._plain(term) for term in option.split(",")]) for option in line.split()]
            lines.append(True if True in options else None if None in options else False)
        return _all(lines)

    def _plain(self, term: str) -> bool | None:
        found = self.tag(term.lstrip("!"))
        return found if found is None or not term.startswith("!") else not found


def _all(values: list[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def evaluate(expression: str, tag: Callable[[str], bool | None]) -> bool | None:
    """Evaluate the expression of a `//go:build` line; None where it is not known, or no such expression."""
    tokens = _EXPRESSION.findall(expression)
    if "".join(tokens) != "".join(expression.split()):
        return None
    value, rest = _either(tokens, tag)
    return None if rest else value


def _either(tokens: list[str], tag: Callable[[str], bool | None]) -> tuple[bool | None, list[str]]:
    value, tokens = _both(tokens, tag)
    while tokens[:1] == ["||"]:
        other, tokens = _both(tokens[1:], tag)
        value = True if True in (value, other) else None if None in (value, other) else False
    return value, tokens


def _both(tokens: list[str], tag: Callable[[str], bool | None]) -> tuple[bool | None, list[str]]:
    value, tokens = _single(tokens, tag)
    while tokens[:1] == ["&&"]:
        other, tokens = _single(tokens[1:], tag)
        value = _all([value, other])
    return value, tokens


def _single(tokens: list[str], tag: Callable[[str], bool | None]) -> tuple[bool | None, list[str]]:
    if not tokens:
        return None, ["?"]
    head, *rest = tokens
    if head == "!":
        value, rest = _single(rest, tag)
        return (None if value is None else not value), rest
    if head == "(":
        value, rest = _either(rest, tag)
        return (value, rest[1:]) if rest[:1] == [")"] else (None, ["?"])
    return tag(head), rest


class Unclear(Exception):
    """It cannot be told what lies in a directory of the image."""

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(reason)
        self.reason, self.path = reason, path


class Contents(Protocol):
    """The part of the build context that is read (see `symbolic.execute.BuildFiles`)."""

    def read(self, rel: str) -> bytes | None:
        """Return a file's bytes, None if it cannot be read."""


class Taken(NamedTuple):
    """One file of a package and whether a build takes it (None: not known)."""

    path: str  #: in the image
    source: SourceFile
    taken: bool | None


@dataclass
class SourceTree:
    """The Go files that the Dockerfile put into the image."""

    files: FileSystem
    context: Contents
    _packages: dict[tuple[str, Target], tuple[Taken, ...]] = field(default_factory=dict)

    def names(self, directory: str) -> tuple[str, ...]:
        """Return what lies in a directory; raises `Unclear`."""
        found = placing.listing(self.files, directory)
        if found is None:
            writer = self.files.last_writer(directory)
            why = f"{writer.label} may have changed it" if writer is not None else "what is there depends on the build"
            raise Unclear(f"what lies in `{directory}` is not certain: {why}", directory)
        return found

    def kind(self, path: str) -> str:
        """Return "file", "directory", "absent" or "unknown", what the base holds left out."""
        return placing.placed(self.files, path)

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file that surely comes from the context."""
        found = self.files.context_file(path)
        return None if found is None else self.context.read(found[0])

    def context_path(self, path: str) -> str:
        """Return the file of the context that lies at a path of the image, "" where that is not certain."""
        found = self.files.context_file(path)
        return "" if found is None else found[0]

    def package(self, directory: str, target: Target) -> tuple[Taken, ...]:
        """Return the files of the package in a directory, tests left out; raises `Unclear`."""
        key = (directory, target)
        if key not in self._packages:
            self._packages[key] = tuple(self._package(directory, target))
        return self._packages[key]

    def _package(self, directory: str, target: Target) -> Iterator[Taken]:
        for name in self.names(directory):
            if name.endswith((".swig", ".swigcxx")):
                raise Unclear(f"`{join(directory, name)}` is made into C by SWIG", join(directory, name))
            # names that begin with `_` or `.` are left out (go/build.go matchFile)
            if not name.endswith(".go") or name.endswith("_test.go") or name.startswith(("_", ".")):
                continue
            path = join(directory, name)
            data = self.read(path)
            if data is None:
                raise Unclear(f"`{path}` does not surely come from the build context", path)
            source = parse_source(data)
            if source is None:
                raise Unclear(f"`{path}` is no Go file that can be read", path)
            taken = target.takes(name, source)
            # `//go:build ignore` marks programs that are run by hand
            if taken is not False:
                yield Taken(path, source, taken)

    def below(self, directory: str, limit: int = 2000) -> Iterator[str]:
        """Yield the directories that a pattern `…/...` matches (modload/search.go), the start first; raises `Unclear`."""
        todo = [directory]
        for _ in range(limit):
            if not todo:
                return
            here = todo.pop()
            yield here
            for name in reversed(self.names(here)):
                path = join(here, name)
                if name.startswith(("_", ".")) or name in ("testdata", "vendor"):
                    continue
                if self.kind(path) == "directory" and self.kind(join(path, "go.mod")) == "absent":
                    todo.append(path)
        raise Unclear(f"`{directory}` has more than {limit} directories", directory)
