"""A limit for the time that something takes in all.

A limit for each wait, which is what sockets have, does not do: a server that sends a byte now and then keeps it for ever, and a name
server has none.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """Return what a piece of work comes to, or raise what it raises. Raises TimeoutError where it is not over in time.

    What is given up goes on until its own waits are over, in a thread that keeps the program from nothing.
    """
    outcome: queue.SimpleQueue[tuple[_T | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put((work(), None))
        except Exception as error:
            outcome.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        result, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
