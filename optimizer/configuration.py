"""The configuration of a project: `dockopt.toml`, or `[tool.dockopt]` in `pyproject.toml`; the nearest one above the Dockerfile counts.

So far it declares what commands do that no model speaks of:

    [effects."./build.sh"]           # the command as it begins in the Dockerfile
    reads = ["package.json", "lib/"] # beside the system's programs and settings; a directory ends with a slash
    writes = ["dist/"]               # these and the ones above are relative to the working directory, or absolute
    variables = ["NODE_ENV", "CI_*"] # default: all
    network = false                  # default: true

A declaration is trusted, and every proof that uses it says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.context.disk import WHOLE, Disk
from dockopt.optimizer.effects import Effects, Kind, World, Write
from dockopt.optimizer.inputs import InputError, read_file
from dockopt.optimizer.regions import Region, below, join

#: a project is less deep
_MOST_LEVELS = 40
_NAMES = ("dockopt.toml", "pyproject.toml")
#: where programs, libraries and their settings lie: every script needs some, so no declaration has to name them
_SYSTEM = Region(("/bin", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/sbin", "/usr"))


@dataclass(frozen=True, slots=True)
class Declared:
    """What a user says of a command."""

    words: tuple[str, ...]
    place: str  #: file and table, for proofs
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    variables: tuple[str, ...] | None = None
    network: bool = True

    def effects(self, around: Surroundings) -> Effects | None:
        """Return the effects where the command runs; None where the working directory is not known, or no project is there."""
        if around.cwd is None:
            return None
        holders = [root for root in around.project_roots if below(around.cwd, root)]
        root = min(holders, key=len, default=None)
        if root is None:
            return None
        paths = [(join(around.cwd, path), path.endswith("/")) for path in self.reads]
        writes = tuple(Write(Kind.MAY, Region((join(around.cwd, path),))) for path in self.writes)
        return Effects(
            reads=_SYSTEM.minus(root),
            probes=tuple(path for path, is_tree in paths if not is_tree),
            trees=tuple(path for path, is_tree in paths if is_tree),
            variables=self.variables,
            writes=writes,
            world=World.FREE if self.network else World.NONE,
            assumptions=(f"declared-effects: `{' '.join(self.words)}` does what {self.place} says and nothing else",),
        )


@dataclass(frozen=True, slots=True)
class Configuration:
    """All settings of one file."""

    path: Path | None = None
    declared: tuple[Declared, ...] = field(default=())

    def effects(self, invocation: Invocation, around: Surroundings) -> Effects | None:
        """Return the declared effects of a command, the longest declaration first; None where there is none."""
        for declared in sorted(self.declared, key=lambda d: -len(d.words)):
            if invocation.argv[: len(declared.words)] == declared.words:
                return declared.effects(around)
        return None


NOTHING = Configuration()


def find_configuration(dockerfile: Path, disk: Disk = WHOLE) -> Configuration:
    """Read the configuration that counts for a Dockerfile: in its directory or above, up to the one that holds `.git`.

    Raises InputError, with file and key, for a file that cannot be read or says something that is not understood.
    """
    directory = dockerfile.absolute().parent
    for level, folder in enumerate(disk.upwards(directory)):
        if level > _MOST_LEVELS:
            break
        for name in _NAMES:
            found = _read(folder / name) if disk.holds(folder / name) else None
            if found is not None:
                return found
        if (folder / ".git").exists():
            return NOTHING
    return NOTHING


def _read(path: Path) -> Configuration | None:
    """Return the settings of a file, None where it is not there or has none."""
    import tomllib

    if not path.is_file():
        return None
    try:
        content: Any = tomllib.loads(read_file(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        if path.name == "pyproject.toml":
            return None  # not ours to complain of
        raise InputError(f"{path}: it is no TOML: {error}") from None
    if path.name == "pyproject.toml":
        tools = content.get("tool")
        content = tools.get("dockopt") if isinstance(tools, dict) else None
        if content is None:
            return None
    place = f"`{path.name}`"
    if not isinstance(content, dict):
        raise InputError(f"{path}: `dockopt` is no table")
    _known(path, "", content, ("effects",))
    table = content.get("effects", {})
    if not isinstance(table, dict):
        raise InputError(f"{path}: `effects` is no table")
    return Configuration(path, tuple(_declared(path, place, command, entry) for command, entry in table.items()))


def _declared(path: Path, place: str, command: str, entry: Any) -> Declared:
    import shlex

    where = f'effects."{command}"'
    if not isinstance(entry, dict):
        raise InputError(f"{path}: `{where}` is no table")
    _known(path, f"{where}: ", entry, ("reads", "writes", "variables", "network"))
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise InputError(f"{path}: `{where}`: the command cannot be split into words: {error}") from None
    network = entry.get("network", True)
    if not words or not isinstance(network, bool):
        problem = "the command is empty" if not words else "`network` is neither true nor false"
        raise InputError(f"{path}: `{where}`: {problem}")
    variables = _texts(path, where, entry, "variables") if "variables" in entry else None
    return Declared(
        words, f"`[{where}]` in {place}", _texts(path, where, entry, "reads"), _texts(path, where, entry, "writes"),
        variables, network,
    )  # fmt: skip


def _texts(path: Path, where: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise InputError(f"{path}: `{where}`: `{key}` is no list of texts")
    return tuple(value)


def _known(path: Path, where: str, table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    """Raise InputError for the first key that means nothing, with the one that is most like it."""
    for key in table:
        if key not in keys:
            from difflib import get_close_matches

            alike = get_close_matches(key, keys, 1)
            hint = f"; did you mean `{alike[0]}`?" if alike else f"; known are {', '.join(f'`{k}`' for k in keys)}"
            raise InputError(f"{path}: {where}there is no setting `{key}`{hint}")
