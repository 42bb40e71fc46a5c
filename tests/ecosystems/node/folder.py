"""What the models of Node's package managers say of a folder."""

from __future__ import annotations

from pathlib import Path

from dockopt.optimizer.ecosystems.node.calls import Call, call_of
from dockopt.optimizer.ecosystems.node.project import Project, project_of
from dockopt.optimizer.ecosystems.view import Obstacle

from tests.ecosystems.folder import Folder, write

__all__ = ["Folder", "obstacle", "project", "write"]


def project(folder: Path, line: str, **known: object) -> Project:
    """Return what a command line does in a folder. Raises `Obstacle`."""
    call = call_of(tuple(line.split()))
    assert isinstance(call, Call), call
    return project_of(call, Folder(folder, **known))  # type: ignore[arg-type]  # names are those of the fields


def obstacle(folder: Path, line: str, **known: object) -> Obstacle | None:
    """Return why it cannot be told what a command line does in a folder, None if it can."""
    try:
        project(folder, line, **known)
    except Obstacle as found:
        return found
    return None
