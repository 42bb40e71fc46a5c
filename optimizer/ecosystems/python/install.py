"""Python: which commands install what files of the project list, and what they read of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockopt.optimizer.commands.arguments import NotUnderstood
from dockopt.optimizer.commands.registry import Invocation
from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.ecosystems.python.building import project_build
from dockopt.optimizer.ecosystems.python.commands import is_tool, step_of
from dockopt.optimizer.ecosystems.python.step import Step
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import below, relative
from dockopt.optimizer.symbolic.run import surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed

_BUILDERS = ("uv", "poetry", "pdm", "hatch", "flit", "maturin")
#: a command of a script that installs what files of the project list
_INSTALLS = re.compile(
    r"\bpip[0-9.]*\s+install\b[^\n;&|]*\s(-r|--requirement|-e|--group|\.)|\b(poetry|pdm|pipenv)\s+(install|sync)\b|\buv\s+sync\b"
)
_LISTS = ("-r", "--requirement", "-e", "--editable", "--group", "-f", "--file", ".", "./")


def caches(_around: Surroundings) -> tuple[str, ...]:
    """Return nothing: wheels that pip built and kept depend on what was installed when it did."""
    return ()


def is_install(command: Executed) -> bool:
    """Tell whether a command installs what files of the project list, or the project itself."""
    words = _words(command)
    if words is None:
        return False
    name, *rest = words
    if name == "pip":
        if rest[:1] not in (["install"], ["wheel"], ["download"]):
            return False
        return any(w in _LISTS or w.startswith(("-r", "--requirement=", "--group=", ".", "-e")) for w in rest[1:])
    if name == "setup.py":
        return any(word in ("install", "develop") for word in rest)
    if name in ("poetry", "pdm", "pipenv"):
        return rest[:1] in (["install"], ["sync"]) and not any(
            w[:1].isalpha() for w in _operands(rest[1:]) if name != "pdm"
        )
    if name == "uv":
        return rest[:1] == ["sync"]
    return any(w in ("-f", "--file") or w.startswith(("--file=", "-f")) for w in rest)


def _operands(words: list[str]) -> list[str]:
    """Return the words that are no options, values of options left out (`--only main`)."""
    found, skip = [], False
    for word in words:
        if not skip and not word.startswith("-"):
            found.append(word)
        skip = word in (
            "--only",
            "--with",
            "--without",
            "-E",
            "--extras",
            "-C",
            "--directory",
            "-P",
            "--project",
            "--categories",
        )
    return found


def _words(command: Executed) -> list[str] | None:
    """Return the tool and its subcommand without options before it; None for other programs."""
    words = [word or "" for word in command.argv]
    if not words or not is_tool(command.name.rsplit("/", 1)[-1]):
        return None
    name = words[0].rsplit("/", 1)[-1]
    rest = words[1:]
    if name.startswith("python"):
        while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c"):
            rest.pop(0)
        if rest[:1] == ["-m"] and len(rest) > 1:
            name, rest = rest[1], rest[2:]
        elif rest and rest[0].endswith("setup.py"):
            name, rest = "setup.py", rest[1:]
        else:
            return None
    while rest and rest[0].startswith("-"):
        rest.pop(0)
    if name.startswith("pip") and name != "pipenv":
        name = "pip"
    if name == "uv" and rest[:1] == ["pip"]:
        name, rest = "pip", rest[1:]
        if rest[:1] == ["sync"]:
            return ["pip", "install", "-r", *rest[1:]]
    if name in ("venv", "compileall", "virtualenv", "ensurepip") or name not in (
        "pip", "setup.py", "poetry", "pdm", "pipenv", "uv", "conda", "mamba", "micromamba",
    ):  # fmt: skip
        return None
    return [name, *rest]


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return the installation that a command is."""
    if not is_install(command):
        return _hidden(command) or _building(command, executor)
    found = _step(command, executor)
    if isinstance(found, Cause):
        return found
    if not found.install:
        return None
    outputs = tuple(dict.fromkeys((*found.outputs, *found.place.inside)))
    problem = _misplaced(found, command) or _merged(outputs, command, executor)
    if problem is not None:
        return problem
    return Install(
        "python",
        "Python packages",
        found.install,
        command.cwd or "/",
        found.files,
        (),
        True,
        trees=found.trees,
        outputs=outputs,
        activity="installation",
        locked=found.world <= World.LOCKED,
    )


