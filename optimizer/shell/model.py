"""What a shell script is made of: words, simple commands, and the steps that join them.

Offsets are characters (not bytes) in the text of the outermost script, also inside substitutions, so
`script.text[x.start:x.end]` is always the source of `x`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

STATE_BUILTINS = frozenset(
    {
        "cd", "declare", "export", "getopts", "hash", "let", "local", "mapfile", "popd", "pushd", "read", "readarray",
        "readonly", "set", "shift", "typeset", "ulimit", "umask", "unset", "wait",
    }
)  # fmt: skip
"""Builtins that change the shell's own state (directory, variables, limits), which the commands after them see."""

NO_NAMES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lit:
    """Text that stands for itself; quotes are removed and escapes resolved."""

    text: str


@dataclass(frozen=True, slots=True)
class Var:
    """Plain `$NAME` or `${NAME}`. Unquoted ones are split at blanks and expanded as patterns by the shell."""

    name: str
    raw: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Subst:
    """`$(...)` or a pair of backquotes."""

    script: Script
    raw: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Glob:
    """An unquoted `*`, `?`, `[...]`, a leading `~` or `~user`; in bash also `{a,b}` and `{1..3}`."""

    text: str


@dataclass(frozen=True, slots=True)
class Other:
    """Something with a value that only the shell knows: `${x:-y}`, `$((..))`, `$?`, `$'..'`, braces in `sh`."""

    raw: str
    variables: frozenset[str] = NO_NAMES
    scripts: tuple[Script, ...] = ()
    quoted: bool = False


Part = Lit | Var | Subst | Glob | Other


class Word(NamedTuple):
    """One word as written.

    `literal` is its value if the shell would use it as it is (one field, nothing expanded), else None. An empty quoted
    word has the literal "". `variables` are all names that the word's text mentions, inside substitutions too; programs
    started in a substitution may read more.
    """

    raw: str
    start: int
    end: int
    literal: str | None
    parts: tuple[Part, ...]
    variables: frozenset[str] = NO_NAMES


class Assignment(NamedTuple):
    """`NAME=value` before a command, or on its own; `append` is bash's `+=`."""

    name: str
    value: Word
    append: bool
    start: int
    end: int


class Redirect(NamedTuple):
    """One redirection.

    `op` is the operator without its number: `<`, `>`, `>>`, `>|`, `<>`, `<&`, `>&`, `<<`, `<<-`, and in bash `<<<`,
    `&>`, `&>>`. `2>&1` is op `>&`, fd 2, target `1`. A heredoc has its delimiter as target and its text as `body`; the
    body stands after the line, outside `start`..`end`.
    """

    op: str
    fd: int | None
    target: Word
    start: int
    end: int
    body: Word | None = None

    @property
    def duplicates(self) -> bool:
        """True for `2>&1`, `<&3`, `>&-`: names a descriptor, not a file."""
        return self.op in {">&", "<&"} and (self.target.literal or "").rstrip("-").isdigit() | (self.target.raw == "-")


class Command(NamedTuple):
    """A simple command. One that only assigns or redirects has no words."""

    words: tuple[Word, ...]
    assignments: tuple[Assignment, ...]
    redirects: tuple[Redirect, ...]
    start: int
    end: int

    @property
    def name(self) -> str | None:
        """The program or builtin, None where it is not literal or there is no word."""
        return self.words[0].literal if self.words else None


class Step(NamedTuple):
    """One element of a chain.

    `kind`: simple, pipeline, subshell, group, if, for, case, test (`[[ ]]`), negated, other (while, until, background).
    `connector`: how it is joined to the step before: "" (first), `&&`, `||`, `;`, newline, `&`.
    `commands`: every simple command inside, in source order, with those in substitutions.
    `redirects`: those of compound commands inside (`{ a; } >f`), which belong to no simple command.
    `loop_variables`: names that `for` assigns.
    `background`: followed by `&`, so nobody waits for it or sees it fail.
    `checked`: when this step fails, the script ends at once and fails. It says nothing about a step that is
    skipped because of the one before.
    """

    command: Command | None
    kind: str
    pipeline: tuple[Command, ...]
    start: int
    end: int
    connector: str
    commands: tuple[Command, ...]
    checked: bool = False
    variables: frozenset[str] = NO_NAMES
    redirects: tuple[Redirect, ...] = ()
    loop_variables: frozenset[str] = NO_NAMES
    background: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed script, or one that is `opaque` (then that is the reason, and `steps` may be empty).

    `text` is the whole outermost text, `start`..`end` the part of it that this script is. `comments` are the spans of
    shell comments, from `#` to before the line end.
    """

    text: str = field(repr=False)
    dialect: str
    steps: tuple[Step, ...]
    opaque: str | None
    comments: tuple[tuple[int, int], ...]
    start: int
    end: int

    def is_chain(self) -> bool:
        """True if it was read and all its steps are joined by `&&` only."""
        return self.opaque is None and bool(self.steps) and all(s.connector == "&&" for s in self.steps[1:])

    @property
    def commands(self) -> tuple[Command, ...]:
        """Every simple command anywhere in the script, in source order."""
        return tuple(command for step in self.steps for command in step.commands)
