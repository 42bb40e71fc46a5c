"""The cache keys of `dockopt.optimizer.cachekeys` against BuildKit's own code, for random edits, without a build.

Two steps have to have the same key here if and only if they have the same key there; and the same for what is left of the key where
content may make up for the rest. `DOCKOPT_KEY_PAIRS` sets how many edits are compared (some 150 a second), `--hypothesis-seed` which ones.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from dockopt.optimizer.cachekeys import BaseImage, StepKey, Unpredictable, step_keys
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from tests.soundness.edits import NodesSnapshot, Project, edit, projects
from tests.soundness.keys_oracle import KeysOracle, Step, build
from tests.syntax.oracle_client import find_go

FEW = 400
PAIRS = int(os.environ.get("DOCKOPT_KEY_PAIRS", FEW))
COUNTED: Counter[str] = Counter()
#: what the oracle says of every base image
BASE = BaseImage((("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),))
IMAGES = dict.fromkeys(("busybox", "busybox:latest", "docker.io/library/busybox", "debian:12"), BASE)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeysOracle]:
    """BuildKit's keys, compiled from its own sources; skipped, visibly, where there is no Go."""
    if find_go() is None:
        pytest.skip("needs Go to build BuildKit's cache keys")
    found = KeysOracle(build(tmp_path_factory.mktemp("oracle")))
    yield found
    found.close()
    print(f"\nkeys: {dict(COUNTED)}")


def ours(project: Project, merges: bool) -> list[StepKey]:
    return step_keys(
        parse(project.text().encode()), NodesSnapshot(project.nodes), project.options(IMAGES, merges=merges)
    )


def by_line(steps: Sequence[Step]) -> dict[int, list[Step]]:
    """Return what BuildKit says of each instruction; of a linked COPY, what is copied and not the merge."""
    found: dict[int, list[Step]] = {}
    for step in steps:
        if step.kind != "merge":
            found.setdefault(step.line, []).append(step)
    return found


def pairs_up(text: str, mine: Sequence[StepKey], theirs: Sequence[Step]) -> list[tuple[StepKey, Step]]:
    """Put both answers for an instruction together; the triggers of ONBUILD have the line of the FROM that they follow."""
    stages = parse(text.encode()).stages
    lines = by_line(theirs)
    found = []
    for step in mine:
        stage = stages[step.stage]
        own = any(step.instruction.start_line == other.start_line for other in stage.instructions)
        line = step.instruction.start_line if own else stage.from_.start_line
        there = lines.get(line, [])
        assert there, f"line {line}: there is no such step"
        found.append((step, there.pop(0)))
    left = [step for steps in lines.values() for step in steps]
    assert not left, f"steps that are not predicted: {left}"
    return found


@settings(
    max_examples=PAIRS,
    derandomize=PAIRS == FEW,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    deadline=None,
    print_blob=True,
)
@given(data=st.data())
def test_equal_keys_are_equal_there(oracle: KeysOracle, data: st.DataObject) -> None:
    old = data.draw(projects(spellings=True, nonce="1"))
    new = old.copy()
    merges = data.draw(st.booleans())
    kinds = [
        edit(lambda of: data.draw(st.sampled_from(of)), new, spellings=True)
        for _ in range(data.draw(st.integers(1, 2)))
    ]
    note(
        f"{old.text()}\n{old.build_args} {old.target} merges={merges}\n--- {kinds}\n{new.text()}\n{new.build_args} {new.target}"
    )
    note(f"{sorted(set(old.nodes.items()) ^ set(new.nodes.items()))}")
    both = []
    for project in (old, new):
        theirs = oracle.steps(project, merges=merges)
        try:
            mine = ours(project, merges)
        except (DockerfileSyntaxError, Unpredictable) as error:
            COUNTED["refused by both" if isinstance(theirs, str) else f"unpredictable: {str(error)[:60]}"] += 1
            assume(False)
            raise
        if isinstance(theirs, str):
            COUNTED["fails there"] += 1
            assume(False)
            raise AssertionError
        both += pairs_up(project.text(), mine, theirs)
    COUNTED["edits" if old != new else "edits without a change"] += 1
    COUNTED.update(f"edit: {kind}" for kind in kinds)
    for name in ("key", "hope"):
        seen: dict[str, str] = {}
        back: dict[str, str] = {}
        for mine_, theirs_ in both:
            here, there = getattr(mine_, name), getattr(theirs_, name)
            line = f"{name} of line {mine_.instruction.start_line} `{mine_.instruction.logical[:50]}`"
            assert seen.setdefault(here, there) == there, f"{line}: equal here, not there"
            assert back.setdefault(there, here) == here, f"{line}: equal there, not here"
            COUNTED[name] += 1
