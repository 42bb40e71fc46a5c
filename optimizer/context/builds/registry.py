"""The table of all kinds of files that say how a Dockerfile is built, most authoritative first.

A new kind is a module with `read(file)`, which yields a `DeclaredBuild` for each build that the file speaks of and raises
`NotUnderstood` for one that it cannot read, and a line here. What a module does not understand it leaves out or marks as
unknown; it guesses nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from dockopt.optimizer.context.builds import files
from dockopt.optimizer.context.builds.files import Places, Project
from dockopt.optimizer.context.builds.model import DeclaredBuild, NotUnderstood, ProjectFile, is_inside
from dockopt.optimizer.presence import is_directory


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of file."""

    module: str  #: of this package; imported when there is such a file
    places: Places
    names: re.Pattern[str]
    #: a file in which this is not found speaks of no build and is not parsed
    telling: re.Pattern[bytes]
    #: names of a directory's files that its program prefers, in order
    first: tuple[str, ...] = ()


def _names(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


#: a program that builds, or a variable, and its command in one logical line
_COMMAND = re.compile(
    rb"(?:\b(?:docker|podman|buildah|nerdctl|depot)\b|\$[({]?\w+[)}]?)(?:[^\n\\]|\\\r?\n|\\.)*\b(?:build|bud)\b|/executor\b"
)

#: DESIGN §4; where two speak of one Dockerfile the first is asked for the context
SOURCES = (
    Source(
        "compose",
        files.above_and_beside,
        _names(r"(?:docker-)?compose(?:[._-].+)?\.ya?ml"),
        re.compile(rb"\bbuild[\"']?\s*:"),
        # the order in which Compose itself looks for its file
        ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"),
    ),
    Source("bake", files.above_and_beside, _names(r".*\bbake\b.*\.(?:hcl|json)"), re.compile(rb"\btarget\b")),
    Source(
        "workflows",
        files.workflows,
        _names(r".+\.ya?ml"),
        re.compile(rb"build-push-action|buildah-build|" + _COMMAND.pattern),
    ),
    Source("gitlab", files.gitlab, _names(r".*gitlab-ci.*\.ya?ml"), _COMMAND),
    Source("makefiles", files.script_places, _names(r"(?:gnu)?makefile(?:[._-].+)?|.+\.mk"), _COMMAND),
    Source(
        "scripts",
        files.script_places,
        _names(r".+\.(?:ba)?sh|(?!.*dockerfile)[\w-]*(?:build|docker|image|release|publish|container)[\w-]*"),
        _COMMAND,
    ),
    Source("package_json", files.above, re.compile(r"package\.json"), _COMMAND),
    Source("skaffold", files.above_and_beside, _names(r"skaffold.*\.ya?ml"), re.compile(rb"\bartifacts\b")),
    Source(
        "devcontainer", files.devcontainers, re.compile(r"\.?devcontainer\.json"), re.compile(rb"ockerfile|ockerFile")
    ),
)


def declared_builds(project: Project) -> tuple[list[DeclaredBuild], list[str]]:
    """Return what all files of a project say, in the order of the table, and a note for each that is not understood.

    A context that is no directory, or lies outside the project, counts as one that is not known before the build.
    """
    builds: list[DeclaredBuild] = []
    notes: list[str] = []
    for source in SOURCES:
        for path in files.named(project, source.places, source.names, source.first):
            changed = files.signature(path)
            if changed is None:
                continue
            try:
                found, note = _read(source, path, project.top, changed)
            except PermissionError:
                found, note = (), f"`{_shown(path, project.top)}` is left aside: it cannot be read"
            builds += found
            if note is not None:
                notes.append(note)
    return [_confined(build, project.root) for build in builds], notes


@lru_cache(maxsize=1024)
def _read(
    source: Source, path: Path, root: Path, _changed: tuple[int, int]
) -> tuple[tuple[DeclaredBuild, ...], str | None]:
    data = files.content(path)
    if data is None and not os.access(path, os.R_OK):
        raise PermissionError  # which is not kept: permissions change without a trace in what is compared
    if data is None or source.telling.search(data) is None:
        return (), None
    read: Callable[[ProjectFile], object] = import_module(f"dockopt.optimizer.context.builds.{source.module}").read
    builds: list[DeclaredBuild] = []
    try:
        builds.extend(read(ProjectFile(path, root, data)))  # type: ignore[arg-type]
    except NotUnderstood as problem:
        line = f":{problem.line}" if problem.line else ""
        return tuple(builds), f"`{_shown(path, root)}{line}` is left aside: {problem}"
    return tuple(builds), None


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _confined(build: DeclaredBuild, root: Path) -> DeclaredBuild:
    if build.context is None or (is_directory(build.context) and is_inside(build.context, root)):
        return build
    return replace(build, context=None)
