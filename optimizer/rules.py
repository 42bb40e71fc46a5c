"""What the program can tell about its rewrites: their list, their documentation, and which ids exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol


class _Rewrite(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def module(self) -> str: ...


class UnknownRule(Exception):
    """There is no such rewrite; the message says which one may be meant."""


def registered() -> Sequence[_Rewrite]:
    """All rewrites, in the order of the registry."""
    from dockopt.rewrites.registry import REWRITES

    return tuple(REWRITES)


def known_ids(ids: Iterable[str]) -> frozenset[str]:
    """The ids as a set; raises `UnknownRule` for the first that does not exist."""
    known = [rewrite.id for rewrite in registered()]
    wanted = [name for name in ids if name]
    if not wanted:
        raise UnknownRule(f"names no rewrite; there are {', '.join(known)}")
    for name in wanted:
        if name not in known:
            raise UnknownRule(f"there is no rewrite `{name}`; {_suggestion(name, known)}")
    return frozenset(wanted)


def table() -> str:
    """One line per rewrite: id and summary."""
    rewrites = registered()
    width = max((len(rewrite.id) for rewrite in rewrites), default=0)
    return "".join(f"{rewrite.id:<{width}}  {rewrite.summary}\n" for rewrite in rewrites)


def explanation(rule: str) -> str:
    """The documentation of one rewrite, which is the docstring of its module; raises `UnknownRule`."""
    import importlib
    import inspect

    known_ids([rule])
    rewrite = next(rewrite for rewrite in registered() if rewrite.id == rule)
    text = inspect.getdoc(importlib.import_module(rewrite.module))
    if text is None:  # python -OO drops docstrings
        return f"{rewrite.id}: {rewrite.summary}\n"
    return f"{rewrite.id}: {text.strip()}\n"


def _suggestion(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"there are {', '.join(known)}"
