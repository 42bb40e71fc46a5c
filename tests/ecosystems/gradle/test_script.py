"""Scripts of Gradle as statements and blocks."""

from __future__ import annotations

import random

import pytest
from dockopt.optimizer.ecosystems.gradle.script import ScriptError, Statement, parse_script


def test_statements_and_blocks() -> None:
    text = '// a { b\nplugins {\n    id \'java\' /* } */\n    id("x") version "1"\n}\nversion = \'1;{\' ; group = "g"\n'
    assert parse_script(text) == (
        Statement("plugins", 2, (Statement("id 'java'", 3), Statement('id("x") version "1"', 4))),
        Statement("version = '1;{'", 6),
        Statement('group = "g"', 6),
    )


def test_an_argument_goes_over_lines() -> None:
    assert parse_script("implementation(\n    'a:b:1'\n)\nx\n") == (
        Statement("implementation( 'a:b:1' )", 1),
        Statement("x", 4),
    )


@pytest.mark.parametrize("text", ["a {", "a }", "a({ b })", "a { b }}"])
def test_what_is_no_script(text: str) -> None:
    with pytest.raises(ScriptError):
        parse_script(text)


def test_any_text_is_read_or_refused() -> None:
    chance = random.Random(7)
    for _ in range(3000):
        text = "".join(chance.choice("ab {}()'\"/*\n;\\$=.") for _ in range(chance.randrange(40)))
        try:
            statements = parse_script(text)
        except ScriptError as error:
            assert error.message
        else:
            assert all(isinstance(found.text, str) for statement in statements for found in statement.every())
