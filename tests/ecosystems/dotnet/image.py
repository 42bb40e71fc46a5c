"""An image for models of `dotnet`, in memory: all of its files come from the context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockopt.optimizer.commands import Invocation, effects_of
from dockopt.optimizer.effects import Effects
from dockopt.optimizer.regions import below

PROJECT = '<Project Sdk="Microsoft.NET.Sdk">{}</Project>'


def project(body: str = "") -> str:
    return PROJECT.format(body)


@dataclass
class Image:
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    cwd: str | None = "/src"
    user: str | None = "root"
    environment: Mapping[str, str | None] = field(default_factory=dict)
    project_roots: tuple[str, ...] = ("/src",)
    online: bool = True
    unknown: frozenset[str] = frozenset()

    def variable(self, name: str) -> tuple[bool, str | None]:
        return True, self.environment.get(name)

    def kind(self, path: str) -> str:
        if path in self.unknown:
            return "unknown"
        if path in self.files:
            return "file"
        return "directory" if path == "/" or any(below(file, path) for file in self.files) else "absent"

    placed = kind

    def listing(self, path: str) -> tuple[str, ...] | None:
        start = path.rstrip("/") + "/"
        return tuple(sorted({file[len(start) :].split("/")[0] for file in self.files if file.startswith(start)}))

    def kept_out(self, path: str) -> bool:
        return True

    def context_path(self, path: str) -> str | None:
        return path.lstrip("/") if path in self.files and path not in self.unknown else None

    def read_context(self, path: str) -> bytes | None:
        found = self.files.get(path)
        return found.encode() if isinstance(found, str) else found


def effects(line: str, image: Image) -> Effects:
    """Return the effects of a command; a word that starts with `?` is not known before the build."""
    words = line.split()
    argv = tuple(None if word.startswith("?") else word for word in words)
    return effects_of(Invocation(argv, tuple(word.removeprefix("?") for word in words)), image)


def restored(files: Mapping[str, str | bytes], line: str = "dotnet restore") -> Effects:
    """Return the effects of a restore over files of /src; it has to be understood."""
    found = effects(line, Image({f"/src/{path}": text for path, text in files.items()}))
    assert found.unknown is None, found.unknown
    return found


def refused(files: Mapping[str, str | bytes], line: str = "dotnet restore") -> str:
    """Return why a restore over files of /src is not understood."""
    found = effects(line, Image({f"/src/{path}": text for path, text in files.items()}))
    assert found.unknown is not None
    return found.unknown


def read_files(found: Effects) -> set[str]:
    """Return the files of /src that exist and are read."""
    return {path.removeprefix("src/") for path in found.relied_on}
