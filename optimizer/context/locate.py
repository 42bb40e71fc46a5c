"""Decides which directory is the build context of a Dockerfile, and says why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dockopt.optimizer.context import gopath
from dockopt.optimizer.context.builds import DeclaredBuild, Project, declared_builds
from dockopt.optimizer.context.disk import WHOLE, Disk
from dockopt.optimizer.context.ignore import IgnoreFileError
from dockopt.optimizer.context.tree import BuildContext, ContextError, Kind
from dockopt.optimizer.presence import is_there

#: how far to climb where no repository ends the search
_MAX_LEVELS = 12
#: how many builds with unknown contexts are named
_MAX_NOTES = 3
#: files at the top of a project, whatever its language
_MANIFESTS = frozenset(
    {
        "go.mod",
        "go.work",
        "package.json",
        "pyproject.toml",
        "requirements.txt",
        "setup.py",
        "Pipfile",
        "Cargo.toml",
        "pom.xml",
    }
    | {"build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "Gemfile", "composer.json"}
    | {"mix.exs", "deno.json", "build.sbt", "CMakeLists.txt", "meson.build", "Package.swift", "pubspec.yaml"}
)
#: sources that are no paths of the context: URLs, git remotes, heredocs
_ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|git@|<<)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another context in which the project builds the same Dockerfile."""

    context: Path
    file: Path  #: that says so
    line: int  # 1-based
    reason: str  #: one short phrase: the place in that file


@dataclass(frozen=True, slots=True)
class Located:
    """The build context of one Dockerfile, and what the project's own files say about its builds."""

    context: Path
    reason: str  #: one short phrase
    targets: tuple[str, ...] = ()  #: every stage that somebody builds by name
    any_target: bool = False  #: a stage is built by a name that is not known before the build
    build_args: Mapping[str, str] = field(default_factory=dict)  #: only those on which all builds agree
    certain: bool = True  #: False for a guess, and where two files disagree
    complete: bool = False  #: all sources that tell anything are there
    elsewhere: tuple[Elsewhere, ...] = ()  #: every other context, each once
    #: names that a build gives another content, and where that is said
    named_contexts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  #: what could not be read or told
    builds: tuple[DeclaredBuild, ...] = ()  #: all that the project's files say about building this Dockerfile


def locate_context(
    dockerfile: Path,
    *,
    explicit: Path | None = None,
    config: Mapping[str, object] | None = None,
    sources: Sequence[str] = (),
    disk: Disk = WHOLE,
) -> Located:
    """Find the context: what the user says, what the project's files say, else the nearest directory that has all sources.

    `explicit` comes from the command line. `config` may have `context` (relative to `root`, by default the repository), the
    `place` that says so, and `targets`. `sources` are the COPY and ADD sources that come from the context, as written; those
    with variables are left aside. Nothing outside of `disk` is looked at.
    """
    file = Path(os.path.abspath(dockerfile))  # noqa: PTH100  # `..` must go, links must stay
    project = project_of(file, disk)
    declared, notes = declared_builds(project)
    builds = [build for build in declared if _same_file(build.dockerfile, file)]
    chosen = _by_user(file, explicit, config) or _by_builds(builds, project, file, sources, disk)
    if chosen is None:
        chosen = _by_sources(file, sources, disk)
    unknown = [_place(build, project) for build in builds if build.context is None]
    notes += [f"{place} builds it in a context that is not known here" for place in dict.fromkeys(unknown)][:_MAX_NOTES]
    targets = tuple(dict.fromkeys(build.target for build in builds if build.target))
    if config is not None and isinstance(names := config.get("targets"), (list, tuple)):
        targets = tuple(dict.fromkeys([*(str(name) for name in names), *targets]))
    return replace(
        chosen,
        targets=targets,
        any_target=any(build.any_target for build in builds),
        build_args=_agreed(builds),
        named_contexts={
            name: _place(build, project) for build in reversed(builds) for name in reversed(build.named_contexts)
        },
        notes=tuple(dict.fromkeys(notes)),
        builds=tuple(builds),
    )


def project_of(dockerfile: Path, disk: Disk = WHOLE) -> Project:
    """Return the part of the file system that belongs to the project of a Dockerfile."""
    directories = tuple(ancestors(dockerfile.parent, disk))
    top = repository_root(dockerfile.parent, disk)
    return Project(directories[-1] if top is None else top, directories, top or dockerfile.parent, top is not None)


def _by_user(file: Path, explicit: Path | None, config: Mapping[str, object] | None) -> Located | None:
    if explicit is not None:
        return Located(Path(explicit), "given on the command line")
    if config is not None and isinstance(given := config.get("context"), str):
        base = config.get("root")
        root = Path(str(base)) if base is not None else repository_root(file.parent) or file.parent
        return Located(Path(os.path.normpath(root / given)), f"given in {config.get('place', 'the configuration')}")
    return None


