"""What is printed, and that nothing of a Dockerfile or a file name acts on a terminal or on rich."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dockopt.optimizer.report.safe_text import safe
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import GO, SCRIPT, Program

COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
EVIL = b"FROM a\nCOPY . .\nRUN echo [red]x[/red] [/] :smile: [link=http://e]y \x1b]0;title\x07 \x1b[2J \xe2\x80\xae \x9b31m \xff\n"


def test_the_report_in_full(dockopt: Program) -> None:
    assert dockopt("suggest", "Dockerfile") == (
        0,
        b"""\
Dockerfile: context . (all sources resolve here)
Dockerfile:3: split-copy: every edit runs `go mod download` again
  gain: `go mod download` is reused until go.mod or go.sum change
  same image: proven for every context that agrees on go.mod, go.sum
Dockerfile: 1 place left alone; --explain-refusals tells why
--- a/Dockerfile
+++ b/Dockerfile
@@ -1,4 +1,6 @@
 FROM golang:1.22
 WORKDIR /src
+COPY go.mod go.sum ./
+RUN go mod download
 COPY . .
 RUN go build ./...
""",
        "",
    )


def test_a_good_file_gets_one_quiet_line(dockopt: Program) -> None:
    result = dockopt("suggest", "good.Dockerfile")
    assert result.out == b"good.Dockerfile: nothing to improve (1 place left alone; --explain-refusals tells why)\n"
    assert dockopt("suggest", "--quiet", "good.Dockerfile").out == b""


def test_details_are_printed_where_asked_for(dockopt: Program, project: Path) -> None:
    (project / "Dockerfile").write_bytes(GO + b"ENV a=b\nLABEL c=d\n")
    brief = dockopt("suggest", "Dockerfile").out
    for option, text in (
        (
            "--explain",
            b"    compared: `build`: 4 writes, the same value on both sides\n    frozen: go.mod (sha256:1)\n",
        ),
        ("--explain", b"    assumes: modules-available: "),
        ("--explain-refusals", b"Dockerfile:4: split-run: left alone: `make` is not understood (Makefile:7)\n"),
        ("--unproven", b"Dockerfile:5: reorder: `ENV` stands too high (unproven, not applied)\n"),
        ("--unproven", b"  not proven: `make` reads no variable (line 5)\n"),
        (
            "--all",
            b"Dockerfile:6: pin-base: `latest` moves (changes the image; `fix --write --all --select pin-base` applies it)\n",
        ),
        ("--all", b"  same image but for /etc: "),
    ):
        assert text not in brief
        assert text in dockopt("suggest", option, "Dockerfile").out


def test_a_piped_report_is_a_patch(dockopt: Program, project: Path) -> None:
    diff = dockopt("suggest", "Dockerfile").out
    assert b"\x1b" not in diff
    subprocess.run(["git", "apply"], input=diff, cwd=project, check=True, timeout=30)
    assert b"\nRUN go mod download\n" in (project / "Dockerfile").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "environment", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "", "NO_COLOR": ""}, False),
    ],
)
def test_colours(dockopt: Program, arguments: list[str], environment: dict[str, str], colored: bool) -> None:
    result = dockopt("suggest", "Dockerfile", *arguments, **environment)
    assert (b"\x1b[" in result.out) == colored
    assert COLOUR.sub(b"", result.out) == dockopt("suggest", "Dockerfile").out


def on_terminal(project: Path, *arguments: str, **environment: str) -> bytes:
    """What the program writes to a terminal, without the `\\r` that the terminal adds."""
    ours, theirs = pty.openpty()
    variables = {**os.environ, "TERM": "xterm", **environment}
    with subprocess.Popen(
        [sys.executable, SCRIPT, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, cwd=project, env=variables
    ) as process:
        os.close(theirs)
        received = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # Linux: EIO when the other end is closed
                break
            if not block:
                break
            received += block
        process.wait(30)
    os.close(ours)
    return received.replace(b"\r\n", b"\n")


def test_a_terminal_gets_colours_unless_told_otherwise(project: Path) -> None:
    assert b"\x1b[32m+RUN go mod download" in on_terminal(project, "suggest", "Dockerfile")
    for arguments, environment in ((["--color", "never"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})):
        assert b"\x1b" not in on_terminal(project, "suggest", "Dockerfile", *arguments, **environment)


def test_many_files_on_a_terminal_show_progress_and_every_report(project: Path) -> None:
    for number in range(60):
        (project / f"{number}.Dockerfile").write_bytes(b"FROM a\n")
    shown = on_terminal(project, "suggest", ".")
    assert b"analysing" in shown
    assert shown.count(b"nothing to improve") == 61
    assert b"62 files: 1 can be improved" in shown


def test_text_of_a_dockerfile_cannot_act(dockopt: Program, project: Path) -> None:
    (project / "Dockerfile").write_bytes(EVIL)
    for shown in (
        COLOUR.sub(b"", dockopt("suggest", "Dockerfile", "--color", "always").out),
        on_terminal(project, "suggest", "--color", "never", "Dockerfile"),
        COLOUR.sub(b"", on_terminal(project, "suggest", "Dockerfile")),
    ):
        assert rb"echo [red]x[/red] [/] :smile: [link=http://e]y \x1b]0;title\x07 \x1b[2J \u202e \x9b31m \xff" in shown
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f-\x9f]|\xe2\x80\xae", shown)
    # a pipe gets the very bytes: a patch has to apply
    assert EVIL.splitlines()[2] in dockopt("suggest", "Dockerfile").out


@pytest.mark.parametrize(
    "name", [b"\x1b[31mred", b"[bold red]x :smile:", b"new\nline", b"\xff\xfe", "r\u202etl".encode(), b"\x9b2J"]
)
def test_a_file_name_cannot_act(dockopt: Program, project: Path, name: bytes) -> None:
    path = os.fsencode(project) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(GO)
    shown = safe(os.fsdecode(name)).encode()
    for arguments in ((), ("--color", "always")):
        result = dockopt("suggest", name, *arguments)
        assert result.code == 0
        assert COLOUR.sub(b"", result.out).startswith(shown + b": context ")
        plain = COLOUR.sub(b"", result.out)
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", plain)
    assert dockopt("fix", "--write", name).out.splitlines()[-1] == b"  written: " + shown
    Path(os.fsdecode(path)).write_bytes(b"")
    assert (
        dockopt("suggest", name).err
        == f"dockopt: {safe(os.fsdecode(name))}: is empty; a Dockerfile needs at least one instruction\n"
    )


def test_a_message_of_the_command_line_cannot_act(dockopt: Program) -> None:
    for arguments in (
        ["suggest", "\x1b[31mx"],
        ["suggest", "--format", "\x1b[31m"],
        ["\x1b[31m"],
        ["explain", "\x1b[31m"],
    ):
        result = dockopt(*arguments)
        assert result.code == 2
        assert "\x1b" not in result.err
        assert r"\x1b[31m" in result.err


@given(st.text())
def test_safe_text_is_printable_and_keeps_what_is(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable()
    assert safe(shown) == shown
    if text.isprintable():
        assert shown == text


@given(st.binary())
def test_any_bytes_become_safe_text(content: bytes) -> None:
    assert safe(content).isprintable()
    assert "\ufffd" not in safe(content.replace(b"\xef\xbf\xbd", b""))


def test_a_terminal_that_knows_only_ascii(dockopt: Program, project: Path) -> None:
    (project / "Dockerfile").write_bytes("FROM a\nCOPY . .\n# größer 🐳\n".encode())
    result = dockopt("suggest", "--color", "always", "Dockerfile", PYTHONIOENCODING="ascii")
    assert result.code == 0
    assert rb"gr\xf6\xdfer \U0001f433" in result.out


def test_a_reader_that_goes_away(project: Path) -> None:
    for number in range(400):
        (project / f"{number}.Dockerfile").write_bytes(GO)
    done = subprocess.run(
        ["/bin/sh", "-c", f'{{ "{sys.executable}" "{SCRIPT}" suggest .; echo "code $?" >&2; }} | head -n 1'],
        capture_output=True,
        cwd=project,
        timeout=60,
        check=True,
    )
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b"code 141\n"


def test_a_full_disk(project: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, SCRIPT, "suggest"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=project,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == b"dockopt: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize("arguments", [["suggest"], ["suggest", "--format=json"], ["rules"]])
def test_a_standard_output_that_was_closed_from_the_start_is_no_defect(arguments: list[str], project: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$@" >&-', "bash", sys.executable, SCRIPT, *arguments],
        cwd=project,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "dockopt: standard output cannot be written: Bad file descriptor\n")
