"""What the ignore file keeps out of every context cannot be laid over what commands have made; what is absent just today can."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext, ContextError
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.proposal import Verdict
from dockopt.optimizer.syntax import parse
from dockopt.optimizer.validate import IGNORE_FILE, validate

BEGIN = "FROM node:20\nWORKDIR /w\n"
MAKE = "COPY package.json package-lock.json ./\nRUN npm ci"
SOURCES_FIRST = f"{BEGIN}COPY . .\nRUN npm ci\n"
SOURCES_LAST = f"{BEGIN}{MAKE}\nCOPY . .\n"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "x").write_bytes(b"x\n")
    (tmp_path / "a").write_bytes(b"a\n")
    (tmp_path / "package.json").write_bytes(b"{}\n")
    (tmp_path / "package-lock.json").write_bytes(b'{"lockfileVersion": 3, "packages": {"": {}}}\n')
    return tmp_path


def compare(context: Path, old: str, new: str, ignore: str, new_ignore: str | None = None) -> Verdict:
    (context / ".dockerignore").write_text(ignore)
    before = Build(parse(old.encode()), FrozenContext(BuildContext(context)))
    after = before.with_text(parse(new.encode()))
    if new_ignore is not None:
        after = after.with_ignore(new_ignore.encode())
    return validate(before, after)


@pytest.mark.parametrize(
    "ignore",
    [
        "node_modules",
        "a\nnode_modules\n",
        "**/node_modules",
        "node_module?",
        "node_modules\n!a",
        "*\n!a\n!package*\n!src",
    ],
    ids=repr,
)
def test_an_ignored_directory_is_not_overwritten(context: Path, ignore: str) -> None:
    verdict = compare(context, SOURCES_FIRST, SOURCES_LAST, ignore)
    assert verdict.status == "equal", verdict.obligation
    assert ("node_modules", "ignored") in [(entry.path, entry.state) for entry in verdict.frozen]


@pytest.mark.parametrize(
    "ignore",
    [
        "",
        "a",
        "node_modules/m",
        "node_modules\n!node_modules/x",
        "node_modules\n!node_modules",
        "*/node_modules",
        "*\n!package*\n!node_modules",
        "node_modules\n!**/m",
        "Node_modules",
    ],
    ids=repr,
)
def test_a_directory_that_may_come_with_the_sources_is_overwritten(context: Path, ignore: str) -> None:
    assert compare(context, SOURCES_FIRST, SOURCES_LAST, ignore).status == "unproven"


def test_a_link_above_the_ignored_directory_may_lead_elsewhere(context: Path) -> None:
    first, then = "COPY a /w/src/made/", "COPY . /w"
    begin = "FROM busybox\nCOPY src /w/src\n"
    old, new = f"{begin}{then}\n{first}\n", f"{begin}{first}\n{then}\n"
    assert compare(context, old, new, "").status == "unproven"
    assert compare(context, old, new, "src/made").status == "equal"
    (context / "src" / "x").unlink()
    (context / "src").rmdir()
    (context / "src").symlink_to("elsewhere")
    assert compare(context, old, new, "src/made").status == "unproven"


def test_an_entry_that_hides_what_is_removed_anyway(context: Path) -> None:
    verdict = compare(context, SOURCES_FIRST, SOURCES_LAST, "a\n", "a\nnode_modules\n")
    assert verdict.status == "equal", verdict.obligation
    assert IGNORE_FILE in verdict.assumptions


@pytest.mark.parametrize(
    "text",
    [
        f"{BEGIN}COPY . .\n",
        f"{BEGIN}COPY . .\nRUN mkdir -p node_modules\n",
        f"{BEGIN}COPY . .\nRUN echo hi > node_modules\n",
        SOURCES_FIRST.replace("RUN", "RUN ./look\nRUN"),
        SOURCES_FIRST.replace("RUN", "COPY node_module[s] /x/\nRUN"),
        SOURCES_FIRST.replace("RUN", "RUN --mount=type=bind,target=/m cp -r /m /w/b\nRUN"),
        SOURCES_FIRST.replace("RUN", "COPY . /second\nRUN"),
    ],
    ids=[
        "nothing hides it",
        "it is not removed",
        "it is written anew",
        "a command looks before",
        "a wildcard",
        "a mount",
        "a second copy",
    ],
)
def test_an_entry_that_takes_something_away(context: Path, text: str) -> None:
    assert compare(context, text, text, "a\n").status == "equal"
    assert compare(context, text, text, "a\n", "a\nnode_modules\n").status == "unproven"


def test_an_entry_must_not_take_the_source_of_a_copy_away(context: Path) -> None:
    text = "FROM busybox\nCOPY a /a\nCOPY . /w\nRUN rm -f /w/a\n"
    verdict = compare(context, text, text, "", "a\n")
    assert (verdict.status, verdict.obligation) == ("unproven", "`a` is not in the build context")


@pytest.mark.parametrize(
    ("ignore", "new_ignore"),
    [
        ("a\n", "node_modules\n"),
        ("a\n", "node_modules\na\n"),
        ("a\n", "a\n*.o\n"),
        ("a\n", "a\n!node_modules\n"),
        ("a\n!a/x\n", "a\n!a/x\nb\n!b/c\n"),
        ("a\n!b/c\n", "a\n!b/c\nb/c\n!b/c\n"),
    ],
)
def test_a_file_with_other_changes_than_more_paths(context: Path, ignore: str, new_ignore: str) -> None:
    with pytest.raises(ContextError):
        compare(context, SOURCES_FIRST, SOURCES_LAST, ignore, new_ignore)


def test_two_entries_one_after_the_other(context: Path) -> None:
    (context / ".dockerignore").write_text("")
    (context / "ui").mkdir()
    for name in ("package.json", "package-lock.json"):
        (context / "ui" / name).write_bytes((context / name).read_bytes())
    more = "RUN cd ui && npm ci\n"
    first = Build(parse((SOURCES_FIRST + more).encode()), FrozenContext(BuildContext(context)))
    second = first.with_ignore(b"node_modules\n")
    third = second.with_text(parse((SOURCES_LAST + more).encode())).with_ignore(b"node_modules\nui/node_modules\n")
    assert validate(first, second).status == "equal"
    assert validate(second, third).status == "equal"
    assert validate(first, third).status == "equal"
    assert third.other_files == {".dockerignore": b"node_modules\nui/node_modules\n"}
