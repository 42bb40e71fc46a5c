"""Help, wrong usage, and exit codes: what a person or a script meets first."""

from pathlib import Path

import pytest
from dockopt.optimizer.manual.examples import EXAMPLES

from tests.cli.conftest import GO, Program

OPTIONS = (
    *("--context", "--stdin-filename", "--check", "--format", "--color", "--explain", "--explain-refusals"),
    *(
        "--unproven",
        "--all",
        "--select",
        "--ignore",
        "--quiet",
        "--help",
        "--verbose",
        "--log-format",
        "--bisect-limit",
    ),
)


def test_the_help_names_every_command(dockopt: Program) -> None:
    result = dockopt("--help")
    assert (result.code, result.err) == (0, "")
    for command in (b"suggest", b"fix", b"explain", b"rules", b"graph", b"config", b"init", b"completion"):
        assert b"\n  " + command + b" " in result.out
    assert dockopt("-h").out == result.out


@pytest.mark.parametrize("command", ["suggest", "fix"])
def test_the_help_of_a_command_names_every_option(dockopt: Program, command: str) -> None:
    result = dockopt(command, "--help")
    assert (result.code, result.err) == (0, "")
    text = result.out.decode()
    for option in (*OPTIONS, *(["--write"] if command == "fix" else [])):
        assert option in text
    assert ("--write " in text) == (command == "fix")
    assert "--traceback" not in text, "what a report of a bug asks for is no part of the help"
    assert f"Examples:\n    # {EXAMPLES[command][0][0]}\n    {EXAMPLES[command][0][1]}\n" in text


def test_without_a_command_the_help_goes_to_standard_error(dockopt: Program) -> None:
    result = dockopt()
    assert (result.code, result.out) == (2, b"")
    assert "Commands:" in result.err


def test_the_version(dockopt: Program) -> None:
    import dockopt as package

    result = dockopt("--version", PATH="/nowhere")
    first, *others = result.out.decode().splitlines()
    assert (result.code, result.err, first) == (0, "", f"dockopt {package.__version__}")
    assert [line.partition(" ")[0] for line in others] == ["Python", "grammar", "grammar", "engines"]
    assert others[-1] == "engines on PATH: none"


