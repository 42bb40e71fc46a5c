"""Open a Dockerfile: its tree, its build context, and the `Build` that every question is put to."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from dockopt.optimizer.bases import familiar
from dockopt.optimizer.cancellation import Proceed, go_on
from dockopt.optimizer.configuration import Configuration, find_configuration
from dockopt.optimizer.context import BuildContext, ContextError, IgnoreFileError, Located, locate_context
from dockopt.optimizer.context.disk import WHOLE, Disk
from dockopt.optimizer.context.locate import Elsewhere as NamedElsewhere
from dockopt.optimizer.inputs import InputError
from dockopt.optimizer.model import Build, Elsewhere, FrozenContext
from dockopt.optimizer.symbolic.memory import Memo, Past, Pasts
from dockopt.optimizer.syntax import Dockerfile, DockerfileSyntaxError, cross_check, parse


@dataclass(frozen=True, slots=True)
class Opened:
    """One Dockerfile in its context."""

    build: Build
    located: Located
    #: how two parsers read the file differently, None if they agree; no conclusion may be drawn from such a file
    disagreement: str | None
    #: what a reader should know before the findings
    notes: tuple[str, ...] = ()


class ContextUnreadable(InputError):
    """The build context was found and cannot be read."""

    def __init__(self, message: str, located: Located) -> None:
        super().__init__(message)
        self.located_context = located


def open_build(
    path: Path,
    source: bytes,
    context: Path | None = None,
    disk: Disk = WHOLE,
    pasts: Pasts | None = None,
    proceed: Proceed = go_on,
) -> Opened:
    """Parse a Dockerfile and find its context (`context` if the user names one).

    `path` tells where the file lies; it is not read again. Nothing of the context is read but its ignore file, and what
    tells where the context is; nothing outside of `disk`. `pasts` has what is remembered of earlier texts of the file.
    `proceed` may end it, and all that is asked of the build. Raises `InputError`: `line:column: message` for what is no
    Dockerfile, `ContextUnreadable` for a context that cannot be used.
    """
    _check_name(path)
    try:
        dockerfile = parse(source)
    except DockerfileSyntaxError as error:
        raise InputError(f"{error.line}:{error.column}: {error.message}") from error
    proceed()
    configuration = find_configuration(path, disk)
    located = locate_context(
        path, explicit=context, config=_said(configuration), sources=_context_sources(dockerfile), disk=disk
    )
    if not disk.holds(located.context):
        raise ContextUnreadable(f"the build context `{located.context}` lies outside of `{disk.limit}`", located)
    try:
        reader = BuildContext(located.context, path, disk=disk)
    except (ContextError, IgnoreFileError) as error:
        raise ContextUnreadable(f"the build context cannot be read: {error}", located) from error
    pasts = pasts or Pasts()
    build = Build(
        dockerfile,
        FrozenContext(reader),
        _targets(dockerfile, located),
        located.named_contexts,
        tuple(
            _elsewhere(other, located.context, path, disk, pasts.of(str(other.context), configuration))
            for other in located.elsewhere
        ),
        located.builds,
        configuration=configuration,
        memo=Memo(pasts.of(str(located.context), configuration)),
        proceed=proceed,
    )
    notes = (*located.notes, *_replaced(dockerfile, located))
    proceed()
    return Opened(build, located, cross_check(dockerfile), notes)


def _check_name(path: Path) -> None:
    """Raise InputError for a name that no file can have: to look for its context in thousands of directories takes minutes."""
    try:
        path.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError("no file can have a name that long") from error


def _said(configuration: Configuration) -> dict[str, object]:
    """Return what the configuration says of the context and of targets."""
    found: dict[str, object] = {"targets": configuration.targets}
    said = configuration.value("context")
    if said is not None:
        found |= {"root": said.document.path.parent, "context": said.value, "place": said.shown_place}
    return found


def _targets(dockerfile: Dockerfile, located: Located) -> tuple[str, ...]:
    """Return the stages that are named from outside, in lower case as BuildKit compares them; all where one is not known."""
    if located.any_target:
        return tuple(str(stage.index) for stage in dockerfile.stages)
    return tuple(target.lower() for target in located.targets)


def _replaced(dockerfile: Dockerfile, located: Located) -> list[str]:
    """Name the images that the Dockerfile uses and that some build replaces: why nothing is known of them."""
    if not located.named_contexts:
        return []
    used = [stage.base for stage in dockerfile.stages]
    for instruction in dockerfile.instructions:
        used += [instruction.flag("from") or "", *(mount.from_ or "" for mount in instruction.mounts)]
    places = {familiar(name): place for name, place in located.named_contexts.items()}
    names = [name for name in dict.fromkeys(used) if familiar(name) in places]
    return [f"{places[familiar(name)]} puts a context in the place of `{name}`" for name in names]


def _elsewhere(other: NamedElsewhere, context: Path, path: Path, disk: Disk, past: Past) -> Elsewhere:
    """Open another context; one that cannot be read is a context of which nothing is known."""
    try:
        reader = BuildContext(other.context, path, disk=disk) if disk.holds(other.context) else None
    except (ContextError, IgnoreFileError):
        reader = None
    shown, file = (Path(os.path.relpath(place, context)).as_posix() for place in (other.context, other.file))
    return Elsewhere(FrozenContext(reader), shown, file, other.line, other.reason, Memo(past))


def _context_sources(dockerfile: Dockerfile) -> list[str]:
    """Return what COPY, ADD and bind mounts take from the context, as written."""
    sources: list[str] = []
    for instruction in dockerfile.instructions:
        if instruction.keyword in ("COPY", "ADD") and not instruction.has_flag("from"):
            sources += instruction.words[:-1]
        sources += [
            mount.source for mount in instruction.mounts if mount.type == "bind" and not mount.from_ and mount.source
        ]
    return sources
