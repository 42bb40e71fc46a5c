"""Settings of all tests."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings

# The same examples in each run, so that a change is judged by itself; `HYPOTHESIS_PROFILE=explore` looks for new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

#: tests that stay in one process of several: those that build share base images that are made for them, and of many tests the first
#: ones begin early, so that no long one is left for the end
_TOGETHER = (("tests/engine/",), ("tests/soundness/", "tests/commands/test_models_in_an_image.py"), ("tests/lsp/",))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Deal the tests out to several processes (`-n 2`): by file, but what belongs together to one of them."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            together = (row[0] for row in _TOGETHER if nodeid.startswith(row))
            return next(together, nodeid.partition("::")[0])

    return ByFile(config, log)
