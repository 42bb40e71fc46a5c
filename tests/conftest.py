"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# The same examples in each run, so that a change is judged by itself; `HYPOTHESIS_PROFILE=explore` looks for new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
