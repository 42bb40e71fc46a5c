"""What the sources of a Python program need of their image."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.ecosystems.python.runtime_sources import serves_files, troubles
from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.runtime_files import Brought


def context(folder: Path, text: str, name: str) -> tuple[FrozenContext, tuple[Brought, ...]]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return FrozenContext(BuildContext(folder, None)), (Brought(f"/app/{name}", name, 1),)


def trouble(folder: Path, text: str, name: str = "shop.py") -> str | None:
    made, brought = context(folder, text, name)
    return next((found.reason for found in troubles(made, brought, "/app")), None)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("from subprocess import run", "starts other programs"),
        ("os.system('x')", "starts other programs"),
        ("from ctypes.util import find_library", "loads libraries"),
        ("import tkinter as tk", "needs Tk"),
        ("os.environ['REQUESTS_CA_BUNDLE']", "certificates"),
        ("open('/usr/share/dict/words')", "/usr/share/dict/words"),
    ],
)
def test_what_the_image_has_to_have(tmp_path: Path, text: str, word: str) -> None:
    assert word in (trouble(tmp_path, text) or "")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("# import subprocess", "shop.py"),
        ("import subprocess", "tests/test_shop.py"),
        ("open('/app/usr/bin/x')", "shop.py"),
        ('"""Reads /usr/share/dict/words."""', "shop.py"),
        ("import subprocess", "README.md"),
    ],
)
def test_what_it_has_to_have_is_none_of_tests_and_comments(tmp_path: Path, text: str, name: str) -> None:
    assert trouble(tmp_path, text, name) is None


@pytest.mark.parametrize("name", ["fast.so", "fast.c", "fast.pyx"])
def test_a_library_is_told_by_its_name(tmp_path: Path, name: str) -> None:
    assert "library for one system" in (trouble(tmp_path, "", name) or "")


def test_files_that_are_served(tmp_path: Path) -> None:
    assert serves_files(*context(tmp_path, "return send_file(path)", "shop.py"))
    assert not serves_files(*context(tmp_path, "return text", "shop.py"))
