"""The forms that a report can have; each is a module of its own, loaded when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from dockopt.optimizer.report.outcome import Outcome, Shown

#: printed file by file; all others are one document
TEXT = "text"
_MODULES = {
    "json": "json",
    "jsonl": "jsonlines",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "junit": "junit",
    "checkstyle": "checkstyle",
    "markdown": "markdown",
}
FORMATS = (TEXT, *_MODULES)


def render(format: str, outcomes: Sequence[Outcome], shown: Shown) -> bytes:
    """Return the whole report in one of `FORMATS` but text; all are UTF-8, and what is no text is escaped in them."""
    module = importlib.import_module(f"dockopt.optimizer.report.{_MODULES[format]}")
    return cast("str", module.document(outcomes, shown)).encode("utf-8")
