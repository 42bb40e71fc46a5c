"""`go mod download`: which commands are it or need it, and what it reads of a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.go.commands import Places
from dockopt.optimizer.ecosystems.go.project import Manifests, Obstacle, download_manifests
from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.regions import join
from dockopt.optimizer.symbolic.run import surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.filesystem import FileSystem
    from dockopt.optimizer.symbolic.run import Executed

#: subcommands that load packages, and so need the modules that these come from
_LOADING = frozenset({"build", "install", "test", "vet", "generate", "run", "list"})
_SCRIPT_SHELLS = frozenset({"sh", "bash", "ash", "dash"})
#: a recipe that starts the go tool
_STARTS_GO = re.compile(rb"(?:\bgo|\$[({]GO[)}])\s+(?:build|install|test|vet|generate|run)\b")
#: words by which a build script may keep its modules elsewhere than `go mod download` puts them, or not need them
_OWN_MODULES = re.compile(
    rb"-mod[= ]vendor|GOFLAGS|GOPROXY|GOPRIVATE|GONOSUMDB|GOMODCACHE|GOPATH|GOWORK|-modfile|GO111MODULE"
)
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")


def caches(around: Surroundings) -> tuple[str, ...]:
    """Return the directories in which the go tool keeps modules, () where that is not certain.

    The build cache is no part of it: with cgo its entries depend on C libraries that it does not look at.
    """
    places = Places.of(around)
    return () if isinstance(places, str) else places.owned(build=False)


def is_install(command: Executed) -> bool:
    """Tell whether a command is `go mod download`."""
    return command.argv[:3] == ("go", "mod", "download")


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return the `go mod download` that a command is or needs."""
    argv = command.argv
    itself = is_install(command)
    if itself:
        if len(argv) > 3 and any(word is None or not word.startswith("-") for word in argv[3:]):
            return Cause("`go mod download` names modules on its own", "", command.line)
    elif argv[:1] == ("go",) and len(argv) > 1 and argv[1] in _LOADING:
        if any(word is not None and "@" in word and not word.startswith("-") for word in argv[2:]):
            return None  # `go install pkg@version` does not look at the module of the working directory
    elif argv[:1] == ("go",) and argv[1:3] in (("mod", "tidy"), ("mod", "vendor")):
        return Cause(
            f"`{' '.join(word or '?' for word in argv[:3])}` reads the imports of every source file", "", command.line
        )
    elif argv[:1] == ("go",) and argv[1:2] == ("get",):
        return Cause("`go get` changes go.mod, so what it leaves depends on the sources", "", command.line)
    elif not argv:
        if not _STARTS_GO.search(command.text.encode("utf-8", "replace")):
            return None
        why = command.effects.unknown or "its commands cannot be told apart"
        return Cause(f"it starts the go tool in a script that is not understood: {why}", "", command.line)
    else:
        started = _starts_go(command, executor)
        if started is None or isinstance(started, Cause):
            return started
    if argv[:1] == ("go",):
        if _flag(argv, "mod") == "vendor":
            return Cause("it builds from the vendor directory, so there is nothing to download", "", command.line)
        for name in ("C", "modfile"):
            if _flag(argv, name) is not None:
                return Cause(f"`-{name}` makes it work with another go.mod", "", command.line)
    if any(mount.type == "bind" for mount in command.instruction.mounts):
        return Cause("it works on files that are mounted for it", "", command.line)
    if command.cwd is None:
        return Cause("its working directory is not known before the build", "", command.line)
    places = Places.of(surroundings_of(command, executor))
    if isinstance(places, str):
        return Cause(places, "", command.line)
    return _found(command, executor, places, itself=itself)


def _flag(argv: tuple[str | None, ...], name: str) -> str | None:
    """Return the value of a flag wherever it stands, "" for one without a value, None if it is not there."""
    for word, value in zip(argv, (*argv[1:], ""), strict=True):
        head, equals, rest = (word or "").partition("=")
        if head in (f"-{name}", f"--{name}"):
            return rest if equals else value or ""
    return None


