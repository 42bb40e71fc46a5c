"""Which files `go mod download` looks at for one module or workspace.

The walk follows `cmd/go/internal/modload/init.go` of Go 1.26 (`FindGoWork`, `findModuleRoot`, `loadModFile`) and
`modload/modfile.go` (`rawGoModSummary`, which opens the go.mod of local replacements). Every file that is looked for counts,
found or not: one that appears later may change the result.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from dockopt.optimizer.ecosystems.go.modfile import (
    GoMod,
    GoWork,
    ModFileError,
    Replacement,
    parse_go_mod,
    parse_go_work,
)
from dockopt.optimizer.ecosystems.go.vendoring import builds_from_vendor
from dockopt.optimizer.regions import normalize


class _Kind(Protocol):
    @property
    def name(self) -> str: ...


class ContextView(Protocol):
    """Directories and files by paths relative to some root, `/` as separator, no leading one."""

    def kind(self, rel: str) -> _Kind:
        """Return something whose name is FILE, DIR, ABSENT or IGNORED; anything else is not known."""

    def read(self, rel: str) -> bytes:
        """Return a file's bytes; raises OSError."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why it cannot be told what `go mod download` reads."""

    reason: str
    path: str = ""  #: the file that is the cause, relative to the root of the view
    line: int = 0  #: 1-based, 0 for the whole file
    missing: str = ""  #: a file that is surely not there, and without which the command fails


@dataclass(frozen=True, slots=True)
class Manifests:
    """What `go mod download` reads; paths are relative to the root of the view."""

    directory: str  #: of the main module, or of go.work
    files: tuple[str, ...]  #: all that exist, the main go.mod (or go.work) first
    absent: tuple[str, ...]  #: looked for and not there
    modules: tuple[tuple[str, GoMod], ...]  #: main modules by directory
    replacements: tuple[Replacement, ...] = ()  #: of go.work
    vendored: bool = False
    #: something has to be downloaded at all
    needed: bool = True

    @property
    def workspace(self) -> bool:
        """Tell whether a go.work governs the modules."""
        return self.files[0].rpartition("/")[2] == "go.work"


def download_manifests(view: ContextView, directory: str, *, workspaces: bool = True) -> Manifests | Obstacle:
    """Return what `go mod download` reads when it runs in a directory, or why that is not certain.

    Without `workspaces` (GOWORK=off) it looks for no go.work.
    """
    reader = _Reader(view, workspaces)
    try:
        return reader.walk(normalize(directory))
    except _StopError as stop:
        return stop.obstacle


@lru_cache(maxsize=64)
def _go_mod(data: bytes, path: str) -> GoMod:
    return parse_go_mod(data, path)


class _StopError(Exception):
    def __init__(self, reason: str, path: str = "", line: int = 0, missing: str = "") -> None:
        super().__init__(reason)
        self.obstacle = Obstacle(reason, path.lstrip("/"), line, missing)


