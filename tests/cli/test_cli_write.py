"""`fix --write` through the whole program: what is written, what is kept, and when nothing is."""

import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import GO, SCRIPT, Program
from tests.engines.signals import heed_signals

FIXED = GO.replace(b"COPY . .", b"COPY go.mod go.sum ./\nRUN go mod download\nCOPY . .")


def test_the_file_is_written_and_a_second_run_finds_nothing(dockopt: Program, project: Path) -> None:
    first = dockopt("fix", "--write", "Dockerfile")
    assert (first.code, first.err) == (0, "")
    assert first.out.endswith(b"  written: Dockerfile\n")
    assert b"@@" not in first.out, "what is on disk now needs no diff"
    assert (project / "Dockerfile").read_bytes() == FIXED
    before = (project / "Dockerfile").stat()
    second = dockopt("fix", "--write", "Dockerfile")
    assert second.out.startswith(b"Dockerfile: nothing to improve")
    assert (project / "Dockerfile").stat().st_ino == before.st_ino, "an untouched file is not replaced"
    assert b"2 files: nothing to improve\n" in dockopt("fix", "--write").out


def test_without_write_nothing_is_written(dockopt: Program, project: Path) -> None:
    result = dockopt("fix", "Dockerfile")
    assert b"+RUN go mod download" in result.out
    assert result.err == "dockopt: nothing was written; `fix --write` applies the changes\n"
    assert (project / "Dockerfile").read_bytes() == GO


def test_several_files_are_counted(dockopt: Program, project: Path) -> None:
    (project / "b.Dockerfile").write_bytes(GO)
    assert dockopt("fix", "--write").out.endswith(b"3 files: 2 improved (2 changes)\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (GO.replace(b"\n", b"\r\n"), None),
        (b"\xef\xbb\xbf" + GO, b"\xef\xbb\xbf" + FIXED),
        (GO.rstrip(b"\n"), FIXED.rstrip(b"\n")),
        (GO + b"# \xff\xfe \t trailing  \n", FIXED + b"# \xff\xfe \t trailing  \n"),
    ],
    ids=["crlf", "bom", "no-last-newline", "no-utf-8"],
)
def test_what_no_edit_covers_stays_byte_for_byte(
    dockopt: Program, project: Path, before: bytes, after: bytes | None
) -> None:
    (project / "Dockerfile").write_bytes(before)
    assert dockopt("fix", "--write", "Dockerfile").code == 0
    written = (project / "Dockerfile").read_bytes()
    if after is not None:
        assert written == after
    else:  # the fake engine inserts lines with `\n`; all others keep theirs
        assert written.replace(b"COPY go.mod go.sum ./\nRUN go mod download\n", b"") == before


def test_mode_and_link_stay(dockopt: Program, project: Path) -> None:
    real = project / "real"
    real.write_bytes(GO)
    real.chmod(0o604)
    (project / "sub").mkdir()
    link = project / "sub" / "Dockerfile"
    link.symlink_to("../real")
    assert dockopt("fix", "--write", "sub").code == 0
    assert link.is_symlink()
    assert real.read_bytes() == FIXED
    assert stat.S_IMODE(real.stat().st_mode) == 0o604
    assert [path.name for path in (project / "sub").iterdir()] == ["Dockerfile"]


def test_all_files_of_a_change_are_written(dockopt: Program, project: Path) -> None:
    (project / "Dockerfile").write_bytes(GO + b"# IGNORE\n")
    result = dockopt("fix", "--write", "Dockerfile")
    assert result.out.endswith(b"  written: Dockerfile, .dockerignore\n")
    assert (project / ".dockerignore").read_bytes() == b".git\n"


def test_a_change_outside_of_the_context_is_refused(dockopt: Program, project: Path) -> None:
    inner = project / "inner"
    inner.mkdir()
    (project / "Dockerfile").write_bytes(GO + b"# OUTSIDE\n")
    result = dockopt("fix", "--write", "Dockerfile")
    assert result.code == 2
    assert "outside of the context" in result.err
    assert (project / "Dockerfile").read_bytes() == GO + b"# OUTSIDE\n"
    assert not (project.parent / "outside").exists()


RACING = """
import runpy, sys
sys.argv = sys.argv[1:]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
import fake_engine
from dockopt.optimizer import engine
def analyze(path, source, options=None):
    report = fake_engine.analyze(path, source, options)
    {between}
    return report
engine.analyze = analyze
from dockopt.optimizer.cli import main
main()
"""


def racing(project: Path, between: str) -> "subprocess.Popen[bytes]":
    """The program with the fake engine; `between` runs after the file was read and before it is written."""
    return subprocess.Popen(
        [sys.executable, "-c", RACING.format(between=between), SCRIPT, "fix", "--write", "Dockerfile"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=project,
        preexec_fn=heed_signals,
    )


def test_a_file_that_changed_meanwhile_is_left_alone(project: Path) -> None:
    with racing(project, "path.write_bytes(source + b'# edited\\n')") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert (
        errors
        == b"dockopt: Dockerfile: nothing was written: `Dockerfile`: changed on disk since it was read; run again\n"
    )
    assert (project / "Dockerfile").read_bytes() == GO + b"# edited\n"


def test_a_file_that_went_away_meanwhile_is_not_made_again(project: Path) -> None:
    with racing(project, "path.unlink()") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"nothing was written" in errors
    assert not (project / "Dockerfile").exists()


def test_control_c_ends_the_program_and_leaves_the_file(project: Path) -> None:
    with racing(project, "import time; print('ready', flush=True); time.sleep(60)") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"ready\n"
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(30)
        assert time.monotonic() - started < 20
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == 130
    assert [path.name for path in sorted(project.iterdir())] == ["Dockerfile", "good.Dockerfile"]
    assert (project / "Dockerfile").read_bytes() == GO
