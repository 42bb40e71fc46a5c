"""Decides which directory is the build context of a Dockerfile, and says why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dockopt.optimizer.context import gopath
from dockopt.optimizer.context.compose import ComposeBuild, compose_files, read_compose
from dockopt.optimizer.context.discover import SKIPPED_DIRECTORIES
from dockopt.optimizer.context.ignore import IgnoreFileError
from dockopt.optimizer.context.tree import BuildContext, ContextError, Kind

#: how far to climb where no repository ends the search
_MAX_LEVELS = 12
#: how many directories at the top of a repository are searched for Compose files
_MAX_SIDE_DIRECTORIES = 200
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
class Located:
    """The build context of one Dockerfile."""

    context: Path
    reason: str  #: one short phrase
    target: str | None = None  #: the stage that is built, None for the last one
    targets: tuple[str, ...] = ()  #: every stage that somebody builds by name
    build_args: Mapping[str, str] = field(default_factory=dict)  #: only those on which all builds agree
    certain: bool = True  #: False for a guess, and where two files disagree


def locate_context(
    dockerfile: Path,
    *,
    explicit: Path | None = None,
    config: Mapping[str, object] | None = None,
    sources: Sequence[str] = (),
) -> Located:
    """Find the context: what the user says, what Compose files say, else the nearest directory that has all sources.

    `explicit` comes from the command line. `config` may have `context` (relative to `root`, by default the repository)
    and `targets`. `sources` are the COPY and ADD sources that come from the context, as written; those with variables
    are left aside.
    """
    file = Path(os.path.abspath(dockerfile))  # noqa: PTH100  # `..` must go, links must stay
    builds = [build for build in _compose_builds(file) if _same_file(build.dockerfile, file)]
    targets = tuple(dict.fromkeys(build.target for build in builds if build.target))
    if config is not None and isinstance(names := config.get("targets"), (list, tuple)):
        targets = tuple(dict.fromkeys([*(str(name) for name in names), *targets]))
    args = _agreed(builds)
    if explicit is not None:
        return Located(Path(explicit), "given on the command line", None, targets, args)
    if config is not None and isinstance(given := config.get("context"), str):
        base = config.get("root")
        root = Path(str(base)) if base is not None else repository_root(file.parent) or file.parent
        return Located(Path(os.path.normpath(root / given)), "given in the configuration", None, targets, args)
    if builds:
        first = builds[0]
        reason = f'{_shown(first.file, file)} service "{first.service}"'
        other = next((build for build in builds if build.context != first.context), None)
        if other is not None:
            reason += f' (but {_shown(other.file, file)} service "{other.service}" has another context)'
        return Located(first.context, reason, first.target, targets, args, certain=other is None)
    found = _by_sources(file, sources)
    return Located(found.context, found.reason, None, targets, args, certain=found.certain)


def repository_root(directory: Path) -> Path | None:
    """Return the nearest directory at or above this one that holds `.git`, None outside of a repository."""
    for candidate in (directory, *directory.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def ancestors(directory: Path) -> Iterator[Path]:
    """Yield a directory and those above it, up to the repository; without one a few, never above home or a mount."""
    root = repository_root(directory)
    home = Path.home()
    try:
        device = directory.stat().st_dev
    except OSError:
        device = -1
    for level, candidate in enumerate((directory, *directory.parents)):
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


def _compose_builds(dockerfile: Path) -> Iterator[ComposeBuild]:
    """Yield the builds of the Compose files at and above the Dockerfile, nearest first, then those of `deploy/` & co.

    Below the top of the repository one level is looked at: many projects keep their Compose files in a directory beside
    the sources.
    """
    seen = list(ancestors(dockerfile.parent))
    root = repository_root(dockerfile.parent)
    if root is not None:
        try:
            with os.scandir(root) as entries:
                names = [
                    e.name for e in entries if e.is_dir(follow_symlinks=False) and e.name not in SKIPPED_DIRECTORIES
                ]
        except OSError:
            names = []
        seen += [root / name for name in sorted(names)[:_MAX_SIDE_DIRECTORIES] if root / name not in seen]
    for directory in seen:
        for file in compose_files(directory):
            yield from read_compose(file)


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


def _agreed(builds: Sequence[ComposeBuild]) -> dict[str, str]:
    """Return the build arguments that every build sets to the same value."""
    if not builds:
        return {}
    first = builds[0].args
    return {name: value for name, value in first.items() if all(build.args.get(name) == value for build in builds)}


def _shown(file: Path, dockerfile: Path) -> str:
    root = repository_root(dockerfile.parent)
    base = root if root is not None else dockerfile.parent
    return Path(os.path.relpath(file, base)).as_posix()


def _by_sources(dockerfile: Path, sources: Sequence[str]) -> Located:
    wanted = [source for source in dict.fromkeys(sources) if "$" not in source and not _ELSEWHERE.match(source)]
    # the root itself is in every context and says nothing
    telling = [source for source in wanted if gopath.clean(f"/{source}") != "/"]
    own = dockerfile.parent
    if not telling:
        return _by_project(own, copies_all=bool(wanted))
    best, most = own, -1
    for candidate in ancestors(own):
        count = _resolving(candidate, dockerfile, telling)
        if count == len(telling):
            return Located(candidate, "all sources resolve here")
        if count > most:
            best, most = candidate, count
    if most <= 0:
        return replace(_by_project(own, copies_all=telling != wanted), certain=False)
    return Located(best, f"{most} of {len(telling)} sources resolve here", certain=False)


def _by_project(own: Path, *, copies_all: bool) -> Located:
    """Choose where no source tells anything apart."""
    root = repository_root(own)
    if own == root:
        return Located(own, "the Dockerfile stands at the top of the repository")
    if copies_all:
        # `COPY . .` in a directory of Dockerfiles means a project above it
        for candidate in ancestors(own):
            try:
                names = _MANIFESTS.intersection(os.listdir(candidate))  # noqa: PTH208  # names are enough
            except OSError:
                continue
            if names:
                return Located(candidate, f"the nearest directory with a `{min(names)}`", certain=False)
        if root is not None:
            return Located(root, "the top of the repository", certain=False)
    return Located(own, "no source tells; the directory of the Dockerfile", certain=False)


def _resolving(root: Path, dockerfile: Path, sources: Sequence[str]) -> int:
    """Count the sources that a context holds behind its ignore rules."""
    try:
        context = BuildContext(root, dockerfile)
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
