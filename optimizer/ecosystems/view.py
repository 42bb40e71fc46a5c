"""The image as a package manager finds it: files of the project by their image paths, or the obstacle that hides them."""

from __future__ import annotations

import json
from typing import Any

from dockopt.optimizer.commands.packages import TREES
from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.regions import below, join

FRESH_PROJECT = (
    "fresh-project: before the Dockerfile copies files of the context there, the project's directory holds no settings and manifests "
    "of a package manager, and neither base image nor other commands set options that make it read other files"
)
#: larger manifests are not read (package.json and settings; lock files may be larger)
_LARGEST = 4 << 20
_LARGEST_LOCK = 64 << 20


class Obstacle(Exception):  # it is an answer, not an error
    """Why it cannot be told what an installation reads; `path` is the file of the image that is the cause, "" for none.

    `missing` is a path that is not there, and without which the installation surely fails.
    """

    def __init__(self, reason: str, path: str = "", line: int = 0, missing: str = "") -> None:
        super().__init__(reason)
        self.missing = missing
        self.reason = reason
        self.path = path
        self.line = line


class View:
    """Answers about paths of the image; remembers which files of the context were read and which paths were looked for."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        #: files that exist, in the order in which they were asked for
        self.files: list[str] = []
        #: paths that were looked for and are not there, or not surely
        self.absent: list[str] = []
        #: files whose text decided something
        self.relied_on: list[str] = []
        #: printed assumptions
        self.assumptions: list[str] = []

    def kind(self, path: str) -> str:
        """Return "file", "directory", "absent" or "unknown" (see `Surroundings.placed`)."""
        return self.around.placed(path)

    def has(self, path: str) -> bool:
        """Tell whether the installation finds a file, and note it as one that it reads or looks for."""
        kind = self.kind(path)
        if kind == "absent":
            self._note(self.absent, path)
            return False
        if kind == "file" and self.around.context_path(path) is not None:
            self._note(self.files, path)
            return True
        if kind == "directory":
            raise Obstacle(f"`{path}` is a directory", path)
        raise Obstacle(f"it is not certain what lies at `{path}`", path)

    def need(self, path: str) -> None:
        """Note a file that the installation cannot do without."""
        if not self.has(path):
            raise Obstacle(f"`{path}` is not there", path)

    def look(self, path: str) -> None:
        """Note a path whose content or absence matters, although this cannot tell what is there."""
        self._note(self.absent, path)

    def require_absent(self, path: str, why: str) -> None:
        """Note that nothing is at a path; raises `Obstacle` with the reason otherwise."""
        if self.kind(path) != "absent":
            raise Obstacle(why, path)
        self._note(self.absent, path)

    def text(self, path: str, largest: int = _LARGEST) -> str:
        """Return the text of a file of the context; its content becomes a frozen input."""
        data = self.around.read_context(path)
        if data is None:
            raise Obstacle(f"`{path}` does not surely come from the build context", path)
        if len(data) > largest:
            raise Obstacle(f"`{path}` is larger than {largest >> 20} MiB", path)
        self._note(self.relied_on, path)
        try:
            # npm, yarn and pnpm drop a byte order mark
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Obstacle(f"`{path}` is not UTF-8", path, data.count(b"\n", 0, error.start) + 1) from error

    def lock_text(self, path: str) -> str:
        """Return the text of a lock file."""
        return self.text(path, _LARGEST_LOCK)

    def json(self, path: str) -> dict[str, Any]:
        """Return the object that a JSON file holds."""
        return parse_object(self.text(path), path)

    @staticmethod
    def json_of(text: str, path: str) -> dict[str, Any]:
        """Return the object in the text of a JSON file."""
        return parse_object(text, path)

    def lacks(self, obstacle: Obstacle) -> tuple[str, ...]:
        """Return what an installation surely fails without, () where that is not certain."""
        return (obstacle.missing,) if obstacle.missing and self.around.kind(obstacle.missing) == "absent" else ()

    def assume(self, text: str) -> None:
        """Add a printed assumption."""
        self._note(self.assumptions, text)

    def listing(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory."""
        found = self.around.listing(path)
        if found is None:
            raise Obstacle(f"it is not certain what lies in `{path}`", path)
        return found

    def inside(self, directory: str, path: str) -> str:
        """Resolve a relative path of a manifest."""
        return join(directory, path)

    @staticmethod
    def _note(notes: list[str], item: str) -> None:
        if item not in notes:
            notes.append(item)


def sources_of(around: Surroundings, directory: str, homes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the directories that the Dockerfile fills from the context, for the project in `directory`.

    Those in a home directory count only if they have to do with the project: settings of tools lie there too.
    """
    return tuple(
        root
        for root in around.project_roots
        if below(directory, root) or below(root, directory) or not any(below(root, home) for home in homes)
    )


def parse_object(text: str, path: str) -> dict[str, Any]:
    """Return the JSON object in a text; raises `Obstacle` for anything else."""
    try:
        found: Any = json.loads(text)
    except RecursionError as error:
        raise Obstacle(f"`{path}` is nested too deeply", path) from error
    except json.JSONDecodeError as error:
        raise Obstacle(f"`{path}` is no JSON: {error.msg}", path, error.lineno) from error
    except ValueError as error:
        raise Obstacle(f"`{path}` is no JSON: {error}", path) from error
    if not isinstance(found, dict):
        raise Obstacle(f"`{path}` holds no object", path, 1)
    return found


def parse_yaml(text: str, path: str) -> dict[str, Any]:
    """Return the mapping in a YAML text (an empty one is an empty mapping); raises `Obstacle` for anything else."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # pnpm-lock.yaml may hold several documents since pnpm 11; the last one is that of the project
        documents = [document for document in yaml.load_all(text, Loader=loader) if document is not None]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = 0 if mark is None else mark.line + 1
        raise Obstacle(f"`{path}` is no YAML: {getattr(error, 'problem', None) or error}", path, line) from error
    found = documents[-1] if documents else {}
    if not isinstance(found, dict):
        raise Obstacle(f"`{path}` holds no mapping", path, 1)
    return found


def trees_of(around: Surroundings, directory: str, homes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the directories that hold nothing but what the Dockerfile fills from the context, for the project in `directory`.

    A directory of `/` that the FHS does not name counts as a whole: `/build` where something is copied to `/build/pb`.
    """
    roots = sources_of(around, directory, homes)
    tops = (f"/{root.split('/')[1]}" for root in roots)
    return tuple(top if top not in TREES else root for top, root in zip(tops, roots, strict=True))
