"""uv: `uv sync`, `uv pip`, `uv venv` (uv's manual, "Locking and syncing", "Configuration files", "Using environments").

`uv sync` reads pyproject.toml and uv.lock; it installs the project itself where that has a build system, unless
`--no-install-project`. Settings are looked for in uv.toml and pyproject.toml of the working directory and those above.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockopt.optimizer.commands.arguments import Arguments, NotUnderstood, Operand, parse
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.python.pyproject import Toml, pyproject_at
from dockopt.optimizer.ecosystems.python.requirements import Reader, require_no_file_urls, world_of
from dockopt.optimizer.ecosystems.python.step import LOCK_CURRENT, Step
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle, Place, place_of
from dockopt.optimizer.effects import Kind, World, Write
from dockopt.optimizer.regions import Region, below, join

_SWITCHES = (
    "--frozen --locked --no-dev --only-dev --dev --no-install-project --no-install-workspace --no-install-local --all-extras --all-groups "
    "--no-default-groups --all-packages --no-editable --compile-bytecode --compile --no-cache -n --no-cache-dir --inexact --exact "
    "--no-build --no-binary --no-build-isolation --active --system --break-system-packages -q --quiet -v --verbose --no-progress "
    "--no-python-downloads --no-managed-python --managed-python --offline --no-config -U --upgrade --no-deps --strict --reinstall "
    "--require-hashes --verify-hashes --no-verify-hashes --pre --no-index --seed --relocatable --clear --allow-existing "
    "--system-site-packages --native-tls --no-sources --refresh --version -V --no-hashes --no-header --no-annotate --no-emit-project "
    "--no-color --default --force --dry-run --preview"
)
_VALUES = (
    "--extra --group --only-group --no-group --package --no-install-package --reinstall-package --refresh-package --upgrade-package -P "
    "-i --index-url --default-index --index --extra-index-url --index-strategy --keyring-provider --allow-insecure-host "
    "--link-mode --resolution --prerelease --exclude-newer --python-version --python-platform --color --no-build-package "
    "--no-binary-package --only-binary --config-setting -C --prompt --torch-backend --python-preference --with --fork-strategy "
    "--no-build-isolation-package"
)
_VALUED = (
    "-p --python -r --requirement --requirements -c --constraint --constraints -b -e --editable -f --find-links -t --target --prefix "
    "--cache-dir --project --directory --config-file -o --output-file --format"
)


def uv(invocation: Invocation, around: Surroundings) -> Step:
    """Return what one `uv` command does. Raises NotUnderstood."""
    from dockopt.optimizer.ecosystems.python.pip import quoted_versions

    arguments = parse(quoted_versions(invocation), switches=_SWITCHES, valued=_VALUED, any_value=_VALUES)
    operands = list(arguments.operands)
    place = place_of(around, invocation.argv[0] or "")
    if not operands:
        if arguments.has("--version", "-V"):
            return Step(place, changes=False)
        raise NotUnderstood("it has no subcommand")
    if arguments.has("--project", "--directory", "--config-file"):
        raise NotUnderstood("it works with another directory, or other settings, than its own")
    subcommand = operands.pop(0).text
    if subcommand == "sync" and not operands:
        return _sync(arguments, around, place)
    if subcommand == "pip" and operands and operands[0].text in ("install", "sync", "uninstall"):
        return _pip(operands[0].text, operands[1:], arguments, around, place)
    if subcommand == "venv" and len(operands) <= 1:
        return _venv(operands, around, place)
    if subcommand in ("tool", "python") and operands and operands[0].text == "install":
        if any("/" in operand.text or operand.text.startswith(".") for operand in operands[1:]):
            raise NotUnderstood("it installs files that it is given")
        return Step(place, world=World.REPOSITORY, relied_on=_settings(around, place).relied_on)
    if subcommand == "cache":
        return Step(place)
    if subcommand == "export":
        return _export(arguments, around, place)
    why = {
        "run": "it runs a program of the project",
        "build": "it builds the project itself",
        "lock": "it writes the lock file anew",
        "add": "it changes the manifest",
    }.get(subcommand, f"no model of `uv {subcommand}`")
    raise NotUnderstood(why)


class _Settings:
    """Settings of uv in the directories from the working directory up."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.absent: list[str] = []
        #: pyproject.toml without settings for uv: it is looked at and passed over
        self.relied_on: tuple[str, ...] = ()


