"""The command line of `mvn`: goals, and the options that change what is read.

Source: `MavenCli` and `CLIManager` of maven-embedder 3.9 (`mvn --help`). An option that is not in the tables is a problem.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

#: options that only change what is printed, how failures end the build, or how often repositories are asked
_SWITCHES = frozenset(
    "-B --batch-mode -q --quiet -ntp --no-transfer-progress -e --errors -X --debug -V --show-version -C --strict-checksums "
    "-c --lax-checksums -U --update-snapshots -nsu --no-snapshot-updates -N --non-recursive -am --also-make -amd "
    "--also-make-dependents -fae --fail-at-end -ff --fail-fast -fn --fail-never".split()
)
_OFFLINE = frozenset({"-o", "--offline"})
_VALUES = {
    "-P": "profiles", "--activate-profiles": "profiles",
    "-f": "file", "--file": "file",
    "-s": "settings", "--settings": "settings",
    "-gs": "global", "--global-settings": "global",
    "-pl": "projects", "--projects": "projects",
    "-T": "threads", "--threads": "threads",
    "--color": "color",
    "-rf": "from", "--resume-from": "from",
}  # fmt: skip
#: properties that lead Maven or its dependency plugin to other files
_PLACES = re.compile(
    r"maven\.(repo|home|conf|ext|multiModule|user)|user\.(home|dir)|output|localRepository|settings|basedir|java\."
)
_PROPERTY = re.compile(r"-D([^=\s]+)(?:=(.*))?", re.DOTALL)
_GOAL = re.compile(r"(?:org\.apache\.maven\.plugins:maven-dependency-plugin|dependency)(?::[\w.-]+)?:([\w-]+)")


@dataclass
class CommandLine:
    """A parsed command line of `mvn`."""

    goals: list[str] = field(default_factory=list)
    #: values of options by the names in `_VALUES`
    values: dict[str, str] = field(default_factory=dict)
    offline: bool = False
    #: everything but goals, as it was written
    options: list[str] = field(default_factory=list)
    #: why it is not understood
    problem: str | None = None

    @property
    def dependency_goals(self) -> list[str]:
        """The goals of maven-dependency-plugin that are asked for, without their prefix."""
        return [found[1] for goal in self.goals if (found := _GOAL.fullmatch(goal)) is not None]


def is_plain_option(word: str) -> bool:
    """Tell whether one word is an option that leads Maven to no other file."""
    line = read([word], [word])
    return line.problem is None and not line.goals and not line.offline and "settings" not in line.values


def read(arguments: Sequence[str | None], raw: Sequence[str]) -> CommandLine:
    """Read the arguments of `mvn`; None stands for one that is not known before the build."""
    line = CommandLine()
    items = list(zip(arguments, raw, strict=True))
    while items and line.problem is None:
        word, written = items.pop(0)
        if word is None:
            # the value of a property decides about much, but not about which files are looked for
            known = re.fullmatch(r"(-D[\w.-]+=)[\w.$\{}/-]*|(\"-D[\w.-]+=[^\"`(]*\")", written)
            if known is None:
                line.problem = f"`{written}` is not known before the build"
                continue
            word = re.sub(r"=.*", "=", written.strip('"'))
        if not word.startswith("-"):
            line.goals.append(word)
            continue
        line.options.append(written)
        name, equals, value = word.partition("=")
        if word in _SWITCHES:
            continue
        if word in _OFFLINE:
            line.offline = True
        elif word in ("-D", "--define", *_VALUES) and items:
            following, text = items.pop(0)
            line.options.append(text)
            if following is None:
                line.problem = f"`{text}` is not known before the build"
            elif word in _VALUES:
                line.values[_VALUES[word]] = following
            else:
                _define(line, f"-D{following}")
        elif equals and name in _VALUES:
            line.values[_VALUES[name]] = value
        elif word.startswith("-D"):
            _define(line, word)
        elif word[:2] in ("-P", "-T", "-f", "-s") and len(word) > 2 and not word.startswith("--"):
            line.values[_VALUES[word[:2]]] = word[2:]
        else:
            line.problem = f"the option `{word}` is not modelled"
    return line


def _define(line: CommandLine, word: str) -> None:
    found = _PROPERTY.fullmatch(word)
    if found is None or _PLACES.search(found[1]):
        line.problem = f"`{word}` leads to other files"
