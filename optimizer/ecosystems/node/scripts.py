"""Lifecycle scripts: what the installation of a project reads because it runs scripts of package.json (npm's scripts(7))."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from dockopt.optimizer.ecosystems.node import prisma
from dockopt.optimizer.ecosystems.node.javascript import load
from dockopt.optimizer.ecosystems.node.packages import Package, line_of_key
from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.regions import join, parents
from dockopt.optimizer.shell import Command, parse_script

#: scripts that run after an installation in the project itself: npm's commands/install.js and ci.js, pnpm's recursive hooks, bun's
#: package manager. yarn 1 runs no more than these; yarn 2 and later only the first three (yarnpkg.com/advanced/lifecycle-scripts)
_LIFECYCLE = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")
#: scripts of the root that npm 7 and later runs after each change of node_modules (@npmcli/arborist, reify.js)
_AFTER_CHANGES = ("predependencies", "dependencies", "postdependencies")
#: kinds of steps whose commands are all that they do
_FOLLOWED = frozenset({"simple", "pipeline", "subshell", "group", "if", "negated"})
_PACKAGE_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun"})
#: subcommands of a package manager that are no names of scripts
_OWN = frozenset(
    "add audit bin cache ci config create dedupe deploy dlx exec fetch global i import info init install link list login ls outdated pack "
    "plugin prune publish rebuild remove rm set store unlink up update upgrade version view why workspace workspaces x".split()
)
#: programs that look at nothing of the project
_HARMLESS = frozenset({"echo", "true", "false", ":", "exit", "is-ci", "printf", "node-version-check", "sleep"})


@dataclass
class Reading:
    """What scripts need beside files that the view has noted."""

    trees: list[str]
    #: some script of the project runs, so every variable may matter
    runs: bool = False
    #: a script asks the registry for a package that no lock file names
    asks_registry: bool = False


def lifecycle(view: View, packages: list[Package], manager: str, reading: Reading) -> None:
    """Follow the lifecycle scripts of packages. Raises `Obstacle` where one is not understood."""
    names = _LIFECYCLE[:3] if manager == "berry" else _LIFECYCLE
    if manager == "pnpm":
        names = ("pnpm:devPreinstall", *names)
    for package in packages:
        view.require_absent(
            join(package.directory, "binding.gyp"),
            f"`{package.directory}/binding.gyp` makes the installation compile sources",
        )
        also = _AFTER_CHANGES if manager == "npm" and package is packages[0] else ()
        for name in (*names, *also):
            if name in package.scripts:
                _follow(view, package, name, reading, ())


def _follow(view: View, package: Package, name: str, reading: Reading, through: tuple[str, ...]) -> None:
    text = package.scripts[name]
    reading.runs = True
    line = line_of_key(view, package.path, name)
    shown = text if len(text) <= 60 else text[:57] + "..."
    if name in through:
        raise Obstacle(f"the script `{name}` calls itself", package.path, line)
    script = parse_script(text)
    if script.opaque is not None:
        raise Obstacle(f"the script `{name}` (`{shown}`) is not understood: {script.opaque}", package.path, line)
    try:
        for step in script.steps:
            if step.kind not in _FOLLOWED:
                raise Obstacle(f"a shell `{step.kind}` is not followed")
            if any(redirect.op != ">&" and redirect.target.literal != "/dev/null" for redirect in step.redirects):
                raise Obstacle("it redirects to a file")
            for command in step.commands:
                _command(view, package, command, reading, (*through, name))
    except Obstacle as obstacle:
        if obstacle.path:
            raise
        reason = f"the installation runs the script `{name}` (`{shown}`): {obstacle.reason}"
        raise Obstacle(reason, package.path, line) from obstacle


def _command(view: View, package: Package, command: Command, reading: Reading, through: tuple[str, ...]) -> None:
    """Follow one command of a script. An `Obstacle` without a path is about the script itself."""
    for redirect in command.redirects:
        if not redirect.duplicates and redirect.target.literal != "/dev/null":
            raise Obstacle("it redirects to a file")
    words = [word.literal for word in command.words]
    if not words:
        return
    if words[0] in ("echo", "printf") and not any(word.parts and _substitutes(word) for word in command.words):
        return
    if words[0] in ("test", "["):
        # a variable may be compared; a path in it is refused below
        words = [
            "$" if text is None and not _substitutes(word) else text
            for text, word in zip(words, command.words, strict=True)
        ]
    if any(word is None for word in words):
        raise Obstacle("a word of it is not known before the build")
    _program(view, package, [word or "" for word in words], reading, through)


def _substitutes(word: object) -> bool:
    from dockopt.optimizer.shell import Other, Subst

    return any(isinstance(part, Subst | Other) for part in getattr(word, "parts", ()))


def _program(view: View, package: Package, words: list[str], reading: Reading, through: tuple[str, ...]) -> None:
    name, *arguments = words
    name = posixpath.basename(name) if name.startswith(("node_modules/.bin/", "./node_modules/.bin/")) else name
    if name in ("cross-env", "cross-env-shell", "env"):
        while arguments and re.fullmatch(r"[A-Za-z_]\w*=.*", arguments[0]):
            arguments.pop(0)
        if arguments and not arguments[0].startswith("-"):
            _program(view, package, arguments, reading, through)
            return
    elif name in ("npx", "bunx", "pnpx") or (name in _PACKAGE_MANAGERS and arguments[:1] in (["exec"], ["dlx"], ["x"])):
        if name in _PACKAGE_MANAGERS:
            arguments = arguments[1:]
        while arguments and arguments[0] in ("-y", "--yes", "--no-install", "--no", "-q", "--quiet", "--"):
            arguments.pop(0)
        if arguments and not arguments[0].startswith("-"):
            reading.asks_registry = True
            called = arguments[0][0] + arguments[0][1:].partition("@")[0]
            _program(view, package, [called, *arguments[1:]], reading, through)
            return
    elif name in _PACKAGE_MANAGERS:
        _nested(view, package, name, arguments, reading, through)
        return
    elif name in _HARMLESS:
        return
    elif name in ("test", "["):
        _test(view, package, arguments)
        return
    elif name == "only-allow":
        return
    elif name == "node":
        _node(view, package, arguments)
        return
    elif name in _KNOWN:
        _KNOWN[name](view, package, arguments, reading)
        return
    raise Obstacle(f"what `{name}` reads is not known")


def _nested(
    view: View, package: Package, name: str, arguments: list[str], reading: Reading, through: tuple[str, ...]
) -> None:
    """Follow `npm run x`, `yarn x`, `pnpm x`."""
    rest = [word for word in arguments if word not in ("-s", "--silent", "--if-present", "-q")]
    if rest[:1] in (["run"], ["run-script"]):
        rest = rest[1:]
    elif name in ("npm", "bun") or not rest or rest[0] in _OWN:
        raise Obstacle(f"it calls `{' '.join((name, *arguments))}`")
    if len(rest) != 1 or rest[0].startswith("-"):
        raise Obstacle(f"it calls `{' '.join((name, *arguments))}`")
    if rest[0] not in package.scripts:
        if "--if-present" in arguments:
            return
        if name in ("yarn", "pnpm"):
            _program(view, package, rest, reading, through)
            return
        raise Obstacle(f"there is no script `{rest[0]}`")
    for script in (f"pre{rest[0]}", rest[0], f"post{rest[0]}"):
        if script in package.scripts:
            _follow(view, package, script, reading, through)


def _test(view: View, package: Package, arguments: list[str]) -> None:
    """Note the file that `test -f x` looks for."""
    words = [word for word in arguments if word not in ("!", "]")]
    if "$" in words and words[0] in ("-f", "-e", "-s", "-r", "-d"):
        raise Obstacle("the file of a test is not known before the build")
    if len(words) == 2 and words[0] in ("-f", "-e", "-s", "-r"):
        view.has(join(package.directory, words[1]))
    elif len(words) == 2 and words[0] == "-d":
        path = join(package.directory, words[1])
        if posixpath.basename(path) == ".git":
            require_no_repository(view, package.directory, "a test for `.git`")
        else:
            view.require_absent(path, f"a script asks whether `{path}` exists")
    elif len(words) == 2 and words[0] in ("-n", "-z"):
        return
    elif not (len(words) == 3 and words[1] in ("=", "==", "!=")):
        raise Obstacle("a test is not understood")


def _node(view: View, package: Package, arguments: list[str]) -> None:
    if not arguments or arguments[0].startswith("-"):
        raise Obstacle("it runs code of its own")
    path = join(package.directory, arguments[0])
    candidates = [path, path + ".js", join(path, "index.js")]
    found = next((candidate for candidate in candidates if view.kind(candidate) == "file"), None)
    if found is None:
        raise Obstacle(f"`{path}` does not surely come from the build context")
    load(view, found, set())


def require_no_repository(view: View, directory: str, who: str) -> None:
    """Raise `Obstacle` if there may be a git repository at or above a directory: git hooks would be set up in it."""
    for place in (*parents(join(directory, "x")),):
        path = join(place, ".git")
        if view.kind(path) != "absent":
            reason = f"{who} looks at `{path}`, which is copied with the sources; add `.git` to the ignore file"
            raise Obstacle(reason, path)
        view.absent.append(path)


def _husky(view: View, package: Package, arguments: list[str], _reading: Reading) -> None:
    """husky 5 and later: without a `.git` it says so and does nothing (its index.mjs, lib/index.js)."""
    if any(argument.startswith("-") or argument in ("add", "set", "uninstall") for argument in arguments):
        raise Obstacle(f"it calls `husky {' '.join(arguments)}`")
    require_no_repository(view, package.directory, "husky")


def _simple_git_hooks(view: View, package: Package, _arguments: list[str], _reading: Reading) -> None:
    """simple-git-hooks: settings, then nothing without a `.git` (its README, simple-git-hooks.js)."""
    require_no_repository(view, package.directory, "simple-git-hooks")
    for name in (".simple-git-hooks", "simple-git-hooks"):
        for extension in (".cjs", ".js", ".mjs", ".ts", ".json", ".json5"):
            path = join(package.directory, name + extension)
            if view.has(path) and not extension.startswith(".json"):
                load(view, path, set())


def _patch_package(view: View, package: Package, arguments: list[str], reading: Reading) -> None:
    """patch-package applies the patches of a directory to node_modules (its README); with none it says so and ends well."""
    directory = "patches"
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word == "--patch-dir" and words:
            directory = words.pop(0)
        elif word not in ("--error-on-fail", "--error-on-warn", "--use-yarn", "--partial"):
            raise Obstacle(f"it calls `patch-package {' '.join(arguments)}`")
    path = join(package.directory, directory)
    if view.kind(path) == "directory":
        reading.trees.append(path)
    else:
        view.require_absent(path, f"what lies at `{path}` is not certain")
    for name in ("yarn.lock", "package-lock.json", "npm-shrinkwrap.json", "bun.lock", "bun.lockb"):
        view.has(join(package.directory, name))


def _prisma(view: View, package: Package, arguments: list[str], reading: Reading) -> None:
    if arguments[:1] != ["generate"]:
        raise Obstacle(f"it calls `prisma {' '.join(arguments)}`")
    prisma.generate(view, package, arguments[1:], reading.trees, asked=True)


_KNOWN = {
    "husky": _husky,
    "simple-git-hooks": _simple_git_hooks,
    "patch-package": _patch_package,
    "prisma": _prisma,
}
