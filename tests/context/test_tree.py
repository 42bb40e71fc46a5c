"""The context as COPY sees it: links that stay inside, ignore rules, nothing outside is ever touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext, ContextError, Kind
from dockopt.optimizer.context.ignore import IgnoreFileError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("outside")
    root = tmp_path / "context"
    (root / "dir" / "sub").mkdir(parents=True)
    (root / "file").write_text("inside")
    (root / "dir" / "x.go").write_text("x")
    (root / "dir" / "sub" / "y").write_text("y")
    (root / "link").symlink_to("dir/x.go")
    (root / "folder").symlink_to("dir")
    (root / "out").symlink_to("../secret")
    (root / "far").symlink_to("/etc/passwd")
    (root / "loop").symlink_to("loop")
    (root / "up").symlink_to("..")
    (root / "gone").symlink_to("nothing")
    return root


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("", Kind.DIR), (".", Kind.DIR), ("file", Kind.FILE), ("/file", Kind.FILE), ("dir", Kind.DIR), ("dir/sub/../x.go", Kind.FILE),
        ("link", Kind.SYMLINK), ("folder", Kind.SYMLINK), ("folder/x.go", Kind.FILE), ("loop", Kind.SYMLINK), ("gone", Kind.SYMLINK),
        ("missing", Kind.ABSENT), ("dir/missing", Kind.ABSENT), ("file/below", Kind.ABSENT), ("../../file", Kind.FILE),
        ("out", Kind.SYMLINK), ("up/secret", Kind.OTHER),
    ],
)  # fmt: skip
def test_kinds(root: Path, path: str, kind: Kind) -> None:
    assert BuildContext(root).kind(path) is kind


def test_links_are_read_only_inside(root: Path) -> None:
    context = BuildContext(root)
    assert context.read("link") == b"x"
    assert context.read("folder/sub/y") == b"y"
    for path in ("out", "far", "loop", "up/secret", "gone", "dir", "missing"):
        with pytest.raises(ContextError):
            context.read(path)


def test_what_is_too_large_is_not_read(root: Path) -> None:
    with pytest.raises(ContextError):
        BuildContext(root).read("file", limit=3)


def test_ignore_rules_apply(root: Path) -> None:
    (root / ".dockerignore").write_text("dir\n!dir/sub/y\nfile\n")
    context = BuildContext(root)
    assert context.kind("file") is Kind.IGNORED
    assert context.kind_on_disk("file") is Kind.FILE
    assert context.kind("dir/x.go") is Kind.IGNORED
    assert context.kind("dir/sub/y") is Kind.FILE
    assert context.kind("dir") is Kind.DIR
    with pytest.raises(ContextError, match="left out of the build context"):
        context.read("file")
    assert context.read("file", allow_ignored=True) == b"inside"
    assert list(context.walk("dir", limit=100)) == ["dir/sub/y"]


def test_the_ignore_file_of_a_dockerfile_comes_first(root: Path) -> None:
    (root / ".dockerignore").write_text("file\n")
    (root / "my.Dockerfile").write_text("FROM scratch\n")
    (root / "my.Dockerfile.dockerignore").write_text("dir\n")
    context = BuildContext(root, root / "my.Dockerfile")
    assert context.kind("file") is Kind.FILE
    assert context.kind("dir/x.go") is Kind.IGNORED


def test_a_broken_ignore_file_names_its_line(root: Path) -> None:
    (root / ".dockerignore").write_text("a\n!\n")
    with pytest.raises(IgnoreFileError) as caught:
        BuildContext(root)
    assert ".dockerignore:2" in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.md", ()), ("d*/x.go", ("dir/x.go",)), ("dir/*", ("dir/sub", "dir/x.go")), ("f*", ("far", "file", "folder")), ("[", ()),
        ("folder/*.go", ("dir/x.go",)), ("file", ("file",)), ("missing", ()), ("*/sub/*", ("dir/sub/y",)),
    ],
)  # fmt: skip
def test_wildcards(root: Path, pattern: str, found: tuple[str, ...]) -> None:
    assert BuildContext(root).glob(pattern) == found


def test_a_walk_is_bounded(root: Path) -> None:
    with pytest.raises(ContextError):
        list(BuildContext(root).walk("", limit=3))


def test_what_is_no_directory_is_no_context(root: Path) -> None:
    with pytest.raises(ContextError, match="not a directory"):
        BuildContext(root / "file")
