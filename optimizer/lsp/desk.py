"""Runs analyses one after the other beside the conversation with the client: the newest text counts, older work is given up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dockopt.optimizer.engine import Options
from dockopt.optimizer.lsp.analysis import Analysis, analyze
from dockopt.optimizer.lsp.documents import Document
from dockopt.optimizer.symbolic.memory import Pasts

_Answer = TypeVar("_Answer")
#: an analysis that takes longer is told to the user, seconds
SLOW = 0.5


class Superseded(Exception):
    """Nobody waits for this analysis any more."""


@dataclass(eq=False)
class Job:
    """One analysis, running or done."""

    document: Document
    generation: int
    future: asyncio.Future[Analysis]
    stop: threading.Event = field(default_factory=threading.Event)
    waiting: int = 0


class Desk:
    """The analyses of all open Dockerfiles, the last one of each."""

    def __init__(
        self,
        options: Callable[[Document], Options],
        on_slow: Callable[[Job], None] | None = None,
        analyze: Callable[[Document, Options], Analysis] = analyze,
    ) -> None:
        """`options` are asked for at the start of each analysis; `on_slow` hears of one that takes its time."""
        self._options, self._on_slow, self._analyze = options, on_slow, analyze
        # one thread: answers are kept in objects that are not made for two, and two would only share one interpreter
        self._pool = ThreadPoolExecutor(1, "analysis")
        self._jobs: dict[str, Job] = {}
        #: what is remembered of the texts that each document had
        self._pasts: dict[str, Pasts] = {}
        self._generation = 0

    @property
    def generation(self) -> int:
        """Grows when anything but the text of a Dockerfile changes."""
        return self._generation

    def invalidate(self) -> None:
        """Trust no analysis that was made so far: files or settings have changed."""
        self._generation += 1

    def forget(self, uri: str) -> None:
        """Drop what is known of a document that was closed."""
        self._pasts.pop(uri, None)
        self.supersede(uri)

    def supersede(self, uri: str) -> None:
        """Give up the analysis of a document that has another text; who waits for it hears that it is superseded."""
        job = self._jobs.pop(uri, None)
        if job is not None:
            job.stop.set()

    async def analysis(self, document: Document) -> Analysis:
        """Return the analysis of a document as it is now. Raises Superseded if a newer text came first.

        A caller that is cancelled takes its interest back; an analysis that interests nobody ends with the instruction in hand.
        """
        job = self._job(document)
        job.waiting += 1
        try:
            return await asyncio.shield(job.future)
        finally:
            job.waiting -= 1
            if not job.waiting and not job.future.done():
                job.stop.set()

    async def ask(self, question: Callable[[], _Answer]) -> _Answer:
        """Answer a question about an analysis where analyses run. Raises Superseded where its text is gone."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, question)

    def close(self) -> None:
        """Give up all work."""
        for uri in list(self._jobs):
            self.forget(uri)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _job(self, document: Document) -> Job:
        job = self._jobs.get(document.uri)
        if job is not None and (job.document, job.generation) == (document, self._generation) and not job.stop.is_set():
            return job
        loop = asyncio.get_running_loop()
        stop = threading.Event()
        options = replace(
            self._options(document),
            proceed=lambda: _check(stop),
            pasts=self._pasts.setdefault(document.uri, Pasts()),
        )
        future = loop.run_in_executor(self._pool, self._run, document, options)
        future.add_done_callback(_retrieve)
        job = self._jobs[document.uri] = Job(document, self._generation, future, stop)
        if self._on_slow is not None:
            loop.call_later(SLOW, self._slow, job)
        return job

    def _run(self, document: Document, options: Options) -> Analysis:
        assert options.proceed is not None
        options.proceed()
        return self._analyze(document, options)

    def _slow(self, job: Job) -> None:
        if not job.future.done() and not job.stop.is_set() and self._on_slow is not None:
            self._on_slow(job)


def _check(stop: threading.Event) -> None:
    if stop.is_set():
        raise Superseded


def _retrieve(future: asyncio.Future[Analysis]) -> None:
    """Look at an exception that nobody may wait for any more, so that it is not reported as lost."""
    if not future.cancelled():
        future.exception()
