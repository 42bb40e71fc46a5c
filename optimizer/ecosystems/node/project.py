"""What the installation of a project reads and makes: manifests, lock files, settings, patches, and what its scripts need."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.node import dependencies, locks, settings
from dockopt.optimizer.ecosystems.node.calls import Call
from dockopt.optimizer.ecosystems.node.environment import with_environment
from dockopt.optimizer.ecosystems.node.javascript import load
from dockopt.optimizer.ecosystems.node.packages import Package, package_at
from dockopt.optimizer.ecosystems.node.scripts import Reading, lifecycle
from dockopt.optimizer.ecosystems.node.workspaces import Local, local_packages, members_of
from dockopt.optimizer.ecosystems.view import FRESH_PROJECT, Obstacle, View
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import join, parents

LOCK_CURRENT = "lock-current: the package manager finds nothing to correct in the lock file, whose dependencies are those of the manifests"
NO_AUTO_PIN = "no-auto-pin: no Corepack older than 0.30 runs, which would add `packageManager` to package.json"
_LOCKS = {
    "npm": ("npm-shrinkwrap.json", "package-lock.json"),
    "yarn": ("yarn.lock",),
    "berry": ("yarn.lock",),
    "pnpm": ("pnpm-lock.yaml",),
    "bun": ("bun.lock", "bun.lockb"),
}
#: the file that an installation makes where there is none
_MADE = {"npm": ("package-lock.json",), "yarn": ("yarn.lock",), "berry": ("yarn.lock",), "pnpm": ("pnpm-lock.yaml",)}


@dataclass(frozen=True, slots=True)
class Project:
    """An installation as far as the project goes; paths are those of the image."""

    manager: str
    directory: str
    files: tuple[str, ...]
    absent: tuple[str, ...]
    trees: tuple[str, ...]
    #: what it makes: node_modules of all packages
    outputs: tuple[str, ...]
    #: lock files that it makes because there is none
    made: tuple[str, ...]
    #: why it writes a lock file anew, and which; None if it does not
    rewritten: tuple[str, str] | None
    relied_on: tuple[str, ...]
    assumptions: tuple[str, ...]
    variables: tuple[str, ...]
    world: World
    #: scripts of the project run: every variable may matter
    runs_scripts: bool
    #: it removes what it finds in its outputs instead of building on it (`npm ci`, for that of the root)
    removes: tuple[str, ...] = ()


def project_of(call: Call, around: Surroundings) -> Project:
    """Return what an installation reads and makes. Raises `Obstacle`."""
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    view = View(around)
    directory = _root(view, join(around.cwd, call.directory), call.manager)
    if directory == "/":
        raise Obstacle("the package lies in `/`, together with the system")
    view.assume(FRESH_PROJECT)
    root = package_at(view, directory)
    found = settings.Settings()
    manager = _settings(view, root, call, found)
    if manager == "yarn" and call.immutable:
        call = replace(call, frozen=None)
    call = with_environment(call, around, found)
    patterns = list(found.patterns) if manager == "pnpm" else root.workspace_patterns
    local = local_packages(view, root, patterns, "npm" if manager == "npm" else manager)
    lock = _lock(view, call, manager, local, root)
    _injected(local)
    _programs(view, local)
    reading = Reading([*local.copied])
    _patches(view, root, manager, found, reading)
    if not (call.ignore_scripts or found.ignore_scripts):
        lifecycle(view, local.packages, manager, reading)
        dependencies.follow(view, local.packages, lock.names if lock is not None else frozenset(), reading)
    outputs = _outputs(local, manager, found)
    made = _made(view, call, manager, root, lock)
    rewritten = None
    if lock is not None and lock.stale is not None and not call.frozen:
        rewritten = (lock.path, lock.stale)
    elif lock is not None and not call.frozen:
        view.assume(LOCK_CURRENT)
    world = World.LOCKED if lock is not None and not reading.asks_registry else World.REPOSITORY
    if manager in ("yarn", "berry", "pnpm") and not root.package_manager and not found.yarn_path:
        if around.kind(f"/usr/local/bin/{call.manager}") == "file" or call.corepack:
            # Corepack's links are the only files there of which a model knows
            world = World.REPOSITORY
        view.assume(NO_AUTO_PIN)
    return Project(
        manager=manager,
        directory=directory,
        files=_ordered(view.files, directory),
        absent=tuple(view.absent),
        trees=tuple(dict.fromkeys(reading.trees)),
        outputs=outputs,
        made=made,
        rewritten=rewritten,
        relied_on=tuple(view.relied_on),
        assumptions=tuple(view.assumptions),
        variables=tuple(dict.fromkeys(found.variables)),
        world=world,
        runs_scripts=reading.runs,
        removes=(join(directory, "node_modules"),) if call.action == "ci" and manager == "npm" else (),
    )


def _ordered(files: list[str], directory: str) -> tuple[str, ...]:
    """Return files in the order in which people copy them: package.json, the lock file, settings, then what lies deeper."""
    locks_ = {name for names in _LOCKS.values() for name in names}

    def rank(path: str) -> tuple[int, int]:
        head, _, name = path.rpartition("/")
        own = head == directory
        return (0 if own else 1), (0 if name == "package.json" else 1 if name in locks_ else 2) if own else 0

    return tuple(sorted(files, key=rank))


def _root(view: View, start: str, manager: str) -> str:
    """Return the directory whose project is installed: the nearest with a package.json, or the workspace that it belongs to.

    npm: @npmcli/config, loadLocalPrefix; yarn 1: util/find-workspace-root; pnpm: find-workspace-dir; bun: PackageManager.init.
    """
    candidates = [start, *reversed(parents(start)), "/"]
    if manager == "pnpm":
        workspace = next((d for d in candidates if _is_there(view, join(d, "pnpm-workspace.yaml"))), None)
        if workspace is not None:
            return workspace
        return next((d for d in candidates if _is_there(view, join(d, "package.json"))), start)
    nearest = next((d for d in candidates if _is_there(view, join(d, "package.json"))), start)
    for directory in reversed(parents(join(nearest, "x"))[:-1]):
        path = join(directory, "package.json")
        if not _is_there(view, path):
            continue
        above = Package(path, directory, view.json(path))
        if above.workspace_patterns and nearest in members_of(view, directory, above.workspace_patterns):
            return directory
    return nearest


def _is_there(view: View, path: str) -> bool:
    kind = view.kind(path)
    if kind == "unknown":
        raise Obstacle(f"it is not certain what lies at `{path}`", path)
    return kind == "file"


def _settings(view: View, root: Package, call: Call, found: settings.Settings) -> str:
    """Read the settings of a project and return its package manager, "berry" for yarn 2 and later."""
    directory, manager = root.directory, call.manager
    if manager in ("npm", "pnpm"):
        settings.read_npmrc(view, directory, found)
    if manager == "pnpm":
        if settings.read_pnpm_workspace(view, directory, found):
            for name in ("workspaces",):
                root.raw.pop(name, None)
        for name in ("package.yaml", "package.json5", ".modules.yaml"):
            view.require_absent(join(directory, name), f"`{directory}/{name}` is not followed")
    elif manager == "yarn":
        manager = _yarn(view, root, found)
        if manager == "yarn":
            settings.read_npmrc(view, directory, found)
    elif manager == "bun":
        settings.read_npmrc(view, directory, found)
        settings.read_bunfig(view, directory, found)
        for name in (".env", ".env.local", ".env.development", ".env.production"):
            path = join(directory, name)
            view.require_absent(path, f"bun reads `{path}`, which may or may not be there; add it to the ignore file")
    if manager == "berry":
        view.require_absent(
            join(directory, ".env.yarn"), f"yarn 4 and later read variables from `{directory}/.env.yarn`"
        )
    _nothing_above(view, root, manager)
    if manager in ("berry", "pnpm", "yarn"):
        view.require_absent(
            join(directory, ".corepack.env"), f"Corepack reads settings from `{directory}/.corepack.env`"
        )
    return manager


def _nothing_above(view: View, root: Package, manager: str) -> None:
    """Refuse files above the project that decide about it: settings of yarn, which looks for them up to `/`, and Corepack's version.

    yarn 1: registries/base-registry.js, rc.js; later versions: Configuration.find; Corepack: specUtils.ts, loadSpec.
    """
    names = {"yarn": (".yarnrc", ".yarnrc.yml", ".npmrc"), "berry": (".yarnrc.yml",)}.get(manager, ())
    for directory in ("/", *parents(root.directory)):
        for name in names:
            path = join(directory, name)
            view.require_absent(path, f"yarn heeds `{path}` above the project, too")
        path = join(directory, "package.json")
        if manager not in ("npm", "bun") and not root.package_manager and _is_there(view, path):
            above = view.json(path)
            if "packageManager" in above or "devEngines" in above:
                raise Obstacle(f"`{path}` above the project says which package manager runs", path)


def _yarn(view: View, root: Package, found: settings.Settings) -> str:
    """Read yarn's settings and tell yarn 1 ("yarn") from later versions ("berry")."""
    directory = root.directory
    rc = settings.read_berry(view, directory, found)
    pinned = re.match(r"yarn@(\d+)\.", root.package_manager)
    released = re.search(r"yarn-(berry|\d+)[^/]*\.c?js$", found.yarn_path)
    if released is not None:
        major = released.group(1)
    elif found.yarn_path:
        raise Obstacle(f"which version of yarn `{found.yarn_path}` is cannot be told", join(directory, ".yarnrc.yml"))
    else:
        major = pinned.group(1) if pinned is not None else ""
    if major in ("0", "1") or (not major and not rc):
        settings.read_yarnrc(view, directory, found)
        view.has(join(directory, ".yarnclean"))
        return "yarn"
    if not major:
        raise Obstacle(
            "there is a `.yarnrc.yml`, but which version of yarn runs is not known", join(directory, ".yarnrc.yml")
        )
    if found.global_cache is None:
        found.global_cache = major not in ("2", "3", "berry")
    return "berry"


