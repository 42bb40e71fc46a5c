"""The lossless tree of a Dockerfile: every byte of the file belongs to exactly one node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class DockerfileSyntaxError(ValueError):
    """BuildKit would refuse this file; line and column (in bytes) are 1-based, the offset counts bytes from the start."""

    def __init__(self, message: str, line: int, column: int = 1, offset: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.offset = message, line, column, offset


class Span(NamedTuple):
    """Byte offsets [start, end) in the source."""

    start: int
    end: int


class Flag(NamedTuple):
    """One `--name[=value]` of an instruction, its value unquoted but not expanded."""

    name: str
    value: str | None
    raw: str
    span: Span


class Pair(NamedTuple):
    """`key=value` of ENV, LABEL or ARG; the value keeps its quotes and is None for `ARG key`."""

    key: str
    value: str | None
    raw: str


class Heredoc(NamedTuple):
    """A here-document; `body` is its text without the terminator (leading tabs removed where `chomp`)."""

    name: str
    body: str
    expand: bool
    chomp: bool
    fd: int | None
    word: str
    span: Span


class Mount(NamedTuple):
    """One RUN --mount; `options` has every key=value as written, keys in lower case."""

    type: str
    target: str | None
    source: str | None
    from_: str | None
    id: str | None
    sharing: str | None
    readonly: bool | None
    options: Mapping[str, str]
    raw: str


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
    """A parser directive: `# syntax=`, `# escape=` or `# check=`."""

    __slots__ = ()


class Comment(Node):
    """A whole-line comment."""

    __slots__ = ()


class Blank(Node):
    """An empty line, or one of white space (a lone escape character before an instruction too)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Instruction(Node):
    """One instruction with everything up to the end of its last physical line, here-documents included."""

    keyword: str
    keyword_raw: str
    logical: str
    args: str
    args_start: int
    index: int = 0
    stage: int = -1
    flags: tuple[Flag, ...] = ()
    json: tuple[str, ...] | None = None
    words: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    heredocs: tuple[Heredoc, ...] = ()
    mounts: tuple[Mount, ...] = ()
    child: Instruction | None = None
    comments: tuple[Comment, ...] = ()
    #: (index of the first logical byte, source offset) of each physical piece of the logical line
    pieces: tuple[tuple[int, int], ...] = field(default=(), repr=False)

    def offset_of(self, index: int) -> int:
        """Return the source offset of a character of the logical line (`len(logical)` is its end)."""
        at = index if self.logical.isascii() else len(self.logical[:index].encode("utf-8", "surrogateescape"))
        start, offset = self.pieces[0]
        for piece_start, piece_offset in self.pieces:
            if piece_start > at:
                break
            start, offset = piece_start, piece_offset
        return offset + at - start

    def flag(self, name: str) -> str | None:
        """Return the value of the first flag of that name, None if it is not there (or has no value)."""
        return next((f.value for f in self.flags if f.name == name), None)

    def has_flag(self, name: str) -> bool:
        """Tell whether a flag is given, with or without a value."""
        return any(f.name == name for f in self.flags)

    def flag_values(self, name: str) -> tuple[str, ...]:
        """Return the values of all flags of that name, in order."""
        return tuple(f.value for f in self.flags if f.name == name and f.value is not None)


@dataclass(frozen=True, slots=True)
class Stage:
    """A FROM and the instructions up to the next one."""

    index: int
    from_: Instruction
    base: str
    platform: str | None
    name: str | None
    name_raw: str | None
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A parsed file: `b"".join(node.raw for node in nodes)` is the source."""

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
    warnings: tuple[str, ...] = ()
