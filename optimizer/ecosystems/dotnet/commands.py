"""Command models of `dotnet`.

`dotnet restore` and `dotnet tool restore` read the manifests of projects (`restore.py`), ask package sources, and write `obj` beside each
project and the home directory. Every other subcommand builds or runs something, so it is unknown. All variables may matter: MSBuild takes
each as a property.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.dotnet.arguments import CommandLine, read
from dockopt.optimizer.ecosystems.dotnet.restore import Restore, restore_of, tools_of
from dockopt.optimizer.ecosystems.dotnet.view import Obstacle
from dockopt.optimizer.ecosystems.view import trees_of
from dockopt.optimizer.effects import Effects, Kind, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join

DOTNET_SETTINGS = (
    "dotnet-settings: settings of .NET that do not come from the build context (NuGet.Config of the user, variables of the base image) "
    "keep packages outside the project, and name no file in it"
)
DOTNET_SDK = (
    "dotnet-sdk: what the SDK and its workloads bring to a restore looks for no file of the project but those that its "
    "documentation names"
)
#: variables that say where packages, caches and temporary files go (learn.microsoft.com, *NuGet environment variables*,
#: *.NET environment variables*), and properties of that kind, which a variable may set
_PLACES = (
    "NUGET_PACKAGES", "NUGET_HTTP_CACHE_PATH", "NUGET_SCRATCH", "NUGET_PLUGINS_CACHE_PATH", "NUGET_PLUGIN_PATHS", "DOTNET_CLI_HOME",
    "XDG_DATA_HOME", "TMPDIR", "RestorePackagesPath", "NuGetPackageRoot",
)  # fmt: skip
#: properties that move what a restore makes, and options of MSBuild: as variables they are not followed
_UNFOLLOWED = (
    "MSBuildProjectExtensionsPath", "BaseIntermediateOutputPath", "RestoreOutputPath", "ArtifactsPath", "UseArtifactsOutput",
    "RestoreConfigFile", "RestoreSources", "RestoreAdditionalProjectSources", "NuGetLockFilePath", "DirectoryBuildPropsPath",
    "DirectoryBuildTargetsPath", "DirectoryPackagesPropsPath", "MSBUILD_RESPONSE_FILE",
)  # fmt: skip


def dotnet(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one `dotnet` command."""
    words = invocation.argv[1:]
    if not words or words[0] is None:
        return unknown("no model of it without a subcommand")
    if len(words) == 1 and words[0] in ("--version", "--info", "--list-sdks", "--list-runtimes", "-h", "--help"):
        return _asked(around)
    if (
        words[:2] == ("tool", "install")
        and {"-g", "--global"} & set(words)
        and None not in words
        and "--tool-path" not in words
    ):
        # to `.dotnet/tools` in the home directory (learn.microsoft.com, *dotnet tool install*)
        return replace(_asked(around), world=World.REPOSITORY, assumptions=(DOTNET_SETTINGS,))
    found = restore_line(invocation.argv, invocation.raw)
    if found is None:
        return unknown(f"`dotnet {words[0]}` runs what projects and packages say")
    kind, line = found
    try:
        restore = tools_of(line, around) if kind == "tool" else restore_of(line, around)
        return _effects(restore, around)
    except Obstacle as obstacle:
        return unknown(obstacle.reason, [obstacle.missing] if obstacle.missing else [])


def restore_line(argv: tuple[str | None, ...], raw: tuple[str, ...]) -> tuple[str, CommandLine] | None:
    """Return "project" or "tool" and the arguments of a command that restores, None for any other command."""
    if argv[1:2] == ("restore",):
        return "project", read(argv[2:], raw[2:])
    if argv[1:3] == ("tool", "restore"):
        return "tool", read(argv[3:], raw[3:])
    return None


def _effects(restore: Restore, around: Surroundings) -> Effects:
    roots = [root for root in around.project_roots if below(restore.directory, root)]
    root = min(roots, key=len, default=restore.directory)
    places = _written(restore, around)
    if root == "/" or any(below(place, root) for place in places):
        raise Obstacle("packages or settings of the user lie in the project")
    if "/home" in places and below(root, "/home"):
        raise Obstacle("the home directory of its user is not known, and may be that of the project; set HOME")
    for name in _UNFOLLOWED:
        known, value = around.variable(name)
        if known and value:
            raise Obstacle(f"the variable `{name}` may lead it to other files or directories")
    for path in (*restore.files, *restore.outputs):
        if not any(below(path, other) for other in (root, *around.project_roots)):
            raise Obstacle(f"`{path}` lies outside of the project")
    writes = [Write(Kind.TREE, Region((path,))) for path in restore.outputs]
    writes += [Write(Kind.SET, Region((path,))) for path, _ in restore.rewritten]
    writes.append(Write(Kind.MAY, _outside(places, around)))
    return Effects(
        reads=EVERYTHING.minus(*_outermost((root, *trees_of(around, restore.directory, ("/home", "/root", *places))))),
        probes=(*restore.files, *restore.absent),
        # what an earlier restore has left decides whether there is something to do
        trees=(*restore.trees, *restore.outputs),
        variables=None,
        writes=tuple(writes),
        world=restore.world,
        relied_on=tuple(p for path in restore.files if (p := around.context_path(path)) is not None),
        assumptions=(DOTNET_SETTINGS, DOTNET_SDK),
    )


def _outside(places: Sequence[str], around: Surroundings) -> Region:
    """Return directories without the parts of them that the Dockerfile fills from the context."""
    inner = [root for root in around.project_roots if any(below(root, place) for place in places)]
    return Region(tuple(sorted(set(places)))).minus(*_outermost(inner))


def _outermost(paths: Sequence[str]) -> list[str]:
    """Return the paths that lie in no other one: where a COPY is split, what is left out stays the same."""
    return [path for path in set(paths) if not any(path != other and below(path, other) for other in paths)]


def _written(restore: Restore, around: Surroundings) -> list[str]:
    """Return where packages, settings, caches and temporary files go outside the project."""
    known, home = around.variable("HOME")
    places = ["/root"] if around.user == "root" else ["/home", "/root"]
    if known and home:
        places = [join("/", home)]
    places.append("/tmp")
    if restore.packages is not None:
        places.append(restore.packages)
    for name in _PLACES:
        known, value = around.variable(name)
        if known and value:
            places.append(join(around.cwd or "/", value))
    return places


def _asked(around: Surroundings) -> Effects:
    """Return the effects of a question for versions: it reads global.json, and may write what a first run leaves at home."""
    places = _written(Restore("", "", (), (), ()), around)
    return Effects(writes=(Write(Kind.MAY, _outside(places, around)),), world=World.NONE)
