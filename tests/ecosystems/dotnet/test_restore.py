"""What `dotnet restore` and its kin read and make: entries, solutions, settings, options."""

from __future__ import annotations

import pytest
from dockopt.optimizer.effects import Effects, Kind, World

from tests.ecosystems.dotnet.image import Image, effects, project, read_files, refused, restored

SOLUTION = (
    "\ufeff\r\nMicrosoft Visual Studio Solution File, Format Version 12.00\r\n"
    'Project("{2150E333-8FDC-42A3-9474-1A3956D46DE8}") = "src", "src", "{1}"\r\nEndProject\r\n'
    'Project("{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}") = "App", "app\\App.csproj", "{2}"\r\nEndProject\r\n'
)


def config(body: str) -> str:
    return f"<configuration>{body}</configuration>"


def source(place: str) -> str:
    return f'<packageSources><clear /><add key="ours" value="{place}" /></packageSources>'


def made(found: Effects) -> set[str]:
    return {path for write in found.writes if write.kind is Kind.TREE for path in write.region.include}


def test_a_solution_leads_to_its_projects() -> None:
    found = restored({"All.sln": SOLUTION, "app/App.csproj": project()})
    assert read_files(found) == {"All.sln", "app/App.csproj"}
    assert made(found) == {"/src/app/obj"}
    assert set(found.trees) == {"/src/app/obj"}


def test_a_project_that_a_solution_names_is_missed() -> None:
    found = effects("dotnet restore", Image({"/src/All.sln": SOLUTION}))
    assert found.unknown is not None
    assert found.missing == ("/src/app/App.csproj",)


def test_a_project_that_is_not_there_is_missed() -> None:
    assert effects("dotnet restore app/App.csproj", Image()).missing == ("/src/app/App.csproj",)


@pytest.mark.parametrize(
    "text",
    ["", "no solution", SOLUTION.replace('"{2}"', ""), SOLUTION.replace("App.csproj", "App.vcxproj"), '\x00Project("'],
)
def test_a_broken_solution_is_an_obstacle(text: str) -> None:
    assert refused({"All.sln": text, "app/App.csproj": project()})


def test_a_solution_in_xml() -> None:
    files = {
        "All.slnx": '<Solution><Folder Name="/x/"><Project Path="app/App.fsproj" /></Folder></Solution>',
        "app/App.fsproj": project(),
    }
    assert made(restored(files)) == {"/src/app/obj"}
    assert refused({"All.slnx": "<Solution><Project /></Solution>"})


def test_only_what_is_restored_gets_objects() -> None:
    files = {
        "a/A.csproj": project('<ItemGroup><ProjectReference Include="../b/B.csproj" /></ItemGroup>'),
        "b/B.csproj": project(),
    }
    assert made(restored(files, "dotnet restore a")) == {"/src/a/obj", "/src/b/obj"}
    found = restored(files, "dotnet restore a/A.csproj --no-dependencies")
    assert made(found) == {"/src/a/obj"}
    assert read_files(found) == {"a/A.csproj", "b/B.csproj"}


def test_what_lies_beside_and_above_is_looked_for() -> None:
    found = restored({"app/App.csproj": project()}, "dotnet restore app")
    for path in (
        "/src/Directory.Build.props", "/src/app/Directory.Build.targets", "/Directory.Packages.props", "/src/app/App.csproj.user",
        "/src/nuget.config", "/src/NuGet.Config", "/src/global.json", "/src/app/packages.lock.json", "/src/app/Directory.Build.rsp",
    ):  # fmt: skip
        assert path in found.probes
    assert found.variables is None
    assert found.reads.exclude == ("/src",)
    assert not any(write.kind is Kind.MAY and path == "/src" for write in found.writes for path in write.region.include)


def test_only_the_nearest_file_counts() -> None:
    files = {
        "app/App.csproj": project(),
        "app/Directory.Build.props": "<Project />",
        "Directory.Build.props": "<Project />",
    }
    assert read_files(restored(files, "dotnet restore app")) == {"app/App.csproj", "app/Directory.Build.props"}


