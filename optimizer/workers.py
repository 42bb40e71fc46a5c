"""Many files at once: a function over a list on several processors, with the results in the order of the list."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
#: below this many files one process is done before others have started
_WORTH_IT = 48
_CHUNK = 8
_MOST = 16


def processors() -> int:
    """Return how many processors this process may use, at most 16."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(available, _MOST)


def in_order(function: Callable[[_Item], _Result], items: Sequence[_Item], jobs: int) -> Iterator[_Result]:
    """Return the results of a function that can be pickled, in the order of the items.

    The processes start at once and not when the first result is asked for: what the caller starts in between (the thread of a
    progress bar) must not be copied into them. Where a process is killed, this one does the rest of the work.
    """
    if jobs < 2 or len(items) < _WORTH_IT:
        return map(function, items)
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(jobs, initializer=_leave_interrupts_to_the_parent)
    return _results(pool, function, items, pool.map(function, items, chunksize=_CHUNK))


def _results(
    pool: ProcessPoolExecutor,
    function: Callable[[_Item], _Result],
    items: Sequence[_Item],
    results: Iterator[_Result],
) -> Iterator[_Result]:
    from concurrent.futures.process import BrokenProcessPool

    done = 0
    try:
        for result in results:
            done += 1
            yield result
    except BrokenProcessPool:
        yield from map(function, items[done:])
    finally:
        # waiting costs no more than the pieces that are under way; leaving at once races with the end of the program
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
