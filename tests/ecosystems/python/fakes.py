"""An image for models of Python's tools, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockopt.optimizer.commands import Invocation, effects_of
from dockopt.optimizer.ecosystems.python.commands import step_of
from dockopt.optimizer.ecosystems.python.step import Step
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle
from dockopt.optimizer.effects import Effects

#: what the official `python` image sets
PYTHON: Mapping[str, str | None] = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@dataclass
class Image:
    """An image whose project lies in /app and comes from the context; all other variables are unset."""

    files: Mapping[str, str | bytes] = field(default_factory=dict)
    cwd: str | None = "/app"
    user: str | None = "root"
    environment: Mapping[str, str | None] = field(default_factory=lambda: PYTHON)
    project_roots: tuple[str, ...] = ("/app",)
    online: bool = True
    #: paths of which nothing is known
    unknown: frozenset[str] = frozenset()
    before: tuple[tuple[str, ...], ...] = ()

    def variable(self, name: str) -> tuple[bool, str | None]:
        return True, self.environment.get(name)

    def assigned(self) -> Mapping[str, str | None]:
        return self.environment

    def kind(self, path: str) -> str:
        if path in self.unknown:
            return "unknown"
        if path in self.files:
            return "file"
        return (
            "directory"
            if any(name.startswith(path.rstrip("/") + "/") for name in self.files) or path == "/app"
            else "absent"
        )

    def listing(self, path: str) -> tuple[str, ...] | None:
        below = path.rstrip("/") + "/"
        return tuple(sorted({name.removeprefix(below).split("/")[0] for name in self.files if name.startswith(below)}))

    def context_path(self, path: str) -> str | None:
        return path.removeprefix("/app/") if path in self.files and path not in self.unknown else None

    def read_context(self, path: str) -> bytes | None:
        if self.context_path(path) is None:
            return None
        text = self.files[path]
        return text if isinstance(text, bytes) else text.encode()

    def may_be_copied(self, path: str) -> str | None:
        return "line 1 `COPY . .`" if path in self.unknown else None

    def earlier(self, program: str) -> tuple[tuple[str, tuple[str | None, ...]], ...]:
        return tuple((" ".join(words), words) for words in self.before if words[0] == program)


def _invocation(line: str) -> Invocation:
    words = line.split()
    argv = tuple(None if word.startswith("?") else word for word in words)
    return Invocation(argv, tuple(word.removeprefix("?") for word in words))


def effects(line: str, image: Image) -> Effects:
    """Return the effects of a command; a word that starts with `?` is not known before the build, and written like the rest."""
    return effects_of(_invocation(line), image)


def step(line: str, image: Image) -> Step:
    """Return what a command does; it has to be one that is modelled."""
    found = step_of(_invocation(line), image)
    assert found is not None
    return found


def obstacle(line: str, image: Image) -> tuple[str, str, int]:
    """Return why a command is not understood, with file and line."""
    try:
        found = step(line, image)
    except Obstacle as reason:
        return reason.reason, reason.path, reason.line
    raise AssertionError(f"{line} is understood: {found}")


def app(files: Mapping[str, str | bytes], **changes: object) -> Image:
    """Return an image with these files in /app."""
    return Image({f"/app/{name}": text for name, text in files.items()}, **changes)  # type: ignore[arg-type]  # names are checked
