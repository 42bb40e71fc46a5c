"""Makefiles: build commands in recipes, each line of which is a script of its own in the Makefile's directory.

A `.mk` file is included by another one, which may lie at the top of the project.

Source: the GNU make manual, chapters "Writing Recipes in Rules" and "How to Use Variables". A variable counts where the file
assigns it once; functions are unknown, but for those that only tell where the Makefile lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockopt.optimizer.context.builds.model import DeclaredBuild, NotUnderstood, ProjectFile
from dockopt.optimizer.context.builds.shell_text import ShellText, from_either

_ASSIGNMENT = re.compile(
    r"^ *(?:[^\s#:=][^#:=]*:(?![:=]) *)?(?:(?:export|override|private) +)*([A-Za-z_][\w.-]*) *(\?|::?:?|\+|!)?= *(.*?) *$"
)
_HEADER = re.compile(r"^([^\s#:=][^#:=]*?) *::?(?!=)")
_BUILD = re.compile(r"\b(?:build|bud|executor)\b")
_HERE = re.compile(
    r"(?:CURDIR|PWD|shell pwd|(?:patsubst %/,%,)?(?:realpath |abspath )?\$\(dir \$\((?:abspath |realpath )?"
    r"\$\((?:lastword|firstword) \$\(MAKEFILE_LIST\)\)\)\)|dir \$\((?:abspath |realpath )?\$\((?:lastword|firstword) "
    r"\$\(MAKEFILE_LIST\)\)\))"
)
#: a shell variable that nothing assigns: a hole in the word
_UNKNOWN = "${MAKE_EXPRESSION}"
_CLOSERS = {"(": ")", "{": "}"}
_MAX_DEPTH = 20


def read(file: ProjectFile) -> Iterator[DeclaredBuild]:
    """Yield the builds in the recipes of a Makefile. Raises NotUnderstood."""
    text = file.text
    if re.search(r"^\.(?:ONESHELL|RECIPEPREFIX)\b", text, re.MULTILINE):
        raise NotUnderstood("it changes how recipes are read (`.ONESHELL` or `.RECIPEPREFIX`)")
    if file.path.suffix == ".mk":
        yield from from_either((file.root, file.path.parent), lambda directory: _recipes(file, text, directory))
    else:
        yield from _recipes(file, text, file.path.parent)


def _recipes(file: ProjectFile, text: str, directory: Path) -> Iterator[DeclaredBuild]:
    rule = ""
    expansion = _Expansion(file, directory, _variables(text))
    for number, line in _logical_lines(text):
        if not line.startswith("\t"):
            header = _HEADER.match(line)
            rule = header[1] if header and not _ASSIGNMENT.match(line) else rule
        elif _BUILD.search(line):
            recipe = expansion.of(line.removeprefix("\t").lstrip("@-+ \t"), 0)
            name = f"rule `{rule}`" if rule else ""
            yield from ShellText(recipe, file.path, file.root, directory, number, name).builds()


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their number; continued ones as one, line ends kept."""
    start = 1
    parts: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not parts:
            start = number
        parts.append(line)
        if not line.endswith("\\"):
            yield start, "\n".join(parts)
            parts = []
    if parts:
        yield start, "\n".join(parts).rstrip("\\")


def _variables(text: str) -> dict[str, str | None]:
    """Return each variable with its text, None where it is assigned in more than one way."""
    found: dict[str, str | None] = {}
    for _, line in _logical_lines(text):
        assignment = None if line.startswith("\t") else _ASSIGNMENT.match(line.replace("\\\n", " "))
        if assignment is None:
            continue
        name, kind, value = assignment.groups()
        value = value.partition(" #")[0].rstrip()
        found[name] = None if name in found or kind in ("+", "!") else value
    return found


class _Expansion:
    """Expands the variables of make in one text."""

    def __init__(self, file: ProjectFile, directory: Path, variables: Mapping[str, str | None]) -> None:
        self.file, self.directory, self.variables = file, directory, variables

    def of(self, text: str, depth: int) -> str:
        out: list[str] = []
        at = 0
        while at < len(text):
            if text[at] != "$" or at + 1 == len(text):
                out.append(text[at])
                at += 1
            elif text[at + 1] == "$":
                out.append("$")
                at += 2
            elif text[at + 1] in _CLOSERS:
                end = _closing(text, at + 1)
                out.append(self._value(text[at + 2 : end], depth))
                at = end + 1
            else:
                out.append(self._value(text[at + 1], depth))
                at += 2
        return "".join(out)

    def _value(self, name: str, depth: int) -> str:
        if _HERE.fullmatch(name.strip()):
            return str(self.directory)
        if name.strip() == "shell git rev-parse --show-toplevel":
            return str(self.file.root)
        text = self.variables.get(name)
        if text is None or depth > _MAX_DEPTH:
            return _UNKNOWN
        return self.of(text, depth + 1)


def _closing(text: str, at: int) -> int:
    """Return where the parenthesis or brace that opens at `at` is closed, the end of the text if nowhere."""
    opener, closer = text[at], _CLOSERS[text[at]]
    depth = 0
    for index in range(at, len(text)):
        depth += (text[index] == opener) - (text[index] == closer)
        if depth == 0:
            return index
    return len(text)
