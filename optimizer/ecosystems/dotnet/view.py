"""The image as `dotnet` finds it: files of the project by their image paths, or the obstacle that hides them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.xml import Element, XmlError, parse_xml
from dockopt.optimizer.regions import below, join, normalize

_LARGEST = 4 << 20


class Obstacle(Exception):  # it is an answer, not an error
    """Why it cannot be told what a command reads; `path` is the file of the image that is the cause, "" for none."""

    def __init__(self, reason: str, path: str = "", line: int = 0, missing: str = "") -> None:
        super().__init__(reason)
        self.reason, self.path, self.line = reason, path, line
        #: a file that is surely not there, and without which the command surely fails
        self.missing = missing


class View:
    """Answers about paths of the image; remembers what exists and what was looked for in vain."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        #: files that exist, in the order in which they were asked for
        self.files: list[str] = []
        #: paths that were looked for and are not there
        self.absent: list[str] = []
        #: directories whose entries matter, all of them
        self.trees: list[str] = []

    def has(self, path: str, cause: str = "", line: int = 0) -> bool:
        """Tell whether a file is there, and note it; `cause` and `line` name the text that asks."""
        kind = self.around.placed(path)
        if kind == "absent":
            _note(self.absent, path)
            return False
        if kind == "file" and self.around.context_path(path) is not None:
            _note(self.files, path)
            return True
        if kind == "directory":
            raise Obstacle(f"`{path}` is a directory", cause or path, line)
        raise Obstacle(f"it is not certain what lies at `{path}`", cause or path, line)

    def exists(self, path: str, cause: str = "", line: int = 0) -> None:
        """Note that it matters whether a file or directory is there; all entries of a directory count."""
        if self.around.placed(path) == "directory":
            if not any(below(file, path) for file in self.files):  # else it is surely there
                _note(self.trees, path)
            return
        self.has(path, cause, line)

    def upward(self, directory: str, names: Sequence[str]) -> Iterator[str]:
        """Yield the files of some names in a directory and those above it, the nearest first."""
        while True:
            for name in names:
                path = join(directory, name)
                if self.has(path):
                    yield path
            if directory == "/":
                return
            directory = posixpath.dirname(directory)

    def nearest(self, directory: str, name: str) -> str | None:
        """Return the first file of a name in a directory or above it."""
        return next(self.upward(directory, (name,)), None)

    def bytes(self, path: str) -> bytes:
        """Return the bytes of a file of the context; they become a frozen input."""
        data = self.around.read_context(path)
        if data is None:
            raise Obstacle(f"`{path}` does not surely come from the build context", path)
        if len(data) > _LARGEST:
            raise Obstacle(f"`{path}` is larger than {_LARGEST >> 20} MiB", path)
        return data

    def text(self, path: str) -> str:
        """Return the text of a file of the context."""
        data = self.bytes(path)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Obstacle(f"`{path}` is not UTF-8", path, data.count(b"\n", 0, error.start) + 1) from None

    def xml(self, path: str) -> Element:
        """Return the root element of an XML file of the context."""
        try:
            return parse_xml(self.bytes(path))
        except XmlError as error:
            raise Obstacle(error.message, path, error.line) from None

    def json(self, path: str) -> dict[str, object]:
        """Return the object in a JSON file of the context; comments are not followed."""
        import json

        try:
            found = json.loads(self.text(path))
        except RecursionError:
            raise Obstacle("it is nested too deeply", path) from None
        except json.JSONDecodeError as error:
            raise Obstacle(f"it is no plain JSON: {error.msg}", path, error.lineno) from None
        except ValueError as error:
            raise Obstacle(f"it is no JSON: {error}", path) from None
        if not isinstance(found, dict):
            raise Obstacle("it holds no object", path, 1)
        return found

    def listing(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory."""
        found = self.around.listing(path)
        if found is None:
            raise Obstacle(f"it is not certain what lies in `{path}`; name the project or solution")
        return found


def resolved(directory: str, path: str) -> str:
    """Resolve a path of a manifest, in which a backslash is a slash (MSBuild on Unix, `FileUtilities.FixFilePath`)."""
    path = path.replace("\\", "/")
    return normalize(path) if path.startswith("/") else join(directory, path)


def _note(notes: list[str], item: str) -> None:
    if item not in notes:
        notes.append(item)
