"""What the sources and the lock file of a Rust program say of the image that it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.ecosystems.rust.linking import linked
from dockopt.optimizer.ecosystems.rust.runtime_sources import RustSources
from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.runtime_files import Brought, Said


def sources(folder: Path, text: str, *, release: bool = True) -> tuple[RustSources, tuple[Brought, ...]]:
    (folder / "src").mkdir()
    (folder / "src/main.rs").write_text(text)
    context = FrozenContext(BuildContext(folder, None))
    return RustSources(context, "/app", release=release), (Brought("/app/src/main.rs", "src/main.rs", 1),)


def said(folder: Path, text: str, *, release: bool = True) -> Said:
    found, brought = sources(folder, text, release=release)
    return found.said(brought)


@pytest.mark.parametrize(
    ("text", "strings"),
    [
        ('let a = "menu.txt";', ["menu.txt"]),
        ('let a = r#"a "quoted" name"#; // "no"', ['a "quoted" name']),
        ('let a = \'"\'; let b = "menu.txt";', ["menu.txt"]),
        ("fn first<'a>(x: &'a str) -> &'a str { x } const B: &str = \"menu.txt\";", ["menu.txt"]),
        ('/* "no" */ let a = b"menu.txt";', ["menu.txt"]),
        (r'let a = "a\"b";', ['a"b']),
        ('let a = include_str!("../menu.txt");', []),
    ],
)
def test_strings(tmp_path: Path, text: str, strings: list[str]) -> None:
    assert [named.text for named in said(tmp_path, text).strings] == strings


@pytest.mark.parametrize(
    ("text", "embedded"),
    [
        ('include_bytes!("../menu.bin")', ("/app/menu.bin",)),
        ('include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/menu.txt"))', ("/app/menu.txt",)),
        ('include_dir!("$CARGO_MANIFEST_DIR/menu")', ("/app/menu",)),
        ('#[folder = "static/"]', ("/app/static",)),
        ('#[template(path = "menu.html")]', ("/app/templates",)),
        ("sqlx::migrate!()", ("/app/migrations",)),
        ('embed_migrations!("steps")', ("/app/steps",)),
    ],
)
def test_what_is_built_in(tmp_path: Path, text: str, embedded: tuple[str, ...]) -> None:
    found = said(tmp_path, text)
    assert (found.embedded, found.questions) == (embedded, ())


def test_a_build_for_development_reads_the_folder_when_it_runs(tmp_path: Path) -> None:
    found = said(tmp_path, '#[folder = "static"]', release=False)
    assert (found.embedded, [named.text for named in found.strings]) == ((), ["static"])


@pytest.mark.parametrize(
    "text",
    ['read_dir(".")', "std::env::current_dir()", 'ServeDir::new("./")', 'env!("CARGO_MANIFEST_DIR")', 'relative!("a")'],
)
def test_what_only_the_author_knows(tmp_path: Path, text: str) -> None:
    (question,) = said(tmp_path, f"\n{text}").questions
    assert (question.file, question.line) == ("src/main.rs", 2)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("std::process::Command::new", True),
        ("use tokio::process::{Child, Command};", True),
        ("use std::process::*;", True),
        ("use std::process::{exit, id};", False),
        ("clap::Command::new", False),
        ('let a = "std::process::Command";', False),
        ("// std::process::Command", False),
        ('#[link(name = "z")]', True),
    ],
)
def test_other_programs_and_libraries(tmp_path: Path, text: str, *, trouble: bool) -> None:
    found, brought = sources(tmp_path, text)
    assert bool(list(found.troubles(brought))) is trouble


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("openssl-sys", True),
        ("onig_sys", True),
        ("pyo3-ffi", True),
        ("pkg-config", True),
        ("libloading", True),
        ("windows-sys", False),
        ("linux-raw-sys", False),
        ("ring", False),
        ("system", False),
    ],
)
def test_packages_that_link_c(name: str, *, library: bool) -> None:
    lock = f'version = 3\n\n[[package]]\nname = "{name}"\nversion = "1.0.0"\n'.encode()
    assert linked(lock).library == ((name, 4) if library else None)
