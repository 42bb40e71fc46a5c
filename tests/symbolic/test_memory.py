"""What is recalled is what would come out of running it again: states, writes, lines, commands, and the frozen inputs of a proof."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.frozen import FrozenContext
from dockopt.optimizer.model import Build
from dockopt.optimizer.symbolic.execute import Unsupported
from dockopt.optimizer.symbolic.memory import Memo, Past
from dockopt.optimizer.symbolic.state import StageState
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse

from tests.symbolic.edits import changed, edited

FIXTURES = Path(__file__).parents[2] / "fixtures"
#: all Dockerfiles instead of a part of them
EVERYTHING = bool(os.environ.get("DOCKOPT_ALL_FIXTURES"))
EDITS = 6


def dockerfiles() -> list[Path]:
    found = sorted(FIXTURES.glob("*/*/Dockerfile"))
    return found if EVERYTHING else random.Random(7).sample(found, 60)


def name_of(path: Path) -> str:
    return path.parent.relative_to(FIXTURES).as_posix()


def build_of(text: bytes, context: Path, memo: Memo) -> Build:
    return Build(parse(text), FrozenContext(BuildContext(context)), memo=memo)


def plain(state: StageState) -> StageState:
    """Return a state without the context that it was made in: that is another object, and cannot be compared."""
    files = state.files
    return state.over(replace(files, context=None))  # type: ignore[arg-type]


def outcome(build: Build) -> object:
    """Return all that the execution of a Dockerfile leaves behind."""
    try:
        runs = build.runs
    except Unsupported as error:
        return error.reason, error.line, build.context.frozen()
    states = [[plain(state) for state in run.states] for run in runs]
    texts = [[[(op.label, op.value.text) for op in state.files.ops] for state in run.states] for run in runs]
    commands = [(command._replace(before=plain(command.before)), command.value.text) for command in build.executed]
    # who has written or set something is told by objects
    objects = [list(told(run.states)) for run in runs]
    roots = [(run.stage, run.roots) for run in runs]
    return states, texts, commands, objects, roots, build.executor.sources, build.context.frozen()


def told(states: list[StageState]) -> Iterator[object]:
    for before, after in pairwise(states):
        old = {id(op) for op in before.files.ops}
        yield [op for op in after.files.ops if id(op) not in old]
        for these, those in (
            (before.config.settings, after.config.settings),
            (before.env, after.env),
            (before.args, after.args),
        ):
            yield [name for name in {**these, **those} if these.get(name) is not those.get(name)]  # type: ignore[attr-defined]


def variants(build: Build) -> Iterator[Build]:
    yield build
    yield build.with_opaque_caches
    yield build.with_free_owners(frozenset({"/"}))
    yield build.with_residue(frozenset({"/var/lib/apt/lists"}))


@pytest.mark.parametrize("path", dockerfiles(), ids=name_of)
def test_recalled_is_run_again(path: Path, tmp_path: Path) -> None:
    """After any edit of the file and of the context, with what is remembered of all texts before, and of variants of this one."""
    context = tmp_path / "context"
    shutil.copytree(path.parent, context, symlinks=True)
    rng = random.Random(name_of(path))
    past, text = Past(), path.read_bytes()
    recalled = 0
    for number in range(EDITS):
        if number % 3 == 2:
            changed(context, rng)
        try:
            build = build_of(text, context, Memo(past))
            other = parse(edited(text, rng))
        except DockerfileSyntaxError:
            text = edited(path.read_bytes(), rng)
            continue
        fresh = build_of(text, context, Memo())
        for here, there in zip(variants(build), variants(fresh), strict=True):
            assert outcome(here) == outcome(replace(there, memo=Memo())), text.decode("utf-8", "replace")
        recalled += past.count
        here, there = build.with_text(other), replace(fresh.with_text(other), memo=Memo())
        assert outcome(here) == outcome(there), text.decode("utf-8", "replace")
        text = other.source
        if number % 2:
            past.finish()
    assert recalled or b"FROM" not in path.read_bytes()


def test_a_line_in_a_message_is_the_one_of_the_file_in_hand(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("")
    text = (
        b"FROM python:3.12\nCOPY settings /etc/pip.conf\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
    )
    memo = Memo()
    for above in (0, 1, 3, 1):
        build = build_of(text.replace(b"COPY s", b"\n" * above + b"COPY s"), tmp_path, memo)
        (command,) = build.executed
        assert command.line == 4 + above
        assert (command.effects.unknown or "").startswith(f"line {2 + above} `COPY settings /etc/pip.conf` may bring")


def test_directories_that_later_copies_fill_count_for_a_command_above_them(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    memo = Memo()
    text = b"FROM node:20\nWORKDIR /app\nRUN npm ci\n"
    roots = [
        build_of(text + below, tmp_path, memo).executed[0].roots
        for below in (b"", b"COPY . .\n", b"COPY lib /srv/lib\n", b"")
    ]
    assert roots == [(), ("/app",), ("/srv/lib",), ()]


def test_what_is_taken_from_another_stage_is_looked_at_again_when_that_changes(tmp_path: Path) -> None:
    memo = Memo()
    taken = [
        build_of(text, tmp_path, memo).runs[-1].final.files.resolve("/x").digest
        for text in (
            b"FROM busybox AS a\nRUN echo 1 >/x\nFROM scratch\nCOPY --from=a /x /x\n",
            b"FROM busybox AS a\nRUN echo 2 >/x\nFROM scratch\nCOPY --from=a /x /x\n",
            b"FROM busybox AS b\nRUN echo 1 >/x\nFROM scratch\nCOPY --from=a /x /x\n",
            b"# c\nFROM busybox AS a\n# c\nRUN echo 1 >/x\nFROM scratch\n# c\nCOPY --from=a /x /x\n",
        )
    ]
    assert taken[0] == taken[3]
    assert len(set(taken)) == 3


def test_an_answer_that_has_changed_ends_the_recall_there(tmp_path: Path) -> None:
    """What would not be asked any more is no frozen input, and what is asked instead is one."""
    past, text = Past(), b"FROM python:3.12\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
    (tmp_path / "requirements.txt").write_text("-r more.txt\n")
    _ = build_of(text, tmp_path, Memo(past)).runs
    before = past.count
    for content, recorded in (("-r more.txt\n", 0), ("-r other.txt\n", 1), ("-r other.txt\n", 1), ("", 2)):
        (tmp_path / "requirements.txt").write_text(content)
        (tmp_path / "unrelated.txt").write_text(content)
        again, fresh = build_of(text, tmp_path, Memo(past)), build_of(text, tmp_path, Memo())
        assert outcome(again) == outcome(fresh)
        assert past.count == before + recorded


def test_what_is_not_recalled_is_forgotten(tmp_path: Path) -> None:
    past = Past()
    for number in range(40):
        _ = build_of(b"FROM busybox\nENV A=%d\nRUN true\nRUN false\n" % number, tmp_path, Memo(past)).runs
        past.finish()
    assert 3 <= past.count < 20
