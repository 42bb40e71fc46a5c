"""Analyses beside the conversation: the newest text counts, and nobody waits for what nobody wants."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.engine import Options
from dockopt.optimizer.lsp import desk as module
from dockopt.optimizer.lsp.analysis import Analysis, analyze
from dockopt.optimizer.lsp.desk import Desk, Job, Superseded
from dockopt.optimizer.lsp.documents import Document
from dockopt.optimizer.proposal import FileReport


class Engine:
    """Analyses that take as long as a test wants."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun: list[int] = []
        self.given_up: list[int] = []

    def analyze(self, document: Document, options: Options) -> Analysis:
        self.begun.append(document.version)
        assert options.proceed is not None
        while not self.go.wait(0.001):
            try:
                options.proceed()
            except Superseded:
                self.given_up.append(document.version)
                raise
        return Analysis(document, options, FileReport("Dockerfile", b"", b""))


def text(version: int) -> Document:
    return Document("file:///w/Dockerfile", "dockerfile", version, f"FROM a:{version}\n")


def run(work: Callable[[Desk, Engine], Coroutine[Any, Any, None]], **more: Any) -> None:
    async def main() -> None:
        engine = Engine()
        desk = Desk(lambda _: Options(), analyze=engine.analyze, **more)
        try:
            await asyncio.wait_for(work(desk, engine), 60)
        finally:
            desk.close()

    asyncio.run(main())


def test_one_analysis_serves_all_who_ask() -> None:
    async def work(desk: Desk, engine: Engine) -> None:
        document = text(1)
        both = asyncio.gather(desk.analysis(document), desk.analysis(document))
        engine.go.set()
        one, other = await both
        assert one is other is await desk.analysis(document)
        assert engine.begun == [1]

    run(work)


def test_work_that_nobody_waits_for_is_given_up() -> None:
    async def work(desk: Desk, engine: Engine) -> None:
        first = asyncio.ensure_future(desk.analysis(text(1)))
        while not engine.begun:
            await asyncio.sleep(0.001)
        first.cancel()
        second = asyncio.ensure_future(desk.analysis(text(2)))
        while engine.begun != [1, 2]:
            await asyncio.sleep(0.001)
        engine.go.set()
        assert (await second).document.version == 2
        assert engine.given_up == [1]

    run(work)


def test_one_of_two_who_wait_may_go() -> None:
    async def work(desk: Desk, engine: Engine) -> None:
        document = text(1)
        first, second = (asyncio.ensure_future(desk.analysis(document)) for _ in range(2))
        while not engine.begun:
            await asyncio.sleep(0.001)
        first.cancel()
        engine.go.set()
        assert (await second).document is document
        assert engine.given_up == []

    run(work)


def test_an_analysis_is_not_trusted_when_files_have_changed() -> None:
    async def work(desk: Desk, engine: Engine) -> None:
        engine.go.set()
        document = text(1)
        before = await desk.analysis(document)
        desk.invalidate()
        assert await desk.analysis(document) is not before

    run(work)


def test_a_closed_document_is_forgotten() -> None:
    async def work(desk: Desk, engine: Engine) -> None:
        waiting = asyncio.ensure_future(desk.analysis(text(1)))
        while not engine.begun:
            await asyncio.sleep(0.001)
        desk.forget("file:///w/Dockerfile")
        with pytest.raises(Superseded):
            await waiting

    run(work)


def test_only_slow_work_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW", 0.01)
    told: list[Job] = []

    async def work(desk: Desk, engine: Engine) -> None:
        slow = asyncio.ensure_future(desk.analysis(text(1)))
        while not told:
            await asyncio.sleep(0.001)
        engine.go.set()
        await slow
        await desk.analysis(text(2))
        await asyncio.sleep(0.05)
        assert [job.document.version for job in told] == [1]

    run(work, on_slow=told.append)


def test_the_engine_stops_between_proposals(tmp_path: Path) -> None:
    """The hook that ends an analysis is heeded by the engine itself."""
    (tmp_path / "go.mod").write_text("module example.com/x\n\ngo 1.22\n")
    file = tmp_path / "Dockerfile"
    document = Document(
        file.as_uri(), "dockerfile", 1, "FROM golang:1.22\nWORKDIR /src\nCOPY . .\nRUN go mod download\n"
    )
    calls = 0

    def proceed() -> None:
        nonlocal calls
        calls += 1
        raise Superseded

    with pytest.raises(Superseded):
        analyze(document, Options(proceed=proceed))
    assert calls == 1
