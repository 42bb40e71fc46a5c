"""One pom.xml, as far as it decides what Maven reads of a project before it does anything.

Sources: the POM reference (maven.apache.org/pom.html), maven-model-builder of Maven 3.9 (`DefaultModelBuilder`,
`FileProfileActivator`), and the documentation of maven-dependency-plugin. What a build reads later is up to its plugins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dockopt.optimizer.ecosystems.xml import Element, XmlError, parse_xml

#: extensions that look at the system and at no file of the project (os-maven-plugin sets `os.detected.*`)
_HARMLESS_EXTENSIONS = frozenset({"kr.motd.maven:os-maven-plugin"})
_BASE_DIRECTORY = re.compile(r"\$\{(?:project\.|pom\.)?basedir\}/?")
_PROPERTY = re.compile(r"\$\{([^}]+)\}")
_RANGE = re.compile(r"[\[(,]")
#: group of the plugins whose versions each release of Maven brings along
OWN_PLUGINS = "org.apache.maven.plugins"
_DEPENDENCY_PLUGIN = "maven-dependency-plugin"
#: settings by which the dependency plugin writes files
_OUTPUTS = ("outputFile", "outputDirectory", "outputAbsoluteArtifactFilename")


class Place(NamedTuple):
    """A path as a pom has it, relative to the directory of the pom, and the line."""

    path: str
    line: int


class Obstacle(NamedTuple):
    """Something that keeps one from telling what Maven reads, and its line."""

    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Group, artifact and version, each "" where it is left out."""

    group: str
    artifact: str
    version: str

    def __str__(self) -> str:
        return ":".join(part for part in (self.group, self.artifact, self.version) if part)


@dataclass(frozen=True, slots=True)
class Pom:
    """What one pom says of other files."""

    own: Coordinates
    packaging: str
    parent: Coordinates | None
    parent_path: Place | None  #: where the parent is looked for, None: in repositories only
    modules: tuple[Place, ...]
    dependencies: tuple[Coordinates, ...]
    #: files that are read or asked for: system dependencies, files that activate a profile
    files: tuple[Place, ...]
    #: directories that are repositories of their own
    trees: tuple[Place, ...]
    obstacles: tuple[Obstacle, ...]
    #: what has a version that is not exact (a range, a snapshot, LATEST, RELEASE)
    moving: tuple[tuple[Coordinates, Obstacle], ...]
    #: plugins without a version, with their lines
    unversioned: tuple[tuple[Coordinates, int], ...]
    #: plugins with a version, as group and artifact
    versioned: frozenset[tuple[str, str]]


