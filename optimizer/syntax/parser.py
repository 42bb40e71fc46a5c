r"""Bytes to tree: physical lines, comments, continuations and here-documents, as BuildKit's `parser/parser.go` reads them.

Bytes are split at `\n` only. Python's idea of lines, of white space and of `$` in regular expressions differs from Go's in each
case, which is why none of them is used here.
"""

from __future__ import annotations

from functools import lru_cache

from dockopt.optimizer.syntax.arguments import Line, LineError, parse_line
from dockopt.optimizer.syntax.directives import DirectiveScan, looked_up
from dockopt.optimizer.syntax.gotext import LEADING_SPACE, decode, encode, trim, upper
from dockopt.optimizer.syntax.heredocs import Announcement, announced, chomped
from dockopt.optimizer.syntax.instructions import stages_of
from dockopt.optimizer.syntax.lexer import ExpansionError
from dockopt.optimizer.syntax.mounts import MountError, parse_mount
from dockopt.optimizer.syntax.tree import (
    Blank,
    Bom,
    Comment,
    Directive,
    Dockerfile,
    DockerfileSyntaxError,
    Flag,
    Heredoc,
    Instruction,
    Mount,
    Node,
    Pair,
    Span,
    Warning_,
    piece_offset,
)

_BOM = b"\xef\xbb\xbf"
MAX_LINE = 65535  # bytes of a physical line without its line feed: Go's bufio.Scanner
#: bytes of a logical line that is worth remembering
_KNOWN_LINE = 4096


def parse(source: bytes) -> Dockerfile:
    """Parse a Dockerfile. Raises DockerfileSyntaxError where BuildKit would refuse the file."""
    if not source:
        raise DockerfileSyntaxError("the Dockerfile cannot be empty", 1)
    parser = _Parser(source)
    parser.run()
    instructions = tuple(parser.instructions)
    last_line = max(1, len(parser.lines))
    if not instructions:
        raise DockerfileSyntaxError("file with no instructions", last_line, 1, len(source))
    if parser.too_long is not None:
        message = f"dockerfile line greater than max allowed size of {MAX_LINE}"
        raise DockerfileSyntaxError(message, len(parser.lines) + 1, 1, parser.too_long)
    stages, meta = stages_of(instructions)
    effective = dict(parser.looked_up.values())
    crlf = source.count(b"\r\n")
    return Dockerfile(
        source=source,
        nodes=tuple(parser.nodes),
        instructions=instructions,
        stages=stages,
        meta_args=meta,
        directives=effective | parser.scan.found,
        escape=parser.escape,
        syntax=effective["syntax"].partition(" ")[0] if "syntax" in effective else None,
        check=effective["check"].partition(" ")[0] if "check" in effective else None,
        bom=parser.bom,
        newline=b"\r\n" if crlf * 2 > source.count(b"\n") else b"\n",
        warnings=tuple(parser.warnings),
    )


def _line(logical: str, escape: str) -> tuple[Line, list[Announcement]]:
    """Take a logical line apart, and find what follows it; nobody changes either. Raises LineError and ExpansionError."""
    line = parse_line(logical, escape)
    return line, announced(line)


# an editor sends a text again with one line changed, and each change that is tried leaves most lines as they are
_known_line = lru_cache(maxsize=1 << 11)(_line)


def _left_trimmed(line: bytes) -> bytes:
    if line[:1] > b" " and line[0] < 0x80:
        return line
    found = LEADING_SPACE.match(line)
    return line[found.end() :] if found else line


