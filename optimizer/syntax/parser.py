"""Lines to nodes: BuildKit's `frontend/dockerfile/parser/parser.go` and `directives.go` (reference §1.1 to §1.7).

Bytes are split at `\\n` only. Python's idea of lines, of white space and of `$` in regular expressions differs from Go's in each
case, which is why none of them is used here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from dockopt.optimizer.syntax.instructions import check_instructions, typed
from dockopt.optimizer.syntax.lexer import SPACES, ExpansionError, split_raw, unquoted_words
from dockopt.optimizer.syntax.tree import (
    Blank,
    Bom,
    Comment,
    Directive,
    Dockerfile,
    DockerfileSyntaxError,
    Heredoc,
    Instruction,
    Node,
    Span,
)

_BOM = b"\xef\xbb\xbf"
MAX_LINE = 65535
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*\Z", re.ASCII | re.DOTALL)
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_HEREDOC = re.compile(r"(\d*)<<(-?)\s*([^<]*)\Z", re.ASCII | re.DOTALL)
#: white space for which a line counts as blank or is stripped, as encoded bytes (Go trims Unicode space)
_LEADING_SPACE = re.compile(
    rb"(?:[\t\n\v\f\r ]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)*"
)
_MAY_HEREDOC = frozenset({"ADD", "COPY", "RUN"})


@dataclass(slots=True)
class _Lines:
    """Physical lines with their offsets; line i is source[starts[i]:starts[i+1]]."""

    source: bytes
    start: int
    lines: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        rest = self.source[self.start :]
        self.lines = rest.split(b"\n")
        last = self.lines.pop()
        self.lines = [line + b"\n" for line in self.lines]
        if last:
            self.lines.append(last)


def decode(data: bytes) -> str:
    """Decode as UTF-8; bytes that are not stay in the text as lone surrogates, so that nothing is lost."""
    return data.decode("utf-8", "surrogateescape")


def _left_trimmed(line: bytes) -> bytes:
    found = _LEADING_SPACE.match(line)
    return line[found.end() :] if found else line


def _continuation(escape: bytes) -> re.Pattern[bytes]:
    token = re.escape(escape)
    return re.compile(rb"(?:(?<=[^" + token + rb"])" + token + rb"|\A" + token + rb")[ \t]*\Z")


def parse(source: bytes) -> Dockerfile:
    """Parse a Dockerfile. Raises DockerfileSyntaxError where BuildKit would refuse the file."""
    bom = source.startswith(_BOM)
    offset = len(_BOM) if bom else 0
    if not source[offset:]:
        raise DockerfileSyntaxError("the Dockerfile cannot be empty", 1)
    nodes: list[Node] = [Bom(Span(0, offset), _BOM, 1, 1)] if bom else []
    lines = _Lines(source, offset).lines
    number = 0
    for line in lines:
        number += 1
        if len(line) > MAX_LINE:
            raise DockerfileSyntaxError(f"dockerfile line greater than max allowed size of {MAX_LINE}", number, 1, offset)
        offset += len(line)
    state = _Parser(source, lines, len(_BOM) if bom else 0, nodes)
    state.run()
    instructions = tuple(node for node in state.nodes if isinstance(node, Instruction))
    if not instructions:
        raise DockerfileSyntaxError("file with no instructions", max(1, len(lines)))
    crlf = source.count(b"\r\n")
    newline = b"\r\n" if crlf * 2 > source.count(b"\n") else b"\n"
    checked, stages, meta = check_instructions(instructions, state.escape)
    by_start = {instruction.span.start: instruction for instruction in checked}
    nodes = [by_start.get(node.span.start, node) if isinstance(node, Instruction) else node for node in state.nodes]
    return Dockerfile(
        source,
        tuple(nodes),
        checked,
        stages,
        meta,
        dict(state.directives),
        state.escape,
        state.raw_directives.get("syntax", "").split(" ")[0] or None,
        state.raw_directives.get("check"),
        bom,
        newline,
        tuple(state.warnings),
    )


class _Parser:
    def __init__(self, source: bytes, lines: list[bytes], offset: int, nodes: list[Node]) -> None:
        self.source, self.lines, self.offset, self.nodes = source, lines, offset, nodes
        self.at = 0  # index of the next physical line
        self.directives: dict[str, str] = {}
        self.raw_directives: dict[str, str] = {}
        self.directives_done = False
        self.escape = "\\"
        self.warnings: list[str] = []
        self.comments: list[Comment] = []
        self.continuation = _continuation(b"\\")

    def _emit(self, kind: type[Node], first: int, start: int) -> Node:
        node = kind(Span(start, self.offset), self.source[start : self.offset], first, self.at)
        self.nodes.append(node)
        return node

    def _take(self) -> bytes:
        line = self.lines[self.at]
        self.at += 1
        self.offset += len(line)
        return line

    def run(self) -> None:
        """Turn all lines into nodes."""
        while self.at < len(self.lines):
            start, first = self.offset, self.at + 1
            raw = self._take()
            text = _left_trimmed(raw.rstrip(b"\r\n"))
            if self._directive(raw, text, first, start):
                self._emit(Directive, first, start)
                self.comments = []
                continue
            if text.startswith(b"#"):
                node = self._emit(Comment, first, start)
                assert isinstance(node, Comment)
                self.comments.append(node)
                continue
            body, more = self._split_continuation(text)
            if not more and not body:
                self._emit(Blank, first, start)
                self.comments = []
                continue
            self._instruction(raw, body, more, start, first)

    def _directive(self, raw: bytes, text: bytes, line: int, start: int) -> bool:
        if self.directives_done:
            return False
        if line == 1 and text.startswith(b"#!"):
            # a shebang ends the scan for `escape`, but not the look-up of `syntax` and `check` on raw lines
            self.directives_done = True
            return False
        found = _DIRECTIVE.match(decode(text))
        name = found.group(1).lower() if found else ""
        if found is None or name not in _DIRECTIVES:
            self.directives_done = True
            return False
        value = found.group(2).strip(SPACES)
        if name in self.directives:
            raise DockerfileSyntaxError(f"only one {name} parser directive can be used", line, 1, start)
        self.directives[name] = value
        if raw.startswith(b"#"):
            self.raw_directives[name] = value
        if name == "escape":
            if value not in ("\\", "`"):
                raise DockerfileSyntaxError(f"invalid ESCAPE '{value}'. Must be ` or \\", line, 1, start)
            self.escape = value
            self.continuation = _continuation(value.encode())
        return True

    def _split_continuation(self, text: bytes) -> tuple[bytes, bool]:
        found = self.continuation.search(text)
        return (text[: found.start()], True) if found else (text, False)

    def _instruction(self, raw: bytes, body: bytes, more: bool, start: int, first: int) -> None:
        stripped = raw.rstrip(b"\r\n")
        pieces = [(0, start + len(stripped) - len(_left_trimmed(stripped)))]
        logical = [body]
        length = len(body)
        while more and self.at < len(self.lines):
            offset = self.offset
            line = self._take().rstrip(b"\r\n")
            trimmed = _left_trimmed(line)
            if trimmed.startswith(b"#"):
                continue
            if not trimmed:
                self.warnings.append(f"line {self.at}: empty continuation line")
                continue
            body, more = self._split_continuation(line)
            pieces.append((length, offset))
            logical.append(body)
            length += len(body)
        data = b"".join(logical)
        text = decode(data)
        heredocs = self._heredocs(text, start, first)
        if not text.strip(SPACES):
            # a lone escape character at the end of the file: BuildKit drops the empty line
            self._emit(Blank, first, start)
            return
        node = typed(
            Instruction(
                Span(start, self.offset), self.source[start : self.offset], first, self.at, "", "", text, "", 0, pieces=tuple(pieces)
            ),
            self.escape,
        )
        self.nodes.append(replace(node, heredocs=heredocs, comments=tuple(self.comments)))
        self.comments = []

    def _heredocs(self, text: str, start: int, first: int) -> tuple[Heredoc, ...]:
        if "<<" not in text or not _can_hold_heredocs(text, self.escape):
            return ()
        found = []
        for word in split_raw(text):
            match = _HEREDOC.fullmatch(word)
            if match is None or not match.group(3):
                continue
            try:
                kept, plain = unquoted_words(match.group(3))
            except ExpansionError as error:
                raise DockerfileSyntaxError(str(error), first, 1, start) from error
            if len(kept) != 1 or len(plain) != 1:
                continue
            found.append(self._body(word, plain[0], kept[0] == plain[0], match.group(2) == "-", match.group(1), first, start))
        return tuple(found)

    def _body(self, word: str, name: str, expand: bool, chomp: bool, fd: str, first: int, start: int) -> Heredoc:
        begin = self.offset
        body = []
        while self.at < len(self.lines):
            line = decode(self._take())
            possible = line.rstrip("\r\n")
            if chomp:
                possible = possible.lstrip("\t")
            if possible == name:
                text = "".join(body)
                if chomp:
                    text = re.sub(r"^\t+", "", text, flags=re.MULTILINE)
                return Heredoc(name, text, expand, chomp, int(fd) if fd else None, word, Span(begin, self.offset))
            body.append(line)
        raise DockerfileSyntaxError("unterminated heredoc", first, 1, start)


def _can_hold_heredocs(text: str, escape: str) -> bool:
    """Tell whether BuildKit looks for here-documents: RUN, COPY, ADD (also below ONBUILD) in shell form (P:85-139)."""
    node = typed(Instruction(Span(0, 0), b"", 1, 1, "", "", text, "", 0, pieces=((0, 0),)), escape, strict=False)
    while node.keyword == "ONBUILD" and node.child is not None:
        node = node.child
    return node.keyword in _MAY_HEREDOC and node.json is None
