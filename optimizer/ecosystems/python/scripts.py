"""What a Python script reads, lists, imports and writes, found by reading it with libcst. It is never imported or run.

A script is understood only if every call in it is one whose effects are known here: functions of a few modules of Python's library,
methods of texts and collections, and functions of the script itself, which are followed with the arguments that they get. A path has
to be a constant, or put together from constants, `__file__` and the working directory. Anything else is a problem, with its line.
"""

from __future__ import annotations

import functools
import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.python.requirements import decoded
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle
from dockopt.optimizer.regions import join

if TYPE_CHECKING:
    from dockopt.optimizer.ecosystems.python.scopes import Source

#: how many problems are kept: the first one is shown, a few more help to see whether it is the only one
_PROBLEMS = 20
#: how deep imports of the project's own modules are followed
_DEPTH = 25


class Problem(NamedTuple):
    """Why a script is not understood; the reason completes "`x.py` …". The path is that of the image."""

    reason: str
    path: str
    line: int


@dataclass
class Found:
    """What a script does, as far as that is known. Paths are those of the image."""

    reads: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    caches: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    main_line: int = 0

    @property
    def files(self) -> tuple[str, ...]:
        """Files that it reads, the script itself and modules of the project among them."""
        return tuple(dict.fromkeys(self.reads))

    @property
    def absent(self) -> tuple[str, ...]:
        """Files that it looks for and does not find."""
        return tuple(dict.fromkeys(self.missing))

    @property
    def trees(self) -> tuple[str, ...]:
        """Directories of which it may read every entry."""
        return tuple(dict.fromkeys(self.listed))

    @property
    def written(self) -> tuple[str, ...]:
        """Files and directories that it may write."""
        return tuple(dict.fromkeys(self.writes))

    @property
    def compiled(self) -> tuple[str, ...]:
        """Directories in which Python keeps compiled modules of the project."""
        return tuple(dict.fromkeys(self.caches))


