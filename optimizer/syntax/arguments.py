"""A logical line to keyword, flags and arguments: BuildKit's `parser/split_command.go` and `parser/line_parsers.go`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dockopt.optimizer.syntax.gotext import SPACES, decode, encode, lower, quote, replace_invalid, trim
from dockopt.optimizer.syntax.jsonform import NotStringArrayError, parse_json

KEYWORDS = {
    keyword.lower(): keyword
    for keyword in (
        "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME"
        " WORKDIR"
    ).split()
}
_JSON_OR_TEXT = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL"})
_JSON_OR_WORDS = frozenset({"ADD", "COPY", "VOLUME"})
_WORDS = frozenset({"FROM", "EXPOSE"})

#: a chain of ONBUILD is refused; following it no further than this keeps the work linear
_MAX_CHAIN = 20
_BLANKS = re.compile("[\t\v\f\r ]+")
_WORD = re.compile("[^\t\v\f\r ]+")
#: bytes that are white space when read one at a time, and as they look in decoded text where they stand alone
_BYTE_SPACES = b"\t\n\v\f\r \x85\xa0"
_BYTE_SPACE = re.compile(rb"[\t\n\v\f\r \x85\xa0]*")
_FLAG_SPACES = "\t\n\v\f\r \udc85\udca0"
_FLAG_PLAIN = {e: re.compile(rb"[^\t\n\v\f\r \x85\xa0'\"" + re.escape(e) + rb"]+") for e in (b"\\", b"`")}
_QUOTED_PLAIN = {(q, e): re.compile(rb"[^" + q + re.escape(e) + rb"]+") for q in (b"'", b'"') for e in (b"\\", b"`")}
#: one token of a quote-aware word; a lone escape character at the end of the text is dropped by BuildKit
_TOKEN = {
    e: re.compile(
        rf"(?P<space>[{SPACES}]+)|[^{SPACES}'\"{re.escape(e)}]+|'[^']*(?:'|\Z)"
        rf'|"(?:[^"{re.escape(e)}]++|{re.escape(e)}.)*+(?:"|(?P<tail>{re.escape(e)}?)\Z)'
        rf"|{re.escape(e)}.|(?P<end>{re.escape(e)}\Z)",
        re.DOTALL,
    )
    for e in "\\`"
}


class LineError(ValueError):
    """A logical line that the line parser refuses; `at` is the character of the logical line that is to blame."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message, self.at = message, at


@dataclass(slots=True)
class Line:
    """A logical line taken apart. Ranges are indices of `text`; flag ranges are byte indices of it."""

    text: str
    keyword: str
    keyword_raw: str
    flags: list[tuple[str, int, int]] = field(default_factory=list)
    args: str = ""
    args_start: int = 0
    json: tuple[str, ...] | None = None
    words: tuple[str, ...] = ()
    word_ranges: list[tuple[int, int]] | None = None
    pairs: list[tuple[str, str | None, int, int]] = field(default_factory=list)
    child: Line | None = None


def parse_line(text: str, escape: str, *, depth: int = 0) -> Line:
    """Take a logical line apart. Raises LineError.

    Words that BuildKit copies rune by rune have U+FFFD for bytes that are not UTF-8. Flags are read byte by byte; should that
    cut a character in two, `Line.text` is the text decoded in two halves, so that indices stay true.
    """
    start = len(text) - len(text.lstrip(SPACES))
    stop = max(start, len(text.rstrip(SPACES)))
    found = _BLANKS.search(text, start, stop)
    raw = text[start : found.start() if found else stop]
    line = Line(text, KEYWORDS.get(lower(raw), raw.upper()), raw, args_start=stop)
    if found:
        at, stop = _flags(line, found.end(), stop, escape)
        rest = line.text[at:stop]
        line.args = trim(rest)
        line.args_start = at + len(rest) - len(rest.lstrip(SPACES)) if line.args else stop
    if line.keyword != "ONBUILD":
        _arguments(line, escape)
    elif line.args and depth < _MAX_CHAIN:
        try:
            line.child = parse_line(line.args, escape, depth=depth + 1)
        except LineError as error:
            raise LineError(error.message, line.args_start + error.at) from None
    return line


