"""What may not be read or written: one line that names it, exit code 2, and everything stays as it is.

The program runs as a process to which permissions mean something: root without the capabilities to pass over them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures"
SOURCE = Path(__file__).parents[2] / ".src"
READABLE = "permission denied; make it readable for the user that runs dockopt"


def _unprivileged() -> list[str] | None:
    """Return what to put before a command so that permissions hold, None where there is no way."""
    if os.geteuid():
        return []
    found = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if shutil.which("setpriv") is None or subprocess.run([*found, "true"], check=False).returncode:
        return None
    return found


PREFIX = _unprivileged()
pytestmark = pytest.mark.skipif(PREFIX is None, reason="root without `setpriv` reads and writes everything")


def dockopt(*arguments: str, directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a directory; it never breaks."""
    found = subprocess.run(
        [*(PREFIX or ()), sys.executable, "-m", "dockopt", *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": f"{SOURCE}", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in found.stderr
    assert "internal error" not in found.stderr
    return found


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "project"
    shutil.copytree(FIXTURES / "examples" / "go-service", root)
    (root / ".git").mkdir()
    yield root
    for path in (root, *root.rglob("*")):  # so that pytest can remove it
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize(
    "command",
    "suggest|fix --write|suggest Dockerfile|graph Dockerfile|ci Dockerfile|harden Dockerfile|verify Dockerfile|size Dockerfile|"
    "pin --digest Dockerfile".split("|"),
)
def test_a_dockerfile_that_may_not_be_read(command: str, project: Path) -> None:
    (project / "Dockerfile").chmod(0)
    found = dockopt(*command.split(), directory=project)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == f"dockopt: Dockerfile: {READABLE}\n"


@pytest.mark.parametrize("name", ["dockopt.toml", "pyproject.toml", ".dockerignore", "Dockerfile.dockerignore"])
@pytest.mark.parametrize("command", ["suggest", "fix --write", "graph Dockerfile", "ci Dockerfile", "config"])
def test_a_file_that_counts_and_may_not_be_read(name: str, command: str, project: Path) -> None:
    if command == "config" and name.endswith("ignore"):
        return  # it does not look at ignore files
    before = (project / "Dockerfile").read_bytes()
    (project / name).write_text("")
    (project / name).chmod(0)
    found = dockopt(*command.split(), directory=project)
    assert (found.returncode, found.stdout) == (2, "")
    assert name in found.stderr
    assert found.stderr.endswith(f"{READABLE}\n")
    assert (project / "Dockerfile").read_bytes() == before


@pytest.mark.parametrize(("name", "mode"), [("Dockerfile", 0o444), (".", 0o555)], ids=["file", "directory"])
def test_a_dockerfile_that_may_not_be_written(name: str, mode: int, project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    (project / name).chmod(mode)
    found = dockopt("fix", "--write", directory=project)
    assert found.returncode == 2
    assert "dockopt: Dockerfile: nothing was written: `Dockerfile`: " in found.stderr
    (project / name).chmod(0o755)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "arguments", [("suggest", "--output", "closed/x"), ("suggest", "--write-baseline", "closed/x"), ("init", "closed")]
)
@pytest.mark.parametrize("mode", [0o000, 0o555])
def test_a_directory_that_may_not_be_written(arguments: tuple[str, ...], mode: int, project: Path) -> None:
    (project / "closed").mkdir()
    (project / "closed").chmod(mode)
    found = dockopt(*arguments, *(["--yes"] if arguments[0] == "init" else []), directory=project)
    assert found.returncode == 2
    assert "closed" in found.stderr
    assert "ermission denied" in found.stderr or "is not readable" in found.stderr
    assert "put back" not in found.stderr
    (project / "closed").chmod(0o755)
    assert list((project / "closed").iterdir()) == []


def test_a_baseline_that_may_not_be_read(project: Path) -> None:
    baseline = project / "baseline.json"
    baseline.write_text('{"baseline": 1, "findings": []}')
    baseline.chmod(0)
    for option in ("--baseline", "--write-baseline"):
        found = dockopt("suggest", option, "baseline.json", directory=project)
        assert found.returncode == 2
        assert "baseline.json" in found.stderr
    baseline.chmod(0o600)
    assert baseline.read_text() == '{"baseline": 1, "findings": []}'


@pytest.mark.parametrize("mode", [0o000, 0o300, 0o600])
def test_a_directory_that_may_not_be_searched(mode: int, project: Path) -> None:
    (project / "closed").mkdir()
    (project / "closed" / "Dockerfile").write_text("FROM scratch\n")
    (project / "closed").chmod(mode)
    found = dockopt("suggest", "closed", directory=project)
    assert found.returncode == 2
    assert "closed" in found.stderr
    assert READABLE in found.stderr
    # below a directory that is searched it is passed over, like those that hold packages
    assert dockopt("suggest", directory=project).returncode == 0


@pytest.mark.parametrize("command", ["suggest", "init", "config", "ci"])
def test_a_working_directory_that_may_not_be_looked_at(command: str, project: Path) -> None:
    """It was entered before it was closed."""
    script = 'cd "$1" && chmod 000 . && exec "$2" -m dockopt "$3"'
    found = subprocess.run(
        [*(PREFIX or ()), "sh", "-c", script, "sh", os.fspath(project), sys.executable, command],
        env={**os.environ, "PYTHONPATH": f"{SOURCE}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2
    assert "internal error" not in found.stderr
    assert "ermission denied" in found.stderr or "no such directory" in found.stderr


@pytest.mark.parametrize("name", ["go.mod", "vendor"])
def test_what_may_not_be_read_in_the_context_is_unknown_and_not_absent(name: str, project: Path) -> None:
    path = project / name
    if name == "vendor":
        path.mkdir()
    path.chmod(0)
    found = dockopt("suggest", "--format", "json", directory=project)
    assert found.returncode == 0
    assert "split-copy" not in [change["rewrite"] for change in json.loads(found.stdout)["files"][0]["changes"]]


def test_a_directory_of_the_context_that_may_not_be_searched_is_unknown(project: Path) -> None:
    """Its manifest may be there or not: nothing is built on either."""
    (project / "service").mkdir()
    for name in ("go.mod", "go.sum"):
        (project / name).rename(project / "service" / name)
    text = (project / "Dockerfile").read_text().replace("WORKDIR /src", "WORKDIR /src/service").replace(". .", ". /src")
    (project / "Dockerfile").write_text(text)
    open_to_all = dockopt("suggest", "-q", directory=project).stdout
    assert "split-copy" in open_to_all
    (project / "service").chmod(0)
    assert "split-copy" not in dockopt("suggest", "-q", directory=project).stdout


def test_a_compose_file_that_may_not_be_read_is_told(project: Path) -> None:
    """It may name another context."""
    (project / "compose.yaml").write_text("services: {a: {build: {context: ..}}}\n")
    (project / "compose.yaml").chmod(0)
    found = dockopt("suggest", directory=project)
    assert found.returncode == 0
    assert "`compose.yaml` is left aside: it cannot be read" in found.stdout + found.stderr


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore", "dockopt.toml"])
def test_the_language_server_says_so_too(name: str, project: Path) -> None:
    pytest.importorskip("pygls", reason="the extra `lsp` is not installed")
    from tests.lsp.clients import NEOVIM_0_7
    from tests.lsp.editor import Editor

    text = (project / "Dockerfile").read_text()
    (project / name).touch()
    (project / name).chmod(0)
    with Editor(project, NEOVIM_0_7, prefix=PREFIX or ()) as editor:
        uri = editor.open(project / "Dockerfile", text)
        found = editor.published(uri)
        if name == "Dockerfile":
            assert "split-copy" in [diagnostic["code"] for diagnostic in found]  # the editor has its text
        else:
            assert [READABLE in diagnostic["message"] for diagnostic in found] == [True]
        assert editor.close() == 0
        assert b"Traceback" not in editor.log
