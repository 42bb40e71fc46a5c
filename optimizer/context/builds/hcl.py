"""A careful reader of the part of HCL that Bake files use: blocks, attributes, literal values.

Source: the HCL native syntax specification (hashicorp/hcl, `hclsyntax/spec.md`). An expression that is not a literal is UNKNOWN,
one that only names something (`x`, `x.y`, `"${x.y}"`) is a `Reference`; nothing is evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from dockopt.optimizer.context.builds.model import NotUnderstood


class Unknown(Enum):
    """The value of an expression that is not a literal."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN


class Reference(NamedTuple):
    """The name of a variable, with the attributes that are taken of it."""

    path: tuple[str, ...]


Value = str | bool | None | Unknown | Reference | list["Value"] | dict[str, "Value"]


@dataclass(slots=True)
class Block:
    """`target "app" { … }`: its type, labels and attributes; blocks inside of it are left out."""

    type: str
    labels: tuple[str, ...]
    line: int
    attributes: dict[str, Value] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


class _Token(NamedTuple):
    kind: str  # "name", "number", "text", "newline", "end", or the operator itself
    value: Value
    line: int


_BLANK = re.compile(r"[ \t\r]+|(?:#|//)[^\n]*|/\*[\s\S]*?\*/")
_NAME = re.compile(r"[^\W\d][\w-]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_HEREDOC = re.compile(r"<<-?([^\W\d][\w-]*)[ \t]*\r?\n")
_OPERATOR = re.compile(r"&&|\|\||==|!=|<=|>=|=>|\.\.\.|[-+*/%<>!?:=,.\[\]{}()~]")
_ESCAPE = re.compile(r'\\(?:([nrt"\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))')
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_TRAVERSAL = re.compile(r"\$\{~?\s*([^\W\d][\w-]*(?:\.[^\W\d][\w-]*)*)\s*~?\}")
_CLOSERS = {"[": "]", "{": "}", "(": ")"}
_MAX_DEPTH = 40


def blocks(text: str) -> list[Block]:
    """Return the top-level blocks of a file. Raises NotUnderstood."""
    return _Parser(list(_tokens(text))).file()


def template(text: str) -> Value:
    """Return the value of a string template, as JSON spells Bake files: a text, a Reference or UNKNOWN."""
    if "${" not in text and "%{" not in text:
        return text
    found = _TRAVERSAL.fullmatch(text)
    return Reference(tuple(found[1].split("."))) if found else UNKNOWN


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, line = 0, 1
    while at < len(text):
        value: Value = None
        if blank := _BLANK.match(text, at):
            kind, end = "", blank.end()
        elif text[at] == "\n":
            kind, end = "newline", at + 1
        elif text[at] == '"':
            kind, (value, end) = "text", _quoted(text, at, line)
        elif heredoc := _HEREDOC.match(text, at):
            closing = re.compile(rf"^[ \t]*{re.escape(heredoc[1])}[ \t]*\r?$", re.MULTILINE).search(text, heredoc.end())
            if closing is None:
                raise NotUnderstood(f"it is no HCL (`{heredoc[1]}` is missing)", line)
            kind, value, end = "text", UNKNOWN, closing.end()
        elif name := _NAME.match(text, at):
            kind, value, end = "name", name[0], name.end()
        elif number := _NUMBER.match(text, at):
            kind, value, end = "number", number[0], number.end()
        elif operator := _OPERATOR.match(text, at):
            kind, end = operator[0], operator.end()
        else:
            raise NotUnderstood(f"it is no HCL (`{text[at]}` is not expected)", line)
        if kind:
            found.append(_Token(kind, value, line))
        line += text.count("\n", at, end)
        at = end
    found.append(_Token("end", None, line))
    return found


def _quoted(text: str, start: int, line: int) -> tuple[Value, int]:
    """Return the value of a quoted template and where it ends."""
    parts: list[str] = []
    dynamic = False
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == '"':
            end = at + 1
            return (template(text[start + 1 : at]) if dynamic else "".join(parts)), end
        if char == "\n":
            break
        if escape := _ESCAPE.match(text, at):
            parts.append(
                _ESCAPED.get(escape[1], escape[1]) if escape[1] else chr(min(int(escape[2] or escape[3], 16), 0x10FFFF))
            )
            at = escape.end()
        elif text.startswith(("$${", "%%{"), at):
            parts.append(text[at + 1 : at + 3])
            at += 3
        elif text.startswith(("${", "%{"), at):
            dynamic = True
            at = _interpolation_end(text, at + 2, line)
        else:
            parts.append(char)
            at += 1
    raise NotUnderstood("it is no HCL (a quote is not closed)", line)


def _interpolation_end(text: str, at: int, line: int) -> int:
    depth = 1
    while at < len(text):
        if text[at] == '"':
            _, at = _quoted(text, at, line)
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
        if depth == 0:
            return at
    raise NotUnderstood("it is no HCL (`${` is not closed)", line)


class _Parser:
    """Position in the tokens of one file."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.at]

    def take(self, kind: str | None = None) -> _Token:
        token = self.here
        if kind is not None and token.kind != kind:
            raise NotUnderstood(f"it is no HCL (`{kind}` is expected)", token.line)
        self.at += token.kind != "end"
        return token

    def newlines(self) -> None:
        while self.here.kind == "newline":
            self.at += 1

    def file(self) -> list[Block]:
        found: list[Block] = []
        while True:
            self.newlines()
            if self.here.kind == "end":
                return found
            name = self.take("name")
            if self.here.kind == "=":
                self.take()
                self.expression(newline_ends=True)
            else:
                found.append(self.block(str(name.value), name.line, 0))

    def block(self, type_: str, line: int, depth: int) -> Block:
        if depth > _MAX_DEPTH:
            raise NotUnderstood("it is nested too deeply", line)
        labels: list[str] = []
        while self.here.kind in ("name", "text"):
            label = self.take().value
            if not isinstance(label, str):
                raise NotUnderstood("the label of a block is not literal", line)
            labels.append(label)
        self.take("{")
        block = Block(type_, tuple(labels), line)
        while True:
            self.newlines()
            if self.here.kind == "}":
                self.take()
                return block
            name = self.take("name")
            if self.here.kind == "=":
                self.take()
                block.attributes[str(name.value)] = self.expression(newline_ends=True)
                block.lines[str(name.value)] = name.line
            else:
                self.block(str(name.value), name.line, depth + 1)

    def expression(self, *, newline_ends: bool, depth: int = 0) -> Value:
        """Read one expression; one that goes on behind its first operand is UNKNOWN."""
        if depth > _MAX_DEPTH:
            raise NotUnderstood("it is nested too deeply", self.here.line)
        if not newline_ends:
            self.newlines()
        value = self.operand(depth)
        if not newline_ends:
            self.newlines()
        if self.here.kind in (",", "]", "}", ")", "end") or (newline_ends and self.here.kind == "newline"):
            return value
        self.skip(newline_ends)
        return UNKNOWN

    def skip(self, newline_ends: bool) -> None:
        """Go to the end of an expression."""
        open_: list[str] = []
        while True:
            token = self.here
            if not open_ and (token.kind in (",", "]", "}", ")") or (newline_ends and token.kind == "newline")):
                return
            if token.kind == "end":
                if open_:
                    raise NotUnderstood(f"it is no HCL (`{open_[-1]}` is missing)", token.line)
                return
            if token.kind in _CLOSERS:
                open_.append(_CLOSERS[token.kind])
            elif open_ and token.kind == open_[-1]:
                open_.pop()
            self.take()

    def operand(self, depth: int) -> Value:
        token = self.here
        if token.kind in ("text", "number"):
            return self.take().value
        if token.kind == "name":
            return self.name()
        if token.kind == "[":
            return self.list(depth)
        if token.kind == "{":
            return self.object(depth)
        if token.kind in (")", "]", "}", ",", "newline", "end"):
            raise NotUnderstood("it is no HCL (a value is expected)", token.line)
        return UNKNOWN  # an operator or parentheses: `expression` skips what is left

    def name(self) -> Value:
        path = [str(self.take().value)]
        while self.here.kind == "." and self.tokens[self.at + 1].kind == "name":
            self.take()
            path.append(str(self.take().value))
        if len(path) == 1 and path[0] in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[path[0]]
        return Reference(tuple(path))

    def list(self, depth: int) -> Value:
        self.take("[")
        found: list[Value] = []
        computed = False
        while True:
            self.newlines()
            if self.here.kind == "]":
                self.take()
                return UNKNOWN if computed else found
            computed |= self.here.value == "for" and self.here.kind == "name"
            found.append(self.expression(newline_ends=False, depth=depth + 1))
            if self.here.kind != "]":
                self.take(",")

    def object(self, depth: int) -> Value:
        line = self.take("{").line
        found: dict[str, Value] = {}
        self.newlines()
        if self.here.kind == "name" and self.here.value == "for":
            self.skip(newline_ends=False)
            while self.here.kind == ",":  # `for key, value in …`
                self.take()
                self.skip(newline_ends=False)
            self.take("}")
            return UNKNOWN
        computed = False
        while True:
            self.newlines()
            if self.here.kind == "}":
                self.take()
                return UNKNOWN if computed else found
            key = self.take()
            if key.kind == "(":
                self.at -= 1
                self.skip_group()
                computed = True
            elif key.kind not in ("name", "text", "number"):
                raise NotUnderstood("it is no HCL (a key is expected)", line)
            if self.here.kind not in ("=", ":"):
                raise NotUnderstood("it is no HCL (`=` is expected)", self.here.line)
            self.take()
            value = self.expression(newline_ends=True, depth=depth + 1)
            if isinstance(key.value, str):
                found[key.value] = value
            else:
                computed = True
            if self.here.kind not in ("newline", "}"):
                self.take(",")

    def skip_group(self) -> None:
        """Go behind a pair of parentheses."""
        self.take("(")
        self.skip(newline_ends=False)
        self.take(")")
