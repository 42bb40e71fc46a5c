"""What `docs/ecosystems/rust.md` says of cargo, done by the real tool, without a network.

For many small projects cargo and `project_at` have to agree whether the manifests can be read; and then a directory with
nothing but the files that `project_at` names has to do as well, and to fail without any of its sources.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.rust.project import Project, project_at

from tests.ecosystems.rust.images import PACKAGE

MAIN = {"src/main.rs": "not Rust at all {"}
LIB = '[package]\nname = "{}"\nversion = "0.1.0"\nedition = "2021"\n'
SWITCHES = {
    "nothing": {},
    "main": MAIN,
    "lib": {"src/lib.rs": ""},
    "both": {**MAIN, "src/lib.rs": ""},
    "src-bin": {"src/bin/x.rs": ""},
    "src-bin-directory": {"src/bin/x/main.rs": ""},
    "only-a-module": {"src/x.rs": ""},
}
TARGETS = {
    "none": "",
    "lib": "[lib]\n",
    "lib-with-path": '[lib]\npath = "a.rs"\n',
    "bin": '[[bin]]\nname = "app"\n',
    "bin-of-another-name": '[[bin]]\nname = "x"\n',
    "bin-with-path": '[[bin]]\nname = "y"\npath = "y.rs"\n',
    "test": '[[test]]\nname = "t"\n',
    "bench-with-path": '[[bench]]\nname = "t"\npath = "t.rs"\n',
    "no-autobins": "__PACKAGE__autobins = false\n",
    "no-autolib": "__PACKAGE__autolib = false\n",
    "links": '__PACKAGE__links = "z"\n',
    "build": '__PACKAGE__build = "nowhere.rs"\n',
    "readme": '__PACKAGE__readme = "nowhere.md"\nlicense-file = "nowhere"\n',
    "default-run": '__PACKAGE__default-run = "x"\n',
}
WORKSPACES: dict[str, dict[str, str]] = {
    "members": {
        "Cargo.toml": '[workspace]\nmembers = ["a", "crates/*"]\nresolver = "2"\n',
        "a/Cargo.toml": LIB.format("a") + '[dependencies]\nb = { path = "../crates/b" }\n',
        "a/src/lib.rs": "",
        "crates/b/Cargo.toml": LIB.format("b"),
        "crates/b/src/main.rs": "",
        "crates/b/src/lib.rs": "",
        "crates/notes.txt": "",
    },
    "hidden-member-without-manifest": {
        "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n',
        "crates/b/Cargo.toml": LIB.format("b"),
        "crates/b/src/lib.rs": "",
        "crates/.cache/x": "",
    },
    "missing-member": {"Cargo.toml": '[workspace]\nmembers = ["a"]\nresolver = "2"\n'},
    "excluded-directory": {
        "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nexclude = ["crates/x"]\nresolver = "2"\n',
        "crates/b/Cargo.toml": LIB.format("b"),
        "crates/b/src/lib.rs": "",
        "crates/x/y": "",
    },
    "inherited-path": {
        "Cargo.toml": '[workspace]\nmembers = ["a"]\nresolver = "2"\n[workspace.dependencies]\nb = { path = "b" }\nc = { path = "c" }\n',
        "a/Cargo.toml": LIB.format("a") + "[dependencies]\nb.workspace = true\n",
        "a/src/lib.rs": "",
        "b/Cargo.toml": LIB.format("b"),
        "b/src/lib.rs": "",
    },
    "path-without-manifest": {
        "Cargo.toml": PACKAGE + '[dependencies]\na = { path = "a" }\n',
        **MAIN,
        "a/src/lib.rs": "",
    },
    "optional-path-of-a-platform": {
        "Cargo.toml": PACKAGE + "[target.'cfg(windows)'.dev-dependencies]\na = { path = \"a\" }\n",
        **MAIN,
        "a/Cargo.toml": LIB.format("a"),
        "a/src/lib.rs": "",
    },
}
CASES = {
    **{
        f"{target}-{switch}": {
            "Cargo.toml": PACKAGE + text.replace("__PACKAGE__", "") if "__PACKAGE__" in text else f"{PACKAGE}\n{text}",
            **files,
        }
        for target, text in TARGETS.items()
        for switch, files in SWITCHES.items()
        if target == "none" or switch in ("nothing", "main", "src-bin")
    },
    **WORKSPACES,
}


class Folder:
    """A folder as the view of `project_at`; the root of the view is the folder, with its own absolute path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def kind(self, path: str) -> str:
        place = Path(path)
        return "file" if place.is_file() else "directory" if place.is_dir() else "absent"

    def listing(self, path: str) -> tuple[str, ...] | None:
        return tuple(sorted(entry.name for entry in Path(path).iterdir())) if Path(path).is_dir() else ()

    def read_context(self, path: str) -> bytes | None:
        return Path(path).read_bytes() if Path(path).is_file() else None


