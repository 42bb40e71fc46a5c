from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from dockopt.optimizer.commands import Invocation, effects_of
from dockopt.optimizer.effects import Effects


@dataclass
class FakeSurroundings:
    """An image of which only the named paths are known."""

    cwd: str | None = "/app"
    user: str | None = "root"
    files: frozenset[str] = frozenset()
    directories: frozenset[str] = frozenset({"/", "/app"})
    absent: frozenset[str] = frozenset()
    #: image path → context path
    context: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str | None] = field(
        default_factory=lambda: {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LD_PRELOAD": None,
            "LD_LIBRARY_PATH": None,
            "LD_AUDIT": None,
        }
    )
    project_roots: tuple[str, ...] = ("/app",)
    online: bool = True

    def variable(self, name: str) -> tuple[bool, str | None]:
        return (True, self.environment[name]) if name in self.environment else (False, None)

    def context_path(self, path: str) -> str | None:
        return self.context.get(path)

    def kind(self, path: str) -> str:
        if path in self.files:
            return "file"
        if path in self.directories:
            return "directory"
        return "absent" if path in self.absent else "unknown"

    def read_context(self, path: str) -> bytes | None:
        return None


Ask = Callable[..., Effects]


@pytest.fixture
def ask() -> Ask:
    """Return the effects of a command; a word that starts with `?` is unknown before the build."""

    def effects(line: str, **known: object) -> Effects:
        words = line.split()
        argv = tuple(None if w.startswith("?") else w for w in words)
        around = FakeSurroundings(
            **{k: frozenset(v) if isinstance(v, set) else v for k, v in known.items()}  # type: ignore[arg-type]
        )
        return effects_of(Invocation(argv, tuple(w.removeprefix("?") for w in words)), around)

    return effects


Shown = Callable[[Effects], list[str]]


@pytest.fixture
def writes_of() -> Shown:
    """Return the writes of known effects in short: `set /app/x`."""

    def shown(effects: Effects) -> list[str]:
        assert effects.unknown is None, effects.unknown
        return [f"{w.kind.value} {w.region}" + (f" {w.mode}" if w.mode else "") for w in effects.writes]

    return shown