def test_the_version_of_the_grammar_is_the_one_that_the_tests_compare_with(dockopt: Program) -> None:
    text = Path(__file__).parents[1].joinpath("oracle", "go.mod").read_text()
    assert (
        f"BuildKit {text.partition('github.com/moby/buildkit v')[2].split()[0]}, " in dockopt("--version").out.decode()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "no such command 'nope'"),
        (["suggest", "--nope"], "no such option: --nope"),
        (["suggest", "--write"], "no such option: --write"),
        (
            ["suggest", "--format", "xml"],
            "--format: `xml` is none of text, json, jsonl, sarif, github, gitlab, junit, checkstyle, markdown",
        ),
        (["suggest", "--log-format", "xml"], "--log-format: `xml` is none of text, json"),
        (["completion", "powershell"], "`powershell` is none of bash, zsh, fish"),
        (["suggest", "--color", "maybe"], "--color: `maybe` is none of auto, always, never"),
        (["suggest", "--bisect-limit", "-1"], "not in the range"),
        (["suggest", "--select", "split-cpoy"], "did you mean `split-copy`?"),
        (["suggest", "--select", "qqq"], "there is no rewrite `qqq`; there are "),
        (["suggest", "--ignore", ""], "--ignore: names no rewrite"),
        (["suggest", "--select", "split-copy,nope"], "there is no rewrite `nope`"),
        (["suggest", "--context", "nowhere"], "`--context nowhere`: no such directory"),
        (["suggest", "--context", "Dockerfile"], "no such directory"),
        (["suggest", "-", "-"], "only once"),
        (["suggest", "--stdin-filename", "x", "Dockerfile"], "give `-`"),
        (["fix", "-", "Dockerfile"], "give no other paths"),
        (["fix", "--write", "-"], "cannot write standard input back"),
        (["explain"], "missing argument"),
        (["explain", "split-cop"], "did you mean `split-copy`?"),
        (["graph"], "missing argument"),
        (["graph", "Dockerfile", "--format", "png"], "`png` is none of dot, mermaid, json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line_and_exit_code_2(dockopt: Program, arguments: list[str], message: str) -> None:
    result = dockopt(*arguments)
    assert (result.code, result.out) == (2, b"")
    assert result.err.startswith("dockopt: ")
    assert result.err.count("\n") == 1
    assert message in result.err


def test_findings_are_exit_code_1_only_with_check(dockopt: Program) -> None:
    assert dockopt("suggest", "Dockerfile").code == 0
    assert dockopt("suggest", "--check", "Dockerfile").code == 1
    assert dockopt("suggest", "--check", "good.Dockerfile").code == 0
    assert dockopt("suggest", "--check", "good.Dockerfile", "Dockerfile").code == 1
    assert dockopt("fix", "--check", "--write", "Dockerfile").code == 1
    assert dockopt("fix", "--check", "--write", "Dockerfile").code == 0


def test_what_changes_the_image_is_a_finding_only_where_asked_for(dockopt: Program, project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM alpine\nLABEL a=b\n")
    assert dockopt("suggest", "--check", "Dockerfile").code == 0
    result = dockopt("suggest", "--check", "--all", "Dockerfile")
    assert result.code == 1
    assert b"(changes the image; `fix --write --all --select pin-base` applies it)" in result.out


def test_the_worst_exit_code_wins_and_the_other_files_are_still_reported(dockopt: Program, project: Path) -> None:
    bad = dockopt("suggest", "--check", "missing", "Dockerfile")
    assert (bad.code, bad.err) == (2, "dockopt: missing: no such file or directory\n")
    assert b"+RUN go mod download" in bad.out
    assert bad.out.endswith(b"2 files: 1 can be improved (1 change), 1 could not be processed\n")
    (project / "defect").write_bytes(b"FROM a\nRUN BOOM\n")
    worst = dockopt("suggest", "--check", "defect", "missing", "Dockerfile")
    assert worst.code == 3
    assert b"+RUN go mod download" in worst.out


def test_a_defect_is_one_line_that_asks_for_a_report(dockopt: Program, project: Path) -> None:
    (project / "defect").write_bytes(b"FROM a\nRUN BOOM\n")
    result = dockopt("suggest", "defect")
    assert result.code == 3
    assert result.err.startswith("dockopt: defect: internal error: KeyError: ")
    assert "report it" in result.err
    assert result.err.count("\n") == 1
    assert "Traceback" in dockopt("suggest", "defect", DOCKOPT_TRACEBACK="1").err


def test_an_engine_that_changes_text_without_a_reason_is_not_believed(dockopt: Program, project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM a\n# UNEXPLAINED\n")
    result = dockopt("fix", "--write", "Dockerfile")
    assert result.code == 3
    assert (project / "Dockerfile").read_bytes() == b"FROM a\n# UNEXPLAINED\n"


def test_an_interrupt_is_exit_code_130_without_a_traceback(dockopt: Program, project: Path) -> None:
    (project / "Dockerfile").write_bytes(GO)
    (project / "stop").write_bytes(b"FROM a\nRUN INTERRUPT\n")
    result = dockopt("fix", "--write", "stop", "Dockerfile")
    assert result.code == 130
    assert "Traceback" not in result.err
    assert (project / "Dockerfile").read_bytes() == GO, "nothing that comes after the interrupt is written"


def test_rules_and_explain_speak_of_every_rewrite(dockopt: Program) -> None:
    from dockopt.optimizer.rules import registered

    listed = dockopt("rules")
    assert (listed.code, listed.err) == (0, "")
    assert [line.split()[0] for line in listed.out.decode().splitlines()] == [rule.id for rule in registered()]
    for rule in registered():
        text = dockopt("explain", rule.id)
        assert (text.code, text.err) == (0, "")
        for heading in ("What it does", "Before", "After", "When it does not fire", "Why it is safe"):
            assert heading in text.out.decode()


def test_options_may_follow_paths_and_lists_may_be_split(dockopt: Program) -> None:
    result = dockopt("suggest", "Dockerfile", "--ignore", "split-copy", "--ignore", "split-copy,", "--check")
    assert result.err == ""
    assert result.code == 1  # the fake engine has no rewrites to leave out