def _found(command: Executed, executor: Executor, places: Places, *, itself: bool) -> Install | Cause:
    files = command.before.files
    found = download_manifests(_View(files, executor), command.cwd or "/", workspaces=places.workspaces)
    if isinstance(found, Obstacle):
        return _located(found, files, command)
    if found.vendored:
        listed = _context_path(files, join("/", f"{found.directory}/vendor/modules.txt"))
        line = 0 if listed else command.line
        return Cause("the module is vendored, so a build downloads nothing", listed, line)
    if not found.needed:
        return Cause(
            "go.mod requires no module, so there is nothing to download", _context_path(files, "/" + found.files[0])
        )
    if places.mode is not None:
        return Cause(f"GOFLAGS is `{places.goflags}`", "", command.line)
    problem = _incomplete(found)
    if problem is not None:
        return Cause(problem, _context_path(files, "/" + found.files[0]))
    return Install(
        "go",
        "Go modules",
        "go mod download",
        "/" + found.directory,
        tuple("/" + path for path in found.files),
        places.owned(build=False),
        itself,
    )


def _incomplete(found: Manifests) -> str | None:
    """Return what is missing for a download that needs nothing but these files, None if that is well."""
    names = {path.rpartition("/") for path in found.files}
    for directory, module in found.modules:
        sums = any(head == directory and name in ("go.sum", "go.work.sum") for head, _, name in names)
        if module.require and not sums and not found.workspace:
            return "there is no go.sum, so the build has nothing to check downloads against"
    return None


def _located(obstacle: Obstacle, files: FileSystem, command: Executed) -> Cause:
    if obstacle.path and files.kind("/" + obstacle.path) == "unknown":
        writer = files.last_writer("/" + obstacle.path)
        if writer is not None:
            return Cause(f"{writer.label} may have made `/{obstacle.path}`", "", writer.line)
    path = _context_path(files, "/" + obstacle.path) if obstacle.path else ""
    return Cause(obstacle.reason, path, obstacle.line if path else command.line)


def _context_path(files: FileSystem, path: str) -> str:
    found = files.context_file(path)
    return "" if found is None else found[0]


class _View:
    """The image at one point as `project.ContextView`."""

    def __init__(self, files: FileSystem, executor: Executor) -> None:
        self._files, self._executor = files, executor

    def kind(self, rel: str) -> _Named:
        return _Named(
            {"file": "FILE", "directory": "DIR", "absent": "ABSENT"}.get(self._files.kind("/" + rel), "OTHER")
        )

    def read(self, rel: str) -> bytes:
        found = self._files.context_file("/" + rel)
        data = None if found is None else self._executor.files.read(found[0])
        if data is None:
            raise OSError(f"`/{rel}` does not surely come from the build context")
        return data


class _Named:
    def __init__(self, name: str) -> None:
        self.name = name


def _starts_go(command: Executed, executor: Executor) -> str | Cause | None:
    """Return the file of the project that lets a command start the go tool, a Cause where it sets options for modules."""
    if command.cwd is None:
        return None
    name, *rest = command.argv
    if name is None:
        return None
    if name == "make":
        if any(word is None or word.startswith(("-C", "-f", "--directory", "--file")) for word in rest):
            return None
        paths = [join(command.cwd, makefile) for makefile in _MAKEFILES]
    elif name in _SCRIPT_SHELLS and rest and rest[0] is not None and not rest[0].startswith("-"):
        paths = [join(command.cwd, rest[0])]
    elif "/" in name:
        paths = [join(command.cwd, name)]
    else:
        return None
    for path in paths:
        found = command.before.files.context_file(path)
        data = None if found is None else executor.files.read(found[0])
        if found is not None and data is not None:
            if _STARTS_GO.search(data) is None:
                return None
            own = _OWN_MODULES.search(data)
            if own is None:
                return path
            line = data.count(b"\n", 0, own.start()) + 1
            return Cause(f"`{name}` has settings for modules of its own (`{own.group().decode()}`)", found[0], line)
    return None
