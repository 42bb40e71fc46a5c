"""Whenever the validator says `equal`, both Dockerfiles are built, in a context that agrees on the frozen inputs only, and are equal.

`DOCKOPT_SOUNDNESS_PAIRS` sets how many pairs are built (2000 take about half an hour), `--hypothesis-seed` which ones.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from dockopt.optimizer.context import ContextError
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse
from dockopt.optimizer.validate import validate
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from tests.engine.engine import Engine
from tests.soundness.generator import CONTEXT, MemoryContext, Pair, mutations, pairs, write

FEW = 30
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
    assume(pair.old != pair.new or pair.ignore != pair.new_ignore)
    try:
        old, new = parse(pair.old.encode()), parse(pair.new.encode())
    except DockerfileSyntaxError:
        assume(False)
        raise
    build = Build(old, FrozenContext(MemoryContext(CONTEXT, pair.ignore.encode())))
    changed = build.with_text(new)
    if pair.ignore != pair.new_ignore:
        try:
            changed = changed.with_ignore(pair.new_ignore.encode())
        except ContextError:
            assume(False)
    verdict = validate(build, changed)
    COUNTED[verdict.status] += 1
    assume(verdict.status == "equal")
    nodes = data.draw(mutations({entry.path: entry.state for entry in verdict.frozen}))
    # a name of its own: BuildKit keeps what it got of a context by the name of its directory, and sends differences only
    with tempfile.TemporaryDirectory(prefix="dockopt-context-") as name:
        folder = Path(name)
        write(nodes, folder)
        note(f"{pair.old}\n---\n{pair.new}\n--- {pair.ignore!r} {pair.new_ignore!r} {sorted(nodes)}")
        found = differences(engine, pair, folder, no_cache=False)
        if found:
            # an engine that mixed two contexts up is not what is tested here: a difference has to come again
            COUNTED["seen once"] += 1
            found = differences(engine, pair, folder, no_cache=True)
        assert not found, found[:10]


def differences(engine: Engine, pair: Pair, folder: Path, *, no_cache: bool) -> list[str]:
    """Build both and say how the images differ; nothing where the original does not build."""
    before, after = engine.tag("before"), engine.tag("after")
    try:
        if not engine.build(pair.old.encode(), folder, tag=before, no_cache=no_cache, ignore=pair.ignore.encode()).ok:
            COUNTED["original fails"] += 1
            return []
        second = engine.build(pair.new.encode(), folder, tag=after, no_cache=no_cache, ignore=pair.new_ignore.encode())
        COUNTED["built"] += 1
        return engine.compare(before, after) if second.ok else [f"the second one fails: {second.log[-1500:]}"]
    finally:
        engine.close()