class ScriptReader:
    """Collects what a script and the modules that it imports do."""

    def __init__(self, around: Surroundings, main: str, *, setup: bool) -> None:
        self.around, self.setup = around, setup
        self.directory = posixpath.dirname(main)
        self.found = Found()
        self._seen: set[str] = set()

    # -- what the walk reports -------------------------------------------------------------------------------------

    def problem(self, reason: str, path: str, line: int) -> None:
        """Note something that is not understood."""
        if len(self.found.problems) < _PROBLEMS:
            self.found.problems.append(Problem(reason, path, line))

    def resolved(self, name: str) -> str | None:
        """Return an absolute path of the image; a relative one counts from the working directory."""
        if name.startswith("/"):
            return join("/", name)
        return None if self.around.cwd is None else join(self.around.cwd, name)

    def reads(self, names: tuple[str, ...], source: Source, line: int) -> None:
        """Note files that are read, or looked for."""
        for name in names:
            path = self.resolved(name)
            kind = "unknown" if path is None else self.around.kind(path)
            if path is None or kind == "unknown":
                if path is not None and not self._in_project(path):
                    continue  # what lies outside the project is read anyway
                self.problem(f"reads `{name}`, of which it is not certain what it is", source.path, line)
            elif kind == "directory":
                self.found.listed.append(path)
            else:
                (self.found.reads if kind == "file" else self.found.missing).append(path)

    def lists(self, names: tuple[str, ...], source: Source, line: int) -> None:
        """Note directories whose entries are read."""
        for name in names:
            path = self.resolved(name)
            if path is None:
                self.problem("lists a working directory that is not known before the build", source.path, line)
            else:
                self.found.listed.append(path)

    def writes(self, names: tuple[str, ...], source: Source, line: int) -> None:
        """Note files and directories that are written or removed."""
        for name in names:
            path = self.resolved(name)
            if path is None or path == "/" or path in self.around.project_roots:
                self.problem(f"writes `{name}`", source.path, line)
                continue
            if self._in_project(path) and self.around.kind(path) == "unknown" and path not in self.found.writes:
                self.problem(f"writes `{name}`, which may be a link", source.path, line)
            # directories above it may be made too
            while self.around.kind(above := posixpath.dirname(path)) != "directory" and self._in_project(above):
                path = above
            self.found.writes.append(path)

    def _in_project(self, path: str) -> bool:
        return any(path == root or path.startswith(root + "/") for root in self.around.project_roots)

    # -- modules ---------------------------------------------------------------------------------------------------

    def module(self, path: str, depth: int = 0) -> None:
        """Read one file of Python; what is not certain is a problem."""
        if path in self._seen:
            return
        self._seen.add(path)
        data = self.around.read_context(path)
        name = posixpath.basename(path)
        if data is None:
            self.problem(f"does not surely come from the build context as `{path}`", path, 0)
            return
        if depth > _DEPTH:
            self.problem("imports modules too deeply", path, 0)
            return
        self.found.reads.append(path)
        try:
            source = parsed(decoded(data, path), path)
        except Obstacle as obstacle:
            self.problem(f"cannot be read: {obstacle.reason}", path, 0)
            return
        if isinstance(source, str):
            self.problem(f"cannot be read: `{name}` is not understood ({source})", path, 0)
            return
        from dockopt.optimizer.ecosystems.python.walking import Walk

        if depth:
            self.found.caches.append(join(posixpath.dirname(path), "__pycache__"))
        walk = Walk(self, source, depth)
        walk.run()
        if not depth:
            self.found.main_line = walk.setup_line

    def imports(self, name: str, source: Source, line: int, depth: int) -> None:
        """Follow the import of a module: one of the project's own is read, others have to be known."""
        from dockopt.optimizer.ecosystems.python.library import MODULES, SETUP_MODULES

        head = name.split(".", maxsplit=1)[0]
        known = head in MODULES or (self.setup and head in SETUP_MODULES)
        own = self.own_module(name)
        if own is None and not known:
            self.problem(f"imports `{name}`, which is not followed", source.path, line)
        for path in own or ():
            self.module(path, depth + 1)

    def defines(self, name: str) -> bool:
        """Tell whether a dotted name is a function or class that a module of the project itself defines."""
        module, _, function = name.rpartition(".")
        files = self.own_module(module) if module and "." not in module else None
        data = None if not files else self.around.read_context(files[-1])
        if not files or data is None:
            return False
        from dockopt.optimizer.ecosystems.python.scopes import scope_of

        try:
            source = parsed(decoded(data, files[-1]), files[-1])
        except Obstacle:
            return False
        if isinstance(source, str):
            return False
        scope = scope_of(source.module)
        return function in {*scope.functions, *scope.classes} and function not in {*scope.names, *scope.imports}

    def own_module(self, name: str) -> tuple[str, ...] | None:
        """Return the files of a module of the project, None if it has none; Python looks beside the script first."""
        parts = name.split(".")
        found: list[str] = []
        for end in range(1, len(parts) + 1):
            stem = join(self.directory, "/".join(parts[:end]))
            package, module = join(stem, "__init__.py"), f"{stem}.py"
            kinds = self.around.kind(package), self.around.kind(module)
            if kinds[0] == "file":
                found.append(package)
            elif kinds[1] == "file":
                found.append(module)
            elif "unknown" in kinds and self._in_project(stem):
                found.append(module)  # reading it says that it is not certain
            else:
                self.found.missing += [
                    path for path, kind in zip((package, module), kinds, strict=True) if kind == "absent"
                ]
                if not found and self.around.kind(stem) != "directory":
                    return None
        return tuple(found) or None


@functools.lru_cache(maxsize=32)
def parsed(text: str, path: str) -> Source | str:
    """Parse a file once; a str says why it cannot be read."""
    import libcst
    from dockopt.optimizer.ecosystems.python.scopes import Source

    try:
        return Source(path, libcst.MetadataWrapper(libcst.parse_module(text), unsafe_skip_copy=True))
    except (libcst.ParserSyntaxError, RecursionError, ValueError) as error:
        line = getattr(error, "raw_line", 0)
        return f"line {line} is no Python that is known" if line else "it is no Python that is known"


def read_script(around: Surroundings, path: str, *, setup: bool = False) -> Found:
    """Return what a script does when Python runs it; with `setup` it is a `setup.py`, and calls of `setup` are known."""
    reader = ScriptReader(around, path, setup=setup)
    reader.module(path)
    return reader.found
