"""Which files a project leads to, and what makes that uncertain."""

from __future__ import annotations

import pytest

from tests.ecosystems.dotnet.image import project, read_files, refused, restored

#: bodies of a project that lead to more files, with these
LEADS = {
    "import": ('<Import Project="a.props" />', {"a.props"}),
    "import with a backslash": ('<Import Project="eng\\a.props" />', {"eng/a.props"}),
    "import behind a condition": ("<Import Project=\"a.props\" Condition=\"'$(X)' == 'y'\" />", {"a.props"}),
    "import in a group": ('<ImportGroup><Import Project="a.props" /></ImportGroup>', {"a.props"}),
    "import of either name": (
        "<PropertyGroup><N>a</N><N Condition=\"'$(X)' == ''\">b</N></PropertyGroup>"
        "<Import Project=\"$(N).props\" Condition=\"'$(X)' == ''\" />",
        {"a.props", "b.props"},
    ),
    "import of the nearest file above": (
        "<Import Project=\"$([MSBuild]::GetPathOfFileAbove('a.props', '$(MSBuildThisFileDirectory)'))\" />",
        {"a.props"},
    ),
    "import of a combined path": (
        "<Import Project=\"$([System.IO.Path]::Combine('$(MSBuildThisFileDirectory)', 'eng', 'a.props'))\" />",
        {"eng/a.props"},
    ),
    "reference": ('<ItemGroup><ProjectReference Include="lib\\Lib.csproj" /></ItemGroup>', {"lib/Lib.csproj"}),
    "references in a list": (
        '<ItemGroup><ProjectReference Include="lib/Lib.csproj; more/More.vbproj" /></ItemGroup>',
        {"lib/Lib.csproj", "more/More.vbproj"},
    ),
    "reference in one case": (
        '<Choose><When Condition="true"><ItemGroup><ProjectReference Include="lib/Lib.csproj" /></ItemGroup></When></Choose>',
        {"lib/Lib.csproj"},
    ),
    "existence of a file": ("<PropertyGroup Condition=\"Exists('a.props')\"><X>y</X></PropertyGroup>", {"a.props"}),
    "text of a file": (
        "<PropertyGroup><V>$([System.IO.File]::ReadAllText('a.props').Trim())</V></PropertyGroup>",
        {"a.props"},
    ),
}
OTHERS = {
    "a.props": "<Project />", "b.props": "<Project />", "eng/a.props": "<Project />", "lib/Lib.csproj": project(),
    "more/More.vbproj": project(), "Program.cs": "class Program { }",
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), LEADS.values(), ids=LEADS)
def test_leads_to_files(body: str, expected: set[str]) -> None:
    assert read_files(restored({"App.csproj": project(body), **OTHERS})) == {"App.csproj", *expected}


#: bodies that a restore does not follow, or that say nothing about packages
HARMLESS = {
    "items of a build": '<ItemGroup Condition="Exists(\'$(Unknown)\')"><None Include="**/*.txt" /><Content Remove="x" /></ItemGroup>',
    "target of a build": '<Target Name="Pages" AfterTargets="Build;Publish"><Exec Command="npm run build" /></Target>',
    "target that somebody calls": '<Target Name="Deploy"><Exec Command="./deploy.sh" /></Target>',
    "function of a text": "<PropertyGroup><X>$(Name.Replace('a', '$(B)'))$([System.String]::Join('-', '$(C)'))</X></PropertyGroup>",
    "variable": "<PropertyGroup><X>$([System.Environment]::GetEnvironmentVariable('CI'))</X></PropertyGroup>",
    "packages": '<ItemGroup><PackageReference Include="A" Version="$(V)"><PrivateAssets>all</PrivateAssets></PackageReference></ItemGroup>',
    "extension": "<ProjectExtensions><VisualStudio><UserProperties /></VisualStudio></ProjectExtensions>",
}


@pytest.mark.parametrize("body", HARMLESS.values(), ids=HARMLESS)
def test_leads_to_no_file(body: str) -> None:
    assert read_files(restored({"App.csproj": project(body), **OTHERS})) == {"App.csproj"}


