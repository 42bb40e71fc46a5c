"""Files of the context whose permissions a command has changed: their bytes are still those of the context."""

from __future__ import annotations

from collections.abc import Iterable

from dockopt.optimizer.regions import Region
from dockopt.optimizer.symbolic.filesystem import FileSystem
from dockopt.optimizer.symbolic.run import Executed

_PERMISSIONS = ("chmod", "chown", "chgrp")


def file_beneath_permissions(files: FileSystem, path: str, executed: Iterable[Executed]) -> str | None:
    """Return the file of the context that lies at a path, also where its permissions were changed afterwards."""
    commands = tuple(executed)
    while (found := files.context_file(path)) is None:
        writer = files.last_writer(path)
        earlier = None if writer is None else _before_permissions(commands, writer.line, path)
        if earlier is None:
            return None
        files = earlier
    return found[0]


def _before_permissions(executed: tuple[Executed, ...], line: int, path: str) -> FileSystem | None:
    """Return the files before the commands of a line if those that may write a path change modes and owners only."""
    target = Region((path,))
    writers = [
        command
        for command in executed
        if command.line == line and any(write.region.overlaps(target) for write in command.effects.writes)
    ]
    if writers and all(c.name in _PERMISSIONS and c.effects.unknown is None for c in writers):
        return writers[0].before.files
    return None
