"""Finds and reads the files of a configuration: the nearest one above a Dockerfile, and those that it extends.

Nothing outside of the project is read: the top is the directory that holds `.git`; without one the search ends where that for a
build context does.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockopt.optimizer.configuration.checking import problems, spelled
from dockopt.optimizer.configuration.declared import Declared
from dockopt.optimizer.configuration.effective import NOTHING, Configuration, Document, Layer, shown
from dockopt.optimizer.configuration.settings import EFFECTS_TABLE, PER_FILE_TABLE
from dockopt.optimizer.context.disk import WHOLE, Disk
from dockopt.optimizer.context.gitpatterns import git_pattern
from dockopt.optimizer.inputs import InputError, read_file, refusal
from dockopt.optimizer.presence import is_directory

FILE = "dockopt.toml"
_NAMES = (FILE, "pyproject.toml")
_PYPROJECT = ("tool", "dockopt")
#: longer chains of `extend` are a mistake
_MOST_FILES = 16


def find_configuration(dockerfile: Path, disk: Disk = WHOLE) -> Configuration:
    """Read the configuration that counts for a Dockerfile: in its directory or in the nearest one above, within the project.

    Raises InputError, with file, line and key, for a file that cannot be read or says something that is not understood.
    """
    file = Path(os.path.abspath(dockerfile))  # noqa: PTH100  # `..` must go, links must stay
    directories = _directories(file.parent, disk)
    top = directories[-1]
    nearest = next((document for directory in directories for document in _documents(directory, top, disk)), None)
    if nearest is None:
        return NOTHING
    documents = _extended(nearest, top, disk)
    return Configuration(
        nearest.path,
        tuple({declared.words: declared for document in documents for declared in _declared(document)}.values()),
        tuple(layer for document in documents for layer in _layers(document, file, top)),
        tuple(document.path for document in documents),
    )


def located(document: Document, keys: tuple[str, ...], message: str) -> InputError:
    """Return the error that names file and line of a key."""
    line = document.line(keys)
    return InputError(f"{shown(document.path)}:{f'{line}:' if line else ''} {message}")


def _directories(directory: Path, disk: Disk) -> list[Path]:
    from dockopt.optimizer.context.locate import ancestors

    return list(ancestors(directory, disk)) or [directory]


def _documents(directory: Path, top: Path, disk: Disk) -> Iterator[Document]:
    """Yield what has settings in one directory."""
    for name in _NAMES:
        path = directory / name
        if not _is_there(path, disk):
            continue
        if not _inside(path, top):
            if name == FILE:
                raise InputError(f"{shown(path)}: it is a link that leads out of the project")
            continue
        document = _read(path, disk)
        if document is not None:
            yield document


def _is_there(path: Path, disk: Disk) -> bool:
    """Tell whether there is a file that may be looked at, on disk or in an editor. Raises InputError where that is forbidden."""
    try:
        return disk.holds(path) and (disk.text(str(path)) is not None or path.is_file())
    except PermissionError as error:
        raise InputError(f"{shown(path)}: {refusal(error)}") from error
    except OSError:  # a name that is too long for the system
        return False


def _inside(path: Path, top: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(top))


def _read(path: Path, disk: Disk) -> Document | None:
    """Return the settings of a file, None for a `pyproject.toml` that has none."""
    unsaved = disk.text(str(path))
    try:
        return _parsed(path, read_file(path) if unsaved is None else unsaved)
    except InputError as error:
        raise InputError(error.located(shown(path))) from None


@lru_cache(maxsize=64)
def _parsed(path: Path, source: bytes) -> Document | None:
    import tomllib

    try:
        # some editors of Windows put a byte order mark before it, which tomllib refuses
        text = source.decode("utf-8-sig")
        content: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        if path.name == "pyproject.toml" and b"dockopt" not in source:
            return None  # not ours to complain of
        raise InputError(f"it is no TOML: {error}") from None
    above: tuple[str, ...] = ()
    if path.name == "pyproject.toml":
        above = _PYPROJECT
        tools = content.get("tool")
        content = tools.get("dockopt") if isinstance(tools, dict) else None
        if content is None:
            return None
    if not isinstance(content, dict):
        raise InputError(f"`{spelled(above)}` is no table")
    document = Document(path, text, above, content)
    for problem in problems(content):
        line = document.line(problem.keys)
        raise InputError(f"{line}: {problem.message}" if line else problem.message)
    return document


def _extended(nearest: Document, top: Path, disk: Disk) -> list[Document]:
    """Return the files that count, the farthest first. Raises InputError for one that is missing, outside, or its own base."""
    documents = [nearest]
    while (name := documents[0].settings.get("extend")) is not None:
        document = documents[0]
        path = Path(os.path.normpath(document.path.parent / name))
        where = f"`extend = {name!r}`"
        if not _inside(path, top):
            raise located(document, ("extend",), f"{where} leads out of the project")
        if any(_same(path, other.path) for other in documents):
            raise located(document, ("extend",), f"{where} comes back to a file that this one belongs to")
        if not _is_there(path, disk):
            raise located(document, ("extend",), f"{where}: there is no such file")
        if len(documents) >= _MOST_FILES:
            raise located(document, ("extend",), f"{where}: more than {_MOST_FILES} files in a row")
        found = _read(path, disk)
        if found is None:
            raise located(document, ("extend",), f"{where}: there is no `[tool.dockopt]`")
        documents.insert(0, found)
    return documents


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _layers(document: Document, dockerfile: Path, top: Path) -> Iterator[Layer]:
    """Yield the tables of a file that speak of a Dockerfile, in the order in which they count."""
    layers = [Layer(document, (), document.settings)]
    tables = document.settings.get(PER_FILE_TABLE, {})
    if tables:
        relative = os.path.relpath(dockerfile, document.path.parent)
        layers += [
            Layer(document, (PER_FILE_TABLE, pattern), values)
            for pattern, values in tables.items()
            if _matches(pattern, relative)
        ]
    for layer in layers:
        if "context" in layer.values:
            context = document.path.parent / layer.values["context"]
            keys = (*layer.keys, "context")
            if not _inside(context, top):
                raise located(
                    document, keys, f"`{spelled(keys)}`: `{layer.values['context']}` leads out of the project"
                )
            if not is_directory(context):
                raise located(document, keys, f"`{spelled(keys)}`: there is no directory `{layer.values['context']}`")
        yield layer


def _matches(pattern: str, relative: str) -> bool:
    """Tell whether a pattern means a path; patterns are those of gitignore(5), from the directory of the configuration."""
    if relative == ".." or relative.startswith("../"):
        return False
    found = git_pattern(pattern)
    return found is not None and found.matches(relative)


def _declared(document: Document) -> Iterator[Declared]:
    for command, entry in document.settings.get(EFFECTS_TABLE, {}).items():
        keys = (EFFECTS_TABLE, command)
        where = f'`{EFFECTS_TABLE}."{command}"`'
        try:
            words = tuple(shlex.split(command))
        except ValueError as error:
            raise located(document, keys, f"{where}: the command cannot be split into words: {error}") from None
        if not words or not words[0]:
            raise located(document, keys, f"{where}: the command is empty")
        variables = entry.get("variables")
        yield Declared(
            words, f'`[{EFFECTS_TABLE}."{command}"]` in `{document.path.name}`',
            tuple(entry.get("reads", ())), tuple(entry.get("writes", ())),
            None if variables is None else tuple(variables), entry.get("network", True),
        )  # fmt: skip
