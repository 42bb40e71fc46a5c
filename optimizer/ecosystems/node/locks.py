"""Lock files: which packages they name, and whether an installation finds them in step with the manifests."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dockopt.optimizer.ecosystems.node.packages import INSTALLED_SECTIONS, Package, is_archive
from dockopt.optimizer.ecosystems.view import Obstacle, View, parse_object, parse_yaml
from dockopt.optimizer.regions import join, relative

#: in which names of packages are looked for in a binary lock file of bun
_NAME = re.compile(rb"@?[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)?")


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file as far as it is understood."""

    path: str
    #: packages that it names
    names: frozenset[str]
    #: why an installation may write it anew, None if it seems to be in step
    stale: str | None


def read_npm_lock(view: View, path: str, packages: Sequence[Package], directory: str) -> Lock:
    """Read package-lock.json or npm-shrinkwrap.json (npm's package-lock-json(5), versions 1 to 3)."""
    found = parse_object(view.lock_text(path), path)
    version = found.get("lockfileVersion")
    entries = found.get("packages")
    if isinstance(entries, dict):
        names = frozenset(str(key).rpartition("node_modules/")[2] for key in entries if "node_modules/" in str(key))
        _npm_files(view, path, entries, packages, directory)
        return Lock(path, names, _npm_step(entries, packages, directory))
    old = found.get("dependencies")
    _without_files(view, path)
    names = frozenset(_old_names(old if isinstance(old, dict) else {}))
    return Lock(path, names, f"it has `lockfileVersion` {version}, which npm 7 and later writes anew")


def _npm_files(view: View, path: str, entries: dict[str, Any], packages: Sequence[Package], directory: str) -> None:
    """Note the archives that a lock file names, which npm takes in place of what the manifests say. Raises `Obstacle`."""
    known = {package.directory for package in packages}
    for key, entry in entries.items():
        resolved = entry.get("resolved") if isinstance(entry, dict) else None
        place = str(key) if "node_modules" not in str(key).split("/") else None
        if isinstance(resolved, str) and entry.get("link"):
            place = resolved
        elif isinstance(resolved, str) and resolved.startswith("file:"):
            archive = join(directory, resolved.removeprefix("file:"))
            if is_archive(archive):
                view.need(archive)
            else:
                place = resolved.removeprefix("file:")
        elif isinstance(resolved, str) and resolved.startswith("git+file:"):
            raise Obstacle(f"`{key}` is fetched from a git repository among the files (`{resolved}`)", path)
        if place is not None and join(directory, place) not in known:
            raise Obstacle(f"the lock file has `{place}` of the project, to which no manifest leads", path)


_FILE = re.compile(r"\bfile:[^\s\"',}]*")


def _without_files(view: View, path: str) -> None:
    """Raise `Obstacle` for a lock file that names files of the project and is not followed so far."""
    found = _FILE.search(view.lock_text(path))
    if found is not None:
        raise Obstacle(f"the lock file leads to files (`{found.group()}`), which are not followed", path)


def _old_names(entries: dict[str, Any]) -> list[str]:
    found: list[str] = []
    waiting = [entries]
    while waiting:
        for name, entry in waiting.pop().items():
            found.append(name)
            inner = entry.get("dependencies") if isinstance(entry, dict) else None
            if isinstance(inner, dict):
                waiting.append(inner)
    return found


def _npm_step(entries: dict[str, Any], packages: Sequence[Package], directory: str) -> str | None:
    for package in packages:
        key = relative(package.directory, directory)
        entry = entries.get(key)
        if not isinstance(entry, dict):
            return f"it does not know `{key or package.path}`"
        for section in (*INSTALLED_SECTIONS, "peerDependencies"):
            wanted, written = package.section(section), entry.get(section) or {}
            if section == "dependencies":
                # npm writes optional dependencies down once (package.json(5), optionalDependencies)
                optional = package.section("optionalDependencies")
                wanted = {name: spec for name, spec in wanted.items() if name not in optional}
            if section == "devDependencies":
                wanted = {name: spec for name, spec in wanted.items() if name not in package.section("dependencies")}
            if wanted != written:
                return f"its `{section}` of `{key or '.'}` are not those of `package.json`"
    return None


_YARN_KEY = re.compile(r"^(?![ #])(.+):\s*$", re.MULTILINE)


