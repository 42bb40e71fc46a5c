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
    modelled,
    parse,
    program,
    require_no_link,
)
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.effects import Effects, Kind, World, Write
from dockopt.optimizer.regions import Region, join, parents, region


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
    "show": _LOG,
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
            cwd = locate(value, around).path
        elif text != "-c" or value is None or not _HARMLESS_SETTING.fullmatch(value):
            raise NotUnderstood(f"the option `git {text}` is not modelled")
    if not words or words[0][0] is None:
        raise NotUnderstood("its subcommand is not known before the build")
    name = words[0][0]
    rest = Invocation(tuple(text for text, _ in words), tuple(raw for _, raw in words), invocation.line)
    for variable in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_CONFIG_GLOBAL", "GIT_TRACE"):
        if around.variable(variable)[1]:
            raise NotUnderstood(f"`{variable}` moves what git reads or writes")
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
    refreshes = question.refreshing == ("*",) or arguments.has(*question.refreshing)
    if name == "diff" and arguments.has("--cached", "--staged"):
        refreshes = True
    writes: tuple[Write, ...] = ()
    if refreshes:
        writes = (Write(Kind.MAY, Region(_repositories(around, cwd))),)
    return Effects(writes=writes, world=World.FREE if dated or refreshes else World.NONE)


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
    reading = arguments.has("--get", "--get-all", "--list", "-l") or (
        len(operands) == 1 and not arguments.has("--unset", "--unset-all", "--add", "--replace-all")
    )
    if reading:
        return Effects(writes=(), world=World.NONE)
    if arguments.has("--system"):
        places = region("/etc/gitconfig", "/usr/local/etc/gitconfig")
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
        places = Region(_repositories(around, cwd))
    for path in places.include:
        require_no_link(path, around)
    writes = [Write(Kind.MAY, places)]
    if arguments.has("--global", "--system"):
        # it looks for a repository first, but its settings do not matter
        repositories = _repositories(around, cwd) if cwd is not None else ("/",)
        reads = Reads(around).entry(*places.include, *repositories)
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
    name = posixpath.basename(url.rstrip("/").replace(":", "/")).removesuffix(".git")
    target = operands[1] if len(operands) == 2 else name + (".git" if arguments.has("--bare", "--mirror") else "")
    if cwd is None and not target.startswith("/"):
        raise NotUnderstood("it writes to a working directory that is not known before the build")
    path = join(cwd or "/", target)
    if ".." in target:
        raise NotUnderstood(f"`{target}` goes up")
    require_no_link(path, around)
    return Effects(writes=(Write(Kind.MAY, Region((path,))),), world=World.FREE)
