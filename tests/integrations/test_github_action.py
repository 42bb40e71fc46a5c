"""The action: its metadata by the schema, and its script as a runner starts it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.integrations.conftest import ROOT, git
from tests.integrations.snippets import snippets

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
WORKFLOW = """\
on: pull_request
jobs:
  dockopt:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: dockopt
        uses: ./
        with:
          fail-on: never
          diff-base: origin/main
          sarif: dockopt.sarif
      - run: echo "$FINDINGS"
        env:
          FINDINGS: ${{ steps.dockopt.outputs.findings }}
"""


class Step(NamedTuple):
    """What one run of the script left."""

    code: int
    log: str
    summary: str
    outputs: dict[str, str]


class Runner:
    """Starts the script with the variables that a runner gives it."""

    def __init__(self, project: Path, repository: Path, scratch: Path) -> None:
        self.project, self._repository, self._scratch = project, repository, scratch

    def __call__(self, **inputs: str) -> Step:
        temporary = self._scratch / "runner"
        temporary.mkdir(exist_ok=True)
        given = {name: str(entry["default"]) for name, entry in ACTION["inputs"].items()}
        given |= {"python": sys.executable} | {name.replace("_", "-"): value for name, value in inputs.items()}
        assert set(given) == set(ACTION["inputs"])
        files = {name: temporary / name for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
        for file in files.values():
            file.write_text("")
        (step,) = ACTION["runs"]["steps"]
        variables = {name: given[value[len("${{ inputs.") : -len(" }}")]] for name, value in step["env"].items()}
        done = subprocess.run(
            ["bash", "-c", step["run"]],
            cwd=self.project,
            env={
                **{name: os.environ[name] for name in os.environ if not name.startswith(("GITHUB_", "GIT_"))},
                **variables,
                **{name: str(file) for name, file in files.items()},
                "GITHUB_ACTION_PATH": str(self._repository),
                "RUNNER_TEMP": str(temporary),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
        )
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        return Step(done.returncode, done.stdout, files["GITHUB_STEP_SUMMARY"].read_text(), outputs)


@pytest.fixture
def runner(project: Path, tmp_path: Path, dockopt_repository: Path, environment: Path) -> Runner:
    """With what pip would install in place: `python -m venv` leaves a package that is there, and pip has nothing to do."""
    (tmp_path / "runner").mkdir()
    stand_in = tmp_path / "python"
    stand_in.write_text(
        "#!/bin/sh\n"
        # `-m venv DIRECTORY`: the environment in which dockopt is already; `pip install` then only says what it would do
        f'if [ "$1 $2" = "-m venv" ]; then ln -s {environment} "$3"; else exec {sys.executable} "$@"; fi\n'
    )
    stand_in.chmod(0o755)
    return Runner(project, dockopt_repository, tmp_path)


def test_the_metadata_keeps_to_the_schema_of_github() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_workflow_that_uses_it_is_right(tmp_path: Path) -> None:
    """actionlint reads the metadata of local actions: names of inputs and outputs have to be right."""
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("needs actionlint")
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", tmp_path / "action.yml")
    workflow = tmp_path / ".github" / "workflows" / "dockopt.yml"
    git(tmp_path, "init", "-q")
    for text, code in (
        (WORKFLOW, 0),
        (WORKFLOW.replace("fail-on", "fial-on"), 1),
        (WORKFLOW.replace("outputs.findings", "outputs.x"), 1),
    ):
        workflow.write_text(text)
        done = subprocess.run([actionlint, "-no-color"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout


def test_the_workflows_of_the_documentation(tmp_path: Path) -> None:
    texts = {name: text for name, text in snippets().items() if name.startswith(".github/")}
    for name, text in texts.items():
        (job,) = yaml.safe_load(text)["jobs"].values()
        (step,) = [step for step in job["steps"] if step["uses"].startswith("OWNER/dockopt@")]
        assert set(step["with"]) <= set(ACTION["inputs"])
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("needs actionlint")
    git(tmp_path, "init", "-q")
    done = subprocess.run([actionlint, "-no-color"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_no_input_is_text_of_a_script_and_nothing_else_is_used() -> None:
    (step,) = ACTION["runs"]["steps"]
    assert "${{" not in step["run"]
    assert "uses" not in step
    assert all(value.startswith("${{ inputs.") for value in step["env"].values())
    assert {value[len("${{ inputs.") : -len(" }}")] for value in step["env"].values()} == set(ACTION["inputs"])
    assert all(entry["description"] for entry in ACTION["inputs"].values())
    script = (ROOT / "ci" / "github.sh").read_text()
    assert {name for name in step["env"] if f"${name}" not in script} == set()
    assert "eval" not in script


def test_from_a_clean_machine(project: Path, dockopt_repository: Path, tmp_path: Path) -> None:
    step = Runner(project, dockopt_repository, tmp_path)()
    assert step.code == 1
    assert step.outputs == {"findings": "2"}
    assert "::warning file=Dockerfile,line=4,endLine=4,title=dockopt%3A split-copy::" in step.log
    assert step.summary.startswith("<!-- dockopt report -->\n### dockopt: 2 findings\n")
    assert "+COPY go.mod go.sum ./" in step.summary
    assert git(project, "status", "--porcelain").stdout == "", "nothing is left in the project"


def test_the_policy(runner: Runner, tmp_path: Path) -> None:
    python = str(tmp_path / "python")
    assert runner(python=python, fail_on="never").code == 0
    reset(tmp_path)
    wrong = runner(python=python, fail_on="warning")
    assert (wrong.code, wrong.log) == (2, "::error title=dockopt::fail-on: `warning` is none of findings, never\n")


def reset(tmp_path: Path) -> None:
    (tmp_path / "runner" / "dockopt").unlink(missing_ok=True)


def test_inputs_are_words_whatever_they_hold(runner: Runner, tmp_path: Path) -> None:
    evil = f"$(touch {tmp_path}/evil)`touch {tmp_path}/evil`; touch {tmp_path}/evil"
    step = runner(python=str(tmp_path / "python"), paths=f"Dockerfile\n{evil}\n", fail_on="never")
    assert step.code == 2
    assert "no such file or directory" in step.log
    assert not (tmp_path / "evil").exists()


def test_reports_in_files_and_options(runner: Runner, tmp_path: Path) -> None:
    step = runner(
        python=str(tmp_path / "python"),
        fail_on="never",
        paths="\nDockerfile\r\n",
        args="--select=split-copy\n",
        sarif="a b.sarif",
        markdown="comment.md",
        summary="false",
        annotations="false",
    )
    assert step.code == 0, step.log
    assert (step.summary, step.outputs) == ("", {"findings": "1"})
    assert "::warning" not in step.log
    assert "+COPY go.mod go.sum ./" in step.log
    (run,) = json.loads((runner.project / "a b.sarif").read_text())["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["split-copy"]
    assert (runner.project / "comment.md").read_text().startswith("<!-- dockopt report -->")


def test_only_what_a_branch_touched(runner: Runner, tmp_path: Path) -> None:
    python = str(tmp_path / "python")
    step = runner(python=python, diff_base="HEAD")
    assert (step.code, step.outputs) == (0, {"findings": "0"})
    assert "nothing to improve" in step.summary
    reset(tmp_path)
    missing = runner(python=python, diff_base="origin/main")
    assert missing.code == 2
    assert "there is no commit `origin/main`" in missing.log


def test_an_old_python_is_told(runner: Runner, tmp_path: Path) -> None:
    step = runner(python="/bin/false")
    assert step.code == 2
    assert "`/bin/false` is no Python 3.11 or newer" in step.log


def test_nothing_of_the_project_is_a_command_for_the_runner(runner: Runner, tmp_path: Path) -> None:
    """The log has commands at the start of a line, white space aside, unless they are stopped by a word that nobody can know."""
    evil = runner.project / "::add-mask::a"
    evil.mkdir()
    (evil / "Dockerfile").write_text("FROM scratch\n")
    dockerfile = runner.project / "Dockerfile"
    first, rest = dockerfile.read_text().split("\n", 1)
    dockerfile.write_text(f'{first}\nLABEL a="\\\n::add-mask::c"\n{rest}')
    python = str(tmp_path / "python")
    step = runner(
        python=python,
        paths="Dockerfile\n::add-mask::a/Dockerfile",
        annotations="false",
        summary="false",
        fail_on="never",
    )
    assert {"add-mask::a", "add-mask::c"} <= set(re.findall(r"add-mask::\w", step.log)), step.log
    stopped = ""
    for line in step.log.splitlines():
        if not stopped and line.startswith("::stop-commands::"):
            stopped = line.removeprefix("::stop-commands::")
            assert len(stopped) == 32
        elif stopped:
            stopped = "" if line == f"::{stopped}::" else stopped
        else:
            assert "add-mask" not in line
    assert not stopped
