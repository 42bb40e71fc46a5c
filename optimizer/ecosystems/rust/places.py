"""Where cargo and rustup keep things in the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockopt.optimizer.regions import join

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings

#: variables that override `build.target-dir` (The Cargo Book, "Environment Variables")
_TARGET_VARIABLES = ("CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_BUILD_DIR")


@dataclass(frozen=True, slots=True)
class Places:
    """Directories of cargo. Paths are those of the image."""

    cargo_home: str

    @classmethod
    def of(cls, around: Surroundings) -> Places | str:
        """Find them (The Cargo Book, "Cargo Home": CARGO_HOME, else `.cargo` of the home directory); a str says why that fails."""
        known, value = around.variable("CARGO_HOME")
        if not known:
            return "`CARGO_HOME` is not known before the build (the base image may set it)"
        if value:
            return cls(join("/", value)) if value.startswith("/") else "`CARGO_HOME` is not absolute"
        home = around.variable("HOME")[1] or ("/root" if around.user == "root" else None)
        return cls(join(home, ".cargo")) if home else "the user's home, where cargo keeps its downloads, is not known"

    @property
    def downloads(self) -> tuple[str, ...]:
        """What cargo fetches: indices and archives of registries with their content unpacked, and git repositories.

        Every entry is named after what it holds (a version, a commit), archives are checked against Cargo.lock, and no
        modification time of them is looked at for packages that are not of the project (`core/compiler/fingerprint`).
        """
        return f"{self.cargo_home}/registry", f"{self.cargo_home}/git"

    @property
    def owned(self) -> tuple[str, ...]:
        """Return all that cargo keeps for itself: its downloads, locks, and when each of them was last used."""
        names = (".package-cache", ".package-cache-mutate", ".global-cache")
        return tuple(sorted((*self.downloads, *(f"{self.cargo_home}/{name}" for name in names))))

    @staticmethod
    def target(around: Surroundings, root: str, configured: str | None) -> str | None:
        """Return where a build below `root` puts what it makes, None where that is not certain."""
        for name in _TARGET_VARIABLES:
            known, value = around.variable(name)
            if not known:
                return None
            if value:
                return join(around.cwd or "/", value) if name == "CARGO_TARGET_DIR" and around.cwd else None
        return join(root, configured or "target")
