"""Which program a `cargo build` or `cargo install --path` makes, and where.

Facts: The Cargo Book ("Cargo Targets", "Build Cache": target/release for `--release`, target/debug for none; "cargo install":
`bin` of `--root`, else of CARGO_HOME). Only a project of one package with one program is followed; a build script of its own
may link C libraries or make files, and is not.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.ecosystems.rust.arguments import CargoCommand, read_command
from dockopt.optimizer.ecosystems.rust.manifest import ManifestError, line_of, parse_toml
from dockopt.optimizer.ecosystems.rust.places import Places
from dockopt.optimizer.ecosystems.rust.project import Obstacle, Project, project_at
from dockopt.optimizer.regions import join
from dockopt.optimizer.symbolic.execute import Executor
from dockopt.optimizer.symbolic.run import Executed, surroundings_of

#: options that change nothing of where the program comes and what it links
_PLAIN = frozenset(
    "--release -r --locked --frozen --offline -q --quiet -v -vv --verbose --color -j --jobs --path --root --force -f --bin "
    "--bins --features -F --no-default-features --all-features --package -p --no-track --message-format".split()
)


class CargoBuild(NamedTuple):
    """One program that a command makes."""

    command: Executed
    path: str  #: of the program in the image
    project: Project
    lock: bytes  #: Cargo.lock
    lock_file: str  #: its path in the context


def cargo_build(command: Executed, executor: Executor) -> CargoBuild | Cause | None:
    """Return what a command builds; None if it builds no program of a project, a Cause if it is not understood."""
    read = read_command(command.argv) if command.argv[:1] == ("cargo",) else None
    if (
        read is None
        or read.name not in ("build", "install")
        or (read.name == "install" and "--path" not in read.options)
    ):
        return None
    key = ("cargo build", command.stage, command.instruction.index, command.line, command.start)
    if key not in executor.analyses:
        executor.analyses[key] = _cargo_build(command, read, executor)
    return cast("CargoBuild | Cause", executor.analyses[key])


def _cargo_build(command: Executed, read: CargoCommand, executor: Executor) -> CargoBuild | Cause:
    here = "", command.line
    unknown = next((name for name in read.options if name not in _PLAIN), None)
    if unknown is not None or read.toolchain or (read.name == "build" and read.operands):
        return Cause(
            f"`cargo {read.name}` with `{unknown or read.toolchain or read.operands[0]}` is not followed", *here
        )
    if read.options.get("--path", ".") not in (".", "./") or command.cwd is None:
        return Cause("`cargo install` of a package in another directory is not followed", *here)
    around = surroundings_of(command, executor)
    places = Places.of(around)
    if isinstance(places, str):
        return Cause(places, *here)
    project = project_at(around, command.cwd, places.cargo_home)
    if isinstance(project, Obstacle):
        found = command.before.files.context_file(project.path) if project.path else None
        return Cause(project.reason, found[0] if found else "", project.line if found else command.line)
    if len(project.packages) != 1 or project.root != command.cwd:
        return Cause("a workspace of several packages is not followed", *here)
    manifest = around.read_context(project.manifests[0])
    lock = around.read_context(project.lock_path)
    if lock is None or not project.is_lock_current:
        return Cause("without a current Cargo.lock it is not known which packages come in, and what they link", *here)
    if manifest is None:
        return Cause("its Cargo.toml is not known before the build", *here)
    context_path = _context_path(command, project.manifests[0])
    if project.configs:
        path, _ = project.configs[0]
        return Cause("settings of cargo may have it linked in another way", _context_path(command, path), 0)
    try:
        toml = parse_toml(manifest, "Cargo.toml")
    except ManifestError as error:
        return Cause(error.message, context_path, error.line)
    if "build" in toml.get("package", {}) or around.kind(join(project.root, "build.rs")) != "absent":
        where = line_of(manifest, "build") if "build" in toml.get("package", {}) else 0
        return Cause("its build script may link C libraries, or make files", context_path, where)
    name = _program(toml, around.kind(join(project.root, "src/main.rs")), around.kind(join(project.root, "src/bin")))
    if name is None:
        return Cause("which programs the package has is not certain, or there is more than one", context_path, 0)
    if read.options.get("--bin", name) != name:
        return Cause(f"it builds `{read.options['--bin']}`, which is not the program `{name}`", *here)
    if read.name == "install":
        root = read.options.get("--root", places.cargo_home)
        if not root or not root.startswith("/"):
            return Cause("where `cargo install` puts the program is not certain", *here)
        path = join(root, f"bin/{name}")
    else:
        target = Places.target(around, project.root, project.target_dir)
        if target is None:
            return Cause("the directory `target` may lie elsewhere", *here)
        directory = "release" if "--release" in read.options or "-r" in read.options else "debug"
        path = join(target, f"{directory}/{name}")
    return CargoBuild(command, path, project, lock, _context_path(command, project.lock_path))


def _program(toml: dict[str, Any], main: str, others: str) -> str | None:
    """Return the name of the one program of a package; `main` and `others` are the kinds of src/main.rs and src/bin."""
    package = toml.get("package", {})
    if others != "absent" or "unknown" in (main, others) or package.get("autobins") is False:
        return None
    declared = toml.get("bin", [])
    if not declared:
        return package.get("name") if main == "file" else None
    if len(declared) != 1 or "required-features" in declared[0]:
        return None
    name = declared[0].get("name")
    if main == "file" and declared[0].get("path") != "src/main.rs" and name != package.get("name"):
        return None
    return name if isinstance(name, str) else None


def _context_path(command: Executed, path: str) -> str:
    found = command.before.files.context_file(path)
    return "" if found is None else found[0]
