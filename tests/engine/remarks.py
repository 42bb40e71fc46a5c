"""Collects what the summary of a test run has to say besides passes and failures."""

from __future__ import annotations

import os
from collections.abc import Iterable


class Remarks:
    """Lines for the end of the run."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def masked(self, subject: str, paths: Iterable[str]) -> None:
        """Record paths that a comparison left out because two builds of the very same input differ in them."""
        names = sorted(paths)
        if names:
            top = os.path.commonpath(names) if len(names) > 1 else names[0]
            self.lines.append(f"{subject}: {len(names)} paths differ between two equal builds, all below `{top}`")
