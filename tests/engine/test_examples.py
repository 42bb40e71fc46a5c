"""Every example project, built as it is and as dockopt rewrites it: the same image, and fewer steps after an edit.

Nothing comes from the cache of earlier runs, because the base images get a file that no other run has. `--no-cache` would
do the same for steps, but it also empties the cache mounts, and then the standard library is compiled for each project
again. That the mounts keep what other projects left there makes the comparison harder, as it is for users.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.engine.engine import BuildResult, Engine, Step
from tests.engine.examples import Example, examples
from tests.engine.remarks import Remarks

LEFT_ALONE = {"go-already-good"}
"""Examples that are as good as dockopt can make them."""

WITHOUT_DOWNLOAD = {"go-vendored"}
"""Examples that have nothing to download, before and after."""

EVERY = pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
_FROM = re.compile(rb"^FROM (\S+)", re.MULTILINE)


@EVERY
def test_a_second_run_changes_nothing(example: Example) -> None:
    first = example.report()
    second = example.report_of(first.result)
    assert (first.error, second.error) == (None, None)
    assert second.result == first.result
    assert second.changes == []


@EVERY
def test_every_change_is_proven_to_keep_the_whole_image(example: Example) -> None:
    """So the images below are compared without leaving anything out."""
    changes = example.report().changes
    assert {(change.verdict.status, change.verdict.differences) for change in changes} <= {("equal", ())}


def test_what_is_good_is_left_alone() -> None:
    reports = {example.name: example.report() for example in examples()}
    assert {name for name, report in reports.items() if report.result == report.source} == LEFT_ALONE
    assert [change.proposal.rewrite for change in reports["go-vendored"].changes] == ["cache-mounts"]


@pytest.fixture(scope="module")
def fresh_engine(warm_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine whose cache holds no step of any example."""
    folder = tmp_path_factory.mktemp("nonce")
    (folder / "nonce").write_text(uuid.uuid4().hex)
    bases = {}
    named = {found.decode() for example in examples() for found in _FROM.findall(example.source)}
    for base in sorted(named - {"scratch"}):
        bases[base] = warm_engine.tag("base")
        result = warm_engine.build(f"FROM {base}\nCOPY nonce /nonce\n".encode(), folder, tag=bases[base])
        assert result.ok, result.log
    with Engine(bases=bases) as fresh:
        yield fresh


@dataclass(slots=True)
class Builds:
    """The builds of one context, by the original Dockerfile and by the rewritten one."""

    engine: Engine
    example: Example
    context: Path
    before: list[BuildResult] = field(default_factory=list)
    after: list[BuildResult] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        report = self.example.report()
        for target in self.example.targets:
            tags = (self.engine.tag(self.example.name), self.engine.tag(self.example.name))
            for results, source, tag in zip(
                (self.before, self.after), (report.source, report.result), tags, strict=True
            ):
                result = self.engine.build(source, self.context, tag=tag, target=target)
                assert result.ok, result.log
                results.append(result)
            self.tags.append(tags)

    def differences(self, remarks: Remarks) -> list[str]:
        """Compare the images of all targets, without the paths that change with each build of the same input."""
        found = []
        for target, (before, after) in zip(self.example.targets, self.tags, strict=True):
            told = self.engine.compare(before, after)
            if told:
                mask = self.engine.nondeterministic_paths(
                    self.example.source, self.context, before, name=self.example.name, target=target
                )
                remarks.masked(self.example.name, mask)
                told = self.engine.compare(before, after, mask=mask)
            found += told
        return found


@pytest.fixture(
    scope="module",
    params=[example for example in examples() if example.name not in LEFT_ALONE],
    ids=lambda example: example.name,
)
def built(request: pytest.FixtureRequest, fresh_engine: Engine) -> Builds:
    example = request.param
    assert isinstance(example, Example)
    return Builds(fresh_engine, example, example.context)


def downloads(result: BuildResult) -> list[Step]:
    return [step for step in result.work if "go mod download" in step.instruction]


def cached_runs(result: BuildResult) -> set[str]:
    return {step.instruction for step in result.work if step.cached and step.instruction.startswith("RUN ")}


@pytest.mark.engine
def test_both_images_are_the_same(built: Builds, remarks: Remarks) -> None:
    before, after = built.before[0], built.after[0]
    # the two builds may share a step on a base image that the rewrite leaves alone, but nothing that Go does
    assert cached_runs(before) == set()
    assert cached_runs(after) <= {step.instruction for step in before.work if step.stage == "stage-1"}
    assert built.differences(remarks) == []


@pytest.mark.engine
def test_after_an_edit_the_download_is_reused_and_both_images_are_the_same(
    built: Builds, remarks: Remarks, tmp_path: Path
) -> None:
    edited = Builds(built.engine, built.example, built.example.edited(tmp_path, uuid.uuid4().hex))

    before, after = edited.before[0], edited.after[0]
    assert [step.instruction for step in downloads(before) if step.cached] == []
    assert [step.instruction for step in downloads(after) if not step.cached] == []
    assert bool(downloads(after)) == (built.example.name not in WITHOUT_DOWNLOAD)
    # what compiles must run again in both, or the edit would be lost
    assert any(not step.cached and step.instruction.startswith("RUN ") for step in after.work)

    engine = built.engine
    for (first, _), (old, _) in zip(edited.tags, built.tags, strict=True):
        assert engine.compare(old, first) != [], "the edit does not reach the image"
    assert edited.differences(remarks) == []
