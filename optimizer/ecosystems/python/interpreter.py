"""`python`: modules of its own that are started (`-m venv`, `-m pip`), and scripts, which are read and not run."""

from __future__ import annotations

import posixpath
import re

from dockopt.optimizer.commands.arguments import NotUnderstood, parse
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.python.step import Step
from dockopt.optimizer.ecosystems.python.surroundings import PYTHON_MODULES, Obstacle, Place, place_of
from dockopt.optimizer.effects import Kind, World, Write
from dockopt.optimizer.regions import Region, below, join

#: options of the interpreter without a value that change nothing about what a command reads (python(1))
_PLAIN_OPTIONS = re.compile(r"-[bBdIOqsSuvxPE]+")


def python(invocation: Invocation, around: Surroundings) -> Step:
    """Return what one `python` command does. Raises NotUnderstood."""
    program = invocation.argv[0] or ""
    words, raw = list(invocation.argv[1:]), list(invocation.raw[1:])
    isolated = False
    while words and words[0] is not None and words[0].startswith("-") and words[0] not in ("-m", "-c", "-"):
        option = words[0]
        if option in ("-V", "-VV", "--version"):
            return Step(place_of(around, program), changes=False)
        if option in ("-W", "-X"):
            words, raw = words[2:], raw[2:]
            continue
        if not _PLAIN_OPTIONS.fullmatch(option):
            raise NotUnderstood(f"the option `{option}` is not modelled")
        isolated = isolated or "I" in option or "P" in option
        words, raw = words[1:], raw[1:]
    if not words or words[0] is None:
        raise NotUnderstood("what it runs is not known before the build")
    if words[0] == "-m":
        if len(words) < 2 or words[1] is None:
            raise NotUnderstood("the module that it runs is not known before the build")
        started = Invocation((program, *words[2:]), (program, *raw[2:]), invocation.line)
        return _module(words[1], started, around, searches=not isolated)
    if words[0] in ("-c", "-"):
        raise NotUnderstood("it runs a program of its own text")
    return _script(words[0], tuple(words[1:]), program, around)


def _module(name: str, started: Invocation, around: Surroundings, *, searches: bool) -> Step:
    if name == "pip":
        from dockopt.optimizer.ecosystems.python.pip import pip

        return pip(started, around, module=searches)
    if name in ("venv", "virtualenv"):
        return _environment(started, around, module=searches)
    if name == "ensurepip":
        parse(started, switches="--upgrade -U --default-pip --altinstall --user -v --verbose")
        return Step(place_of(around, started.argv[0] or "", module=searches))
    if name == "compileall":
        return _compilation(started, around, module=searches)
    if name in ("poetry", "pipenv", "pdm", "uv"):
        raise NotUnderstood(f"`python -m {name}` is not modelled; `{name}` is")
    raise NotUnderstood(f"no model of `python -m {name}`")


# -- environments ----------------------------------------------------------------------------------------------------


def virtualenv(invocation: Invocation, around: Surroundings) -> Step:
    """Return what `virtualenv` does. Raises NotUnderstood."""
    return _environment(invocation, around, module=False)


def _environment(invocation: Invocation, around: Surroundings, *, module: bool) -> Step:
    """Make environments: their directories are filled; what lies there already stays, unless `--clear` says otherwise (venv)."""
    arguments = parse(
        invocation,
        switches="--system-site-packages --symlinks --copies --always-copy --clear --upgrade --without-pip --upgrade-deps -q "
        "--quiet -v --verbose --no-download --download --no-setuptools --no-wheel --no-pip --without-scm-ignore-files",
        any_value="--prompt --seeder --pip --setuptools --wheel",
        valued="-p --python --scm-ignore-files",
    )
    place = place_of(around, invocation.argv[0] or "", module=module)
    outputs, writes = [], []
    for name in arguments.texts():
        path = _absolute(name, around)
        if path == "/" or any(below(root, path) for root in place.roots):
            raise Obstacle(f"it makes an environment of `{path}`, among the files of the project")
        if place.is_inside(path):
            outputs.append(path)
        else:
            writes.append(Write(Kind.MAY, Region((path,))))
    if not outputs and not writes:
        raise NotUnderstood("it makes no environment")
    fetches = arguments.has("--upgrade-deps", "--download") or not module
    return Step(
        place,
        outputs=tuple(outputs),
        writes=tuple(writes),
        world=World.REPOSITORY if fetches else World.NONE,
        changes=False,
    )


def _absolute(name: str, around: Surroundings) -> str:
    if not name.startswith("/") and around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    return join(around.cwd or "/", name)


# -- scripts ---------------------------------------------------------------------------------------------------------


def _compilation(invocation: Invocation, around: Surroundings, *, module: bool) -> Step:
    """Compile all modules below directories into their `__pycache__`."""
    arguments = parse(
        invocation,
        switches="-l -f -q -qq -b --hardlink-dupes",
        any_value="-r -j --workers -o --invalidation-mode -x -s -p -d -e",
    )
    place = place_of(around, invocation.argv[0] or "", module=module)
    paths = tuple(_absolute(name, around) for name in arguments.texts())
    if not paths:
        return Step(place)
    return Step(
        place,
        trees=tuple(path for path in paths if place.is_inside(path)),
        writes=tuple(Write(Kind.MAY, Region((path,))) for path in paths),
        changes=False,
    )


def _script(name: str, arguments: tuple[str | None, ...], program: str, around: Surroundings) -> Step:
    path = _absolute(name, around)
    base = posixpath.basename(path)
    if base == "manage.py":
        raise Obstacle("commands of `manage.py` load the whole project", path)
    if base == "setup.py" and arguments[:1] in (("install",), ("develop",), ("build",)):
        from dockopt.optimizer.ecosystems.python.building import project_build

        raise project_build(around, posixpath.dirname(path), f"setup.py {arguments[0]}")
    from dockopt.optimizer.ecosystems.python.scripts import read_script

    place = place_of(around, program)
    found = read_script(around, path)
    if found.problems:
        problem = found.problems[0]
        raise Obstacle(f"`{base}` {problem.reason}", problem.path, problem.line)
    return _of_script(found.files, found.absent, found.trees, found.written, found.compiled, place)


def _of_script(
    files: tuple[str, ...],
    absent: tuple[str, ...],
    trees: tuple[str, ...],
    written: tuple[str, ...],
    compiled: tuple[str, ...],
    place: Place,
) -> Step:
    """Return the step of a script that is completely understood: it writes no more than it names, and caches of its modules."""
    writes = [Write(Kind.MAY, Region((path,))) for path in (*written, *compiled)]
    inside = tuple(path for path in trees if place.is_inside(path))
    return Step(
        place,
        files,
        absent,
        inside,
        writes=tuple(writes),
        variables=("*",),
        assumptions=(PYTHON_MODULES,),
        changes=False,
    )