def _by_builds(
    builds: Sequence[DeclaredBuild], project: Project, dockerfile: Path, sources: Sequence[str], disk: Disk
) -> Located | None:
    """Choose among the contexts that the project's files name: the first that has all sources; the others stay beside it.

    Where none of them has, but the nearest directory with all sources is another one, that is taken: what the file names
    cannot be built as it is.
    """
    contexts: dict[str, Elsewhere] = {}
    for build in builds:
        if build.context is not None:
            found = Elsewhere(build.context, build.file, build.line, _place(build, project))
            contexts.setdefault(os.path.realpath(build.context), found)
    if not contexts:
        return None
    _, telling = _wanted(sources)
    named = list(contexts.values())
    chosen = next((e for e in named if _resolving(e.context, dockerfile, telling, disk) == len(telling)), None)
    if chosen is None:
        nearest = _by_sources(dockerfile, sources, disk)
        if nearest.complete:
            reason = f"{nearest.reason}; {named[0].reason} has another context, without some of them"
            return replace(nearest, reason=reason, certain=False, elsewhere=tuple(named))
        chosen = named[0]
    others = tuple(other for other in named if other is not chosen)
    reason = f"{chosen.reason}; {others[0].reason} has another context" if others else chosen.reason
    return Located(chosen.context, reason, certain=not others, elsewhere=others)


def _place(build: DeclaredBuild, project: Project) -> str:
    """Return file, line and name of a build, as a reason."""
    shown = Path(os.path.relpath(build.file, project.top)).as_posix()
    return f"{shown}:{build.line}{f' {build.name}' if build.name else ''}"


def repository_root(directory: Path, disk: Disk = WHOLE) -> Path | None:
    """Return the nearest directory at or above this one that holds `.git`, None outside of a repository."""
    for candidate in disk.upwards(directory):
        if is_there(candidate / ".git"):
            return candidate
    return None


def ancestors(directory: Path, disk: Disk = WHOLE) -> Iterator[Path]:
    """Yield a directory and those above it, up to the repository; without one a few, never above home or a mount."""
    root = repository_root(directory, disk)
    home = Path.home()
    try:
        device = directory.stat().st_dev
    except OSError:
        device = -1
    for level, candidate in enumerate(disk.upwards(directory)):
        if root is None and level:
            if level > _MAX_LEVELS or candidate == Path(candidate.anchor) or candidate in home.parents:
                return
            try:
                if candidate.stat().st_dev != device:
                    return
            except OSError:
                return
        yield candidate
        if candidate in (root, home):
            return


def _same_file(named: Path, dockerfile: Path) -> bool:
    if named == dockerfile:
        return True
    try:
        if named.exists():
            return named.samefile(dockerfile)
    except OSError:
        return False
    # BuildKit falls back to `dockerfile` where `Dockerfile` is not there
    return named.name == "Dockerfile" and dockerfile == named.with_name("dockerfile")


def _agreed(builds: Sequence[DeclaredBuild]) -> dict[str, str]:
    """Return the build arguments that every build sets to the same value."""
    if not builds:
        return {}
    first = builds[0].args
    return {name: value for name, value in first.items() if all(build.args.get(name) == value for build in builds)}


def _wanted(sources: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the sources that are literal paths of the context, and those of them that tell contexts apart."""
    wanted = [source for source in dict.fromkeys(sources) if "$" not in source and not _ELSEWHERE.match(source)]
    # the root itself is in every context and says nothing
    return wanted, [source for source in wanted if gopath.clean(f"/{source}") != "/"]


def _by_sources(dockerfile: Path, sources: Sequence[str], disk: Disk) -> Located:
    wanted, telling = _wanted(sources)
    own = dockerfile.parent
    if not telling:
        return _by_project(own, disk, copies_all=bool(wanted))
    best, most = own, -1
    for candidate in ancestors(own, disk):
        count = _resolving(candidate, dockerfile, telling, disk)
        if count == len(telling):
            return Located(candidate, "all sources resolve here", complete=True)
        if count > most:
            best, most = candidate, count
    if most <= 0:
        return replace(_by_project(own, disk, copies_all=telling != wanted), certain=False)
    return Located(best, f"{most} of {len(telling)} sources resolve here", certain=False)


def _by_project(own: Path, disk: Disk, *, copies_all: bool) -> Located:
    """Choose where no source tells anything apart."""
    root = repository_root(own, disk)
    if own == root:
        return Located(own, "the Dockerfile stands at the top of the repository")
    if copies_all:
        # `COPY . .` in a directory of Dockerfiles means a project above it
        for candidate in ancestors(own, disk):
            try:
                names = _MANIFESTS.intersection(os.listdir(candidate))  # noqa: PTH208  # names are enough
            except OSError:
                continue
            if names:
                return Located(candidate, f"the nearest directory with a `{min(names)}`", certain=False)
        if root is not None:
            return Located(root, "the top of the repository", certain=False)
    return Located(own, "no source tells; the directory of the Dockerfile", certain=False)


def _resolving(root: Path, dockerfile: Path, sources: Sequence[str], disk: Disk) -> int:
    """Count the sources that a context holds behind its ignore rules."""
    try:
        context = BuildContext(root, dockerfile, disk=disk)
    except (ContextError, IgnoreFileError):
        return 0
    count = 0
    for source in sources:
        try:
            if any(gopath.has_wildcard(part) for part in source.split("/")):
                count += bool(context.glob(source))
            else:
                count += context.kind(source) not in (Kind.ABSENT, Kind.IGNORED)
        except ContextError:
            continue
    return count
