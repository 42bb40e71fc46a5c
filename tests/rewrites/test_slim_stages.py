"""A program gets a slim image only where all that is copied could be looked at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from dockopt.optimizer import runtime_files
from dockopt.optimizer.engine import Options, analyze

CASES = Path(__file__).parents[2] / "fixtures" / "multi-stage"


@pytest.mark.parametrize("name", ["node-without-a-build", "python-service"])
def test_sources_that_cannot_be_listed_are_a_reason_to_refuse(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(CASES / name, tmp_path, dirs_exist_ok=True)
    chosen = frozenset({"multi-stage"})
    path = tmp_path / "Dockerfile"
    options = Options(context=tmp_path, select=chosen, named=chosen)
    assert analyze(path, path.read_bytes(), options).changes
    monkeypatch.setattr(runtime_files, "_MOST_FILES", 1)
    told = analyze(path, path.read_bytes(), options)
    assert not told.changes
    assert ["cannot be listed" in refusal.reason for refusal in told.refusals] == [True]
