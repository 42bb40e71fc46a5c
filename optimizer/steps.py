"""How long the steps of an analysis took: for `--verbose`, and for programs that read the log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Step(NamedTuple):
    """One thing that was done for one file."""

    #: `open` (tree, context, configuration), `rewrite`, `verify` or `write`
    name: str
    #: for `rewrite`: which one, each time that it looked at the file
    rule: str | None
    #: seconds since 1970, for a log that is put together with others
    began: float
    #: seconds
    took: float


@contextmanager
def measured(steps: list[Step], name: str, rule: str | None = None) -> Iterator[None]:
    """Add a step for what is done inside, also where that raises."""
    began, start = time.time(), time.perf_counter()
    try:
        yield
    finally:
        steps.append(Step(name, rule, began, time.perf_counter() - start))
