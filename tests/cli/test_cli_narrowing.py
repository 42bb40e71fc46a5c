"""Reports that leave things out: a baseline, and what a branch did not touch. With the real engine, on git repositories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Result

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "examples"
#: those that have findings, from several ecosystems
_SEVERAL = ("go-chain", "go-service", "go-workspace", "node-service", "python-nested-lists", "rust-service")
IDENTITY = ("-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "commit.gpgsign=false")

Program = Callable[..., Result]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    top = tmp_path / "repository"
    shutil.copytree(EXAMPLES / "go-service", top)
    git(top, "init", "-q", "-b", "main")
    commit(top, "first")
    git(top, "checkout", "-q", "-b", "branch")
    return top


def git(top: Path, *arguments: str) -> bytes:
    environment = {"PATH": os.environ["PATH"], "HOME": str(top.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=top, check=True, env=environment, capture_output=True
    ).stdout


def commit(top: Path, message: str) -> None:
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", message)


@pytest.fixture
def dockopt(repository: Path) -> Program:
    def run(*arguments: str, cwd: Path = repository, **environment: str) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "dockopt", *arguments],
            cwd=cwd,
            capture_output=True,
            env={**os.environ, **environment},
            check=False,
            timeout=120,
        )
        return Result(done.returncode, done.stdout, done.stderr.decode())

    return run


def touch_manifest(top: Path) -> None:
    with (top / "go.mod").open("a") as file:
        file.write("// another line\n")


def rewrites(result: Result) -> list[str]:
    assert result.code in (0, 1), result.err
    return [json.loads(line)["rewrite"] for line in result.out.splitlines()]


def found(dockopt: Program, *arguments: str, **options: str) -> list[str]:
    return rewrites(dockopt("suggest", "--check", "--format", "jsonl", *arguments, **options))


# --- baseline


@pytest.mark.parametrize("name", _SEVERAL)
def test_after_a_baseline_nothing_is_new(dockopt: Program, tmp_path: Path, name: str) -> None:
    shutil.copytree(EXAMPLES / name, tmp_path / "example")
    where = tmp_path / "example"
    written = dockopt("suggest", "--check", "--write-baseline", "b.json", "--quiet", cwd=where)
    assert written.code == 0
    assert json.loads((where / "b.json").read_text())["findings"], "an example without findings shows nothing"
    again = dockopt("suggest", "--check", "--baseline", "b.json", cwd=where)
    assert (again.code, again.err) == (0, "")
    assert b"nothing to improve" in again.out


def test_a_baseline_is_small_sorted_and_holds_no_lines(dockopt: Program, repository: Path) -> None:
    dockopt("suggest", "--write-baseline", "b.json")
    first = (repository / "b.json").read_text()
    content = json.loads(first)
    assert content["baseline"] == 1
    assert [set(entry) for entry in content["findings"]] == [{"dockerfile", "rewrite", "fingerprint"}] * 2
    assert content["findings"] == sorted(content["findings"], key=lambda entry: list(entry.values()))
    dockerfile = repository / "Dockerfile"
    dockerfile.write_text("# one line more\n" + dockerfile.read_text())
    dockopt("suggest", "--write-baseline", "b.json")
    assert (repository / "b.json").read_text() == first


def test_only_what_is_new_is_shown_and_fixed(dockopt: Program, repository: Path) -> None:
    dockopt("suggest", "--select", "cache-mounts", "--write-baseline", "b.json")
    assert found(dockopt, "--baseline", "b.json") == ["split-copy"]
    told = dockopt("suggest", "--baseline", "b.json", "--explain-refusals")
    assert b"cache-mounts: left alone: it is in the baseline" in told.out
    assert dockopt("fix", "--write", "--baseline", "b.json").code == 0
    fixed = (repository / "Dockerfile").read_text()
    assert "COPY go.mod go.sum ./" in fixed
    assert "--mount=type=cache" not in fixed


def test_entries_that_are_fixed_are_told(dockopt: Program, repository: Path) -> None:
    dockopt("suggest", "--write-baseline", "b.json")
    dockopt("fix", "--write")
    result = dockopt("suggest", "--check", "--baseline", "b.json")
    assert result.code == 0
    assert (
        result.err == "dockopt: 2 entries of the baseline had nothing to leave out; `--write-baseline` writes it anew\n"
    )
    assert dockopt("suggest", "--baseline", "b.json", "--quiet").err == ""
    (repository / "sub").mkdir()
    (repository / "sub" / "Dockerfile").write_text("FROM alpine:3.20\n")
    assert dockopt("suggest", "--baseline", "b.json", "sub").err == "", "entries of files that were not looked at"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file or directory"),
        (b"{", "it holds no JSON"),
        (b"\xff\xfe", "it holds no JSON"),
        (b"[]", "is no baseline"),
        (b'{"findings": []}', "is no baseline"),
        (b'{"baseline": 2, "findings": []}', "another version of dockopt"),
        (b'{"baseline": 1, "findings": [{"dockerfile": "a", "rewrite": "b"}]}', "every finding needs `dockerfile`"),
        (b'{"baseline": 1, "findings": [[]]}', "every finding needs"),
        (b"[" * 100_000, "it holds no JSON"),
    ],
    ids=["missing", "no-json", "no-text", "list", "no-version", "other-version", "no-fingerprint", "no-object", "deep"],
)
def test_a_file_that_is_no_baseline(dockopt: Program, repository: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (repository / "b.json").write_bytes(content)
    result = dockopt("suggest", "--baseline", "b.json")
    assert result.code == 2
    assert message in result.err
    assert "`--baseline b.json`: " in result.err
    assert result.err.count("\n") == 1


def test_a_baseline_is_written_of_everything_or_not_at_all(dockopt: Program, repository: Path) -> None:
    for option in (["--baseline", "b.json"], ["--diff-base", "main"]):
        result = dockopt("suggest", "--write-baseline", "b.json", *option)
        assert (result.code, (repository / "b.json").exists()) == (2, False)
        assert "`--write-baseline` takes all findings" in result.err


# --- what a branch touched


def test_a_branch_that_touches_nothing_has_no_findings(dockopt: Program, repository: Path) -> None:
    assert found(dockopt) == ["split-copy", "cache-mounts"]
    (repository / "main.go").write_text("package main\n")
    commit(repository, "sources only")
    assert found(dockopt, "--diff-base", "main") == []
    told = dockopt("suggest", "--diff-base", "main", "--explain-refusals")
    assert b"split-copy: left alone: nothing that it speaks of was touched since `main`" in told.out


def test_an_instruction_that_was_touched(dockopt: Program, repository: Path) -> None:
    dockerfile = repository / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("RUN CGO_ENABLED=0 go", "RUN CGO_ENABLED=0  go"))
    assert found(dockopt, "--diff-base", "main") == ["cache-mounts"], "before it is committed"
    commit(repository, "layout of one instruction")
    assert found(dockopt, "--diff-base", "main") == ["cache-mounts"]
    assert dockopt("suggest", "--check", "--diff-base", "main").code == 1


def test_a_finding_that_an_edit_elsewhere_brought(dockopt: Program, repository: Path) -> None:
    dockerfile = repository / "Dockerfile"
    text = dockerfile.read_text()
    git(repository, "checkout", "-q", "main")
    dockerfile.write_text(
        text.replace("COPY . .\nRUN go mod download\n", "COPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\n")
    )
    commit(repository, "good")
    git(repository, "checkout", "-q", "-B", "branch")
    dockerfile.write_text(text)
    commit(repository, "worse: the COPY is the same as before, what stands below it is not")
    assert "split-copy" in found(dockopt, "--diff-base", "main")


def test_an_input_that_was_touched(dockopt: Program, repository: Path) -> None:
    touch_manifest(repository)
    assert found(dockopt, "--diff-base", "main") == ["split-copy", "cache-mounts"], "before it is committed"
    commit(repository, "another go.mod")
    assert found(dockopt, "--diff-base", "main") == ["split-copy", "cache-mounts"]


@pytest.mark.parametrize("name", [".dockerignore", "Dockerfile.dockerignore"])
def test_an_ignore_file_is_an_input(dockopt: Program, repository: Path, name: str) -> None:
    (repository / name).write_text("doc\n")
    assert found(dockopt, "--diff-base", "main") == ["split-copy", "cache-mounts"]


def test_a_new_dockerfile_is_touched_in_all_of_its_lines(dockopt: Program, repository: Path) -> None:
    (repository / "Dockerfile").rename(repository / "other.Dockerfile")
    assert found(dockopt, "--diff-base", "main") == ["split-copy", "cache-mounts"]


def test_what_happened_on_the_other_branch_meanwhile_does_not_count(dockopt: Program, repository: Path) -> None:
    commit_nothing = ("commit", "-q", "--allow-empty", "-m", "nothing")
    git(repository, *commit_nothing)
    git(repository, "checkout", "-q", "main")
    touch_manifest(repository)
    commit(repository, "on main")
    git(repository, "checkout", "-q", "branch")
    assert found(dockopt, "--diff-base", "main") == []


def test_from_a_directory_below(dockopt: Program, repository: Path) -> None:
    (repository / "deploy").mkdir()
    assert found(dockopt, "--diff-base", "main", "..", cwd=str(repository / "deploy")) == []
    touch_manifest(repository)
    assert found(dockopt, "--diff-base", "main", "..", cwd=str(repository / "deploy")) == ["split-copy", "cache-mounts"]


def test_as_a_hook_is_started(dockopt: Program, repository: Path) -> None:
    """git sets these for its hooks; relative ones would mean another directory than ours."""
    assert found(dockopt, "--diff-base", "main", GIT_DIR=".git", GIT_INDEX_FILE="elsewhere", GIT_WORK_TREE="/") == []


@pytest.mark.parametrize("revision", ["nope", "--help", "main:Dockerfile", ""])
def test_a_commit_that_is_not_there(dockopt: Program, revision: str) -> None:
    result = dockopt("suggest", f"--diff-base={revision}")
    assert result.code == 2
    assert result.err.startswith(f"dockopt: `--diff-base`: there is no commit `{revision}`")
    assert "fetch it first" in result.err
    assert result.err.count("\n") == 1


def test_histories_without_a_commit_in_common(dockopt: Program, repository: Path) -> None:
    git(repository, "checkout", "-q", "--orphan", "alone")
    commit(repository, "another root")
    result = dockopt("suggest", "--diff-base", "main")
    assert result.code == 2
    assert "have no commit in common; fetch more of the history" in result.err


def test_a_repository_without_a_commit(dockopt: Program, tmp_path: Path) -> None:
    top = tmp_path / "unborn"
    shutil.copytree(EXAMPLES / "go-service", top)
    git(top, "init", "-q")
    result = dockopt("suggest", "--diff-base", "HEAD", cwd=top)
    assert result.code == 2
    assert "has no commit yet, so everything in it is new; leave the option out" in result.err


@pytest.fixture
def superproject(repository: Path, tmp_path: Path) -> Path:
    """A repository with another one in it, as a submodule; neither knows the branches of the other."""
    top = tmp_path / "superproject"
    shutil.copytree(EXAMPLES / "go-already-good", top)
    git(top, "init", "-q", "-b", "trunk")
    commit(top, "first")
    git(top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "service")
    commit(top, "a submodule")
    return top


def test_a_submodule_is_compared_with_the_commit_that_was_recorded_for_it(dockopt: Program, superproject: Path) -> None:
    service = superproject / "service"
    assert found(dockopt, "--diff-base", "trunk", "service", cwd=superproject) == []
    touch_manifest(service)
    assert found(dockopt, "--diff-base", "trunk", "service", cwd=superproject) != []
    commit(service, "an edit")
    git(superproject, "checkout", "-q", "-b", "feature")
    commit(superproject, "the edit of the submodule")
    assert found(dockopt, "--diff-base", "trunk", "service", cwd=superproject) != []
    assert found(dockopt, "--diff-base", "HEAD", "service", cwd=superproject) == []
    # who works in the submodule names a commit of that
    assert found(dockopt, "--diff-base", "HEAD~1", cwd=service) != []


def test_everything_in_a_new_submodule_is_new(dockopt: Program, superproject: Path) -> None:
    all_of_it = found(dockopt, "service", cwd=superproject)
    assert all_of_it
    assert found(dockopt, "--diff-base", "trunk~1", "service", cwd=superproject) == all_of_it


def test_a_work_tree_beside_another_one(dockopt: Program, repository: Path) -> None:
    beside = repository / "beside"
    git(repository, "worktree", "add", "-q", "-b", "other", str(beside))
    assert found(dockopt, "--diff-base", "main", cwd=beside) == []
    touch_manifest(beside)
    assert found(dockopt, "--diff-base", "main", cwd=beside) != []
    # it lies in the work tree of another branch, and is no part of that
    assert found(dockopt, "--diff-base", "main", "beside") != []
    assert found(dockopt, "--diff-base", "main", "Dockerfile") == []


def test_a_shallow_clone(dockopt: Program, repository: Path, tmp_path: Path) -> None:
    touch_manifest(repository)
    commit(repository, "second")
    clone = tmp_path / "clone"
    git(repository, "clone", "-q", "--depth", "1", repository.as_uri(), str(clone))
    result = dockopt("suggest", "--diff-base", "HEAD~1", cwd=clone)
    assert result.code == 2
    assert "fetch it first (a CI clone often has the last commit only)" in result.err
    assert found(dockopt, "--diff-base", "HEAD", cwd=clone) == []


def test_outside_of_a_repository(dockopt: Program, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM alpine\n")
    result = dockopt("suggest", "--diff-base", "main", cwd=tmp_path)
    assert result.code == 2
    assert "lies in no git repository" in result.err


def test_standard_input_has_its_place_in_the_repository(dockopt: Program, repository: Path) -> None:
    for text, expected in (
        (None, []),
        ("FROM golang:1.22\nWORKDIR /src\nCOPY . .\nRUN go mod download\nRUN go build ./...\n", ["split-copy"]),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "dockopt", "suggest", "-", "--format", "jsonl", "--diff-base", "main"],
            cwd=repository,
            input=(text or (repository / "Dockerfile").read_text()).encode(),
            capture_output=True,
            check=True,
        )
        assert [json.loads(line)["rewrite"] for line in done.stdout.splitlines()][:1] == expected


def test_nothing_that_a_repository_asks_git_to_run_is_run(dockopt: Program, repository: Path, tmp_path: Path) -> None:
    """Every program that the configuration, the attributes or the hooks of a repository may name leaves a trace here."""
    trace, program = tmp_path / "trace", tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {trace}\ncat\n')
    program.chmod(0o755)
    base = git(repository, "rev-parse", "main:Dockerfile").decode().strip()
    (repository / ".gitattributes").write_text("* filter=evil diff=evil merge=evil text=auto\n")
    commit(repository, "attributes")
    for key in (
        "core.fsmonitor", "core.pager", "core.editor", "core.askPass", "core.sshCommand", "core.gitProxy", "diff.external",
        "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.textconv", "diff.evil.command",
        "merge.evil.driver", "pager.ls-tree", "pager.cat-file", "pager.rev-parse", "pager.merge-base", "gpg.program",
        "credential.helper", "core.alternateRefsCommand", "uploadpack.packObjectsHook", "remote.origin.uploadpack",
        "interactive.diffFilter", "sequence.editor", "receive.procReceiveRefs",
    ):  # fmt: skip
        git(repository, "config", key, str(program))
    for name in ("ls-tree", "cat-file", "rev-parse", "merge-base"):
        git(repository, "config", f"alias.{name}", f"!{program}")
    hooks = repository / ".git" / "hooks"
    for name in ("post-checkout", "post-index-change", "reference-transaction", "pre-commit", "post-merge"):
        shutil.copy(program, hooks / name)
    git(repository, "config", "core.hooksPath", str(hooks))
    # a partial clone: what is missing would be fetched, by a program of the remote's choice
    git(repository, "config", "remote.origin.url", f"ext::{program}")
    git(repository, "config", "remote.origin.promisor", "true")
    git(repository, "config", "remote.origin.partialclonefilter", "blob:none")
    git(repository, "config", "protocol.ext.allow", "always")
    trace.unlink(missing_ok=True)
    touch_manifest(repository)
    (repository / "bin").mkdir()
    shutil.copy(program, repository / "bin" / "git")
    path = f"bin{os.pathsep}{os.pathsep}{os.environ['PATH']}"
    assert found(dockopt, "--diff-base", "main", PATH=path) == ["split-copy", "cache-mounts"]
    (repository / ".git" / "objects" / base[:2] / base[2:]).unlink()
    missing = dockopt("suggest", "--diff-base", "main", PATH=path)
    assert missing.code == 2
    assert "cannot be read as it was at `main`" in missing.err
    assert not trace.exists(), trace.read_text()


# --- where the report goes


@pytest.mark.parametrize("name", ["text", "sarif", "junit"])
def test_the_report_goes_to_a_file(dockopt: Program, repository: Path, name: str) -> None:
    printed = dockopt("suggest", "--format", name, FORCE_COLOR="")
    result = dockopt("suggest", "--check", "--format", name, "--output", "report", FORCE_COLOR="1")
    assert (result.code, result.out, result.err) == (1, b"", "")
    assert (repository / "report").read_bytes() == printed.out
    (repository / "report").write_text("old, and longer than the new one" * 1000)
    dockopt("suggest", "--format", name, "--output", "report")
    assert (repository / "report").read_bytes() == printed.out
    assert not [path for path in repository.iterdir() if path.name.startswith(".report")]


def test_a_report_that_cannot_be_written(dockopt: Program, repository: Path) -> None:
    (repository / "directory").mkdir()
    for name, reason in (
        ("missing/report", "no such file"),
        ("directory", "is a directory"),
        ("/dev/null", "is a device"),
    ):
        result = dockopt("suggest", "--format", "sarif", "--output", name)
        assert result.code == 2
        assert f"nothing was written: `{name}`" in result.err
        assert reason in result.err.lower()


@pytest.mark.parametrize("option", ["--output", "--write-baseline"])
def test_no_report_takes_the_place_of_what_it_is_about(dockopt: Program, repository: Path, option: str) -> None:
    before = (repository / "Dockerfile").read_bytes()
    for name in ("Dockerfile", "link"):
        (repository / "link").unlink(missing_ok=True)
        (repository / "link").symlink_to("Dockerfile")
        code, out, err = dockopt("suggest", option, name)
        assert (code, out) == (2, b"")
        assert err == f"dockopt: `{option} {name}` would overwrite a Dockerfile; name another file\n"
    assert (repository / "Dockerfile").read_bytes() == before


def test_a_baseline_takes_the_place_of_baselines_only(dockopt: Program, repository: Path) -> None:
    (repository / "go.mod").write_text("module a.b/x\n")
    code, _, err = dockopt("suggest", "--write-baseline", "go.mod")
    assert code == 2
    assert err == "dockopt: `--write-baseline go.mod` would overwrite a file that is no baseline; remove it first\n"
    assert (repository / "go.mod").read_text() == "module a.b/x\n"
    (repository / "known.json").write_text('{"baseline": 0, "findings": []}')
    assert dockopt("suggest", "--write-baseline", "known.json").code == 0
    code, _, err = dockopt("suggest", "--baseline", "known.json", "--output", "./known.json")
    assert (code, err) == (2, "dockopt: `--output known.json` would overwrite the baseline; name another file\n")


def test_line_ends_that_git_puts_into_the_work_tree_are_no_edit(dockopt: Program, repository: Path) -> None:
    """As `core.autocrlf` does on Windows: the commit has other bytes than the files, and nobody touched anything."""
    for name in ("Dockerfile", "go.mod", "go.sum", ".dockerignore"):
        if (path := repository / name).exists():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert found(dockopt) == ["split-copy", "cache-mounts"]
    assert found(dockopt, "--diff-base", "main") == []
