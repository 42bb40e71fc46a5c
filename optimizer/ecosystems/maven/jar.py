"""Which jars an `mvn package` makes, and whether one of them surely needs no other jar.

Where no plugin puts a `Class-Path` into the manifest of a jar, `java -jar` looks for classes in that jar alone (JAR File
Specification, "Class-Path attribute"; spring-boot-loader finds its jars inside). So what has to be certain is that no plugin does,
and where the jar comes: `target/${finalName}.jar`, by default `${artifactId}-${version}` (maven-model-builder, super POM; the
documentation of maven-jar-plugin, maven-shade-plugin, maven-assembly-plugin and spring-boot-maven-plugin). A plugin that is not
named here may do anything, and so may a parent that is not; both are refused, like modules, profiles and settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.ecosystems.maven.arguments import CommandLine, read
from dockopt.optimizer.ecosystems.maven.commands import places_of
from dockopt.optimizer.ecosystems.maven.pom import OWN_PLUGINS
from dockopt.optimizer.ecosystems.maven.project import NotCertain
from dockopt.optimizer.ecosystems.xml import Element, XmlError, parse_xml
from dockopt.optimizer.jvm.jar import JarBuild, Library
from dockopt.optimizer.regions import join
from dockopt.optimizer.symbolic.permissions import file_beneath_permissions
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.symbolic.surroundings import ImageSurroundings, Shell

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor

#: phases that make the jar; those that may stand before them
_MAKES = frozenset({"package", "verify", "install"})
_BEFORE = frozenset({"clean", "validate", "compile", "test"})
#: properties that change neither the jar nor where it comes
_HARMLESS = re.compile(
    r"-D(?:skipTests|skipITs|maven\.test\.skip|maven\.javadoc\.skip|maven\.source\.skip|checkstyle\.skip|jacoco\.skip|style\.color)(?:=\w*)?"
)
_SPRING_PARENT = ("org.springframework.boot", "spring-boot-starter-parent")
_SPRING = ("org.springframework.boot", "spring-boot-maven-plugin")
#: plugins that leave nothing but classes, jars and reports in `target`, and entries in caches
_PLUGINS = frozenset(
    {(OWN_PLUGINS, f"maven-{name}-plugin") for name in (
        "clean resources compiler surefire failsafe jar install deploy site enforcer checkstyle pmd javadoc source shade assembly "
        "surefire-report jxr help versions release"
    ).split()}
    | {
        _SPRING,
        ("org.jacoco", "jacoco-maven-plugin"),
        ("org.jetbrains.kotlin", "kotlin-maven-plugin"),
        ("io.github.git-commit-id", "git-commit-id-maven-plugin"),
        ("pl.project13.maven", "git-commit-id-plugin"),
        ("org.codehaus.mojo", "versions-maven-plugin"),
        ("com.github.spotbugs", "spotbugs-maven-plugin"),
    }
)  # fmt: skip
#: settings of plugins by which a jar gets another place, another content, or a manifest that names other jars
_MOVES = frozenset(
    "Class-Path classpathPrefix classpathLayoutType customClasspathLayout manifestFile useDefaultManifestFile outputDirectory finalName "
    "classifier skip skipAssembly skipIfEmpty layout layoutFactory jarName outputFile shadedArtifactAttached shadedArtifactId "
    "shadedClassifierName attach forceCreation descriptors descriptor descriptorSourceDirectory classesDirectory outputFileNameMapping "
    "systemPath excludeArtifacts Launcher-Agent-Class Premain-Class".split()
)
_OWN_PLACES = frozenset(
    "directory outputDirectory sourceDirectory resources filters testOutputDirectory extensions".split()
)
#: properties of a pom that are settings of its plugins
_SETS = re.compile(
    r"spring-boot\.(?:repackage|includes|excludes|layers?)\b.*|(?:maven\.)?(?:assembly|shade)\.(?!plugin|version).*|project\.(?!build\.sourceEncoding$|reporting\.).*"
    r"|(?:maven\.)?jar\.(?:finalName|skip\w*|forceCreation|useDefaultManifestFile)|finalName|outputDirectory|skipAssembly|descriptor\w*|shaded\w+"
)
#: where sources are looked for anyway
_SOURCES = re.compile(r"(?:\$\{(?:project\.)?basedir\}/)?src/main/(?:java|kotlin)/?")
_PROPERTY = re.compile(r"\$\{([^{}]+)\}")
_NAME = re.compile(r"[\w.+-]+")
_DEPTH = 5


def maven_jar(command: Executed, executor: Executor) -> JarBuild | Cause | None:
    """Return the jars that a command makes; None if it makes none, a Cause if it is not understood."""
    program = (command.argv[0] or "") if command.argv else ""
    if program.rsplit("/", 1)[-1] not in ("mvn", "mvnw"):
        return None
    words = command.text.split()
    raw = words if len(words) == len(command.argv) else [word or "an argument" for word in command.argv]
    line = read(command.argv[1:], raw[1:])
    if line.problem is not None:
        return Cause(line.problem, "", command.line)
    if not _MAKES & set(line.goals):
        return (
            None if line.dependency_goals and len(line.dependency_goals) == len(line.goals) else _strange(line, command)
        )
    problem = _command_problem(line)
    if problem is not None:
        return Cause(problem, "", command.line)
    if any(mount.type == "bind" for mount in command.instruction.mounts):
        return Cause("it works on files that are mounted for it", "", command.line)
    around = _Beneath(command, executor)
    try:
        return _read(command, line, around, program)
    except NotCertain as error:
        path = around.context_path(error.path) if error.path else None
        return Cause(error.reason, path or "", error.line if path else command.line)


class _Beneath(ImageSurroundings):
    """The place of a command, where a script of the context may have been made executable."""

    def __init__(self, command: Executed, executor: Executor) -> None:
        shell = Shell(command.cwd, command.before.cwd_term, dict(command.environment))
        online = command.instruction.flag("network") != "none"
        super().__init__(executor, command.before, command.before.files, shell, command.roots, online, command)
        self._before, self._contents = command.before.files, executor.files
        # a build on the same line may write anything, and has not run yet
        self._earlier = tuple(takewhile(lambda other: other is not command, executor.executed))

    def read_context(self, path: str) -> bytes | None:
        """Return the bytes of a file of the context, whatever its permissions are."""
        found = file_beneath_permissions(self._before, path, self._earlier)
        return None if found is None else self._contents.read(found)


def _strange(line: CommandLine, command: Executed) -> Cause:
    goal = line.goals[0] if line.goals else "no goal"
    return Cause(f"what `mvn` with `{goal}` makes is not followed", "", command.line)


def _command_problem(line: CommandLine) -> str | None:
    other = next((goal for goal in line.goals if goal not in _MAKES | _BEFORE), None)
    if other is not None:
        return f"what the goal `{other}` makes is not followed"
    for name in ("profiles", "projects", "settings", "global", "from"):
        if name in line.values:
            return f"what `{line.values[name]}` of the option for {name} changes is not followed"
    if line.values.get("file", "pom.xml") not in ("pom.xml", "./pom.xml"):
        return f"the project of `{line.values['file']}` is not followed"
    for word in line.options:
        if word.startswith(("-D", "--define")) and not _HARMLESS.fullmatch(word):
            return f"what `{word}` changes is not followed"
    return None


def _read(command: Executed, line: CommandLine, around: Surroundings, program: str) -> JarBuild:
    for name in ("MAVEN_ARGS", "MAVEN_OPTS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"):
        known, value = around.variable(name)
        if not known or any(not word.startswith("-X") for word in (value or "").split()):
            raise NotCertain(f"`{name}` may set what decides about the jar")
    places = places_of(line, around, program)
    project = places.project
    pom = project.files[0]
    if len(project.poms) != 1 or project.pom.modules:
        raise NotCertain(
            "a project of several modules is not followed",
            pom,
            project.pom.modules[0].line if project.pom.modules else 1,
        )
    if project.directory != command.cwd:
        raise NotCertain("the project lies in another directory", pom, 1)
    if places.settings:
        raise NotCertain("settings of Maven may set what decides about the jar", places.settings[0], 1)
    for tree in project.trees:
        for name in ("maven.config", "extensions.xml"):
            if around.kind(join(tree, name)) != "absent":
                raise NotCertain(f"`{name}` may set what decides about the jar", join(tree, name), 1)
    data = around.read_context(pom)
    try:
        root = parse_xml(data or b"")
    except XmlError as error:
        raise NotCertain(error.message, pom, error.line) from None
    reader = _Reader(root, pom)
    jars = reader.jars(f"{project.directory.rstrip('/')}/target")
    skips = any(
        word.startswith(("-DskipTests", "-Dmaven.test.skip")) and not word.endswith("=false") for word in line.options
    )
    return JarBuild(
        command,
        project.directory,
        "target",
        jars,
        around.context_path(pom) or "",
        tuple(reader.libraries(around.context_path(pom) or "")),
        not skips,
    )


class _Reader:
    """Reads one pom; everything that is not known to leave the jar alone is refused."""

    def __init__(self, root: Element, path: str) -> None:
        self._root, self._path = root, path
        self._properties = {entry.name: entry.text for entry in root.all("properties", "*")}
        parent = root.child("parent")
        version = root.value("version") or ("" if parent is None else parent.value("version"))
        group = root.value("groupId") or ("" if parent is None else parent.value("groupId"))
        self._own = {"artifactId": root.value("artifactId"), "version": version, "groupId": group, "packaging": "jar"}

    def _not_certain(self, reason: str, element: Element) -> NotCertain:
        return NotCertain(reason, self._path, element.line)

    def jars(self, target: str) -> dict[str, bool]:
        """Return the jars that the project makes. Raises NotCertain."""
        root = self._root
        packaging = root.child("packaging")
        if packaging is not None and packaging.text not in ("", "jar"):
            raise self._not_certain(f"it makes a `{packaging.text}`, not a jar", packaging)
        for prop in root.all("properties", "*"):
            if _SETS.fullmatch(prop.name):
                raise self._not_certain(
                    f"the property `{prop.name}` may change which jar is made, or what it needs", prop
                )
        spring_parent = self._parent()
        for profile in root.all("profiles", "profile"):
            if profile.child("activation") is not None:
                raise self._not_certain("a profile may be active", profile)
        build = root.child("build")
        for element in () if build is None else build.children:
            if element.name in _OWN_PLACES and not (
                element.name == "sourceDirectory" and _SOURCES.fullmatch(element.text)
            ):
                raise self._not_certain(f"`{element.name}` lets the build read or write elsewhere", element)
        name = self._final_name(build)
        main, bundles, apart = f"{target}/{name}.jar", False, {}
        managed = {_named(plugin): plugin for plugin in root.all("build", "pluginManagement", "plugins", "plugin")}
        for plugin in managed.values():
            self._check_plugin(plugin)
        for plugin in root.all("build", "plugins", "plugin"):
            key = _named(plugin)
            self._check_plugin(plugin)
            both = [plugin, *((managed[key],) if key in managed else ())]
            if key == _SPRING:
                bundles |= spring_parent or self._runs(both, "repackage", "package")
            elif key[1] == "maven-shade-plugin":
                bundles |= self._runs(both, "shade", "package")
            elif key[1] == "maven-assembly-plugin" and self._runs(both, "single", ""):
                apart = self._assembled(plugin, both, target, name)
        if main in apart:
            bundles = True
        return {**apart, main: bundles}

    def _parent(self) -> bool:
        """Tell whether the parent is that of Spring Boot, which binds the goal that puts the libraries into the jar."""
        parent = self._root.child("parent")
        if parent is None:
            return False
        if (parent.value("groupId"), parent.value("artifactId")) != _SPRING_PARENT:
            name = f"{parent.value('groupId')}:{parent.value('artifactId')}"
            raise self._not_certain(f"what the parent `{name}` has the build make is not known", parent)
        return True

    def _final_name(self, build: Element | None) -> str:
        given = None if build is None else build.child("finalName")
        element = given if given is not None else self._root
        text = given.text if given is not None else "${artifactId}-${version}"
        name = self._resolved(text, element)
        if not _NAME.fullmatch(name):
            raise self._not_certain(f"the name of the jar (`{name or text}`) is not known", element)
        return name

    def _resolved(self, text: str, element: Element, depth: int = 0) -> str:
        def value(found: re.Match[str]) -> str:
            key = found[1]
            own = re.sub(r"^(?:project|pom)\.", "", key)
            plain = self._own.get(own) if own in self._own else self._properties.get(key)
            if not plain or depth > _DEPTH:
                raise self._not_certain(f"`{found[0]}` in the name of the jar is not known", element)
            return self._resolved(plain, element, depth + 1)

        return _PROPERTY.sub(value, text)

    def _check_plugin(self, plugin: Element) -> None:
        group, artifact = _named(plugin)
        if (group, artifact) not in _PLUGINS:
            raise self._not_certain(f"what the plugin `{artifact}` makes is not known", plugin)
        for element in _below(plugin):
            if element.name == "addClasspath" and element.text != "false":
                raise self._not_certain("`addClasspath` has the jar look for others beside it", element)
            if element.name in _MOVES and artifact not in ("maven-surefire-plugin", "maven-failsafe-plugin"):
                raise self._not_certain(
                    f"`{element.name}` of `{artifact}` may change which jar is made, or what it needs", element
                )
        if artifact == "maven-resources-plugin" and plugin.child("executions") is not None:
            raise self._not_certain("`maven-resources-plugin` copies files, maybe for the program to read", plugin)

    def _runs(self, both: list[Element], goal: str, default: str) -> bool:
        """Tell whether a goal runs when the jar is made; it stands in a plugin or in what manages it."""
        for plugin in both:
            for execution in plugin.all("executions", "execution"):
                phase = execution.value("phase") or default
                if any(found.text == goal for found in execution.all("goals", "goal")):
                    if phase != "package":
                        raise self._not_certain(f"the goal `{goal}` runs in the phase `{phase or 'none'}`", execution)
                    return True
        return False

    def _assembled(self, plugin: Element, both: list[Element], target: str, name: str) -> dict[str, bool]:
        """Return the jar that maven-assembly-plugin makes."""
        places = [element for one in both for element in (one, *one.all("executions", "execution"))]
        descriptors = [
            d.text for place in places for d in place.all("configuration", "descriptorRefs", "descriptorRef")
        ]
        if descriptors != ["jar-with-dependencies"]:
            raise self._not_certain("what `maven-assembly-plugin` makes is not known", plugin)
        appended = [
            found for place in places if (found := place.child("configuration", "appendAssemblyId")) is not None
        ]
        if any(found.text not in ("true", "false") for found in appended) or len(appended) > 1:
            raise self._not_certain("the name of what `maven-assembly-plugin` makes is not known", plugin)
        suffix = "" if appended and appended[0].text == "false" else "-jar-with-dependencies"
        return {f"{target}/{name}{suffix}.jar": True}

    def libraries(self, file: str) -> Iterator[Library]:
        """Yield what the project says itself that it depends on when it runs."""
        for element in self._root.all("dependencies", "dependency"):
            if element.value("scope") != "test":
                group = element.value("groupId").replace("${project.groupId}", self._own["groupId"])
                yield Library(group, element.value("artifactId"), file, element.line)


def _named(plugin: Element) -> tuple[str, str]:
    return plugin.value("groupId") or OWN_PLUGINS, plugin.value("artifactId")


def _below(element: Element) -> Iterator[Element]:
    """Yield the settings of a plugin; what it depends on itself is no setting."""
    for child in element.children:
        if child.name != "dependencies":
            yield child
            yield from _below(child)
