"""What `bundle install` reads of a project and makes in it: Gemfile, lock file, settings, gems that lie in directories of the project."""

from __future__ import annotations

from dataclasses import dataclass

from dockopt.optimizer.ecosystems.ruby.calls import Call
from dockopt.optimizer.ecosystems.ruby.gemfile import read_gemfile
from dockopt.optimizer.ecosystems.ruby.gemspec import check_gem
from dockopt.optimizer.ecosystems.ruby.lockfile import misfit, parse_lock
from dockopt.optimizer.ecosystems.ruby.settings import Settings, app_config, settings_of
from dockopt.optimizer.ecosystems.view import FRESH_PROJECT, Obstacle, View
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import below, join, parents

LOCK_CURRENT = (
    "lock-current: Gemfile.lock fits the Gemfile, the platforms that are built for and the Bundler that is used, so that Bundler has no "
    "cause to write it anew"
)
GEM_BUILDS = (
    "gem-builds: gems and the extensions that they build leave alone what the Dockerfile copies from the context, and heed only variables "
    "that Ruby, Bundler and C's build tools document"
)
#: files by which version managers such as rbenv, asdf and mise choose a Ruby; official images have no such manager
_VERSION_FILES = (".ruby-version", ".tool-versions", "mise.toml", ".mise.toml", ".ruby-gemset", ".rvmrc")


@dataclass(frozen=True, slots=True)
class Project:
    """An installation as far as the project goes; paths are those of the image."""

    directory: str
    files: tuple[str, ...]
    absent: tuple[str, ...]
    trees: tuple[str, ...]
    #: directories in the project into which it installs
    outputs: tuple[str, ...]
    #: files in the project that it makes: settings, a lock file where there is none
    made: tuple[str, ...]
    #: why it writes the lock file anew (reason, file, line), None where nothing says so
    rewritten: tuple[str, str, int] | None
    relied_on: tuple[str, ...]
    assumptions: tuple[str, ...]
    variables: tuple[str, ...]
    world: World
    #: where gems are installed outside of the project, None where RubyGems decides
    place: str | None


def project_of(call: Call, view: View) -> Project:
    """Return what an installation reads and makes. Raises `Obstacle`."""
    around = view.around
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    gemfile_path = find_gemfile(view, call.values.get("--gemfile"))
    directory = gemfile_path.rpartition("/")[0] or "/"
    if directory == "/":
        raise Obstacle("the Gemfile lies in `/`, together with the system")
    view.assume(FRESH_PROJECT)
    view.assume(GEM_BUILDS)
    lock_path = _lock_path(gemfile_path)
    locked = view.has(lock_path)
    settings = settings_of(view, directory)
    _apply(call, settings)
    gemfile = read_gemfile(view, gemfile_path, around.cwd)
    if around.variable("GEM_HOME")[1] != "/usr/local/bundle":
        for name in _VERSION_FILES:
            for where in dict.fromkeys((around.cwd, directory)):
                view.has(join(where, name))
    trees = []
    for path, (source, line, certain) in gemfile.directories.items():
        trees += _local_gem(view, path, directory, source, line, certain=certain)
    _plugins(view, directory)
    trees += _cache(view, settings, call, directory)
    rewritten = None
    if locked:
        lock = parse_lock(view.lock_text(lock_path), lock_path)
        rewritten = None if settings.frozen else misfit(lock, gemfile)
        for local in lock.directories:
            if join(directory, local) not in gemfile.directories:
                raise Obstacle(f"the lock file takes gems from `{local}`, which the Gemfile does not name", lock_path)
        if not settings.frozen:
            view.assume(LOCK_CURRENT)
    elif settings.frozen:
        raise Obstacle(f"`{lock_path}` is not there, and without it a frozen installation fails", gemfile_path)
    outputs, place = _places(settings, directory, around.project_roots)
    made = _made(view, call, directory, lock_path, locked=locked)
    return Project(
        directory=directory,
        files=_ordered(view.files, gemfile_path, lock_path),
        absent=tuple(view.absent),
        trees=tuple(dict.fromkeys(trees)),
        outputs=outputs,
        made=made,
        rewritten=rewritten,
        relied_on=tuple(view.relied_on),
        assumptions=tuple(view.assumptions),
        variables=tuple(dict.fromkeys(gemfile.variables)),
        world=World.LOCKED if locked else World.REPOSITORY,
        place=place,
    )