@pytest.fixture(scope="module")
def cargo() -> list[str]:
    """The command by which cargo itself, not rustup, is started."""
    found = shutil.which("cargo")
    if found is None:
        pytest.skip("needs cargo")
    asked = None
    if shutil.which("rustup") is not None:
        asked = subprocess.run(["rustup", "which", "cargo"], capture_output=True, text=True, check=False)
    return [asked.stdout.strip() if asked is not None and asked.returncode == 0 else found]


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def fetch(cargo: list[str], root: Path, home: Path, *options: str) -> bool:
    environment = {**os.environ, "CARGO_HOME": str(home), "CARGO_TERM_COLOR": "never", "CARGO_NET_OFFLINE": "false"}
    done = subprocess.run([*cargo, "fetch", *options], cwd=root, env=environment, capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("name", CASES)
def test_cargo_and_the_model_agree_on_what_has_to_be_there(name: str, cargo: list[str], tmp_path: Path) -> None:
    root, home = tmp_path / "project", tmp_path / "home"
    write(root, CASES[name])
    found = project_at(Folder(root), str(root))
    works = fetch(cargo, root, home)
    if not works:
        assert not isinstance(found, Project), "cargo refuses it, and the model does not"
        return
    assert isinstance(found, Project), f"cargo takes it, and the model says {found}"
    few = tmp_path / "few"
    for path in found.files:
        target = few / Path(path).relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    assert fetch(cargo, few, home)
    for _, source in found.sources[:2]:
        (few / Path(source).relative_to(root)).unlink()
        assert not fetch(cargo, few, home), f"it does without {source}"


@pytest.fixture
def project(cargo: list[str], tmp_path: Path) -> Path:
    """A package that needs another one from a git repository, so that something has to be fetched."""
    words = tmp_path / "words"
    write(words, {"Cargo.toml": LIB.format("words"), "src/lib.rs": ""})
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "words"]):
        subprocess.run(["git", *command], cwd=words, check=True)
    root = tmp_path / "project"
    write(
        root,
        {"Cargo.toml": PACKAGE + f'[dependencies]\nwords = {{ git = "file://{words}" }}\n', **MAIN, "README.md": "x"},
    )
    assert fetch(cargo, root, tmp_path / "first")
    return root


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def downloaded(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in (home / "git" / "checkouts").rglob("*.toml")}


CHANGES: dict[str, dict[str, str | None]] = {
    "source": {"src/main.rs": "something else"},
    "another-source": {
        "src/lib.rs": "new",
        "src/bin/b.rs": "new",
        "tests/t.rs": "new",
        "benches/b.rs": "new",
        "examples/e.rs": "new",
    },
    "build-script": {"build.rs": 'fn main() { panic!("it ran") }'},
    "readme": {"README.md": None, "LICENSE": "new"},
    "package-below": {"below/Cargo.toml": "this is broken ["},
    "settings-below": {"below/.cargo/config.toml": "broken [", "below/rust-toolchain": "nowhere"},
    "hidden": {".env": "x", ".git/HEAD": "x"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_files_do_not_matter(name: str, cargo: list[str], project: Path, tmp_path: Path) -> None:
    assert fetch(cargo, project, tmp_path / "before", "--locked")
    write(project, {path: text for path, text in CHANGES[name].items() if text is not None})
    for path in (path for path, text in CHANGES[name].items() if text is None):
        (project / path).unlink()
    files = snapshot(project)
    assert fetch(cargo, project, tmp_path / "after", "--locked")
    assert downloaded(tmp_path / "after") == downloaded(tmp_path / "before") != set()
    assert snapshot(project) == files, "it wrote to the project"
    written = {path.name for path in (tmp_path / "after").iterdir()}
    assert written <= {"registry", "git", ".package-cache", ".package-cache-mutate", ".global-cache"}


def test_what_the_model_counts_does_matter(cargo: list[str], project: Path, tmp_path: Path) -> None:
    broken = {"Cargo.toml": "[", "Cargo.lock": "[", ".cargo/config.toml": "["}
    for name, text in broken.items():
        before = (project / name).read_text() if (project / name).exists() else None
        write(project, {name: text})
        assert not fetch(cargo, project, tmp_path / "home", "--locked"), name
        if before is None:
            (project / name).unlink()
        else:
            write(project, {name: before})
    assert fetch(cargo, project, tmp_path / "home", "--locked")


def test_a_target_directory_that_is_there_gets_facts_of_the_compiler(
    cargo: list[str], project: Path, tmp_path: Path
) -> None:
    (project / "target").mkdir()
    assert fetch(cargo, project, tmp_path / "home", "--locked")
    assert [path.name for path in (project / "target").iterdir()] == [".rustc_info.json"]


def test_newer_content_with_an_older_time_is_not_compiled(cargo: list[str], tmp_path: Path) -> None:
    """Why a mount over `target` cannot be proven to keep the image."""
    write(tmp_path, {"Cargo.toml": PACKAGE, "src/main.rs": 'fn main() { println!("old") }'})
    environment = {**os.environ, "CARGO_HOME": str(tmp_path / "home"), "CARGO_TARGET_DIR": str(tmp_path / "target")}

    def built() -> str:
        subprocess.run([*cargo, "build", "-q"], cwd=tmp_path, env=environment, check=True)
        return subprocess.run(
            [tmp_path / "target/debug/app"], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert built() == "old"
    write(tmp_path, {"src/main.rs": 'fn main() { println!("new") }'})
    os.utime(tmp_path / "src/main.rs", (1_000_000_000, 1_000_000_000))
    assert built() == "old"
    os.utime(tmp_path / "src/main.rs")
    assert built() == "new"
