"""Analyses beside the conversation: the newest text counts, and nobody waits for what nobody wants."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
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


def test_the_engine_stops_where_it_is_told_to(tmp_path: Path) -> None:
    """The question whether to go on is put by the engine itself, and its answer is heeded."""
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


LONG = 60
#: Dockerfiles without anything to propose, which is when the engine would look up last
UNEVENTFUL = {
    "variables": "FROM scratch\n" + "".join(f"ENV A{number}=x\n" for number in range(LONG)),
    "files": "FROM debian:12\n" + "".join(f"COPY a{number} /b/\n" for number in range(LONG)),
    "commands": "FROM debian:12\nCOPY . /src\n" + "".join(f"RUN ./configure {number}\n" for number in range(LONG)),
    "one chain": "FROM debian:12\nRUN " + " && ".join(f"touch {number}" for number in range(LONG)) + "\n",
    "one script": "FROM debian:12\nRUN <<E\n" + "".join(f"touch {number}\n" for number in range(LONG)) + "E\n",
    "stages": "".join(f"FROM debian:12 AS s{number}\nCOPY . /src\n" for number in range(LONG)),
    "stages on stages": "FROM scratch AS s0\n" + "".join(f"FROM s{n} AS s{n + 1}\nENV A=x\n" for n in range(LONG)),
}


def calls_between_questions(text: str, directory: Path) -> list[int]:
    """Return how many functions the engine calls between two questions whether it may go on."""
    between = [0]

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        if event == "call":
            between[-1] += 1

    def proceed() -> None:
        between.append(0)

    document = Document((directory / "Dockerfile").as_uri(), "dockerfile", 1, text)
    analyze(document, Options())  # what is imported and remembered is not counted
    earlier = sys.getprofile()
    sys.setprofile(counted)
    try:
        analyze(document, Options(proceed=proceed))
    finally:
        sys.setprofile(earlier)
    return between[1:]


@pytest.mark.parametrize("text", UNEVENTFUL.values(), ids=UNEVENTFUL)
def test_an_analysis_can_be_ended_all_along_its_way(text: str, tmp_path: Path) -> None:
    between = calls_between_questions(text, tmp_path)
    assert len(between) > LONG
    # no piece but the first, which reads the text, is much of the whole: the largest looks at all that the file has written
    assert max(between[1:]) < sum(between) / 4


def test_the_end_of_an_analysis_reaches_the_one_who_asked(tmp_path: Path) -> None:
    """Nothing on the way takes it for an answer, wherever it comes."""
    document = Document((tmp_path / "Dockerfile").as_uri(), "dockerfile", 1, UNEVENTFUL["commands"])
    for last in range(1, 400, 23):
        left = iter(range(last))

        def proceed(left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Superseded

        with pytest.raises(Superseded):
            analyze(document, Options(proceed=proceed))


def test_a_new_text_ends_the_analysis_of_the_old_one_for_all_who_wait() -> None:
    async def work(desk: Desk, engine: Engine) -> None:
        waiting = [asyncio.ensure_future(desk.analysis(text(1))) for _ in range(2)]
        while not engine.begun:
            await asyncio.sleep(0.001)
        desk.forget("file:///w/Dockerfile")
        for each in waiting:
            with pytest.raises(Superseded):
                await each
        assert engine.given_up == [1]

    run(work)
