"""Pipenv: what `pipenv install` and `pipenv sync` read (Pipenv's manual, "Commands", "Configuration"; `pipenv/project.py`).

They read Pipfile and Pipfile.lock, which are looked for upward. With `--system` packages go where pip puts them; else an
environment is used: `.venv` in the project if that exists or is asked for, else one below the home directory.
"""

from __future__ import annotations

import json
import posixpath
from typing import Any

from dockopt.optimizer.commands.arguments import Arguments, NotUnderstood, parse
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.python.pyproject import Toml
from dockopt.optimizer.ecosystems.python.requirements import decoded, read, require_no_file_urls, world_of
from dockopt.optimizer.ecosystems.python.settings import check_settings, check_variables
from dockopt.optimizer.ecosystems.python.step import LOCK_CURRENT, Step
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle, Place, place_of
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import join

_SWITCHES = (
    "--deploy --system --ignore-pipfile --dev -d --verbose -v --quiet -q --clear --keep-outdated --skip-lock --site-packages "
    "--no-site-packages --sequential --version"
)
_TRUE = ("1", "true", "yes", "on", "t", "y")


def pipenv(invocation: Invocation, around: Surroundings) -> Step:
    """Return what one `pipenv` command does. Raises NotUnderstood."""
    arguments = parse(
        invocation,
        switches=_SWITCHES,
        any_value="--extra-pip-args --pypi-mirror --categories -i --index",
        valued="--python",
    )
    words = arguments.texts()
    # older versions start `python -m pip`
    place = place_of(around, invocation.argv[0] or "", module=words in (["install"], ["sync"]))
    if not words and arguments.has("--version"):
        return Step(place, changes=False)
    if words not in (["install"], ["sync"]):
        why = "changes the Pipfile" if words[:1] in (["install"], ["update"]) else "has no model"
        raise NotUnderstood(f"`pipenv {' '.join(words)}` {why}")
    check_variables(around, place)
    check_settings(around, place)
    return _installation(words[0], arguments, around, place)


def _installation(subcommand: str, arguments: Arguments, around: Surroundings, place: Place) -> Step:
    directory = around.cwd
    if directory is None:
        raise Obstacle("its working directory is not known before the build")
    for name in ("PIPENV_DEFAULT_PYTHON_VERSION",):
        if around.variable(name)[1]:
            raise NotUnderstood(f"`{name}` is not modelled")
    manifest, lock = join(directory, "Pipfile"), join(directory, "Pipfile.lock")
    pipfile = Toml(manifest, decoded(read(around, manifest), manifest))
    if around.kind(lock) != "file":
        raise Obstacle("there is no `Pipfile.lock`, so Pipenv resolves all versions anew and writes one", manifest)
    if arguments.has("--skip-lock"):
        raise Obstacle("`--skip-lock` leaves the lock file alone and resolves all versions anew")
    free = _check_packages(pipfile, _lock(lock, read(around, lock)), lock)
    outputs: tuple[str, ...] = ()
    absent: list[str] = []
    files = [manifest, lock]
    # "Automatic Loading of .env": every command reads it
    variables = join(directory, ".env")
    if around.kind(variables) == "unknown":
        raise Obstacle(f"it is not certain whether `{variables}` exists, from which variables are loaded", variables)
    (absent if around.kind(variables) == "absent" else files).append(variables)
    environment = join(directory, ".venv")
    if not arguments.has("--system") and around.variable("PIPENV_SYSTEM")[1] is None:
        value = around.variable("PIPENV_VENV_IN_PROJECT")[1]
        if (value or "").lower() in _TRUE:
            outputs = (environment,)
        elif around.kind(environment) != "absent":
            raise Obstacle(f"`{environment}` may exist, and Pipenv would use it", environment)
        else:
            absent.append(environment)
    current = subcommand == "sync" or arguments.has("--deploy", "--ignore-pipfile")
    flags = " ".join(flag for flag in ("--deploy", "--system", "--ignore-pipfile") if arguments.has(flag))
    return Step(
        place,
        tuple(files),
        tuple(absent),
        outputs=outputs,
        world=World.LOCKED if free is None else World.FREE,
        free=free,
        assumptions=() if current else (LOCK_CURRENT,),
        install=f"pipenv {subcommand} {flags}".strip(),
    )


def _lock(path: str, data: bytes) -> dict[str, Any]:
    try:
        lock = json.loads(decoded(data, path))
    except (ValueError, RecursionError) as error:
        raise Obstacle(f"`{posixpath.basename(path)}` is no JSON: {str(error).lower()}", path) from None
    if not isinstance(lock, dict):
        raise Obstacle(f"`{posixpath.basename(path)}` is no object", path)
    return lock


def _check_packages(pipfile: Toml, lock: dict[str, Any], lock_path: str) -> tuple[str, str, int] | None:
    """Return what the lock file leaves to the world; raises Obstacle for packages that lie in the project."""
    require_no_file_urls(pipfile.text, pipfile.path)
    require_no_file_urls(json.dumps(lock), lock_path)
    for section, packages in pipfile.data.items():
        if section in ("source", "requires", "scripts", "pipenv") or not isinstance(packages, dict):
            continue
        for name, value in packages.items():
            if isinstance(value, dict) and isinstance(value.get("path", value.get("file")), str):
                where = value.get("path", value.get("file"))
                if "://" not in str(where):
                    raise Obstacle(
                        f"the package `{name}` lies at `{where}`, which has to be there to be installed",
                        pipfile.path,
                        pipfile.line(name),
                    )
    for section, packages in lock.items():
        for name, value in packages.items() if section != "_meta" and isinstance(packages, dict) else ():
            if not isinstance(value, dict):
                raise Obstacle(f"the package `{name}` is not understood", lock_path)
            where = value.get("path", value.get("file"))
            if isinstance(where, str) and "://" not in where:
                raise Obstacle(
                    f"the package `{name}` lies at `{where}`, which has to be there to be installed", lock_path
                )
            if isinstance(where, str) and not value.get("hashes") and world_of(where) is World.FREE:
                return f"what `{where}` leads to may change at any time", lock_path, 0
    return None
