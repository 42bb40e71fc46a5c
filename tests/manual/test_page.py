"""The manual page: made from the commands, current, and without a fault that a formatter finds."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from dockopt.optimizer.manual.page import manual_page
from dockopt.optimizer.manual.tree import program

PAGE = Path(__file__).parents[2] / "docs" / "man" / "dockopt.1"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == manual_page(), "run `python docs/fill.py`"


def test_every_command_and_option_has_its_place() -> None:
    text = manual_page()
    for command in program()[1]:
        section = text.partition(f"\n.SS {command.name}\n")[2].partition("\n.S")[0]
        for option in command.options:
            for name in option.names:
                assert f"\\fB{name.replace('-', chr(92) + '-')}\\fR" in section or "--help" in option.names
        for _, typed in command.examples:
            assert typed.split()[0] in section


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="needs mandoc")
def test_a_strict_formatter_finds_no_fault() -> None:
    done = subprocess.run(["mandoc", "-Tlint", PAGE], capture_output=True, text=True, timeout=60, check=False)
    # a page that is made again and again has no date
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
def test_man_shows_it() -> None:
    done = subprocess.run(["man", "--warnings", "-l", PAGE], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    for text in (
        "DOCKOPT(1)",
        "\nNAME\n       dockopt - rewrite Dockerfiles",
        'eval "$(dockopt completion bash)"',
        "--bisect-limit N",
    ):
        assert text in done.stdout
