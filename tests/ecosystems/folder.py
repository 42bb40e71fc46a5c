"""A folder as the project of an image: what the models of package managers may ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Folder:
    """An image whose `/app` is a folder that was copied as a whole; nothing else is in it."""

    folder: Path
    cwd: str | None = "/app"
    user: str | None = "root"
    environment: Mapping[str, str | None] = field(default_factory=dict)
    project_roots: tuple[str, ...] = ("/app",)
    online: bool = True
    #: paths that the ignore file keeps out; None: all that are asked for
    ignored: frozenset[str] | None = None
    #: command lines that ran before
    before: tuple[str, ...] = ()

    def variable(self, name: str) -> tuple[bool, str | None]:
        return True, self.environment.get(name)

    def assigned(self) -> Mapping[str, str | None]:
        return self.environment

    def earlier(self, program: str) -> tuple[tuple[str, tuple[str | None, ...]], ...]:
        return tuple((line, tuple(line.split())) for line in self.before if line.startswith(f"{program} "))

    def _path(self, path: str) -> Path | None:
        return self.folder / path.removeprefix("/app").lstrip("/") if (path + "/").startswith("/app/") else None

    def kind(self, path: str) -> str:
        found = self._path(path)
        if found is None:
            return "directory" if path in ("/", "/root", "/home/node") else "absent"
        if found.is_symlink():
            return "unknown"
        return "directory" if found.is_dir() else "file" if found.is_file() else "absent"

    placed = kind

    def listing(self, path: str) -> tuple[str, ...] | None:
        found = self._path(path)
        return tuple(sorted(entry.name for entry in found.iterdir())) if found is not None and found.is_dir() else ()

    def kept_out(self, path: str) -> bool:
        return self.ignored is None or path in self.ignored

    def context_path(self, path: str) -> str | None:
        return path.removeprefix("/app/") if self.kind(path) == "file" else None

    def read_context(self, path: str) -> bytes | None:
        found = self._path(path)
        return None if found is None or not found.is_file() else found.read_bytes()


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Make files in a folder and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
