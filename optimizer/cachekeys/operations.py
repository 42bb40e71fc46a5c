"""Operations and their inputs: how BuildKit puts a key together (`solver/edge.go`, reference §2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dockopt.optimizer.symbolic.terms import Term, term


class Key(NamedTuple):
    """The key of an operation, and what is left of it where content may make up for other keys of inputs."""

    key: Term
    hope: Term


def source(name: str, *parts: str) -> Key:
    """Return the key of something that comes from outside: an image, or nothing at all (`scratch`)."""
    key = term(name, *parts)
    return Key(key, key)


class Input(NamedTuple):
    """One input of an operation: its key, with the paths that the operation selects of it."""

    key: Term
    hope: Term


def by_content(value: Term) -> Input:
    """Return an input whose content is known: the context, or what the definition itself makes."""
    return Input(value, value)


def by_definition(of: Key, *selected: str) -> Input:
    """Return an input that only its own key can match: what an instruction builds on."""
    return Input(term("input", of.key, *selected), term("input", of.hope, *selected))


def by_either(of: Key, *selected: str) -> Input:
    """Return an input that its key or the content of what is selected can match: another stage or image."""
    return Input(term("input", of.key, *selected), term("any content"))


def operation(kind: str, own: Sequence[str | Term], inputs: Sequence[Input]) -> Key:
    """Return the key of an operation from its own parts and its inputs."""
    this = term(kind, *own)
    return Key(
        term("operation", this, *(input_.key for input_ in inputs)),
        term("operation", this, *(input_.hope for input_ in inputs)),
    )
