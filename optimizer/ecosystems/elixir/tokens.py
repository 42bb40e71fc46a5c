"""Cuts Elixir source into tokens; what it cannot cut with certainty is refused.

Source: the Elixir reference, *Syntax reference* and *Sigils* (hexdocs.pm/elixir); `elixir_tokenizer.erl` of Elixir 1.18.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Token(NamedTuple):
    """One token.

    `kind` is "name", "alias" (`Foo.Bar`), "atom", "key" (`foo:`), "string", "template" (a string with interpolations, whose tokens
    follow it in parentheses), "text" (a sigil or a list of characters), "number" or "mark". `text` has strings as they are meant, marks
    as they are written, and for an atom or key its name.
    """

    kind: str
    text: str
    line: int


class NotElixir(Exception):  # it is an answer, not an error
    """Where and why source is not understood."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*|\\\r?\n)+")
_NAME = re.compile(r"[a-z_][A-Za-z0-9_]*[?!]?")
_ALIAS = re.compile(r"[A-Z][A-Za-z0-9_]*(?:\.[A-Z][A-Za-z0-9_]*)*")
_NUMBER = re.compile(r"0[xob][0-9A-Fa-f_]+|\d[\d_]*(?:\.\d[\d_]*(?:[eE][+-]?\d+)?)?")
_ATOM = re.compile(r":([A-Za-z_][A-Za-z0-9_@]*[?!]?)")
_SIGIL = re.compile(r"~(?:[a-z]|[A-Z][A-Z0-9]*)")
_CHARACTER = re.compile(r"\?(?:\\.|[^\s\\])", re.DOTALL)
_MARK = re.compile(
    r"\^\^\^|&&&|\|\|\||<<<|>>>|===|!==|\.\.\.|\+\+\+|---|<>|\+\+|--|&&|\|\||\|>|->|<-|=>|==|!=|=~|<=|>=|<<|>>|::|\.\.|\\\\|//|%\{|[-+*/=<>!&|^@.,;(){}\[\]%]"
)
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "s": " ", "0": "\0", "e": "\x1b"}
#: deeper interpolations are refused
_DEEPEST = 16


def tokens_of(source: str) -> list[Token]:
    """Return the tokens of a file. Raises `NotElixir`."""
    lexer = _Lexer(source)
    lexer.code(inside=False)
    return lexer.tokens


class _Lexer:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.line, self._counted = 1, 0
        self.depth = 0
        self.tokens: list[Token] = []

    def _line(self) -> int:
        self.line += self.source.count("\n", self._counted, self.at)
        self._counted = self.at
        return self.line

    def _add(self, kind: str, text: str) -> None:
        self.tokens.append(Token(kind, text, self._line()))

    def code(self, *, inside: bool) -> None:
        """Read code up to its end, or up to the brace that closes an interpolation."""
        braces, start = 0, self._line()
        source = self.source
        while True:
            space = _SPACE.match(source, self.at)
            if space is not None:
                self.at = space.end()
            if self.at >= len(source):
                if inside:
                    raise NotElixir("an interpolation does not end", start)
                return
            char = source[self.at]
            if inside and char == "}" and not braces:
                self.at += 1
                return
            if self._word() or self._quoted():
                continue
            mark = _MARK.match(source, self.at)
            if mark is None:
                raise NotElixir(f"`{char}` is not understood", self._line())
            braces += mark[0].endswith("{") - (mark[0] == "}")
            self._add("mark", mark[0])
            self.at = mark.end()

    def _word(self) -> bool:
        """Read a name, alias, key, atom, number or character, if one starts here."""
        source = self.source
        for kind, pattern in (("name", _NAME), ("alias", _ALIAS)):
            found = pattern.match(source, self.at)
            if found is not None:
                end = found.end()
                key = source.startswith(":", end) and not source.startswith("::", end)
                self._add("key" if key else kind, found[0])
                self.at = end + key
                return True
        for kind, pattern in (("atom", _ATOM), ("number", _NUMBER), ("text", _CHARACTER)):
            found = pattern.match(source, self.at)
            if found is not None:
                self._add(kind, found[1] if kind == "atom" else found[0])
                self.at = found.end()
                return True
        return False

    def _quoted(self) -> bool:
        """Read a string, sigil or quoted atom, if one starts here."""
        source, start = self.source, self.at
        sigil = _SIGIL.match(source, start)
        if sigil is not None:
            self.at = sigil.end()
            self._until(self._delimiter(), raw=sigil[0][1].isupper())
            modifiers = re.compile("[a-zA-Z]*").match(source, self.at)
            self.at = modifiers.end() if modifiers else self.at
            # a sigil may make atoms (`~w(path)a`), so its words count as written
            self._add("text", source[start : self.at])
            return True
        atom = source.startswith((':"', ":'"), start)
        if not atom and source[start] not in "\"'":
            return False
        self.at += atom
        quote = source[self.at]
        first = len(self.tokens)
        value = self._until(self._delimiter(), raw=False)
        plain = value is not None
        if atom:
            kind = "atom"
        elif source.startswith(":", self.at) and not source.startswith("::", self.at):
            kind, self.at = "key", self.at + 1
        else:
            kind = "string" if quote == '"' else "text"
        if not plain and kind != "string":
            raise NotElixir("a name is put together from parts", self._line())
        line = self._line()
        if plain:
            self.tokens.insert(first, Token(kind, value or "", line))
        else:
            self.tokens[first:] = [
                Token("template", source[start : self.at], line),
                Token("mark", "(", line),
                *self.tokens[first:],
                Token("mark", ")", line),
            ]
        return True

    def _delimiter(self) -> str:
        """Pass over an opening delimiter and return the one that closes."""
        for quotes in ('"""', "'''"):
            if self.source.startswith(quotes, self.at):
                self.at += 3
                return quotes
        if self.at >= len(self.source) or self.source[self.at] not in "\"'/|([{<":
            raise NotElixir("a sigil is not understood", self._line())
        char = self.source[self.at]
        self.at += 1
        return _CLOSING.get(char, char)

    def _until(self, closing: str, *, raw: bool) -> str | None:
        """Read text up to a delimiter; return it, None where it has interpolations or escapes of other kinds."""
        source, parts, plain, start = self.source, list[str](), True, self._line()
        while True:
            if self.at >= len(source):
                raise NotElixir("a string does not end", start)
            if source.startswith(closing, self.at):
                self.at += len(closing)
                return "".join(parts) if plain else None
            if source[self.at] == "\\" and self.at + 1 < len(source):
                escaped = source[self.at + 1]
                plain = plain and not raw and escaped not in "xu\n"
                parts.append(_ESCAPES.get(escaped, escaped))
                self.at += 2
            elif not raw and source.startswith("#{", self.at):
                plain = False
                self.at += 2
                self.depth += 1
                if self.depth > _DEEPEST:
                    raise NotElixir("interpolations are nested too deeply", self._line())
                self.code(inside=True)
                self.depth -= 1
            else:
                parts.append(source[self.at])
                self.at += 1
