"""Files that nobody but their owner may read: git does not keep such modes, so each test makes its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze

_BUILD = "FROM golang:1.22 AS build\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /out/server .\n\n"
_MAIN = 'package main\n\nimport "os"\n\nfunc main() {\n\tdata, _ := os.ReadFile("/etc/server/settings.yaml")\n\tprintln(len(data))\n}\n'


def questions(directory: Path, *lines: str) -> tuple[list[str], bool]:
    """Return what is asked about files of the context, and whether the Dockerfile is changed."""
    source = (_BUILD + "\n".join(("FROM alpine:3.20", *lines, 'CMD ["/usr/local/bin/server"]', ""))).encode()
    (directory / "Dockerfile").write_bytes(source)
    chosen = frozenset({"non-root"})
    report = analyze(directory / "Dockerfile", source, Options(directory, chosen, named=chosen))
    return [advice.message for advice in report.advice if "(mode" in advice.message], report.result != source


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "go.mod": "module example.com/server\n\ngo 1.22\n",
        "main.go": _MAIN,
        "settings.yaml": "a: 1\n",
        "conf/a/b.yaml": "b: 1\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
    for directory in ("conf", "conf/a"):
        (tmp_path / directory).chmod(0o755)
    return tmp_path


_PROGRAM = "COPY --from=build /out/server /usr/local/bin/server"
_SETTINGS = "COPY settings.yaml /etc/server/settings.yaml"


def test_a_file_that_others_may_read_is_no_question(project: Path) -> None:
    assert questions(project, _PROGRAM, _SETTINGS) == ([], True)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o700])
def test_a_file_that_only_its_owner_may_read_is_one(project: Path, mode: int) -> None:
    (project / "settings.yaml").chmod(mode)
    asked, changed = questions(project, _PROGRAM, _SETTINGS)
    assert len(asked) == 1 and not changed
    assert f"only its owner, `root`, may read `settings.yaml` (mode {mode:o})" in asked[0]


@pytest.mark.parametrize(
    "line",
    [
        "COPY --chmod=0644 settings.yaml /etc/server/settings.yaml",
        "COPY --chown=10001:10001 settings.yaml /etc/server/settings.yaml",
    ],
)
def test_flags_that_let_the_new_user_read_it_are_the_answer(project: Path, line: str) -> None:
    (project / "settings.yaml").chmod(0o600)
    assert questions(project, _PROGRAM, line) == ([], True)


def test_of_another_owner_it_is_still_one(project: Path) -> None:
    (project / "settings.yaml").chmod(0o600)
    asked, changed = questions(project, _PROGRAM, "COPY --chown=1000 settings.yaml /etc/server/settings.yaml")
    assert len(asked) == 1 and not changed and "`1000`" in asked[0]


def test_a_file_of_a_directory_and_a_directory_that_nobody_may_enter(project: Path) -> None:
    (project / "conf/a/b.yaml").chmod(0o600)
    asked, _ = questions(project, _PROGRAM, "COPY conf /etc/server/")
    assert len(asked) == 1 and "`conf/a/b.yaml` (mode 600)" in asked[0]
    (project / "conf/a/b.yaml").chmod(0o644)
    (project / "conf/a").chmod(0o700)
    asked, _ = questions(project, _PROGRAM, "COPY conf /etc/server/")
    assert len(asked) == 1 and "`conf/a` (mode 700)" in asked[0]


def test_a_file_that_comes_by_the_building_stage(project: Path) -> None:
    (project / "settings.yaml").chmod(0o600)
    asked, changed = questions(project, _PROGRAM, "COPY --from=build /src/settings.yaml /etc/server/settings.yaml")
    assert len(asked) == 1 and not changed and "`settings.yaml` (mode 600)" in asked[0]
    assert questions(project, _PROGRAM) == ([], True), "what stays in the building stage does not matter"


def test_a_file_that_the_ignore_file_keeps_out_is_not_looked_at(project: Path) -> None:
    (project / "conf/a/b.yaml").chmod(0o600)
    (project / ".dockerignore").write_text("conf/a\n")
    asked, _ = questions(project, _PROGRAM, "COPY . /etc/server/")
    assert asked == []


def test_a_mode_is_no_part_of_any_proof(project: Path) -> None:
    source = (_BUILD + f'FROM alpine:3.20\n{_PROGRAM}\n{_SETTINGS}\nCMD ["/usr/local/bin/server"]\n').encode()
    (project / "Dockerfile").write_bytes(source)
    chosen = frozenset({"non-root"})
    report = analyze(project / "Dockerfile", source, Options(project, chosen, named=chosen))
    assert not any("conf" in frozen.path for change in report.changes for frozen in change.verdict.frozen)


def test_a_chmod_below_it_is_taken_to_be_the_answer(project: Path) -> None:
    (project / "settings.yaml").chmod(0o600)
    assert questions(project, _PROGRAM, _SETTINGS, "RUN chmod 644 /etc/server/settings.yaml")[0] == []
    assert len(questions(project, _PROGRAM, _SETTINGS, "RUN chmod 644 /etc/passwd")[0]) == 1


def test_files_that_a_pattern_selects(project: Path) -> None:
    (project / "settings.yaml").chmod(0o600)
    assert len(questions(project, _PROGRAM, "COPY *.yaml /etc/server/")[0]) == 1