def _settings(around: Surroundings, place: Place) -> _Settings:
    """Find them (`FilesystemOptions::find`): uv.toml wins over pyproject.toml, the nearest directory with settings counts."""
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    found = _Settings()
    for directory in _upward(around.cwd, place):
        for name in ("uv.toml", "pyproject.toml"):
            path = join(directory, name)
            kind = around.kind(path)
            if kind == "absent":
                # a pyproject.toml without settings for uv is as good as none, so it is none of the probes
                found.absent += [path] if name == "uv.toml" else []
            elif kind != "file" or around.context_path(path) is None:
                raise Obstacle(f"it is not certain whether `{path}` exists, in which uv looks for settings", path)
            elif name == "uv.toml" or pyproject_at(around, path).has("tool", "uv"):
                found.files.append(path)
                _check_settings(pyproject_at(around, path))
                return found
            else:
                found.relied_on += (path,)
    return found


def _check_settings(settings: Toml) -> None:
    for name in (
        "find-links",
        "constraint-dependencies",
        "override-dependencies",
        "cache-dir",
        "build-constraint-dependencies",
    ):
        for table in ((), ("tool", "uv"), ("pip",), ("tool", "uv", "pip")):
            values = settings.table(*table).get(name) if table or settings.path.endswith("uv.toml") else None
            for value in values if isinstance(values, list) else [values]:
                if isinstance(value, str) and (value.startswith((".", "/")) or "file:" in value):
                    raise Obstacle(
                        f"the setting `{name}` leads to files of the project", settings.path, settings.line(name)
                    )


def _upward(start: str, place: Place) -> Iterator[str]:
    """Yield a directory and those above it as long as they lie in the project; what lies above is read anyway."""
    directory = start
    while place.is_inside(directory):
        yield directory
        directory = posixpath.dirname(directory)


# -- uv sync ---------------------------------------------------------------------------------------------------------


def _sync(arguments: Arguments, around: Surroundings, place: Place) -> Step:
    directory = around.cwd
    if directory is None:
        raise Obstacle("its working directory is not known before the build")
    manifest, lock = join(directory, "pyproject.toml"), join(directory, "uv.lock")
    project = pyproject_at(around, manifest)
    flags = " ".join(f for f in ("--frozen", "--locked", "--no-install-project", "--no-dev") if arguments.has(f))
    frozen = arguments.has("--frozen") or around.variable("UV_FROZEN")[1] not in (None, "", "0", "false")
    _check_project(project, arguments, frozen)
    if around.kind(lock) == "absent":
        if frozen or arguments.has("--locked"):
            raise Obstacle("there is no `uv.lock`", manifest, missing=lock)
        raise Obstacle("there is no `uv.lock`, so uv resolves all versions anew and writes one", manifest)
    require_no_file_urls(project.text, manifest)
    free = _locked(pyproject_at(around, lock), arguments)
    files, absent = [manifest, lock], []
    for at in _upward(directory, place):
        names = ["uv.toml", ".python-version", ".python-versions", *(["pyproject.toml"] if at != directory else [])]
        for path in (join(at, name) for name in names):
            kind = around.kind(path)
            if kind == "absent":
                absent.append(path)
            elif (
                kind == "file"
                and around.context_path(path) is not None
                and posixpath.basename(path) != "pyproject.toml"
            ):
                files.append(path)
            else:
                raise Obstacle(f"`{path}` may make this project part of a workspace", path)
    _check_settings(project)
    known, environment = around.variable("UV_PROJECT_ENVIRONMENT")
    if arguments.has("--active"):
        active, virtual = around.variable("VIRTUAL_ENV")
        environment = virtual if active and virtual else environment
    target = join(directory, environment or ".venv")
    if not known and not place.assumptions:
        raise Obstacle("where the environment lies is not known before the build")
    if below(directory, target):
        raise Obstacle(f"the environment is `{target}`, among the files of the project")
    outside = () if place.is_inside(target) else (Write(Kind.MAY, Region((target,))),)
    return Step(
        place,
        tuple(files),
        tuple(absent),
        outputs=(target,) if place.is_inside(target) else (),
        writes=outside,
        world=World.LOCKED if free is None else World.FREE,
        free=free,
        assumptions=() if frozen else (LOCK_CURRENT,),
        install=f"uv sync {flags}".strip(),
    )