@pytest.mark.parametrize(
    ("files", "line", "reason"),
    [
        ({}, "dotnet restore", "does not hold one project"),
        ({"a.csproj": project(), "b.csproj": project()}, "dotnet restore", "does not hold one project"),
        ({"a.csproj": project(), "b.sln": SOLUTION}, "dotnet restore", "does not hold one project"),
        ({"a.csproj": project(), "readme.md": ""}, "dotnet restore readme.md", "no project and no solution"),
        ({"a.csproj": project()}, "dotnet restore a.csproj b.csproj", "several projects"),
        ({"a.csproj": project()}, "dotnet restore ?$P", "`$P` is not known"),
        ({"a.csproj": project()}, "dotnet restore -r ?$RID", "`$RID` is not known"),
        ({"a.csproj": project()}, "dotnet restore --new-option", "`--new-option` is not modelled"),
        ({"a.csproj": project()}, "dotnet restore -bl:x", "`-bl:x` is not modelled"),
        ({"a.csproj": project()}, "dotnet restore --lock-file-path x", "another lock file"),
        ({"a.csproj": project()}, "dotnet restore --packages packages", "lie in the project"),
        ({"a.csproj": project()}, "dotnet restore -p:RestorePackagesPath=x", "`RestorePackagesPath` may lead"),
        ({"a.csproj": project()}, "dotnet restore --configfile eng/nuget.config", "is not there"),
        ({"a.csproj": project(), "Directory.Build.rsp": "# none\n-m:1\n"}, "dotnet restore", "`-m:1` is an option"),
        ({"a.csproj": project(), "global.json": '{"sdk": {"paths": ["x"]}}'}, "dotnet restore", "SDKs in other directories"),
        ({"a.csproj": project(), "global.json": "[" * 100_000}, "dotnet restore", ""),
        ({"a.csproj": project(), "global.json": "[]"}, "dotnet restore", "holds no object"),
        ({"a.csproj": project(), "nuget.config": "<x />"}, "dotnet restore", "not `configuration`"),
        ({"a.csproj": project(), "nuget.config": config("<fallbackPackageFolders />")}, "dotnet restore", "may name directories"),
        (
            {"a.csproj": project(), "nuget.config": config(source("."))},
            "dotnet restore",
            "holds the project itself",
        ),
        (
            {"a.csproj": project(), "nuget.config": config(source("%X%/p"))},
            "dotnet restore",
            "is not followed",
        ),
        ({"a.csproj": project()}, "dotnet build", "runs what projects and packages say"),
        ({"a.csproj": project()}, "dotnet", "without a subcommand"),
        ({}, "dotnet tool restore", "there is no `dotnet-tools.json`"),
    ],
)  # fmt: skip
def test_is_refused(files: dict[str, str | bytes], line: str, reason: str) -> None:
    assert reason in refused(files, line)


@pytest.mark.parametrize(
    "options",
    [
        "-r linux-x64", "-r ?linux-$TARGETARCH", "-r ?linux-musl-${TARGETARCH}", '-r ?"linux-$TARGETARCH"', "--runtime linux-x64 -v q",
        "-v:q --nologo",
        "--source https://example.org/v3/index.json", "--packages /packages", "-p:Configuration=Release", '?-p:Name="x-$TARGETOS"',
        "--disable-parallel --no-cache", "/p:Platform=x64;Other=1",
    ],
)  # fmt: skip
def test_options_that_change_no_place(options: str) -> None:
    assert read_files(restored({"a.csproj": project()}, f"dotnet restore {options}")) == {"a.csproj"}


@pytest.mark.parametrize(
    "word",
    [
        "-r ?$TARGETARCH$RID",
        '-r ?"$RID"',
        '?-p:Version="$VERSION"',
        "?-p:Version=$VERSION",
        '?"-p:$NAME=x"',
        "?-p:RID=$(uname)",
    ],
)
def test_words_that_may_be_several(word: str) -> None:
    assert "not known before the build" in refused({"a.csproj": project()}, f"dotnet restore {word}")


def test_lock_files() -> None:
    files = {"a.csproj": project(), "packages.lock.json": "{}"}
    kept = restored(files, "dotnet restore --locked-mode")
    assert kept.world is World.LOCKED
    assert not any(write.kind is Kind.SET for write in kept.writes)
    written = restored(files)
    assert written.world is World.REPOSITORY
    assert any(
        write.kind is Kind.SET and write.region.include == ("/src/packages.lock.json",) for write in written.writes
    )
    evaluated = restored(files, "dotnet restore --locked-mode --force-evaluate")
    assert any(write.kind is Kind.SET for write in evaluated.writes)
    wanted = restored({"a.csproj": project()}, "dotnet restore --use-lock-file")
    assert any(write.kind is Kind.SET for write in wanted.writes)
    assert restored({"a.csproj": project()}).world is World.REPOSITORY


def test_a_local_source_counts_with_all_entries() -> None:
    config = (
        '<configuration><packageSources><clear /><add key="a" value="eng\\packages" /></packageSources></configuration>'
    )
    found = restored({"a.csproj": project(), "nuget.config": config, "eng/packages/x.nupkg": ""})
    assert "/src/eng/packages" in found.trees


def test_tools() -> None:
    files = {".config/dotnet-tools.json": '{"isRoot": true}', "nuget.config": "<configuration />"}
    found = restored(files, "dotnet tool restore")
    assert read_files(found) == set(files)
    assert not made(found)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image({"/src/a.csproj": project()}, cwd=None), "working directory"),
        (Image({"/src/a.csproj": project()}, online=False), "without a network"),
        (Image({"/src/a.csproj": project()}, environment={"HOME": "/src"}), "lie in the project"),
        (Image({"/src/a.csproj": project()}, environment={"NUGET_PACKAGES": "packages"}), "lie in the project"),
        (Image({"/src/a.csproj": project()}, environment={"BaseIntermediateOutputPath": "o/"}), "may lead"),
        (Image({"/src/a.csproj": project()}, unknown=frozenset({"/src/a.csproj"})), "not certain"),
        (Image({"/src/a.csproj": project()}, unknown=frozenset({"/src/Directory.Build.props"})), "not certain"),
        (Image({"/home/app/a.csproj": project()}, "/home/app", "app", project_roots=("/home/app",)), "set HOME"),
        (Image({"/a.csproj": project()}, "/", project_roots=("/",)), "lie in the project"),
    ],
)
def test_images_in_which_it_is_not_understood(image: Image, reason: str) -> None:
    assert reason in (effects("dotnet restore", image).unknown or "")
