"""Which files cargo looks at before it downloads anything: manifests, lock file, settings, and targets that have to exist.

Found with cargo 1.95 (`strace`, and the experiments in `tests/ecosystems/rust/test_facts.py`) and its sources
(`core/workspace.rs`, `util/toml/targets.rs`). cargo refuses a manifest without a target: one has to be declared with its
`path`, or its source file has to *exist*; what is in it does not matter to a download.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Protocol

from dockopt.optimizer.ecosystems.rust.lockfile import LockFile, parse_lock_file
from dockopt.optimizer.ecosystems.rust.manifest import Manifest, ManifestError, PathDependency, line_of, parse_manifest
from dockopt.optimizer.ecosystems.rust.settings import (
    CONFIG_NAMES,
    TOOLCHAIN_NAMES,
    Config,
    Toolchain,
    parse_config,
    parse_toolchain,
)
from dockopt.optimizer.regions import below, join, relative

#: a workspace that is larger is not followed: a proof would have to name every manifest
_MOST_PACKAGES = 1000


class View(Protocol):
    """The image at one point (`dockopt.optimizer.commands.registry.Surroundings`); paths are absolute."""

    def kind(self, path: str) -> str:
        """Return "file", "directory", "absent" or "unknown"."""

    def listing(self, path: str) -> tuple[str, ...] | None:
        """Return the names of all that lies in a directory, None where that is not certain."""

    def read_context(self, path: str) -> bytes | None:
        """Return the bytes of a file that surely comes from the build context."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why it cannot be told what cargo looks at."""

    reason: str
    path: str = ""  #: the file of the image that is the cause
    line: int = 0  #: 1-based, 0 for the whole file


@dataclass(frozen=True, slots=True)
class Project:
    """What cargo looks at where it stands; paths are those of the image."""

    root: str  #: directory of the workspace, or of the package alone
    manifests: tuple[str, ...]  #: every Cargo.toml, that of the root first
    packages: tuple[Manifest, ...]  #: what they say, in the same order
    lock_path: str
    lock: LockFile | None  #: None where there is no Cargo.lock
    #: sources that have to exist, by the manifest for which they do
    sources: tuple[tuple[str, str], ...]
    configs: tuple[tuple[str, Config], ...]
    toolchain: tuple[str, Toolchain] | None
    absent: tuple[str, ...]  #: looked for and not there
    #: `/usr` and `/usr/src` are taken for free of such files although packages were installed there
    assumes_plain_usr: bool

    @property
    def files(self) -> tuple[str, ...]:
        """Everything that has to be there for a download, the most important first."""
        lock = (self.lock_path,) if self.lock is not None else ()
        settings = (*(path for path, _ in self.configs), *((self.toolchain[0],) if self.toolchain else ()))
        sources = (source for _, source in self.sources)
        return tuple(dict.fromkeys((self.manifests[0], *lock, *settings, *self.manifests[1:], *sources)))

    @property
    def is_lock_current(self) -> bool:
        """Tell whether Cargo.lock has all packages and dependencies that the manifests name."""
        return self.lock is not None and self.lock.agrees(self.packages)

    @property
    def target_dir(self) -> str | None:
        """What the settings say of where a build puts what it makes."""
        return next(
            (join(posixpath.dirname(posixpath.dirname(p)), c.target_dir) for p, c in self.configs if c.target_dir), None
        )


def _is_in_usr(path: str) -> bool:
    """Tell whether a file or a `.cargo` would lie directly in `/usr`, which has fixed directories only (FHS 3.0, section 4.2)."""
    directory = posixpath.dirname(path)
    return directory.removesuffix("/.cargo") in ("/usr", "/usr/src")


class _StopError(Exception):
    def __init__(self, reason: str, path: str = "", line: int = 0) -> None:
        super().__init__(reason)
        self.obstacle = Obstacle(reason, path, line)


def project_at(view: View, directory: str, cargo_home: str | None = None) -> Project | Obstacle:
    """Return what cargo looks at when it starts in a directory, or why that is not certain."""
    try:
        return _Walk(view).project(directory, cargo_home)
    except _StopError as stop:
        return stop.obstacle


@lru_cache(maxsize=256)
def _manifest(data: bytes) -> Manifest:
    return parse_manifest(data)


@lru_cache(maxsize=64)
def _lock_file(data: bytes) -> LockFile:
    return parse_lock_file(data)


