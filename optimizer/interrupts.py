"""Signals that ask the program to end, while it builds: first everything is cleaned up."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

#: also what a terminal sends that is closed (SIGHUP, which Windows does not have)
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextlib.contextmanager
def ending_cleanly() -> Iterator[None]:
    """Let signals to end raise KeyboardInterrupt, so that everything on the way out is cleaned up; an ignored one stays ignored."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # `nohup` ignores SIGHUP, and a shell SIGINT of what it runs in the background
    earlier = {each: signal.getsignal(each) for each in _ENDING}
    changed = [each for each, handler in earlier.items() if handler != signal.SIG_IGN]
    for each in changed:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each in changed:
            signal.signal(each, earlier[each])


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Put off signals to end until this is over: who asks twice must not cut the cleaning short."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    earlier = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)
