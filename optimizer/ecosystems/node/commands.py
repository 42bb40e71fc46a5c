"""Command models of npm, yarn, pnpm, bun and Corepack.

An installation reads the manifests of the project's packages, lock file, settings, patches, and what its lifecycle scripts read
(`project.py`); it makes node_modules and keeps a cache in the home directory. What is installed globally goes to the prefix. Every other
subcommand is unknown: `npm run build` reads and writes what its script does.
"""

from __future__ import annotations

from dockopt.optimizer.commands.arguments import SYSTEM
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.node import settings
from dockopt.optimizer.ecosystems.node.calls import Call, call_of
from dockopt.optimizer.ecosystems.node.environment import PLACES, VARIABLES
from dockopt.optimizer.ecosystems.node.project import Project, project_of
from dockopt.optimizer.ecosystems.view import Obstacle, View, trees_of
from dockopt.optimizer.effects import Effects, Kind, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join, parents

GLOBAL_PACKAGES = (
    "global-packages: packages of the registry that are installed globally lie in npm's prefix and the home directory, and their install "
    "scripts touch nothing else"
)
#: npm names its logs after the time, and notes in the index of its cache when an entry was fetched (cacache)
CACHE_DATES = (
    "cache-dates: the times that package managers write into their caches and logs, and into names there, do not matter"
)
#: where npm installs globally, besides the prefix of the image: npm of the official image, Debian and Alpine
_GLOBAL_TREES = ("/usr/local", "/usr/lib/node_modules", "/usr/bin", "/usr/share", "/usr/etc", "/opt")


