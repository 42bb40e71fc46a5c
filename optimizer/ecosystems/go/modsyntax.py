"""Splits go.mod and go.work files into statements of tokens.

A port of the lexer and the grammar of Go's `golang.org/x/mod/modfile/read.go` (Go 1.26), without the comments that only its printer
needs. What the statements mean is in `modfile.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from dockopt.optimizer.syntax import gotext

_PUNCTUATION = "\n()[]{},"
_COMMENT = "comment"
_END_COMMENT = "end comment"
_TEXT = "text"
_EOF = "end of file"
_LINE_ENDS = ("\n", _END_COMMENT, _EOF)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


class ModFileError(ValueError):
    """A go.mod, go.work or go.sum file on which the `go` command stops; `line` counts from 1."""

    def __init__(self, message: str, line: int, path: str = "") -> None:
        super().__init__(f"{path}:{line}: {message}" if path else f"line {line}: {message}")
        self.message = message
        self.line = line
        self.path = path


class Statement(NamedTuple):
    """One line of a file: what stands in front of its block (if it is in one), its own tokens and the comment that ends it."""

    tokens: tuple[str, ...]
    line: int
    comment: str = ""  #: text after `//` at the end of the line, white space included
    block: tuple[str, ...] | None = None  #: tokens in front of the `(`; None outside of blocks

    @property
    def verb(self) -> str:
        """Return the directive that this line belongs to."""
        return self.tokens[0] if self.block is None else self.block[0]

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the tokens behind the directive."""
        return self.tokens[1:] if self.block is None else self.tokens


class Block(NamedTuple):
    """The head of a `verb ( … )` block; its lines follow as statements."""

    tokens: tuple[str, ...]
    line: int


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


class _Lexer:
    """Yields tokens; a comment token includes the end of its line, as in Go."""

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path, self._at, self._line = text, path, 0, 1
        self._fresh = True  # nothing but white space on this line so far

    def error(self, message: str) -> ModFileError:
        return ModFileError(message, self._line, self._path)

    def next(self) -> _Token:
        text = self._text
        while self._at < len(text) and text[self._at] in " \t\r":
            self._at += 1
        if self._at == len(text):
            return _Token(_EOF, "", self._line)
        char = text[self._at]
        if text.startswith("//", self._at):
            return self._comment()
        if text.startswith("/*", self._at):
            raise self.error("comments must start with `//`, `/*` is not allowed")
        line = self._line
        if char in _PUNCTUATION:
            self._at += 1
            self._fresh = char == "\n"
            self._line += char == "\n"
            return _Token(char, char, line)
        self._fresh = False
        if char in '"`':
            return self._string(char)
        start = self._at
        while self._at < len(text) and _in_identifier(text[self._at]) and not text.startswith("//", self._at):
            if text.startswith("/*", self._at):
                raise self.error("comments must start with `//`, `/*` is not allowed")
            self._at += 1
        if self._at == start:
            raise self.error(f"unexpected character {gotext.quote(char)}")
        return _Token(_TEXT, text[start : self._at], line)

    def _comment(self) -> _Token:
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        token = _Token(
            _COMMENT if self._fresh else _END_COMMENT, self._text[self._at + 2 : end].removesuffix("\r"), self._line
        )
        self._at = min(end + 1, len(self._text))
        self._line += end < len(self._text)
        self._fresh = True
        return token

    def _string(self, quote: str) -> _Token:
        text, start, line = self._text, self._at, self._line
        self._at += 1
        while True:
            if self._at >= len(text):
                raise ModFileError("unexpected end of file in a string", line, self._path)
            char = text[self._at]
            if char == "\n":
                raise self.error("unexpected end of line in a string")
            self._at += 1
            if char == quote:
                return _Token(_TEXT, text[start : self._at], line)
            if char == "\\" and quote == '"':
                if self._at >= len(text):
                    raise ModFileError("unexpected end of file in a string", line, self._path)
                self._line += text[self._at] == "\n"
                self._at += 1


def read_statements(data: bytes, path: str) -> list[Statement | Block]:
    """Split a file into blocks and statements, in order.

    Raises ModFileError where Go's parser finds a syntax error.
    """
    return _Parser(_Lexer(gotext.decode(data), path)).file()


