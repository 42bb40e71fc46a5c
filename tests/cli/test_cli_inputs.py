"""Where Dockerfiles come from, and what cannot be one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dockopt.optimizer.inputs import MAX_BYTES, InputError, read_file

from tests.cli.conftest import GO, GOOD, SCRIPT, Program


def test_standard_input_is_analysed_under_the_name_it_is_given(dockopt: Program) -> None:
    plain = dockopt("suggest", "-", stdin=GO)
    assert plain.code == 0
    assert b"--- a/Dockerfile\n" in plain.out
    named = dockopt("suggest", "-", "--stdin-filename", "sub/Dockerfile", stdin=GO)
    assert b"--- a/sub/Dockerfile\n" in named.out
    assert named.out.startswith(b"sub/Dockerfile: context ")


def test_fixing_standard_input_prints_the_new_text_and_nothing_else(dockopt: Program) -> None:
    fixed = dockopt("fix", "-", stdin=GO)
    assert (fixed.code, fixed.err) == (0, "")
    assert fixed.out == GO.replace(b"COPY . .", b"COPY go.mod go.sum ./\nRUN go mod download\nCOPY . .")
    assert dockopt("fix", "-", stdin=fixed.out).out == fixed.out
    untouched = b"\xef\xbb\xbfFROM alpine\r\nRUN \xff\x1b[31m\r\n# no new line"
    assert dockopt("fix", "-", stdin=untouched).out == untouched


def test_what_cannot_be_fixed_prints_no_text(dockopt: Program) -> None:
    for text in (b"", b"FROM a\nSYNTAX\n", b"FROM a\nBOOM\n"):
        result = dockopt("fix", "-", stdin=text)
        assert result.out == b""
        assert result.code in (2, 3)


def test_a_change_of_two_files_cannot_be_printed_as_one(dockopt: Program) -> None:
    result = dockopt("fix", "-", stdin=GO + b"# IGNORE\n")
    assert (result.code, result.out) == (2, b"")
    assert "`.dockerignore`" in result.err


def test_a_closed_standard_input(project: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" "{SCRIPT}" suggest - <&-'], capture_output=True, check=False, cwd=project
    )
    assert done.returncode == 2
    assert done.stderr == b"dockopt: Dockerfile: standard input is closed\n"


def test_a_directory_is_searched(dockopt: Program, project: Path) -> None:
    for name in ("a/Dockerfile", "a/api.Dockerfile", "b/Dockerfile.dev", "b/Containerfile", "b/c/containerfile"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(GOOD)
    for name in (
        "a/Dockerfile.dockerignore",
        "a/Dockerfile~",
        "node_modules/x/Dockerfile",
        ".git/Dockerfile",
        "a/file",
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(b"BOOM")
    result = dockopt("suggest", "a", "b", "a/Dockerfile", "./b/../a")
    assert (result.code, result.err) == (0, "")
    named = [line.split(b":")[0] for line in result.out.splitlines()]
    assert named == [
        b"a/Dockerfile",
        b"a/api.Dockerfile",
        b"b/Containerfile",
        b"b/Dockerfile.dev",
        b"b/c/containerfile",
        b"5 files",
    ]


def test_without_a_path_the_current_directory_is_searched(dockopt: Program) -> None:
    result = dockopt("suggest", "--quiet", "--check")
    assert result.code == 1
    assert result.out.startswith(b"Dockerfile: ")


def test_a_file_that_is_named_may_be_called_anything(dockopt: Program, project: Path) -> None:
    (project / "-odd name").write_bytes(GO)
    result = dockopt("suggest", "--", "-odd name")
    assert (result.code, result.err) == (0, "")
    assert b"--- a/-odd name\t\n" in result.out


def test_a_cycle_of_links_ends(dockopt: Program, project: Path) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "up").symlink_to("..")
    (project / "sub" / "Dockerfile").symlink_to("Dockerfile")
    result = dockopt("suggest", ".")
    assert result.code == 0
    assert b"2 files" in result.out
    loop = dockopt("suggest", "sub/Dockerfile")
    assert (loop.code, loop.out) == (2, b"")
    assert "symbolic links" in loop.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xff\xfeF\0R\0", "1:1: is UTF-16 text"),
        (b"FROM a\nRUN b\0c\n", "2:6: is binary"),
        (b"\x7fELF\x02\x01\x01\0", "1:8: is binary"),
        (b"FROM a\nSYNTAX\n", "2:1: unknown instruction"),
    ],
    ids=["empty", "utf-16", "nul", "elf", "syntax"],
)
def test_what_is_no_dockerfile_is_named_with_its_place(
    dockopt: Program, project: Path, content: bytes, message: str
) -> None:
    (project / "file").write_bytes(content)
    result = dockopt("fix", "--write", "file")
    assert (result.code, result.out) == (2, b"")
    assert result.err.startswith("dockopt: file:")
    assert message in result.err
    assert result.err.count("\n") == 1
    assert (project / "file").read_bytes() == content


def test_what_is_no_regular_file_is_not_waited_for(dockopt: Program, project: Path) -> None:
    os.mkfifo(project / "fifo")
    assert "fifo: is a FIFO" in dockopt("suggest", "fifo").err
    assert "/dev/zero: is a device" in dockopt("suggest", "/dev/zero").err
    missing = dockopt("suggest", "nowhere/Dockerfile", "")
    assert missing.code == 2
    assert missing.err == "dockopt: nowhere/Dockerfile: no such file or directory\ndockopt: '': the path is empty\n"


def test_a_file_that_may_not_be_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)  # root may read everything
    with pytest.raises(InputError, match="permission denied") as caught:
        read_file(project / "Dockerfile")
    assert (
        caught.value.located("Dockerfile")
        == "Dockerfile: permission denied; make it readable for the user that runs dockopt"
    )


def test_too_large_a_file_is_not_read(dockopt: Program, project: Path) -> None:
    with (project / "large").open("wb") as file:
        file.truncate(50 * MAX_BYTES)  # sparse: reading it would show in memory and time
    result = dockopt("suggest", "large")
    assert (result.code, result.out) == (2, b"")
    assert result.err == "dockopt: large: is larger than 16 MiB, which no Dockerfile is\n"
    assert "larger than 16 MiB" in dockopt("suggest", "-", stdin=b"#" * (MAX_BYTES + 1)).err


def test_ten_megabytes_are_read(dockopt: Program, project: Path) -> None:
    large = GO + b"# a long comment\n" * 600_000
    (project / "large").write_bytes(large)
    result = dockopt("suggest", "--quiet", "large")
    assert (result.code, result.err) == (0, "")
    assert len(result.out) < 1000
    assert dockopt("fix", "--write", "large").code == 0
    assert (project / "large").stat().st_size > len(large)
