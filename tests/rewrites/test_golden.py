"""Each case under `fixtures/<rewrite>/` is rewritten as its `expected.Dockerfile` says, or left alone for its `refused.txt`.

`DOCKOPT_UPDATE_FIXTURES=1` writes what comes out today; read it before it is committed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from dockopt.optimizer.apply import apply_edits, edits_by_path
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.proposal import FileReport
from dockopt.optimizer.syntax import parse
from dockopt.rewrites.registry import REWRITES

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = sorted(path.parent for rewrite in REWRITES for path in FIXTURES.glob(f"{rewrite.id}/*/Dockerfile"))
#: a cut is made only where one of these then finds something
PREPARES = {"split-run": frozenset({"reorder", "split-copy"})}
#: rewrites that repair what does not build: applied where they are named
REPAIRS = frozenset({"drift"})
SILENCE = "nothing is said\n"


def case_id(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


def report_of(case: Path, source: bytes) -> FileReport:
    rewrite = case.parent.name
    select = frozenset({rewrite}) | PREPARES.get(rewrite, frozenset())
    named = frozenset(r.id for r in REWRITES if r.id == rewrite and (r.changes_image or r.id in REPAIRS))
    report = analyze(case / "Dockerfile", source, Options(context=case, select=select, named=named))
    assert report.error is None
    return report


def said_by(rewrite: str, report: FileReport) -> str:
    """Return what a rewrite says of places that it left alone, one line each."""
    lines = []
    for refusal in report.refusals:
        if refusal.rewrite in (rewrite, "syntax", "model"):
            place = refusal.cause_path + (f":{refusal.cause_line}" if refusal.cause_line else "")
            lines.append(f"{refusal.line}: {refusal.reason} ({place.lstrip(':') or 'here'})\n")
    for change in report.unproven:
        if change.proposal.rewrite == rewrite:
            lines.append(f"unproven {change.proposal.line}: {change.verdict.obligation}\n")
    for change in report.offered:
        if change.proposal.rewrite == rewrite:
            lines.append(f"offered {change.proposal.line}: {', '.join(change.verdict.differences)}\n")
    for advice in report.advice:
        place = advice.cause_path + (f":{advice.cause_line}" if advice.cause_line else "")
        remedy = f"; remedy: {advice.remedy}" if advice.remedy else ""
        lines.append(f"{advice.level} {advice.line}: {advice.message}{remedy} ({place.lstrip(':') or 'here'})\n")
    return "".join(lines) or SILENCE


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_case(case: Path) -> None:
    source = (case / "Dockerfile").read_bytes()
    expected, refused = case / "expected.Dockerfile", case / "refused.txt"
    expected_ignore = case / "expected.dockerignore"
    report = report_of(case, source)
    ignore_file = report.other_files.get(".dockerignore")
    if os.environ.get("DOCKOPT_UPDATE_FIXTURES"):
        expected.unlink(missing_ok=True)
        refused.unlink(missing_ok=True)
        expected_ignore.unlink(missing_ok=True)
        if ignore_file is not None:
            expected_ignore.write_bytes(ignore_file)
        if report.changes:
            expected.write_bytes(report.result)
        else:
            refused.write_text(said_by(case.parent.name, report), encoding="utf-8")
    assert set(report.other_files) <= {".dockerignore"}
    assert ignore_file == (expected_ignore.read_bytes() if expected_ignore.exists() else None)
    assert expected.exists() != refused.exists(), "a case has either `expected.Dockerfile` or `refused.txt`"
    if refused.exists():
        assert report.result == source
        assert not report.changes
        assert said_by(case.parent.name, report) == refused.read_text(encoding="utf-8")
    else:
        assert report.result.decode() == expected.read_bytes().decode()
        assert any(change.proposal.rewrite == case.parent.name for change in report.changes)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_result_is_a_fixed_point_made_of_its_edits(case: Path, tmp_path: Path) -> None:
    source = (case / "Dockerfile").read_bytes()
    report = report_of(case, source)
    texts = {"": source, ".dockerignore": ignore_text(case)}
    for change in report.changes:
        for path, edits in edits_by_path(change.proposal.edits).items():
            applied = apply_edits(texts[path], edits)
            assert not applied.skipped
            texts[path] = applied.result
    assert texts[""] == report.result
    assert texts[".dockerignore"] == report.other_files.get(".dockerignore", ignore_text(case))
    assert parse(texts[""]).source == texts[""]
    if report.other_files:
        case = Path(shutil.copytree(case, tmp_path / case.parent.name / case.name, symlinks=True))
        (case / ".dockerignore").write_bytes(texts[".dockerignore"])
    again = report_of(case, report.result)
    assert again.result == report.result
    assert not again.changes


def ignore_text(case: Path) -> bytes:
    path = case / ".dockerignore"
    return path.read_bytes() if path.exists() else b""


def test_there_are_more_refusals_than_changes_are_worth() -> None:
    """Each rewrite has cases that fire and cases that must not."""
    for rewrite in REWRITES:
        cases = [case for case in CASES if case.parent.name == rewrite.id]
        assert any((case / "expected.Dockerfile").exists() for case in cases), rewrite.id
        assert any((case / "refused.txt").exists() for case in cases), rewrite.id
