"""What `docs/go-facts.md` says of the go command, done by the real tool with a module proxy in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ecosystems.go.go_tool import Module, Project, content_sum, manifest_sum, publish, sums
from tests.syntax.oracle_client import find_go

DEEP: Module = ("example.com/deep", {"go.mod": "module example.com/deep\n\ngo 1.20\n", "deep.go": "package deep\n"})
#: only a test of it imports the deeper module, so that a build does without
LIB: Module = (
    "example.com/lib",
    {
        "go.mod": "module example.com/lib\n\ngo 1.20\n\nrequire example.com/deep v1.0.0\n",
        "lib.go": "package lib\n",
        "lib_test.go": 'package lib\n\nimport _ "example.com/deep"\n',
    },
)
TOOL: Module = (
    "example.com/tool",
    {"go.mod": "module example.com/tool\n\ngo 1.20\n", "main.go": "package main\n\nfunc main() {}\n"},
)
MOD = "module example.com/app\n\ngo 1.22\n\nrequire example.com/lib v1.0.0\n"
#: what a build needs
FEW_SUMS = content_sum(LIB) + manifest_sum(LIB) + manifest_sum(DEEP)
MAIN = 'package main\n\nimport _ "example.com/lib"\n\nfunc main() {}\n'
WORK = "go 1.22\n\nuse .\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    if find_go() is None:
        pytest.skip("needs Go")
    found = Project(tmp_path, LIB, DEEP, TOOL)
    found.write({"go.mod": MOD, "go.sum": FEW_SUMS})
    return found


def download(project: Project, directory: str = ".", **environment: str) -> bool:
    return project.runs("mod", "download", directory=directory, **environment)


def entries(project: Project, name: str) -> set[str]:
    """Return the lines of a go.sum."""
    return set((project.read(name) or "").splitlines(keepends=True))


# -- go mod download -------------------------------------------------------------------------------------------------


def test_only_the_manifests_are_needed(project: Project) -> None:
    before = project.snapshot()
    assert download(project)
    assert project.has(LIB)
    assert not project.has(DEEP)
    assert project.snapshot() == before


def test_sources_do_not_matter(project: Project) -> None:
    project.write({"main.go": "this is no Go\n"})
    project.write({"sub/go.mod": "nor is this\n"})
    assert download(project)
    assert project.has(LIB)


def test_a_missing_sum_of_a_manifest_is_added(project: Project) -> None:
    project.write({"go.sum": content_sum(LIB)})
    assert download(project)
    # with a `go` line of 1.17 or newer go.mod names all that matters: the deeper go.mod is not even read
    assert entries(project, "go.sum") == {content_sum(LIB), manifest_sum(LIB)}


def test_before_go_117_the_whole_graph_is_read_and_downloaded(project: Project) -> None:
    project.write({"go.mod": MOD.replace("1.22", "1.16"), "go.sum": content_sum(LIB)})
    assert download(project)
    assert project.has(DEEP)
    assert entries(project, "go.sum") == {content_sum(LIB), manifest_sum(LIB), manifest_sum(DEEP)}


def test_a_missing_sum_of_the_content_is_not_added(project: Project) -> None:
    project.write({"go.sum": manifest_sum(LIB)})
    assert download(project)
    assert project.read("go.sum") == manifest_sum(LIB)


def test_with_all_every_sum_is_added(project: Project) -> None:
    assert project.runs("mod", "download", "all")
    assert project.has(DEEP)
    assert entries(project, "go.sum") == set(sums(LIB, DEEP).splitlines(keepends=True))


def test_verify_changes_nothing(project: Project) -> None:
    project.write({"go.sum": ""})
    before = project.snapshot()
    assert project.runs("mod", "verify")
    assert project.snapshot() == before


def test_a_wrong_sum_is_refused(project: Project) -> None:
    project.write({"go.sum": content_sum(LIB).replace("h1:", "h1:AAAA") + manifest_sum(LIB)})
    assert not download(project)


def test_a_missing_go_line_is_added(project: Project) -> None:
    project.write({"go.mod": MOD.replace("go 1.22\n\n", "")})
    assert download(project)
    assert "\ngo 1." in (project.read("go.mod") or "")


def test_a_local_replacement_needs_its_go_mod(project: Project) -> None:
    project.write({"go.mod": MOD + "\nrequire example.com/x v0.0.0\n\nreplace example.com/x => ./x\n"})
    assert not download(project)
    project.write({"x/go.mod": "module example.com/x\n\ngo 1.22\n"})
    assert download(project)


def test_a_replacement_that_nothing_requires_needs_nothing(project: Project) -> None:
    project.write({"go.mod": MOD + "\nreplace example.com/x => ./x\n"})
    assert download(project)


def test_of_a_replacement_only_requirements_are_read(project: Project) -> None:
    project.write({"go.mod": MOD + "\nrequire example.com/x v0.0.0\n\nreplace example.com/x => ./x\n"})
    project.write(
        {
            "x/go.mod": "module example.com/x\n\nfuture x\n\nreplace example.com/lib => ./nowhere\n",
            "x/go.sum": "no sums",
        }
    )
    assert download(project)


def test_a_workspace_needs_the_go_mod_of_each_member(project: Project) -> None:
    project.write({"go.work": "go 1.22\n\nuse .\nuse ./y\n"})
    assert not download(project)
    project.write({"y/go.mod": "module example.com/y\n\ngo 1.22\n"})
    assert download(project)


def test_a_workspace_gets_all_sums_in_go_work_sum(project: Project) -> None:
    project.write({"go.work": WORK})
    before = project.snapshot()
    assert download(project)
    assert project.has(DEEP)
    assert project.read("go.work.sum") == content_sum(DEEP)
    assert {name: data for name, data in project.snapshot().items() if name != "go.work.sum"} == before


def test_a_workspace_with_all_sums_stays_as_it_is(project: Project) -> None:
    project.write({"go.work": WORK, "go.sum": "", "go.work.sum": sums(LIB, DEEP)})
    before = project.snapshot()
    assert download(project)
    assert project.snapshot() == before


def test_a_workspace_of_a_parent_counts_and_can_be_switched_off(project: Project) -> None:
    (project.home / "go.work").write_text("go 1.22\n\nuse ./nothing\n")
    assert not download(project)
    assert download(project, GOWORK="off")


def test_a_variable_names_another_workspace(project: Project) -> None:
    project.write({"other.work": "go 1.22\n\nuse ./nothing\n"})
    assert not download(project, GOWORK=str(project.folder / "other.work"))


def test_a_vendor_directory_does_not_matter(project: Project) -> None:
    project.write({"vendor/modules.txt": "# example.com/lib v1.0.0\n## explicit\nexample.com/lib\n"})
    assert download(project)
    assert project.has(LIB)


def test_the_module_is_looked_for_in_the_parents(project: Project) -> None:
    project.write({"cmd/x/main.go": "package main\n"})
    assert download(project, "cmd/x")
    assert project.has(LIB)


def test_another_manifest_can_be_named(project: Project) -> None:
    project.write({"other/go.mod": "module example.com/other\n\ngo 1.22\n", "x.mod": "nonsense"})
    assert project.runs("-C", "other", "mod", "download")
    assert not project.has(LIB)
    assert not download(project, GOFLAGS="-modfile=x.mod")


def test_a_module_mode_does_not_matter(project: Project) -> None:
    for mode in ("mod", "readonly", "vendor"):
        project.write({"go.sum": content_sum(LIB)})
        assert download(project, GOFLAGS=f"-modcacherw -mod={mode}")
        assert entries(project, "go.sum") == {content_sum(LIB), manifest_sum(LIB)}


# -- settings --------------------------------------------------------------------------------------------------------


def test_goflags_holds_flags_with_values_behind_an_equals_sign(project: Project) -> None:
    assert download(project, GOFLAGS="-modcacherw '-ldflags=-s -w' \"-tags=a b\"")
    for wrong in ("-frobnicate", "-tags a", "word", "-C=x", "'-tags=a"):
        assert not project.runs("build", "-o", os.devnull, ".", GOFLAGS=wrong), wrong


def test_settings_are_read_from_a_file_in_the_home_directory(project: Project) -> None:
    (project.home / ".config/go").mkdir(parents=True)
    (project.home / ".config/go/env").write_text(f"GOWORK={project.folder}/nothing.work\n")
    assert not download(project)
    assert download(project, GOWORK="off")
    assert download(project, GOENV="off")
    assert download(project, XDG_CONFIG_HOME=str(project.home / "elsewhere"))


def test_a_newer_go_is_demanded(project: Project) -> None:
    project.write({"go.mod": MOD.replace("1.22", "1.99")})
    assert not download(project)


@pytest.mark.parametrize("arguments", [("version",), ("mod", "download"), ("build", ".")])
def test_a_newer_go_is_downloaded_where_that_is_allowed(project: Project, arguments: tuple[str, ...]) -> None:
    """The proxy of the test has no toolchain, so that the attempt fails."""
    project.write({"go.mod": MOD.replace("1.22", "1.99.1")})
    done = project.go(*arguments, GOTOOLCHAIN="auto")
    assert done.returncode != 0
    assert "download go1.99.1" in done.stderr


# -- go build and its kin --------------------------------------------------------------------------------------------


def test_a_build_needs_the_sums_and_changes_no_manifest(project: Project) -> None:
    project.write({"main.go": MAIN})
    before = project.snapshot()
    assert project.runs("build", "-o", os.devnull, ".")
    assert project.snapshot() == before
    project.write({"go.sum": ""})
    assert not project.runs("build", "-o", os.devnull, ".")
    assert project.read("go.sum") == ""


@pytest.mark.parametrize("where", ["flag", "variable"])
def test_in_mod_mode_a_build_adds_sums(project: Project, where: str) -> None:
    project.write({"main.go": MAIN, "go.sum": ""})
    arguments = ("-mod=mod",) if where == "flag" else ()
    flags = "-modcacherw" if where == "flag" else "-modcacherw -mod=mod"
    assert project.runs("build", *arguments, "-o", os.devnull, ".", GOFLAGS=flags)
    assert entries(project, "go.sum") == {content_sum(LIB), manifest_sum(LIB)}


@pytest.mark.parametrize("command", ["build", "vet", "list"])
def test_in_a_workspace_a_build_adds_sums(project: Project, command: str) -> None:
    project.write({"main.go": MAIN, "go.sum": "", "go.work": WORK})
    arguments = ("-deps",) if command == "list" else ("-o", os.devnull) if command == "build" else ()
    assert project.runs(command, *arguments, ".")
    assert entries(project, "go.work.sum") == {content_sum(LIB), manifest_sum(LIB)}
    assert project.read("go.sum") == ""


def test_goflags_can_move_the_output(project: Project) -> None:
    project.write({"main.go": MAIN})
    assert project.runs("build", ".", GOFLAGS="-modcacherw -o=elsewhere/x")
    assert (project.folder / "elsewhere/x").exists()
    assert not (project.folder / "app").exists()


def test_an_output_that_is_a_directory_or_ends_in_a_slash(project: Project) -> None:
    project.write({"main.go": MAIN, "there/x": ""})
    assert project.runs("build", "-o", "there", ".")
    assert project.runs("build", "-o", "new/", ".")
    assert project.runs("build", "-o", "file", ".")
    assert {"there/app", "new/app", "file"} <= project.snapshot().keys()


def test_two_flags_that_change_what_is_written(project: Project) -> None:
    project.write({"main.go": MAIN})
    assert project.runs("build", "-n", "-o", "app", ".")
    assert not (project.folder / "app").exists()
    temporary = project.home / "temporary"
    temporary.mkdir()
    assert project.runs("build", "-work", "-o", "app", ".", TMPDIR=str(temporary))
    assert list(temporary.iterdir())


def test_flags_end_at_the_first_operand(project: Project) -> None:
    project.write({"main.go": MAIN})
    assert not project.runs("build", ".", "-o", "x")


def test_without_a_network_the_module_cache_decides(project: Project) -> None:
    assert not download(project, GOPROXY="off")
    assert download(project)
    assert download(project, GOPROXY="off")


def test_vendor_can_be_written_elsewhere(project: Project) -> None:
    project.write({"main.go": MAIN})
    assert project.runs("mod", "vendor", "-o", "elsewhere")
    assert "elsewhere/modules.txt" in project.snapshot()
    assert "vendor/modules.txt" not in project.snapshot()


def test_install_with_a_version_does_not_look_at_the_project(project: Project) -> None:
    project.write({"go.mod": "nonsense", "go.work": "nonsense", "go.sum": "nonsense", "vendor/modules.txt": ""})
    before = project.snapshot()
    assert project.runs("install", "example.com/tool@v1.0.0")
    assert (project.home / "go/bin/tool").exists()
    assert project.runs("install", "example.com/tool@v1.0.0", GOBIN=str(project.home / "bin"))
    assert (project.home / "bin/tool").exists()
    assert project.snapshot() == before


def test_an_exact_version_is_none_that_is_looked_up(project: Project, tmp_path: Path) -> None:
    assert project.runs("install", "example.com/tool@latest")
    publish(tmp_path / "proxy", TOOL, "v1.1.0")
    cache = project.cache / "example.com"
    assert project.runs("install", "example.com/tool@v1.0.0")
    assert not (cache / "tool@v1.1.0").exists()
    assert project.runs("install", "example.com/tool@latest")
    assert (cache / "tool@v1.1.0").exists()


def test_a_build_cache_that_is_lost_or_shared_changes_no_result(project: Project) -> None:
    project.write({"main.go": MAIN})
    assert project.runs("build", "-o", "first", ".")
    assert project.runs("build", "-o", "second", ".", GOCACHE=str(project.home / "other"))
    project.write({"more/main.go": "package main\n\nfunc main() { println(1) }\n"})
    assert project.runs("build", "-o", "third", "./more")
    assert project.runs("build", "-o", "fourth", ".")
    found = project.snapshot()
    assert found["first"] == found["second"] == found["fourth"] != found["third"]
