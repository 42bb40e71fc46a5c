"""Reads go.mod and go.work files as the `go` command does.

A port of `golang.org/x/mod/modfile` (`rule.go`, `work.go`) and of `cmd/go/internal/modload` (`fixVersion`) of Go 1.26. What Go refuses
raises ModFileError; a directive that Go 1.26 does not know is recorded, since a newer `go` may know it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dockopt.optimizer.ecosystems.go.modsyntax import Block, ModFileError, Statement, read_statements, unquote
from dockopt.optimizer.ecosystems.go.versions import GO_VERSION, canonical, fits_path, path_major

__all__ = ["GoMod", "GoWork", "ModFileError", "Replacement", "Requirement", "parse_go_mod", "parse_go_work"]

_BLOCKS_MOD = frozenset("module godebug require exclude replace retract tool ignore".split())
_BLOCKS_WORK = frozenset("godebug use replace".split())
_LINES_ONLY = frozenset(["go", "toolchain"])
#: what is read of the go.mod of a dependency (rule.go, not strict)
_LAX = frozenset("go module retract require ignore".split())
_LAX_GO_VERSION = re.compile(r"v?(([1-9][0-9]*)\.(0|[1-9][0-9]*))([^0-9].*)")
_TOOLCHAIN = re.compile(r"default$|go1($|\.)")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A `require` line; the version may be one that Go still has to look up (see `pinned`)."""

    path: str
    version: str
    indirect: bool
    line: int

    @property
    def pinned(self) -> bool:
        """Tell whether the version is a full one; otherwise `go mod download` asks a server and rewrites go.mod."""
        return canonical(self.version) == self.version


@dataclass(frozen=True, slots=True)
class Replacement:
    """A `replace` line; without `old_version` it holds for every version, without `new_version` it leads to a directory."""

    old_path: str
    old_version: str | None
    new_path: str
    new_version: str | None
    line: int

    @property
    def is_local(self) -> bool:
        """Tell whether it leads to a directory."""
        return self.new_version is None

    @property
    def is_absolute(self) -> bool:
        """Tell whether it leads to a directory by an absolute path, or by one with a drive letter."""
        return self.is_local and (self.new_path.startswith("/") or _DRIVE.match(self.new_path) is not None)

    def covers(self, path: str, version: str) -> bool:
        """Tell whether this line may apply to a module version (another one for exactly that version wins)."""
        return self.old_path == path and self.old_version in (None, version)


