"""Parser directives: BuildKit's `parser/directives.go`, once as the parser sees them and once as the frontend looks them up."""

from __future__ import annotations

import re

from dockopt.optimizer.syntax.gotext import LEADING_SPACE, decode

NAMES = frozenset({"syntax", "escape", "check"})
_BLANKS = b"\t\n\f\r "  # `\s` of Go's regular expressions
_START = re.compile(rb"([a-zA-Z][a-zA-Z0-9]*+)[\t\n\f\r ]*+=")


def read_directive(line: bytes) -> tuple[str, str] | None:
    """Read `# name = value` of a line without its line end; None if it is not a known directive."""
    if not line.startswith(b"#"):
        return None
    space = LEADING_SPACE.match(line, 1)
    found = _START.match(line, space.end() if space else 1)
    if found is None:
        return None
    name = found.group(1).lower().decode()
    rest = line[found.end() :]
    # as `\s*(.+?)\s*$` matches: a value of blanks only is its last blank
    value = rest.strip(_BLANKS) or rest[-1:]
    return (name, decode(value)) if value and name in NAMES else None


class DirectiveScan:
    """Reads directives line by line until the first line that is none."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.done = False

    def read(self, line: bytes) -> tuple[str, str] | None:
        """Return the directive of the next line. Raises ValueError for a repeated one."""
        if self.done:
            return None
        directive = read_directive(line)
        if directive is None:
            self.done = True
            return None
        name, value = directive
        if name in self.found:
            raise ValueError(f"only one {name} parser directive can be used")
        self.found[name] = value
        return directive


def looked_up(lines: list[bytes]) -> dict[int, tuple[str, str]]:
    """Return the directives that DetectSyntax and ParseDirective see, by index of their line.

    They read raw lines, so `#` has to stand in the first column; a first line `#!…` is skipped.
    """
    scan = DirectiveScan()
    result: dict[int, tuple[str, str]] = {}
    first = 1 if lines and lines[0].startswith(b"#!") else 0
    for index in range(first, len(lines)):
        line = lines[index].removesuffix(b"\n")
        try:
            directive = scan.read(line.removesuffix(b"\r"))
        except ValueError:
            break
        if directive is None:
            break
        result[index] = directive
    return result