class _Reader:
    """Collects the files of one walk; paths are absolute inside the view."""

    def __init__(self, view: ContextView, workspaces: bool) -> None:
        self.view, self.workspaces = view, workspaces
        self.files: list[str] = []
        self.absent: list[str] = []

    def walk(self, start: str) -> Manifests | Obstacle:
        workspace = self._upward(start, "go.work") if self.workspaces else None
        if workspace is None:
            root = self._upward(start, "go.mod")
            if root is None:
                raise _StopError(f"there is no go.mod in or above `{start}`")
            modules: tuple[tuple[str, GoMod], ...] = (self._main(root),)
            above: tuple[Replacement, ...] = ()
            go = modules[0][1].go
        else:
            root = workspace
            work = self._workspace(root)
            above, go = work.replace, work.go
            directories = dict.fromkeys(self._joined(root, use, "go.work", line) for use, line in work.use)
            modules = tuple(self._main(module, above=root) for module in directories)
        for module, parsed in modules:
            self._replacements(module, parsed.replace, "go.mod")
        self._replacements(root, above, "go.work")
        vendored = self._vendored(root, go, workspace=workspace is not None)
        return Manifests(
            root.lstrip("/"),
            tuple(path.lstrip("/") for path in dict.fromkeys(self.files)),
            tuple(path.lstrip("/") for path in dict.fromkeys(self.absent)),
            tuple((module.lstrip("/"), parsed) for module, parsed in modules),
            above,
            vendored,
            any(parsed.require for _, parsed in modules),
        )

    def _look(self, path: str) -> bool:
        """Tell whether a file is there, and remember the question; raises where it is not certain."""
        name = self.view.kind(path.lstrip("/")).name
        if name == "FILE":
            self.files.append(path)
            return True
        if name in ("ABSENT", "IGNORED", "DIR"):
            # Go takes a directory of that name for no file (init.go: fi.IsDir)
            self.absent.append(path)
            return False
        raise _StopError(f"it is not certain whether `{path}` exists", path)

    def _upward(self, start: str, name: str) -> str | None:
        directory = start
        while True:
            if self._look(posixpath.join(directory, name)):
                return directory
            if directory == "/":
                return None
            directory = posixpath.dirname(directory)

    def _read(self, path: str) -> bytes:
        try:
            return self.view.read(path.lstrip("/"))
        except OSError as error:
            raise _StopError(str(error), path) from None

    def _workspace(self, root: str) -> GoWork:
        path = posixpath.join(root, "go.work")
        try:
            work = parse_go_work(self._read(path), path)
        except ModFileError as error:
            raise _StopError(error.message, path, error.line) from None
        self._known(path, work.unknown)
        self._look(posixpath.join(root, "go.work.sum"))
        return work

    def _main(self, directory: str, above: str | None = None) -> tuple[str, GoMod]:
        path = posixpath.join(directory, "go.mod")
        if above is not None and not self._look(path):
            work = posixpath.join(above, "go.work")
            raise _StopError(f"go.work of `{above}` uses `{directory}`, which has no go.mod", work, missing=path)
        try:
            parsed = _go_mod(self._read(path), path)
        except ModFileError as error:
            raise _StopError(error.message, path, error.line) from None
        self._known(path, parsed.unknown)
        self._look(posixpath.join(directory, "go.sum"))
        return directory, parsed

    @staticmethod
    def _known(path: str, unknown: tuple[tuple[str, int], ...]) -> None:
        for directive, line in unknown:
            raise _StopError(f"`{directive}` is no directive that is known", path, line)

    def _joined(self, root: str, target: str, name: str, line: int) -> str:
        if target.startswith(("/", "\\")) or ":" in target or "\\" in target:
            raise _StopError(f"`{target}` is not a relative path", posixpath.join(root, name), line)
        return normalize(posixpath.join(root, target))

    def _replacements(self, root: str, replacements: tuple[Replacement, ...], name: str) -> None:
        for replacement in replacements:
            if not replacement.is_local:
                continue
            directory = self._joined(root, replacement.new_path, name, replacement.line)
            if not self._look(posixpath.join(directory, "go.mod")):
                place = posixpath.join(root, name)
                raise _StopError(
                    f"`replace {replacement.old_path} => {replacement.new_path}` leads to a directory without a go.mod",
                    place,
                    replacement.line,
                    posixpath.join(directory, "go.mod"),
                )

    def _vendored(self, root: str, go: str | None, *, workspace: bool) -> bool:
        directory = posixpath.join(root, "vendor")
        name = self.view.kind(directory.lstrip("/")).name
        if name in ("ABSENT", "IGNORED"):
            self.absent.append(directory)
            return False
        if name != "DIR":
            raise _StopError(f"it is not certain whether `{directory}` exists", directory)
        listed = posixpath.join(directory, "modules.txt")
        text = self._read(listed) if self._look(listed) else None
        return builds_from_vendor(go, text, has_directory=True, workspace=workspace)
