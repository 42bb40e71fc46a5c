"""`apt-hygiene`, `verify --select` and `size` with a real engine and Debian's apt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engine.engine import Engine
from tests.engine.test_verify import start

APT = b"""\
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends tree
RUN apt-get update && apt-get install -y --no-install-recommends less
CMD ["tree", "/etc/apt"]
"""


def run(project: Path, *arguments: str) -> tuple[int, str]:
    process = start(project, *arguments)
    out, err = process.communicate()
    assert err == ""
    return process.returncode, out


@pytest.mark.engine
def test_what_is_left_is_all_that_goes(engine: Engine, tmp_path: Path) -> None:
    assert engine
    (tmp_path / "Dockerfile").write_bytes(APT)
    code, out = run(tmp_path, "verify", "--cache", "--select=apt-hygiene")
    assert code == 0, out
    assert "the images differ in nothing but what is declared" in out
    assert "  apt-hygiene declares: /var/lib/apt/lists\n" in out
    assert " gone\n" in out
    _, measured = run(tmp_path, "size", "--format=json")
    before = json.loads(measured)
    assert any(
        saving["what"].startswith("package lists") and "apt-hygiene" in saving["rewrites"]
        for saving in before["savings"]
    )
    assert before["layers"][0]["base"]
    assert next(layer["line"] for layer in before["layers"] if not layer["base"]) == 2
