"""Which file of JavaScript a container runs by `node FILE` or by a script of package.json that says so, and what builds it.

Facts: npm's npm-run-script(1) and scripts(7) (`start` has a `prestart` before it; scripts run in the directory of package.json by
`sh`), Node's command-line API (which options take a value, `--require`, `--import`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.ecosystems.node.packages import Package
from dockopt.optimizer.regions import join
from dockopt.optimizer.shell import Command, parse_script

#: options of node that change neither what is loaded nor where certificates come from
_PLAIN_OPTION = re.compile(
    r"--(?:enable-source-maps|max[-_]old[-_]space[-_]size=\d+|max[-_]semi[-_]space[-_]size=\d+|max-http-header-size=\d+|"
    r"(?:no-)?(?:warnings|deprecation)|trace-(?:warnings|uncaught|deprecation)|unhandled-rejections=[\w-]+|"
    r"(?:es-module-specifier-resolution|experimental-specifier-resolution)=node|experimental-[a-z-]+|"
    r"dns-result-order=\w+|expose[-_]gc|stack-size=\d+|no-node-snapshot|heapsnapshot-[a-z-]+=\w+)"
)
_PRELOADS = ("-r", "--require", "--import", "--loader", "--experimental-loader")
_NPM_RUN = frozenset({"run", "run-script", "rum", "urn"})
_QUIET = frozenset({"-s", "--silent", "--quiet", "-q"})
#: programs of packages that build, check and copy inside of their project, by their documentation
_BUILDERS = frozenset(
    "tsc ttsc tspc tsc-alias tsconfig-replace-paths resolve-tspaths tsup tsdown rimraf rm mkdir cp cpx cpx2 cpy copyfiles copyup ncp mv "
    "echo true eslint prettier tslint jest vitest mocha ava tap webpack webpack-cli rollup vite esbuild swc babel nest ng react-scripts "
    "vue-cli-service vue-tsc parcel tailwindcss postcss sass ncc microbundle unbuild graphql-codegen del-cli del shx mkdirp husky "
    "is-ci cd test [ tsoa".split()
)
_RUNNERS = frozenset({"npm-run-all", "run-s", "run-p", "concurrently"})


class NodeStart(NamedTuple):
    """What a container runs."""

    #: as it is named, absolute; it may lack the ending `.js`
    file: str
    #: packages that are loaded or started before it, and files
    preloaded: tuple[str, ...]
    #: all words of the command
    words: tuple[str, ...]
    #: the script of package.json that says so, None if the Dockerfile does
    script: str | None


def node_start(argv: Sequence[str | None], cwd: str | None, package: Package) -> NodeStart | str:
    """Return what a program with its arguments runs in a directory; a text says why that is not certain."""
    if cwd is None or any(word is None for word in argv):
        return "it is not known before the container runs what it starts"
    words = [word or "" for word in argv]
    name = _program(words[0])
    if name in ("node", "nodejs"):
        return _node(words, cwd, None, ())
    if name == "npm":
        script = _script_of(words[1:])
        if script is None:
            return f"`{' '.join(words)}` is not followed"
        if cwd != package.directory:
            return f"`{' '.join(words)}` runs in another directory than that of package.json"
        return _of_script(package, script)
    return f"`{words[0]}` starts it, and not `node` with a file"


def _program(word: str) -> str:
    directory, _, name = word.rpartition("/")
    return name if directory in ("", "/usr/local/bin") else word


def _script_of(arguments: list[str]) -> str | None:
    """Return the script that arguments of npm run."""
    words = [word for word in arguments if word not in _QUIET]
    if len(words) == 1 and words[0] in ("start", "stop", "test"):
        return words[0]
    return words[1] if len(words) == 2 and words[0] in _NPM_RUN and not words[1].startswith("-") else None


def _of_script(package: Package, script: str) -> NodeStart | str:
    text = package.scripts.get(script)
    if text is None and script == "start":
        text = "node server.js"  # npm's scripts(7), "Default Values"
    if text is None:
        return f"package.json has no script `{script}`"
    for around in (f"pre{script}", f"post{script}"):
        if around in package.scripts:
            return f"the script `{around}` runs when the container starts"
    parsed = parse_script(text)
    if parsed.opaque is not None or len(parsed.steps) != 1 or parsed.steps[0].kind != "simple":
        return f"the script `{script}` (`{text}`) is more than one command"
    command = parsed.steps[0].command
    words = [] if command is None else [word.literal for word in command.words]
    if not words or any(word is None for word in words) or (command is not None and command.redirects):
        return f"the script `{script}` (`{text}`) is not understood"
    plain = [word or "" for word in words]
    wrappers: tuple[str, ...] = ()
    if plain[0] == "cross-env":
        wrappers = ("cross-env",)
        plain = plain[1:]
        while plain and re.fullmatch(r"\w+=.*", plain[0]):
            plain = plain[1:]
    if not plain or _program(plain[0]) not in ("node", "nodejs"):
        return f"the script `{script}` (`{text}`) starts something else than `node` with a file"
    return _node(plain, package.directory, script, wrappers)


def _node(words: list[str], cwd: str, script: str | None, wrappers: tuple[str, ...]) -> NodeStart | str:
    loaded = [*wrappers]
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        name, equals, value = option.partition("=")
        if name in _PRELOADS:
            if not equals:
                value = rest.pop(0) if rest else ""
            loaded.append(value)
        elif not _PLAIN_OPTION.fullmatch(option):
            return f"the option `{option}` of node is not followed"
    if not rest:
        return "`node` is started without a file"
    return NodeStart(join(cwd, rest[0]), tuple(loaded), tuple(words), script)


class Step(NamedTuple):
    """One command by which a project is built; `>` is a file that its output goes into."""

    name: str
    arguments: tuple[str, ...]


def builds(argv: Sequence[str | None], package: Package) -> tuple[Step, ...] | str | None:
    """Return what a command of npm or npx does to build a project; None for another command, a text where it is not certain.

    All steps are programs that write below the directory of package.json, by what their arguments say.
    """
    words = [word or "" for word in argv]
    if not words or any(word is None for word in argv):
        return None
    try:
        if words[:2] == ["npm", "prune"]:
            return ()  # it removes packages (npm-prune(1))
        if words[0] == "npm" and (script := _script_of(words[1:])) is not None:
            return tuple(_steps(package, script, ()))
        if words[0] in ("npx", "node_modules/.bin/tsc", "./node_modules/.bin/tsc") or words[0] in _BUILDERS - _SHELLS:
            return tuple(_step(package, words, ()))
    except _NotFollowed as problem:
        return str(problem)
    return None


#: names in `_BUILDERS` that a RUN means the program of the system by
_SHELLS = frozenset("rm mkdir cp mv echo true cd test [".split())


class _NotFollowed(Exception):  # it is an answer, not an error
    pass


def _steps(package: Package, script: str, through: tuple[str, ...]) -> Iterator[Step]:
    if script in through:
        raise _NotFollowed(f"the script `{script}` calls itself")
    if script not in package.scripts:
        raise _NotFollowed(f"package.json has no script `{script}`")
    for name in (f"pre{script}", script, f"post{script}"):
        if name not in package.scripts:
            continue
        parsed = parse_script(package.scripts[name])
        if parsed.opaque is not None:
            raise _NotFollowed(f"the script `{name}` is not understood: {parsed.opaque}")
        for command in parsed.commands:
            yield from _command(package, command, name, (*through, script))


def _command(package: Package, command: Command, script: str, through: tuple[str, ...]) -> Iterator[Step]:
    words = [word.literal for word in command.words]
    # patterns are names inside of the project like others
    shown = [word.raw if literal is None else literal for word, literal in zip(command.words, words, strict=True)]
    if any(literal is None and "$" in raw for literal, raw in zip(words, shown, strict=True)):
        raise _NotFollowed(f"the script `{script}` has a word that is not known before the build")
    for redirect in command.redirects:
        if not redirect.duplicates and _leaves(redirect.target.literal or "/"):
            raise _NotFollowed(f"the script `{script}` writes to another place than the project")
        if not redirect.duplicates:
            yield Step(">", (redirect.target.literal or "?",))
    if shown:
        yield from _step(package, shown, through)


def _step(package: Package, words: list[str], through: tuple[str, ...]) -> Iterator[Step]:
    words = [*words]
    while words and (words[0] in ("npx", "cross-env", "--yes", "-y", "--") or re.fullmatch(r"\w+=.*", words[0])):
        words.pop(0)
    if not words:
        return
    name = posixpath.basename(words[0]) if words[0].lstrip("./").startswith("node_modules/.bin/") else words[0]
    arguments = words[1:]
    if name == "npm" and (script := _script_of(arguments)) is not None:
        yield from _steps(package, script, through)
        return
    if name in _RUNNERS:
        for word in arguments:
            called = word.strip("\"'").removeprefix("npm:").removeprefix("npm run ")
            if not called.startswith("-"):
                yield from _steps(package, called, through)
        return
    if name not in _BUILDERS:
        raise _NotFollowed(f"it is not known what `{' '.join(words)}` leaves beside the project")
    outside = next((word for word in arguments if _leaves(word)), None)
    if outside is not None:
        raise _NotFollowed(f"`{name}` is told of `{outside}`, which lies beside the project")
    yield Step(name, tuple(arguments))


def _leaves(word: str) -> bool:
    """Tell whether a word may be a path outside of the directory in which it is said."""
    value = word.partition("=")[2] or word
    return value.startswith(("/", "~")) or ".." in value.split("/")


def cause_in(package_source: str, package_text: str, script: str | None, reason: str, line: int) -> Cause:
    """Return a cause that stands in a script of package.json, or in the Dockerfile where none is at fault."""
    if script is None:
        return Cause(reason, "", line)
    found = re.search(rf'"{re.escape(script)}"\s*:', package_text)
    return Cause(reason, package_source, 0 if found is None else package_text.count("\n", 0, found.start()) + 1)