class _Parser:
    def __init__(self, source: bytes) -> None:
        self.source = source
        self.bom = source.startswith(_BOM)
        self.offset = len(_BOM) if self.bom else 0
        self.lines, self.too_long = _physical_lines(source, self.offset)
        self.at = 0  # index of the next physical line
        self.nodes: list[Node] = [Bom(Span(0, self.offset), _BOM, 1, 1)] if self.bom else []
        self.instructions: list[Instruction] = []
        self.stage = -1
        self.scan = DirectiveScan()
        self.looked_up = looked_up(self.lines[:5])
        self.escape = "\\"
        self.token = b"\\"
        self.warnings: list[Warning_] = []
        self.comments: list[Comment] = []
        self.prev_comment: list[str] = []

    def run(self) -> None:
        """Turn all lines into nodes."""
        while self.at < len(self.lines):
            start = self.offset
            raw = self._take()
            stripped = raw.rstrip(b"\r\n")
            text = _left_trimmed(stripped)
            if text.startswith(b"#"):
                self._comment(raw, text, start)
                continue
            self.scan.done = True
            if not text:
                self.nodes.append(Blank(Span(start, self.offset), raw, self.at, self.at))
                self.comments = []
                continue
            self._instruction(text, start + len(stripped) - len(text), start)

    def _take(self) -> bytes:
        line = self.lines[self.at]
        self.at += 1
        self.offset += len(line)
        return line

    def _comment(self, raw: bytes, text: bytes, start: int) -> None:
        span = Span(start, self.offset)
        try:
            directive = self.scan.read(text)
        except ValueError as error:
            raise DockerfileSyntaxError(str(error), self.at, 1, start) from None
        if directive is not None and directive[0] == "escape":
            value = directive[1]
            if value not in ("\\", "`"):
                message = f"invalid escape token '{value}' does not match ` or \\"
                raise DockerfileSyntaxError(message, self.at, 1, start)
            self.escape, self.token = value, value.encode()
        if directive is None:
            # BuildKit cuts the first byte of the line as it stands, so an indented comment keeps its `#`
            comment = trim(decode(raw[1:]))
            if comment:
                self.prev_comment.append(comment)
            else:
                self.prev_comment.clear()
        if directive is not None or self.at - 1 in self.looked_up:
            self.nodes.append(Directive(span, raw, self.at, self.at))
            self.comments = []
            return
        node = Comment(span, raw, self.at, self.at)
        self.nodes.append(node)
        self.comments.append(node)

    def _continued(self, line: bytes) -> tuple[bytes, bool]:
        r"""Cut the continuation off a line and tell whether there was one: `([^\])\[ \t]*$|^\[ \t]*$`."""
        body = line.rstrip(b" \t")
        if not body.endswith(self.token) or body.endswith(self.token * 2):
            return line, False
        return body[:-1], True

    def _instruction(self, text: bytes, text_start: int, start: int) -> None:
        first = self.at
        body, more = self._continued(text)
        pieces = [(0, text_start)]
        parts = [body]
        length = len(body)
        empty = False
        while more and self.at < len(self.lines):
            offset = self.offset
            line = self._take().rstrip(b"\r\n")
            trimmed = _left_trimmed(line)
            if not trimmed:
                empty = True
                continue
            if trimmed.startswith(b"#"):
                continue
            body, more = self._continued(line)
            pieces.append((length, offset))
            parts.append(body)
            length += len(body)
        logical = decode(b"".join(parts))
        if empty:
            message = f"Empty continuation line found in: {logical}"
            self.warnings.append(Warning_(message, self.at, "NoEmptyContinuation"))
        places = tuple(pieces)
        try:
            line_parts, waiting = (_known_line if length <= _KNOWN_LINE else _line)(logical, self.escape)
        except (LineError, ExpansionError) as error:
            at = error.at if isinstance(error, LineError) else 0
            raise self._error(str(error), piece_offset(places, len(encode(logical[:at]))), start, first) from None
        heredocs = tuple(self._heredoc(item, start, first, places) for item in waiting)
        self.stage += line_parts.keyword == "FROM"
        node = _Builder(self, places, heredocs).build(line_parts, Span(start, self.offset), first)
        self.nodes.append(node)
        self.instructions.append(node)
        self.comments, self.prev_comment = [], []

    def _error(self, message: str, offset: int, start: int, first: int) -> DockerfileSyntaxError:
        before = self.source[start:offset]
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        return DockerfileSyntaxError(message, first + before.count(b"\n"), column, offset)

    def _heredoc(self, item: Announcement, start: int, first: int, pieces: tuple[tuple[int, int], ...]) -> Heredoc:
        begin = self.offset
        name = encode(item.name)
        while self.at < len(self.lines):
            body_end = self.offset
            line = self._take().rstrip(b"\r\n")
            if (line.lstrip(b"\t") if item.chomp else line) == name:
                body = decode(self.source[begin:body_end])
                body = chomped(body) if item.chomp else body
                span = Span(begin, self.offset)
                return Heredoc(item.name, body, item.expand, item.chomp, item.fd, item.word, span)
        raise self._error("unterminated heredoc", pieces[0][1], start, first)


