"""Which files of a project Maven reads before it does anything: poms, their parents, and `.mvn`.

The walk follows the `mvn` script of Maven 3.9 (`find_maven_basedir`: the nearest directory at or above the pom that has a `.mvn`) and
`DefaultProjectBuilder` and `DefaultModelBuilder` of maven-core (modules, `relativePath`). Every file that is looked for counts, found or
not. Modules of all profiles are taken: which profiles are active is not asked.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Protocol

from dockopt.optimizer.ecosystems.maven.pom import (
    OWN_PLUGINS,
    Coordinates,
    Place,
    Pom,
    PomError,
    extension_obstacle,
    parse_pom,
    settings_obstacle,
)
from dockopt.optimizer.regions import below, join

#: a project with more poms than this is not one that people copy pom by pom
_MOST = 500


class Files(Protocol):
    """The image at one point, by absolute paths (the part of `Surroundings` that is needed here)."""

    def kind(self, path: str) -> str:
        """Return "file", "directory", "absent" or "unknown"."""

    def read_context(self, path: str) -> bytes | None:
        """Return the bytes of a file that surely comes from the build context."""


class NotCertain(Exception):
    """It cannot be told what Maven reads; `path` is the file that is the cause, "" for none."""

    def __init__(self, reason: str, path: str = "", line: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.path, self.line = reason, path, line


@dataclass(frozen=True, slots=True)
class Project:
    """What Maven reads; paths are those of the image."""

    directory: str  #: of the first pom
    files: tuple[str, ...]  #: all that exist, the first pom in front
    absent: tuple[str, ...]  #: looked for and not there
    trees: tuple[str, ...]  #: directories that are read as a whole
    poms: tuple[tuple[str, Pom], ...]  #: poms by path
    #: parents that come from a repository
    parents: tuple[Coordinates, ...]

    @property
    def pom(self) -> Pom:
        """The first pom."""
        return self.poms[0][1]

    @property
    def moving(self) -> NotCertain | None:
        """The first version that may mean something else tomorrow; those of the project itself do not."""
        own = {(pom.own.group, pom.own.artifact) for _, pom in self.poms}
        for path, pom in self.poms:
            for what, obstacle in pom.moving:
                if (what.group, what.artifact) not in own and what.group not in ("${project.groupId}", "${groupId}"):
                    return NotCertain(obstacle.reason, path, obstacle.line)
        managed = frozenset[tuple[str, str]]().union(*(pom.versioned for _, pom in self.poms))
        for path, pom in self.poms if not self.parents else ():
            for plugin, line in pom.unversioned:
                if plugin.group != OWN_PLUGINS and (plugin.group, plugin.artifact) not in managed:
                    return NotCertain(f"the plugin `{plugin}` has no version", path, line)
        return None


def project_at(files: Files, pom: str) -> Project:
    """Return what Maven reads for the pom at an absolute path (or in that directory). Raises NotCertain."""
    return _Walk(files).project(pom)


def check_settings(files: Files, path: str) -> str | None:
    """Return why the settings.xml at a path may lead Maven to other files, None if it does not."""
    data = files.read_context(path)
    if data is None:
        return f"`{path}` does not surely come from the build context"
    obstacle = settings_obstacle(data)
    return None if obstacle is None else f"line {obstacle.line} of `{path}`: {obstacle.reason}"


class _Walk:
    def __init__(self, files: Files) -> None:
        self.image = files
        self.files: list[str] = []
        self.absent: list[str] = []
        self.trees: list[str] = []
        self.poms: dict[str, Pom] = {}
        #: poms whose modules have been read
        self.followed: set[str] = set()
        self.parents: list[Coordinates] = []

    def project(self, start: str) -> Project:
        path = join(start, "pom.xml") if self.image.kind(start) == "directory" else start
        if self.image.kind(path) == "absent":
            raise NotCertain(f"there is no `{path}`")
        directory = posixpath.dirname(path)
        self._read(path)
        self._settings_directory(directory)
        return Project(
            directory,
            tuple(dict.fromkeys(self.files)),
            tuple(dict.fromkeys(self.absent)),
            tuple(dict.fromkeys(self.trees)),
            tuple(self.poms.items()),
            tuple(dict.fromkeys(self.parents)),
        )

    def _kind(self, path: str, cause: str = "", line: int = 0) -> str:
        kind = self.image.kind(path)
        if kind == "unknown":
            raise NotCertain(f"it is not certain whether `{path}` exists: the base image may have it", cause, line)
        return kind

    def _settings_directory(self, start: str) -> None:
        """Find `.mvn` and what it has: options of Maven and of Java, extensions that are loaded into Maven itself."""
        directory = start
        while True:
            found = join(directory, ".mvn")
            if self._kind(found) == "directory":
                self._settings(found)
                return
            self.absent.append(found)
            if directory == "/":
                return
            directory = posixpath.dirname(directory)

    def _settings(self, found: str) -> None:
        self.trees.append(found)
        extensions = join(found, "extensions.xml")
        if self._kind(extensions) == "file":
            data = self._text(extensions)
            obstacle = extension_obstacle(data)
            if obstacle is not None:
                raise NotCertain(obstacle.reason, extensions, obstacle.line)
        for name in ("maven.config", "jvm.config"):
            options = join(found, name)
            if self._kind(options) == "file":
                for at, line in enumerate(self._text(options).decode("utf-8", "replace").splitlines(), start=1):
                    for word in line.split():
                        if not _is_harmless(word, name):
                            raise NotCertain(f"what the option `{word}` does is not followed", options, at)
        # Maven 4 (maven.apache.org/guides/mini/guide-configuring-maven.html, "Maven 4")
        for name in ("settings.xml", "maven.properties", "maven-user.properties", "maven-system.properties"):
            if self._kind(join(found, name)) != "absent":
                raise NotCertain(f"`{name}` in `.mvn` has settings that are not followed", join(found, name))

    def _text(self, path: str) -> bytes:
        data = self.image.read_context(path)
        if data is None:
            raise NotCertain(f"`{path}` does not surely come from the build context", path)
        return data

    def _read(self, path: str, *, modules: bool = True) -> Pom:
        if path in self.poms and (path in self.followed or not modules):
            return self.poms[path]
        if len(self.poms) >= _MOST:
            raise NotCertain(f"the project has more than {_MOST} poms", path)
        if self._kind(path) != "file":
            raise NotCertain(f"`{path}` is no file", path)
        try:
            pom = parse_pom(self._text(path))
        except PomError as error:
            raise NotCertain(error.message, path, error.line) from None
        for obstacle in pom.obstacles:
            raise NotCertain(obstacle.reason, path, obstacle.line)
        self.files.append(path)
        self.poms[path] = pom
        directory = posixpath.dirname(path)
        if modules:
            self.followed.add(path)
            for module in pom.modules:
                self._module(module, path, directory)
        self._parent(pom, path, directory)
        for place in pom.files:
            self._look(join(directory, place.path), path, place.line)
        for place in pom.trees:
            tree = join(directory, place.path)
            if below(directory, tree) or self._kind(tree, path, place.line) != "directory":
                raise NotCertain(f"the repository `{tree}` is no directory of its own", path, place.line)
            self.trees.append(tree)
        return pom

    def _parent(self, pom: Pom, path: str, directory: str) -> None:
        if pom.parent is None:
            return
        if pom.parent_path is not None:
            place = pom.parent_path
            above = join(directory, place.path)
            if self._kind(above, path, place.line) == "directory":
                above = join(above, "pom.xml")
            if self._kind(above, path, place.line) == "file":
                # the modules of a parent are not built with its child
                found = self._read(above, modules=False).own
                if (found.group, found.artifact) == (pom.parent.group, pom.parent.artifact):
                    return
            else:
                self.absent.append(above)
        self.parents.append(pom.parent)

    def _module(self, module: Place, path: str, directory: str) -> None:
        below_it = join(directory, module.path)
        kind = self._kind(below_it, path, module.line)
        if kind == "directory":
            below_it = join(below_it, "pom.xml")
            kind = self._kind(below_it, path, module.line)
        if kind == "file":
            self._read(below_it)
        else:
            # a module of a profile that is off may be missing; one that is on fails the build with or without us
            self.absent.append(below_it)

    def _look(self, path: str, cause: str, line: int) -> None:
        """Note a file that is asked for, whether or not it is there."""
        kind = self._kind(path, cause, line)
        if kind == "directory":
            raise NotCertain(f"the directory `{path}` decides about a profile", cause, line)
        (self.files if kind == "file" else self.absent).append(path)


def _is_harmless(word: str, name: str) -> bool:
    from dockopt.optimizer.ecosystems.maven.arguments import is_plain_option

    if name == "jvm.config":
        # options of the machine, not the places where Maven and Java look for files
        return (
            word.startswith(("-X", "--add-opens", "--add-exports", "--enable-", "-server", "-ea"))
            and ":" not in word[:3]
        )
    return is_plain_option(word)
