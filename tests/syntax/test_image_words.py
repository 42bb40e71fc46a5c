"""The bytes of a Dockerfile that name an image."""

from __future__ import annotations

import pytest
from dockopt.optimizer.apply import apply_edits
from dockopt.optimizer.image_words import Obstacle, renamed_base
from dockopt.optimizer.proposal import Edit
from dockopt.optimizer.syntax import parse


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM alpine\n", "FROM scratch\n"),
        ("FROM --platform=$alpine alpine AS alpine\n", "FROM --platform=$alpine scratch AS alpine\n"),
        ("from \\\n  alpine\n", "from \\\n  scratch\n"),
        ("ARG BASE=alpine\nFROM $BASE\n", "ARG BASE=scratch\nFROM $BASE\n"),
    ],
)
def test_a_base_is_renamed_where_it_stands(before: str, after: str) -> None:
    dockerfile = parse(before.encode())
    edit = renamed_base(dockerfile, dockerfile.stages[0], "scratch")
    assert isinstance(edit, Edit)
    assert apply_edits(before.encode(), [edit]).result.decode() == after


def test_a_base_that_some_build_replaces_is_not_renamed() -> None:
    dockerfile = parse(b"FROM alpine\n")
    assert isinstance(renamed_base(dockerfile, dockerfile.stages[0], "scratch", ["alpine"]), Obstacle)


def test_a_stage_is_no_image() -> None:
    dockerfile = parse(b"FROM alpine AS one\nFROM one\n")
    assert isinstance(renamed_base(dockerfile, dockerfile.stages[1], "scratch"), Obstacle)
