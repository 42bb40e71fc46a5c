"""The JSON documents of an image: each value is of the form that the OCI image specification gives it, or the archive is damaged.

Who reads an image later can rely on that. An archive may come from anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dockopt.optimizer.images.layers import ArchiveError

_T = TypeVar("_T", dict[str, Any], list[Any], str)
_NAMES: dict[type, str] = {dict: "object", list: "list", str: "text"}

#: what a container gets of the configuration (OCI image specification `config.md`, and what Docker adds)
TEXTS = ("User", "WorkingDir", "StopSignal")
LISTS = ("Entrypoint", "Cmd", "Shell", "OnBuild")
MAPS = ("Labels", "ExposedPorts", "Volumes", "Healthcheck")


def document(content: bytes, name: str) -> Any:
    """Return what a document holds. Raises ArchiveError."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"`{name}` is damaged: {error}") from error


def table(value: Any, what: str) -> dict[str, Any]:
    """Return a JSON object; an absent one is empty. Raises ArchiveError."""
    return _of(dict, value, what)


def rows(value: Any, what: str) -> list[dict[str, Any]]:
    """Return a JSON array of objects; an absent one is empty. Raises ArchiveError."""
    return [table(row, what) for row in _of(list, value, what)]


def texts(value: Any, what: str) -> list[str]:
    """Return a JSON array of strings; an absent one is empty. Raises ArchiveError."""
    return [text(each, what) for each in _of(list, value, what)]


def text(value: Any, what: str) -> str:
    """Return a JSON string; an absent one is empty. Raises ArchiveError."""
    return _of(str, value, what)


def configuration(content: bytes, name: str) -> dict[str, Any]:
    """Return the configuration of an image, all settings of which have their form. Raises ArchiveError."""
    found = table(document(content, name), name)
    config = table(found.get("config"), f"`config` of {name}")
    forms: list[tuple[tuple[str, ...], Callable[[Any, str], object]]] = [
        (TEXTS, text), (("Env",), texts), (LISTS, _words), (MAPS, table)
    ]  # fmt: skip
    for settings, form in forms:
        for setting in settings:
            form(config.get(setting), f"`{setting}` of {name}")
    for setting in ("architecture", "os"):
        text(found.get(setting), f"`{setting}` of {name}")
    for entry in rows(found.get("history"), f"`history` of {name}"):
        text(entry.get("created_by"), f"`created_by` of {name}")
    return found


def _words(value: Any, what: str) -> list[str]:
    # Docker took a text for a list of one word (`strslice.StrSlice`)
    return [value] if isinstance(value, str) else texts(value, what)


def descriptor(value: Mapping[str, Any], what: str) -> str:
    """Return the name of the blob that a descriptor is of. Raises ArchiveError."""
    digest = text(value.get("digest"), f"`digest` of {what}")
    return "blobs/" + digest.replace(":", "/")


def _of(kind: type[_T], value: Any, what: str) -> _T:
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise ArchiveError(f"{what} is damaged: it is no {_NAMES[kind]}")
    return value
