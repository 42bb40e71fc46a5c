"""What one place in a file of the project says about building a Dockerfile."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class NotUnderstood(Exception):
    """A file that cannot be read as what its name promises; `str()` is the reason, `line` is 1-based (0: the whole file)."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file that may speak of builds, as it was read."""

    path: Path
    #: top of the project: where CI jobs start, and what nothing may lead out of
    root: Path
    data: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The content; bytes that are no UTF-8 become U+FFFD, which no path of a build holds."""
        return self.data.decode("utf-8", "replace").removeprefix("\ufeff")


@dataclass(frozen=True, slots=True)
class DeclaredBuild:
    """One build: which Dockerfile in which directory, and what of it is used from outside."""

    file: Path
    line: int
    name: str  #: what the place is called in its file (`service "api"`), "" where it has no name
    dockerfile: Path
    context: Path | None  #: None: a remote one, or one that depends on what is not known before the build
    target: str | None = None  #: the stage that is built, None for the last one
    any_target: bool = False  #: a stage is named, but which one is not known before the build
    args: Mapping[str, str] = field(default_factory=dict)  #: those whose values are known
    #: names that FROM, --from and stages may get another content by (`--build-context NAME=…`)
    named_contexts: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, int, str]:
        """Where this stands, to tell two apart."""
        return str(self.file), self.line, self.name


def resolved(base: Path, *parts: str) -> Path:
    """Join paths as a shell would and take `.` and `..` out; links stay."""
    return Path(os.path.normpath(base.joinpath(*parts)))


def is_inside(path: Path, root: Path) -> bool:
    """Tell whether a path stays in the project, links followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
