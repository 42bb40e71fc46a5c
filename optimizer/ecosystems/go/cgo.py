"""Does a Go program use C? Follows the imports of its main package through the sources that the Dockerfile copies.

Only imports count that a build takes (build constraints, names of files, no tests). What comes from other modules is known by the table
of `module_facts`, or by its sources where the project has a `vendor` directory; of the rest nothing is claimed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from dockopt.optimizer.ecosystems.go import module_facts
from dockopt.optimizer.ecosystems.go.c_packages import CPackage, Library, Without
from dockopt.optimizer.ecosystems.go.modfile import GoMod
from dockopt.optimizer.ecosystems.go.modules_without_c import MODULES_WITHOUT_C
from dockopt.optimizer.ecosystems.go.sources import SourceTree, Taken, Target, Unclear
from dockopt.optimizer.ecosystems.go.versions import go_version_key
from dockopt.optimizer.regions import below, join, relative

#: a program that reaches more packages of its own is not followed to the end
_MOST_PACKAGES = 3000
#: what starts another program without `os/exec`
_STARTS = re.compile(rb"\b(?:os\.StartProcess|(?:syscall|unix)\.(?:Exec|ForkExec|StartProcess))\(")


class CUse(NamedTuple):
    """One place that brings C into a program."""

    package: str  #: import path
    what: str  #: what it needs, for messages
    path: str  #: the file of the context that says so
    line: int
    bundled: bool = False  #: only a compiler is needed, and the C library at run time
    own: bool = False  #: a file of the project imports "C"
    loaded: bool = False  #: a library is looked for when it is used, and not when the program starts
    without: Without | None = None  #: what becomes of the program without cgo, None where that is not known


class Open(NamedTuple):
    """A package of which it is not known whether it uses C."""

    package: str
    reason: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class CgoFacts:
    """What a program uses of C when cgo is on."""

    #: C that is surely compiled in
    uses: tuple[CUse, ...] = ()
    #: packages of the standard library that then call the C library
    standard: tuple[CUse, ...] = ()
    #: a package by which the program is linked against the C library with cgo and without
    dynamic: CUse | None = None
    #: a required module that has such a package, if it is not known whether that is used
    perhaps_dynamic: Open | None = None
    #: what is not known
    open: tuple[Open, ...] = ()
    #: import paths that the program surely reaches in its own sources
    imports: frozenset[str] = frozenset()
    #: source files that are, or may be, built in, by their paths in the image
    files: tuple[str, ...] = ()
    #: file of the context and line that import `os/exec`, or start a program by a system call
    starts_programs: tuple[str, int] | None = None
    #: it imports packages of other modules, whose imports are not followed
    foreign: bool = False

    @property
    def surely_none(self) -> bool:
        """Tell whether surely no C is needed: without cgo the program does all that it does with it."""
        return not self.uses and not self.open


@dataclass(frozen=True, slots=True)
class Modules:
    """The modules whose sources lie in the image, and those that others provide."""

    #: module path → directory, of the main modules and of replacements by a directory
    local: tuple[tuple[str, str], ...]
    #: every module that go.mod requires: path → (go.mod of the context, line); replaced ones by what replaces them
    required: tuple[tuple[str, str, int], ...] = ()
    #: the `vendor` directory if builds take packages from there
    vendor: str | None = None
    #: the `go` line
    go: str = "1.1"
    main: GoMod | None = None

    def home_of(self, package: str) -> tuple[str, str] | None:
        """Return the local module that has a package, and the directory in which the package lies."""
        found = [(m, d) for m, d in self.local if package == m or package.startswith(m + "/")]
        if not found:
            return None
        module, directory = max(found, key=lambda entry: len(entry[0]))
        return module, join(directory, package[len(module) + 1 :])

    def path_of(self, directory: str) -> str | None:
        """Return the import path of a directory of a local module."""
        found = [(m, d) for m, d in self.local if below(directory, d)]
        if not found:
            return None
        module, root = max(found, key=lambda entry: len(entry[1]))
        rest = relative(directory, root)
        return f"{module}/{rest}" if rest else module

    def provider(self, package: str) -> tuple[str, str, int] | None:
        """Return the required module that provides a package (the longest path that fits)."""
        found = [entry for entry in self.required if package == entry[0] or package.startswith(entry[0] + "/")]
        return max(found, key=lambda entry: len(entry[0]), default=None)


@dataclass
class _Walk:
    tree: SourceTree
    modules: Modules
    target: Target
    uses: dict[str, CUse] = field(default_factory=dict)
    standard: dict[str, CUse] = field(default_factory=dict)
    open: dict[str, Open] = field(default_factory=dict)
    dynamic: CUse | None = None
    imports: set[str] = field(default_factory=set)
    foreign: bool = False
    files: dict[str, None] = field(default_factory=dict)
    starts_programs: tuple[str, int] | None = None

    def run(self, starts: tuple[tuple[str, tuple[Taken, ...]], ...]) -> None:
        seen: dict[str, bool] = {}
        todo: list[tuple[str, tuple[Taken, ...] | None, bool]] = [(path, files, True) for path, files in starts]
        for _ in range(_MOST_PACKAGES):
            if not todo:
                break
            package, files, certain = todo.pop(0)
            if seen.get(package) in (True, certain):
                continue  # a package that is surely reached is looked at again where it was only perhaps reached before
            seen[package] = certain
            for path, line, sure, directory in self._imports(package, files):
                below_certain = certain and sure
                if path == "C":
                    self._own(package, directory, line, certain=below_certain)
                elif (found := self._import(path, directory, line, certain=below_certain)) is not None:
                    todo.append((found, None, below_certain))
        else:
            self.open.setdefault("", Open("", "it reaches more packages than are followed", "", 0))

    def _imports(self, package: str, files: tuple[Taken, ...] | None) -> Iterator[tuple[str, int, bool, str]]:
        if files is None:
            directory = self._directory(package)
            if directory is None:
                return
            try:
                files = self.tree.package(directory, self.target)
            except Unclear as problem:
                self.open.setdefault(package, Open(package, problem.reason, self.tree.context_path(problem.path), 0))
                return
            if not files:
                reason = f"`{package}` has no Go file in the image"
                self.open.setdefault(package, Open(package, reason, "", 0))
        if files:
            self._asks_for_cgo(package, posixpath.dirname(files[0].path))
        for file in files:
            self.files.setdefault(file.path)
            if self.starts_programs is None and self.modules.home_of(package) is not None:
                data = self.tree.read(file.path) or b""
                starts = _STARTS.search(data)
                if starts is not None:
                    place = self.tree.context_path(file.path)
                    self.starts_programs = place, data.count(b"\n", 0, starts.start()) + 1
            for path, line in file.source.imports:
                yield path, line, file.taken is True, file.path

    def _asks_for_cgo(self, package: str, directory: str) -> None:
        """Note a package that is built from other files where cgo is off: it may do something else then, or nothing."""
        on, off = (
            {taken.path for taken in self.tree.package(directory, replace(self.target, cgo=cgo))}
            for cgo in (True, False)
        )
        for path in sorted(on ^ off):
            place = self.tree.context_path(path)
            reason = f"`{place}` is built only where cgo is {'on' if path in on else 'off'}"
            self.open.setdefault(f"{package} {path}", Open(package, reason, place, 1))

    def _directory(self, package: str) -> str | None:
        home = self.modules.home_of(package)
        if home is not None:
            return home[1]
        return None if self.modules.vendor is None else join(self.modules.vendor, package)

    def _own(self, package: str, file: str, line: int, *, certain: bool) -> None:
        place = self.tree.context_path(file)
        if certain:
            home = self.modules.home_of(package)
            self.uses.setdefault(
                package, CUse(package, 'C of its own (`import "C"`)', place, line, own=home is not None)
            )
        else:
            reason = f'whether a file with `import "C"` is built depends on the build ({place}:{line})'
            self.open.setdefault(package, Open(package, reason, place, line))

    def _import(self, path: str, file: str, line: int, *, certain: bool) -> str | None:
        """Take note of an import; return the package if its sources can be looked at."""
        place = self.tree.context_path(file)
        if certain:
            self.imports.add(path)
        home = self.modules.home_of(path)
        if path == "os/exec" and self.starts_programs is None:
            self.starts_programs = place, line
        if home is None and _is_standard(path):
            for name in module_facts.standard_use(path):
                if certain:
                    what = f"`{name}`" if path == name else f"`{name}`, which `{path}` imports,"
                    self.standard.setdefault(name, CUse(name, what, place, line))
            return None
        if self.dynamic is None and certain and module_facts.dynamic_without_cgo(path):
            what = "the C library, which it finds without cgo too"
            self.dynamic = CUse(path, what, place, line)
        known = module_facts.c_package(path)
        if known is not None:
            if certain:
                self.uses.setdefault(known.path, _use(known, place, line))
            else:
                self.open.setdefault(path, Open(path, f"`{path}` needs {known.what}", place, line))
            return None
        if home is not None or self.modules.vendor is not None:
            return path
        self.foreign = True
        return None


def _use(known: CPackage, place: str, line: int) -> CUse:
    loaded = known.library is Library.LOADED
    return CUse(known.path, known.what, place, line, known.bundled, loaded=loaded, without=known.without)


def _is_standard(path: str) -> bool:
    """Tell whether a path is one of the standard library: its first element has no dot (`go help importpath`)."""
    return "." not in path.split("/", maxsplit=1)[0]


def cgo_facts(
    tree: SourceTree, modules: Modules, target: Target, starts: tuple[tuple[str, tuple[Taken, ...]], ...]
) -> CgoFacts:
    """Return what the programs with these main packages (import path, files) use of C when cgo is on."""
    walk = _Walk(tree, modules, target)
    walk.run(starts)
    perhaps: Open | None = None
    if walk.foreign:
        # go.mod names every module that packages of other modules come from, since Go 1.17 (Reference, "Module graph pruning")
        if go_version_key(modules.go) < go_version_key("1.17"):
            reason = "before Go 1.17 go.mod does not name what other modules require"
            walk.open.setdefault(
                "go.mod", Open("go.mod", reason, modules.required[0][1] if modules.required else "", 0)
            )
        perhaps = _required(walk, modules)
    return CgoFacts(
        tuple(walk.uses.values()),
        tuple(walk.standard.values()),
        walk.dynamic,
        perhaps,
        tuple(walk.open.values()),
        frozenset(walk.imports),
        tuple(walk.files),
        walk.starts_programs,
        walk.foreign,
    )


def _required(walk: _Walk, modules: Modules) -> Open | None:
    """Note what is not known of the modules that go.mod requires, and return one by which the program may be linked dynamically."""
    named = [module for module, _, _ in modules.required]
    dynamic = module_facts.may_be_dynamic_without_cgo(named, MODULES_WITHOUT_C)
    perhaps: Open | None = None
    for module, place, line in modules.required:
        if module == dynamic:
            reason = f"`{module}` needs the C library where it is used, with cgo and without"
            perhaps = Open(module, reason, place, line)
            walk.open.setdefault(module, perhaps)
        elif module in MODULES_WITHOUT_C or module_facts.dynamic_without_cgo(module):
            continue
        elif (known := module_facts.c_in_module(module)) is None:
            walk.open.setdefault(module, Open(module, f"nothing is known of `{module}`", place, line))
        elif known.path not in walk.uses and not any(use.startswith(module + "/") for use in walk.uses):
            reason = f"`{known.path}` needs {known.what} where it is used"
            walk.open.setdefault(module, Open(module, reason, place, line))
    return perhaps
