"""A project with caches of its own for the real `go` command, and a module proxy in a folder."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.syntax.oracle_client import find_go

#: one version of a module: its path and its files
Module = tuple[str, Mapping[str, str]]
VERSION = "v1.0.0"


def digest(files: Mapping[str, str]) -> str:
    """The hash `h1:` of go.sum (golang.org/x/mod/sumdb/dirhash, Hash1)."""
    lines = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(files.items()))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


def content_sum(module: Module, version: str = VERSION) -> str:
    """The line of go.sum for the files of a module."""
    path, files = module
    return f"{path} {version} {digest({f'{path}@{version}/{name}': text for name, text in files.items()})}\n"


def manifest_sum(module: Module, version: str = VERSION) -> str:
    """The line of go.sum for the go.mod of a module."""
    path, files = module
    return f"{path} {version}/go.mod {digest({'go.mod': files['go.mod']})}\n"


def sums(*modules: Module) -> str:
    """A complete go.sum."""
    return "".join(sorted(line(module) for module in modules for line in (content_sum, manifest_sum)))


def publish(proxy: Path, module: Module, version: str = VERSION) -> None:
    """Add a module to a proxy (Go Modules Reference, GOPROXY protocol)."""
    path, files = module
    versions = proxy / path / "@v"
    versions.mkdir(parents=True, exist_ok=True)
    with (versions / "list").open("a") as known:
        known.write(version + "\n")
    (versions / f"{version}.info").write_text(f'{{"Version": "{version}"}}')
    (versions / f"{version}.mod").write_text(files["go.mod"])
    with zipfile.ZipFile(versions / f"{version}.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{path}@{version}/{name}", text)


class Project:
    """A folder in which the go command runs, offline but for the proxy; HOME is the folder above."""

    def __init__(self, home: Path, *modules: Module) -> None:
        go = find_go()
        assert go is not None
        self._go = go
        self.home, self.folder, self.cache = home, home / "app", home / "cache"
        self.folder.mkdir()
        for module in modules:
            publish(home / "proxy", module)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "GOPROXY": (home / "proxy").as_uri(), "GONOSUMDB": "*", "GOTOOLCHAIN": "local",
            "GOFLAGS": "-modcacherw", "GOMODCACHE": str(self.cache), "GOPATH": str(home / "go"), "GOCACHE": str(home.parent / "build"),
            "CGO_ENABLED": "0",
        }  # fmt: skip

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)

    def read(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_text() if path.exists() else None

    def go(self, *arguments: str, directory: str = ".", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._go, *arguments],
            cwd=self.folder / directory,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def runs(self, *arguments: str, directory: str = ".", **environment: str) -> bool:
        return self.go(*arguments, directory=directory, **environment).returncode == 0

    def has(self, module: Module) -> bool:
        """Tell whether the files of a module are in the cache."""
        return (self.cache / f"{module[0]}@{VERSION}" / "go.mod").exists()

    def snapshot(self) -> dict[str, bytes]:
        """Return all files of the project."""
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in sorted(self.folder.rglob("*")) if p.is_file()}