@dataclass(frozen=True, slots=True)
class GoMod:
    """A go.mod file."""

    module: str | None
    go: str | None
    toolchain: str | None
    require: tuple[Requirement, ...] = ()
    replace: tuple[Replacement, ...] = ()
    exclude: tuple[tuple[str, str], ...] = ()  #: module, version
    retract: tuple[tuple[str, str], ...] = ()  #: lowest, highest version
    tool: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    godebug: tuple[tuple[str, str], ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()  #: directives that Go 1.26 does not know, with their lines

    @property
    def go_version(self) -> str:
        """Return the version that counts: a file without a `go` line is one of Go 1.16 (gover.DefaultGoModVersion)."""
        return self.go or "1.16"

    @property
    def pinned(self) -> bool:
        """Tell whether every version is a full one; otherwise `go mod download` asks a server and rewrites go.mod."""
        named = [requirement.version for requirement in self.require]
        named += [version for r in self.replace for version in (r.old_version, r.new_version) if version is not None]
        named += [version for _, version in self.exclude]
        named += [version for versions in self.retract for version in versions]
        return all(canonical(version) == version for version in named)


@dataclass(frozen=True, slots=True)
class GoWork:
    """A go.work file."""

    go: str | None
    toolchain: str | None
    use: tuple[tuple[str, int], ...] = ()  #: directory as written, line
    replace: tuple[Replacement, ...] = ()
    godebug: tuple[tuple[str, str], ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()

    @property
    def go_version(self) -> str:
        """Return the version that counts: a file without a `go` line is one of Go 1.18 (gover.DefaultGoWorkVersion)."""
        return self.go or "1.18"


def parse_go_mod(data: bytes, path: str, *, lax: bool = False) -> GoMod:
    """Parse the go.mod of a main module, or with `lax` that of a dependency (also of a local replacement).

    A dependency's `replace`, `exclude`, `tool` and unknown directives are not looked at. Raises ModFileError where Go 1.26 does.
    """
    reader = _Reader(path, lax=lax, work=False)
    reader.read(data)
    return GoMod(
        reader.module,
        reader.go,
        reader.toolchain,
        tuple(reader.require),
        tuple(reader.replace),
        tuple(reader.exclude),
        tuple(reader.retract),
        tuple(reader.tool),
        tuple(reader.ignore),
        tuple(reader.godebug),
        tuple(reader.unknown),
    )


def parse_go_work(data: bytes, path: str) -> GoWork:
    """Parse a go.work file. Raises ModFileError where Go 1.26 does."""
    reader = _Reader(path, lax=False, work=True)
    reader.read(data)
    return GoWork(
        reader.go,
        reader.toolchain,
        tuple(reader.use),
        tuple(reader.replace),
        tuple(reader.godebug),
        tuple(reader.unknown),
    )


def is_directory_path(path: str) -> bool:
    """Tell whether the right side of a replacement is a directory, by Unix's or Windows' rules (rule.go IsDirectoryPath)."""
    starts = ("./", ".\\", "../", "..\\", "/", "\\")
    return path in (".", "..") or path.startswith(starts) or _DRIVE.match(path) is not None


@dataclass(slots=True)
class _Reader:
    """Collects the directives of one file."""

    path: str
    lax: bool
    work: bool
    module: str | None = None
    go: str | None = None
    toolchain: str | None = None
    require: list[Requirement] = field(default_factory=list)
    replace: list[Replacement] = field(default_factory=list)
    exclude: list[tuple[str, str]] = field(default_factory=list)
    retract: list[tuple[str, str]] = field(default_factory=list)
    retract_lines: list[int] = field(default_factory=list)
    tool: list[str] = field(default_factory=list)
    ignore: list[str] = field(default_factory=list)
    godebug: list[tuple[str, str]] = field(default_factory=list)
    use: list[tuple[str, int]] = field(default_factory=list)
    unknown: list[tuple[str, int]] = field(default_factory=list)

    def read(self, data: bytes) -> None:
        directives: dict[str, Callable[[Statement], None]] = {
            "go": self._go,
            "toolchain": self._toolchain,
            "godebug": self._godebug,
            "replace": self._replace,
        }
        if self.work:
            directives["use"] = self._use
        else:
            directives |= {
                "module": self._module,
                "require": self._require,
                "exclude": self._require,
                "retract": self._retract,
                "tool": self._tool,
                "ignore": self._tool,
            }
        blocks = _BLOCKS_WORK if self.work else _BLOCKS_MOD
        for statement in read_statements(data, self.path):
            if isinstance(statement, Block):
                self._block(statement, blocks)
                continue
            verb = statement.verb
            if statement.block is not None and (len(statement.block) > 1 or verb not in blocks):
                continue  # its head is refused or recorded
            if self.lax and verb not in _LAX:
                continue
            if verb not in directives:
                self.unknown.append((verb, statement.line))
                continue
            directives[verb](statement)
        self._check_retractions()

    def _error(self, message: str, line: int) -> ModFileError:
        return ModFileError(message, line, self.path)

    def _block(self, block: Block, known: frozenset[str]) -> None:
        if self.lax or (len(block.tokens) == 1 and block.tokens[0] in known):
            return
        if len(block.tokens) > 1 or block.tokens[0] in _LINES_ONLY:
            raise self._error(f"unknown block type `{' '.join(block.tokens)}`", block.line)
        self.unknown.append((block.tokens[0], block.line))

    def _one(self, statement: Statement) -> str:
        if len(statement.arguments) != 1:
            raise self._error(f"`{statement.verb}` takes exactly one argument", statement.line)
        return statement.arguments[0]

    def _text(self, token: str, line: int) -> str:
        try:
            return unquote(token)
        except ValueError as error:
            raise self._error(f"invalid quoted string: {error}", line) from None

    def _go(self, statement: Statement) -> None:
        if self.go is not None:
            raise self._error("repeated `go` line", statement.line)
        version = self._one(statement)
        if GO_VERSION.fullmatch(version) is None:
            found = _LAX_GO_VERSION.fullmatch(version) if self.lax else None
            if found is None:
                raise self._error(f"invalid Go version `{version}`, it must look like 1.23.0", statement.line)
            version = found[1]
        self.go = version

    def _toolchain(self, statement: Statement) -> None:
        if self.toolchain is not None:
            raise self._error("repeated `toolchain` line", statement.line)
        name = self._one(statement)
        if _TOOLCHAIN.match(name) is None:
            raise self._error(f"invalid toolchain `{name}`, it must look like go1.23.0", statement.line)
        self.toolchain = name

    def _module(self, statement: Statement) -> None:
        if self.module is not None:
            raise self._error("repeated `module` line", statement.line)
        self.module = self._text(self._one(statement), statement.line)

    def _godebug(self, statement: Statement) -> None:
        setting = self._one(statement)
        key, equals, value = setting.partition("=")
        if not equals or any(char in setting for char in "\"`',"):
            raise self._error("a `godebug` line must look like key=value", statement.line)
        self.godebug.append((key, value))

    def _tool(self, statement: Statement) -> None:
        (self.tool if statement.verb == "tool" else self.ignore).append(
            self._text(self._one(statement), statement.line)
        )

    def _use(self, statement: Statement) -> None:
        self.use.append((self._text(self._one(statement), statement.line), statement.line))

    def _require(self, statement: Statement) -> None:
        verb, arguments, line = statement.verb, statement.arguments, statement.line
        if len(arguments) != 2:
            raise self._error(f"a `{verb}` line must look like: {verb} module/path v1.2.3", line)
        path = self._text(arguments[0], line)
        version = self._version(path, arguments[1], line)
        if verb == "exclude":
            self.exclude.append((path, version))
        else:
            self.require.append(Requirement(path, version, _indirect(statement.comment), line))

    def _version(self, path: str, token: str, line: int, *, fits: bool = True) -> str:
        """Check a version; one that is not canonical stays as it is in a main go.mod, since Go asks a server for it."""
        try:
            version = unquote(token)
        except ValueError as error:
            raise self._error(f"`{path}`: invalid version: {error}", line) from None
        if self.lax or self.work:
            full = canonical(version)
            if not full:
                raise self._error(f"`{path}`: the version `{version}` must look like v1.2.3", line)
            version = full
        if fits:
            self._fit(path, version, line)
        return version

    def _fit(self, path: str, version: str, line: int) -> None:
        major = path_major(path)
        if major is None:
            raise self._error(f"malformed module path `{path}`", line)
        if not version:
            raise self._error(f"`{path}`: the version is empty", line)
        if canonical(version) == version and not fits_path(version, major):
            raise self._error(f"`{path}`: the version `{version}` does not fit the path", line)

    def _replace(self, statement: Statement) -> None:
        arguments, line = statement.arguments, statement.line
        arrow = 1 if len(arguments) >= 2 and arguments[1] == "=>" else 2
        if not arrow + 2 <= len(arguments) <= arrow + 3 or arguments[arrow] != "=>":
            raise self._error(
                "a `replace` line must look like: replace module/path [v1.2.3] => other/module v1.4, or => ../directory",
                line,
            )
        old = self._text(arguments[0], line)
        if path_major(old) is None:
            raise self._error(f"malformed module path `{old}`", line)
        old_version = self._version(old, arguments[1], line) if arrow == 2 else None
        new = self._text(arguments[arrow + 1], line)
        if len(arguments) == arrow + 3:
            if is_directory_path(new):
                raise self._error(f"the directory `{new}` cannot have a version", line)
            # in go.work Go does not compare the new version with its path (ParseWork is called without `fix`)
            version = self._version(new, arguments[arrow + 2], line, fits=not self.work)
            self.replace.append(Replacement(old, old_version, new, version, line))
            return
        if not is_directory_path(new):
            raise self._error(f"`{new}` has no version, so it must be a directory: start with `./`, `../` or `/`", line)
        if "\\" in new:
            raise self._error(f"the directory `{new}` is a Windows path", line)
        self.replace.append(Replacement(old, old_version, new, None, line))

    def _retract(self, statement: Statement) -> None:
        found = _interval(statement.arguments)
        # what stands behind the versions is for a later Go, which may write it in a dependency
        if found is None or (found[1] and not self.lax):
            if not self.lax:
                raise self._error("a `retract` line must name a version or `[lowest, highest]`", statement.line)
            return
        versions: list[str] = []
        for token in found[0]:
            try:
                versions.append(unquote(token))
            except ValueError as error:
                if self.lax:
                    return
                raise self._error(f"invalid version: {error}", statement.line) from None
        self.retract.append((versions[0], versions[-1]))
        self.retract_lines.append(statement.line)

    def _check_retractions(self) -> None:
        """Compare retracted versions with the module's path, which may stand behind them (rule.go fixRetract)."""
        if self.lax or not self.retract:
            return
        if not self.module:
            raise self._error("`retract` needs a `module` line", self.retract_lines[0])
        for versions, line in zip(self.retract, self.retract_lines, strict=True):
            for version in versions:
                self._fit(self.module, version, line)


def _interval(arguments: Sequence[str]) -> tuple[tuple[str, ...], Sequence[str]] | None:
    """Return the versions that a `retract` line starts with, and the tokens behind them."""
    if not arguments or arguments[0] == "(":
        return None
    if arguments[0] != "[":
        return (arguments[0],), arguments[1:]
    if len(arguments) >= 5 and (arguments[2], arguments[4]) == (",", "]"):
        return (arguments[1], arguments[3]), arguments[5:]
    return None


def _indirect(comment: str) -> bool:
    words = comment.split()
    return words == ["indirect"] or (len(words) > 1 and words[0] == "indirect;")
