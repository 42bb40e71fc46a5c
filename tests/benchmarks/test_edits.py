"""The edits of the rebuild benchmark: each example that dockopt changes has three, and each fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.cachemounts import cache_ids
from benchmarks.edits import KINDS, BadEdit, Edit, edit_project, edits, project
from benchmarks.rebuild import SIDES, Taken, Trial, build, rows, subjects
from tests.engine.engine import BuildResult, Engine
from tests.engine.examples import Example, examples

CHANGED = [example for example in examples() if example.report().result != example.source]


def test_every_example_that_is_changed_has_edits() -> None:
    assert set(edits()) == {example.name for example in CHANGED}, "benchmarks/edits.toml"


@pytest.mark.parametrize("example", CHANGED, ids=lambda example: example.name)
@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_changes_both_projects_and_no_two_builds_are_the_same(
    example: Example, kind: str, tmp_path: Path
) -> None:
    report = example.report()
    for side, text in (("before", report.source), ("after", report.result)):
        made = []
        for mark in ("m1", "m2"):
            copy = project(example.context, example.dockerfile, text, tmp_path / f"{side}-{mark}")
            dockerfile = copy / example.dockerfile.relative_to(example.context)
            edit_project(copy, dockerfile, edits()[example.name][kind], mark)
            made.append(files_of(copy))
            assert (dockerfile.read_bytes() != text) == (kind == "dockerfile")
        assert made[0] != made[1]
        assert made[0] != files_of(example.context)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("text", [b"one", b"two two", b""])
def test_what_is_replaced_stands_there_once(text: bytes) -> None:
    with pytest.raises(BadEdit, match=r"stands there [02] times"):
        Edit("file", "new", "two").apply(text, "m")


@pytest.mark.parametrize(
    ("text", "expected"), [(b"", b"a m\n"), (b"x", b"x\na m\n"), (b"x\n", b"x\na m\n")], ids=["empty", "no end", "line"]
)
def test_a_line_is_appended(text: bytes, expected: bytes) -> None:
    assert Edit("file", "a {mark}").apply(text, "m") == expected


def test_figures_are_kept_for_the_next_run_but_not_for_other_texts(tmp_path: Path) -> None:
    (subject,) = subjects(["go-service"])
    file = tmp_path / "figures"
    taken = Taken(file)
    for seconds in (1.0, 9.0, 2.0):
        taken.add(subject.key, "source", "before", Trial(seconds * 10, 2, 6))
        taken.add(subject.key, "source", "after", Trial(seconds, 4, 7))
    # a round that was interrupted does not count
    taken.add(subject.key, "source", "before", Trial(500.0, 2, 6))
    assert list(rows(subject, Taken(file))) == [
        ["go-service", "source", "3", "20.0", "2.0", "10.0", "2 of 6", "4 of 7", "split-copy, cache-mounts"]
    ]
    for other in (
        replace(subject, texts={**subject.texts, "after": b"FROM scratch\n"}),
        replace(subject, ignore=b"node_modules\n"),
    ):
        assert list(rows(other, Taken(file))) == []


def test_only_the_rewritten_side_is_built_behind_the_ignore_file_that_comes_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (subject,) = subjects(["node-service"])
    assert subject.ignore == subject.example.report().other_files[".dockerignore"]
    built: list[tuple[bytes, dict[str, bytes], bytes | None]] = []

    def record(_: Engine, dockerfile: bytes, context: Path, *, ignore: bytes | None, **__: object) -> BuildResult:
        built.append((dockerfile, files_of(context), ignore))
        return BuildResult(True, "", ())

    monkeypatch.setattr(Engine, "build", record)
    monkeypatch.setattr(Engine, "close", lambda _: None)
    for side in SIDES:
        build(subject, side, "namespace")
    project_files = files_of(subject.example.context)
    # `COPY . .` copies the same files on both sides, but for the Dockerfile itself
    assert built == [
        (text, project_files | {"Dockerfile": text}, ignore)
        for text, ignore in ((subject.texts["before"], None), (subject.texts["after"], subject.ignore))
    ]


def test_cache_mounts_are_named_by_id_or_target() -> None:
    text = b"""\
FROM a
RUN --mount=type=cache,target=/a --mount=type=bind,target=/b true
FROM b
RUN --mount=type=cache,target=/c,id=d true
"""
    assert cache_ids([text, text]) == ("/a", "d")
    with pytest.raises(ValueError, match="no fixed name"):
        cache_ids([b"FROM a\nARG A=/x\nRUN --mount=type=cache,target=$A true\n"])
