"""One place in a project that says something about the version of a language."""

from __future__ import annotations

from dataclasses import dataclass

from dockopt.optimizer.evidence.releases import Releases, Version


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one line says. At most one of `version`, `releases` and `least` is there; none of them where `unclear` tells why."""

    language: str
    path: str  #: relative to the context
    line: int  #: 1-based, 0: the whole file
    said: str  #: as it is written
    #: the version that is used, as far as it is written
    version: Version | None = None
    #: the releases that will do
    releases: Releases | None = None
    #: the least release that will do, where that is one to build with
    least: Version | None = None
    #: why no version follows from it
    unclear: str = ""

    @property
    def place(self) -> str:
        """The place as messages name it."""
        return f"{self.path}:{self.line}" if self.line else self.path

    def __str__(self) -> str:
        """Return what is said, and where."""
        return f"`{self.said}` ({self.place})"