class PomError(Exception):
    """A file is no pom."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line


def parse_pom(data: bytes) -> Pom:
    """Return what a pom says. Raises PomError."""
    try:
        root = parse_xml(data)
    except XmlError as error:
        raise PomError(error.message, error.line) from None
    if root.name != "project":
        raise PomError(f"its root element is `{root.name}`, not `project`", root.line)
    return _Reader(root).pom()


class _Reader:
    def __init__(self, root: Element) -> None:
        self.root = root
        #: the project itself and its profiles, which may hold nearly the same elements
        self.parts = [root, *root.all("profiles", "profile")]
        self.properties = {p.name: p.text for p in root.all("properties", "*")}
        self.obstacles: list[Obstacle] = []
        self.files: list[Place] = []
        self.trees: list[Place] = []

    def pom(self) -> Pom:
        root = self.root
        parent = root.child("parent")
        above = None if parent is None else _coordinates(parent)
        own = Coordinates(
            root.value("groupId") or (above.group if above else ""),
            root.value("artifactId"),
            root.value("version") or (above.version if above else ""),
        )
        modules = tuple(self._modules())
        self._extensions()
        self._dependency_plugin()
        self._repositories()
        self._activations()
        self._system_dependencies()
        return Pom(
            own,
            root.value("packaging") or "jar",
            above,
            self._parent_path(parent),
            modules,
            tuple(_coordinates(d) for part in self.parts for d in part.all("dependencies", "dependency")),
            tuple(self.files),
            tuple(self.trees),
            tuple(self.obstacles),
            tuple(self._moving()),
            tuple(entry for entry in self._plugins() if not entry[0].version),
            frozenset((plugin.group, plugin.artifact) for plugin, _ in self._plugins() if plugin.version),
        )

    def _obstacle(self, reason: str, element: Element) -> None:
        self.obstacles.append(Obstacle(reason, element.line))

    def _parent_path(self, parent: Element | None) -> Place | None:
        if parent is None:
            return None
        given = parent.child("relativePath")
        if given is None:
            return Place("../pom.xml", parent.line)
        return Place(self._plain(given), given.line) if given.text else None

    def _modules(self) -> Iterator[Place]:
        for part in self.parts:
            # Maven 4 calls them subprojects
            for element in (*part.all("modules", "module"), *part.all("subprojects", "subproject")):
                yield Place(self._plain(element), element.line)

    def _plain(self, element: Element) -> str:
        """Return a path without properties; another one is an obstacle."""
        path = _BASE_DIRECTORY.sub("", element.text)
        if "${" in path or "\\" in path or path.startswith("/"):
            self._obstacle(f"`{element.text}` is a path that is not followed", element)
        return path

    def _extensions(self) -> None:
        for part in self.parts:
            plugins = (
                *part.all("build", "plugins", "plugin"),
                *part.all("build", "pluginManagement", "plugins", "plugin"),
            )
            loaded = [plugin for plugin in plugins if plugin.value("extensions") not in ("", "false")]
            for element in (*part.all("build", "extensions", "extension"), *loaded):
                name = f"{element.value('groupId') or OWN_PLUGINS}:{element.value('artifactId')}"
                if name not in _HARMLESS_EXTENSIONS:
                    self._obstacle(
                        f"the extension `{name}` runs with every command, and what it reads is not known", element
                    )

    def _dependency_plugin(self) -> None:
        for plugin in self.root.every("plugin"):
            if plugin.value("artifactId") != _DEPENDENCY_PLUGIN:
                continue
            called = [e for e in plugin.all("executions", "execution") if e.value("id") == "default-cli"]
            for place in (plugin, *called):
                for name in _OUTPUTS:
                    written = place.child("configuration", name)
                    if written is not None:
                        self._obstacle(f"`{name}` lets {_DEPENDENCY_PLUGIN} write files", written)
        for part in self.parts:
            for name in _OUTPUTS:
                setting = part.child("properties", name)
                if setting is not None:
                    self._obstacle(f"the property `{name}` lets {_DEPENDENCY_PLUGIN} write files", setting)

    def _repositories(self) -> None:
        for part in self.parts:
            for url in (
                *part.all("repositories", "repository", "url"),
                *part.all("pluginRepositories", "pluginRepository", "url"),
            ):
                text = url.text
                inside = _BASE_DIRECTORY.search(text)
                if inside is not None and re.fullmatch(r"(file:/*)?", text[: inside.start()]):
                    self.trees.append(Place(text[inside.end() :].strip("/") or ".", url.line))
                    continue
                text = _PROPERTY.sub(lambda found: self.properties.get(found[1], found[0]), text)
                if "${" in text or not re.match(r"https?://", text):
                    self._obstacle(f"the repository `{url.text}` may lie in the project", url)

    def _activations(self) -> None:
        for place in self.root.all("profiles", "profile", "activation", "file", "*"):
            path = _BASE_DIRECTORY.sub("", place.text)
            if place.name not in ("exists", "missing") or "${" in path or re.search(r"[\\*?]", path):
                self._obstacle(f"a profile looks for `{place.text}`", place)
            elif not path.startswith("/"):
                self.files.append(Place(path, place.line))
        for condition in self.root.all("profiles", "profile", "activation", "condition"):
            self._obstacle("a profile has a condition that is not followed", condition)

    def _system_dependencies(self) -> None:
        for path in self.root.every("systemPath"):
            inside = _BASE_DIRECTORY.match(path.text)
            if inside is not None and "${" not in path.text[inside.end() :]:
                self.files.append(Place(path.text[inside.end() :], path.line))
            elif not path.text.startswith(("/", "${java.home}")):
                self._obstacle(f"the system dependency `{path.text}` may lie in the project", path)

    def _plugins(self) -> Iterator[tuple[Coordinates, int]]:
        for element in self.root.every("plugin"):
            found = _coordinates(element)
            yield Coordinates(found.group or OWN_PLUGINS, found.artifact, found.version), element.line

    def _moving(self) -> Iterator[tuple[Coordinates, Obstacle]]:
        for kind in ("parent", "dependency", "plugin", "extension"):
            for element in self.root.every(kind):
                version = element.child("version")
                if version is None:
                    continue
                text = _PROPERTY.sub(lambda found: self.properties.get(found[1], ""), version.text)
                if text.endswith("-SNAPSHOT") or text in ("LATEST", "RELEASE") or _RANGE.search(text):
                    reason = f"the version `{version.text}` may mean something else tomorrow"
                    yield _coordinates(element), Obstacle(reason, version.line)


def _coordinates(element: Element) -> Coordinates:
    return Coordinates(element.value("groupId"), element.value("artifactId"), element.value("version"))


def extension_obstacle(data: bytes) -> Obstacle | None:
    """Return the first core extension of `.mvn/extensions.xml` about which nothing is known."""
    try:
        root = parse_xml(data)
    except XmlError as error:
        return Obstacle(error.message, error.line)
    for element in root.every("extension"):
        name = f"{element.value('groupId')}:{element.value('artifactId')}"
        if name not in _HARMLESS_EXTENSIONS:
            return Obstacle(
                f"the extension `{name}` runs with every command, and what it reads is not known", element.line
            )
    return None


def settings_obstacle(data: bytes) -> Obstacle | None:
    """Return why a settings.xml may lead Maven to other files (maven.apache.org/settings.html)."""
    try:
        root = parse_xml(data)
    except XmlError as error:
        return Obstacle(error.message, error.line)
    for element in root.children:
        if element.name == "localRepository" and element.text:
            return Obstacle("`localRepository` keeps downloads elsewhere", element.line)
    for url in root.every("url"):
        if not re.match(r"https?://|\*?$", url.text):
            return Obstacle(f"the repository `{url.text}` may lie in the project", url.line)
    for place in root.all("profiles", "profile", "activation", "file"):
        return Obstacle("a profile looks for a file", place.line)
    return None
