"""Reads go.sum files: for which module versions a hash is written down.

Source: `cmd/go/internal/modfetch/fetch.go` (`readGoSum`, `HaveSum`) of Go 1.26.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from dockopt.optimizer.ecosystems.go.modfile import GoMod, ModFileError, Replacement
from dockopt.optimizer.ecosystems.go.versions import semver_key
from dockopt.optimizer.syntax import gotext

#: the hash of an empty go.mod: an old bug wrote it, Go drops it
_EMPTY_GO_MOD = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY="


def parse_go_sum(data: bytes, path: str = "go.sum") -> frozenset[tuple[str, str]]:
    """Return (module, version) for every module, (module, version + "/go.mod") for every go.mod that has a usable hash.

    Blank lines and hashes of unknown kinds are passed over, as Go does. Raises ModFileError on a line that has not three fields.
    """
    found: set[tuple[str, str]] = set()
    for number, line in enumerate(gotext.decode(data).split("\n"), start=1):
        fields = gotext.trim(line).split()
        if not fields:
            continue
        if len(fields) != 3:
            raise ModFileError(f"a line must have three fields, this one has {len(fields)}", number, path)
        if fields[2].startswith("h1:") and fields[2] != _EMPTY_GO_MOD:
            found.add((fields[0], fields[1]))
    return frozenset(found)


def missing_sums(mod: GoMod, sums: Set[tuple[str, str]], also: Iterable[Replacement] = ()) -> tuple[str, ...]:
    """Return the requirements of go.mod that have no hash, as `module version` and `module version/go.mod`.

    Replacements are applied first (`also` are those of a go.work, which win); directories have no hashes. Empty means complete as far
    as that can be told without the dependencies' own go.mod files.
    """
    missing: list[str] = []
    for path, version in requirements_after_replace(mod, also):
        missing += [f"{path} {part}" for part in (version, f"{version}/go.mod") if (path, part) not in sums]
    return tuple(dict.fromkeys(missing))


def missing_contents(sums: Set[tuple[str, str]]) -> tuple[str, ...]:
    """Return the modules of which only the go.mod has a hash, not the content of the highest version, as `module version`.

    Empty means complete for a download of every module of the graph (`go mod download all`, a workspace): the version that is
    selected of a module is the highest of those whose go.mod was read.
    """
    highest: dict[str, str] = {}
    for path, version in sums:
        name = version.removesuffix("/go.mod")
        if name != version and (path not in highest or semver_key(name) > semver_key(highest[path])):
            highest[path] = name
    return tuple(f"{path} {version}" for path, version in sorted(highest.items()) if (path, version) not in sums)


def requirements_after_replace(mod: GoMod, also: Iterable[Replacement] = ()) -> tuple[tuple[str, str], ...]:
    """Return module and version of everything that go.mod asks to be downloaded; excluded versions and directories are left out."""
    above = tuple(also)
    found: list[tuple[str, str]] = []
    for requirement in mod.require:
        if (requirement.path, requirement.version) in mod.exclude:
            continue
        replacement = replacement_of(requirement.path, requirement.version, above, mod.replace)
        if replacement is None:
            found.append((requirement.path, requirement.version))
        elif replacement.new_version is not None:
            found.append((replacement.new_path, replacement.new_version))
    return tuple(dict.fromkeys(found))


def replacement_of(path: str, version: str, *levels: Iterable[Replacement]) -> Replacement | None:
    """Return the replacement that Go uses for a module version: the first level that has one, there the exact version first."""
    for level in levels:
        general: Replacement | None = None
        for replacement in level:
            if replacement.covers(path, version):
                if replacement.old_version is not None:
                    return replacement
                general = replacement
        if general is not None:
            return general
    return None
