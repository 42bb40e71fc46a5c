"""Gemfile.lock: what it says of dependencies and platforms, and whether Bundler would write it anew.

The format is that of Bundler's `lockfile_parser.rb`: sections, whose lines are indented.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockopt.optimizer.ecosystems.ruby.gemfile import Gemfile
from dockopt.optimizer.ecosystems.view import Obstacle

_DEPENDENCY = re.compile(r" {2}([^\s(!]+)(?: \((.*)\))?(!)?$")
_SECTION = re.compile(r"[A-Z][A-Z ]*$")
_LINUX = re.compile(r"ruby$|.*linux|java$")


@dataclass(frozen=True, slots=True)
class Lock:
    """The parts of a lock file that decide whether it fits a Gemfile."""

    path: str
    #: dependencies of the Gemfile with their requirements
    dependencies: dict[str, frozenset[str]]
    platforms: tuple[str, ...]
    #: the version of Bundler that made it, "" where it does not say
    bundler: str
    #: gems that it takes from directories of the project, as written
    directories: tuple[str, ...]


def parse_lock(text: str, path: str) -> Lock:
    """Parse a lock file. Raises `Obstacle`."""
    section, source = "", ""
    dependencies: dict[str, frozenset[str]] = {}
    platforms: list[str] = []
    directories: list[str] = []
    bundler = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
            raise Obstacle("it holds the marks of a merge conflict", path, number)
        if not line.strip():
            continue
        if not line.startswith(" "):
            if not _SECTION.fullmatch(line.rstrip()):
                raise Obstacle(f"`{line.strip()[:40]}` is no section of a lock file", path, number)
            section = source = line.strip()
        elif section == "DEPENDENCIES":
            found = _DEPENDENCY.match(line.rstrip())
            if found is None:
                raise Obstacle(f"`{line.strip()[:40]}` is no dependency", path, number)
            dependencies[found[1]] = requirement_of((found[2] or "").split(", "))
        elif section == "PLATFORMS":
            platforms.append(line.strip())
        elif section == "BUNDLED WITH":
            bundler = line.strip()
        elif source == "PATH" and line.strip().startswith("remote: "):
            directories.append(line.strip().removeprefix("remote: "))
    if "PLATFORMS" not in text or (not dependencies and "DEPENDENCIES" not in text):
        raise Obstacle("it is no lock file of Bundler", path, 1)
    return Lock(path, dependencies, tuple(platforms), bundler, tuple(directories))


def requirement_of(texts: list[str] | tuple[str, ...]) -> frozenset[str]:
    """Return requirements in one form: `1.0` and `= 1.0` are the same, `>= 0` says nothing (Gem::Requirement)."""
    found = set()
    for text in texts:
        for each in text.split(","):
            clean = re.sub(r"^(=|!=|>=|<=|~>|>|<)\s*", r"\1 ", each.strip())
            if not clean:
                continue
            found.add(f"= {clean}" if clean[0].isalnum() else clean)
    return frozenset(found - {">= 0"})


def misfit(lock: Lock, gemfile: Gemfile) -> tuple[str, str, int] | None:
    """Return why Bundler would write the lock file anew: reason, file and line; None where nothing says so."""
    asked = {gem.name: gem for gem in gemfile.gems}
    for gem in gemfile.gems:
        if gem.name not in lock.dependencies:
            if gem.certain:
                return f"`{gem.name}` is not among the dependencies of the lock file", gem.path, gem.line
            continue
        alternatives = [other for other in gemfile.gems if other.name == gem.name]
        fits = [
            other.requirements is None or requirement_of(other.requirements) == lock.dependencies[gem.name]
            for other in alternatives
        ]
        if not any(fits):
            return f"the lock file has another requirement of `{gem.name}`", gem.path, gem.line
    if not gemfile.open_ended:
        for name in lock.dependencies:
            if name not in asked:
                return f"the Gemfile does not ask for `{name}`, which the lock file has", lock.path, 0
    if not any(_LINUX.match(platform) for platform in lock.platforms):
        shown = ", ".join(lock.platforms)
        return f"the lock file is for {shown} alone; `bundle lock --add-platform x86_64-linux` adds Linux", lock.path, 0
    if lock.bundler.startswith(("0.", "1.")):
        return f"Bundler {lock.bundler} made the lock file, and a newer one notes its own version", lock.path, 0
    return None
