"""`mvn dependency:go-offline`: which commands are it or need it, and what it reads of a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.ecosystems.maven.arguments import CommandLine, read
from dockopt.optimizer.ecosystems.maven.commands import (
    HOME,
    RESOLVING,
    USER_SETTINGS,
    WRAPPER_CACHE,
    Places,
    local_repository,
    places_of,
)
from dockopt.optimizer.ecosystems.maven.project import NotCertain, check_settings
from dockopt.optimizer.regions import Region, below
from dockopt.optimizer.symbolic.run import surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed

#: phases of the default lifecycle that need what the project depends on (maven.apache.org/ref/3.9/maven-core/lifecycles.html)
_PHASES = frozenset(
    "compile process-classes generate-test-sources process-test-sources generate-test-resources process-test-resources "
    "test-compile process-test-classes test prepare-package package pre-integration-test integration-test "
    "post-integration-test verify install deploy".split()
)
_SETTINGS = f"{HOME}/.m2"
_STARTS_MAVEN = re.compile(r"\bmvnw?\s+[\w-]")


def caches(around: Surroundings) -> tuple[str, ...]:
    """Return Maven's local repository, () where that is not certain."""
    repository = local_repository(around)
    if around.context_path(USER_SETTINGS) is not None and check_settings(around, USER_SETTINGS) is not None:
        return ()
    return () if repository is None else (repository, WRAPPER_CACHE)


def is_install(command: Executed) -> bool:
    """Tell whether a command only resolves what a project depends on."""
    line = _line(command)
    return line is not None and _only_resolves(line)


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return the `mvn dependency:go-offline` that a command is or needs."""
    line = _line(command)
    if line is None:
        return _elsewhere(command)
    if line.problem is not None:
        return Cause(line.problem, "", command.line)
    itself = _only_resolves(line)
    if not itself and not _PHASES & set(line.goals):
        return None
    if any(mount.type == "bind" for mount in command.instruction.mounts):
        return Cause("it works on files that are mounted for it", "", command.line)
    filled = None if itself else _filled(command, executor)
    if filled is not None:
        return filled
    around = surroundings_of(command, executor)
    try:
        places = places_of(line, around, _program(command))
    except NotCertain as error:
        return _cause(error, around, command)
    if not itself:
        problem = _inserted(line, places, command, around)
        if problem is not None:
            return problem
    return Install(
        "maven",
        "Maven artifacts",
        " ".join([_program(command), *line.options, "dependency:go-offline"]),
        command.cwd or "/",
        places.files,
        places.caches,
        itself,
        trees=places.project.trees,
        locked=places.project.moving is None,
    )


def _line(command: Executed) -> CommandLine | None:
    if _program(command).rsplit("/", 1)[-1] not in ("mvn", "mvnw"):
        return None
    words = command.text.split()
    # the words as they are written, where white space surely stands between them only
    raw = words if len(words) == len(command.argv) else [word or "an argument" for word in command.argv]
    return read(command.argv[1:], raw[1:])


def _program(command: Executed) -> str:
    return (command.argv[0] or "") if command.argv else ""


def _only_resolves(line: CommandLine) -> bool:
    goals = line.dependency_goals
    return line.problem is None and bool(goals) and len(goals) == len(line.goals) and set(goals) <= RESOLVING


def _elsewhere(command: Executed) -> Cause | None:
    """Return why a command that starts Maven in another way is left alone."""
    if not command.argv and _STARTS_MAVEN.search(command.text):
        why = command.effects.unknown or "its commands cannot be told apart"
        return Cause(f"it starts Maven in a script that is not understood: {why}", "", command.line)
    return None


def _cause(error: NotCertain, around: Surroundings, command: Executed) -> Cause:
    path = around.context_path(error.path) if error.path else None
    return Cause(error.reason, path or "", error.line if path else command.line)


def _inserted(line: CommandLine, places: Places, command: Executed, around: Surroundings) -> Cause | None:
    """Return why `mvn dependency:go-offline` could fail, or do harm, where the build itself did not."""
    project = places.project
    pom = around.context_path(project.files[0]) or ""
    if line.offline:
        return Cause("`--offline` keeps it from downloading anything", "", command.line)
    if project.pom.modules:
        # maven-dependency-plugin 2.8, the default of Maven 3, fails there (3.8.1 does not): what is not built yet is in no repository
        reason = "the project has modules: `mvn dependency:go-offline` would look for them in repositories"
        return Cause(reason, pom, project.pom.modules[0].line)
    if "projects" in line.values:
        return Cause("`--projects` selects modules", "", command.line)
    if project.moving is not None:
        return _cause(project.moving, around, command)
    if places.repository is None:
        return Cause(
            "where Maven keeps downloads is not known (its settings or options of Java decide)", "", command.line
        )
    if any(mount.type != "cache" and _touches(mount.target) for mount in command.instruction.mounts):
        return Cause("settings of Maven are mounted for it", "", command.line)
    return None


def _touches(target: str | None) -> bool:
    return target is None or "$" in target or below(target, _SETTINGS) or below(_SETTINGS, target)


def _filled(command: Executed, executor: Executor) -> Cause | None:
    """Return what may have put artifacts of its own into the local repository, which no other repository has."""
    repository = Region((f"{_SETTINGS}/repository",))
    for op in command.before.files.affecting(repository):
        if op.kind == "overlay" or "`COPY " in op.label or "`ADD " in op.label:
            return Cause(f"{op.label} may bring artifacts that are in no other repository", "", op.line)
    for other in executor.executed:
        is_above = other.stage == command.stage and other.instruction.index < command.instruction.index
        if is_above and other.effects.unknown is not None:
            reason = f"line {other.line} may install artifacts that this build needs: {other.effects.unknown}"
            return Cause(reason, "", other.line)
    return None
