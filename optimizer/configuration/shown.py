"""What `dockopt config` prints: the settings that count for one Dockerfile, as TOML, each with file and line where it is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dockopt.optimizer.configuration.checking import spelled
from dockopt.optimizer.configuration.effective import Configuration, Value, shown
from dockopt.optimizer.configuration.files import find_configuration
from dockopt.optimizer.configuration.settings import EFFECTS_TABLE, SETTINGS, Scope, rule_ids, setting

_WIDTH = 60


def effective(dockerfile: Path) -> str:
    """Return the settings of a Dockerfile as text that is a configuration itself. Raises InputError."""
    configuration = find_configuration(dockerfile)
    lines = [f"# what counts for {dockerfile}", *_files(configuration), ""]
    for known in SETTINGS:
        found = configuration.value(known.name)
        if known.scope is Scope.FILE or known.name == "ignore":
            continue  # the files stand at the top, and what is ignored is not selected
        if known.name == "select":
            lines += _rules(configuration)
        elif found is None:
            lines.append(f"# {known.name}: {known.default}")
        else:
            lines.append(_line(known.name, _toml(found.value), found.shown_place))
    for keys, found in _declared(configuration).items():
        lines += ["", _line(f"[{spelled(keys)}]", "", found.shown_place)]
        lines += [f"{key} = {_toml(said)}" for key, said in found.value.items()]
    return "\n".join(lines) + "\n"


def _declared(configuration: Configuration) -> dict[tuple[str, ...], Value]:
    """Return what is declared of commands, by the keys of its table; of two tables for one command the nearer one counts."""
    return {
        (EFFECTS_TABLE, command): Value(entry, layer.document, (EFFECTS_TABLE, command))
        for layer in configuration.layers
        if not layer.keys
        for command, entry in layer.document.settings.get(EFFECTS_TABLE, {}).items()
    }


def _files(configuration: Configuration) -> Iterator[str]:
    if not configuration.files:
        yield "# no dockopt.toml and no [tool.dockopt] here or above: these are the defaults"
        return
    names = [shown(path) for path in reversed(configuration.files)]
    yield "# from " + ", which extends ".join(names)


def _rules(configuration: Configuration) -> Iterator[str]:
    """Yield the rewrites that run, with what selects them, and those that do not, with what says so."""
    choices = configuration.choices(rule_ids())
    running = [rule for rule, choice in choices.items() if choice.runs]
    selecting = next((choice.by for choice in choices.values() if choice.runs and choice.by is not None), None)
    if len(running) == len(choices) and selecting is None:
        yield f"# select: {setting('select').default}"
    else:
        place = selecting.shown_place if selecting is not None else "all that nothing ignores"
        yield _line("select", _toml(running), place)
    for rule, choice in choices.items():
        if not choice.runs and choice.by is not None:
            yield f"# `{rule}` does not run: `{choice.by.keys[-1]}` in {choice.by.shown_place}"


def _line(name: str, value: str, place: str) -> str:
    text = f"{name} = {value}" if value else name
    return f"{text:<{_WIDTH}}  # {place}"


def _toml(value: Any) -> str:
    """Return a value as TOML: JSON writes texts, lists of texts and truth values in the same way."""
    import json

    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
