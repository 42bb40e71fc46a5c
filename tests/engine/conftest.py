"""Gives tests an engine, skips them visibly without one, and says aloud what a comparison left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.engine import Engine
from tests.engine.remarks import Remarks

REMARKS = pytest.StashKey[Remarks]()

GO_IMAGE = "golang:1.22"
WARM_GO = f"""\
FROM {GO_IMAGE}
RUN CGO_ENABLED=0 go build embed encoding/json flag html/template log/slog net/http text/tabwriter
RUN CGO_ENABLED=0 go build -trimpath html/template net/http
""".encode()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REMARKS] = Remarks()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what was left out, where the tests run in processes of their own (pytest-xdist)."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["remarks"] = session.config.stash[REMARKS].lines


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what such a process has left out."""
    node.config.stash[REMARKS].lines.extend(getattr(node, "workeroutput", {}).get("remarks", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash[REMARKS].lines
    if lines:
        terminalreporter.section("left out of image comparisons")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def remarks(pytestconfig: pytest.Config) -> Remarks:
    return pytestconfig.stash[REMARKS]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    if why := Engine.missing():
        pytest.skip(f"needs a build engine: {why}")
    with Engine() as found:
        yield found


@pytest.fixture(scope="session")
def warm_engine(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine whose Go image has the standard library compiled, in place of the usual one, for all builds alike.

    Otherwise most of the time goes into compiling `net/http` again and again. Nothing depends on it but the time.
    """
    tag = engine.tag("golang-warm")
    result = engine.build(WARM_GO, tmp_path_factory.mktemp("empty"), tag=tag)
    assert result.ok, result.log
    with Engine(bases={GO_IMAGE: tag}) as warm:
        yield warm
