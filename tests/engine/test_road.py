"""The road of `docs/go.md` on an engine: the program says the same at its end as at its beginning, as another user.

`distroless` is a stand-in of the same kind here; the program is linked statically and needs nothing of it.
"""

from __future__ import annotations

import pytest

from benchmarks.road import ROAD, STEPS, size_of
from tests.engine.engine import Engine

BASES = ("golang:latest", "golang:1.26", "gcr.io/distroless/static-debian13")


@pytest.mark.engine
def test_the_program_is_the_same_at_both_ends_of_the_road(warm_engine: Engine) -> None:
    for base in BASES:
        if not warm_engine.has(base):
            pytest.skip(f"needs the base image {base}")
    warm = next(iter(warm_engine.bases.values()))
    with Engine(bases={base: warm for base in BASES if base.startswith("golang:")}) as engine:
        _walk(engine)


def _walk(engine: Engine) -> None:
    said, sizes = [], []
    for stop in (STEPS[0], STEPS[-1]):
        tag = engine.tag(f"road-{stop.name}")
        result = engine.build(stop.dockerfile.read_bytes(), ROAD, tag=tag)
        assert result.ok, result.log
        user, *page = engine.run(tag, "/app/server", "-once").splitlines()
        said.append(page)
        sizes.append((user, size_of(tag)))
    assert said[0] == said[1] == ["<p>Visit 0, by nobody.</p>"]
    assert [user for user, _ in sizes] == ["user 0", "user 65532"]
    assert sizes[0][1] > 20 * sizes[1][1]
