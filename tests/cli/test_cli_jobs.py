"""Many files are analysed by several processes: nothing of what is printed or written may show that."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest
from dockopt.optimizer.invocation import Request, run
from dockopt.optimizer.workers import in_order, processors

GOOD = "FROM alpine:3.20\nRUN apk add --no-cache curl\n"
LATE = "FROM alpine:3.20\nCOPY src /app\nRUN apk add --no-cache curl\n"
BROKEN = "FROM alpine:3.20\nRUNN true\n"
FILES = 60


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for i in range(FILES):
        directory = tmp_path / f"service{i:02d}"
        (directory / "src").mkdir(parents=True)
        (directory / "src" / "main.sh").write_text("true\n")
        (directory / "Dockerfile").write_text((GOOD, LATE, BROKEN)[i % 3])
    return tmp_path


def outputs(project: Path, capfdbinary: pytest.CaptureFixture[bytes], jobs: int) -> tuple[int, bytes, bytes]:
    code = run(Request(paths=(str(project),), jobs=jobs))
    captured = capfdbinary.readouterr()
    return code, captured.out, captured.err


def test_the_report_is_the_same_with_any_number_of_processes(
    project: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    alone = outputs(project, capfdbinary, 1)
    assert alone[0] == 2
    assert alone[1].count(b"+RUN apk add") == FILES // 3
    assert alone[2].count(b"RUNN") == FILES // 3
    assert outputs(project, capfdbinary, 3) == alone


def test_files_are_written(project: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    run(Request(paths=(str(project),), jobs=2, fix=True, write=True))
    capfdbinary.readouterr()
    written = [path for path in project.glob("*/Dockerfile") if path.read_text().endswith("COPY src /app\n")]
    assert len(written) == FILES // 3


def square(number: int, parent: int, deadly: int) -> int:
    if number == deadly and os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def test_a_killed_process_costs_no_result() -> None:
    work = partial(square, parent=os.getpid(), deadly=70)
    assert list(in_order(work, range(100), 2)) == [number * number for number in range(100)]


def test_leaving_early_ends_the_processes() -> None:
    results = in_order(partial(square, parent=0, deadly=-1), range(1000), 2)
    assert next(results) == 0
    del results


def test_there_is_a_processor() -> None:
    assert 1 <= processors() <= 16
