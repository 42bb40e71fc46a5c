"""The same findings, identifiers and byte-identical fixes in every format, over all fixtures of the project."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.report.diff import unified_diff
from dockopt.optimizer.report.formats import FORMATS, render
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.rewrites.registry import REWRITES

from tests.report.readers import READERS, Said

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = sorted(path.parent for path in FIXTURES.glob("*/*/Dockerfile"))
EVERYTHING = Shown(all=True, unproven=True)


#: a plain call, and one that names all rewrites: those that change the image are applied then
#: what changes images is asked for where it matters most: in the cases of such rewrites, or in all with `DOCKOPT_ALL_FIXTURES`
NAMED = {rewrite.id for rewrite in REWRITES if rewrite.changes_image}
CALLS = [
    (case, named)
    for case in CASES
    for named in (False, True)
    if not named or case.parent.name in NAMED or os.environ.get("DOCKOPT_ALL_FIXTURES")
]


def call_id(call: tuple[Path, bool]) -> str:
    case, named = call
    return f"{case.parent.name}/{case.name}{'-all' if named else ''}"


@pytest.fixture
def outcome(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """What is said of a case, with all that is said of it only when it is asked for; paths are relative to the case."""
    case, named = request.param
    monkeypatch.chdir(case)
    monkeypatch.setattr("dockopt.optimizer.fingerprint.repository_of", lambda _: None)
    select = frozenset(rewrite.id for rewrite in REWRITES) if named else None
    report = analyze(Path("Dockerfile"), Path("Dockerfile").read_bytes(), Options(context=Path(), select=select))
    assert report.error is None
    before = {path: Path(path).read_bytes() if Path(path).exists() else None for path in report.other_files}
    return Outcome("Dockerfile", report, other_before=before)


@pytest.mark.parametrize("outcome", CALLS, ids=call_id, indirect=True)
def test_all_formats_carry_the_same_findings_and_fixes(outcome: Outcome) -> None:
    report = outcome.report
    assert report is not None
    before = {"Dockerfile": report.source, **{f"./{path}": text or b"" for path, text in outcome.other_before.items()}}
    before |= {path.removeprefix("./"): text for path, text in before.items()}
    said = {name: list(read(render(name, [outcome], EVERYTHING), before, ".")) for name, read in READERS.items()}
    wanted = said["json"]
    assert len(wanted) == sum(
        map(len, (report.changes, report.repairs, report.offered, report.unproven, report.advice))
    )
    assert len({finding.fingerprint for finding in wanted}) == len(wanted)
    for name, found in said.items():
        assert [(f.rewrite, f.fingerprint, f.line) for f in found] == [
            (f.rewrite, f.fingerprint, f.line) for f in wanted
        ], name
        assert {f.place for f in found} <= {"Dockerfile", None}, name
        assert [f.level or w.level for f, w in zip(found, wanted, strict=True)] == [f.level for f in wanted], name
    fixes = [{path.removeprefix("./"): text for path, text in (finding.fix or {}).items()} for finding in wanted]
    if report.changes:
        last = fixes[len(report.changes) - 1]
        assert {"Dockerfile": report.source, **last} == {"Dockerfile": report.result, **report.other_files}
    for name in ("jsonl", "sarif"):
        found_fixes = [{path.removeprefix("./"): text for path, text in (f.fix or {}).items()} for f in said[name]]
        assert found_fixes == fixes, name
    for name in ("github", "junit", "markdown"):
        patches = [_patch(fix, outcome) for fix in fixes]
        assert [_compared(f.patch) for f in said[name]] == _shown(name, patches, said[name], len(report.changes)), name


def _patch(fix: dict[str, bytes], outcome: Outcome) -> bytes | None:
    texts = [("Dockerfile", outcome.report.source if outcome.report else b"", fix.get("Dockerfile"))]
    texts += [(path, outcome.other_before.get(path), fix[path]) for path in fix if path != "Dockerfile"]
    parts = [bytes(unified_diff(path, before, after)) for path, before, after in texts if after is not None]
    return b"".join(parts) or None


def _compared(patch: bytes | None) -> bytes | None:
    """A reader of Markdown knows one kind of line end only, and escapes are for eyes."""
    return None if patch is None else patch.replace(b"\r\n", b"\n")


def _shown(name: str, patches: list[bytes | None], found: list[Said], changes: int) -> list[bytes | None]:
    if name == "markdown":  # one for the file
        patches = [*[None] * (len(found) - 1), patches[changes - 1] if changes else None] if found else []
    return [_compared(patch) for patch in patches]


def test_fixtures_have_something_to_compare() -> None:
    assert len(CASES) > 300
    assert set(READERS) | {"text"} == set(FORMATS)


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_file_without_findings_and_a_call_without_files(name: str) -> None:
    assert list(READERS[name](render(name, [], EVERYTHING), {}, ".")) == []
    assert list(READERS[name](render(name, [Outcome("Dockerfile")], EVERYTHING), {}, ".")) == []


def test_findings_that_are_not_asked_for_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    case = FIXTURES / "cache-mounts" / "exported-stage-is-offered"
    monkeypatch.chdir(case)
    report = analyze(Path("Dockerfile"), (case / "Dockerfile").read_bytes(), Options(context=Path()))
    assert report.offered
    outcome = Outcome("Dockerfile", report)
    assert json.loads(render("gitlab", [outcome], Shown())) == []
    assert len(json.loads(render("gitlab", [outcome], Shown(all=True)))) == len(report.offered)
