"""What is asked of a build engine, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple, Protocol


class EngineProblem(Exception):
    """Nothing can be built here; the message says what is missing and how to get it."""


class StepResult(NamedTuple):
    """One instruction as the engine ran it."""

    stage: str  #: name of the stage, "" where the engine does not tell
    instruction: str
    cached: bool
    seconds: float  #: 0.0 for one that came from the cache
    error: str = ""
    number: int = 0  #: its place among the steps of its stage, FROM is 1; 0 where the engine does not tell


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build. Options have the meaning that `docker build` gives them."""

    dockerfile: bytes
    context: Path
    #: the file that the text stands for: an ignore file beside it (`<name>.dockerignore`) counts
    path: Path
    no_cache: bool = False
    target: str | None = None
    platform: str | None = None
    network: str | None = None
    build_args: Sequence[str] = ()
    secrets: Sequence[str] = ()
    ssh: Sequence[str] = ()
    #: text of the ignore file that counts instead of the one that is there; None: the one that is there
    ignore: bytes | None = None

    def options(self) -> list[str]:
        """Return the options that all engines spell alike."""
        found = ["--no-cache"] if self.no_cache else []
        for name, value in (("target", self.target), ("platform", self.platform), ("network", self.network)):
            found += [f"--{name}={value}"] if value else []
        for name, values in (("build-arg", self.build_args), ("secret", self.secrets), ("ssh", self.ssh)):
            found += [f"--{name}={value}" for value in values]
        return found


@dataclass(slots=True)
class BuildLog:
    """What one build said."""

    ok: bool
    seconds: float
    steps: tuple[StepResult, ...]
    #: the last lines that commands and the engine wrote
    tail: tuple[str, ...] = ()
    #: base image that cannot be had → the engine's words
    missing_bases: Mapping[str, str] = field(default_factory=dict)

    @property
    def work(self) -> tuple[StepResult, ...]:
        """The steps that are reused or run again: all but FROM, which costs nothing once the base is here."""
        return tuple(step for step in self.steps if not step.instruction.upper().startswith("FROM "))

    @property
    def cached(self) -> int:
        """How many steps came from the cache."""
        return sum(step.cached for step in self.work)

    @property
    def failed(self) -> StepResult | None:
        """The step that ended the build, None where it was none of the steps."""
        return next((step for step in self.steps if step.error), None)


#: is told the instruction that is being run
Progress = Callable[[str], None]


class Engine(Protocol):
    """A build engine that answers."""

    @property
    def name(self) -> str:
        """How it is called (`docker`)."""

    @property
    def many_at_once(self) -> bool:
        """Whether one archive can hold several images."""

    def build(self, request: BuildRequest, tag: str, progress: Progress) -> BuildLog:
        """Build an image and give it a tag. Raises EngineProblem where the engine itself fails."""

    def save(self, tags: Sequence[str]) -> AbstractContextManager[IO[bytes]]:
        """Return a stream of an archive with the images (docker-archive or OCI layout in a tar)."""

    def names(self) -> Sequence[str]:
        """Return the names of all images that it holds; none where it does not tell."""

    def remove(self, tags: Sequence[str]) -> None:
        """Remove tags and what only they hold; those that do not exist are no error."""
