from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.syntax.oracle_client import Oracle, build, find_go


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """BuildKit's parser, compiled from its own sources; skipped, visibly, where there is no Go."""
    if find_go() is None:
        pytest.skip("needs Go to build BuildKit's parser")
    found = Oracle(build(tmp_path_factory.mktemp("oracle")))
    yield found
    found.close()
