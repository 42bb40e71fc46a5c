"""Which files `go mod download` reads; the real tool needs them, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.go.project import Manifests, Obstacle, download_manifests

from tests.ecosystems.go.fakes import Context
from tests.ecosystems.go.go_tool import Module, Project, sums
from tests.syntax.oracle_client import find_go

LIB: Module = ("example.com/lib", {"go.mod": "module example.com/lib\n\ngo 1.20\n", "lib.go": "package lib\n"})
MOD = "module example.com/app\n\ngo 1.22\n\nrequire example.com/lib v1.0.0\n"
PLAIN = {"go.mod": MOD, "go.sum": sums(LIB), "main.go": "package main\n"}


def module(name: str, *lines: str) -> str:
    return f"module example.com/{name}\n\ngo 1.22\n" + "".join(line + "\n" for line in lines)


def manifests(files: Mapping[str, str], directory: str = "/", **options: bool) -> Manifests:
    found = download_manifests(Context(files), directory, **options)
    assert isinstance(found, Manifests), found
    return found


def obstacle(files: Mapping[str, str], directory: str = "/", unknown: frozenset[str] = frozenset()) -> Obstacle:
    found = download_manifests(Context(files, unknown), directory)
    assert isinstance(found, Obstacle), found
    return found


# -- one module ------------------------------------------------------------------------------------------------------


def test_one_module() -> None:
    found = manifests(PLAIN)
    assert found.files == ("go.mod", "go.sum")
    assert set(found.absent) == {"go.work", "vendor"}
    assert found.directory == ""
    assert [directory for directory, _ in found.modules] == [""]
    assert found.needed
    assert not found.vendored
    assert not found.workspace


def test_a_missing_go_sum_matters() -> None:
    found = manifests({"go.mod": MOD})
    assert found.files == ("go.mod",)
    assert "go.sum" in found.absent


def test_nothing_to_download() -> None:
    assert not manifests({"go.mod": module("app")}).needed


def test_the_next_go_mod_above_counts() -> None:
    files = {"go.mod": "this is not read\n", "a/go.mod": MOD, "a/b/c/main.go": ""}
    found = manifests(files, "/a/b/c")
    assert found.directory == "a"
    assert found.files == ("a/go.mod",)
    assert {"a/b/c/go.mod", "a/b/go.mod", "a/b/c/go.work", "a/b/go.work", "a/go.work", "go.work"} <= set(found.absent)


def test_modules_below_are_not_read() -> None:
    assert manifests({**PLAIN, "tools/go.mod": "neither is this\n", "tools/go.sum": "nor this\n"}).files == (
        "go.mod",
        "go.sum",
    )


def test_a_directory_of_that_name_is_none() -> None:
    found = manifests({**PLAIN, "a/go.mod/": "", "a/go.work/": ""}, "/a")
    assert found.files == ("go.mod", "go.sum")
    assert {"a/go.mod", "a/go.work"} <= set(found.absent)


def test_a_path_with_dots() -> None:
    assert manifests({"a/go.mod": MOD}, "/x/../a/./b//").directory == "a"


# -- local replacements ----------------------------------------------------------------------------------------------


def test_only_the_go_mod_of_a_replacement_is_read() -> None:
    files = {
        **PLAIN,
        "go.mod": MOD + "replace example.com/x => ./x\nreplace example.com/y => ./deep/y/\n",
        "x/go.mod": "what a dependency says is not looked at\n",
        "x/go.sum": "",
        "x/vendor/modules.txt": "",
        "deep/y/go.mod": module("y", "replace example.com/z => ../z"),
    }
    assert manifests(files).files == ("go.mod", "go.sum", "x/go.mod", "deep/y/go.mod")


def test_a_replacement_beside_the_module() -> None:
    files = {"app/go.mod": module("app", "replace example.com/x => ../x"), "x/go.mod": module("x")}
    found = manifests(files, "/app")
    assert found.directory == "app"
    assert found.files == ("app/go.mod", "x/go.mod")


def test_two_replacements_by_one_directory() -> None:
    files = {"go.mod": module("app", "replace a.com/b => ./x", "replace c.com/d => ./x"), "x/go.mod": module("x")}
    assert manifests(files).files == ("go.mod", "x/go.mod")


def test_a_remote_replacement_is_no_file() -> None:
    assert manifests({"go.mod": module("app", "replace a.com/b => c.com/d v1.0.0")}).files == ("go.mod",)


@pytest.mark.parametrize("target", ["./x", "../x", "../../../x"])
def test_a_replacement_that_is_not_there(target: str) -> None:
    found = obstacle({"app/go.mod": MOD + f"replace example.com/x => {target}\n"}, "/app")
    assert "leads to a directory without a go.mod" in found.reason
    assert (found.path, found.line) == ("app/go.mod", 6)


@pytest.mark.parametrize("target", ["/x", "C:/x"])
def test_a_replacement_by_an_absolute_path(target: str) -> None:
    found = obstacle({"go.mod": MOD + f"replace example.com/x => {target}\n", "x/go.mod": module("x")})
    assert "is not a relative path" in found.reason
    assert (found.path, found.line) == ("go.mod", 6)


# -- workspaces ------------------------------------------------------------------------------------------------------

WORK = {
    "go.work": "go 1.22\n\nuse (\n\t./a\n\t./b\n)\n",
    "a/go.mod": module("a"),
    "b/go.mod": module("b", "require example.com/lib v1.0.0"),
    "b/go.sum": sums(LIB),
}


@pytest.mark.parametrize("directory", ["/", "/a", "/b/c", "/elsewhere"])
def test_a_workspace(directory: str) -> None:
    found = manifests({**WORK, "go.work.sum": ""}, directory)
    assert found.workspace
    assert found.directory == ""
    assert found.files == ("go.work", "go.work.sum", "a/go.mod", "b/go.mod", "b/go.sum")
    assert [name for name, _ in found.modules] == ["a", "b"]
    assert found.needed


def test_a_workspace_without_sums() -> None:
    assert {"go.work.sum", "a/go.sum"} <= set(manifests(WORK).absent)


def test_a_workspace_that_is_switched_off() -> None:
    found = manifests({**WORK, "go.work": "unread"}, "/b", workspaces=False)
    assert not found.workspace
    assert found.files == ("b/go.mod", "b/go.sum")
    assert "b/go.work" not in found.absent


def test_a_member_twice_and_beside() -> None:
    files = {"w/go.work": "go 1.22\nuse ./a\nuse a\nuse ../b\n", "w/a/go.mod": module("a"), "b/go.mod": module("b")}
    found = manifests(files, "/w")
    assert [name for name, _ in found.modules] == ["w/a", "b"]


def test_replacements_of_a_workspace_and_of_its_members() -> None:
    files = {
        "go.work": "go 1.22\nuse ./a\nreplace example.com/x => ./x\n",
        "a/go.mod": module("a", "replace example.com/y => ../y"),
        "x/go.mod": module("x"),
        "y/go.mod": module("y"),
    }
    found = manifests(files)
    assert set(found.files) == {"go.work", "a/go.mod", "x/go.mod", "y/go.mod"}
    assert [replacement.new_path for replacement in found.replacements] == ["./x"]


def test_a_nearer_go_work_wins() -> None:
    files = {**WORK, "a/go.work": "go 1.22\nuse .\n"}
    assert manifests(files, "/a").files == ("a/go.work", "a/go.mod")


@pytest.mark.parametrize(
    ("files", "words", "path"),
    [
        ({"go.work": "go 1.22\nuse ./a\n"}, "has no go.mod", "go.work"),
        ({"go.work": "go 1.22\nuse /a\n", "a/go.mod": module("a")}, "is not a relative path", "go.work"),
        ({"go.work": "go 1.22\nuse\n"}, "exactly one", "go.work"),
        ({"go.work": "go 1.22\nfuture x\n"}, "no directive that is known", "go.work"),
        ({**WORK, "a/go.mod": "nonsense (\n"}, "not closed", "a/go.mod"),
        ({**WORK, "go.work": WORK["go.work"] + "replace example.com/x => ./x\n"}, "without a go.mod", "go.work"),
    ],
)
def test_workspaces_that_are_not_understood(files: Mapping[str, str], words: str, path: str) -> None:
    found = obstacle(files)
    assert words in found.reason
    assert found.path == path


# -- vendor ----------------------------------------------------------------------------------------------------------


def test_a_vendored_module() -> None:
    found = manifests({**PLAIN, "vendor/modules.txt": "# example.com/lib v1.0.0\n"})
    assert found.vendored
    assert "vendor/modules.txt" in found.files
    assert not manifests({**PLAIN, "go.mod": MOD.replace("1.22", "1.13"), "vendor/modules.txt": ""}).vendored
    assert manifests({**PLAIN, "vendor/x/x.go": ""}).vendored


def test_vendor_of_a_workspace_lies_beside_its_go_work() -> None:
    listed = {"vendor/modules.txt": "## workspace\n"}
    assert manifests({**WORK, **listed}, "/a").vendored
    assert not manifests({**WORK, "a/vendor/modules.txt": ""}, "/a").vendored
    assert not manifests({**WORK, "vendor/modules.txt": "# example.com/lib v1.0.0\n"}).vendored
    assert not manifests({**PLAIN, **listed}).vendored


# -- what cannot be told ---------------------------------------------------------------------------------------------


def test_no_go_mod() -> None:
    assert "there is no go.mod in or above `/a`" in obstacle({"b/go.mod": MOD}, "/a").reason


@pytest.mark.parametrize("path", ["go.mod", "go.sum", "go.work", "vendor", "a/go.work", "a/go.mod"])
def test_a_file_of_which_nobody_knows(path: str) -> None:
    found = obstacle({"go.mod": MOD, "go.sum": "", "a/x": ""}, "/a", frozenset({path}))
    assert "not certain" in found.reason
    assert found.path == path


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        (MOD + "require a.com/b\n", "must look like", 6),
        (MOD + "future x\n", "`future` is no directive that is known", 6),
        (MOD + "require (\n", "not closed", 7),
    ],
)
def test_a_go_mod_that_is_not_understood(text: str, words: str, line: int) -> None:
    found = obstacle({"go.mod": text})
    assert words in found.reason
    assert (found.path, found.line) == ("go.mod", line)


def test_a_file_that_cannot_be_read() -> None:
    class Unreadable(Context):
        def read(self, rel: str) -> bytes:
            raise OSError(f"`{rel}` is a link")

    found = download_manifests(Unreadable(PLAIN), "/")
    assert isinstance(found, Obstacle)
    assert "is a link" in found.reason


# -- the real tool ---------------------------------------------------------------------------------------------------

#: projects, each with the directory in which the download runs
REAL: Mapping[str, tuple[Mapping[str, str], str]] = {
    "one module": (PLAIN, "."),
    "from a subdirectory": ({**PLAIN, "cmd/x/main.go": "package main\n"}, "cmd/x"),
    "nested modules": ({**PLAIN, "tools/go.mod": "nonsense", "tools/tools.go": "nonsense"}, "."),
    "local replacements": (
        {
            **PLAIN,
            "go.mod": MOD
            + "require example.com/x v0.0.0\nreplace example.com/x => ./x\n"
            + "require example.com/y v0.0.0\nreplace example.com/y => ./d/y\n",
            "x/go.mod": module("x", "require example.com/y v0.0.0", "replace example.com/y => ../nowhere"),
            "x/x.go": "package x\n",
            "x/go.sum": "nonsense",
            "d/y/go.mod": module("y"),
        },
        ".",
    ),
    "a replacement beside the module": (
        {
            "app/go.mod": MOD + "require example.com/x v0.0.0\nreplace example.com/x => ../x\n",
            "app/go.sum": sums(LIB),
            "x/go.mod": module("x"),
        },
        "app",
    ),
    "a workspace": ({**WORK, "a/a.go": "package a\n", "b/b.go": "nonsense"}, "."),
    "a workspace from a module": (WORK, "a"),
    "a workspace with sums of its own": ({**WORK, "b/go.sum": "", "go.work.sum": sums(LIB)}, "."),
    "a workspace with replacements": (
        {
            "go.work": "go 1.22\nuse ./a\nreplace example.com/x => ./x\n",
            "a/go.mod": module("a", "require example.com/x v0.0.0", "require example.com/y v0.0.0", "replace example.com/y => ../y"),
            "x/go.mod": module("x"),
            "y/go.mod": module("y"),
        },
        ".",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_the_tool_needs_no_other_files(tmp_path: Path, name: str) -> None:
    if find_go() is None:
        pytest.skip("needs Go")
    files, directory = REAL[name]
    wanted = manifests({f"app/{path}": text for path, text in files.items()}, f"/app/{directory}").files
    assert all(path.startswith("app/") for path in wanted)
    project = Project(tmp_path, LIB)
    project.write({path.removeprefix("app/"): files[path.removeprefix("app/")] for path in wanted})
    (project.folder / directory).mkdir(parents=True, exist_ok=True)
    before = project.snapshot()
    done = project.go("mod", "download", directory=directory)
    assert done.returncode == 0, done.stderr
    assert project.has(LIB) == ("example.com/lib" in "".join(files.values()))
    assert project.snapshot() == before
    # each go.mod and go.work is needed: a wrong one stops the tool, or with a replacement a missing one
    for path in (path.removeprefix("app/") for path in wanted if path.endswith((".mod", ".work"))):
        project.write({path: "this is wrong\n"})
        needed = not project.runs("mod", "download", directory=directory)
        (project.folder / path).unlink()
        assert needed or not project.runs("mod", "download", directory=directory), path
        project.write({path: files[path]})