def _check_project(project: Toml, arguments: Arguments, frozen: bool) -> None:
    """Raise Obstacle if uv builds the project, or has to ask its build system."""
    table = project.table("tool", "uv")
    if project.has("tool", "uv", "workspace"):
        raise Obstacle(
            "it is a workspace, whose members uv looks for", project.path, project.line("[tool.uv.workspace]")
        )
    package = table.get("package", project.has("build-system"))
    skipped = arguments.has(
        "--no-install-project", "--no-install-workspace", "--no-install-local", "--only-dev", "--only-group"
    )
    if package and not skipped:
        raise Obstacle(
            "`uv sync` installs the project itself, which reads its sources; with `uv sync --no-install-project` above the "
            "sources, dependencies would be kept",
            project.path,
            project.line("[build-system]") or project.line("package"),
        )
    dynamic = project.strings("project", "dynamic")
    if package and dynamic and not frozen:
        raise Obstacle(
            f"uv asks the build system for `{dynamic[0]}`, and that reads the sources; `--frozen` keeps it from that",
            project.path,
            project.line("dynamic"),
        )


def _locked(lock: Toml, arguments: Arguments) -> tuple[str, str, int] | None:
    """Return what a lock file leaves to the world; raises Obstacle for packages that lie in the project."""
    require_no_file_urls(lock.text, lock.path)
    packages = lock.data.get("package", [])
    if not isinstance(packages, list):
        raise Obstacle("`package` is no list of tables", lock.path)
    for package in packages:
        source = package.get("source") if isinstance(package, dict) else None
        if not isinstance(source, dict):
            continue
        name = str(package.get("name", "?"))
        for kind in ("directory", "editable", "virtual", "path"):
            where = source.get(kind)
            if isinstance(where, str) and where != "." and not arguments.has("--no-install-local"):
                raise Obstacle(
                    f"the package `{name}` lies at `{where}`, which has to be there to be installed",
                    lock.path,
                    lock.line(where),
                )
        registry = source.get("registry")
        if isinstance(registry, str) and "://" not in registry:
            raise Obstacle(
                f"the package `{name}` comes from the directory `{registry}`", lock.path, lock.line(registry)
            )
        url = source.get("url")
        if isinstance(url, str) and "sdist" not in package and "wheels" not in package and world_of(url) is World.FREE:
            return f"what `{url}` leads to may change at any time", lock.path, lock.line(url)
    return None


def _export(arguments: Arguments, around: Surroundings, place: Place) -> Step:
    if around.cwd is None or not arguments.has("--frozen"):
        raise NotUnderstood("without `--frozen` it may write the lock file anew")
    manifest, lock = join(around.cwd, "pyproject.toml"), join(around.cwd, "uv.lock")
    project = pyproject_at(around, manifest)
    if project.has("tool", "uv", "workspace"):
        raise Obstacle("it is a workspace, whose members uv looks for", manifest, project.line("[tool.uv.workspace]"))
    pyproject_at(around, lock)
    settings = _settings(around, place)
    output = arguments.value("-o", "--output-file")
    writes = () if output is None else (Write(Kind.SET, Region((join(around.cwd, output),))),)
    files = tuple(dict.fromkeys((manifest, lock, *settings.files)))
    return Step(place, files, tuple(settings.absent), writes=writes, changes=False)


