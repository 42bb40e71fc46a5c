"""Why a cache mount over cargo's `target` directory is never called equal, built: it mixes two commits."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest

from tests.engine.engine import Engine

MANIFEST = '[package]\nname = "mixed"\nversion = "0.1.0"\nedition = "2021"\n'


@pytest.mark.engine
def test_a_commit_that_comes_back_gets_the_program_of_another_one(warm_engine: Engine, tmp_path: Path) -> None:
    if not warm_engine.has("rust:1-slim"):
        pytest.skip("the engine has no image rust:1-slim")
    mount = f"--mount=type=cache,id={uuid.uuid4().hex},target=/app/target,sharing=locked"
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text(MANIFEST)

    def built(commit: str, before: str = "") -> str:
        (tmp_path / "src" / "main.rs").write_text(f'fn main() {{ println!("{commit}"); }}\n')
        tag = warm_engine.tag("mixed")
        source = (
            "FROM rust:1-slim AS build\nWORKDIR /app\nCOPY . .\n"
            f"RUN {mount} {before}cargo build -q && cp target/debug/mixed /mixed\n"
            "FROM scratch\nCOPY --from=build /mixed /mixed\n"
        )
        result = warm_engine.build(source.encode(), tmp_path, tag=tag)
        assert result.ok, result.log
        time.sleep(1.1)  # file systems and tar archives may keep whole seconds
        return tag

    mark = uuid.uuid4().hex
    first = built(f"first {mark}")
    second = built(f"second {mark}")
    # the layer of its COPY is reused, with the old times; its RUN is another one, so that it runs
    again = built(f"first {mark}", "true && ")
    assert warm_engine.compare(first, second) != []
    assert warm_engine.compare(second, again) == []
