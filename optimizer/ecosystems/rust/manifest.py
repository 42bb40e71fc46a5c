"""Cargo.toml: what cargo looks for on disk because of it.

Read with `tomllib`, and in the terms of cargo's own reader (`src/cargo/util/toml/{mod,targets}.rs`, cargo 1.95). Nothing here
looks at a file; `project.py` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: more than any manifest that people write; a longer one is not read
SIZE_LIMIT = 1 << 20
_DEPENDENCY_TABLES = (
    "dependencies",
    "dev-dependencies",
    "dev_dependencies",
    "build-dependencies",
    "build_dependencies",
)
#: target tables, and the directory in which cargo looks for a target without `path`
_DIRECTORIES = {"bin": "src/bin", "example": "examples", "test": "tests", "bench": "benches"}

Table = Mapping[str, Any]


class ManifestError(Exception):
    """A manifest that is not understood: `message`, and the `line` where that can be told (else 0)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True, slots=True)
class PathDependency:
    """A dependency on a directory: its name in the manifest, the directory as written, and the line of that."""

    name: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Workspace:
    """The table `[workspace]`."""

    members: tuple[str, ...]
    exclude: tuple[str, ...]
    #: `[workspace.dependencies]` with a path, by name
    dependencies: tuple[PathDependency, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one Cargo.toml says."""

    #: None for a virtual workspace
    package: str | None
    version: str | None
    workspace: Workspace | None
    #: `package.workspace`: where the root of the workspace is
    root: str | None
    #: names of all dependencies as the lock file has them, for the check of `lockfile.py`
    requires: frozenset[str]
    paths: tuple[PathDependency, ...]
    #: `[patch]` and `[replace]` with a path
    patches: tuple[PathDependency, ...]
    #: names of dependencies with `workspace = true`
    inherited: frozenset[str]
    #: something else is taken from `[workspace.package]` and the like
    inherits: bool
    #: for each target that is declared without a path: the files of which one has to exist
    wanted: tuple[tuple[str, ...], ...]
    #: a target is declared with its path: no source has to exist for the manifest to be read
    has_target: bool
    #: files one of which makes a target where none is declared
    markers: tuple[str, ...]
    #: `[[bin]]`, `[[test]]` … that are found by the names of files
    discovered: bool = True

    @property
    def is_virtual(self) -> bool:
        """Tell whether it has no package of its own."""
        return self.package is None


def parse_toml(data: bytes, what: str) -> dict[str, Any]:
    """Parse TOML of a project. Raises ManifestError, never anything else."""
    import tomllib

    if len(data) > SIZE_LIMIT:
        raise ManifestError(f"`{what}` is too long to be a manifest")
    try:
        # cargo takes a byte order mark at the start (fs::read_to_string, toml::Spanned), tomllib does not
        return tomllib.loads(data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise ManifestError(f"`{what}` is not UTF-8", data.count(b"\n", 0, error.start) + 1) from None
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"`{what}` is no TOML: {error}", _line_in(str(error))) from None
    except RecursionError:
        raise ManifestError(f"`{what}` is nested too deeply") from None


def _line_in(message: str) -> int:
    """Return the line that a message of tomllib names, 0 for the end of the file."""
    _, found, rest = message.partition("(at line ")
    return int(rest.partition(",")[0]) if found else 0


def line_of(data: bytes, *words: str) -> int:
    """Return the first line that has all the words, 0 if none has: tomllib does not tell where a value stood."""
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        if all(word in line for word in words):
            return number
    return 0


def parse_manifest(data: bytes) -> Manifest:
    """Read one Cargo.toml. Raises ManifestError."""
    return _Reader(data).manifest()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.toml = parse_toml(data, "Cargo.toml")

    def manifest(self) -> Manifest:
        package = self._table(self.toml, "package") or self._table(self.toml, "project")
        name = self._text(package, "name") if package else None
        if package and not name:
            raise ManifestError("the package has no name", line_of(self.data, "[package]"))
        if not package and "workspace" not in self.toml:
            raise ManifestError("it has neither a package nor a workspace", 1)
        version = package.get("version")
        wanted, has_target = self._targets(name or "", package)
        requires, paths, inherited = set[str](), [], set[str]()
        for key, value in self._dependencies():
            if isinstance(value, dict):
                if value.get("workspace") is True:
                    inherited.add(key)
                elif (path := self._text(value, "path")) is not None:
                    paths.append(PathDependency(key, path, self._line(path)))
                requires.add(self._text(value, "package") or key)
            elif isinstance(value, str):
                requires.add(key)
            else:
                raise ManifestError(f"the dependency `{key}` is neither a version nor a table", line_of(self.data, key))
        return Manifest(
            name,
            version if isinstance(version, str) else None,
            self._workspace(),
            self._text(package, "workspace"),
            frozenset(requires),
            tuple(paths),
            tuple(self._patches()),
            frozenset(inherited),
            any(isinstance(value, dict) and value.get("workspace") is True for value in package.values())
            or self._table(self.toml, "lints").get("workspace") is True,
            wanted,
            has_target,
            self._markers(package),
            package.get("autobins") is not False,
        )

    # -- targets -----------------------------------------------------------------------------------------------------

    def _targets(self, name: str, package: Table) -> tuple[tuple[tuple[str, ...], ...], bool]:
        wanted: list[tuple[str, ...]] = []
        has_target = False
        library = self.toml.get("lib")
        if library is not None:
            if self._text(self._table(self.toml, "lib"), "path") is None:
                wanted.append(("src/lib.rs",))
            has_target = True
        binaries = []
        for table, directory in _DIRECTORIES.items():
            for target in self._tables(table):
                target_name = self._text(target, "name")
                if target_name is None:
                    raise ManifestError(f"a `[[{table}]]` has no name", line_of(self.data, f"[[{table}]]"))
                has_target = True
                if table == "bin":
                    binaries.append(target_name)
                if self._text(target, "path") is None:
                    wanted.append(_places(directory, target_name, name))
        default = self._text(package, "default-run")
        if default is not None and default not in binaries:
            wanted.append(_places("src/bin", default, name))
        if "links" in package and "build" not in package:
            wanted.append(("build.rs",))
        return tuple(dict.fromkeys(wanted)), has_target

    @staticmethod
    def _markers(package: Table) -> tuple[str, ...]:
        found = [] if package.get("autolib") is False else ["src/lib.rs"]
        return (*found, *(() if package.get("autobins") is False else ("src/main.rs",)))

    # -- dependencies ------------------------------------------------------------------------------------------------

    def _dependencies(self) -> Iterator[tuple[str, Any]]:
        tables = [self.toml, *(t for t in self._table(self.toml, "target").values() if isinstance(t, dict))]
        for table in tables:
            for kind in _DEPENDENCY_TABLES:
                yield from self._table(table, kind).items()

    def _patches(self) -> Iterator[PathDependency]:
        sources = [source for source in self._table(self.toml, "patch").values() if isinstance(source, dict)]
        for table in (*sources, self._table(self.toml, "replace")):
            for key, value in table.items():
                if isinstance(value, dict) and (path := self._text(value, "path")) is not None:
                    yield PathDependency(key, path, self._line(path))

    def _workspace(self) -> Workspace | None:
        if "workspace" not in self.toml:
            return None
        table = self._table(self.toml, "workspace")
        dependencies = [
            PathDependency(key, path, self._line(path))
            for key, value in self._table(table, "dependencies").items()
            if isinstance(value, dict) and (path := self._text(value, "path")) is not None
        ]
        return Workspace(self._texts(table, "members"), self._texts(table, "exclude"), tuple(dependencies))

    # -- values of the right kind ------------------------------------------------------------------------------------

    def _line(self, path: str) -> int:
        return line_of(self.data, "path", f'"{path}"') or line_of(self.data, path)

    def _table(self, table: Table, key: str) -> Table:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise ManifestError(f"`{key}` is no table", line_of(self.data, key))
        return value

    def _tables(self, key: str) -> list[Table]:
        value = self.toml.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ManifestError(f"`{key}` is no array of tables", line_of(self.data, key))
        return value

    def _text(self, table: Table, key: str) -> str | None:
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            if isinstance(value, dict):
                return None  # inherited: `name.workspace = true`
            raise ManifestError(f"`{key}` is no string", line_of(self.data, key))
        return value

    def _texts(self, table: Table, key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ManifestError(f"`{key}` is no list of strings", line_of(self.data, key))
        return tuple(value)


def _places(directory: str, target: str, package: str) -> tuple[str, ...]:
    """Return where cargo looks for a target that has a name and no path (`targets.rs`, `infer_from_directory`)."""
    places = (f"{directory}/{target}.rs", f"{directory}/{target}/main.rs")
    return (*places, "src/main.rs") if directory == "src/bin" and target == package else places