def _flags(line: Line, at: int, stop: int, escape: str) -> tuple[int, int]:
    """Read leading `--flags` into `line.flags`; return the range of the rest (split_command.go, extractBuilderFlags)."""
    text = line.text
    while at < stop and text[at] in _FLAG_SPACES:
        at += 1
    if not text.startswith("--", at, stop):
        return at, stop
    data = encode(text[at:stop])
    before = len(encode(text[:at]))
    token = escape.encode()
    pos = 0
    while True:
        found = _BYTE_SPACE.match(data, pos)
        pos = found.end() if found else pos
        if not data.startswith(b"--", pos):
            break
        begin = pos
        pos, word = _flag_word(data, pos, token)
        if word == b"--":
            break
        line.flags.append((word.decode("latin-1"), before + begin, before + pos))
    head = text[:at] + decode(data[:pos])
    body = decode(data[pos:])
    line.text = head + body + text[stop:]
    return len(head), len(head) + len(body)


def _flag_word(data: bytes, pos: int, escape: bytes) -> tuple[int, bytes]:
    """Read one word of a flag; return where it ends and its text without quotes and escape characters."""
    word: list[bytes] = []
    quote = b""
    end = len(data)
    while pos < end:
        plain = _QUOTED_PLAIN[quote, escape] if quote else _FLAG_PLAIN[escape]
        found = plain.match(data, pos)
        if found:
            word.append(found.group())
            pos = found.end()
            continue
        char = data[pos : pos + 1]
        if char == quote:
            quote = b""
        elif char == escape:
            word.append(data[pos + 1 : pos + 2])
            pos += 1
        elif char in _BYTE_SPACES and not quote:
            break
        else:
            quote = char
        pos += 1
    return min(pos, end), b"".join(word)


def _arguments(line: Line, escape: str) -> None:
    keyword, args = line.keyword, line.args
    if keyword in _JSON_OR_TEXT:
        line.json = _json(args, line.args_start)
    elif keyword in _JSON_OR_WORDS:
        line.json = _json(args, line.args_start)
        if line.json is not None:
            line.words = line.json
        else:
            _split(line)
    elif keyword in _WORDS:
        _split(line)
    elif keyword in ("ENV", "LABEL"):
        _name_values(line, escape)
    elif keyword == "ARG":
        for word, start, end in _quote_aware_words(args, line.args_start, escape):
            key, equals, value = word.partition("=")
            line.pairs.append((key, value if equals else None, start, end))
    elif keyword == "HEALTHCHECK":
        _health(line)


def _json(args: str, at: int) -> tuple[str, ...] | None:
    try:
        return parse_json(args) if args else None
    except NotStringArrayError as error:
        raise LineError(str(error), at) from None


def _split(line: Line) -> None:
    found = list(_WORD.finditer(line.args))
    line.words = tuple(m.group() for m in found)
    line.word_ranges = [(line.args_start + m.start(), line.args_start + m.end()) for m in found]


def _health(line: Line) -> None:
    """Split off the type at a byte that is white space, then JSON or text (parseHealthConfig)."""
    data = encode(line.args)
    sep = next((i for i, byte in enumerate(data) if byte in _BYTE_SPACES), len(data))
    if sep == 0:
        return
    found = _BYTE_SPACE.match(data, sep)
    after = found.end() if found else sep
    kind, command = decode(data[:sep]), decode(data[after:])
    line.json = _json(command, line.args_start)
    line.words = (kind, command) if command and line.json is None else (kind, *(line.json or ()))


def _quote_aware_words(text: str, shift: int, escape: str) -> list[tuple[str, int, int]]:
    """Split into words, quotes and escape characters kept, with their ranges (parseWords)."""
    words: list[tuple[str, int, int]] = []
    start = 0
    dropped = 0
    pos = 0
    for token in _TOKEN[escape].finditer(text):
        if token.group("space"):
            if pos > start:
                words.append((replace_invalid(text[start:pos]), shift + start, shift + pos))
            start = pos = token.end()
            continue
        pos = token.end()
        dropped = 1 if token.group("tail") or token.group("end") else 0
    if pos - dropped > start:
        words.append((replace_invalid(text[start : pos - dropped]), shift + start, shift + pos))
    return words


def _name_values(line: Line, escape: str) -> None:
    """Read `key=value …` or the old form `key value` (parseNameVal)."""
    args, at = line.args, line.args_start
    words = _quote_aware_words(args, at, escape)
    if not words:
        return
    if "=" not in words[0][0]:
        parts = _BLANKS.split(args, maxsplit=1)
        if len(parts) < 2:
            raise LineError(f"{line.keyword} must have two arguments", at)
        line.pairs.append((parts[0], parts[1], at, at + len(args)))
        return
    for word, start, end in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise LineError(f"Syntax error - can't find = in {quote(word)}. Must be of the form: name=value", start)
        line.pairs.append((key, value, start, end))
