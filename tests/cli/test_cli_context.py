"""A context is looked at, not walked: its size costs nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.engine import Options, analyze

EXAMPLE = Path(__file__).parents[2] / "fixtures" / "examples" / "go-service"


def test_no_directory_is_listed_below_what_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project)
    (project / "assets" / "deep").mkdir(parents=True)
    (project / "assets" / "deep" / "up").symlink_to("../..")
    listed: list[str] = []
    scandir, listdir = os.scandir, os.listdir

    @contextmanager
    def watched(path: Any = ".") -> Iterator[Iterator[os.DirEntry[str]]]:
        listed.append(os.fspath(path))
        with scandir(path) as entries:
            yield entries

    def listing(path: Any = ".") -> list[str]:
        listed.append(os.fspath(path))
        return listdir(path)

    monkeypatch.setattr(os, "scandir", watched)
    monkeypatch.setattr(os, "listdir", listing)
    source = (project / "Dockerfile").read_bytes()
    report = analyze(project / "Dockerfile", source, Options(context=project))
    assert report.result != source
    assert not [path for path in listed if Path(path).is_relative_to(project / "assets")]


def test_a_link_that_leads_to_itself_is_no_obstacle(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project)
    (project / "loop").symlink_to("loop")
    (project / "up").symlink_to(".")
    source = (project / "Dockerfile").read_bytes()
    assert analyze(project / "Dockerfile", source, Options(context=project)).result != source
    (project / "go.sum").unlink()
    (project / "go.sum").symlink_to("go.sum")
    report = analyze(project / "Dockerfile", source, Options(context=project, select=frozenset({"split-copy"})))
    assert report.result == source
    assert any("go.sum" in refusal.reason for refusal in report.refusals)
