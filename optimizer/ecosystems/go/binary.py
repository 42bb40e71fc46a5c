"""Which programs a `go build` or `go install` leaves where, by which settings, and whether they are linked statically.

Sources: `go help build`, `go help install`; `cmd/go/internal/load/pkg.go` (DefaultExecName) and `work/build.go` (runBuild, InstallPackages)
of Go 1.26; for linking `cmd/link/internal/ld/config.go` and experiments (`docs/go-facts.md`, `tests/ecosystems/go/test_binary.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, cast

from dockopt.optimizer.ecosystems.go.arguments import Flags, Settings, split_goflags
from dockopt.optimizer.ecosystems.go.cgo import CgoFacts, Modules, cgo_facts
from dockopt.optimizer.ecosystems.go.linking import Cgo, Linking, cgo_setting, linking
from dockopt.optimizer.ecosystems.go.project import Manifests, Obstacle, download_manifests
from dockopt.optimizer.ecosystems.go.sources import SourceTree, Taken, Target, Unclear
from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.regions import join
from dockopt.optimizer.runtime_bases import StageBase, base_of
from dockopt.optimizer.symbolic.mounting import mounts_of, view
from dockopt.optimizer.symbolic.run import surroundings_of
from dockopt.optimizer.symbolic.units import dialect_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed

_VERSION_ELEMENT = re.compile(r"v([2-9]|[1-9]\d+)")


class Program(NamedTuple):
    """One program that a build makes."""

    path: str | None  #: absolute, in the image; None: not known
    package: str  #: import path, "" where it is not known
    directory: str  #: of the package in the image, "" for one of another module
    files: tuple[Taken, ...] = ()  #: sources of the main package


@dataclass(frozen=True, slots=True)
class GoBuild:
    """One executed `go build` or `go install`."""

    command: Executed
    subcommand: str
    settings: Settings
    programs: tuple[Program, ...]
    cgo: Cgo
    target: Target
    base: StageBase  #: what the building stage starts from
    modules: Modules | None
    facts: CgoFacts | None  #: None where the sources cannot be followed, see `problem`
    linking: Linking
    tree: SourceTree  #: the sources that the command sees
    problem: Cause | None = None


def go_build(command: Executed, executor: Executor) -> GoBuild | Cause | None:
    """Return what a command builds; None if it is no `go build` or `go install`, a Cause if it is not understood."""
    if command.argv[:1] != ("go",) or len(command.argv) < 2 or command.argv[1] not in ("build", "install"):
        return None
    key = ("go build", command.stage, command.instruction.index, command.line, command.start)
    if key not in executor.analyses:
        executor.analyses[key] = _go_build(command, executor)
    return cast("GoBuild | Cause", executor.analyses[key])


def _go_build(command: Executed, executor: Executor) -> GoBuild | Cause:
    subcommand = command.argv[1] or ""
    raw = written_words(command)
    flags = Flags(command.argv[2:], None if raw is None else raw[2:])
    if flags.problem is not None:
        return Cause(f"`go {subcommand}` is not understood: {flags.problem}", "", command.line)
    around = surroundings_of(command, executor)
    known, text = around.variable("GOFLAGS")
    if not known:
        return Cause("GOFLAGS is not known before the build", "", command.line)
    goflags = split_goflags(text or "")
    if goflags.problem is not None:
        return Cause(goflags.problem, "", command.line)
    if command.cwd is None:
        return Cause("its working directory is not known before the build", "", command.line)
    base = base_of(executor, command.stage)
    cgo = cgo_setting(command, executor, around, base)
    return _Reader(command, executor, around, Settings(flags, goflags, raw), subcommand, base, cgo).read()


def written_words(command: Executed) -> tuple[str, ...] | None:
    """Return the words of a simple command as they are written, None where that cannot be told."""
    dialect = dialect_of(command.before.shell)
    if command.instruction.json is not None:
        return tuple(word or "" for word in command.argv)
    if dialect is None:
        return None
    from dockopt.optimizer.shell import parse_script

    script = parse_script(command.text, dialect)
    if script.opaque is not None or len(script.steps) != 1 or script.steps[0].command is None:
        return None
    words = tuple(word.raw for word in script.steps[0].command.words)
    return words if len(words) == len(command.argv) else None


def go_builds(executor: Executor, stage: int | None = None) -> Iterator[GoBuild | Cause]:
    """Yield what all commands (of one stage) build."""
    for command in executor.executed:
        if stage in (None, command.stage):
            found = go_build(command, executor)
            if found is not None:
                yield found


def default_name(package: str) -> str:
    """Return the name of the program of a main package: the last element of its path, or the one before a major version."""
    *head, last = package.split("/")
    return head[-1] if head and _VERSION_ELEMENT.fullmatch(last) else last


@dataclass
class _Reader:
    command: Executed
    executor: Executor
    around: Surroundings
    settings: Settings
    subcommand: str
    base: StageBase
    cgo: Cgo

    def read(self) -> GoBuild | Cause:
        cwd = self.command.cwd or "/"
        self.tree = _tree(self.command, self.executor)
        problem: Cause | None = None
        modules: Modules | None = None
        work_off = self.around.variable("GOWORK")[1] == "off"
        found = download_manifests(_Manifests(self.tree), cwd, workspaces=not work_off)
        if isinstance(found, Obstacle):
            path = self.tree.context_path("/" + found.path) if found.path else ""
            problem = Cause(found.reason, path, found.line if path else self.command.line)
        else:
            modules = self._modules(found)
        self.modules = modules
        self.target = self._target(modules)
        programs: tuple[Program, ...] = ()
        facts: CgoFacts | None = None
        try:
            mains = tuple(self._mains(cwd))
            programs = tuple(self._placed(mains))
            unread = next((m for m in mains if m.directory and not m.files), None)
            if unread is not None:
                self.tree.package(unread.directory, self.target)  # says why
                problem = problem or Cause(f"`{unread.directory}` has no Go file", "", self.command.line)
            elif modules is not None:
                starts = tuple((m.package, m.files) for m in mains if m.directory)
                facts = cgo_facts(self.tree, modules, replace(self.target, cgo=True), starts)
                if any(not main.directory for main in mains):
                    facts = None
                    problem = problem or Cause("it builds a package of another module", "", self.command.line)
        except Unclear as unclear:
            path = self.tree.context_path(unclear.path)
            problem = problem or Cause(unclear.reason, path, 0 if path else self.command.line)
        except _UnclearError as unclear_argument:
            problem = problem or Cause(str(unclear_argument), "", self.command.line)
        return GoBuild(
            self.command, self.subcommand, self.settings, programs, self.cgo, self.target, self.base, modules, facts,
            linking(self.cgo, facts, self.settings, self.base), self.tree, problem,
        )  # fmt: skip

    def _target(self, modules: Modules | None) -> Target:
        known, tags = self.settings.value("-tags")
        set_tags = frozenset(re.split(r"[,\s]+", tags)) - {""} if known and tags else frozenset()
        if self.settings.value("-race")[1] == "true":
            set_tags |= {"race"}
        return Target(
            self.cgo.system, self.cgo.architecture, self.cgo.on, set_tags if known else None,
            "1.1" if modules is None else modules.go,
        )  # fmt: skip

    def _modules(self, found: Manifests) -> Modules:
        local: dict[str, str] = {}
        required: list[tuple[str, str, int]] = []
        replacements = []
        for directory, module in found.modules:
            if module.module is not None:
                local[module.module] = "/" + directory
            replacements += [(directory, r) for r in module.replace]
        replacements += [(found.directory, r) for r in found.replacements]
        for directory, replacement in replacements:
            if replacement.is_local:
                local.setdefault(replacement.old_path, join("/" + directory, replacement.new_path))
        others = {r.old_path: r.new_path for _, r in replacements if not r.is_local}
        for directory, module in found.modules:
            place = self.tree.context_path(join("/" + directory, "go.mod"))
            for requirement in module.require:
                if requirement.path not in local:
                    required.append((others.get(requirement.path, requirement.path), place, requirement.line))
        go = found.modules[0][1].go_version if found.modules else "1.1"
        vendor = join("/" + found.directory, "vendor") if found.vendored else None
        if self.settings.value("-mod")[1] == "mod":
            vendor = None
        return Modules(tuple(local.items()), tuple(required), vendor, go)

    # -- packages ------------------------------------------------------------------------------------------------------

    def _mains(self, cwd: str) -> Iterator[Program]:
        operands = self.settings.flags.operands or ["."]
        if any(operand is None for operand in operands):
            raise _UnclearError("which packages it builds is not known before the build")
        words = [operand for operand in operands if operand is not None]
        if all(word.endswith(".go") for word in words):
            yield self._of_files(cwd, words)
            return
        for word in words:
            if "..." in word:
                yield from self._matching(cwd, word)
            elif word in ("all", "std", "cmd", "tool", "work"):
                raise _UnclearError(f"which packages `{word}` stands for is not known")
            elif "@" in word:
                yield Program(None, word.partition("@")[0], "")
            elif word in (".", "..") or word.startswith(("./", "../", "/")):
                yield self._in(join(cwd, word))
            else:
                home = None if self.modules is None else self.modules.home_of(word)
                yield self._in(home[1], word) if home is not None else Program(None, word, "")

    def _in(self, directory: str, package: str | None = None) -> Program:
        if package is None and self.modules is not None:
            package = self.modules.path_of(directory)
        files: tuple[Taken, ...] = ()
        with suppress(Unclear):  # its name is known all the same; the caller asks again for its files
            files = self.tree.package(directory, self.target)
        return Program(None, package or "", directory, files)

    def _of_files(self, cwd: str, words: list[str]) -> Program:
        paths = [join(cwd, word) for word in words]
        directory = join(paths[0], "..")
        package = None if self.modules is None else self.modules.path_of(directory)
        try:
            known = {taken.path: taken for taken in self.tree.package(directory, self.target)}
        except Unclear:
            known = {}
        files = tuple(known[path] for path in paths if path in known)
        # files that are named are built whatever their constraints and names say (load.GoFilesPackage keeps constraints)
        return Program(None, package or "", directory, files if len(files) == len(paths) else ())

    def _matching(self, cwd: str, word: str) -> Iterator[Program]:
        head, dots, rest = word.partition("/...")
        if not dots or rest or not (head in (".", "..") or head.startswith(("./", "../", "/"))):
            home = None if self.modules is None or not dots or rest else self.modules.home_of(head)
            if home is None:
                raise _UnclearError(f"which packages `{word}` matches is not known")
            start = home[1]
        else:
            start = join(cwd, head)
        for directory in self.tree.below(start):
            found = self._in(directory)
            if any(file.source.package == "main" for file in found.files):
                yield found

    # -- where they go -------------------------------------------------------------------------------------------------

    def _placed(self, mains: tuple[Program, ...]) -> Iterator[Program]:
        known, output = self.settings.value("-o")
        for main in mains:
            yield main._replace(path=self._path(main, mains, known, output))

    def _path(self, main: Program, mains: tuple[Program, ...], known: bool, output: str | None) -> str | None:
        cwd, name = self.command.cwd or "/", self._name(main)
        if self.subcommand == "install":
            directory = self._bin()
            return None if directory is None or name is None else join(directory, name)
        if not known:
            return None
        if output is None:
            return join(cwd, name) if len(mains) == 1 and name is not None else None
        path = join(cwd, output)
        if output.endswith("/") or self.tree.files.kind(path) == "directory":
            return None if name is None else join(path, name)
        return path if len(mains) == 1 and path != "/dev/null" else None

    def _name(self, main: Program) -> str | None:
        if self.cgo.system is None:
            return None
        suffix = ".exe" if self.cgo.system == "windows" else ""
        words = [word or "" for word in self.settings.flags.operands]
        if words and all(word.endswith(".go") for word in words):
            return words[0].rpartition("/")[2].removesuffix(".go") + suffix
        return default_name(main.package) + suffix if main.package else None

    def _bin(self) -> str | None:
        """Return the directory of `go install`; what is built for another machine goes to a directory of its own."""
        known, gobin = self.around.variable("GOBIN")
        if not known or self.cgo.native is not True:
            return None
        if gobin:
            return gobin if gobin.startswith("/") else None
        known, gopath = self.around.variable("GOPATH")
        if known and gopath:
            return join(gopath.split(":")[0], "bin")
        known_home, home = self.around.variable("HOME")
        if not (known_home and home):
            home = "/root" if self.around.user == "root" else None
        return None if home is None or not known else join(home, "go/bin")


class _UnclearError(Exception):
    """Which packages are built cannot be told."""


def _tree(command: Executed, executor: Executor) -> SourceTree:
    mounts = mounts_of(executor, command.before, command.instruction)
    files = view(executor, command.before, mounts, (), command.line)
    context = executor.files.aside()
    return SourceTree(replace(files, context=context), context)


class _Manifests:
    """The sources as `project.ContextView`."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree

    def kind(self, rel: str) -> _Named:
        # what the base holds in a directory of the project is left out: none has a go.mod there
        kind = self._tree.kind("/" + rel)
        return _Named({"file": "FILE", "directory": "DIR", "absent": "ABSENT"}.get(kind, "OTHER"))

    def read(self, rel: str) -> bytes:
        data = self._tree.read("/" + rel)
        if data is None:
            raise OSError(f"`/{rel}` does not surely come from the build context")
        return data


class _Named(NamedTuple):
    name: str