def _hidden(command: Executed) -> Cause | None:
    """Return why an installation in a script that is not taken apart stays where it is."""
    if command.argv or _INSTALLS.search(command.text) is None:
        return None
    why = command.effects.unknown or "its commands cannot be told apart"
    return Cause(f"it installs Python packages in a script that is not understood: {why}", "", command.line)


def _building(command: Executed, executor: Executor) -> Cause | None:
    """Return why a command that builds the project, and by the way installs what it needs, stays where it is."""
    words = [word or "" for word in command.argv]
    name = words[0].rsplit("/", 1)[-1] if words else ""
    subcommand = next((word for word in words[1:] if not word.startswith("-")), "")
    if words[1:3] == ["-m", "build"] and name.startswith("python"):
        shown = "python -m build"
    elif (name in _BUILDERS and subcommand == "build") or (name == "maturin" and subcommand in ("build", "develop")):
        shown = f"{name} {subcommand}"
    else:
        return None
    around = surroundings_of(command, executor)
    if command.cwd is None:
        return None
    return _located(project_build(around, command.cwd, shown), around, command)


def _misplaced(step: Step, command: Executed) -> Cause | None:
    """Return why an installation cannot move although it is understood."""
    roots = step.place.roots
    if any(mount.type == "bind" and not mount.from_ for mount in command.instruction.mounts):
        return Cause("it works on files that are mounted for it", "", command.line)
    if not all(step.place.is_inside(path) for path in step.files) and not roots:
        return Cause(
            "the project is copied among the directories of the system, where the installation looks too",
            "",
            command.line,
        )
    return None


def _merged(outputs: tuple[str, ...], command: Executed, executor: Executor) -> Cause | None:
    """Return why what an installation makes may be mixed with what a build machine has there.

    A package manager takes an environment that it finds and completes it, so the ignore file has to keep it out from the start.
    """
    for op in command.before.files.ops:
        if op.kind != "overlay" or op.source is None or op.source.pattern is not None:
            continue
        for path in outputs:
            rel = f"{op.source.path}/{relative(path, op.path)}".strip("/")
            if below(path, op.path) and not executor.files.excluded(rel):
                reason = f"`{rel}` of a build machine may be copied to where it installs; `{rel}` in the ignore file rules that out"
                return Cause(reason, "", op.line)
    return None


def _step(command: Executed, executor: Executor) -> Step | Cause:
    around = surroundings_of(command, executor)
    # of a word that only the build knows, the model has seen how it is written; here it counts as quoted
    raw = tuple('"?"' if word is None else word for word in command.argv)
    try:
        step = step_of(Invocation(command.argv, raw, command.line), around)
    except NotUnderstood as reason:
        if not isinstance(reason, Obstacle) and command.effects.unknown is not None:
            # the model saw the words as they are written
            return Cause(command.effects.unknown, "", command.line)
        return _located(reason, around, command)
    if command.effects.unknown is not None:
        return Cause(command.effects.unknown, "", command.line)
    if step is None:
        return Cause("it is not understood", "", command.line)
    if step.free is not None:
        why, path, line = step.free
        where = around.context_path(path) if path else None
        return Cause(f"{why}, so it must not be reused longer", where or "", line if where else command.line)
    return step


def _located(reason: NotUnderstood, around: Surroundings, command: Executed) -> Cause:
    if not isinstance(reason, Obstacle):
        return Cause(str(reason), "", command.line)
    path = around.context_path(reason.path) if reason.path else None
    if reason.path and path is None:
        writer = command.before.files.last_writer(reason.path)
        if writer is not None and "does not surely come" in reason.reason:
            return Cause(f"{writer.label} may have made or changed `{reason.path}`", "", writer.line)
    return Cause(reason.reason, path or "", reason.line if path else command.line)
