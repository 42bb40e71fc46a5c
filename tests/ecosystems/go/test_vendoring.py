"""vendor/modules.txt: what it lists, and when builds take their packages from `vendor`; the real tool says the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.go.vendoring import VendoredModule, builds_from_vendor, parse_modules_txt

from tests.ecosystems.go.go_tool import Module, Project, sums
from tests.syntax.oracle_client import find_go

LISTED = b"""\
## workspace
# a.com/b v1.0.0
## explicit; go 1.20
a.com/b
a.com/b/sub
# c.com/d v1.1.0 => ./d
## explicit
# e.com/f v1.2.0 => g.com/h v1.3.0
g.com/h
# i.com/j => ../j
# k.com/l => m.com/n v1.0.0
"""
LIB: Module = ("example.com/lib", {"go.mod": "module example.com/lib\n\ngo 1.20\n", "lib.go": "package lib\n"})
MAIN = 'package main\n\nimport _ "example.com/lib"\n\nfunc main() {}\n'
REQUIRE = "\nrequire example.com/lib v1.0.0\n"
TXT = "# example.com/lib v1.0.0\n## explicit; go 1.20\nexample.com/lib\n"
VENDORED = {"vendor/example.com/lib/lib.go": "package lib\n", "vendor/modules.txt": TXT}


def test_the_list() -> None:
    found = parse_modules_txt(LISTED)
    assert found.workspace
    assert found.modules == (
        VendoredModule("a.com/b", "v1.0.0", True, None, ("a.com/b", "a.com/b/sub")),
        VendoredModule("c.com/d", "v1.1.0", True, ("./d", ""), ()),
        VendoredModule("e.com/f", "v1.2.0", False, ("g.com/h", "v1.3.0"), ("g.com/h",)),
        VendoredModule("i.com/j", "", False, ("../j", ""), ()),
        VendoredModule("k.com/l", "", False, ("m.com/n", "v1.0.0"), ()),
    )


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (b"", []),
        (b"\n\n", []),
        (b"a.com/b\n", []),
        (b"#a.com/b v1.0.0\n", []),
        (b"# a.com/b\n", []),
        (b"# a.com/b latest\n", []),
        (b"# a.com/b v1.0.0\r\n## explicit\r\na.com/b\r\n", ["a.com/b"]),
        (b"# a.com/b v1.0.0\n# nonsense\na.com/x\n# c.com/d v1.0.0\n", ["a.com/b", "c.com/d"]),
        (b"# a.com/\xff v1.0.0\n", ["a.com/\ufffd"]),
    ],
)
def test_lines_that_are_passed_over(text: bytes, paths: list[str]) -> None:
    found = parse_modules_txt(text)
    assert [module.path for module in found.modules] == paths
    assert not found.workspace


def test_packages_below_a_line_that_is_no_module_belong_to_none() -> None:
    (module,) = parse_modules_txt(b"# a.com/b v1.0.0\na.com/b\n# nonsense\na.com/x\n").modules
    assert module.packages == ("a.com/b",)


@pytest.mark.parametrize(
    "first", ["## workspace", "## workspace; more", "## more;  workspace ", "## workspace\n# a.com/b v1.0.0"]
)
def test_a_list_of_a_workspace(first: str) -> None:
    assert parse_modules_txt(f"{first}\n".encode()).workspace


@pytest.mark.parametrize("first", ["# workspace", "##workspace", "## workspaces", "\n## workspace", " ## workspace"])
def test_no_list_of_a_workspace(first: str) -> None:
    assert not parse_modules_txt(f"{first}\n".encode()).workspace


#: name → `go` version, files beside go.mod and main.go, whether a go.work governs
CASES: Mapping[str, tuple[str | None, Mapping[str, str], bool]] = {
    "vendored": ("1.22", VENDORED, False),
    "an old go line": ("1.14", VENDORED, False),
    "a go line that is too old": ("1.13", VENDORED, False),
    "no go line": (None, VENDORED, False),
    "no directory": ("1.22", {}, False),
    "a directory without a list": ("1.22", {"vendor/README": ""}, False),
    "an empty list": ("1.22", {"vendor/modules.txt": ""}, False),
    "a list of a workspace": ("1.22", {**VENDORED, "vendor/modules.txt": "## workspace\n" + TXT}, False),
    "a file": ("1.22", {"vendor": ""}, False),
    "in a workspace": ("1.22", {**VENDORED, "vendor/modules.txt": "## workspace\n" + TXT}, True),
    "in a workspace with the list of a module": ("1.22", VENDORED, True),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_builds_use_vendor_as_the_tool_does(tmp_path: Path, name: str) -> None:
    if find_go() is None:
        pytest.skip("needs Go")
    go, files, workspace = CASES[name]
    line = "" if go is None else f"\ngo {go}\n"
    project = Project(tmp_path, LIB)
    project.write({"go.mod": f"module example.com/app\n{line}{REQUIRE}", "go.sum": sums(LIB), "main.go": MAIN, **files})
    if workspace:
        project.write({"go.work": f"go {go}\n\nuse .\n"})
    # where the packages come from; with an inconsistent directory it fails, and says so
    done = project.go("list", "-deps", "-f", "{{.Dir}}", ".")
    vendored = "/vendor/" in done.stdout or "inconsistent vendoring" in done.stderr
    assert vendored or done.returncode == 0
    text = files.get("vendor/modules.txt")
    ours = builds_from_vendor(
        go,
        None if text is None else text.encode(),
        has_directory=any("vendor/" in f for f in files),
        workspace=workspace,
    )
    assert ours == vendored
