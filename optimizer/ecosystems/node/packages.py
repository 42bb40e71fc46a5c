"""package.json: what it says about dependencies, workspaces, scripts and programs (npm's package.json(5))."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.regions import join

_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
#: sections whose packages are installed where they are asked for
INSTALLED_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")
_PROTOCOL = re.compile(r"(file|link|portal|exec|patch|git\+file):")
_LOCAL = re.compile(_PROTOCOL.pattern + r"|\.{1,2}(/|$)|/|~/|[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class Package:
    """One package.json."""

    path: str
    directory: str
    raw: dict[str, Any]

    @property
    def scripts(self) -> dict[str, str]:
        """Return script name → command line."""
        return self._texts("scripts")

    @property
    def dependencies(self) -> dict[str, str]:
        """Return name → what is asked for, of all kinds of dependencies."""
        return {name: spec for section in _SECTIONS for name, spec in self._texts(section).items()}

    def section(self, name: str) -> dict[str, str]:
        """Return one kind of dependencies."""
        return self._texts(name)

    @property
    def package_manager(self) -> str:
        """Return the `packageManager` field, "" without one."""
        found = self.raw.get("packageManager", "")
        return found if isinstance(found, str) else ""

    @property
    def workspace_patterns(self) -> list[str]:
        """Return the patterns of `workspaces`, in either form."""
        found = self.raw.get("workspaces")
        if isinstance(found, dict):
            found = found.get("packages")
        if found is None:
            return []
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise Obstacle("`workspaces` of `package.json` is no list of patterns", self.path)
        return list(found)

    @property
    def programs(self) -> list[str]:
        """Return the files that `bin` and `directories.bin` name."""
        found = self.raw.get("bin")
        files = [found] if isinstance(found, str) else list(found.values()) if isinstance(found, dict) else []
        directories = self.raw.get("directories")
        if isinstance(directories, dict) and isinstance(directories.get("bin"), str) and found is None:
            raise Obstacle("`directories.bin` of `package.json` names every file of a directory", self.path)
        if not all(isinstance(item, str) for item in files):
            raise Obstacle("`bin` of `package.json` is not understood", self.path)
        return files

    def local_specs(self) -> Iterator[tuple[str, str]]:
        """Yield (name, specification) of what is installed from the project's own files, overrides included."""
        for name, spec in self.dependencies.items():
            if _LOCAL.match(spec):
                yield name, spec
        for section in (self.raw.get("overrides"), self.raw.get("resolutions")):
            yield from ((name, spec) for name, spec in _strings(section) if _LOCAL.match(spec))
        # among pnpm's settings there are paths of other files; what is installed has a protocol
        yield from ((name, spec) for name, spec in _strings(self.raw.get("pnpm")) if _PROTOCOL.match(spec))

    def _texts(self, name: str) -> dict[str, str]:
        found = self.raw.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise Obstacle(f"`{name}` of `package.json` is not understood", self.path)
        return dict(found)


def _strings(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner, str(key))


def package_at(view: View, directory: str) -> Package:
    """Return the package in a directory, and note its manifest as one that is read."""
    path = join(directory, "package.json")
    if not view.has(path):
        raise Obstacle(f"`{path}` is not there", path)
    return Package(path, directory, view.json(path))


def line_of_key(view: View, path: str, key: str) -> int:
    """Return the line in which a key stands in a JSON file, 0 where it is not found."""
    found = re.search(rf'"{re.escape(key)}"\s*:', view.text(path))
    return 0 if found is None else view.text(path).count("\n", 0, found.start()) + 1


def is_archive(path: str) -> bool:
    """Tell whether a `file:` dependency is a packed archive."""
    return posixpath.basename(path).endswith((".tgz", ".tar.gz", ".tar"))
