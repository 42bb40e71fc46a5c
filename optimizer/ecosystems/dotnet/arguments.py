"""The command line of `dotnet restore` and `dotnet tool restore`: what is restored, and the options that change what is read.

Source: learn.microsoft.com, *dotnet restore*, *dotnet tool restore*, *MSBuild command-line reference*. An option that is not here is
a problem.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_SWITCHES = frozenset(
    "--disable-parallel --disable-build-servers -f --force --force-evaluate --ignore-failed-sources --interactive --locked-mode --no-cache "
    "--no-http-cache --no-dependencies --use-lock-file --use-current-runtime --ucr --nologo -nologo /nologo -m /m -maxcpucount "
    "/maxcpucount".split()
)
#: options with a value, by the name under which it is kept; "" for one that has no bearing on what is read
_VALUES = {
    "-r": "", "--runtime": "", "-a": "", "--arch": "", "--os": "", "-v": "", "--verbosity": "", "--tl": "", "--framework": "",
    "-s": "source", "--source": "source", "--add-source": "source", "--packages": "packages", "--configfile": "configfile",
    "--lock-file-path": "lock", "--tool-manifest": "manifest",
}  # fmt: skip
_PROPERTY = re.compile(r"(?:-p|/p|--property|-property|/property):(.+)", re.DOTALL)
_PRINTING = re.compile(
    r"[-/](?:v|verbosity|clp|consoleloggerparameters|m|maxcpucount|nodereuse|nr|tl|terminallogger|warnaserror|nowarn):.*|--(?:tl|ucr|use-current-runtime|interactive)[:=].*",
    re.IGNORECASE,
)
#: build arguments that BuildKit sets: they hold no blanks (Dockerfile reference, *Automatic platform ARGs in the global scope*)
_PLATFORM = re.compile(r"\$\{?(?:TARGET|BUILD)(?:ARCH|OS|VARIANT|PLATFORM)\}?")
_WORD = re.compile(r"[\w./:=,@+-]*")


@dataclass
class CommandLine:
    """A parsed command line."""

    #: projects or solutions, None for one that is not known before the build
    operands: list[str] = field(default_factory=list)
    switches: set[str] = field(default_factory=set)
    #: options by the names in `_VALUES`
    values: dict[str, list[str]] = field(default_factory=dict)
    #: properties of MSBuild, None for a value that is not known before the build
    properties: dict[str, str | None] = field(default_factory=dict)
    #: why it is not understood
    problem: str | None = None


def read(words: Sequence[str | None], raw: Sequence[str]) -> CommandLine:
    """Read the arguments behind `restore`; None stands for one that is not known before the build."""
    line = CommandLine()
    items = list(zip(words, raw, strict=True))
    while items and line.problem is None:
        word, written = items.pop(0)
        if word is None:
            _unknown(line, written)
        elif word in _SWITCHES:
            line.switches.add(word)
        elif word in _VALUES:
            if not items:
                line.problem = f"`{word}` has no value"
            else:
                _value(line, word, *items.pop(0))
        elif (found := _PROPERTY.fullmatch(word)) is not None:
            _define(line, found[1])
        elif word in ("-p", "--property") and items:
            following, text = items.pop(0)
            if following is None:
                line.problem = f"`{text}` is not known before the build"
            else:
                _define(line, following)
        elif _PRINTING.fullmatch(word):
            continue
        elif word.startswith("-") and "=" in word and word.partition("=")[0] in _VALUES:
            name, _, value = word.partition("=")
            _value(line, name, value, value)
        elif word.startswith("-") or re.match(r"/[a-zA-Z]+:", word):
            line.problem = f"the option `{word}` is not modelled"
        else:
            line.operands.append(word)
    return line


def _unknown(line: CommandLine, written: str) -> None:
    """Take a word of which only the text in the Dockerfile is known: a property or an option with a value."""
    text = written[1:-1] if written[:1] == '"' == written[-1:] else written
    found = re.fullmatch(r"(?:-p|/p|--property|-property|/property):([A-Za-z_]\w*)=([^;]*)", text)
    if found is not None and is_one_word(written):
        line.properties[found[1]] = None
        return
    line.problem = f"`{written}` is not known before the build"


def _value(line: CommandLine, name: str, value: str | None, written: str) -> None:
    kept = _VALUES[name]
    if value is None and (kept or not is_one_word(written)):
        line.problem = f"`{written}` is not known before the build"
    elif kept:
        line.values.setdefault(kept, []).append(value or "")


def _define(line: CommandLine, text: str) -> None:
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name):
            line.problem = f"`{part}` sets no property"
            return
        line.properties[name] = value.strip('"')


def is_one_word(written: str) -> bool:
    """Tell whether the shell surely makes exactly one word of a text, in which MSBuild finds one value.

    Any other build argument might hold a blank, or a `;` behind which MSBuild sees the next property.
    """
    plain = _PLATFORM.sub("", written.replace('"', ""))
    return _WORD.fullmatch(plain) is not None and plain != ""