def read_yarn_lock(view: View, path: str, packages: Sequence[Package], *, berry: bool) -> Lock:
    """Read a yarn.lock of yarn 1 (its own format) or of later versions (YAML): the descriptors stand at the left."""
    text = view.lock_text(path)
    is_berry = re.search(r"^__metadata:", text, re.MULTILINE) is not None
    for resolved in re.findall(r'^  resolved "?([^"#\s]+)', text, re.MULTILINE):
        # yarn 1; a name alone is an archive of an offline mirror
        if resolved.startswith("file:") and is_archive(resolved):
            view.need(join(posixpath.dirname(path), resolved.removeprefix("file:")))
        elif not re.match(r"(https?|ssh|git|git\+(https?|ssh)):|[\w.-]+@[\w.-]+:", resolved):
            raise Obstacle(f"the lock file leads to `{resolved}`, which is not followed", path)
    if is_berry and not berry:
        raise Obstacle("`yarn.lock` is of yarn 2 or later, and which version of yarn runs is not known", path)
    if berry and not is_berry:
        return Lock(path, frozenset(), "it is of yarn 1, and later versions write it anew")
    patterns: set[str] = set()
    for found in _YARN_KEY.finditer(text):
        patterns.update(part.strip().strip('"') for part in found.group(1).split(","))
    names = frozenset(pattern[: pattern.find("@", 1)] for pattern in patterns if "@" in pattern[1:])
    own = {package.raw.get("name") for package in packages}
    for package in packages:
        for section in INSTALLED_SECTIONS:
            for name, spec in package.section(section).items():
                known = {f"{name}@{spec}", f"{name}@npm:{spec}"} & patterns
                if (
                    not known
                    and name not in own
                    and not re.match(r"(workspace|link|file|portal|patch|catalog|\.|/)", spec)
                ):
                    return Lock(path, names, f"it does not have `{name}@{spec}` of `{package.path}`")
    return Lock(path, names, None)


def read_pnpm_lock(view: View, path: str, packages: Sequence[Package], directory: str) -> Lock:
    """Read pnpm-lock.yaml: `importers` hold the ranges of every package (before version 5.4 `specifiers`)."""
    text = view.lock_text(path)
    found = parse_yaml(text, path)
    known = {package.directory for package in packages}
    entries = found.get("packages")
    for entry in (entries if isinstance(entries, dict) else {}).values():
        resolution = entry.get("resolution") if isinstance(entry, dict) else None
        archive, place = (
            (resolution.get(key) for key in ("tarball", "directory")) if isinstance(resolution, dict) else (None, None)
        )
        if isinstance(archive, str) and archive.startswith("file:"):
            view.need(join(directory, archive.removeprefix("file:")))
        if isinstance(place, str) and join(directory, place) not in known:
            raise Obstacle(f"the lock file has `{place}` of the project, to which no manifest leads", path)
    if "git+file:" in text:
        raise Obstacle("the lock file leads to a git repository among the files", path)
    names = set()
    for section in ("packages", "snapshots"):
        entries = found.get(section)
        for key in entries if isinstance(entries, dict) else ():
            text = str(key).lstrip("/")
            cut = max(text.find("@", 1), text.find("/", text.find("/") + 1 if text.startswith("@") else 0))
            names.add(text[:cut] if cut > 0 else text)
    importers = found.get("importers")
    if not isinstance(importers, dict):
        importers = {".": found}
    for package in packages:
        key = relative(package.directory, directory) or "."
        entry = importers.get(key)
        wanted = {name: spec for part in INSTALLED_SECTIONS for name, spec in package.section(part).items()}
        if not isinstance(entry, dict):
            if wanted:
                return Lock(path, frozenset(names), f"it does not know `{key}`")
            continue
        written = _specifiers(entry)
        if any(written.get(name) != spec for name, spec in wanted.items()) or set(written) - set(wanted):
            return Lock(path, frozenset(names), f"its dependencies of `{key}` are not those of `package.json`")
    return Lock(path, frozenset(names), None)


def _specifiers(entry: dict[str, Any]) -> dict[str, str]:
    old = entry.get("specifiers")
    if isinstance(old, dict):
        return {str(name): str(spec) for name, spec in old.items()}
    found: dict[str, str] = {}
    for section in INSTALLED_SECTIONS:
        part = entry.get(section)
        for name, value in (part if isinstance(part, dict) else {}).items():
            found[str(name)] = str(value.get("specifier") if isinstance(value, dict) else value)
    return found


def read_bun_lock(view: View, path: str) -> Lock:
    """Read the names in bun.lock (JSON with commas at the end) or bun.lockb (binary). Whether it is in step is not known."""
    if path.endswith("b"):
        data = view.around.read_context(path)
        if data is None:
            raise Obstacle(f"`{path}` does not surely come from the build context", path)
        view.relied_on.append(path)
        names = frozenset(found.decode() for found in _NAME.findall(data))
    else:
        text = view.lock_text(path)
        names = frozenset(re.findall(r'"((?:@[^"/@]+/)?[^"/@]+)@[^"]*"', text))
    return Lock(path, names, "whether it is in step with `package.json` is not known")
