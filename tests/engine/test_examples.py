"""Every example project, built as it is and as dockopt rewrites it: the same image, and fewer steps after an edit.

Nothing comes from the cache of earlier runs, because the base images get a file that no other run has. `--no-cache` would
do the same for steps, but it also empties the cache mounts, and then the standard library is compiled for each project
again. That the mounts keep what other projects left there makes the comparison harder, as it is for users.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.engine.engine import BuildResult, Engine, Step
from tests.engine.examples import Example, examples
from tests.engine.remarks import Remarks

EVERY = pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
_FROM = re.compile(rb"^FROM (?:--\S+ )*(\S+)", re.MULTILINE)
_STAGE = re.compile(rb"^FROM .* AS (\S+)", re.MULTILINE | re.IGNORECASE)


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


@EVERY
def test_what_is_good_is_left_alone(example: Example) -> None:
    report = example.report()
    assert (report.result == report.source) == example.traits.left_alone


def test_a_vendored_build_gets_a_build_cache_only() -> None:
    (report,) = (example.report() for example in examples() if example.name == "go-vendored")
    assert [change.proposal.rewrite for change in report.changes] == ["cache-mounts"]


@pytest.fixture(scope="module")
def fresh_engine(warm_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine whose cache holds no step of any example."""
    folder = tmp_path_factory.mktemp("nonce")
    (folder / "nonce").write_text(uuid.uuid4().hex)
    bases = {}
    for base in sorted({base for example in examples() for base in _bases(example)}):
        if not warm_engine.has(base):
            continue
        bases[base] = warm_engine.tag("base")
        result = warm_engine.build(f"FROM {base}\nCOPY nonce /nonce\n".encode(), folder, tag=bases[base])
        assert result.ok, result.log
    with Engine(bases=bases) as fresh:
        yield fresh


def _bases(example: Example) -> set[str]:
    """Return the base images of an example that are no stages of its own."""
    stages = {name.decode().lower() for name in _STAGE.findall(example.source)}
    return {found.decode() for found in _FROM.findall(example.source)} - {"scratch"} - stages


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
        ignore = report.other_files.get(".dockerignore")
        for target in self.example.traits.targets:
            tags = (self.engine.tag(self.example.name), self.engine.tag(self.example.name))
            sides = ((self.before, report.source, None), (self.after, report.result, ignore))
            for (results, source, rules), tag in zip(sides, tags, strict=True):
                result = self.engine.build(source, self.context, tag=tag, target=target, ignore=rules)
                assert result.ok, result.log
                results.append(result)
            self.tags.append(tags)

    def differences(self, remarks: Remarks) -> list[str]:
        """Compare the images of all targets, without the paths that change with each build of the same input."""
        found = []
        for target, (before, after) in zip(self.example.traits.targets, self.tags, strict=True):
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
    params=[example for example in examples() if not example.traits.left_alone],
    ids=lambda example: example.name,
)
def built(request: pytest.FixtureRequest, fresh_engine: Engine) -> Builds:
    example = request.param
    assert isinstance(example, Example)
    if example.traits.slow and not os.environ.get("DOCKOPT_ALL_FIXTURES"):
        pytest.skip("it is slow, and built where DOCKOPT_ALL_FIXTURES is set")
    missing = sorted(base for base in _bases(example) if base not in fresh_engine.bases)
    if missing:
        pytest.skip(f"the engine has no image {', '.join(missing)}")
    return Builds(fresh_engine, example, example.context)


def installations(result: BuildResult, example: Example) -> list[Step]:
    wanted = example.traits.reused
    return [
        step for step in result.work if wanted and step.instruction.startswith("RUN ") and wanted in step.instruction
    ]


def cached_runs(result: BuildResult) -> set[str]:
    return {step.instruction for step in result.work if step.cached and step.instruction.startswith("RUN ")}


@pytest.mark.engine
def test_both_images_are_the_same(built: Builds, remarks: Remarks) -> None:
    before, after = built.before[0], built.after[0]
    # the two builds may share a step on a base image that the rewrite leaves alone, but no installation
    assert [step.instruction for step in installations(before, built.example) if step.cached] == []
    assert cached_runs(after) <= {step.instruction for step in before.work}
    assert built.differences(remarks) == []


@pytest.mark.engine
def test_after_an_edit_the_installation_is_reused_and_both_images_are_the_same(
    built: Builds, remarks: Remarks, tmp_path: Path
) -> None:
    edited = Builds(built.engine, built.example, built.example.edited(tmp_path, uuid.uuid4().hex))

    before, after = edited.before[0], edited.after[0]
    assert [step.instruction for step in installations(before, built.example) if step.cached] == []
    assert [step.instruction for step in installations(after, built.example) if not step.cached] == []
    assert bool(installations(after, built.example)) == bool(built.example.traits.reused)
    # what takes the sources in must run again in both, or the edit would be lost
    assert any(not step.cached for step in after.work)

    engine = built.engine
    for (first, _), (old, _) in zip(edited.tags, built.tags, strict=True):
        assert engine.compare(old, first) != [], "the edit does not reach the image"
    assert edited.differences(remarks) == []