# -- uv pip, uv venv -------------------------------------------------------------------------------------------------


def _pip(subcommand: str, operands: list[Operand], arguments: Arguments, around: Surroundings, place: Place) -> Step:
    settings = _settings(around, place)
    inside = _environment(arguments, around, place)
    if arguments.has("-t", "--target", "--prefix"):
        raise NotUnderstood("where it installs is not modelled")
    if subcommand == "uninstall":
        return Step(place, outputs=inside)
    reader = Reader(around, local=False)
    lists = arguments.values("-r", "--requirement", "--requirements")
    lists += [operand.text for operand in operands] if subcommand == "sync" else []
    for name in lists:
        if name.endswith((".toml", ".py", ".cfg")):
            raise Obstacle(
                f"`-r {name}` takes the dependencies of a project, and asks its build system for them if it has to"
            )
        reader.file(name, around.cwd, top=True)
    for name in arguments.values("-c", "--constraint", "--constraints", "-b"):
        reader.file(name, around.cwd)
    for name in arguments.values("-e", "--editable"):
        reader.editable(name)
    for name in arguments.values("-i", "--index-url", "--extra-index-url", "--default-index", "--index"):
        reader.index(name)
    if arguments.has("--group") or arguments.has("-f", "--find-links"):
        raise NotUnderstood("`--group` and `--find-links` of `uv pip` are not modelled")
    if subcommand == "install":
        from dockopt.optimizer.ecosystems.python.pip import add_operand

        for operand in operands:
            add_operand(operand, reader, around, place, "uv pip install")
    found = reader.found
    found.hashed = found.hashed or arguments.has("--require-hashes")
    named = " ".join(lists if subcommand == "sync" else [f"-r {name}" for name in lists])
    return Step(
        place,
        tuple(dict.fromkeys((*found.files, *settings.files))),
        tuple(dict.fromkeys((*found.absent, *settings.absent))),
        tuple(found.trees),
        inside,
        (),
        tuple(found.variables),
        found.result,
        found.cause if found.result is World.FREE else None,
        relied_on=settings.relied_on,
        install=f"uv pip {subcommand} {named}".strip() if found.files else "",
    )


def _environment(arguments: Arguments, around: Surroundings, place: Place) -> tuple[str, ...]:
    """Return the environments in the project that it may install into: an active one, or `.venv` here or above."""
    chosen = arguments.has("--system", "-p", "--python") or around.variable("UV_SYSTEM_PYTHON")[1] not in (
        None,
        "",
        "0",
        "false",
    )
    if chosen or around.variable("VIRTUAL_ENV")[1]:
        name = arguments.value("-p", "--python") or ""
        if "/" in name and place.is_inside(join(around.cwd or "/", name)):
            raise Obstacle(f"`--python {name}` lies in the project")
        return ()
    return tuple(join(directory, ".venv") for directory in _upward(around.cwd or "/", place))


def _venv(operands: list[Operand], around: Surroundings, place: Place) -> Step:
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    path = join(around.cwd, operands[0].text if operands else ".venv")
    if path == "/" or any(below(root, path) for root in place.roots):
        raise Obstacle(f"it makes an environment of `{path}`, among the files of the project")
    files: list[str] = []
    absent: list[str] = []
    for directory in _upward(around.cwd, place):
        for name in ("uv.toml", "pyproject.toml", ".python-version", ".python-versions"):
            at = join(directory, name)
            (absent if around.kind(at) == "absent" else files).append(at)
    inside = place.is_inside(path)
    writes = () if inside else (Write(Kind.MAY, Region((path,))),)
    return Step(
        place, tuple(files), tuple(absent), outputs=(path,) if inside else (), writes=writes, world=World.REPOSITORY
    )