class _Builder:
    """Makes the nodes of one instruction from its line."""

    def __init__(self, parser: _Parser, pieces: tuple[tuple[int, int], ...], heredocs: tuple[Heredoc, ...]) -> None:
        self.parser, self.pieces, self.heredocs = parser, pieces, heredocs

    def build(self, line: Line, span: Span, first: int, shift: int = 0) -> Instruction:
        """Build the instruction; `shift` is where its text starts in the logical line, in bytes (for ONBUILD)."""
        parser = self.parser
        pieces = self._shifted(shift) if shift else self.pieces
        flags = self._flags(line, pieces)
        words = line.words
        if line.keyword == "HEALTHCHECK" and words:
            words = (upper(words[0]), *words[1:])
        child = None
        if line.child is not None:
            child = self.build(line.child, span, first, shift + len(encode(line.text[: line.args_start])))
        node = Instruction(
            span=span,
            raw=parser.source[span.start : span.end],
            start_line=first,
            end_line=parser.at,
            keyword=line.keyword,
            keyword_raw=line.keyword_raw,
            index=len(parser.instructions),
            stage=parser.stage,
            logical=line.text,
            flags=flags,
            args=line.args,
            args_start=line.args_start,
            json=line.json,
            words=words,
            heredocs=self.heredocs,
            mounts=_mounts(flags) if line.keyword == "RUN" else (),
            child=child,
            comments=tuple(parser.comments),
            prev_comment=tuple(parser.prev_comment),
            pieces=pieces,
        )
        if line.word_ranges is not None:
            if len(pieces) == 1 and line.text.isascii():
                base = pieces[0][1] - pieces[0][0]
                spans = tuple([Span(base + start, base + end) for start, end in line.word_ranges])
            else:
                spans = tuple([node.span_of(start, end) for start, end in line.word_ranges])
            object.__setattr__(node, "word_spans", spans)
        if line.pairs:
            pairs = (Pair(k, v, line.text[a:b], node.span_of(a, b)) for k, v, a, b in line.pairs)
            object.__setattr__(node, "pairs", tuple(pairs))
        return node

    def _shifted(self, shift: int) -> tuple[tuple[int, int], ...]:
        rest = tuple((at - shift, offset) for at, offset in self.pieces if at > shift)
        return ((0, piece_offset(self.pieces, shift)), *rest)

    @staticmethod
    def _flags(line: Line, pieces: tuple[tuple[int, int], ...]) -> tuple[Flag, ...]:
        if not line.flags:
            return ()
        data = encode(line.text)
        flags = []
        for word, start, end in line.flags:
            name, equals, value = word[2:].partition("=")
            span = Span(piece_offset(pieces, start), piece_offset(pieces, end - 1) + 1)
            flags.append(Flag(name, value if equals else None, decode(data[start:end]), span))
        return tuple(flags)


def _mounts(flags: tuple[Flag, ...]) -> tuple[Mount, ...]:
    mounts = []
    for flag in flags:
        if flag.name == "mount" and flag.value is not None:
            try:
                mounts.append(parse_mount(flag.value))
            except MountError as error:
                # below ONBUILD this is no error yet; anywhere else the file is refused later
                mounts.append(Mount("", None, None, None, None, None, None, {}, flag.value, str(error)))
    return tuple(mounts)


def _physical_lines(source: bytes, start: int) -> tuple[list[bytes], int | None]:
    """Split at line feeds, kept; lines from the first one on that is too long are left out, their offset is returned."""
    lines = source[start:].split(b"\n")
    last = lines.pop()
    lines = [line + b"\n" for line in lines]
    if last:
        lines.append(last)
    if len(source) > MAX_LINE:
        offset = start
        for index, line in enumerate(lines):
            # the byte order mark counts as part of the first line
            if len(line) - line.endswith(b"\n") + (start if index == 0 else 0) > MAX_LINE:
                return lines[:index], offset
            offset += len(line)
    return lines, None
