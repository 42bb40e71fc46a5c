"""Whatever a manifest holds, the answer is an effect or a reason, never an exception."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ecosystems.dotnet.image import Image, effects, project

_PIECES = st.sampled_from(
    "$( ) ' \" ` [ ] :: MSBuild System.IO.File System.IO.Path ReadAllText Combine GetPathOfFileAbove Exists exists( , .. / \\ * ? ; % @( "
    "a.props Name MSBuildThisFileDirectory MSBuildProjectDirectory == != . - > \u00e9 \x7f".split(" ")
)
_TEXTS = st.lists(_PIECES, max_size=14).map("".join)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


@settings(max_examples=300, deadline=None)
@given(_TEXTS, _TEXTS, _TEXTS)
def test_any_expression(value: str, condition: str, target: str) -> None:
    value, condition, target = _escaped(value), _escaped(condition), _escaped(target)
    body = f'<PropertyGroup Condition="{condition}"><Name>{value}</Name></PropertyGroup>'
    body += f'<Import Project="{target}" Condition="{condition}" />'
    body += f'<ItemGroup><ProjectReference Include="{target}" /><PackageReference Include="{value}" Version="{target}" /></ItemGroup>'
    effects("dotnet restore", Image({"/src/App.csproj": project(body), "/src/a.props": "<Project />"}))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["App.csproj", "All.sln", "All.slnx", "nuget.config", "global.json", "Directory.Build.rsp"]),
    st.binary(max_size=80),
)
def test_any_bytes(name: str, data: bytes) -> None:
    effects("dotnet restore", Image({"/src/app/App.csproj": project(), f"/src/{name}": data}))
    effects("dotnet restore app/App.csproj", Image({"/src/app/App.csproj": project(), f"/src/{name}": data}))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(_PIECES, st.sampled_from(["-r", "?-r", "-p:", "--packages", "-s", "?$X", "tool"])), max_size=6)
)
def test_any_arguments(words: list[str]) -> None:
    effects(" ".join(["dotnet restore", *words]), Image({"/src/App.csproj": project()}))
