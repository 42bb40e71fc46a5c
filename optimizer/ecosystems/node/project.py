"""The files of a Node project that an installation reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.regions import join


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why it cannot be told what an installation reads, and which file of the image is the cause."""

    reason: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """What `npm ci` reads; paths are those of the image."""

    directory: str
    files: tuple[str, ...]
    absent: tuple[str, ...]


def project_at(around: Surroundings) -> Project | Obstacle:
    """Return the package in the working directory."""
    if around.cwd is None:
        return Obstacle("its working directory is not known before the build")
    manifest = join(around.cwd, "package.json")
    text = around.read_context(manifest)
    if text is None:
        return Obstacle(f"`{manifest}` does not surely come from the build context", manifest)
    try:
        package: Any = json.loads(text)
    except ValueError as error:
        return Obstacle(f"`package.json` is no JSON: {error}", manifest)
    if package.get("workspaces") or package.get("scripts"):
        return Obstacle("not yet")
    files, absent = [manifest], []
    for name in ("package-lock.json", "npm-shrinkwrap.json", ".npmrc"):
        path = join(around.cwd, name)
        kind = around.kind(path)
        if kind == "file":
            files.append(path)
        elif kind == "absent":
            absent.append(path)
        else:
            return Obstacle(f"it is not certain whether `{path}` exists", path)
    return Project(around.cwd, tuple(files), tuple(absent))
