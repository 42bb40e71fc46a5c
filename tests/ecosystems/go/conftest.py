from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ecosystems.go.oracle_client import Oracle, build
from tests.syntax.oracle_client import find_go


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    if find_go() is None:
        pytest.skip("needs Go to build the reader of the go command")
    found = Oracle(build(tmp_path_factory.mktemp("oracle-gomod")))
    yield found
    found.close()
