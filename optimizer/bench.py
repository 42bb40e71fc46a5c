"""Rebuild a Dockerfile as it is and as it would be written after the same edits, and tell seconds and reused steps.

Both texts are built once so that their caches are warm. Then each run edits the file, differently for each side (else one side would
find the layer that the other made), and builds one after the other. Sources of the user are never touched: the runs work on a copy of
the context, whose files are hard links until they are edited.
"""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dockopt.optimizer.engines.model import BuildLog, BuildRequest, Engine, Progress
from dockopt.optimizer.leftovers import temporary_folder
from dockopt.optimizer.verify import built, temporary_tags

#: how a comment begins in files of these kinds; of all others an edit adds a line end
_COMMENT = {
    ".c": "//", ".cc": "//", ".cpp": "//", ".cs": "//", ".ex": "#", ".exs": "#", ".go": "//", ".h": "//", ".java": "//", ".js": "//",
    ".jsx": "//", ".kt": "//", ".mjs": "//", ".py": "#", ".rb": "#", ".rs": "//", ".sh": "#", ".toml": "#", ".ts": "//", ".tsx": "//",
    ".yaml": "#", ".yml": "#",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """One text over all runs of one edit."""

    seconds: tuple[float, ...]
    #: steps that came from the cache in the last run, of how many
    cached: int
    steps: int

    @property
    def median(self) -> float:
        """The median of the seconds."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Measured:
    """One edit: both sides."""

    edit: str
    before: Side
    after: Side

    @property
    def ratio(self) -> float:
        """How many times faster the rebuild is afterwards."""
        return self.before.median / max(self.after.median, 0.001)


def bench(
    engine: Engine, before: BuildRequest, after: BuildRequest, edits: Sequence[str], runs: int, progress: Progress
) -> list[Measured]:
    """Measure each edit; paths are relative to the context.

    Raises OriginalFails where a text does not build (then nothing can be measured), EngineProblem, FileNotFoundError for an edit of a
    file that is not there.
    """
    with temporary_folder() as folder, temporary_tags(engine) as fresh:
        copy = folder / "context"
        shutil.copytree(before.context, copy, symlinks=True, copy_function=_link)
        sides = [replace(before, context=copy), replace(after, context=copy)]
        for request in sides:
            built(engine, request, fresh(), progress)
        mark = os.getpid() * 1000
        results = []
        for edit in edits:
            seconds: list[list[float]] = [[], []]
            logs: list[BuildLog | None] = [None, None]
            for _ in range(runs):
                for i, request in enumerate(sides):
                    mark += 1
                    _edit(copy / edit, mark)
                    log = built(engine, request, fresh(), progress)
                    seconds[i].append(log.seconds)
                    logs[i] = log
            found = [
                Side(tuple(s), log.cached, len(log.work))
                for s, log in zip(seconds, logs, strict=True)
                if log is not None
            ]
            results.append(Measured(edit, found[0], found[1]))
        return results


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _edit(path: Path, mark: int) -> None:
    """Add a comment to a file, or line ends where its kind has none; the file becomes one of its own."""
    data, mode = path.read_bytes(), path.stat().st_mode
    comment = _COMMENT.get(path.suffix)
    data += f"{comment} dockopt bench {mark}\n".encode() if comment else b"\n"
    fresh = path.with_name(f"{path.name}.dockopt-{mark}")
    fresh.write_bytes(data)
    fresh.chmod(mode)
    fresh.replace(path)
