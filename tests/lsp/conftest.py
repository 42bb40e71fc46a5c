"""A project as users have it, and editors that look at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls", reason="the extra `lsp` is not installed")

from tests.lsp.clients import NEOVIM_0_7
from tests.lsp.editor import Editor

FIXTURES = Path(__file__).parents[2] / "fixtures"
Start = Callable[..., Editor]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A Go service whose Dockerfile can be improved, in a repository of its own."""
    root = tmp_path / "project"
    shutil.copytree(FIXTURES / "examples" / "go-service", root)
    (root / ".git").mkdir()
    return root


@pytest.fixture
def ignoring(tmp_path: Path) -> Path:
    """A Node service whose fix adds to an ignore file."""
    root = tmp_path / "project"
    shutil.copytree(FIXTURES / "split-copy" / "node-modules-get-ignored", root)
    (root / ".git").mkdir()
    return root


@pytest.fixture
def start() -> Iterator[Start]:
    """Start editors; they are gone when the test is."""
    with ExitStack() as stack:

        def begin(root: Path | None, capabilities: dict[str, Any] = NEOVIM_0_7, **more: Any) -> Editor:
            return stack.enter_context(Editor(root, capabilities, **more))

        yield begin
