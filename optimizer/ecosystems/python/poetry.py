"""Poetry: what `poetry install` reads (Poetry 2, "Commands", "Configuration"; `poetry/factory.py`, `poetry/utils/env`).

It reads pyproject.toml, poetry.lock and poetry.toml. Unless `--no-root`, `--only` without the main group, or
`package-mode = false` keeps it from that, it installs the project itself, and that reads its packages and its readme.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dockopt.optimizer.commands.arguments import Arguments, NotUnderstood, parse
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.python.pyproject import Toml, pyproject_at
from dockopt.optimizer.ecosystems.python.requirements import require_no_file_urls, world_of
from dockopt.optimizer.ecosystems.python.step import LOCK_CURRENT, Step
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle, Place, place_of
from dockopt.optimizer.effects import Kind, World, Write
from dockopt.optimizer.regions import Region, join

_SWITCHES = (
    "--no-interaction -n --no-root --no-dev --sync --compile --all-extras --all-groups --no-ansi --ansi -q --quiet -v -vv -vvv --verbose "
    "--no-cache --no-directory --no-plugins --dry-run --remove-untracked --version -V --without-hashes --with-credentials --all "
    "--local --unset --strict --lock"
)
_VALUED = "--only --with --without -E --extras -C --directory -P --project -o --output -f --format --dev"
#: settings that neither move the environment into the project nor name files of it
_SETTINGS = ("virtualenvs.create", "virtualenvs.in-project", "virtualenvs.options", "installer.", "experimental.", "http-basic.",
             "pypi-token.", "repositories.", "certificates.", "solver.", "warnings.", "cache-dir", "requests.", "keyring.")  # fmt: skip


def poetry(invocation: Invocation, around: Surroundings) -> Step:
    """Return what one `poetry` command does. Raises NotUnderstood."""
    arguments = parse(invocation, switches=_SWITCHES, valued=_VALUED)
    words = arguments.texts()
    # builds of packages that come as sources are started as `python -m pip`
    place = place_of(around, invocation.argv[0] or "", module=words[:1] in (["install"], ["sync"]))
    if not words and arguments.has("--version", "-V"):
        return Step(place, changes=False)
    if not words:
        raise NotUnderstood("it has no subcommand")
    if arguments.has("-C", "--directory", "-P", "--project"):
        raise NotUnderstood("it works in another directory than its own")
    if words[0] == "config":
        return _config(words[1:], arguments, around, place)
    if words[0] in ("install", "sync") and len(words) == 1:
        return _installation(words[0], arguments, around, place)
    if words[0] == "self":
        return Step(place, world=World.REPOSITORY)
    if words[0] in ("lock", "update", "add", "remove"):
        raise NotUnderstood(f"`poetry {words[0]}` writes the lock file anew")
    if words[0] == "export":
        return _export(arguments, around, place)
    raise NotUnderstood(f"no model of `poetry {words[0]}`")


def _config(words: list[str], arguments: Arguments, around: Surroundings, place: Place) -> Step:
    if not words or not words[0].startswith(_SETTINGS):
        raise NotUnderstood("the setting is not modelled")
    if not arguments.has("--local"):
        return Step(place)
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    path = join(around.cwd, "poetry.toml")
    return Step(place, writes=(Write(Kind.MAY, Region((path,))),))


def _installation(subcommand: str, arguments: Arguments, around: Surroundings, place: Place) -> Step:
    directory = _project_directory(around)
    manifest, lock = join(directory, "pyproject.toml"), join(directory, "poetry.lock")
    project = pyproject_at(around, manifest)
    if project.has("tool", "poetry", "requires-plugins"):
        raise Obstacle(
            "plugins of the project are installed into `.poetry`", manifest, project.line("requires-plugins")
        )
    _check_paths(project)
    _check_root(project, arguments, subcommand)
    files = [manifest]
    absent: list[str] = []
    assumptions: tuple[str, ...] = ()
    if around.kind(lock) == "file":
        files.append(lock)
        locked = pyproject_at(around, lock)
        world, free = _locked_world(locked)
        assumptions = (LOCK_CURRENT,)
    elif around.kind(lock) == "absent":
        raise Obstacle("there is no `poetry.lock`, so Poetry resolves all versions anew and writes one", manifest)
    else:
        raise Obstacle(f"it is not certain whether `{lock}` exists", lock)
    in_project, settings = _in_project(around, directory)
    files += [path for path in settings if around.kind(path) == "file"]
    absent += [path for path in settings if around.kind(path) == "absent"]
    outputs: tuple[str, ...] = ()
    environment = join(directory, ".venv")
    if in_project is True:
        outputs = (environment,)
    elif in_project is None and environment not in place.inside:
        # "will use the {project-dir}/.venv directory if one already exists" (virtualenvs.in-project)
        if around.kind(environment) != "absent":
            raise Obstacle(f"`{environment}` may exist, and Poetry would use it", environment)
        absent.append(environment)
    flags = " ".join(flag for flag in ("--no-root", "--no-dev") if arguments.has(flag))
    return Step(
        place,
        tuple(files),
        tuple(absent),
        outputs=outputs,
        world=world,
        free=free,
        assumptions=assumptions,
        install=f"poetry {subcommand} {flags}".strip(),
    )


def _project_directory(around: Surroundings) -> str:
    """Return the directory of the pyproject.toml that governs: Poetry looks upward from the working directory (`Factory.locate`)."""
    directory = around.cwd
    if directory is None:
        raise Obstacle("its working directory is not known before the build")
    kind = around.kind(join(directory, "pyproject.toml"))
    if kind != "file":
        path = join(directory, "pyproject.toml")
        raise Obstacle(
            f"there is no `{path}`, so a directory above decides"
            if kind == "absent"
            else f"it is not certain what `{path}` is",
            path,
        )
    return directory


def _in_project(around: Surroundings, directory: str) -> tuple[bool | None, tuple[str, ...]]:
    """Return whether the environment lies in the project (None: only if it exists), and the local settings that are looked for.

    Variables win over poetry.toml, that over what `poetry config` has set before ("Configuration", poetry/config/config.py).
    """
    path = join(directory, "poetry.toml")
    kind = around.kind(path)
    value: Any = None
    if kind == "file":
        value = pyproject_at(around, path).table("virtualenvs").get("in-project")
    elif kind != "absent":
        raise Obstacle(f"it is not certain whether `{path}` exists", path)
    for text, words in around.earlier("poetry"):
        if words[1:2] == ("config",) and "virtualenvs.in-project" in words and "--local" not in words:
            setting = words[words.index("virtualenvs.in-project") + 1 :][:1]
            value = value if isinstance(value, bool) else None if "--unset" in words else setting == ("true",)
        elif not words and "virtualenvs" in text:
            raise Obstacle("a script that is not understood has settings for where environments lie")
    known, setting_text = around.variable("POETRY_VIRTUALENVS_IN_PROJECT")
    if known and setting_text:
        value = setting_text.lower() in ("1", "true")
    return (value if isinstance(value, bool) else None), (path,)


def _check_root(project: Toml, arguments: Arguments, subcommand: str) -> None:
    """Raise Obstacle if the project itself is installed."""
    table = project.table("tool", "poetry")
    if arguments.has("--no-root") or table.get("package-mode") is False:
        return
    only = [group for value in arguments.values("--only") for group in value.split(",")]
    if only and "main" not in only:
        return  # `--only` without the main group leaves the root out (poetry/console/commands/install.py)
    readme = project.table("project").get("readme", table.get("readme"))
    also = f" and `{readme}`" if isinstance(readme, str) else ""
    raise Obstacle(
        f"`poetry {subcommand}` installs the project itself, which reads its packages{also}; with `poetry {subcommand} --no-root` "
        "above the sources, dependencies would be kept",
        project.path,
        project.line("[tool.poetry]") or project.line("[project]"),
    )


def _dependencies(project: Toml) -> Iterator[tuple[str, Any]]:
    names: list[tuple[str, ...]] = [("tool", "poetry", "dependencies"), ("tool", "poetry", "dev-dependencies")]
    names += [("tool", "poetry", "group", group, "dependencies") for group in project.table("tool", "poetry", "group")]
    for path in names:
        for name, value in project.table(*path).items():
            for one in value if isinstance(value, list) else [value]:
                yield name, one


def _check_paths(project: Toml) -> None:
    """Raise Obstacle if a dependency lies in the project."""
    for name, value in _dependencies(project):
        if isinstance(value, dict) and isinstance(value.get("path"), str):
            raise Obstacle(
                f"the dependency `{name}` lies at `{value['path']}`, which has to be there to be installed",
                project.path,
                project.line(name, "path"),
            )
    for text in project.strings("project", "dependencies"):
        if "file:" in text:
            raise Obstacle(f"the dependency `{text}` lies in the project", project.path, project.line(text))


def _locked_world(lock: Toml) -> tuple[World, tuple[str, str, int] | None]:
    """Return how far what a lock file fixes depends on the world: packages of an index and commits are fixed, other URLs are not."""
    require_no_file_urls(lock.text, lock.path)
    packages = lock.data.get("package", [])
    if not isinstance(packages, list):
        raise Obstacle("`package` is no list of tables", lock.path)
    for package in packages:
        source = package.get("source") if isinstance(package, dict) else None
        if not isinstance(source, dict):
            continue
        name, kind, url = package.get("name", "?"), source.get("type"), str(source.get("url", ""))
        if kind in ("directory", "file"):
            raise Obstacle(
                f"the package `{name}` lies at `{url}`, which has to be there to be installed",
                lock.path,
                lock.line(url),
            )
        if kind == "url" and not package.get("files") and world_of(url) is World.FREE:
            return World.FREE, (f"what `{url}` leads to may change at any time", lock.path, lock.line(url))
    return World.LOCKED, None


def _export(arguments: Arguments, around: Surroundings, place: Place) -> Step:
    """Write a requirements file from the lock file (poetry-plugin-export)."""
    directory = _project_directory(around)
    manifest, lock = join(directory, "pyproject.toml"), join(directory, "poetry.lock")
    pyproject_at(around, manifest)
    _locked_world(pyproject_at(around, lock))
    _, settings = _in_project(around, directory)
    files = (manifest, lock, *(path for path in settings if around.kind(path) == "file"))
    absent = tuple(path for path in settings if around.kind(path) == "absent")
    output = arguments.value("-o", "--output")
    writes = () if output is None else (Write(Kind.SET, Region((join(directory, output),))),)
    return Step(place, files, absent, writes=writes, assumptions=(LOCK_CURRENT,), changes=False)
