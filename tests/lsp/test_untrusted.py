"""A workspace of strangers: nothing in it is executed, and nothing outside of it is read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dockopt.optimizer.context.disk import Disk
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.lsp.server import Server

from tests.lsp.conftest import FIXTURES, Start

SOURCE = Path(__file__).parents[2]
#: analyses a Dockerfile in an interpreter that tells which files it opened, listed or executed
PROGRAM = """
import os, sys
from pathlib import Path
from dockopt.optimizer.context.disk import Disk
from dockopt.optimizer.engine import Options, analyze
import dockopt.rewrites.registry, importlib
file, limit = Path(sys.argv[1]), Path(sys.argv[2])
seen = []
def hook(event, arguments):
    started = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "os.system", "socket.connect")
    # a number is a file that was opened by its name before
    if event in started or (event in ("open", "os.scandir", "os.listdir") and not isinstance(arguments[0], int)):
        seen.append((event, arguments[0]))
source = file.read_bytes()
options = Options(disk=Disk(limit))
analyze(file, source, Options(disk=Disk(file.parent)))  # modules are loaded
sys.addaudithook(hook)
report = analyze(file, source, options)
for event, path in seen:
    print(event, os.path.realpath(path) if isinstance(path, (str, os.PathLike)) else path)
print("changes", len(report.changes), report.error or "")
"""


def looked_at(file: Path, limit: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, file, limit],
        env={**os.environ, "PYTHONPATH": str(SOURCE / ".src")},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode().splitlines()


@pytest.fixture
def monorepo(tmp_path: Path) -> Path:
    """A repository of which only one part is open, with much above it that an analysis would like to know."""
    root = tmp_path / "repository"
    part = root / "services" / "shortlinks"
    shutil.copytree(FIXTURES / "examples" / "go-service", part)
    (root / ".git").mkdir()
    (root / ".gitignore").write_text("go.sum\n")
    (root / ".dockerignore").write_text("*\n")
    (root / "dockopt.toml").write_text("nonsense = 1\n")
    (root / "docker-compose.yml").write_text(
        "services:\n  x:\n    build:\n      context: .\n      dockerfile: services/shortlinks/Dockerfile\n"
    )
    (root / "Makefile").write_text("image:\n\tdocker build -f services/shortlinks/Dockerfile .\n")
    return part


def test_nothing_outside_of_the_workspace_is_opened(monorepo: Path) -> None:
    *seen, last = looked_at(monorepo / "Dockerfile", monorepo)
    assert last == "changes 2 "
    paths = [line.split(" ", 1)[1] for line in seen]
    assert any(path.startswith(str(monorepo)) for path in paths)
    assert [path for path in paths if not path.startswith(str(monorepo))] == []


def test_nothing_is_executed(monorepo: Path) -> None:
    for name in ("setup.py", "conftest.py", "sitecustomize.py", "typing.py", "build.sh"):
        (monorepo / name).write_text("import os; os.system('touch /tmp/dockopt-was-here')\n")
    seen = looked_at(monorepo / "Dockerfile", monorepo)
    assert {line.split(" ", 1)[0] for line in seen} <= {"open", "os.scandir", "os.listdir", "changes"}


@pytest.mark.parametrize(
    "name",
    [
        ".dockerignore",
        "Dockerfile.dockerignore",
        "dockopt.toml",
        "pyproject.toml",
        ".gitignore",
        "go.mod",
        "docker-compose.yml",
    ],
)
def test_links_out_of_the_workspace_are_not_followed(name: str, monorepo: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("[tool.dockopt]\nservices = 'secret'\n*\n")
    (monorepo / name).unlink(missing_ok=True)
    (monorepo / name).symlink_to(secret)
    assert not [line for line in looked_at(monorepo / "Dockerfile", monorepo) if str(secret) in line]


def test_a_link_that_is_the_dockerfile_itself_changes_nothing(monorepo: Path) -> None:
    report = analyze(monorepo / "Dockerfile", b"FROM a\nCOPY ../../Makefile /x\n", Options(disk=Disk(monorepo)))
    assert report.error is None


def test_a_context_outside_of_the_workspace_is_refused(monorepo: Path) -> None:
    source = (monorepo / "Dockerfile").read_bytes()
    report = analyze(monorepo / "Dockerfile", source, Options(context=monorepo.parent, disk=Disk(monorepo)))
    assert report.error is not None
    assert "lies outside of" in report.error


def test_another_context_outside_of_the_workspace_blocks(monorepo: Path) -> None:
    """A file of the project names a context that may not be looked at: what is right there cannot be told."""
    (monorepo / "docker-compose.yml").write_text(
        "services:\n  x:\n    build: .\n  y:\n    build:\n      context: ../..\n      dockerfile: services/shortlinks/Dockerfile\n"
    )
    *seen, _ = looked_at(monorepo / "Dockerfile", monorepo)
    assert [line for line in seen if str(monorepo) not in line] == []


def test_the_whole_repository_is_read_when_the_user_wants_that(monorepo: Path, start: Start) -> None:
    narrow = start(monorepo)
    uri = narrow.open(monorepo / "Dockerfile")
    assert {item["code"] for item in narrow.published(uri)} >= {"split-copy", "cache-mounts"}
    wide = start(monorepo, settings={"wholeRepository": True})
    uri = wide.open(monorepo / "Dockerfile")
    wide.wait_for(lambda: any("dockopt.toml" in item["message"] for item in wide.diagnostics.get(uri, ())))


def test_a_file_outside_of_all_folders_is_read_with_its_directory_only(
    monorepo: Path, tmp_path: Path, start: Start
) -> None:
    (tmp_path / "elsewhere").mkdir()
    editor = start(tmp_path / "elsewhere")
    uri = editor.open(monorepo / "Dockerfile")
    assert {item["code"] for item in editor.published(uri)} >= {"split-copy", "cache-mounts"}


def test_the_deepest_folder_counts(tmp_path: Path) -> None:
    from dockopt.optimizer.lsp.handshake import greeting_of

    folders = [{"uri": (tmp_path / name).as_uri(), "name": name} for name in ("a", "a/b")]
    server = Server(greeting_of({"capabilities": {}, "workspaceFolders": folders}))
    assert server.folder_of(tmp_path / "a" / "b" / "Dockerfile") == tmp_path / "a" / "b"
    assert server.folder_of(tmp_path / "a" / "c" / "Dockerfile") == tmp_path / "a"
    assert server.folder_of(tmp_path / "x" / "Dockerfile") == tmp_path / "x"
