"""The JSON Schema of a configuration file, for editors: made from the table of settings that the reader checks by.

Draft 4, because that is what editors know for TOML.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dockopt.optimizer.configuration.settings import NAMES, SETTINGS, TABLES, Kind, Setting, rule_ids

Json = dict[str, Any]
_TABLE_TEXTS = {
    "effects": "what commands do of which no model speaks; the name is the command as it begins in the Dockerfile",
    "per-file": "settings for some Dockerfiles; the name is a pattern as in an ignore file, from the directory of this file",
}


def schema() -> Json:
    """Return the schema of `dockopt.toml`; that of `[tool.dockopt]` in `pyproject.toml` is the same."""
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "dockopt",
        "description": "dockopt.toml, or [tool.dockopt] in pyproject.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {**_properties(SETTINGS), **{name: _table(name) for name in TABLES}},
    }


def _table(name: str) -> Json:
    entries = {"type": "object", "additionalProperties": False, "properties": _properties(TABLES[name])}
    return {
        "description": _TABLE_TEXTS[name],
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {NAMES[name][0]: entries},
    }


def _properties(settings: Iterable[Setting]) -> Json:
    return {
        setting.name: {"description": f"{setting.text} (without it: {setting.default})", **_value(setting)}
        for setting in settings
    }


def _value(setting: Setting) -> Json:
    text: Json = {"type": "string", "minLength": 1}
    match setting.kind:
        case Kind.TEXT:
            return text
        case Kind.BOOLEAN:
            return {"type": "boolean"}
        case Kind.CHOICE:
            return {"enum": list(setting.choices)}
        case Kind.TEXTS:
            return {"type": "array", "items": text}
        case Kind.RULES:
            return {"type": "array", "items": {"enum": list(rule_ids())}}
