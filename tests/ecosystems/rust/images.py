"""An image whose files all come from the context, as models and readers of cargo's files see it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

from dockopt.optimizer.commands import Invocation, effects_of
from dockopt.optimizer.effects import Effects

#: what the official `rust` image sets; None is known to be unset
RUST: Mapping[str, str | None] = {
    "PATH": "/usr/local/cargo/bin:/usr/bin:/bin", "HOME": "/root", "CARGO_HOME": "/usr/local/cargo", "RUSTUP_HOME": "/usr/local/rustup",
    "RUST_VERSION": "1.80.1", "CARGO_TARGET_DIR": None, "CARGO_BUILD_TARGET_DIR": None, "CARGO_BUILD_BUILD_DIR": None,
    "CARGO_NET_OFFLINE": None, "CARGO_INSTALL_ROOT": None,
}  # fmt: skip
PACKAGE = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'
LOCK = textwrap.dedent(
    """
    version = 3

    [[package]]
    name = "app"
    version = "0.1.0"
    dependencies = [
     "itoa",
    ]

    [[package]]
    name = "itoa"
    version = "1.0.11"
    source = "registry+https://github.com/rust-lang/crates.io-index"
    """
)


@dataclass
class Image:
    """Files by absolute path; a path in `unknown` is not certain."""

    files: Mapping[str, str]
    cwd: str | None = "/app"
    user: str | None = "root"
    environment: Mapping[str, str | None] = field(default_factory=lambda: RUST)
    project_roots: tuple[str, ...] = ("/app",)
    online: bool = True
    unknown: frozenset[str] = frozenset()

    def variable(self, name: str) -> tuple[bool, str | None]:
        return (True, self.environment[name]) if name in self.environment else (False, None)

    def kind(self, path: str) -> str:
        if path in self.unknown:
            return "unknown"
        if path in self.files:
            return "file"
        return "directory" if any(other.startswith(path.rstrip("/") + "/") for other in self.files) else "absent"

    def listing(self, path: str) -> tuple[str, ...] | None:
        if path in self.unknown:
            return None
        start = path.rstrip("/") + "/"
        return tuple(sorted({p[len(start) :].split("/")[0] for p in self.files if p.startswith(start)}))

    def context_path(self, path: str) -> str | None:
        return path.lstrip("/") if path in self.files and path not in self.unknown else None

    def read_context(self, path: str) -> bytes | None:
        return self.files[path].encode() if self.context_path(path) is not None else None


def effects(line: str, image: Image) -> Effects:
    """Return the effects of a command; a word that starts with `?` is not known before the build."""
    words = line.split()
    argv = tuple(None if word.startswith("?") else word for word in words)
    return effects_of(Invocation(argv, tuple(word.removeprefix("?") for word in words)), image)
