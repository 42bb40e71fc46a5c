"""The projects that a solution names: `.sln` (a text format of Visual Studio) and `.slnx` (XML)."""

from __future__ import annotations

import posixpath
import re

from dockopt.optimizer.ecosystems.dotnet.msbuild import is_project
from dockopt.optimizer.ecosystems.dotnet.view import Obstacle, View, resolved

#: learn.microsoft.com, *Project solution (.sln) file*
_PROJECT = re.compile(r'\s*Project\("\{([0-9A-Fa-f-]+)\}"\)\s*=\s*"[^"]*",\s*"([^"]*)",\s*"[^"]*"\s*')
_FOLDER = "2150E333-8FDC-42A3-9474-1A3956D46DE8"
_HEADER = "Microsoft Visual Studio Solution File"


def is_solution(path: str) -> bool:
    """Tell whether a file is a solution."""
    return path.lower().endswith((".sln", ".slnx"))


def projects_of(view: View, path: str) -> list[tuple[str, int]]:
    """Return the projects of a solution and the lines that name them. Raises Obstacle."""
    entries = _of_xml(view, path) if path.lower().endswith(".slnx") else _of_text(view, path)
    found = []
    for text, line in entries:
        project = resolved(posixpath.dirname(path), text)
        if not is_project(project):
            raise Obstacle(
                f"`{text}` is no project in C#, F# or Visual Basic, and what it reads is not known", path, line
            )
        found.append((project, line))
    return found


def _of_text(view: View, path: str) -> list[tuple[str, int]]:
    lines = view.text(path).splitlines()
    if not any(line.startswith(_HEADER) for line in lines[:5]):
        raise Obstacle("it does not start like a solution", path, 1)
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.lstrip().startswith("Project("):
            continue
        entry = _PROJECT.fullmatch(line)
        if entry is None:
            raise Obstacle("this line is not understood", path, number)
        if entry[1].upper() != _FOLDER:
            found.append((entry[2], number))
    return found


def _of_xml(view: View, path: str) -> list[tuple[str, int]]:
    root = view.xml(path)
    if root.name != "Solution":
        raise Obstacle(f"the root element is `{root.name}`, not `Solution`", path, root.line)
    found = []
    for element in root.every("Project"):
        text = element.attributes.get("Path", "")
        if not text:
            raise Obstacle("a project has no `Path`", path, element.line)
        found.append((text, element.line))
    return found
