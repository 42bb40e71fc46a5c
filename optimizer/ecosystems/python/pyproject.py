"""`pyproject.toml`: read with tomllib, checked for the shapes that the package managers rely on."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.python.requirements import decoded, read
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle

_DEPTH = 20


class Toml:
    """A TOML file of the project, with questions that answer a wrong shape by an Obstacle."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            found = re.search(r"line (\d+)", str(error))
            raise Obstacle(f"it is no TOML: {str(error).lower()}", path, int(found.group(1)) if found else 0) from None

    def table(self, *names: str) -> dict[str, Any]:
        """Return a table, {} where there is none."""
        value: Any = self.data
        for i, name in enumerate(names):
            value = value.get(name, {})
            if not isinstance(value, dict):
                raise Obstacle(f"`{'.'.join(names[: i + 1])}` is no table", self.path, self.line(name))
        assert isinstance(value, dict)
        return value

    def has(self, *names: str) -> bool:
        """Tell whether there is an entry."""
        return names[-1] in self.table(*names[:-1])

    def strings(self, *names: str) -> list[str]:
        """Return an array of strings, [] where there is none."""
        value = self.table(*names[:-1]).get(names[-1], [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise Obstacle(f"`{'.'.join(names)}` is no list of texts", self.path, self.line(names[-1]))
        return value

    def line(self, *words: str) -> int:
        """Return the first line that has all the words, 0 if there is none."""
        for number, line in enumerate(self.text.splitlines(), start=1):
            if all(word in line for word in words):
                return number
        return 0


def pyproject_at(around: Surroundings, path: str) -> Toml:
    """Return a TOML file of the context that surely lies at an image path. Raises Obstacle."""
    return Toml(path, decoded(read(around, path), path))


def dependency_group(project: Toml, name: str, above: tuple[str, ...] = ()) -> list[str]:
    """Return the requirements of a dependency group, those of included groups too (PEP 735)."""
    groups = {_normal(key): value for key, value in project.table("dependency-groups").items()}
    line = project.line(name)
    if _normal(name) not in groups:
        raise Obstacle(f"there is no dependency group `{name}`", project.path)
    if name in above or len(above) > _DEPTH:
        raise Obstacle(f"the dependency group `{name}` includes itself", project.path, line)
    found: list[str] = []
    entries = groups[_normal(name)]
    for entry in entries if isinstance(entries, list) else [None]:
        if isinstance(entry, str):
            found.append(entry)
        elif isinstance(entry, dict) and isinstance(entry.get("include-group"), str) and len(entry) == 1:
            found += dependency_group(project, entry["include-group"], (*above, name))
        else:
            raise Obstacle(f"the dependency group `{name}` is not understood", project.path, line)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
