"""Every command has examples, and every example is one that the program takes."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer
from dockopt.optimizer.cli import app
from dockopt.optimizer.manual.examples import EXAMPLES
from dockopt.optimizer.manual.tree import program

COMMANDS: Any = typer.main.get_command(app)


def test_every_command_has_examples_and_every_example_a_command() -> None:
    assert set(EXAMPLES) == {command.name for command in program()[1]}


@pytest.mark.parametrize("typed", [typed for examples in EXAMPLES.values() for _, typed in examples])
def test_the_program_takes_an_example(typed: str) -> None:
    inner = typed.removeprefix('eval "$(').removesuffix(')"')
    words = shlex.split(inner.partition(" | ")[0].partition(" <")[0].partition(" >")[0])
    assert words[0] == "dockopt"
    command = COMMANDS.commands[words[1]]
    context = command.make_context(words[1], words[2:])
    for name in ("select", "ignore"):
        for value in context.params.get(name) or ():
            from dockopt.optimizer.rules import known_ids

            assert known_ids(value.split(","))
