"""Runs commands in turn, takes medians, and puts a table with its circumstances into the README."""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
README = Path(__file__).with_name("README.md")
GO_SERVICE = ROOT / "fixtures" / "examples" / "go-service"
CONTEXT = ("Dockerfile", "go.mod", "go.sum")
"""The files of `GO_SERVICE` that count for one small Dockerfile."""


class Run(NamedTuple):
    """One run of a command: seconds that passed, and seconds of CPU time in it and all its processes."""

    seconds: float
    cpu: float


def run_command(command: Sequence[str | Path], cwd: Path, accepted: Iterable[int] = (0,)) -> Run:
    """Run a command to its end and throw its output away.

    Raises:
        RuntimeError: it ends with another exit code than the accepted ones.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accepted:
        raise RuntimeError(f"`{' '.join(map(str, command))[:200]}` ended with {process.returncode}")
    return Run(seconds, used.ru_utime + used.ru_stime)


def interleaved(subjects: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, Run]:
    """Measure all subjects once in each round, so that a slow minute meets all of them, and return the medians."""
    runs: dict[str, list[Run]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, measure in subjects.items():
            runs[name].append(measure())
    return {
        name: Run(statistics.median(run.seconds for run in taken), statistics.median(run.cpu for run in taken))
        for name, taken in runs.items()
    }


def dockopt_command() -> list[str | Path]:
    """Return how the `dockopt` of this interpreter is started: its script where there is one."""
    script = Path(sys.executable).with_name("dockopt")
    return [script] if script.exists() else [sys.executable, "-m", "dockopt"]


def circumstances(*more: str) -> str:
    """Say what the figures depend on: versions and the number of processors, no names and no paths."""
    # the processors that this process may use, which can be fewer than the machine has
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = [f"dockopt {version('dockopt')}", f"Python {platform.python_version()}", *more, f"{processors} CPUs"]
    return ", ".join([*parts, f"{platform.system()} {platform.machine()}"])


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the first column holds names, the others figures."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def arguments(description: str | None, rounds: int) -> argparse.ArgumentParser:
    """Return the options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds, metavar="N", help="of which the median is taken")
    parser.add_argument("--write", action="store_true", help="put the result into README.md")
    return parser


def publish(name: str, result: str, *, write: bool, page: Path = README) -> None:
    """Print a result, and replace the block of this name in a page if that is wanted.

    Raises:
        ValueError: the page has no such block.
    """
    print(result, end="")
    if write:
        start, end = f"<!-- measured: {name} -->\n", "<!-- end -->"
        text = page.read_text(encoding="utf-8")
        block = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
        if not block.search(text):
            raise ValueError(f"{page.name} has no block `{name}`")
        page.write_text(block.sub(lambda _: start + result + end, text, count=1), encoding="utf-8")
