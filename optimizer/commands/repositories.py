"""git: reading subcommands, `git config` and `git clone`; all others are UNKNOWN.

git looks for its repository in the working directory and above, follows gitfiles and alternates, includes settings from
anywhere and starts the programs that they name, so it reads everything (git 2.47: git(1), gitrepository-layout(5)).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple

from dockopt.optimizer.commands.arguments import (
    QUOTED,
    NotUnderstood,
    Reads,
    locate,
    made_parents,
    modelled,
    parse,
    program,
    require_no_link,
)
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.effects import Effects, Kind, World, Write
from dockopt.optimizer.regions import Region, join, parents, region

GIT_SETTINGS = (
    "git-settings: no settings, templates or hooks of git start programs that write elsewhere, and no gitfile or "
    "missing object leads out of the repository"
)
#: variables that move what git reads, add settings to it, write a log or start a program (git(1))
_MOVING_VARIABLES = (
    "GIT_DIR", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_TEMPLATE_DIR",
    "GIT_TRACE", "GIT_TRACE_PACKET", "GIT_TRACE_PACKFILE", "GIT_TRACE_PERFORMANCE", "GIT_TRACE_SETUP", "GIT_TRACE_CURL",
    "GIT_TRACE2", "GIT_TRACE2_EVENT", "GIT_TRACE2_PERF", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS",
    "GIT_EXTERNAL_DIFF", "GIT_PROXY_COMMAND", "GIT_PAGER", "GIT_EXEC_PATH",
)  # fmt: skip


class _Question(NamedTuple):
    """Options of a subcommand that only reads."""

    switches: str
    any_value: str = ""
    optional: str = ""
    #: the options with which it refreshes `.git/index`; "*": always
    refreshing: tuple[str, ...] = ()


_LOG = _Question(
    "-1 -2 -n --oneline --no-color --no-decorate --no-patch -s --first-parent --all --no-merges --no-walk --reverse",
    "-n --max-count",
    "--format --pretty --abbrev --max-count --decorate --date",
)
_QUESTIONS = {
    "describe": _Question(
        "--tags --all --always --long --exact-match --first-parent --contains",
        "--match --exclude",
        "--dirty --broken --abbrev --candidates --match --exclude",
        ("--dirty", "--broken"),
    ),
    "rev-parse": _Question(
        "--verify -q --quiet --abbrev-ref --show-toplevel --git-dir --is-inside-work-tree --symbolic-full-name "
        "--show-prefix --show-cdup --absolute-git-dir --is-shallow-repository",
        "",
        "--short --abbrev-ref",
    ),
    "rev-list": _Question("--count --all --first-parent --tags --no-merges -1", "-n --max-count", "--max-count --tags"),
    "log": _LOG,
    # without -s it reads files, which a partial clone fetches
    "show": _LOG._replace(refreshing=("*",)),
    "status": _Question("-s --short --porcelain -b --branch -z", "", "--porcelain --untracked-files -u", ("*",)),
    "diff": _Question(
        "--quiet --exit-code --name-only --name-status --stat --shortstat --cached --staged --no-ext-diff --no-color",
        "",
        "",
        ("*",),
    ),
    "symbolic-ref": _Question("--short -q --quiet"),
    "branch": _Question("--show-current"),
    "tag": _Question("-l --list", "--points-at --contains --sort", "--points-at --contains --sort"),
    "ls-files": _Question("-m -o -s -z -c -d --others --cached --modified --deleted --stage --exclude-standard"),
    "name-rev": _Question("--name-only --tags --always --no-undefined"),
    "version": _Question(""),
    "--version": _Question(""),
}
#: settings that a `-c` may change without starting programs or moving the repository
_HARMLESS_SETTING = re.compile(
    r"(advice\.\w+|safe\.directory|core\.(quotepath|filemode|autocrlf|abbrev)|log\.\w+|color\.\w+|init\.defaultbranch)=.*",
    re.IGNORECASE,
)
_SYSTEM_SETTINGS = ("/etc/gitconfig", "/usr/local/etc/gitconfig")
#: dates that are told from now
_RELATIVE = re.compile(r"%[ac]r|relative|human|%[ac]h(?![a-z])")


@modelled
def git(invocation: Invocation, around: Surroundings) -> Effects:
    """Model one `git` command."""
    words = list(zip(invocation.argv, invocation.raw, strict=True))[1:]
    cwd = around.cwd
    while words and (text := words[0][0]) is not None and text.startswith("-") and text not in _QUESTIONS:
        words.pop(0)
        if text == "--no-pager":
            continue
        value = words.pop(0)[0] if words else None
        if text == "-C" and value is not None:
            if cwd != around.cwd:
                raise NotUnderstood("a second `-C` counts from the first one")
            cwd = locate(value, around).path
        elif text != "-c" or value is None or not _HARMLESS_SETTING.fullmatch(value):
            raise NotUnderstood(f"the option `git {text}` is not modelled")
    if not words or words[0][0] is None:
        raise NotUnderstood("its subcommand is not known before the build")
    name = words[0][0]
    rest = Invocation(tuple(text for text, _ in words), tuple(raw for _, raw in words), invocation.line)
    for variable in _MOVING_VARIABLES:
        if around.variable(variable)[1]:
            raise NotUnderstood(f"`{variable}` moves what git reads or writes, or starts a program")
    if name == "clone":
        return _clone(rest, around, cwd)
    if name == "config":
        return _config(rest, around, cwd)
    question = _QUESTIONS.get(name)
    if question is None:
        raise NotUnderstood(f"no model of `git {name}`")
    return _ask(rest, question, around, cwd)


def _ask(invocation: Invocation, question: _Question, around: Surroundings, cwd: str | None) -> Effects:
    """Return the effects of a reading subcommand; some refresh the index, whose bytes hold times of files."""
    arguments = parse(invocation, switches=question.switches, any_value=question.any_value, optional=question.optional)
    name = invocation.name
    operands = [operand.text for operand in arguments.operands]
    if any(operand.glob for operand in arguments.operands):
        raise NotUnderstood("which files its patterns match is not known before the build")
    if name == "branch" and not arguments.flags:
        raise NotUnderstood("`git branch` may change branches")
    if name == "tag" and operands and not arguments.has("-l", "--list"):
        raise NotUnderstood("it makes a tag")
    if name == "symbolic-ref" and len(operands) != 1:
        raise NotUnderstood("it changes a reference")
    shown = [value for option in ("--format", "--pretty", "--date") for value in arguments.values(option)]
    dated = any(_RELATIVE.search(text) for text in shown) or any("@{" in operand for operand in operands)
    if name == "show" and arguments.has("-s", "--no-patch"):
        question = _LOG
    refreshes = question.refreshing == ("*",) or arguments.has(*question.refreshing)
    if name == "diff" and arguments.has("--cached", "--staged"):
        refreshes = True
    writes: tuple[Write, ...] = ()
    if refreshes:
        writes = (Write(Kind.MAY, Region(_repositories(around, cwd))),)
    world = World.FREE if dated or refreshes else World.NONE
    return Effects(writes=writes, world=world, assumptions=(GIT_SETTINGS,))


def _repositories(around: Surroundings, cwd: str | None) -> tuple[str, ...]:
    """Return the places where the repository of a directory may be."""
    if cwd is None:
        raise NotUnderstood("its working directory is not known before the build")
    found = tuple(sorted(join(place, ".git") for place in ("/", *parents(cwd), cwd)))
    for path in found:
        if around.kind(path) == "file":
            raise NotUnderstood(f"`{path}` leads to a repository elsewhere")
    return found


def _config(invocation: Invocation, around: Surroundings, cwd: str | None) -> Effects:
    """Model `git config [--global|--system|--local] name value` and `--get`."""
    argv = [
        "value" if text is None and i > 1 and QUOTED.fullmatch(raw) else text
        for i, (text, raw) in enumerate(zip(invocation.argv, invocation.raw, strict=True))
    ]
    # an unknown value of a setting does not change where it is written; it must not look like an option
    if any(text is None for text in argv) or any(
        known is None and not re.match(r'"[A-Za-z0-9]', raw)
        for known, raw in zip(invocation.argv, invocation.raw, strict=True)
    ):
        raise NotUnderstood("its arguments are not known before the build")
    arguments = parse(
        Invocation(tuple(argv), invocation.raw, invocation.line),
        switches="--global --system --local --add --unset --unset-all --replace-all --get --get-all --bool --list -l",
    )
    operands = arguments.texts()
    if operands[:1] == ["edit"]:
        raise NotUnderstood("`git config edit` starts an editor")
    reading = arguments.has("--get", "--get-all", "--list", "-l") or (
        len(operands) == 1 and not arguments.has("--unset", "--unset-all", "--add", "--replace-all")
    )
    if reading:
        return Effects(writes=(), world=World.NONE)
    if arguments.has("--system"):
        places = region(*_SYSTEM_SETTINGS)
    elif arguments.has("--global"):
        known, home = around.variable("HOME")
        if not (known and home):
            if around.user not in ("root", "0"):
                raise NotUnderstood("it writes below a home directory that is not known before the build")
            home = "/root"
        xdg_known, xdg = around.variable("XDG_CONFIG_HOME")
        config = f"{xdg}/git/config" if xdg_known and xdg else f"{home}/.config/git/config"
        places = region(join("/", f"{home}/.gitconfig"), join("/", config))
    else:
        found = _repositories(around, cwd)
        # a bare repository is its directory itself
        places = Region(tuple(sorted({*found, *(join(posixpath.dirname(path), "config") for path in found)})))
    for path in places.include:
        require_no_link(path, around)
    writes = [Write(Kind.MAY, places)]
    if arguments.has("--global", "--system"):
        # it looks for a repository first, and reads the settings of the system; it fails where they are broken
        repositories = _repositories(around, cwd) if cwd is not None else ("/",)
        reads = Reads(around).entry(*places.include, *_SYSTEM_SETTINGS, *repositories)
        return program(invocation, around, reads, writes=writes, variables=("GIT_*", "HOME", "XDG_*"))
    return Effects(writes=tuple(writes), world=World.NONE)


def _clone(invocation: Invocation, around: Surroundings, cwd: str | None) -> Effects:
    """Model `git clone url [dir]`: always FREE, also of a tag, which may move."""
    arguments = parse(
        invocation,
        switches="-q --quiet -v --verbose --progress --single-branch --no-single-branch --recursive "
        "--recurse-submodules --no-tags --shallow-submodules --remote-submodules -n --no-checkout "
        "--bare --mirror --no-remote-submodules",
        any_value="--depth -b --branch --filter -j --jobs -o --origin --shallow-since",
    )
    operands: Sequence[str] = arguments.texts()
    if not 1 <= len(operands) <= 2:
        raise NotUnderstood("what it clones is not known")
    url = operands[0]
    if not re.match(r"(https?|git|ssh)://|git@[\w.-]+:", url):
        raise NotUnderstood(f"`{url}` may lie in the image")
    if not re.search(r"[^/:]/+[^/]|^git@[\w.-]+:[^/]", url.partition("://")[2] or url):
        raise NotUnderstood(f"`{url}` has no path, so the name of the clone is not known")
    name = posixpath.basename(url.rstrip("/").replace(":", "/")).removesuffix(".git")
    target = operands[1] if len(operands) == 2 else name + (".git" if arguments.has("--bare", "--mirror") else "")
    if cwd is None and not target.startswith("/"):
        raise NotUnderstood("it writes to a working directory that is not known before the build")
    path = join(cwd or "/", target)
    if ".." in target:
        raise NotUnderstood(f"`{target}` goes up")
    require_no_link(path, around)
    writes = [*made_parents(path, around), Write(Kind.MAY, Region((path,)))]
    if not re.match(r"(https?|git)://", url):
        known, home = around.variable("HOME")
        if not (known and home) and around.user not in ("root", "0"):
            raise NotUnderstood("ssh notes the host in a home directory that is not known before the build")
        writes.append(Write(Kind.MAY, region(join("/", f"{home or '/root'}/.ssh"))))
    return Effects(writes=tuple(writes), world=World.FREE, assumptions=(GIT_SETTINGS,))