def _lock(view: View, call: Call, manager: str, local: Local, root: Package) -> locks.Lock | None:
    if not call.lock:
        return None
    present = [join(root.directory, name) for name in _LOCKS[manager] if view.has(join(root.directory, name))]
    if manager == "npm":
        other = join(root.directory, "yarn.lock")
        if view.has(other) and call.action != "ci":
            # @npmcli/arborist, shrinkwrap.js: a yarn.lock that is there is kept up to date as well
            raise Obstacle(
                "npm writes `yarn.lock` anew when it installs; remove the lock file of the other package manager", other
            )
    if not present:
        if call.action == "ci":
            raise Obstacle("`npm ci` needs a lock file, and there is none", root.path)
        return None
    path = present[0]
    if manager == "npm":
        return locks.read_npm_lock(view, path, local.packages, root.directory)
    if manager == "pnpm":
        return locks.read_pnpm_lock(view, path, local.packages, root.directory)
    if manager == "bun":
        return locks.read_bun_lock(view, path)
    return locks.read_yarn_lock(view, path, local.packages, berry=manager == "berry")


def _injected(local: Local) -> None:
    """Refuse members whose files pnpm copies into node_modules (pnpm.io/package_json, `dependenciesMeta.*.injected`)."""
    for package in local.packages:
        meta = package.raw.get("dependenciesMeta")
        for name, entry in meta.items() if isinstance(meta, dict) else ():
            if isinstance(entry, dict) and entry.get("injected"):
                raise Obstacle(f"all files of `{name}` are copied into node_modules (`injected`)", package.path)


