"""Standard error for programs and for people who wait: one line per step, and nothing of it in the report."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.invocation import Request, run
from dockopt.optimizer.report.log import Log
from dockopt.optimizer.steps import Step, measured

from tests.cli.conftest import Program

LATE = b"FROM alpine:3.20\nCOPY src /app\nRUN apk add --no-cache curl\n"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRACEPARENT", raising=False)
    (tmp_path / "src").mkdir()
    (tmp_path / "Dockerfile").write_bytes(LATE)
    return tmp_path


def logged(capfd: pytest.CaptureFixture[str], **options: Any) -> tuple[str, str]:
    run(Request(paths=("Dockerfile",), **options))
    captured = capfd.readouterr()
    return captured.out, captured.err


def test_each_step_is_one_line_of_json(late: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from dockopt.rewrites.registry import REWRITES

    _, nothing = logged(capfd)
    assert nothing == ""
    out, err = logged(capfd, fix=True, write=True, log_format="json")
    assert "written" in out
    found = lines(err)
    assert [line["step"] for line in found[:2]] == ["open", "rewrite"]
    assert found[-1]["step"] == "write"
    assert {line["rule"] for line in found if line["step"] == "rewrite"} == {
        rewrite.id for rewrite in REWRITES if not rewrite.changes_image
    }
    for line in found:
        assert set(line) - {"rule"} == {"time", "level", "message", "file", "step", "duration"}
        assert (line["level"], line["file"]) == ("info", "Dockerfile")
        assert line["duration"] >= 0
        assert line["time"].endswith("Z")
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
    began = [line["time"] for line in found]
    assert began == sorted(began)


def test_the_report_is_the_same_with_and_without(late: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plain, _ = logged(capfd)
    assert logged(capfd, log_format="json")[0] == plain
    out, err = logged(capfd, verbose=True)
    assert out == plain
    assert err.splitlines()[0].startswith("dockopt: Dockerfile: open: ")
    reorder = next(line for line in err.splitlines() if " reorder: " in line)
    assert reorder.endswith(" times)"), "it looks once more after its change"
    assert err.count(" reorder: ") == 1


def test_errors_and_hints_are_lines_of_json_too(dockopt: Program, project: Path) -> None:
    result = dockopt("fix", "missing", "Dockerfile", "--log-format", "json")
    assert result.code == 2
    error, *_, hint = lines(result.err)
    assert (error["level"], error["file"]) == ("error", "missing")
    assert error["message"] == "missing: no such file or directory"
    assert hint["message"] == "nothing was written; `fix --write` applies the changes"
    wrong = dockopt("fix", "--log-format", "json", "--write", "-")
    assert wrong.code == 2
    assert lines(wrong.err)[0]["level"] == "error"


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", TRACE),
        (f"01-{TRACE}-b7ad6b7169203331-01-more", TRACE),
        (f"ff-{TRACE}-b7ad6b7169203331-01", None),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", None),
        (f"00-{TRACE}-b7ad6b7169203331", None),
        ("", None),
    ],
)
def test_the_trace_comes_from_the_environment(
    capfd: pytest.CaptureFixture[str], header: str, trace: str | None
) -> None:
    Log("json", False, {"TRACEPARENT": header}).error("x")
    (line,) = lines(capfd.readouterr().err)
    assert line.get("trace_id") == trace
    assert ("parent_id" in line) == (trace is not None)


def test_a_name_that_is_no_utf_8_stays_json(capfd: pytest.CaptureFixture[str]) -> None:
    Log("json", False, {}).steps(os.fsdecode(b"a\xff\n"), [Step("open", None, 0.0, 1.5)])
    (line,) = lines(capfd.readouterr().err)
    assert line["file"] == "a\\udcff\n"
    assert (line["time"], line["duration"]) == ("1970-01-01T00:00:00.000000Z", 1.5)


def test_a_step_that_fails_is_told() -> None:
    steps: list[Step] = []
    with pytest.raises(ValueError, match="x"), measured(steps, "open"):
        raise ValueError("x")
    assert [step.name for step in steps] == ["open"]
