"""The lossless tree of a Dockerfile: every byte of the file belongs to exactly one node."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

_STRIDE = 256  # characters between two remembered byte offsets of a non-ASCII logical line


class DockerfileSyntaxError(ValueError):
    """BuildKit would refuse this file; `message` has its meaning.

    `line` and `column` are 1-based; the column counts bytes, but not those of a byte order mark. `offset` is the same place as
    an index of the source.
    """

    def __init__(self, message: str, line: int, column: int = 1, offset: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.offset = message, line, column, offset


class Span(NamedTuple):
    """Byte offsets [start, end) in the source."""

    start: int
    end: int


class Warning_(NamedTuple):  # noqa: N801
    """What BuildKit accepts with a warning; `rule` is the name of its check."""

    message: str
    line: int
    rule: str


class Flag(NamedTuple):
    """One `--name[=value]`: quotes and escapes removed, not expanded.

    BuildKit reads flags byte by byte, so non-ASCII text in `name` and `value` is what it makes of it (each byte one
    Latin-1 character); `raw` is the text as written.
    """

    name: str
    value: str | None
    raw: str
    span: Span


class Pair(NamedTuple):
    """`key=value` of ENV, LABEL or ARG: quotes kept, not expanded; the value is None for `ARG key`.

    `raw` and `span` are the whole word; for the old form `ENV key value` all arguments.
    """

    key: str
    value: str | None
    raw: str
    span: Span


class Heredoc(NamedTuple):
    """A here-document.

    `word` is how the logical line names it, `<<EOF` and what is glued to it. `body` is its text without the terminator,
    leading tabs removed where `chomp` holds; `span` covers the lines of the body and of the terminator in the source.
    `expand` tells that no part of the delimiter is quoted.
    """

    name: str
    body: str
    expand: bool
    chomp: bool
    fd: int | None
    word: str
    span: Span


class Mount(NamedTuple):
    """One RUN --mount as written: variables are not expanded (values that hold `$` are as in the file).

    `options` has every `key=value`, keys in lower case, the last one of a key; a key without `=` has the value "true".
    `readonly` is what the options and the type's default say, None where an unexpanded variable decides. `error` is what
    BuildKit says when it *runs* the instruction (a file with such a mount parses), None if the mount is well-formed
    or holds variables.
    """

    type: str
    target: str | None
    source: str | None
    from_: str | None
    id: str | None
    sharing: str | None
    readonly: bool | None
    options: Mapping[str, str]
    raw: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A run of whole physical lines."""

    span: Span
    raw: bytes
    start_line: int
    end_line: int


class Bom(Node):
    """The UTF-8 byte order mark before the first line."""

    __slots__ = ()


class Directive(Node):
    """A parser directive: `# syntax=`, `# escape=` or `# check=`. Nothing may be put above it."""

    __slots__ = ()


class Comment(Node):
    """A whole-line comment."""

    __slots__ = ()


class Blank(Node):
    """An empty line, or one of white space."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Instruction(Node):
    """One instruction with everything up to the end of its last physical line, here-documents included.

    `logical` is the joined line without here-documents; text ranges of it map to bytes by `offset_of` and `span_of`.
    Words of ADD, COPY, FROM, EXPOSE and VOLUME are not expanded; of ADD and COPY the last one is the destination.
    HEALTHCHECK has its type in upper case and, for the shell form, its command as words.
    """

    keyword: str
    keyword_raw: str
    index: int
    stage: int
    logical: str
    flags: tuple[Flag, ...]
    args: str
    args_start: int
    json: tuple[str, ...] | None = None
    words: tuple[str, ...] = ()
    word_spans: tuple[Span, ...] | None = None
    pairs: tuple[Pair, ...] = ()
    heredocs: tuple[Heredoc, ...] = ()
    mounts: tuple[Mount, ...] = ()
    child: Instruction | None = None
    #: whole-line comments directly above, without a blank line between: they travel with the instruction
    comments: tuple[Comment, ...] = ()
    #: what BuildKit calls PrevComment: texts of all comments since the last instruction (`# check=skip=…` counts here)
    prev_comment: tuple[str, ...] = ()
    #: (index of the first logical byte, source offset) of each physical piece of the logical line
    pieces: tuple[tuple[int, int], ...] = field(default=((0, 0),), repr=False)
    _marks: list[int] = field(default_factory=list, repr=False, compare=False)

    def _byte_index(self, index: int) -> int:
        text = self.logical
        if text.isascii():
            return index
        if not self._marks:
            total = 0
            for start in range(0, len(text) + 1, _STRIDE):
                self._marks.append(total)
                total += len(text[start : start + _STRIDE].encode("utf-8", "surrogateescape"))
        block = index // _STRIDE
        return self._marks[block] + len(text[block * _STRIDE : index].encode("utf-8", "surrogateescape"))

    def offset_of(self, index: int) -> int:
        """Return the source offset of a character of the logical line (`len(logical)` is its end)."""
        return piece_offset(self.pieces, self._byte_index(index))

    def span_of(self, start: int, end: int) -> Span:
        """Return the bytes from logical character `start` up to the end of character `end - 1`.

        Differs from `offset_of(end)` where `end` is the first character after a continuation.
        """
        first = self.offset_of(start)
        if end <= start:
            return Span(first, first)
        return Span(first, piece_offset(self.pieces, self._byte_index(end) - 1) + 1)

    def flag(self, name: str) -> str | None:
        """Return the value of the first flag of that name, None if it is not there (or has no value)."""
        return next((f.value for f in self.flags if f.name == name), None)

    def has_flag(self, name: str) -> bool:
        """Tell whether a flag is given, with or without a value."""
        return any(f.name == name for f in self.flags)

    def flag_values(self, name: str) -> tuple[str, ...]:
        """Return the values of all flags of that name, in order."""
        return tuple(f.value for f in self.flags if f.name == name and f.value is not None)


_piece_start = itemgetter(0)


def piece_offset(pieces: tuple[tuple[int, int], ...], byte_index: int) -> int:
    """Return the source offset of a byte of a logical line that was joined from these pieces."""
    if len(pieces) == 1:
        start, offset = pieces[0]
    else:
        start, offset = pieces[max(0, bisect_right(pieces, byte_index, key=_piece_start) - 1)]
    return offset + byte_index - start


@dataclass(frozen=True, slots=True)
class Stage:
    """A FROM and the instructions up to the next one; `base` and `platform` are unexpanded, `name` is lower case."""

    index: int
    from_: Instruction
    base: str
    platform: str | None
    name: str | None
    name_raw: str | None
    instructions: tuple[Instruction, ...]

    def line_that_sets(self, variable: str) -> int:
        """Return the line of the last ENV that sets a variable; that of FROM if none does, as the base image has it then."""
        for instruction in reversed(self.instructions):
            if instruction.keyword == "ENV" and any(pair.key == variable for pair in instruction.pairs):
                return instruction.start_line
        return self.from_.start_line


@dataclass(frozen=True, slots=True)
class Dockerfile:
    r"""A parsed file: `b"".join(node.raw for node in nodes)` is the source.

    `syntax` and `check` are the directives that take effect (BuildKit looks for them on raw lines, so an indented one is in
    `directives` only). `newline` is the line end that most lines have, `\n` if none does.
    """

    source: bytes
    nodes: tuple[Node, ...]
    instructions: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    meta_args: tuple[Instruction, ...]
    directives: Mapping[str, str]
    escape: str
    syntax: str | None
    check: str | None
    bom: bool
    newline: bytes
    warnings: tuple[Warning_, ...] = ()
