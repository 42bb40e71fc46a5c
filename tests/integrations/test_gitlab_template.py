"""The job for GitLab: by GitLab's schema, and its script in a shell as a runner starts it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integrations.conftest import ROOT, git
from tests.integrations.snippets import snippets

SPEC, TEXT = (ROOT / "ci" / "gitlab.yml").read_text("utf-8").split("\n---\n")
INPUTS: dict[str, dict[str, Any]] = yaml.safe_load(SPEC)["spec"]["inputs"]
_INPUT = re.compile(r"\$\[\[ inputs\.([a-z_]+) \]\]")


def job(**values: object) -> dict[str, Any]:
    """The job with these inputs filled in, as GitLab does that: in the parsed text, where a value of its own keeps its type."""
    given = {name: entry.get("default") for name, entry in INPUTS.items()} | values
    assert None not in given.values(), "an input without a default has to be given"

    def filled(node: object) -> object:
        if isinstance(node, dict):
            return {key: filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(value) for value in node]
        if not isinstance(node, str):
            return node
        whole = _INPUT.fullmatch(node)
        return given[whole[1]] if whole else _INPUT.sub(lambda match: text(given[match[1]]), node)

    def text(value: object) -> str:
        return json.dumps(value) if isinstance(value, bool) else str(value)

    found = filled(yaml.safe_load(TEXT)["dockopt"])
    assert isinstance(found, dict)
    return found


def test_the_job_keeps_to_the_schema_of_gitlab(tmp_path: Path) -> None:
    file = tmp_path / "gitlab.yml"
    file.write_text(yaml.safe_dump({"dockopt": job(install="dockopt")}))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    done = subprocess.run(
        [*command, "--data-transform", "gitlab-ci", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    (tmp_path / "spec.yml").write_text(SPEC)
    done = subprocess.run([*command, tmp_path / "spec.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_input_is_used_and_described() -> None:
    assert set(_INPUT.findall(TEXT)) == set(INPUTS)
    assert all(entry["description"] for entry in INPUTS.values())


def test_the_inclusion_of_the_documentation() -> None:
    (entry,) = yaml.safe_load(snippets()[".gitlab-ci.yml"])["include"]
    assert set(entry["inputs"]) <= set(INPUTS)
    needed = {name for name, given in INPUTS.items() if "default" not in given}
    assert needed <= set(entry["inputs"])
    assert entry["remote"].endswith("/ci/gitlab.yml")


def run(project: Path, steps: list[str], job: dict[str, Any], **variables: str) -> subprocess.CompletedProcess[str]:
    """As a shell executor does: all lines in one shell, which ends at the first one that fails."""
    return subprocess.run(
        ["bash", "-c", "set -eo pipefail\n" + "\n".join(steps)],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project.parent), **job["variables"], **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


@pytest.fixture
def installed(project: Path, environment: Path) -> dict[str, str]:
    return {"DOCKOPT_VENV": str(environment)}


def test_the_installation_from_a_clean_machine(project: Path, dockopt_repository: Path, tmp_path: Path) -> None:
    wanted = job(install=f"git+file://{dockopt_repository}")
    variables = {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
    place = {"DOCKOPT_VENV": str(tmp_path / "venv")}
    done = run(project, [*wanted["before_script"], *wanted["script"]], wanted, **variables, **place)
    assert done.returncode == 1, done.stderr
    assert "Dockerfile:4: split-copy" in done.stdout
    issues = json.loads((project / wanted["artifacts"]["reports"]["codequality"]).read_text())
    assert [issue["check_name"] for issue in issues] == ["split-copy", "cache-mounts"]


def test_options_and_paths(project: Path, installed: dict[str, str]) -> None:
    (project / "b").mkdir()
    (project / "b" / "Dockerfile").write_text("FROM alpine:3.20\n")
    wanted = job(install="x", options="--select=split-copy --quiet", paths="b/Dockerfile Dockerfile")
    done = run(project, wanted["script"], wanted, **installed)
    assert done.returncode == 1
    assert [i["check_name"] for i in json.loads((project / "gl-code-quality-report.json").read_text())] == [
        "split-copy"
    ]
    wanted = job(install="x", paths="b/*")
    assert run(project, wanted["script"], wanted, **installed).returncode == 2, "a `*` is no pattern"


def test_only_what_a_merge_request_touched(project: Path, installed: dict[str, str]) -> None:
    base = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": git(project, "rev-parse", "HEAD").stdout.strip()}
    wanted = job(install="x", only_touched=True)
    assert run(project, wanted["script"], wanted, **installed, **base).returncode == 0
    assert run(project, wanted["script"], wanted, **installed).returncode == 1, "no merge request"
    wanted = job(install="x")
    assert run(project, wanted["script"], wanted, **installed, **base).returncode == 1
