"""Completion in real shells: the function that is called, and what a key press shows on a terminal."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dockopt.optimizer.manual.completion import SHELLS, script
from dockopt.optimizer.manual.tree import program, rule_ids
from dockopt.optimizer.report.formats import FORMATS

COMMANDS = [command.name for command in program()[1]]
needs = {shell: pytest.mark.skipif(shutil.which(shell) is None, reason=f"needs {shell}") for shell in SHELLS}

ASK_BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_dockopt
printf '%s\\n' "${COMPREPLY[@]}"
"""

Complete = Callable[..., list[str]]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for shell in SHELLS:
        (tmp_path / f"script.{shell}").write_text(script(shell))
    work = tmp_path / "work"
    (work / "some dir").mkdir(parents=True)
    (work / "Dockerfile.dev").write_text("")
    (work / "a'b *.Dockerfile").write_text("")
    monkeypatch.chdir(work)
    return tmp_path


@pytest.fixture
def bash(files: Path) -> Complete:
    """What bash would offer for words, the last of which is being typed; `=` is a word by itself, as in COMP_WORDBREAKS."""

    def complete(*words: str) -> list[str]:
        done = subprocess.run(
            ["bash", "--norc", "-c", ASK_BASH, "bash", files / "script.bash", "dockopt", *words],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        return [line for line in done.stdout.split("\n") if line]

    return complete


@pytest.fixture
def fish(files: Path) -> Complete:
    def complete(*words: str) -> list[str]:
        line = " ".join(["dockopt", *words])
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source {files}/script.fish; complete -C '{line}'"],
            capture_output=True, text=True, timeout=60, check=True, env={**os.environ, "HOME": str(files)},
        )  # fmt: skip
        assert done.stderr == ""
        return [line.partition("\t")[0] for line in done.stdout.splitlines()]

    return complete


def test_every_command_and_option_is_in_every_script() -> None:
    for shell in SHELLS:
        text = script(shell)
        for command in program()[1]:
            assert command.name in text
            for option in command.options:
                long = max(option.names, key=len)
                assert (f"-l {long[2:]}" if shell == "fish" else long) in text
        assert "dockopt.optimizer" not in text
        assert "python" not in text.lower()


@needs["bash"]
def test_bash_knows_commands_and_options(bash: Complete) -> None:
    assert bash("") == COMMANDS
    assert bash("su") == ["suggest"]
    assert bash("--v") == ["--version"]
    assert bash("suggest", "--explain") == ["--explain", "--explain-refusals"]
    assert "--write" in bash("fix", "Dockerfile", "--")
    assert "--write" not in bash("suggest", "--")


@needs["bash"]
def test_bash_knows_values(bash: Complete) -> None:
    assert bash("suggest", "--color", "") == ["auto", "always", "never"]
    assert bash("suggest", "--color", "=", "n") == ["never"]
    assert bash("suggest", "--color", "=") == ["auto", "always", "never"]
    assert bash("suggest", "--format", "") == list(FORMATS), "the help does not have them apart"
    assert bash("graph", "Dockerfile", "--format", "m") == ["mermaid"]
    assert bash("explain", "dr") == ["drift"]
    assert bash("suggest", "--select", "") == list(rule_ids())
    assert bash("suggest", "--select", "drift,split-") == ["drift,split-copy", "drift,split-run"]
    assert bash("fix", "--target-is-no-option", "") == bash("fix", "")
    assert bash("verify", "--target", "") == []
    assert bash("completion", "") == list(SHELLS)
    assert bash("rules", "") == []


@needs["bash"]
def test_bash_offers_files_and_directories_whatever_their_names(bash: Complete) -> None:
    assert sorted(bash("suggest", "")) == ["Dockerfile.dev", "a'b *.Dockerfile", "some dir"]
    assert bash("suggest", "--context", "") == ["some dir"]
    assert bash("init", "") == ["some dir"]


@needs["fish"]
def test_fish(fish: Complete) -> None:
    assert sorted(fish("")) == sorted(COMMANDS)
    assert fish("suggest", "--color", "n") == ["never"]
    assert fish("explain", "dr") == ["drift"]
    assert sorted(fish("suggest", "--select", "drift,split-")) == ["drift,split-copy", "drift,split-run"]
    assert fish("suggest", "--context", "so") == ["some\\ dir/"] or fish("suggest", "--context", "so") == ["some dir/"]
    assert "Dockerfile.dev" in fish("suggest", "Doc")
    assert fish("rules", "Doc") == []
    assert "--write" in fish("fix", "--w")


def typed(command: list[str], begin: str, keys: str, expected: str) -> str:
    """Type into a shell on a terminal until it shows what is expected; return all that it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "dumb", "PS1": "READY> ", "PROMPT": "READY> "}
        os.execvp(command[0], command)
    shown = b""

    def read_until(text: bytes) -> None:
        nonlocal shown
        end = time.monotonic() + 60  # only a shell that hangs gets there
        while text not in shown and time.monotonic() < end:
            if select.select([terminal], [], [], 1)[0]:
                try:
                    shown += os.read(terminal, 65536)
                except OSError:
                    return

    try:
        os.write(terminal, f"{begin}; echo BE''GUN\n".encode())
        read_until(b"BEGUN")
        shown = b""
        os.write(terminal, keys.encode())
        read_until(expected.encode())
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return shown.decode("utf-8", "replace")


@needs["bash"]
def test_a_key_press_in_bash(files: Path) -> None:
    begin = f"source {files}/script.bash"
    bash = ["bash", "--norc", "--noprofile", "-i"]
    assert "dockopt suggest " in typed(bash, begin, "dockopt sugg\t", "dockopt suggest ")
    assert "--select=drift,split-copy" in typed(
        bash, begin, "dockopt fix --select=drift,split-c\t", "--select=drift,split-copy"
    )
    assert "some\\ dir/" in typed(bash, begin, "dockopt suggest --context so\t", "some\\ dir/")


@needs["zsh"]
def test_a_key_press_in_zsh(files: Path) -> None:
    begin = f"autoload -U compinit; compinit -u -D; source {files}/script.zsh"
    zsh = ["zsh", "-f", "-i"]
    assert "dockopt suggest" in typed(zsh, begin, "dockopt sugg\t", "suggest")
    assert "mermaid" in typed(zsh, begin, "dockopt graph --format m\t", "mermaid")
    assert "split-copy" in typed(zsh, begin, "dockopt fix --select drift,split-c\t", "split-copy")
    assert "drift" in typed(zsh, begin, "dockopt explain dr\t", "drift")
