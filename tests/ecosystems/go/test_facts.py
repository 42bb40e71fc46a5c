"""What `docs/go-facts.md` says of `go mod download`, done by the real tool with a module proxy in a folder."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.syntax.oracle_client import find_go

LIB = "example.com/lib"
MOD = f"module example.com/app\n\ngo 1.22\n\nrequire {LIB} v1.0.0\n"
FILES = {"go.mod": f"module {LIB}\n\ngo 1.20\n", "lib.go": "package lib\n"}


def digest(files: dict[str, str]) -> str:
    """The hash `h1:` of go.sum (golang.org/x/mod/sumdb/dirhash, Hash1)."""
    lines = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(files.items()))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


ZIPPED = {f"{LIB}@v1.0.0/{name}": text for name, text in FILES.items()}
CONTENT_SUM = f"{LIB} v1.0.0 {digest(ZIPPED)}\n"
MANIFEST_SUM = f"{LIB} v1.0.0/go.mod {digest({'go.mod': FILES['go.mod']})}\n"


class Project:
    """A module in a folder of its own, with its own caches."""

    def __init__(self, folder: Path, proxy: Path) -> None:
        self.folder = folder / "app"
        self.folder.mkdir()
        go = find_go()
        assert go is not None
        self._go = go
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "GOPROXY": proxy.as_uri(), "GONOSUMDB": "*", "GOTOOLCHAIN": "local",
            "GOFLAGS": "-modcacherw", "GOMODCACHE": str(folder / "cache"), "GOPATH": str(folder / "go"), "GOCACHE": str(folder / "build"),
        }  # fmt: skip
        self.write("go.mod", MOD)
        self.write("go.sum", CONTENT_SUM + MANIFEST_SUM)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def read(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_text() if path.exists() else None

    def download(self, directory: str = ".", **environment: str) -> bool:
        done = subprocess.run(
            [self._go, "mod", "download"],
            cwd=self.folder / directory,
            env=self._environment | environment,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    @property
    def has_module(self) -> bool:
        return (Path(self._environment["GOMODCACHE"]) / f"{LIB}@v1.0.0" / "lib.go").exists()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    if find_go() is None:
        pytest.skip("needs Go")
    versions = tmp_path / "proxy" / LIB / "@v"
    versions.mkdir(parents=True)
    (versions / "list").write_text("v1.0.0\n")
    (versions / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (versions / "v1.0.0.mod").write_text(FILES["go.mod"])
    with zipfile.ZipFile(versions / "v1.0.0.zip", "w") as archive:
        for name, text in ZIPPED.items():
            archive.writestr(name, text)
    return Project(tmp_path, tmp_path / "proxy")


def test_only_the_manifests_are_needed(project: Project) -> None:
    before = {name: project.read(name) for name in ("go.mod", "go.sum")}
    assert project.download()
    assert project.has_module
    assert {name: project.read(name) for name in before} == before


def test_sources_do_not_matter(project: Project) -> None:
    project.write("main.go", "this is no Go\n")
    project.write("sub/go.mod", "nor is this\n")
    assert project.download()
    assert project.has_module


def test_a_missing_sum_of_a_manifest_is_added(project: Project) -> None:
    project.write("go.sum", CONTENT_SUM)
    assert project.download()
    assert project.read("go.sum") == CONTENT_SUM + MANIFEST_SUM


def test_a_missing_sum_of_the_content_is_not_added(project: Project) -> None:
    project.write("go.sum", MANIFEST_SUM)
    assert project.download()
    assert project.read("go.sum") == MANIFEST_SUM


def test_a_wrong_sum_is_refused(project: Project) -> None:
    project.write("go.sum", CONTENT_SUM.replace("h1:", "h1:AAAA") + MANIFEST_SUM)
    assert not project.download()


def test_a_missing_go_line_is_added(project: Project) -> None:
    project.write("go.mod", MOD.replace("go 1.22\n\n", ""))
    assert project.download()
    assert "\ngo 1." in (project.read("go.mod") or "")


def test_a_local_replacement_needs_its_go_mod(project: Project) -> None:
    project.write("go.mod", MOD + "\nrequire example.com/x v0.0.0\n\nreplace example.com/x => ./x\n")
    assert not project.download()
    project.write("x/go.mod", "module example.com/x\n\ngo 1.22\n")
    assert project.download()


def test_a_replacement_that_nothing_requires_needs_nothing(project: Project) -> None:
    project.write("go.mod", MOD + "\nreplace example.com/x => ./x\n")
    assert project.download()


def test_a_workspace_needs_the_go_mod_of_each_member(project: Project) -> None:
    project.write("go.work", "go 1.22\n\nuse .\nuse ./y\n")
    assert not project.download()
    project.write("y/go.mod", "module example.com/y\n\ngo 1.22\n")
    assert project.download()


def test_a_workspace_of_a_parent_counts_and_can_be_switched_off(project: Project) -> None:
    (project.folder.parent / "go.work").write_text("go 1.22\n\nuse ./nothing\n")
    assert not project.download()
    assert project.download(GOWORK="off")


def test_a_vendor_directory_does_not_matter(project: Project) -> None:
    project.write("vendor/modules.txt", f"# {LIB} v1.0.0\n## explicit\n{LIB}\n")
    assert project.download()
    assert project.has_module


def test_the_module_is_looked_for_in_the_parents(project: Project) -> None:
    project.write("cmd/x/main.go", "package main\n")
    assert project.download("cmd/x")
    assert project.has_module


def test_a_newer_go_is_demanded(project: Project) -> None:
    project.write("go.mod", MOD.replace("1.22", "1.99"))
    assert not project.download()
