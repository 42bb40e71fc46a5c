"""Whenever the validator says `equal`, both Dockerfiles are built, in a context that agrees on the frozen inputs only, and are equal.

`DOCKOPT_SOUNDNESS_PAIRS` sets how many pairs are built (2000 take about half an hour), `--hypothesis-seed` which ones.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse
from dockopt.optimizer.validate import validate
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from tests.engine.engine import Engine
from tests.soundness.generator import CONTEXT, MemoryContext, mutations, pairs, write

FEW = 60
PAIRS = int(os.environ.get("DOCKOPT_SOUNDNESS_PAIRS", FEW))
COUNTED: Counter[str] = Counter()


@pytest.fixture(scope="module")
def engine() -> object:
    if why := Engine.missing():
        pytest.skip(f"needs a build engine: {why}")
    with Engine() as found:
        yield found
    print(f"\npairs: {dict(COUNTED)}")


@pytest.mark.engine
@settings(
    max_examples=PAIRS,
    derandomize=PAIRS == FEW,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    deadline=None,
    print_blob=True,
)
@given(data=st.data())
def test_what_is_called_equal_is_equal(engine: Engine, data: st.DataObject) -> None:
    pair = data.draw(pairs())
    assume(pair.old != pair.new)
    try:
        old, new = parse(pair.old.encode()), parse(pair.new.encode())
    except DockerfileSyntaxError:
        assume(False)
        raise
    build = Build(old, FrozenContext(MemoryContext(CONTEXT)))
    verdict = validate(build, build.with_text(new))
    COUNTED[verdict.status] += 1
    assume(verdict.status == "equal")
    nodes = data.draw(mutations({entry.path: entry.state for entry in verdict.frozen}))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "context")
        folder.mkdir()
        write(nodes, folder)
        before, after = engine.tag("before"), engine.tag("after")
        first = engine.build(pair.old.encode(), folder, tag=before)
        if not first.ok:
            COUNTED["original fails"] += 1
            return
        second = engine.build(pair.new.encode(), folder, tag=after)
        note(f"{pair.old}\n---\n{pair.new}\n--- {sorted(nodes)}")
        assert second.ok, second.log[-1500:]
        COUNTED["built"] += 1
        found = engine.compare(before, after)
        engine.close()
        assert not found, found[:10]
