"""pip: what its commands read of a project, and where they write (pip 26, `pip help install`, `pip/_internal`).

`pip install -r FILE` reads the lists, constraints and archives that are named, and its settings; nothing else of the working
directory. Python before 3.10 lets distutils say where packages go, and that reads `setup.cfg` of the working directory
(`pip/_internal/locations/__init__.py`, `_USE_SYSCONFIG_DEFAULT`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockopt.optimizer.commands.arguments import QUOTED, Arguments, NotUnderstood, Operand, parse
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.python.requirements import Reader
from dockopt.optimizer.ecosystems.python.settings import check_settings, check_variables, distutils_settings
from dockopt.optimizer.ecosystems.python.step import Step
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle, Place, place_of
from dockopt.optimizer.effects import Kind, World, Write
from dockopt.optimizer.regions import Region, below, join

_SWITCHES = (
    "-q --quiet -v -vv -vvv --verbose --no-cache-dir --no-cache -U --upgrade --no-deps --pre --user --force-reinstall -I "
    "--ignore-installed --no-compile --compile --no-input --disable-pip-version-check --no-warn-script-location --isolated "
    "--no-build-isolation --use-pep517 --no-use-pep517 --prefer-binary --require-hashes --no-index --break-system-packages "
    "--ignore-requires-python --no-warn-conflicts --no-python-version-warning --no-clean --check-build-dependencies --no-color "
    "--dry-run --require-virtualenv --require-venv"
)
#: options whose value names neither a file nor a program
_VALUES = (
    "-i --index-url --extra-index-url --trusted-host --timeout --default-timeout --retries --proxy --platform --python-version "
    "--implementation --abi --no-binary --only-binary --upgrade-strategy --root-user-action --progress-bar --use-feature "
    "--use-deprecated --exists-action --keyring-provider --global-option --install-option --config-settings --config-setting -C "
    "--build-option --uploaded-prior-to --resume-retries"
)
_VALUED = (
    "-r --requirement -c --constraint --build-constraint -e --editable -f --find-links -t --target --src --group --prefix "
    "--cache-dir -w --wheel-dir -d --dest --cert --client-cert"
)
#: a requirement whose version is only known during the build; the quotes keep it one word
_WITH_VARIABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[\w,.-]+\])?(==|~=|>=|<=|<|>).*")
_INSTALLING = ("install", "wheel", "download")
#: `pip config set` of these leads pip to files or other places
_HARMLESS_SETTING = re.compile(
    r"(global|install|download|wheel)\.(index-url|extra-index-url|trusted-host|timeout|retries|no-cache-dir|"
    r"disable-pip-version-check|progress-bar|root-user-action|break-system-packages|prefer-binary|no-color)"
)


def pip(invocation: Invocation, around: Surroundings, *, module: bool = False) -> Step:
    """Return what one `pip` command does; with `module` it was started as `python -m pip`. Raises NotUnderstood."""
    program = invocation.argv[0] or ""
    arguments = parse(
        quoted_versions(invocation), switches=f"{_SWITCHES} --version -V -y --yes", valued=_VALUED, any_value=_VALUES
    )
    operands = list(arguments.operands)
    if arguments.has("--version", "-V") and not operands:
        return Step(place_of(around, program, module=module), changes=False)
    if not operands or operands[0].glob:
        raise NotUnderstood("it has no subcommand")
    subcommand = operands.pop(0).text
    place = place_of(around, program, module=module)
    check_variables(around, place)
    if subcommand in _INSTALLING:
        return _installation(subcommand, arguments, operands, around, place)
    if subcommand == "uninstall" and not arguments.has("-r", "--requirement"):
        return Step(place)
    if subcommand in ("list", "freeze", "show", "check", "debug", "help"):
        return Step(place, changes=False, world=World.REPOSITORY if "-o" in arguments.flags else World.NONE)
    if subcommand == "cache" and operands and operands[0].text in ("purge", "dir", "info", "list"):
        return Step(place)
    if subcommand == "config" and operands and operands[0].text == "set":
        if len(operands) != 3 or not _HARMLESS_SETTING.fullmatch(operands[1].text.replace("_", "-")):
            raise NotUnderstood("the setting may lead pip to other files")
        return Step(place)
    raise NotUnderstood(f"no model of `pip {subcommand}`")


def quoted_versions(invocation: Invocation) -> Invocation:
    """Return the command with `"name==$VERSION"` taken as that package in a version that only the build knows."""
    argv = list(invocation.argv)
    for i, raw in enumerate(invocation.raw):
        quoted = raw[1:-1] if QUOTED.fullmatch(raw) else None
        text = quoted or raw
        if argv[i] is not None or "$(" in raw or "`" in raw or not _WITH_VARIABLE.fullmatch(text):
            continue
        if quoted is None:
            raise NotUnderstood(f"`{raw}` may become several words; write it in double quotes")
        argv[i] = re.split(r"[=~<>]", text)[0]
    return Invocation(tuple(argv), invocation.raw, invocation.line)


def _installation(
    subcommand: str, arguments: Arguments, operands: Sequence[Operand], around: Surroundings, place: Place
) -> Step:
    check_settings(around, place)
    reader = Reader(around)
    lists = arguments.values("-r", "--requirement")
    for name in lists:
        reader.file(name, around.cwd, top=True)
    for name in arguments.values("-c", "--constraint", "--build-constraint"):
        reader.file(name, around.cwd)
    for name in arguments.values("-e", "--editable"):
        _editable(name, reader, around)
    for name in arguments.values("-f", "--find-links"):
        reader.find_links(name)
    for name in arguments.values("-i", "--index-url", "--extra-index-url"):
        reader.index(name)
    for name in arguments.values("--group"):
        _group(name, reader, around)
    for operand in operands:
        add_operand(operand, reader, around, place)
    found = reader.found
    if arguments.has("--require-hashes"):
        found.hashed = True
    for name in arguments.values("--cert", "--client-cert"):
        if place.is_inside(join(around.cwd or "/", name)):
            raise NotUnderstood(f"its certificate `{name}` lies in the project")
    relied_on, probed = distutils_settings(around, place)
    outputs, writes = _outputs(subcommand, arguments, around, place)
    offline = subcommand == "wheel" and not found.files and not operands
    named = [*(f"-r {name}" for name in lists), *(f"--group {name}" for name in arguments.values("--group"))]
    return Step(
        place,
        tuple(found.files),
        (*found.absent, *probed),
        tuple(found.trees),
        tuple(path for path in outputs if place.is_inside(path)),
        writes,
        tuple(found.variables),
        World.NONE if offline else found.result,
        found.cause if found.result is World.FREE else None,
        relied_on=relied_on,
        install=f"pip {subcommand} {' '.join(named)}".strip() if found.files else "",
        changes=subcommand == "install" or not outputs,
    )


def _editable(name: str, reader: Reader, around: Surroundings) -> None:
    from dockopt.optimizer.ecosystems.python.building import project_build

    directory = join(around.cwd or "/", re.sub(r"\[[\w\s,.-]*\]$", "", name))
    if "://" not in name and around.cwd is not None and around.kind(directory) == "directory":
        raise project_build(around, directory, f"pip install -e {name}")
    reader.editable(name)


def add_operand(
    operand: Operand, reader: Reader, around: Surroundings, place: Place, command: str = "pip install"
) -> None:
    """Note one requirement that an installation is given; `command` names the installation in messages."""
    if operand.glob:
        where = join(around.cwd or "/", operand.text)
        if around.cwd is None or place.is_inside(where) or any(below(root, where) for root in place.roots):
            raise Obstacle(f"which files `{operand.raw}` matches is not known before the build")
        reader.found.note(World.REPOSITORY, "", "", 0)
        return
    name = operand.text
    bare = re.sub(r"\[[\w\s,.-]*\]$", "", name)
    if bare in (".", "./") or (
        bare.startswith((".", "/")) and around.kind(join(around.cwd or "/", bare)) == "directory"
    ):
        from dockopt.optimizer.ecosystems.python.building import project_build

        raise project_build(around, join(around.cwd or "/", bare), f"{command} {name}")
    path = join(around.cwd or "/", bare)
    if (
        "/" in bare
        and "://" not in bare
        and " @ " not in name
        and not place.is_inside(path)
        and around.context_path(path) is None
    ):
        # an archive or directory outside the project: whatever it is, it is read with all that lies there
        reader.found.note(World.REPOSITORY, "", "", 0)
        return
    reader.requirement(name)


def _group(name: str, reader: Reader, around: Surroundings) -> None:
    """Read a dependency group (PEP 735): `[path:]name`, of `pyproject.toml` in the working directory."""
    from dockopt.optimizer.ecosystems.python.pyproject import dependency_group, pyproject_at

    path, _, group = name.rpartition(":")
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    manifest = join(around.cwd, path or "pyproject.toml")
    project = pyproject_at(around, manifest)
    reader.found.files.append(manifest)
    for requirement in dependency_group(project, group):
        reader.requirement(requirement, manifest)


def _outputs(
    subcommand: str, arguments: Arguments, around: Surroundings, place: Place
) -> tuple[tuple[str, ...], tuple[Write, ...]]:
    """Return the directories that a command fills beside the environment, and the writes outside the project for them."""
    if arguments.has("--src"):
        raise NotUnderstood("the option `--src` is not modelled")
    names = arguments.values("-t", "--target", "--prefix") if subcommand == "install" else []
    if subcommand != "install":
        names = arguments.values("-w", "--wheel-dir", "-d", "--dest") or ["."]
    outputs = []
    for name in names:
        if not name.startswith("/") and around.cwd is None:
            raise Obstacle("its working directory is not known before the build")
        path = join(around.cwd or "/", name)
        if path == "/" or any(below(root, path) for root in place.roots):
            raise Obstacle(f"it writes into `{path}`, among the files of the project")
        outputs.append(path)
    writes = tuple(Write(Kind.MAY, Region((path,))) for path in outputs if not place.is_inside(path))
    return tuple(outputs), writes