def _programs(view: View, local: Local) -> None:
    """Check the programs of linked packages: an installation links those that it finds, and makes them executable.

    npm's bin-links (link-gently.js, fix-bin.js), yarn's package-linker.js, pnpm's link-bins.
    """
    for package in local.members:
        for name in package.programs:
            path = join(package.directory, name)
            if view.kind(path) != "absent":
                raise Obstacle(
                    f"the installation links the program `{path}` of a local package and makes it executable",
                    package.path,
                )
            if not view.around.kept_out(path):
                raise Obstacle(
                    f"the installation links the program `{path}` of a local package where the context brings it; "
                    f"keep it out with the ignore file",
                    package.path,
                )
            view.absent.append(path)


def _patches(view: View, root: Package, manager: str, found: settings.Settings, reading: Reading) -> None:
    """Note the patches that the package manager itself applies, and pnpm's hooks."""
    directory = root.directory
    if manager == "berry":
        patches = join(directory, ".yarn/patches")
        if view.kind(patches) == "directory":
            reading.trees.append(patches)
        else:
            view.require_absent(patches, f"what lies at `{patches}` is not certain")
    own = root.raw.get("pnpm") if manager == "pnpm" else root.raw
    named = own.get("patchedDependencies") if isinstance(own, dict) else None
    files = [*found.patched, *(settings.patches_of(named, root.path) if named is not None else [])]
    if manager in ("pnpm", "bun"):
        for name in files:
            view.need(join(directory, name))
    if manager == "pnpm":
        for name in (".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js"):
            path = join(directory, name)
            if view.has(path):
                reading.runs = True
                load(view, path, set())


def _outputs(local: Local, manager: str, found: settings.Settings) -> tuple[str, ...]:
    directory = local.root.directory
    outputs = [join(package.directory, "node_modules") for package in local.packages]
    if manager == "berry":
        own = [".yarn/install-state.gz", ".yarn/build-state.yml", ".yarn/unplugged"]
        if found.linker == "pnp":
            outputs = []
            own += [".pnp.cjs", ".pnp.js", ".pnp.loader.mjs", ".pnp.data.json"]
        if not found.global_cache:
            own.append(".yarn/cache")
        outputs += [join(directory, name) for name in own]
    return tuple(dict.fromkeys(outputs))


def _made(view: View, call: Call, manager: str, root: Package, lock: locks.Lock | None) -> tuple[str, ...]:
    if lock is not None or not call.lock or call.frozen:
        return ()
    if manager == "bun":
        # bun takes over the lock file of another package manager if it has none
        for name in ("package-lock.json", "yarn.lock", "pnpm-lock.yaml"):
            view.has(join(root.directory, name))
        return tuple(join(root.directory, name) for name in ("bun.lock", "bun.lockb"))
    if manager == "pnpm":
        for name in ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock"):
            view.has(join(root.directory, name))
    return tuple(join(root.directory, name) for name in _MADE[manager])