REFUSED = {
    "clock": ("<PropertyGroup><V>$([System.DateTime]::Now)</V></PropertyGroup>", "another value in the next build"),
    "random": ("<PropertyGroup><V>$([System.Guid]::NewGuid())</V></PropertyGroup>", "another value in the next build"),
    "files of a directory": ("<PropertyGroup><V>$([System.IO.Directory]::GetFiles('.'))</V></PropertyGroup>", "reads files"),
    "clock in a nested text": ("<PropertyGroup><V>$(X.Replace('a', '$([System.DateTime]::Now)'))</V></PropertyGroup>", "another value"),
    "import of an unknown place": ('<Import Project="$(Place)/a.props" />', "is set by no file"),
    "import of a computed name": ('<PropertyGroup><N>a</N></PropertyGroup><Import Project="$(N.Trim()).props" />', "is not computed"),
    "wildcard": ('<ItemGroup><ProjectReference Include="**/*.csproj" /></ItemGroup>', "selects"),
    "reference from items": ('<ItemGroup><ProjectReference Include="@(All)" /></ItemGroup>', "made of items"),
    "version from items": ('<ItemGroup><PackageReference Include="A" Version="@(V)" /></ItemGroup>', "made of items"),
    "condition on items": ("<ItemGroup Condition=\"'@(V)' != ''\"><PackageReference Include=\"A\" /></ItemGroup>", "depends on items"),
    "property of items": ("<PropertyGroup><P>@(V)</P></PropertyGroup>", "made of items"),
    "existence of an unknown place": ("<PropertyGroup Condition=\"Exists('$(Unknown)/a')\" />", "is set by no file"),
    "other kind of project": ('<ItemGroup><ProjectReference Include="native/N.vcxproj" /></ItemGroup>', "no project in C#"),
    "place of objects": ("<PropertyGroup><MSBuildProjectExtensionsPath>o</MSBuildProjectExtensionsPath></PropertyGroup>", "may lead"),
    "place of packages": ("<PropertyGroup><RestorePackagesPath>p</RestorePackagesPath></PropertyGroup>", "may lead"),
    "artifacts": ("<PropertyGroup><UseArtifactsOutput>true</UseArtifactsOutput></PropertyGroup>", "may lead"),
    "unknown element": ("<Import2 />", "not understood"),
    "target of the restore": ('<Target Name="X" AfterTargets="Restore" />', "may run in a restore"),
    "replaced target": ('<Target Name="CollectPackageDownloads" BeforeTargets="Build" />', "may replace"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_is_refused(body: str, reason: str) -> None:
    assert reason in refused({"App.csproj": project(body), **OTHERS})


BROKEN: dict[str, str | bytes] = {
    "empty": "",
    "no XML": "<Project",
    "another root": "<project />",
    "not UTF-8": b"<Project Sdk='Microsoft.NET.Sdk'>\xff</Project>",
    "unknown encoding": b"<?xml version='1.0' encoding='nonsense'?><Project />",
    "entities": '<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Project Sdk="Microsoft.NET.Sdk"><X>&b;</X></Project>',
    "deep": project("<A>" * 5000 + "</A>" * 5000),
    "deep references": project("<PropertyGroup><X>" + "$(A.B('" * 5000 + "'))" * 5000 + "</X></PropertyGroup>"),
    "open reference": project("<PropertyGroup><X>$(A</X></PropertyGroup><Import Project='$(X' />"),
    "initial targets": "<Project Sdk='Microsoft.NET.Sdk' InitialTargets='X' />",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_broken_project_is_an_obstacle(text: str | bytes) -> None:
    assert refused({"App.csproj": text})


def test_byte_order_mark_and_windows_line_ends() -> None:
    assert read_files(restored({"App.csproj": b"\xef\xbb\xbf" + project("\r\n").encode()})) == {"App.csproj"}


def test_values_do_not_grow_without_end() -> None:
    doubling = "<PropertyGroup><X>xxxxxxxx</X>" + "<X>$(X)$(X)</X>" * 60 + '</PropertyGroup><Import Project="$(X)" />'
    assert "not known before the build" in refused({"App.csproj": project(doubling)})
    branching = "<PropertyGroup>" + "".join(f"<X Condition=\"'$(C)' == ''\">{i}</X>" for i in range(99))
    assert "too many" in refused({"App.csproj": project(branching + '</PropertyGroup><Import Project="$(X)" />')})


def test_imports_do_not_multiply_without_end() -> None:
    files = {
        f"{i}.props": f'<Project><Import Project="{i + 1}.props" /><Import Project="{i + 1}.props" /></Project>'
        for i in range(30)
    }
    files |= {"30.props": "<Project />", "App.csproj": project('<Import Project="0.props" />')}
    assert "circles" in refused(files)


def test_projects_may_reference_each_other() -> None:
    one = project('<ItemGroup><ProjectReference Include="../b/B.csproj" /></ItemGroup>')
    two = project('<ItemGroup><ProjectReference Include="../a/A.csproj" /></ItemGroup>')
    found = restored({"a/A.csproj": one, "b/B.csproj": two}, "dotnet restore a/A.csproj")
    assert read_files(found) == {"a/A.csproj", "b/B.csproj"}


def test_a_property_of_the_command_line_wins() -> None:
    body = '<PropertyGroup><N>a</N></PropertyGroup><Import Project="$(N).props" />'
    found = restored({"App.csproj": project(body), **OTHERS}, "dotnet restore -p:N=b")
    assert read_files(found) == {"App.csproj", "b.props"}


def test_a_variable_may_set_what_is_set_on_a_condition() -> None:
    from tests.ecosystems.dotnet.image import Image, effects

    body = "<PropertyGroup><N Condition=\"'$(N)' == ''\">a</N></PropertyGroup><Import Project=\"$(N).props\" />"
    files = {f"/src/{path}": text for path, text in {"App.csproj": project(body), **OTHERS}.items()}
    found = effects("dotnet restore", Image(files, environment={"N": "b"}))
    assert read_files(found) == {"App.csproj", "a.props", "b.props"}
