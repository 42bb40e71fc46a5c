"""An image for models of the `go` command, and a context for its readers, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockopt.optimizer.commands import Invocation, effects_of
from dockopt.optimizer.effects import Effects

#: what the official `golang` image sets; None is known to be unset
GOLANG: Mapping[str, str | None] = {
    "PATH": "/go/bin:/usr/local/go/bin:/usr/bin:/bin", "HOME": "/root", "GOPATH": "/go", "CGO_ENABLED": "0", "GOMODCACHE": None,
    "GOFLAGS": None, "GOCACHE": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None, "GOENV": None, "GO111MODULE": None, "GOWORK": None,
    "GOPROXY": None, "GOBIN": None, "CC": None, "CXX": None,
}  # fmt: skip


def directories_of(paths: Mapping[str, object]) -> set[str]:
    found = {"/"}
    for path in paths:
        parts = path.strip("/").split("/") if not path.endswith("/") else [*path.strip("/").split("/"), ""]
        found |= {"/" + "/".join(parts[:end]) for end in range(1, len(parts))}
    return found


@dataclass
class Image:
    """An image whose files all come from the context, or of which some paths are not known."""

    files: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = "/src"
    user: str | None = "root"
    environment: Mapping[str, str | None] = field(default_factory=lambda: GOLANG)
    project_roots: tuple[str, ...] = ("/src",)
    online: bool = True
    unknown: frozenset[str] = frozenset()

    def variable(self, name: str) -> tuple[bool, str | None]:
        return (True, self.environment[name]) if name in self.environment else (False, None)

    def kind(self, path: str) -> str:
        if path in self.unknown:
            return "unknown"
        if path in self.files:
            return "file"
        return "directory" if path in directories_of(self.files) else "absent"

    def context_path(self, path: str) -> str | None:
        return path.lstrip("/") if path in self.files and path not in self.unknown else None

    def read_context(self, path: str) -> bytes | None:
        return self.files[path].encode() if self.context_path(path) is not None else None


def effects(line: str, image: Image) -> Effects:
    """Return the effects of a command; a word that starts with `?` is not known before the build, and written like the rest."""
    words = line.split()
    argv = tuple(None if word.startswith("?") else word for word in words)
    return effects_of(Invocation(argv, tuple(word.removeprefix("?") for word in words)), image)


def writes(found: Effects) -> list[str]:
    """Return the writes of known effects in short: `set /app/x`."""
    assert found.unknown is None, found.unknown
    return [f"{write.kind.value} {write.region}" for write in found.writes]


class Context:
    """A build context in memory; directories that are there without a file of their own end in `/`."""

    def __init__(self, files: Mapping[str, str], unknown: frozenset[str] = frozenset()) -> None:
        self.files = {name: text for name, text in files.items() if not name.endswith("/")}
        self.directories = {
            path.lstrip("/") for path in directories_of({"/" + name: text for name, text in files.items()})
        }
        self.uncertain = unknown

    def kind(self, rel: str) -> Kind:
        if rel in self.uncertain:
            return Kind("OTHER")
        return Kind("FILE" if rel in self.files else "DIR" if rel in self.directories else "ABSENT")

    def read(self, rel: str) -> bytes:
        if rel not in self.files:
            raise OSError(f"`{rel}` cannot be read")
        return self.files[rel].encode()


@dataclass
class Kind:
    """A kind by its name, as `project.ContextView` asks for it."""

    name: str
