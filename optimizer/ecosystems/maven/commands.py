"""Command models of `mvn`.

Goals of maven-dependency-plugin that only resolve (`go-offline`, `resolve`, `resolve-plugins`) read the poms of all modules, their
parents, `.mvn` and settings, and write to the local repository; `docs/ecosystems/jvm.md` has the experiments. Every other goal or phase
runs plugins over the sources, so it is unknown. All variables may matter (`${env.NAME}` in any pom).
"""

from __future__ import annotations

from dataclasses import dataclass

from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.maven.arguments import CommandLine, is_plain_option, read
from dockopt.optimizer.ecosystems.maven.project import NotCertain, Project, check_settings, project_at
from dockopt.optimizer.ecosystems.maven.wrapper import check_wrapper
from dockopt.optimizer.effects import Effects, Kind, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, below, join

RESOLVING = frozenset({"go-offline", "resolve", "resolve-plugins"})
MODULES_AVAILABLE = (
    "modules-available: everything that the poms name can be downloaded, also plugins that this build would not need"
)
REPOSITORY_PARENTS = (
    "repository-parents: parent poms that come from a repository look for no file of the project, and load no extension "
    "that does"
)
MAVEN_SETTINGS = (
    "maven-settings: settings of Maven that do not come from the build context keep downloads outside the project, "
    "and name no file in it"
)
#: `user.home` of root, which Java takes from /etc/passwd, whatever HOME says (System.getProperty, jdk.internal.util.SystemProps)
HOME = "/root"
WRAPPER_CACHE = f"{HOME}/.m2/wrapper"
USER_SETTINGS = f"{HOME}/.m2/settings.xml"
#: variables with options of Java
_JAVA_OPTIONS = ("MAVEN_OPTS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS")
#: where the installation keeps its settings: Maven's own layout, and Debian's
_INSTALLED_SETTINGS = ("/usr/share/maven/conf/settings.xml", "/etc/maven/settings.xml")


@dataclass(frozen=True, slots=True)
class Places:
    """What one command line of Maven reads and where it keeps downloads."""

    project: Project
    #: the directory that belongs to the project alone
    root: str
    #: the local repository, None where settings that are not known decide
    repository: str | None
    #: settings.xml that come from the context
    settings: tuple[str, ...]
    #: `mvnw`, where that is what starts Maven
    wrapper: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that is read."""
        return (*self.project.files, *self.wrapper, *self.settings)

    @property
    def caches(self) -> tuple[str, ...]:
        """The directories that belong to Maven as caches."""
        if self.repository is None:
            return ()
        return (self.repository, WRAPPER_CACHE) if self.wrapper else (self.repository,)


def mvn(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one `mvn` or `mvnw` command."""
    line = read(invocation.argv[1:], invocation.raw[1:])
    if line.problem is not None:
        return unknown(line.problem)
    if not line.goals:
        return unknown("no model of it without a goal")
    others = [goal for goal in line.goals if goal not in _resolving(line)]
    if others:
        return unknown(f"`{others[0]}` runs plugins over the sources")
    if line.offline or not around.online:
        return unknown("without a network what the local repository holds decides")
    try:
        places = places_of(line, around, invocation.argv[0] or "")
    except NotCertain as error:
        return unknown(error.reason)
    project = places.project
    outside = EVERYTHING.minus(places.root)
    assumptions = [MODULES_AVAILABLE, MAVEN_SETTINGS]
    if project.parents:
        assumptions.append(REPOSITORY_PARENTS)
    return Effects(
        reads=outside,
        probes=(*places.files, *project.absent),
        trees=project.trees,
        variables=None,
        writes=() if places.repository else (Write(Kind.MAY, outside),),
        caches=places.caches,
        world=World.REPOSITORY,
        relied_on=tuple(p for path in places.files if (p := around.context_path(path)) is not None),
        assumptions=tuple(assumptions),
    )


def _resolving(line: CommandLine) -> list[str]:
    return [goal for goal in line.goals if goal.rpartition(":")[2] in RESOLVING and _is_of_plugin(goal)]


def _is_of_plugin(goal: str) -> bool:
    return bool(CommandLine(goals=[goal]).dependency_goals)


def places_of(line: CommandLine, around: Surroundings, program: str = "mvn") -> Places:
    """Return what a command line of `mvn` or `mvnw` reads. Raises NotCertain."""
    if around.cwd is None:
        raise NotCertain("its working directory is not known before the build")
    project = project_at(around, join(around.cwd, line.values.get("file", "pom.xml")))
    roots = [root for root in around.project_roots if below(project.directory, root)]
    root = min(roots, key=len, default=project.directory)
    if root == "/":
        raise NotCertain("the project lies in `/`, together with the system")
    if around.user != "root":
        raise NotCertain("the home directory of its user, with settings and downloads, is not known")
    if below(HOME, root):
        raise NotCertain(f"the home directory `{HOME}`, with settings and downloads, lies in the project")
    repository = local_repository(around)
    settings = []
    given = [join(around.cwd, line.values[name]) for name in ("settings", "global") if name in line.values]
    for path in (*given, *(() if "settings" in line.values else (USER_SETTINGS,)), *_INSTALLED_SETTINGS):
        if around.context_path(path) is not None:
            problem = check_settings(around, path)
            if problem is not None:
                raise NotCertain(problem)
            settings.append(path)
        elif path in given and below(path, root):
            raise NotCertain(f"`{path}` does not surely come from the build context")
        elif path not in _INSTALLED_SETTINGS and around.kind(path) != "absent":
            repository = None
    wrapper: tuple[str, ...] = ()
    if program.endswith("mvnw"):
        wrapper = check_wrapper(around, join(around.cwd, program), project.trees)
    return Places(project, root, repository, tuple(settings), wrapper)


def local_repository(around: Surroundings) -> str | None:
    """Return the directory in which root's Maven keeps downloads unless settings name another one, None if it is not certain."""
    if around.user != "root" or not _plain_options(around):
        return None
    return f"{HOME}/.m2/repository"


def _plain_options(around: Surroundings) -> bool:
    """Tell whether options in variables surely lead neither Java nor Maven to other directories."""
    for name in (*_JAVA_OPTIONS, "MAVEN_ARGS", "MAVEN_BASEDIR"):
        known, value = around.variable(name)
        if not known:
            return False
        for word in (value or "").split():
            plain = is_plain_option(word) if name == "MAVEN_ARGS" else word.startswith(("-X", "-ea", "--add-"))
            if not plain and not (name in _JAVA_OPTIONS and is_plain_option(word)):
                return False
    return True