def find_gemfile(view: View, option: str | None) -> str:
    """Return the Gemfile that Bundler uses in a working directory (`SharedHelpers.find_gemfile`)."""
    around = view.around
    here = around.cwd or "/"
    known, given = around.variable("BUNDLE_GEMFILE")
    if not known and "BUNDLE_GEMFILE" in around.assigned():
        raise Obstacle("`BUNDLE_GEMFILE` is not known before the build")
    if option or given:
        path = join(here, option or given or "")
        view.need(path)
        return path
    for place in (here, *reversed(parents(here))):
        for name in ("gems.rb", "Gemfile"):
            path = join(place, name)
            if view.has(path):
                return path
        if place not in around.project_roots and not any(below(place, root) for root in around.project_roots):
            break
    raise Obstacle("there is no Gemfile", "")


def _lock_path(gemfile: str) -> str:
    """Return the lock file of a Gemfile (`SharedHelpers.default_lockfile`)."""
    return gemfile.removesuffix("gems.rb") + "gems.locked" if gemfile.endswith("/gems.rb") else f"{gemfile}.lock"


def _apply(call: Call, settings: Settings) -> None:
    """Let options of the command count before all settings."""
    for option in ("deployment", "frozen", "clean"):
        if f"--{option}" in call.switches:
            settings.local[option] = "true"
    if "--no-deployment" in call.switches:
        settings.local |= {"deployment": "false", "frozen": "false"}
    if "--system" in call.switches:
        settings.local["path.system"] = "true"
    if "--path" in call.values:
        settings.local["path"] = call.values["--path"]


def _local_gem(view: View, path: str, directory: str, source: str, line: int, *, certain: bool) -> list[str]:
    """Return the directory of a gem of the project, to be copied as a whole."""
    if below(directory, path):
        raise Obstacle(f"the gem in `{path}` is the project itself, of which it may look at any file", source, line)
    if not any(below(path, root) for root in view.around.project_roots):
        return []  # somewhere in the image
    kind = view.kind(path)
    if kind == "absent":
        raise Obstacle(f"`{path}` is not there", source, line, path if certain else "")
    if kind != "directory":
        raise Obstacle(f"it is not certain what lies at `{path}`", source, line)
    check_gem(view, path)
    return [path]


def _plugins(view: View, directory: str) -> None:
    """Make sure that no plugin of Bundler is installed in the project."""
    view.require_absent(join(directory, ".bundle/plugin/index"), "plugins of Bundler in the project may do anything")


def _cache(view: View, settings: Settings, call: Call, directory: str) -> list[str]:
    """Return the directory of packed gems if there is one: Bundler installs from it and, unless it is frozen, writes it anew."""
    path = join(directory, settings.value("cache_path") or "vendor/cache")
    kind = view.kind(path)
    if kind == "absent":
        view.require_absent(path, "")
        return []
    if kind != "directory":
        raise Obstacle(f"it is not certain what lies at `{path}`", path)
    if not settings.frozen and "--no-cache" not in call.switches:
        raise Obstacle(
            f"Bundler brings `{path}` up to date after the installation; `BUNDLE_FROZEN=1` or `--no-cache` rules that out",
            "",
        )
    return [path]


def _places(settings: Settings, directory: str, roots: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """Return the directories in the project into which gems and programs are installed, and the one outside."""
    outputs, place = [], None
    if settings.is_on("clean"):
        raise Obstacle("it removes gems that the Gemfile does not ask for, whoever installed them")
    for value in (settings.path, settings.value("bin")):
        if value is None:
            continue
        path = join(directory, value)
        if not any(below(path, root) for root in roots):
            place = path if value == settings.path else place
        elif path in roots or path == directory:
            raise Obstacle(f"it installs among the files of the project, into `{path}`")
        else:
            outputs.append(path)
    return tuple(outputs), place


def _made(view: View, call: Call, directory: str, lock_path: str, *, locked: bool) -> tuple[str, ...]:
    made = [] if locked else [lock_path]
    config = app_config(view, directory)
    if call.remembers and config is not None and below(config, directory):
        made.append(config)
        # what is there is read, and stays
        if view.kind(config) == "absent":
            view.has(config)
    return tuple(made)


def _ordered(files: list[str], gemfile: str, lock: str) -> tuple[str, ...]:
    """Return files in the order in which people copy them: Gemfile, lock file, others."""
    return tuple(sorted(files, key=lambda path: (path != gemfile, path != lock)))