class _Parser:
    """The grammar: lines, and blocks of lines in parentheses."""

    def __init__(self, lexer: _Lexer) -> None:
        self._lexer = lexer
        self._ahead = lexer.next()

    def _take(self) -> _Token:
        token, self._ahead = self._ahead, self._lexer.next()
        return token

    def file(self) -> list[Statement | Block]:
        found: list[Statement | Block] = []
        while self._ahead.kind != _EOF:
            if self._ahead.kind in ("\n", _COMMENT, _END_COMMENT):
                self._take()
            else:
                found += self._statement()
        return found

    def _statement(self) -> list[Statement | Block]:
        first = self._take()
        tokens = [first.text]
        while True:
            token = self._ahead_or_end()
            if token.kind in _LINE_ENDS:
                comment = token.text if token.kind == _END_COMMENT else ""
                return [Statement(tuple(tokens), first.line, comment)]
            if token.kind == "(" and self._ahead.kind in _LINE_ENDS:
                return self._block(tuple(tokens), first.line)
            if token.kind == "(" and self._ahead.kind == ")":
                self._take()
                if self._ahead.kind in _LINE_ENDS:
                    self._take_end()
                    return [Block(tuple(tokens), first.line)]
                tokens += ["(", ")"]
            else:
                tokens.append(token.text)

    def _ahead_or_end(self) -> _Token:
        """Take a token; the end of the file is left in place, since it may be looked at again."""
        return self._ahead if self._ahead.kind == _EOF else self._take()

    def _take_end(self) -> None:
        if self._ahead.kind != _EOF:
            self._take()

    def _block(self, head: tuple[str, ...], line: int) -> list[Statement | Block]:
        found: list[Statement | Block] = [Block(head, line)]
        while True:
            kind = self._ahead.kind
            if kind == _EOF:
                raise self._lexer.error(f"the block that starts in line {line} is not closed")
            if kind in ("\n", _COMMENT, _END_COMMENT):
                self._take()
            elif kind == ")":
                self._take()
                if self._ahead.kind not in _LINE_ENDS:
                    raise self._lexer.error("expected the end of the line behind `)`")
                self._take_end()
                return found
            else:
                first = self._take()
                tokens = [first.text]
                while (token := self._ahead_or_end()).kind not in _LINE_ENDS:
                    tokens.append(token.text)
                comment = token.text if token.kind == _END_COMMENT else ""
                found.append(Statement(tuple(tokens), first.line, comment, head))


def _in_identifier(char: str) -> bool:
    if char in " ()[]{},":
        return False
    # a byte that is not UTF-8 reads as U+FFFD, which is printable
    return "\ud800" <= char <= "\udfff" or (char.isprintable() and not gotext.is_space(char))


def unquote(token: str) -> str:
    """Return the text of a token; raises ValueError if its quotes are not what Go accepts (`parseString` in rule.go).

    Strings in grave accents are lexed but refused, although the reference calls them valid.
    """
    if token.startswith('"'):
        return _interpreted(token)
    if any(quote in token for quote in "\"'`"):
        raise ValueError("an unquoted string cannot contain quotes")
    return token


def _interpreted(token: str) -> str:
    """Do what `strconv.Unquote` does for a string in double quotes."""
    invalid = ValueError(f"{token} is not a valid quoted string")
    if len(token) < 2 or not token.endswith('"'):
        raise invalid
    body = gotext.replace_invalid(token[1:-1])
    out = bytearray()
    at = 0
    while at < len(body):
        char = body[at]
        at += 1
        if char in '"\n':
            raise invalid
        if char != "\\":
            out += char.encode()
            continue
        escape = body[at : at + 1]
        at += 1
        if escape in _ESCAPES and escape:
            out += _ESCAPES[escape].encode()
            continue
        base, length = {"x": (16, 2), "u": (16, 4), "U": (16, 8)}.get(escape, (8, 3))
        if base == 8:
            at -= 1
        digits = body[at : at + length]
        at += length
        allowed = "0123456789abcdefABCDEF" if base == 16 else "01234567"
        if len(digits) < length or any(digit not in allowed for digit in digits):
            raise invalid
        value = int(digits, base)
        if length < 4:
            if value > 0xFF:
                raise invalid
            out.append(value)
        elif value > 0x10FFFF or 0xD800 <= value <= 0xDFFF:
            raise invalid
        else:
            out += chr(value).encode()
    return gotext.decode(bytes(out))
