"""Reports in the hands of programs that others wrote to read them: validators, libraries, a review tool, GitLab's rules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest
from dockopt.optimizer.apply import apply_edits
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.proposal import Edit
from dockopt.optimizer.report.finding import Finding, findings
from dockopt.optimizer.report.formats import render
from dockopt.optimizer.report.outcome import Outcome, Shown
from sarif_pydantic import Sarif

FIXTURES = Path(__file__).parents[2] / "fixtures"
#: one change, several, an ignore file beside it, CRLF, only offers, nothing at all
NAMES = (
    "examples/go-service",
    "examples/node-service",
    "examples/go-chain",
    "split-run/windows-line-ends",
    "cache-mounts/windows-line-ends",
    "cache-mounts/exported-stage-is-offered",
    "ignore-files/history-of-a-site",
    "examples/go-already-good",
)
CASES = [FIXTURES / name for name in NAMES if (FIXTURES / name).is_dir()]
SHOWN = Shown(all=True, unproven=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def outcomes(repository: Path) -> list[Outcome]:
    """What is said of several projects in one repository, and of a file that cannot be processed."""
    found = []
    for case in CASES:
        name = f"{case.parent.name} {case.name}"
        shutil.copytree(case, repository / name, symlinks=True)
        path = Path(name) / "Dockerfile"
        report = analyze(path, path.read_bytes(), Options(context=Path(name)))
        before = {
            other: (Path(name) / other).read_bytes() for other in report.other_files if (Path(name) / other).exists()
        }
        found.append(Outcome(str(path), report, other_before=before))
    found.append(Outcome("broken/Dockerfile", error="broken/Dockerfile:1:1: unknown instruction `FORM`"))
    return found


@pytest.fixture
def said(outcomes: list[Outcome]) -> list[Finding]:
    found = list(findings(outcomes, SHOWN))
    assert len(CASES) > 5
    assert {finding.level.value for finding in found} >= {"warning", "note"}
    assert any(len(finding.fix) > 1 for finding in found), "one of them edits two files"
    return found


def tools() -> Iterator[Path]:
    """Where npm has put packages whose programs are on the PATH."""
    for entry in os.environ["PATH"].split(os.pathsep):
        if entry.endswith("node_modules/.bin"):
            yield Path(entry).parent


@pytest.fixture
def multitool() -> Path:
    for directory in tools():
        package = directory / "@microsoft" / "sarif-multitool-linux"
        if package.is_dir():
            return package
    pytest.skip("needs the npm package @microsoft/sarif-multitool-linux, its programs on the PATH")


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


# --- SARIF


def test_sarif_keeps_to_its_schema(outcomes: list[Outcome], said: list[Finding], multitool: Path) -> None:
    schema = json.loads((multitool / "sarif-2.1.0.json").read_text("utf-8-sig"))
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
    log = json.loads(render("sarif", outcomes, SHOWN))
    assert [error.message for error in validator.iter_errors(log)] == []
    log["runs"][0]["results"][0]["message"] = "no object"
    assert not validator.is_valid(log)


def test_the_validator_of_sarif_has_no_complaint(
    outcomes: list[Outcome], said: list[Finding], multitool: Path, repository: Path
) -> None:
    (repository / "report.sarif").write_bytes(render("sarif", outcomes, SHOWN))
    binary = shutil.copy(
        multitool / "Sarif.Multitool", repository / "multitool"
    )  # npm may have left it without its mode
    Path(binary).chmod(0o755)
    done = subprocess.run(
        [binary, "validate", "report.sarif", "--level", "Error;Warning", "--output", "complaints.sarif"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "DOTNET_BUNDLE_EXTRACT_BASE_DIR": str(repository / "dotnet")},
    )
    complaints = json.loads((repository / "complaints.sarif").read_text("utf-8-sig"))
    rules = {result["ruleId"] for result in complaints["runs"][0].get("results", [])}
    # 2005: the tool has no address in the web
    assert rules <= {"SARIF2005"}, done.stdout


def test_a_library_reads_sarif(outcomes: list[Outcome], said: list[Finding]) -> None:
    (run,) = Sarif.model_validate_json(render("sarif", outcomes, SHOWN)).runs
    results = run.results or []
    assert [result.rule_id for result in results] == [finding.rewrite for finding in said]
    assert [result.level.value if result.level else None for result in results] == [f.level.value for f in said]


@pytest.mark.parametrize("name", ["sarif", "checkstyle"])
def test_a_review_tool_reads_the_findings(
    outcomes: list[Outcome], said: list[Finding], repository: Path, name: str
) -> None:
    """reviewdog, which turns such reports into comments on pull requests with suggestions to commit."""
    diagnostics = reviewdog(name, render(name, outcomes, SHOWN), repository)
    place = [(entry["location"]["path"], entry["location"]["range"]["start"]["line"]) for entry in diagnostics]
    assert place == [(finding.place, finding.line) for finding in said]
    assert [entry["severity"] for entry in diagnostics] == [severity(finding, name) for finding in said]
    code = [
        entry["code"]["value"] if name == "sarif" else entry["code"]["value"].removeprefix("dockopt.")
        for entry in diagnostics
    ]
    assert code == [finding.rewrite for finding in said]
    if name == "sarif":
        for entry, finding in zip(diagnostics, said, strict=True):
            assert committed(entry, finding) == [file.after for file in finding.fix if not file.path]


def severity(finding: Finding, name: str) -> str:
    return {"warning": "WARNING", "error": "ERROR", "note": "INFO"}[finding.level.value]


def committed(diagnostic: dict[str, Any], finding: Finding) -> list[bytes]:
    """What a user gets who commits the suggestions of one comment."""
    suggestions = diagnostic.get("suggestions", [])
    if not suggestions:
        return []
    (before,) = [file.before or b"" for file in finding.fix if not file.path]
    starts = [0]
    for line in before.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    edits = []
    for suggestion in suggestions:
        start, end = suggestion["range"]["start"], suggestion["range"]["end"]
        edits.append(
            Edit(
                starts[start["line"] - 1] + start.get("column", 1) - 1,
                starts[end["line"] - 1] + end.get("column", 1) - 1,
                suggestion.get("text", "").encode(),
            )
        )
    return [apply_edits(before, edits).result]


def reviewdog(name: str, report: bytes, repository: Path) -> list[dict[str, Any]]:
    shutil.rmtree(repository / ".git")
    subprocess.run(["git", "init", "-q", repository], check=True)
    done = subprocess.run(
        [program("reviewdog"), f"-f={name}", "-reporter=rdjson", "-filter-mode=nofilter"],
        input=report,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return list(json.loads(done.stdout)["diagnostics"])


# --- JUnit


def test_a_library_reads_junit(outcomes: list[Outcome], said: list[Finding], repository: Path) -> None:
    report = junitparser.JUnitXml.fromstring(render("junit", outcomes, SHOWN))
    cases = [case for suite in report for case in suite]
    assert report.tests == len(cases)
    failed = [case for case in cases if any(isinstance(result, junitparser.Failure) for result in case.result)]
    skipped = [case for case in cases if any(isinstance(result, junitparser.Skipped) for result in case.result)]
    broken = [case for case in cases if any(isinstance(result, junitparser.Error) for result in case.result)]
    assert (report.failures, report.skipped, report.errors) == (len(failed), len(skipped), len(broken))
    assert [case.name.split(" ")[0] for case in failed] == [finding.rewrite for finding in said if finding.counts]
    assert [case.classname for case in broken] == ["broken/Dockerfile"]
    for case, finding in zip(failed, (finding for finding in said if finding.counts), strict=True):
        assert case.result[0].type == finding.rewrite
        patch = b"".join(bytes(file.diff()) for file in finding.fix).decode()
        assert case.result[0].text.endswith(patch)


# --- GitLab

#: what GitLab demands of an issue (`app/validators/json_schemas/codeclimate.json` of its sources) and what its documentation says of
#: severities; an issue that does not keep to it ends the reading of the report
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^/.]"},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer"}}},
                },
            },
        },
    },
}


def test_gitlab_takes_every_issue(outcomes: list[Outcome], said: list[Finding]) -> None:
    issues = json.loads(render("gitlab", outcomes, SHOWN))
    jsonschema.validate(issues, GITLAB)
    assert len({issue["fingerprint"] for issue in issues}) == len(said), "GitLab keeps one issue for a fingerprint"
    assert not render("gitlab", outcomes, SHOWN).startswith(b"\xef\xbb\xbf")


# --- patches


@pytest.mark.parametrize("name", ["github", "junit"])
def test_git_applies_the_patch_of_every_finding(
    outcomes: list[Outcome], said: list[Finding], repository: Path, name: str
) -> None:
    from tests.report.readers import READERS

    shutil.rmtree(repository / ".git")
    subprocess.run(["git", "init", "-q", repository], check=True)
    report = render(name, outcomes[:-1], SHOWN)
    for found, finding in zip(READERS[name](report, {}, "."), said, strict=True):
        if found.patch is None:
            assert not finding.fix
            continue
        copy = repository / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(Path(finding.path).parent, copy / Path(finding.path).parent, symlinks=True)
        subprocess.run(["git", "apply", "--directory=copy", "-"], cwd=repository, input=found.patch, check=True)
        for file in finding.fix:
            assert (copy / file.shown).read_bytes() == file.after
