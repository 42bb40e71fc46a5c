"""Which files of a project `mix deps.get` and `mix deps.compile` look at, and where they put what they make.

Before any task mix evaluates `mix.exs` of the working directory and the configuration for the environment (`Mix.CLI`,
`Mix.Tasks.Loadconfig`); then `mix.exs` of every dependency that is a directory and of every app of an umbrella (`Mix.Dep.Loader`,
`Mix.Dep.Umbrella`). `config/runtime.exs` is read by no task that is modelled here. `tests/ecosystems/elixir/test_facts.py` asks mix.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.elixir.lock import Locked, out_of_step, read_lock
from dockopt.optimizer.ecosystems.elixir.source import Dependency, Source, read_config, read_mix_exs
from dockopt.optimizer.ecosystems.elixir.tokens import NotElixir
from dockopt.optimizer.ecosystems.view import FRESH_PROJECT, Obstacle, View
from dockopt.optimizer.regions import join

#: variables that lead mix, Hex or Erlang to other files (Mix, "Environment variables"; Hex.State; erl(1))
_STEERING = (
    "MIX_EXS MIX_DEPS_PATH MIX_BUILD_PATH MIX_BUILD_ROOT MIX_PATH MIX_ARCHIVES ERL_LIBS ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS "
    "ELIXIR_ERL_OPTIONS HEX_OFFLINE".split()
)
NO_COMPILED_MODULES = (
    "no-compiled-modules: no compiled module (`*.beam`) lies in the working directory, where Erlang looks for its own"
)


@dataclass
class Project:
    """What mix looks at; paths are those of the image."""

    directory: str
    view: View
    deps: str
    build: str
    #: what `deps.get` reads, mix.exs first
    manifests: list[str] = field(default_factory=list)
    #: files that every task evaluates and `deps.compile` depends on
    configuration: list[str] = field(default_factory=list)
    #: what either looks for and does not find
    absent: list[str] = field(default_factory=list)
    unconfigured: list[str] = field(default_factory=list)
    dependencies: list[Dependency] = field(default_factory=list)
    lock_path: str = ""
    #: None if there is no lock file
    lock: dict[str, Locked] | None = None
    #: why the lock file would be written anew, and the line of mix.exs
    stale: tuple[str, int] | None = None
    #: a local dependency, or an app of the umbrella, with its line: code of the project
    local: tuple[str, int] | None = None
    umbrella: bool = False

    @property
    def fetches(self) -> bool:
        """Tell whether anything is fetched."""
        return any(dependency.kind != "local" for dependency in self.dependencies)


def project_of(around: Surroundings) -> Project:
    """Return the project of the working directory. Raises `Obstacle`."""
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    directory = around.cwd
    if directory == "/":
        raise Obstacle("the project lies in `/`, together with the system")
    for name in _STEERING:
        known, value = around.variable(name)
        if known and value:
            raise Obstacle(f"the variable `{name}` makes it work in another way")
    view = View(around)
    view.assume(FRESH_PROJECT)
    view.assume(NO_COMPILED_MODULES)
    path = join(directory, "mix.exs")
    view.need(path)
    source = _mix_exs(view, path)
    project = Project(directory, view, _place(source, directory, "deps_path", "deps"), "")
    project.build = _place(source, directory, "build_path", "_build")
    project.manifests.append(path)
    _files(view, source, directory, project)
    if source.umbrella:
        raise Obstacle("it runs in an app of an umbrella", path, source.umbrella)
    project.dependencies += source.dependencies
    _lock_text(project, source)
    _umbrella(project, source, path)
    for dependency in source.dependencies:
        if dependency.kind == "local":
            project.local = project.local or (dependency.name, dependency.line)
    _local(project, source, directory, path, set())
    if project.lock is not None:
        project.stale = out_of_step(project.dependencies, project.lock)
    _configuration(project, source)
    return project


def _mix_exs(view: View, path: str) -> Source:
    text = view.text(path)
    try:
        return read_mix_exs(text)
    except NotElixir as stop:
        raise Obstacle(f"`{path}` is not understood: {stop.reason}", path, stop.line) from stop


def _place(source: Source, directory: str, name: str, default: str) -> str:
    value, line = source.places.get(name, (default, 0))
    place = join(directory, value)
    if value.startswith("/") or not place.startswith(directory + "/"):
        raise Obstacle(f"`{name}` leads out of the project", join(directory, "mix.exs"), line)
    return place


def _files(view: View, source: Source, directory: str, project: Project) -> None:
    """Note the files that a script names itself."""
    for name, _ in source.files:
        _look(view, join(directory, name), project.manifests, project.absent)


def _look(view: View, path: str, files: list[str], absent: list[str]) -> bool:
    found = view.has(path)
    notes = files if found else absent
    if path not in notes:
        notes.append(path)
    return found


def _lock_text(project: Project, source: Source) -> None:
    value, line = source.places.get("lockfile", ("mix.lock", 0))
    if value.startswith("/"):
        raise Obstacle("`lockfile` is no relative path", project.manifests[0], line)
    path = project.lock_path = join(project.directory, value)
    view = project.view
    if not _look(view, path, project.manifests, project.absent):
        return
    text = view.lock_text(path)
    try:
        project.lock = dict(read_lock(text))
    except NotElixir as stop:
        raise Obstacle(f"`{path}` is not understood: {stop.reason}", path, stop.line) from stop


def _umbrella(project: Project, source: Source, path: str) -> None:
    """Follow the apps of an umbrella: every directory below `apps_path` with a mix.exs (`Mix.Project.apps_paths`)."""
    if "apps_path" not in source.places:
        return
    value, line = source.places["apps_path"]
    apps = join(project.directory, value)
    view = project.view
    if view.kind(apps) != "directory" or value.startswith("/"):
        raise Obstacle(f"what lies in `{apps}` is not certain", path, line)
    project.umbrella = True
    for name in view.listing(apps):
        directory = join(apps, name)
        if view.kind(join(directory, "mix.exs")) == "absent":
            # no app; that it is none is part of what was asked about the context, and so of the frozen inputs
            continue
        _look(view, join(directory, "mix.exs"), project.manifests, project.absent)
        project.local = project.local or (name, line)
        # the settings of an app for places do not count: those of the umbrella apply (`Mix.Dep.in_dependency`)
        app = _mix_exs(view, join(directory, "mix.exs"))
        project.dependencies += [d for d in app.dependencies if d.kind != "local"]
        project.dependencies.append(Dependency(name, "", line, "local"))
        _files(view, app, directory, project)
        _local(project, app, directory, join(directory, "mix.exs"), set())


def _local(project: Project, source: Source, directory: str, path: str, seen: set[str]) -> None:
    """Follow dependencies that are directories, and those of these. A directory that is not there changes nothing for `deps.get`."""
    view = project.view
    for value, line in source.paths:
        place = join(directory, value)
        if value.startswith("/"):
            raise Obstacle(f"the path `{value}` of a dependency is absolute", path, line)
        if place in seen or place == project.directory:
            continue
        seen.add(place)
        manifest = join(place, "mix.exs")
        if not _look(view, manifest, project.manifests, project.absent):
            for name in ("rebar.config", "rebar.config.script", "rebar.lock", "rebar"):
                other = join(place, name)
                view.require_absent(other, f"the dependency in `{place}` is built by rebar3")
                project.absent.append(other)
            continue
        inner = _mix_exs(view, manifest)
        project.dependencies += inner.dependencies
        _files(view, inner, place, project)
        _local(project, inner, place, manifest, seen)


def _configuration(project: Project, source: Source) -> None:
    """Follow the configuration from `config_path` on, for the environment that is set, or for every one that there is a file for."""
    value, line = source.places.get("config_path", ("config/config.exs", 0))
    path = join(project.directory, value)
    if value.startswith("/"):
        raise Obstacle("`config_path` is no relative path", project.manifests[0], line)
    known, environment = project.view.around.variable("MIX_ENV")
    one = None if source.chooses_environment or not known else environment or "dev"
    _config_file(project, path, one, set(), needed=False)


def _config_file(project: Project, path: str, environment: str | None, seen: set[str], *, needed: bool) -> None:
    if path in seen:
        return
    seen.add(path)
    view = project.view
    if not _look(view, path, project.configuration, project.unconfigured):
        if needed:
            raise Obstacle(f"`{path}` is imported and is not there", path)
        return
    text = view.text(path)
    try:
        source = read_config(text)
    except NotElixir as stop:
        raise Obstacle(f"`{path}` is not understood: {stop.reason}", path, stop.line) from stop
    for name, _ in source.files:
        _look(view, join(project.directory, name), project.configuration, project.unconfigured)
    directory = path.rpartition("/")[0]
    for name, line in source.imports:
        if name.startswith("/"):
            raise Obstacle("it imports a file by an absolute path", path, line)
        if "{}" not in name or environment is not None:
            _config_file(
                project, join(directory, name.replace("{}", environment or "")), environment, seen, needed=True
            )
            continue
        if name.count("{}") != 1 or "/" in name:
            raise Obstacle("which file is imported depends on MIX_ENV, which is not known", path, line)
        before, _, after = name.partition("{}")
        for other in view.listing(directory):
            if other.startswith(before) and other.endswith(after) and other != "runtime.exs":
                _config_file(project, join(directory, other), environment, seen, needed=True)
