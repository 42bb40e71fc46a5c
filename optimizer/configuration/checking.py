"""Whether a parsed configuration says only what the table of settings knows; each problem with its key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dockopt.optimizer.configuration.settings import NAMES, SETTINGS, TABLES, Kind, Setting, rule_ids


class Problem(NamedTuple):
    """What is wrong, and the keys that lead to it."""

    keys: tuple[str, ...]
    message: str


def problems(table: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield everything that is wrong with the settings of one file, in the order of the file."""
    top = {s.name: s for s in SETTINGS}
    for key, value in table.items():
        if key in top:
            yield from _value(top[key], value, (key,))
        elif key in TABLES:
            yield from _table(key, value)
        else:
            yield Problem((key,), f"there is no setting `{key}`{did_you_mean(key, (*top, *TABLES))}")


def _table(name: str, table: Any) -> Iterator[Problem]:
    """Check a table whose keys the user chooses."""
    if not isinstance(table, dict):
        yield Problem((name,), f"`{name}` is no table")
        return
    known = {s.name: s for s in TABLES[name]}
    pattern, complaint = NAMES[name]
    for entry, values in table.items():
        where = (name, entry)
        if not re.search(pattern, entry):
            yield Problem(where, f"`{spelled(where)}`: `{entry}` {complaint}")
        if not isinstance(values, dict):
            yield Problem(where, f"`{spelled(where)}` is no table")
            continue
        for key, value in values.items():
            if key in known:
                yield from _value(known[key], value, (*where, key))
            else:
                yield Problem(
                    (*where, key), f"`{spelled(where)}`: there is no setting `{key}`{did_you_mean(key, known)}"
                )


def _value(setting: Setting, value: Any, keys: tuple[str, ...]) -> Iterator[Problem]:
    name = f"`{spelled(keys)}`"
    match setting.kind:
        case Kind.TEXT:
            if not isinstance(value, str) or not value:
                yield Problem(keys, f"{name} is no text")
            elif "\0" in value:
                yield Problem(keys, f"{name} holds a NUL, which no path has")
        case Kind.BOOLEAN:
            if not isinstance(value, bool):
                yield Problem(keys, f"{name} is neither true nor false")
        case Kind.CHOICE:
            if not isinstance(value, str) or value not in setting.choices:
                yield Problem(keys, f"{name} is none of {', '.join(f'`{choice}`' for choice in setting.choices)}")
        case Kind.TEXTS | Kind.RULES:
            if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
                yield Problem(keys, f"{name} is no list of texts")
            elif any("\0" in item for item in value):
                yield Problem(keys, f"{name} holds a NUL, which no path has")
            elif setting.kind is Kind.RULES:
                known = rule_ids()
                for item in value:
                    if item not in known:
                        yield Problem(keys, f"{name}: there is no rewrite `{item}`{did_you_mean(item, known)}")


def spelled(keys: Iterable[str]) -> str:
    """Return keys as they are written in TOML, those with other characters in quotes."""
    return ".".join(key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key) for key in keys)


def _quoted(key: str) -> str:
    """Return a text as TOML, which has the escapes of JSON."""
    import json

    return json.dumps(key, ensure_ascii=False).replace("\x7f", "\\u007f")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about a name that nothing has: the one that is most like it, or all that there are."""
    from difflib import get_close_matches

    names = list(known)
    alike = get_close_matches(name, names, 1)
    return f"; did you mean `{alike[0]}`?" if alike else f"; known are {', '.join(f'`{k}`' for k in names)}"
