"""The packages of a project that an installation links or copies: members of workspaces, `file:`, `link:` and `portal:`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from dockopt.optimizer.ecosystems.node.packages import Package, is_archive, package_at
from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.regions import below, join

#: a pattern component that means the same for npm (minimatch), yarn (micromatch) and pnpm (fast-glob)
_SIMPLE = re.compile(r"[A-Za-z0-9_.@*?+ -]+")
_MOST_DIRECTORIES = 20_000
#: directories that no package manager looks for members in
_NEVER = frozenset({"node_modules", "bower_components"})


@dataclass
class Local:
    """What an installation reads of the project because of its packages."""

    root: Package
    #: workspace members and linked directories; the root is not among them
    members: list[Package] = field(default_factory=list)
    #: directories that are copied into node_modules
    copied: list[str] = field(default_factory=list)
    #: directories that may be named otherwise (patches of yarn)
    trees: list[str] = field(default_factory=list)

    @property
    def packages(self) -> list[Package]:
        """All packages, the root first."""
        return [self.root, *self.members]


def members_of(view: View, directory: str, patterns: Sequence[str]) -> list[str]:
    """Return the directories that workspace patterns select, in path order. Raises `Obstacle`."""
    found: set[str] = set()
    for pattern in patterns:
        negated = pattern.startswith("!")
        selected = set(_matches(view, directory, pattern.lstrip("!")))
        found = found - selected if negated else found | selected
    # a directory without a package.json is no member; one that gets it later is
    return [path for path in sorted(found) if path != directory and view.has(join(path, "package.json"))]


def _matches(view: View, directory: str, pattern: str) -> Iterator[str]:
    parts = [part for part in posixpath.normpath(pattern).split("/") if part not in ("", ".")]
    if ".." in parts or pattern.startswith("/"):
        raise Obstacle(f"the workspace pattern `{pattern}` leads out of the project", join(directory, "package.json"))
    bad = next((part for part in parts if not _SIMPLE.fullmatch(part)), None)
    if bad is not None or any("**" in part and part != "**" for part in parts):
        raise Obstacle(f"the workspace pattern `{pattern}` is not understood", join(directory, "package.json"))
    here = [directory]
    for part in parts:
        here = list(_step(view, here, part))
    for path in here:
        if view.kind(path) == "directory":
            yield path


def _step(view: View, directories: list[str], part: str) -> Iterator[str]:
    for directory in directories:
        if not re.search(r"[*?]", part):
            child = join(directory, part)
            if _is_directory(view, child):
                yield child
        elif part == "**":
            yield from _all_below(view, directory)
        else:
            for name in view.listing(directory):
                if (
                    fnmatchcase(name, part)
                    and (part.startswith(".") or not name.startswith("."))
                    and name not in _NEVER
                ):
                    child = join(directory, name)
                    if _is_directory(view, child):
                        yield child


def _is_directory(view: View, path: str) -> bool:
    kind = view.kind(path)
    if kind == "unknown":
        raise Obstacle(f"`{path}` may be a link to a member of the workspace", path)
    return kind == "directory"


def _all_below(view: View, directory: str) -> Iterator[str]:
    waiting, count = [directory], 0
    while waiting:
        here = waiting.pop()
        yield here
        count += 1
        if count > _MOST_DIRECTORIES:
            raise Obstacle("the workspace pattern `**` selects too many directories", join(directory, "package.json"))
        for name in view.listing(here):
            if name not in _NEVER and not name.startswith(".") and view.kind(join(here, name)) == "directory":
                waiting.append(join(here, name))


def local_packages(view: View, root: Package, patterns: Sequence[str], manager: str) -> Local:
    """Return the root and all packages of the project that it takes in. Raises `Obstacle`."""
    local = Local(root)
    waiting = [package_at(view, path) for path in members_of(view, root.directory, patterns)]
    seen = {root.directory}
    checked: list[Package] = [root]
    while waiting or checked:
        for package in waiting:
            if package.directory not in seen:
                seen.add(package.directory)
                local.members.append(package)
                checked.append(package)
        waiting = []
        for package in checked:
            waiting += _taken_in(view, local, package, manager)
        checked = []
    return local


def _taken_in(view: View, local: Local, package: Package, manager: str) -> Iterator[Package]:
    """Yield the packages that one takes in by its dependencies; archives and copied directories are noted."""
    for name, spec in package.local_specs():
        protocol, colon, rest = spec.partition(":")
        if not colon or protocol not in ("file", "link", "portal", "exec", "patch", "git+file"):
            protocol, rest = "file", spec
        if protocol == "git+file":
            raise Obstacle(f"`{name}` is fetched from a git repository among the files (`{spec}`)", package.path)
        if protocol == "exec":
            raise Obstacle(f"`{name}` is made by a script (`{spec}`)", package.path)
        if protocol == "patch":
            continue  # its patch lies in .yarn/patches, which is read as a whole
        rest = rest.removeprefix("//")
        if rest.startswith("~") or re.match(r"[A-Za-z]:[\\/]", rest):
            raise Obstacle(f"`{name}` comes from outside of the project (`{spec}`)", package.path)
        path = join(package.directory, rest.partition("::")[0].partition("#")[0])
        if is_archive(path):
            view.need(path)
            continue
        if protocol == "link" and manager != "npm":
            # a link says nothing of what it leads to; pnpm looks for programs in its package.json
            if view.kind(path) == "directory" and not _linked_only(view, path):
                yield package_at(view, path)
            continue
        if view.kind(path) != "directory":
            raise Obstacle(f"`{name}` is installed from `{path}`, and it is not certain what lies there", package.path)
        if below(local.root.directory, path):
            raise Obstacle(f"`{name}` is the project itself (`{spec}`)", package.path)
        if protocol == "file" and manager != "npm":
            local.copied.append(path)
        yield package_at(view, path)


def _linked_only(view: View, path: str) -> bool:
    return not view.has(join(path, "package.json"))
