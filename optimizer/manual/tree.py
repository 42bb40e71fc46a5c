"""The commands, options and arguments of the program as data, read from the program itself."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dockopt.optimizer.configuration.settings import SETTINGS
from dockopt.optimizer.manual.examples import EXAMPLES


class Kind(enum.Enum):
    """What a value is, told by how it is called in the help."""

    CHOICE = "one of some words"
    DIRECTORY = "a directory"
    FILE = "a file"
    RULE = "a rewrite"
    RULES = "rewrites with commas between"
    OTHER = "anything"


_KINDS = {
    "DIR": Kind.DIRECTORY, "PATH": Kind.FILE, "PATHS": Kind.FILE, "FILE": Kind.FILE, "IMAGE": Kind.FILE, "RULE": Kind.RULE,
    "ID,ID": Kind.RULES,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """What an option or an argument takes."""

    called: str
    kind: Kind
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One option; a flag has no value."""

    names: tuple[str, ...]
    help: str
    value: Value | None
    default: str
    repeatable: bool


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument."""

    value: Value
    help: str
    #: as in the synopsis, with brackets and dots
    shown: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or the program itself (without a name)."""

    name: str
    short: str
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    examples: tuple[tuple[str, str], ...] = ()


def program() -> tuple[Command, tuple[Command, ...]]:
    """Return the program and its commands, in the order of the help. What is hidden is left out."""
    import typer
    from dockopt.optimizer.cli import app

    group: Any = typer.main.get_command(app)
    commands = tuple(_command(name, command) for name, command in group.commands.items() if not command.hidden)
    return _command("", group), commands


def rule_ids() -> tuple[str, ...]:
    """Return the rewrites that may be named."""
    from dockopt.optimizer.rules import registered

    return tuple(rewrite.id for rewrite in registered())


def _command(name: str, command: Any) -> Command:
    text = str(command.help or "")
    short = command.short_help or text.partition("\n")[0]
    options = tuple(_options(command))
    arguments = tuple(_argument(p) for p in command.params if p.param_type_name == "argument")
    return Command(name, short, text, options, arguments, EXAMPLES.get(name, ()))


def _options(command: Any) -> Iterator[Option]:
    for parameter in command.params:
        if parameter.param_type_name == "option" and not parameter.hidden:
            value = (
                None
                if parameter.is_flag or parameter.count
                else _value(str(parameter.metavar or "VALUE"), parameter.name)
            )
            default = "" if value is None or parameter.default is None else str(parameter.default)
            names = tuple(sorted((*parameter.opts, *parameter.secondary_opts), key=len))
            yield Option(names, str(parameter.help or ""), value, default, bool(parameter.multiple))
    yield Option(("-h", "--help"), "Show this message and exit.", None, "", False)


def _argument(parameter: Any) -> Argument:
    shown = str(parameter.metavar or parameter.name.upper())
    return Argument(_value(shown.removesuffix("...").strip("[]")), str(parameter.help or ""), shown)


def _value(called: str, option: str = "") -> Value:
    """Return what a value may be: told by how it is called, or by the setting of the same name."""
    if "|" in called:
        return Value(called, Kind.CHOICE, tuple(called.split("|")))
    choices = next((known.choices for known in SETTINGS if known.name == option), ())
    return Value(called, Kind.CHOICE if choices else _KINDS.get(called, Kind.OTHER), choices)