class _Walk:
    def __init__(self, view: View) -> None:
        self.view = view
        self.absent: dict[str, None] = {}
        self.manifests: dict[str, Manifest] = {}
        self.sources: list[tuple[str, str]] = []
        self.done: set[str] = set()
        self.assumed = False

    def project(self, directory: str, cargo_home: str | None) -> Project:
        start = self._upward(directory, "Cargo.toml")
        if start is None:
            raise _StopError(f"there is no Cargo.toml in or above `{directory}`")
        root = self._root(start)
        workspace = self._read(root)
        if workspace.package is not None:
            self._package(root, root)
        for member in self._members(root, workspace):
            self._package(member, root)
        if start != root:
            self._package(start, root)
        for patch in workspace.patches:
            self._local(root, root, patch)
        lock_path = join(root, "Cargo.lock")
        lock = None
        if self._is_file(lock_path):
            try:
                lock = _lock_file(self._bytes(lock_path))
            except ManifestError as error:
                raise _StopError(error.message, lock_path, error.line) from None
        ordered = [join(root, "Cargo.toml"), *(p for p in self.manifests if p != join(root, "Cargo.toml"))]
        return Project(
            root,
            tuple(ordered),
            tuple(self.manifests[path] for path in ordered),
            lock_path,
            lock,
            tuple(dict.fromkeys(self.sources)),
            tuple(self._configs(directory, root, cargo_home)),
            self._toolchain(directory, root),
            tuple(self.absent),
            self.assumed,
        )

    # -- looking at the image ----------------------------------------------------------------------------------------

    def _is_file(self, path: str) -> bool:
        kind = self.view.kind(path)
        if kind == "unknown" and _is_in_usr(path):
            self.assumed = True
            return False
        if kind == "unknown":
            raise _StopError(f"it is not certain whether `{path}` exists", path)
        if kind != "file":
            self.absent[path] = None
        return kind == "file"

    def _bytes(self, path: str) -> bytes:
        data = self.view.read_context(path)
        if data is None:
            raise _StopError(f"`{path}` does not surely come from the build context", path)
        return data

    def _read(self, directory: str) -> Manifest:
        path = join(directory, "Cargo.toml")
        if path not in self.manifests:
            if len(self.manifests) >= _MOST_PACKAGES:
                raise _StopError(f"there are more than {_MOST_PACKAGES} packages", path)
            try:
                self.manifests[path] = _manifest(self._bytes(path))
            except ManifestError as error:
                raise _StopError(error.message, path, error.line) from None
        return self.manifests[path]

    def _ancestors(self, directory: str) -> Iterator[str]:
        while True:
            yield directory
            if directory == "/":
                return
            directory = posixpath.dirname(directory)

    def _upward(self, directory: str, name: str) -> str | None:
        return next((d for d in self._ancestors(directory) if self._is_file(join(d, name))), None)

    # -- workspaces --------------------------------------------------------------------------------------------------

    def _root(self, directory: str) -> str:
        """Return the root of the workspace of a package (`find_workspace_root`), or the package itself."""
        manifest = self._read(directory)
        if manifest.workspace is not None:
            return directory
        if manifest.root is not None:
            root = join(directory, manifest.root)
            if not self._is_file(join(root, "Cargo.toml")):
                raise _StopError(
                    f"`workspace` leads to `{root}`, which has no Cargo.toml", join(directory, "Cargo.toml")
                )
            return root
        for above in self._ancestors(posixpath.dirname(directory)):
            if directory == "/" or not self._is_file(join(above, "Cargo.toml")):
                continue
            workspace = self._read(above).workspace
            if workspace is None:
                raise _StopError(
                    f"a package lies in another one, `{above}`, which is no workspace", join(above, "Cargo.toml")
                )
            excluded = any(below(directory, join(above, path)) for path in workspace.exclude)
            if not excluded or any(below(directory, join(above, path)) for path in workspace.members):
                return above
            raise _StopError(f"the workspace `{above}` excludes the package", join(above, "Cargo.toml"))
        return directory

    def _members(self, root: str, manifest: Manifest) -> Iterator[str]:
        if manifest.workspace is None:
            return
        for pattern in manifest.workspace.members:
            place = join(root, "Cargo.toml")
            line = line_of(self.view.read_context(place) or b"", f'"{pattern}"')
            wild = any(char in pattern for char in "*?[")
            if not wild:
                member = join(root, pattern)
                if not self._is_file(join(member, "Cargo.toml")):
                    raise _StopError(f"the member `{pattern}` has no Cargo.toml in the image", place, line)
                yield member
                continue
            if "**" in pattern or pattern.startswith("/") or ".." in pattern.split("/"):
                raise _StopError(f"members by the pattern `{pattern}` are not followed", place, line)
            for member in self._matching(root, pattern.strip("/").split("/"), place, line):
                if self.view.kind(member) == "file" or any(
                    below(member, join(root, e)) for e in manifest.workspace.exclude
                ):
                    continue
                if not self._is_file(join(member, "Cargo.toml")):
                    raise _StopError(
                        f"`{relative(member, root)}`, a member by `{pattern}`, has no Cargo.toml in the image",
                        place,
                        line,
                    )
                yield member

    def _matching(self, directory: str, parts: list[str], place: str, line: int) -> Iterator[str]:
        """Yield what a pattern selects (the crate `glob`: `*` does not stop at a leading dot)."""
        head, rest = parts[0], parts[1:]
        if not any(char in head for char in "*?["):
            names: tuple[str, ...] = (head,) if self.view.kind(join(directory, head)) != "absent" else ()
        else:
            listed = self.view.listing(directory)
            if listed is None:
                raise _StopError(
                    f"what lies in `{directory}`, and so which members there are, is not certain", place, line
                )
            names = tuple(name for name in listed if fnmatchcase(name, head))
        for name in names:
            path = join(directory, name)
            kind = self.view.kind(path)
            if not rest:
                yield path
            elif kind == "unknown":
                raise _StopError(f"what lies in `{path}`, and so which members there are, is not certain", place, line)
            elif kind == "directory":
                yield from self._matching(path, rest, place, line)

    # -- packages ----------------------------------------------------------------------------------------------------

    def _package(self, directory: str, root: str) -> None:
        """Take in a package and the packages of directories that it depends on."""
        if directory in self.done:
            return
        self.done.add(directory)
        manifest = self._read(directory)
        self._targets(directory, manifest)
        shared = self._read(root).workspace
        for dependency in manifest.paths:
            self._local(directory, root, dependency)
        for dependency in shared.dependencies if shared is not None else ():
            if dependency.name in manifest.inherited:
                self._local(root, root, dependency)

    def _local(self, directory: str, root: str, dependency: PathDependency) -> None:
        target = join(directory, dependency.path)
        if not self._is_file(join(target, "Cargo.toml")):
            reason = f'`{dependency.name} = {{ path = "{dependency.path}" }}` leads to a directory without a Cargo.toml in the image'
            raise _StopError(reason, join(directory, "Cargo.toml"), dependency.line)
        manifest = self._read(target)
        if not below(target, root) and (manifest.inherits or manifest.inherited) and manifest.workspace is None:
            raise _StopError(f"`{target}` takes settings from another workspace", join(target, "Cargo.toml"))
        self._package(target, root)

    def _targets(self, directory: str, manifest: Manifest) -> None:
        if manifest.package is None:
            return
        place = join(directory, "Cargo.toml")
        for places in manifest.wanted:
            self._one_of(directory, places, place)
        if not manifest.has_target:
            found = next((p for p in manifest.markers if self._is_file(join(directory, p))), None)
            found = found or (self._discovered(directory) if manifest.discovered else None)
            if found is None:
                raise _StopError(f"the package `{manifest.package}` has no target in the image", place)
            self.sources.append((place, join(directory, found)))

    def _one_of(self, directory: str, places: tuple[str, ...], manifest: str) -> None:
        found = next((path for path in places if self._is_file(join(directory, path))), None)
        if found is None:
            raise _StopError(f"there is no `{places[0]}` in the image, which it declares", manifest)
        self.sources.append((manifest, join(directory, found)))

    def _discovered(self, directory: str) -> str | None:
        """Return a program that cargo finds in `src/bin`."""
        where = join(directory, "src/bin")
        for name in self.view.listing(where) or ():
            if name.endswith(".rs") and self._is_file(join(where, name)):
                return f"src/bin/{name}"
            if self.view.kind(join(where, name)) == "directory" and self._is_file(join(where, f"{name}/main.rs")):
                return f"src/bin/{name}/main.rs"
        return None

    # -- settings ----------------------------------------------------------------------------------------------------

    def _configs(self, directory: str, root: str, cargo_home: str | None) -> Iterator[tuple[str, Config]]:
        homes = [join(above, ".cargo") for above in self._ancestors(directory)]
        for place in dict.fromkeys((*homes, *((cargo_home,) if cargo_home else ()))):
            name = next((name for name in CONFIG_NAMES if self._is_file(join(place, name))), None)
            if name is None:
                continue
            path = join(place, name)
            if below(place, root) and posixpath.dirname(place) != root:
                raise _StopError("settings of cargo that hold in a part of the workspace only", path)
            try:
                config = parse_config(self._bytes(path))
            except ManifestError as error:
                raise _StopError(error.message, path, error.line) from None
            if config.other is not None:
                raise _StopError(f"`{config.other}` in the settings of cargo is not followed", path, config.other_line)
            yield path, config

    def _toolchain(self, directory: str, root: str) -> tuple[str, Toolchain] | None:
        for above in self._ancestors(directory):
            for name in TOOLCHAIN_NAMES:
                path = join(above, name)
                if not self._is_file(path):
                    continue
                if above != root and below(above, root):
                    raise _StopError("a toolchain that holds in a part of the workspace only", path)
                try:
                    return path, parse_toolchain(self._bytes(path))
                except ManifestError as error:
                    raise _StopError(error.message, path, error.line) from None
        return None
