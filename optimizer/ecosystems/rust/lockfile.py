"""Cargo.lock: what a build downloads, and whether the manifests agree with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dockopt.optimizer.ecosystems.rust.manifest import Manifest, ManifestError, line_of, parse_toml


@dataclass(frozen=True, slots=True)
class LockFile:
    """The packages of a lock file."""

    #: (name, version) of packages that lie in the project
    local: frozenset[tuple[str, str]]
    #: name of a package that lies in the project → names of its dependencies
    requires: dict[str, frozenset[str]]
    #: something comes from a registry
    registry: bool
    #: something comes from a git repository
    git: bool

    @property
    def downloads(self) -> bool:
        """Tell whether a build needs anything that is not in the project."""
        return self.registry or self.git

    def agrees(self, manifests: Iterable[Manifest]) -> bool:
        """Tell whether the packages of a project and the names of their dependencies are those of the lock file.

        Version requirements are not compared: that is the printed assumption `crates-lock-current`.
        """
        for manifest in manifests:
            if manifest.package is None:
                continue
            known = self.requires.get(manifest.package)
            if known is None or not manifest.requires | manifest.inherited <= known | {manifest.package}:
                return False
            if manifest.version is not None and (manifest.package, manifest.version) not in self.local:
                return False
        return True


def parse_lock_file(data: bytes) -> LockFile:
    """Read a Cargo.lock of any version (cargo `src/cargo/core/resolver/encode.rs`). Raises ManifestError."""
    toml = parse_toml(data, "Cargo.lock")
    packages = toml.get("package", [])
    if not isinstance(packages, list):
        raise ManifestError("`package` is no array of tables", line_of(data, "package"))
    local: set[tuple[str, str]] = set()
    requires: dict[str, frozenset[str]] = {}
    registry = git = False
    for package in packages:
        name = package.get("name") if isinstance(package, dict) else None
        version = package.get("version") if isinstance(package, dict) else None
        dependencies = package.get("dependencies", []) if isinstance(package, dict) else None
        if not isinstance(name, str) or not isinstance(version, str) or not isinstance(dependencies, list):
            raise ManifestError("a `[[package]]` is not understood", line_of(data, "[[package]]"))
        source = package.get("source")
        if source is None:
            local.add((name, version))
            # `name`, `name version` or `name version (source)`
            requires[name] = frozenset(str(word).split(" ")[0] for word in dependencies)
        elif isinstance(source, str) and source.startswith("git+"):
            git = True
        else:
            registry = True
    return LockFile(frozenset(local), requires, registry, git)
