"""What one `dotnet restore` or `dotnet tool restore` reads of a project, and what it makes there.

Sources: learn.microsoft.com, *dotnet restore*; NuGet.targets of NuGet.Client: projects are walked along their references, and the result
of each goes to `obj` beside it (`MSBuildProjectExtensionsPath`).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.dotnet import settings
from dockopt.optimizer.ecosystems.dotnet.arguments import CommandLine
from dockopt.optimizer.ecosystems.dotnet.msbuild import PLACES, Project, is_project
from dockopt.optimizer.ecosystems.dotnet.solutions import is_solution, projects_of
from dockopt.optimizer.ecosystems.dotnet.view import Obstacle, View
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import below, join

_MOST_PROJECTS = 2000
_TOOLS = ("dotnet-tools.json", ".config/dotnet-tools.json")


@dataclass(frozen=True, slots=True)
class Restore:
    """What a command restores."""

    what: str  #: for messages
    directory: str
    files: tuple[str, ...]  #: all that exist, the one that was asked for first
    absent: tuple[str, ...]
    trees: tuple[str, ...]
    #: `obj` of every project, which it makes
    outputs: tuple[str, ...] = ()
    #: lock files that it may write anew, with the reason
    rewritten: tuple[tuple[str, str], ...] = ()
    world: World = World.REPOSITORY
    #: where packages go, if the command line says so
    packages: str | None = None


@dataclass
class _Walk:
    """The projects of one restore."""

    view: View
    line: CommandLine
    given: dict[str, str | None]
    projects: dict[str, Project] = field(default_factory=dict)
    #: those that are restored, not only looked at
    restored: list[str] = field(default_factory=list)

    def project(self, path: str, *, restored: bool, cause: str = "", line: int = 0) -> None:
        """Read a project and those that it references. Raises Obstacle."""
        waiting = [(path, restored, cause, line)]
        while waiting:
            path, restored, cause, line = waiting.pop()
            if not is_project(path):
                raise Obstacle(f"`{path}` is no project in C#, F# or Visual Basic", cause, line)
            if not self.view.has(path, cause, line):
                continue
            if restored and path not in self.restored:
                self.restored.append(path)
            if path in self.projects:
                continue
            if len(self.projects) >= _MOST_PROJECTS:
                raise Obstacle(f"there are more than {_MOST_PROJECTS} projects")
            project = self.projects[path] = Project(self.view, path, self.given)
            self._beside(project)
            follow = restored and "--no-dependencies" not in self.line.switches
            waiting += [(found, follow, place, number) for found, place, number in reversed(project.references)]

    def _beside(self, project: Project) -> None:
        """Note what is looked for beside a project, and its package sources."""
        settings.read_configs(self.view, project.directory)
        settings.read_global_json(self.view, project.directory)
        for name in (
            "packages.config",
            f"packages.{project.name}.config",
            "project.json",
            f"{project.name}.project.json",
        ):
            if self.view.has(join(project.directory, name)):
                raise Obstacle("packages of the old formats are not modelled", join(project.directory, name))
        for text, path, line in project.sources:
            if text.strip() and not text.strip().lower().startswith("$(restore"):
                settings.note_source(self.view, text, project.directory, path, line)

    def locks(self) -> tuple[list[tuple[str, str]], bool]:
        """Return the lock files that may be written anew with the reason, and whether locks say all that is fetched."""
        rewritten, locked = [], bool(self.restored)
        for path in self.restored:
            project = self.projects[path]
            names = (f"packages.{project.name.replace(' ', '_')}.lock.json", "packages.lock.json")
            found = [name for name in names if self.view.has(join(project.directory, name))]
            wanted = "--use-lock-file" in self.line.switches or bool(
                project.possible("RestorePackagesWithLockFile") & {"true", "?"}
            )
            keeps = "--locked-mode" in self.line.switches or project.possible("RestoreLockedMode") == {"true"}
            keeps = keeps and "--force-evaluate" not in self.line.switches
            locked = locked and bool(found) and keeps
            if (found or wanted) and not (found and keeps):
                lock = join(project.directory, found[0] if found else names[1])
                if found:
                    why = "it is not in locked mode; pass `--locked-mode`"
                else:
                    why = f"`{lock}` is not there, and the project asks for a lock file; commit it"
                rewritten.append((lock, why))
        return rewritten, locked


def restore_of(line: CommandLine, around: Surroundings) -> Restore:
    """Return what `dotnet restore` restores. Raises Obstacle."""
    cwd = _prepared(line, around)
    if "lock" in line.values:
        raise Obstacle("`--lock-file-path` leads to another lock file")
    if len(line.operands) > 1:
        raise Obstacle("it names several projects")
    for name in line.properties:
        if PLACES.fullmatch(name.lower()) or name.lower() in ("restoresources", "restoreadditionalprojectsources"):
            raise Obstacle(f"the property `{name}` may lead it to other files or directories")
    view = View(around)
    entry = _entry(view, join(cwd, line.operands[0]) if line.operands else cwd)
    if not view.has(entry):
        raise Obstacle(f"`{entry}` is not there", missing=entry)
    directory = posixpath.dirname(entry)
    given: dict[str, str | None] = dict(line.properties)
    if is_solution(entry):
        given.setdefault("SolutionDir", directory.rstrip("/") + "/")
    walk = _Walk(view, line, given)
    if is_solution(entry):
        _solution(walk, entry, directory)
    else:
        walk.project(entry, restored=True)
    for place in dict.fromkeys((directory, cwd)):
        settings.read_configs(view, place)
        settings.read_global_json(view, place)
    settings.read_response_files(view, directory)
    packages = _options(view, line, cwd)
    rewritten, locked = walk.locks()
    return Restore(
        "NuGet packages",
        directory,
        tuple(view.files),
        tuple(view.absent),
        tuple(view.trees),
        tuple(dict.fromkeys(join(walk.projects[path].directory, "obj") for path in walk.restored)),
        tuple(rewritten),
        World.LOCKED if locked else World.REPOSITORY,
        packages,
    )


def _solution(walk: _Walk, entry: str, directory: str) -> None:
    """Read the projects of a solution, and the files beside and above it that change what a solution does."""
    view = walk.view
    name = posixpath.basename(entry)
    extensions = [join(directory, f"{when}.{name}.targets") for when in ("before", "after")]
    found = [path for path in extensions if view.has(path)]
    found += [
        p for n in ("Directory.Solution.props", "Directory.Solution.targets") if (p := view.nearest(directory, n))
    ]
    if found:
        raise Obstacle("what it adds to the build of a solution is not followed", found[0])
    for path, line in projects_of(view, entry):
        if not view.has(path, entry, line):
            # MSB3202 (NuGet.targets, `_FilterRestoreGraphProjectInputItems`); NuGet/Home#6651
            raise Obstacle(f"`{path}`, which the solution names, is not there", entry, line, missing=path)
        walk.project(path, restored=True, cause=entry, line=line)


def _entry(view: View, path: str) -> str:
    """Return the project or solution that a path stands for; a directory has to hold exactly one (*dotnet restore*)."""
    if is_project(path) or is_solution(path):
        return path
    if view.around.placed(path) == "file":
        raise Obstacle(f"`{path}` is no project and no solution")
    names = view.listing(path)
    solutions = [name for name in names if name.lower().endswith((".sln", ".slnx", ".slnf"))]
    projects = [name for name in names if name.lower().endswith("proj")]
    stems = {posixpath.splitext(name)[0] for name in (*solutions, *projects)}
    chosen = solutions or projects
    if not chosen or len(solutions) > 1 or len(projects) > 1 or len(stems) > 1:
        # MSB1003 and MSB1011
        raise Obstacle(f"`{path}` does not hold one project or solution; name it")
    if not (is_project(chosen[0]) or is_solution(chosen[0])):
        raise Obstacle(f"`{chosen[0]}` is no project in C#, F# or Visual Basic")
    return join(path, chosen[0])


def tools_of(line: CommandLine, around: Surroundings) -> Restore:
    """Return what `dotnet tool restore` restores. Raises Obstacle."""
    cwd = _prepared(line, around)
    if line.operands or line.properties:
        raise Obstacle("no operand or property of it is modelled")
    view = View(around)
    given = line.values.get("manifest", [])
    found = [join(cwd, path) for path in given]
    if found:
        for path in found:
            if not view.has(path):
                raise Obstacle(f"`{path}` is not there", missing=path)
    else:
        # manifests are merged upwards until one says `isRoot` (learn.microsoft.com, *Manage .NET tools*)
        for path in view.upward(cwd, _TOOLS):
            found.append(path)
            if view.json(path).get("isRoot") is True:
                break
    if not found:
        raise Obstacle(f"there is no `dotnet-tools.json` in or above `{cwd}`")
    settings.read_configs(view, cwd)
    settings.read_global_json(view, cwd)
    packages = _options(view, line, cwd)
    directory = posixpath.dirname(found[0])
    if posixpath.basename(directory) == ".config":
        directory = posixpath.dirname(directory)
    return Restore(".NET tools", directory, tuple(view.files), tuple(view.absent), tuple(view.trees), packages=packages)


def _prepared(line: CommandLine, around: Surroundings) -> str:
    if line.problem is not None:
        raise Obstacle(line.problem)
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    if not around.online:
        raise Obstacle("without a network it depends on the packages that are there")
    return around.cwd


def _options(view: View, line: CommandLine, cwd: str) -> str | None:
    """Note the files that options name, and return the directory for packages."""
    for text in line.values.get("configfile", []):
        path = join(cwd, text)
        if any(below(path, root) for root in view.around.project_roots):
            if not view.has(path):
                raise Obstacle(f"`{path}` is not there", missing=path)
            settings.read_config(view, path)
    for text in line.values.get("source", []):
        settings.note_source(view, text, cwd)
    packages = line.values.get("packages")
    return join(cwd, packages[-1]) if packages else None
