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
from tests.soundness.generator import CONTEXT
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


#: pairs of stages that random edits seldom meet; whether their last steps have one key is BuildKit's to say
HARD = {
    "a variable is set again": ("ENV A=1 B=2\nRUN x", "ENV A=1\nENV B=2\nENV A=1\nRUN x"),
    "two ENV or one": ("ENV A=1 B=2\nRUN x", "ENV A=1\nENV B=2\nRUN x"),
    "order of ENV": ("ENV A=1 B=2\nRUN x", "ENV B=2 A=1\nRUN x"),
    "ARG or ENV": ("ARG A=1\nRUN x", "ENV A=1\nRUN x"),
    "ARG over ENV": ("ENV A=1\nARG A=2\nRUN x", "ENV A=2\nRUN x"),
    "ARG without a value": ("ARG A\nRUN x", "RUN x"),
    "PATH as it was": ("ENV PATH=$PATH\nRUN x", "RUN x"),
    "arguments in a child": ("ARG A=1\nENV B=2\nFROM s AS t\nRUN x", "ENV B=2\nFROM s AS t\nARG A=1\nRUN x"),
    "ENV hidden by ARG in a parent": ("ENV A=1\nARG A=2\nFROM s AS t\nRUN x", "ENV A=1\nFROM s AS t\nRUN x"),
    "order of ENV in a child": ("ENV A=1 B=2\nENV A=3\nFROM s AS t\nRUN x", "ENV A=3 B=2\nFROM s AS t\nRUN x"),
    "shell or exec form": ("RUN x", 'RUN ["/bin/sh", "-c", "x"]'),
    "SHELL": ('SHELL ["/bin/sh", "-e", "-c"]\nRUN x', 'RUN ["/bin/sh", "-e", "-c", "x"]'),
    "USER before COPY": ("USER 5\nCOPY a /a", "COPY a /a"),
    "USER before WORKDIR": ("USER 5\nWORKDIR /x", "WORKDIR /x"),
    "USER root before WORKDIR": ("USER root\nWORKDIR /x", "USER 0\nWORKDIR /x"),
    "destination under WORKDIR": ("WORKDIR /w\nCOPY a b/", "WORKDIR /w\nCOPY a /w/b/"),
    "WORKDIR with a slash": ("WORKDIR /w/\nCOPY a b", "WORKDIR /w\nCOPY a b"),
    "WORKDIR with a slash, RUN": ("WORKDIR /w/\nRUN x", "WORKDIR /w\nRUN x"),
    "WORKDIR /": ("WORKDIR /\nRUN x", "RUN x"),
    "same name and content elsewhere": ("COPY dir/x /y/", "COPY w/x /y/"),
    "order of sources": ("COPY dir/x w/x /y/", "COPY w/x dir/x /y/"),
    "octal modes": ("COPY --chmod=755 a /a", "COPY --chmod=0755 a /a"),
    "names of owners": ("COPY --chown=0:0 a /a", "COPY --chown=root:root a /a"),
    "an owner without a group": ("COPY --chown=0 a /a", "COPY --chown=0:0 a /a"),
    "ADD of a file": ("ADD a /a", "COPY a /a"),
    "a target in another spelling": ("RUN --mount=type=cache,target=c x", "RUN --mount=type=cache,target=/c x"),
    "a named cache": ("RUN --mount=type=cache,target=/c,id=a x", "RUN --mount=type=cache,target=/c,id=b,sharing=locked x"),
    "order of mounts": (
        "RUN --mount=type=cache,target=/c --mount=target=/m x", "RUN --mount=target=/m --mount=type=cache,target=/c x",
    ),
    "delimiters": ("RUN <<A\nx\nA", "RUN <<B\nx\nB"),
    "metadata": ("LABEL a=1\nCMD x\nEXPOSE 80\nVOLUME /v\nRUN x", "STOPSIGNAL 9\nRUN x"),
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_hard_pairs(oracle: KeysOracle, name: str) -> None:
    nodes = {**CONTEXT, "w/x": CONTEXT["dir/x"]}
    mine, theirs = [], []
    for lines in HARD[name]:
        project = Project([["FROM busybox AS s", *lines.split("\n")]], nodes)
        steps = oracle.steps(project)
        assert not isinstance(steps, str), steps
        mine.append(ours(project, merges=False)[-1])
        theirs.append(steps[-1])
    assert (mine[0].key == mine[1].key) == (theirs[0].key == theirs[1].key)


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
    note(f"{sorted(set(old.nodes.items()) ^ set(new.nodes.items()), key=str)}")
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
