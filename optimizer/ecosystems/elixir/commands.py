"""Command models of `mix`.

`deps.get` reads mix.exs, mix.lock and the mix.exs of local dependencies, and adds to `deps`; `deps.compile` reads the configuration as well
and adds to `_build`. Every task evaluates mix.exs and the configuration; where these are understood they compute values and nothing else,
so what `local.hex`, `local.rebar` and `deps.get` leave does not depend on them: their text becomes a frozen input of the proof. Every
other task is unknown: `mix compile`, `release` and the tasks of the project run its code.
"""

from __future__ import annotations

from collections.abc import Sequence

from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.elixir.calls import Call, calls_of
from dockopt.optimizer.ecosystems.elixir.project import Project, project_of
from dockopt.optimizer.ecosystems.view import Obstacle, sources_of
from dockopt.optimizer.effects import Effects, Kind, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join

LOCK_CURRENT = (
    "mix-lock-current: mix finds nothing to correct in mix.lock, whose entries are those that mix.exs asks for"
)
DEPENDENCIES_APART = (
    "dependencies-apart: the code of fetched dependencies that runs while these are compiled reads nothing of the project but its "
    "configuration, and downloads nothing but what it knows the checksum of"
)
_INSTALLS = frozenset({"deps.get", "deps.compile"})


def mix(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one `mix` command."""
    calls = calls_of(invocation.argv)
    if isinstance(calls, str):
        return unknown(calls)
    home = home_of(around)
    if any(below(place, root) for place in home for root in (*around.project_roots, around.cwd or "/")):
        return unknown("mix keeps archives and packages in the project, below the home directory")
    missing = join(around.cwd, "mix.exs") if around.cwd is not None else ""
    tools_only = not any(call.task in _INSTALLS for call in calls)
    if missing and around.kind(missing) == "absent":
        return _tools(None, around, home) if tools_only else unknown("there is no mix.exs", [missing])
    try:
        project = project_of(around)
    except Obstacle as obstacle:
        return unknown(obstacle.reason)
    if tools_only:
        return _tools(project, around, home)
    problem = problem_of(project, calls)
    if problem is not None:
        return unknown(problem.reason)
    return _installation(project, calls, around, home)


def problem_of(project: Project, calls: Sequence[Call]) -> Obstacle | None:
    """Return why it cannot be told what an installation reads although its files are understood."""
    compiles = [call for call in calls if call.task == "deps.compile"]
    if project.local is not None:
        name, line = project.local
        option = "--skip-umbrella-children" if project.umbrella else "--skip-local-deps"
        if any(option not in call.options for call in compiles):
            return Obstacle(
                f"`deps.compile` compiles `{name}`, which is code of the project; `{option}` leaves that to `mix compile`",
                project.manifests[0],
                line,
            )
    for name, locked in (project.lock or {}).items():
        if not locked.hashed:
            return Obstacle(f"the entry of `{name}` has no checksums", project.lock_path)
    return None


def home_of(around: Surroundings) -> tuple[str, ...]:
    """Return where mix, Hex and rebar3 keep archives, packages and settings: the home directory, or those in which it surely lies.

    `MIX_HOME` and `HEX_HOME` (Mix, "Environment variables"; Hex, "Environment variables"), `REBAR_CACHE_DIR` (rebar3.org).
    """
    named = []
    for name in ("MIX_HOME", "HEX_HOME", "REBAR_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        known, value = around.variable(name)
        if known and value:
            named.append(join(around.cwd or "/", value))
    known, home = around.variable("HOME")
    if known and home:
        return (join("/", home), *named)
    return ("/root", *named) if around.user in ("root", "0") else ("/home", "/root", *named)


def _left(around: Surroundings, home: tuple[str, ...]) -> Write:
    inner = [root for root in around.project_roots if any(below(root, place) for place in (*home, "/tmp"))]
    return Write(Kind.MAY, Region(tuple(sorted({*home, "/tmp"}))).minus(*inner))


def _tools(project: Project | None, around: Surroundings, home: tuple[str, ...]) -> Effects:
    """Return the effects of `local.hex` and `local.rebar`: the newest version comes, into the home directory."""
    return Effects(
        reads=EVERYTHING.minus(*sources_of(around, around.cwd or "/", home)),
        writes=(_left(around, home),),
        world=World.REPOSITORY,
        relied_on=() if project is None else _relied_on(project, around),
        assumptions=() if project is None else tuple(project.view.assumptions),
    )


def _installation(project: Project, calls: Sequence[Call], around: Surroundings, home: tuple[str, ...]) -> Effects:
    compiles = any(call.task == "deps.compile" for call in calls)
    probes = [*project.manifests, *project.absent]
    assumptions = list(project.view.assumptions)
    writes = [Write(Kind.TREE, Region((project.deps,))), _left(around, home)]
    if compiles:
        probes += [*project.configuration, *project.unconfigured]
        writes.append(Write(Kind.TREE, Region((project.build,))))
        assumptions.append(DEPENDENCIES_APART)
    if any(call.task == "deps.get" for call in calls):
        # Elixir before 1.15 passes over `--check-locked`, so that changes nothing here
        if project.lock is None and project.fetches:
            writes.append(Write(Kind.NEW, Region((project.lock_path,))))
        elif project.stale is not None:
            writes.append(Write(Kind.SET, Region((project.lock_path,))))
        elif project.fetches:
            assumptions.append(LOCK_CURRENT)
    unlocked = project.lock is None and project.fetches
    tools = any(call.task not in _INSTALLS for call in calls)
    return Effects(
        reads=EVERYTHING.minus(*sources_of(around, project.directory, home), project.directory),
        probes=tuple(probes),
        trees=(project.deps, project.build),
        # mix.exs and the code of dependencies may ask for any of them
        variables=None,
        writes=tuple(writes),
        world=World.REPOSITORY if unlocked or tools else World.LOCKED,
        relied_on=_relied_on(project, around),
        assumptions=tuple(assumptions),
    )


def _relied_on(project: Project, around: Surroundings) -> tuple[str, ...]:
    return tuple(p for path in project.view.relied_on if (p := around.context_path(path)) is not None)
