"""Open a Dockerfile: its tree, its build context, and the `Build` that every question is put to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dockopt.optimizer.configuration import find_configuration
from dockopt.optimizer.context import BuildContext, ContextError, IgnoreFileError, Located, locate_context
from dockopt.optimizer.inputs import InputError
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.syntax import Dockerfile, DockerfileSyntaxError, cross_check, parse


@dataclass(frozen=True, slots=True)
class Opened:
    """One Dockerfile in its context."""

    build: Build
    located: Located
    #: how two parsers read the file differently, None if they agree; no conclusion may be drawn from such a file
    disagreement: str | None


class ContextUnreadable(InputError):
    """The build context was found and cannot be read."""

    def __init__(self, message: str, located: Located) -> None:
        super().__init__(message)
        self.located_context = located


def open_build(path: Path, source: bytes, context: Path | None = None) -> Opened:
    """Parse a Dockerfile and find its context (`context` if the user names one).

    `path` tells where the file lies; it is not read again. Nothing of the context is read but its ignore file, and what
    tells where the context is. Raises `InputError`: `line:column: message` for what is no Dockerfile, `ContextUnreadable`
    for a context that cannot be used.
    """
    try:
        dockerfile = parse(source)
    except DockerfileSyntaxError as error:
        raise InputError(f"{error.line}:{error.column}: {error.message}") from error
    located = locate_context(path, explicit=context, sources=_context_sources(dockerfile))
    try:
        reader = BuildContext(located.context, path)
    except (ContextError, IgnoreFileError) as error:
        raise ContextUnreadable(f"the build context cannot be read: {error}", located) from error
    configuration = find_configuration(path)
    build = Build(dockerfile, FrozenContext(reader), located.targets, configuration=configuration)
    return Opened(build, located, cross_check(dockerfile))


def _context_sources(dockerfile: Dockerfile) -> list[str]:
    """Return what COPY and ADD take from the context, as written."""
    return [
        word
        for instruction in dockerfile.instructions
        if instruction.keyword in ("COPY", "ADD") and not instruction.has_flag("from")
        for word in instruction.words[:-1]
    ]
