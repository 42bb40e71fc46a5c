"""Which steps a random edit runs again, as `dockopt.optimizer.cachekeys` predicts it and as BuildKit does it.

`DOCKOPT_CACHE_EDITS` sets how many edits are built (a second each), `--hypothesis-seed` which ones.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from dockopt.optimizer.cachekeys import Prediction, StepKey, Unpredictable, predict, step_keys
from dockopt.optimizer.engines import BuildRequest
from dockopt.optimizer.engines.command import Docker
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.symbolic.execute import Unsupported
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from tests.engine.engine import Engine
from tests.soundness.generator import BASES, BEGINNINGS, COMMANDS, CONTEXT, PLAIN, RUNS, MemoryContext, Node, write

FEW = 40
EDITS = int(os.environ.get("DOCKOPT_CACHE_EDITS", FEW))
COUNTED: Counter[str] = Counter()


class Snapshot:
    """The context as the client sends it, see `dockopt.optimizer.cachekeys.ContextSnapshot`."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes

    def select(self, source: str) -> Sequence[tuple[str, str]] | None:
        if any(char in source for char in "*?["):
            matches = [path for path in sorted(self._nodes) if "/" not in path and fnmatchcase(path, source)]
            return [(path, digest) for match in matches for path, digest in self._below(match, match)] or None
        node = self._nodes.get(source)
        if source and node is None:
            return None
        if node is not None and node.target is not None:
            return self.select(str(Path(source).parent / node.target))
        return list(self._below(source, ""))

    def _below(self, path: str, shown: str) -> Iterator[tuple[str, str]]:
        node = self._nodes.get(path)
        if path:
            assert node is not None
            yield shown, self._digest(node)
        if node is None or (node.data is None and node.target is None):
            prefix = f"{path}/" if path else ""
            for name in sorted(self._nodes):
                if name.startswith(prefix) and "/" not in name[len(prefix) :]:
                    yield from self._below(name, f"{shown}/{name[len(prefix) :]}")

    @staticmethod
    def _digest(node: Node) -> str:
        return hashlib.sha256(repr((node.data, node.target, 0o777 if node.target else node.mode)).encode()).hexdigest()


@st.composite
def stages(draw: st.DrawFn) -> list[list[str]]:
    found = []
    for i in range(draw(st.integers(1, 2))):
        base = draw(st.sampled_from([b for b in (*BASES, "s0") if b != "s0" or i]))
        runs = base != "scratch"
        lines = [f"FROM {base} AS s{i}", "COPY nonce /nonce"]
        lines += [line for line in draw(st.sampled_from(BEGINNINGS)) if runs or not line.startswith("RUN")]
        pool = st.sampled_from(PLAIN)
        if runs:
            pool |= st.sampled_from(COMMANDS).map(lambda text: f"RUN {text}") | st.sampled_from(RUNS)
        lines += draw(st.lists(pool, min_size=1, max_size=6))
        if i:
            lines.append("COPY --from=s0 /nonce /x/")
        found.append(lines)
    return found


def edited(draw: st.DrawFn, lines: list[list[str]], nodes: dict[str, Node]) -> str:
    """Make one edit in place, and return its kind."""
    kind = draw(
        st.sampled_from(("content", "content", "content", "mode", "new", "gone", "line", "swap", "comment", "drop"))
    )
    path = draw(st.sampled_from(sorted(CONTEXT)))
    node = nodes[path]
    stage = draw(st.sampled_from(lines))
    i = draw(st.integers(2, len(stage) - 1))
    if kind == "content" and node.data is not None:
        nodes[path] = node._replace(data=b"edited\n")
    elif kind == "mode" and node.target is None:
        nodes[path] = node._replace(mode=0o755 if node.mode != 0o755 else 0o700)
    elif kind == "new":
        nodes[draw(st.sampled_from(("new", "dir/new", "w/new")))] = Node(b"new\n")
    elif kind == "gone":
        for other in [other for other in nodes if other == path or other.startswith(path + "/")]:
            del nodes[other]
    elif kind == "line":
        stage[i] = draw(st.sampled_from(PLAIN))
    elif kind == "swap" and i + 1 < len(stage):
        stage[i], stage[i + 1] = stage[i + 1], stage[i]
    elif kind == "comment":
        stage.insert(i, "# a comment")
    elif kind == "drop":
        del stage[i]
    return kind


def text_of(lines: list[list[str]]) -> str:
    return "".join(line + "\n" for stage in lines for line in stage)


def keys(text: str, nodes: Mapping[str, Node]) -> tuple[Build, list[StepKey]]:
    build = Build(parse(text.encode()), FrozenContext(MemoryContext(nodes)))
    return build, step_keys(build, Snapshot(nodes))


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    if why := Engine.missing():
        pytest.skip(f"needs a build engine: {why}")
    yield Docker()
    print(f"\nedits: {dict(COUNTED)}")


def built(docker: Docker, text: str, nodes: Mapping[str, Node], tag: str) -> dict[tuple[str, int], bool] | None:
    """Build, and return by stage and number of the step whether it was cached; None for a build that fails."""
    with tempfile.TemporaryDirectory(prefix="dockopt-context-") as name:
        write(nodes, Path(name))
        request = BuildRequest(text.encode(), Path(name), Path(name, "Dockerfile"), network="host")
        log = docker.build(request, tag, lambda _: None)
    return {(step.stage, step.number): step.cached for step in log.steps} if log.ok else None


@pytest.mark.engine
@settings(
    max_examples=EDITS,
    derandomize=EDITS == FEW,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    deadline=None,
    print_blob=True,
)
@given(data=st.data())
def test_cached_steps_are_predicted(docker: Docker, data: st.DataObject) -> None:
    lines = data.draw(stages())
    # what earlier examples built must not be found
    nodes = {**CONTEXT, "nonce": Node(uuid.uuid4().hex.encode())}
    old = text_of(lines)
    try:
        _, before = keys(old, nodes)
    except (DockerfileSyntaxError, Unsupported, Unpredictable):
        assume(False)
        raise
    changed = dict(nodes)
    kind = edited(data.draw, lines, changed)
    new = text_of(lines)
    note(f"{old}\n--- {kind}: {sorted(set(nodes.items()) ^ set(changed.items()))}\n{new}")
    try:
        build, after = keys(new, changed)
    except (DockerfileSyntaxError, Unsupported, Unpredictable):
        assume(False)
        raise
    tag = f"dockopt-test/keys:{uuid.uuid4().hex[:12]}"
    try:
        if built(docker, old, nodes, tag) is None:
            COUNTED["original fails"] += 1
            return
        found = built(docker, new, changed, tag)
    finally:
        docker.remove([tag])
    if found is None:
        COUNTED["edited fails"] += 1
        return
    COUNTED["edits"] += 1
    several = len(build.dockerfile.stages) > 1
    for step, said in zip(after, predict(before, after), strict=True):
        instructions = [s.instruction for s in after if s.stage == step.stage]
        name = build.dockerfile.stages[step.stage].name or ""
        # a base image is the first step; `scratch` and other stages are none
        number = (1 if build.dockerfile.stages[step.stage].base in ("scratch", "s0") else 2) + instructions.index(
            step.instruction
        )
        real = found.get((name if several else "", number), found.get((name, number)))
        if real is None or said is Prediction.PERHAPS:
            COUNTED["perhaps" if real is not None else "not reported"] += 1
            continue
        COUNTED[said.value] += 1
        assert (said is Prediction.CACHED) == real, (
            f"line {step.instruction.start_line}: {said}, BuildKit: cached={real}"
        )