def manager(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one command of npm, yarn, pnpm or bun."""
    call = call_of(invocation.argv)
    if isinstance(call, str):
        return unknown(call)
    if call is None:
        return _other(invocation, around)
    if call.action == "global":
        return _global(call, around)
    if call.action == "fetch":
        return unknown("`pnpm fetch` is not modelled")
    try:
        return _installation(project_of(call, around), around)
    except Obstacle as obstacle:
        return unknown(obstacle.reason)


def _installation(project: Project, around: Surroundings) -> Effects:
    root = _project_root(project.directory, around)
    home = home_of(around)
    if any(below(place, root) for place in home):
        return unknown("its cache lies in the project, below the home directory")
    kept = kept_in(around)
    if any(below(place, root) for place in kept):
        return unknown("a variable puts its cache into the project")
    trees = [path for path in project.outputs if path not in project.removes]
    # lifecycle scripts find programs and modules there as well (@npmcli/run-script, set-path.js; Node's modules.html)
    trees += [join(directory, "node_modules") for directory in parents(project.directory)]
    writes = [Write(Kind.KILL, Region((path,))) for path in project.removes]
    writes += [Write(Kind.TREE, Region((path,))) for path in project.outputs]
    writes += [Write(Kind.NEW, Region((path,))) for path in project.made]
    if project.rewritten is not None:
        writes.append(Write(Kind.SET, Region((project.rewritten[0],))))
    caches = caches_of(around)
    left = Region(tuple(sorted({*kept, "/tmp"}))).minus(root, *caches)
    writes.append(Write(Kind.MAY, left))
    return Effects(
        reads=EVERYTHING.minus(root, *_sources(around, project.directory)),
        probes=(*project.files, *project.absent),
        trees=(*project.trees, *trees),
        variables=None if project.runs_scripts else (*VARIABLES, *project.variables),
        writes=tuple(writes),
        caches=caches,
        world=project.world,
        relied_on=tuple(p for path in project.relied_on if (p := around.context_path(path)) is not None),
        assumptions=(*project.assumptions, CACHE_DATES),
    )


def _sources(around: Surroundings, directory: str | None) -> tuple[str, ...]:
    return trees_of(around, directory or "/", ("/root", "/home", *home_of(around)))


def _elsewhere(around: Surroundings) -> Region:
    """Return what a command reads that looks at nothing of a project, unless it says so with probes."""
    kept = (*home_of(around), *_GLOBAL_TREES, *SYSTEM)
    own = around.cwd is not None and not any(below(place, around.cwd) for place in kept)
    return EVERYTHING.minus(*_sources(around, around.cwd), *((around.cwd,) if own and around.cwd else ()))


def _project_root(directory: str, around: Surroundings) -> str:
    roots = [root for root in around.project_roots if below(directory, root)]
    return min(roots, key=len, default=directory)


def home_of(around: Surroundings) -> tuple[str, ...]:
    """Return the home directory of the user, or those in which it surely lies."""
    known, home = around.variable("HOME")
    if known and home:
        return (join("/", home),)
    if around.user in ("root", "0"):
        return ("/root",)
    if around.user == "node" and around.kind("/home/node") == "directory":
        return ("/home/node",)
    return ("/home", "/root")


#: what package managers, node-gyp and install scripts that download keep in the home directory
_KEPT = (
    ".npm", ".npmrc", ".cache", ".config", ".local", ".yarn", ".yarnrc", ".yarnrc.yml", ".bun", ".node-gyp", ".electron",
    ".electron-gyp", ".pnpm-store", ".prisma", ".cypress", ".node_repl_history",
)  # fmt: skip


def kept_in(around: Surroundings) -> tuple[str, ...]:
    """Return the places outside of a project in which package managers keep downloads, settings and logs."""
    home = home_of(around)
    named = [value for name in PLACES if (value := around.variable(name)[1])]
    places = [join(around.cwd or "/", value) for value in named]
    return (*places, *(home if len(home) > 1 else [join(home[0], name) for name in _KEPT]))


def caches_of(around: Surroundings) -> tuple[str, ...]:
    """Return the directories in which the package managers keep downloads, () where they are not known.

    npm's config(7) `cache`, yarn 1's and 2's global cache, pnpm's store (`pnpm store path`), bun's install cache, Corepack's home.
    """
    home = home_of(around)
    if len(home) > 1 or any(around.variable(name)[1] for name in PLACES):
        return ()
    names = (
        ".npm",
        ".cache/yarn",
        ".yarn/berry",
        ".local/share/pnpm/store",
        ".bun/install/cache",
        ".cache/node/corepack",
    )
    return tuple(join(home[0], name) for name in names)


def _global(call: Call, around: Surroundings) -> Effects:
    """Return the effects of `npm install -g`, `yarn global add`, `pnpm add -g`: settings of a project do not count (npm's config(7))."""
    trees = set(_GLOBAL_TREES)
    for name in ("npm_config_prefix", "NPM_CONFIG_PREFIX", "PNPM_HOME", "BUN_INSTALL"):
        known, value = around.variable(name)
        if known and value:
            trees.add(join("/", value))
    if call.directory:
        trees.add(join(around.cwd or "/", call.directory))
    if any(below(tree, root) for tree in trees for root in around.project_roots):
        return unknown("what is installed globally lies in the project")
    home = home_of(around)
    if any(below(place, root) for place in home for root in around.project_roots):
        return unknown("its cache lies in the project, below the home directory")
    caches = caches_of(around)
    inner = [root for root in around.project_roots if any(below(root, tree) for tree in (*trees, *home))]
    where = Region(tuple(sorted({*trees, *kept_in(around), "/tmp"}))).minus(*inner, *caches)
    return Effects(
        reads=_elsewhere(around),
        variables=VARIABLES,
        writes=(Write(Kind.MAY, where),),
        caches=caches,
        world=World.REPOSITORY,
        assumptions=(GLOBAL_PACKAGES, CACHE_DATES),
    )


def _other(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `npm cache clean`, `yarn cache clean`, `pnpm store prune`, settings, and questions for the version."""
    words = [word for word in invocation.argv[1:] if word is not None and not word.startswith("-")]
    options = [word for word in invocation.argv[1:] if word is not None and word.startswith("-")]
    if None in invocation.argv:
        return unknown("no model of this subcommand")
    cleans = words in (
        ["cache", "clean"],
        ["store", "prune"],
        ["cache", "clear"],
        ["pm", "cache", "rm"],
        ["cache", "verify"],
    )
    if cleans and set(options) <= {"--force", "-f", "--all", "--mirror"}:
        try:
            settings.read_all(View(around), around.cwd)
        except Obstacle as obstacle:
            return unknown(obstacle.reason)
        where = caches_of(around) or home_of(around)
        inner = [root for root in around.project_roots if any(below(root, place) for place in where)]
        return Effects(
            reads=_elsewhere(around),
            # settings of the project could name another cache
            probes=tuple(join(around.cwd, name) for name in (".npmrc", ".yarnrc", ".yarnrc.yml")) if around.cwd else (),
            variables=VARIABLES,
            writes=(Write(Kind.MAY, Region(tuple(sorted({*where, *kept_in(around)}))).minus(*inner)),),
            world=World.NONE,
        )
    if not words and set(options) <= {"--version", "-v", "-V"} and options:
        return Effects(reads=EVERYTHING, variables=VARIABLES, writes=(), world=World.NONE)
    if (
        invocation.name in ("npm", "pnpm", "yarn")
        and words[:2] == ["config", "set"]
        and not set(options) - {"-g", "--global"}
    ):
        return _config(words[2:], around)
    return unknown("no model of this subcommand")


def _config(words: list[str], around: Surroundings) -> Effects:
    """Model `npm config set name value` for settings that change neither places nor what is read of a project."""
    name, _, _ = (words[0] if words else "").partition("=")
    if not settings.is_harmless(name):
        return unknown(f"the setting `{name}` may change what an installation does")
    home = home_of(around)
    if any(below(place, root) for place in home for root in around.project_roots):
        return unknown("settings of the user lie in the project")
    where = Region(tuple(sorted({*kept_in(around), "/usr/local/etc", "/usr/etc", "/etc/npmrc"})))
    inner = [root for root in around.project_roots if any(below(root, place) for place in home)]
    return Effects(
        reads=_elsewhere(around),
        variables=VARIABLES,
        writes=(Write(Kind.MAY, where.minus(*inner)),),
        world=World.NONE,
    )


def corepack(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `corepack enable`, `disable`, `prepare` and `install -g`; `corepack pnpm install` is the installation."""
    argv = invocation.argv
    if len(argv) > 1 and argv[1] in ("yarn", "pnpm", "npm"):
        return manager(invocation, around)
    words = [word for word in argv[1:] if word is not None]
    if len(words) != len(argv) - 1 or not words:
        return unknown("a word of it is not known before the build")
    operands = [word for word in words[1:] if not word.startswith("-")]
    options = {word for word in words[1:] if word.startswith("-")}
    if words[0] in ("enable", "disable") and not options and set(operands) <= {"yarn", "pnpm", "npm"}:
        names = [name for manager_ in (operands or ["yarn", "pnpm"]) for name in _SHIMS[manager_]]
        kind = Kind.SET if words[0] == "enable" else Kind.KILL
        return Effects(
            reads=_elsewhere(around),
            variables=VARIABLES,
            # beside its own program (corepack's README, "corepack enable"): in /usr/local/bin in the official image
            writes=(
                *(Write(kind, Region((f"/usr/local/bin/{name}",))) for name in names),
                *(Write(Kind.MAY, Region((f"/usr/bin/{name}",))) for name in names),
            ),
            world=World.NONE,
        )
    if words[0] in ("prepare", "install", "use", "up") and operands and options <= {"--activate", "-g", "--global"}:
        if words[0] in ("use", "up") or (words[0] == "install" and not options):
            return unknown("it writes `packageManager` into package.json")
        home = home_of(around)
        if any(below(place, root) for place in home for root in around.project_roots):
            return unknown("its cache lies in the project, below the home directory")
        known, place = around.variable("COREPACK_HOME")
        where = {*kept_in(around), *([join("/", place)] if known and place else [])}
        if any(below(path, root) for path in where for root in around.project_roots):
            return unknown("COREPACK_HOME lies in the project")
        inner = [root for root in around.project_roots if any(below(root, path) for path in where)]
        return Effects(
            reads=_elsewhere(around),
            variables=VARIABLES,
            writes=(Write(Kind.MAY, Region(tuple(sorted(where))).minus(*inner)),),
            world=World.REPOSITORY,
        )
    return unknown("no model of this subcommand")


_SHIMS = {"yarn": ("yarn", "yarnpkg"), "pnpm": ("pnpm", "pnpx"), "npm": ("npm", "npx")}
