"""One Dockerfile from bytes to report: the road of the whole program, without any output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dockopt.optimizer.proposal import FileReport


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller wants of an analysis."""

    context: Path | None = None
    #: ids of rewrites to run; None means all that are on by default
    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    #: stop after the n-th change (a debugging aid); None means no limit
    bisect_limit: int | None = None


def analyze(path: Path, source: bytes, options: Options | None = None) -> FileReport:
    """Analyse one Dockerfile and return what would be changed, what was refused and why.

    `path` tells where the file lies (for its context); it is not read again. Never raises for bad input: `FileReport.error`
    then says what is wrong.
    """
    raise NotImplementedError(path, source, options)
