"""Gives a Python program a stage of its own that runs it (`multi-stage`): when, and in which image.

The new stage starts from the slim variant of the same tag and takes over the working directory, and `/usr/local` with all that pip
has installed and Python itself, which is the same version. That is certain only where no package is compiled
against a library of the large image, and that is known before the build only of wheels (`optimizer/ecosystems/python/wheels.py`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.ecosystems.python.commands import is_tool
from dockopt.optimizer.ecosystems.python.install import install_for
from dockopt.optimizer.ecosystems.python.runtime_sources import serves_files, troubles
from dockopt.optimizer.ecosystems.python.wheels import OF_THE_IMAGE, OTHER_INDEX, NotWheels, Wheel, need, wheels
from dockopt.optimizer.entrypoint import Program, started
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Proposal, Refusal, RuntimeStage, WantedDifference
from dockopt.optimizer.regions import below, join
from dockopt.optimizer.runtime_bases import base_of
from dockopt.optimizer.slim_variants import is_small
from dockopt.optimizer.symbolic.run import Executed, surroundings_of
from dockopt.optimizer.syntax import Stage
from dockopt.optimizer.wording import shortened
from dockopt.rewrites.stage_accounts import accounts_of
from dockopt.rewrites.stage_commands import obstacle_in
from dockopt.rewrites.stage_cut import cut_stage
from dockopt.rewrites.stage_outside import outside_problem
from dockopt.rewrites.stage_owners import owner_problem
from dockopt.rewrites.stage_slim import (
    NOTE,
    Reason,
    beside_problem,
    brought,
    gain,
    health_problem,
    place_problem,
    settings_problem,
    variant_of,
)
from dockopt.rewrites.stage_split import ID, start_problem

_PREFIX = "/usr/local"
_INTERPRETER = re.compile(r"(?:/usr/local/bin/)?python(?:3(?:\.\d+)?)?")
_LEADING_VARIABLES = re.compile(
    r"SSL_CERT_|CA_BUNDLE|LD_LIBRARY_PATH|LD_PRELOAD|PYTHONHOME|PYTHONUSERBASE|PIP_(?:TARGET|PREFIX|ROOT|USER)$"
)
#: programs of packages that are called otherwise, by the packages' own entry points
_PROGRAMS = {"waitress-serve": "waitress", "fastapi": "fastapi-cli", "flask": "flask"}
_COMPILED = (
    "whether pip compiles a package against libraries of the large image is not known before the build: `--only-binary=:all:` and a "
    "list with hashes say that it does not"
)
#: options of pip with a value that is no package
_VALUED = frozenset("-r --requirement --only-binary --timeout --retries".split())
_INDEX_OPTIONS = re.compile(r"-i|-f|--(?:index-url|extra-index-url|find-links|trusted-host)(?:=.*)?")
_INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_TRUSTED_HOST", "PIP_NO_BINARY")
#: options of pip that have it compile, or install in another place
_LEADING = re.compile(r"--(?:no-binary|target|prefix|user|editable|src|root)|-[te]\b")


class _Installed(NamedTuple):
    """What pip installs in a stage; no command, no packages."""

    commands: tuple[Executed, ...]
    wheels: tuple[Wheel, ...]
    #: the list in the context
    file: str


def propose_python(build: Build, stage: Stage) -> Iterator[Proposal | Refusal | Advice]:
    """Look at a last stage that starts from an image for Python. Raises Unsupported."""
    line = stage.from_.start_line
    base = base_of(build.executor, stage.index)
    if is_small(base.reference):
        return  # what another stage could save there are caches
    start = started(build, stage.index)
    image = variant_of(base)
    refusal = start_problem(stage, start) or outside_problem(build, stage)
    installed: _Installed | Reason | None = None
    if refusal is None and len(start.programs) != 1:
        refusal = "more than one program is started, or none", "", start.instructions[0].start_line
    if refusal is None:
        installed = _installed(build, stage)
    if isinstance(installed, _Installed):
        refusal = _problem(build, stage, start.programs[0], installed)
    elif refusal is None:
        refusal = installed
    if refusal is None and not isinstance(image, str):
        refusal = image
    if refusal is not None or not isinstance(image, str) or not isinstance(installed, _Installed):
        yield Refusal(ID, line, *(refusal or ("no program is started", "", line)))
        return
    yield _split(build, stage, installed, image)


def _installed(build: Build, stage: Stage) -> _Installed | Reason:
    commands = []
    found: list[Wheel] = []
    file = ""
    for command in build.executed:
        if command.stage != stage.index or not _installs(command):
            continue
        if command.before.user != "root":
            return "pip installs into the home directory of a user", "", command.line
        tool = posixpath.basename(command.name)
        if not (re.fullmatch(r"pip[\d.]*", tool) or command.argv[1:3] == ("-m", "pip")):
            return (
                f"what `{shortened(command.text)}` installs, and whether it compiles it, is not followed: only pip is",
                "",
                command.line,
            )
        install = install_for(command, build.executor)
        if isinstance(install, Cause):
            return install.reason, install.path, install.line
        if any(_INDEX_OPTIONS.fullmatch(word or "") for word in command.argv) or any(
            name in command.environment for name in _INDEX_VARIABLES
        ):
            return OTHER_INDEX, "", command.line
        named = _named_packages(command)
        own = next((name for name in named if re.split(r"[=<>~!\[]", name)[0] in OF_THE_IMAGE), None)
        if own is not None:
            return f"the slim image has a `{own}` of its own, and another one would lie over it", "", command.line
        if install is None or named:
            return _COMPILED, "", command.line
        only = _only_binary(command)
        around = surroundings_of(command, build.executor)
        for path in install.manifests:
            text = around.read_context(path)
            if text is None:
                return f"`{path}` does not surely come from the build context", "", command.line
            file = around.context_path(path) or ""
            read = wheels(text.decode("utf-8-sig", "replace"))
            if isinstance(read, NotWheels):
                return read.reason if read.reason == OTHER_INDEX else f"{_COMPILED} ({read.reason})", file, read.line
            found += read[0]
            only |= read[1]
        if not only:
            return _COMPILED, "", command.line
        commands.append(command)
    return _Installed(tuple(commands), tuple(found), file)


def _installs(command: Executed) -> bool:
    words = [word or "?" for word in command.argv]
    if not words or not is_tool(posixpath.basename(words[0])):
        return False
    if _INTERPRETER.fullmatch(words[0]):
        return words[1:3] == ["-m", "pip"] or words[1:3] == ["-m", "venv"] or "setup.py" in words
    return "install" in words or "sync" in words or "venv" in words or "create" in words


def _named_packages(command: Executed) -> list[str]:
    """Return the packages, and options that lead to other places, that pip is told of beside lists."""
    words = [word or "?" for word in command.argv]
    words = words[words.index("install") + 1 :] if "install" in words else []
    found = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in _VALUED:
            skip = True
        elif not word.startswith("-") or _LEADING.match(word):
            found.append(word)
    return found


def _only_binary(command: Executed) -> bool:
    words = [word or "?" for word in command.argv]
    given = command.environment.get("PIP_ONLY_BINARY")
    return (
        "--only-binary=:all:" in words
        or ("--only-binary", ":all:") in pairwise(words)
        or (given is not None and given.text == ":all:")
    )


def _problem(build: Build, stage: Stage, program: Program, installed: _Installed) -> Reason | None:
    final = build.runs[stage.index].final
    line = stage.from_.start_line
    root = final.cwd
    if root is None:
        return "its working directory is not known before the build", "", line
    problem = (
        place_problem(build, stage, root)
        or _start(program, root, installed)
        or obstacle_in(build, stage, lambda command: _is_inside(command, root, installed))
        or owner_problem(build, stage, root)
        or beside_problem(build, stage, root)
        or settings_problem(build, stage, _LEADING_VARIABLES, "Python")
        or health_problem(build, stage, lambda name: _INTERPRETER.fullmatch(name) is not None)
    )
    if problem is not None:
        return problem
    for wheel in installed.wheels:
        reason = need(wheel)
        if reason is not None:
            return reason, installed.file, wheel.line
    entries = brought(build, stage)
    if isinstance(entries, tuple):
        return entries
    other = next((entry for entry in entries if entry.source is None), None)
    if other is not None:
        return f"what is copied to `{other.path}` comes from elsewhere, and is not looked at", "", other.line
    trouble = next(troubles(build.context, entries, root), None)
    return None if trouble is None else (trouble.reason, trouble.file, trouble.line)


def _start(program: Program, root: str, installed: _Installed) -> Reason | None:
    words = [word or "?" for word in program.argv]
    at = program.file, program.line
    if None in program.argv:
        return "it is not known before the container runs what it starts", *at
    names = {wheel.name for wheel in installed.wheels}
    if not _INTERPRETER.fullmatch(words[0]):
        name = words[0].removeprefix(f"{_PREFIX}/bin/")
        if "/" in name or _PROGRAMS.get(name, name) not in names:
            return f"`{words[0]}`, which is started, is not surely what pip installs, nor Python", *at
        return None
    rest = words[1:]
    while rest and re.fullmatch(r"-[uOBEIsSbqv]+", rest[0]):
        rest.pop(0)
    if not rest or (rest[0].startswith("-") and (rest[0] != "-m" or len(rest) < 2)):
        return f"`{' '.join(words)}` is not followed", *at
    if rest[0] != "-m" and not below(join(root, rest[0]), root):
        return f"`{rest[0]}`, which is started, lies beside the working directory", *at
    return None


def _is_inside(command: Executed, root: str, installed: _Installed) -> bool:
    if command in installed.commands:
        return command.effects.unknown is None
    if command.effects.unknown is not None:
        return False
    return all(below(path, root) for write in command.effects.writes for path in write.region.include)


def _split(build: Build, stage: Stage, installed: _Installed, image: str) -> Proposal | Refusal:
    line = stage.from_.start_line
    cut = cut_stage(build, stage, frozenset())
    if isinstance(cut, Refusal):
        return Refusal(ID, line, cut.reason, cut.cause_path, cut.cause_line)
    final = build.runs[stage.index].final
    root = final.cwd or "/"
    accounts = accounts_of(build, stage)
    paths = (*accounts.copies, *dict(accounts.homes), *((_PREFIX,) if installed.commands else ()), root)
    notes = [f"the whole of `{root}` is taken along"]
    entries = brought(build, stage)
    if installed.commands:
        notes.append(f"`{_PREFIX}` is taken along with all that pip has installed, and Python of the same version")
    if isinstance(entries, list) and serves_files(build.context, entries):
        notes.append(
            "it serves files: types of rare endings come from `/etc/mime.types`, which the new image may lack (`mimetypes`)"
        )
    return Proposal(
        ID,
        line,
        "the image is the one that packages are installed in, with compilers, git and the headers of libraries",
        tuple(cut.edits(image, [(path, path) for path in paths], dict(accounts.homes))),
        gain=gain(image),
        declared=WantedDifference(
            settings=frozenset(f"env {name}" for name in cut.dropped), runtime_stage=RuntimeStage(paths)
        ),
        risk=f"neither git nor curl nor a compiler is there any more; `--target {cut.name}` builds the image with them",
        notes=(*notes, NOTE),
    )
