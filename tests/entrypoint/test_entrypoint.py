"""What a container starts: through exec form, shell form, wrapper scripts and PATH, and unknown where that is not certain."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.entrypoint import Start, health_checked, started
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.syntax import parse

SCRIPT = '#!/bin/sh\nset -e\n./migrate up\nexec "$@"\n'


def build_of(folder: Path, *lines: str, base: str = "golang:1.22", files: dict[str, str] | None = None) -> Build:
    for name, text in {"main.go": "package main\n", **(files or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    text = "\n".join((f"FROM {base}", "WORKDIR /app", *lines, ""))
    return Build(parse(text.encode()), FrozenContext(BuildContext(folder)))


def start_of(folder: Path, *lines: str, base: str = "golang:1.22", files: dict[str, str] | None = None) -> Start:
    build = build_of(folder, *lines, base=base, files=files)
    return started(build, len(build.dockerfile.stages) - 1)


def argvs(start: Start) -> list[tuple[str | None, ...]]:
    return [program.argv for program in start.programs]


def test_the_exec_form_is_the_argument_vector(tmp_path: Path) -> None:
    start = start_of(tmp_path, 'CMD ["./server", "-port", "$PORT"]')
    assert argvs(start) == [("./server", "-port", "$PORT")]
    assert start.programs[0].path == "/app/server"
    assert not start.programs[0].by_shell
    assert (start.shells, start.unknown) == ([], None)


def test_cmd_gives_the_arguments_of_an_entrypoint(tmp_path: Path) -> None:
    start = start_of(tmp_path, 'ENTRYPOINT ["/server"]', 'CMD ["-v"]')
    assert argvs(start) == [("/server", "-v")]
    assert [i.keyword for i in start.instructions] == ["ENTRYPOINT", "CMD"]


def test_an_entrypoint_in_shell_form_ignores_cmd(tmp_path: Path) -> None:
    start = start_of(tmp_path, "ENTRYPOINT exec ./server", 'CMD ["-v"]')
    assert argvs(start) == [("./server",)]
    assert start.shells == ["/bin/sh"]


def test_a_shell_form_is_read_command_by_command(tmp_path: Path) -> None:
    start = start_of(tmp_path, "CMD cd bin && ./migrate && exec ./server --port=$PORT")
    assert argvs(start) == [("./migrate",), ("./server", None)]
    assert [program.path for program in start.programs] == ["/app/bin/migrate", "/app/bin/server"]
    assert all(program.by_shell for program in start.programs)
    assert start.unknown is None


def test_a_directory_that_is_not_known_leaves_the_place_open(tmp_path: Path) -> None:
    start = start_of(tmp_path, "CMD cd $WHERE; ./server")
    assert start.programs[0].places == ()
    assert start.unknown is not None


def test_the_shell_of_the_stage_is_the_one_that_is_needed(tmp_path: Path) -> None:
    assert start_of(tmp_path, 'SHELL ["/bin/bash", "-c"]', "CMD ./server").shells == ["/bin/bash"]


@pytest.mark.parametrize(
    "text", ["eval $X", ". ./env && ./server", "trap 'x' TERM; ./server", "./server ${X", "$PROGRAM"]
)
def test_what_changes_the_meaning_of_a_text_is_unknown(tmp_path: Path, text: str) -> None:
    assert start_of(tmp_path, f"CMD {text}").unknown is not None


def test_a_wrapper_script_of_the_context_is_read(tmp_path: Path) -> None:
    lines = ("COPY run.sh /run.sh", "RUN chmod +x /run.sh", 'ENTRYPOINT ["/run.sh"]', 'CMD ["./server", "-v"]')
    start = start_of(tmp_path, *lines, files={"run.sh": SCRIPT})
    assert argvs(start) == [("./migrate", "up"), ("./server", "-v")]
    assert start.scripts == {"/run.sh": "run.sh"}
    assert [(program.file, program.line) for program in start.programs] == [("run.sh", 3), ("run.sh", 4)]
    assert start.shells == ["/bin/sh"]
    assert start.unknown is None


def test_a_script_that_a_shell_is_told_to_run_is_read(tmp_path: Path) -> None:
    start = start_of(tmp_path, "COPY . .", 'CMD ["sh", "run.sh", "./server"]', files={"run.sh": SCRIPT})
    assert argvs(start)[-1] == ("./server",)


def test_a_script_that_something_may_have_changed_is_not_read(tmp_path: Path) -> None:
    lines = ("COPY run.sh /run.sh", "RUN make", 'ENTRYPOINT ["/run.sh"]')
    start = start_of(tmp_path, *lines, files={"run.sh": SCRIPT})
    assert argvs(start) == [("/run.sh",)]
    assert start.scripts == {}


def test_arguments_that_a_script_changes_are_unknown(tmp_path: Path) -> None:
    files = {"run.sh": '#!/bin/sh\nset -- ./server "$@"\nexec "$@"\n'}
    start = start_of(tmp_path, "COPY run.sh /", 'ENTRYPOINT ["/run.sh"]', files=files)
    assert start.unknown is not None
    assert start.unknown.path == "run.sh"
    assert start.unknown.line == 3


def test_scripts_that_start_one_another_come_to_an_end(tmp_path: Path) -> None:
    files = {"run.sh": "#!/bin/sh\nexec /run.sh\n"}
    assert start_of(tmp_path, "COPY run.sh /", 'CMD ["/run.sh"]', files=files).unknown is not None


def test_a_name_is_looked_up_on_path(tmp_path: Path) -> None:
    start = start_of(tmp_path, "COPY main.go /usr/local/bin/server", 'CMD ["server"]')
    assert start.programs[0].path == "/usr/local/bin/server"
    start = start_of(tmp_path, "RUN go install .", 'CMD ["server"]')
    assert start.programs[0].places[0] == "/go/bin/server"
    assert start.programs[0].path is None


def test_what_the_base_image_starts_is_unknown(tmp_path: Path) -> None:
    assert start_of(tmp_path).unknown is not None
    assert start_of(tmp_path, 'CMD ["./server"]', base="company/base:1").unknown is not None
    assert start_of(tmp_path, 'ENTRYPOINT ["./server"]', base="company/base:1").unknown is None


def test_an_entrypoint_drops_the_cmd_of_the_stage_below(tmp_path: Path) -> None:
    start = start_of(tmp_path, 'CMD ["old"]', "FROM base", 'ENTRYPOINT ["./server"]', base="golang:1.22 AS base")
    assert argvs(start) == [("./server",)]
    assert start.programs[0].path == "/app/server"


def test_a_health_check_is_read_the_same_way(tmp_path: Path) -> None:
    build = build_of(tmp_path, "HEALTHCHECK --interval=5s CMD curl -f http://localhost/ || exit 1")
    start = health_checked(build, 0)
    assert start is not None
    assert argvs(start) == [("curl", "-f", "http://localhost/")]
    assert start.shells == ["/bin/sh"]
    exec_form = health_checked(build_of(tmp_path, 'HEALTHCHECK CMD ["/server", "-check"]'), 0)
    assert exec_form is not None
    assert (argvs(exec_form), exec_form.shells) == ([("/server", "-check")], [])
    assert health_checked(build_of(tmp_path, "HEALTHCHECK NONE"), 0) is None
    assert health_checked(build_of(tmp_path), 0) is None
