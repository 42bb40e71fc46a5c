"""The example projects as builds: their contexts, what dockopt makes of them, and copies with edited sources."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.proposal import FileReport

EXAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "examples"

_MAIN = re.compile(rb"^package main$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """One project: its folder is the context, wherever in it the Dockerfile lies."""

    context: Path
    dockerfile: Path
    #: stages that are built on their own; None is the last one
    targets: tuple[str | None, ...] = (None,)

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.context.name

    @property
    def source(self) -> bytes:
        """The Dockerfile as it is."""
        return self.dockerfile.read_bytes()

    def report(self) -> FileReport:
        """Return what dockopt says; the context is given, because it would look above the folder of some."""
        return self.report_of(self.source)

    def report_of(self, source: bytes) -> FileReport:
        """Return what dockopt says of another Dockerfile in the same place."""
        return analyze(self.dockerfile, source, Options(context=self.context))

    def edited(self, folder: Path, mark: str) -> Path:
        """Copy the context into a folder and edit every Go file in it, so that each program changes.

        Programs print the mark when they start. Only Go files change: no manifest, and no file in a vendor directory,
        which `go` takes for the work of others.
        """
        copy = folder / self.name
        shutil.copytree(self.context, copy, symlinks=True)
        for path in sorted(copy.glob("**/*.go")):
            if "vendor" in path.relative_to(copy).parts:
                continue
            content = path.read_bytes()
            statement = f'func init() {{ println("{mark}") }}' if _MAIN.search(content) else f"// {mark}"
            path.write_bytes(content + f"\n{statement}\n".encode())
        return copy


@cache
def examples() -> tuple[Example, ...]:
    """Return all example projects in the order of their names."""
    targets: dict[str, tuple[str | None, ...]] = {"go-multi-binary": (None, "migrate")}
    found = []
    for context in sorted(path for path in EXAMPLES.iterdir() if path.is_dir()):
        (dockerfile,) = context.glob("**/Dockerfile")
        found.append(Example(context, dockerfile, targets.get(context.name, (None,))))
    return tuple(found)
