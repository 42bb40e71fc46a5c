"""How an analysis is ended from outside: it asks all along its way whether it may go on, and what that raises ends it."""

from __future__ import annotations

from collections.abc import Callable

#: asked before each small piece of work: an instruction, a command, a proposal. It has to be cheap
Proceed = Callable[[], None]


def go_on() -> None:
    """Let an analysis go on: nobody wants to be able to end it."""
