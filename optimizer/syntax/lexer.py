"""Word expansion of Dockerfile instructions: BuildKit's `frontend/dockerfile/shell/lex.go`.

One scanner serves all callers: `expand` (ProcessWord), `expand_words` (ProcessWords), `variables` (which names a word may
look up) and the word split that finds here-documents, in which quotes and unset variables stay as written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress

from dockopt.optimizer.syntax.gotext import SPACES, is_space, replace_invalid
from dockopt.optimizer.syntax.patterns import PatternError, replace, trim_prefix, trim_suffix

Lookup = Callable[[str], "str | None"]

_SPECIAL = frozenset("@*#?-$!0")
#: what ends a run of characters that mean nothing
_PLAIN = {escape: re.compile(rf"[^{SPACES}$<'\"/}}{re.escape(escape)}]+") for escape in "\\`"}
_DOUBLE = {escape: re.compile(rf"[^$\"{re.escape(escape)}]+") for escape in "\\`"}
_HEREDOC_BLANKS = re.compile(r"[\t\r ]*")
_END = ""


class ExpansionError(ValueError):
    """A word that BuildKit cannot expand; the message is its own."""


def is_name_char(char: str) -> bool:
    """Tell whether a character (not the first digit) can be part of a variable name: Unicode letters count."""
    if char.isascii():
        return char.isalnum() or char == "_"
    return unicodedata.category(char) in ("Lu", "Ll", "Lt", "Lm", "Lo", "Nd")


def _is_digit(char: str) -> bool:
    return "0" <= char <= "9" if char.isascii() else unicodedata.category(char) == "Nd"


class Scanner:
    """One pass of lex.go over a word. `words` is what ProcessWords returns; errors raise ExpansionError.

    `raw_quotes`, `raw_escapes`, `skip_unset` and `skip_quotes` are the Lex options of the same names.
    """

    def __init__(
        self,
        text: str,
        lookup: Lookup,
        escape: str = "\\",
        *,
        raw_quotes: bool = False,
        raw_escapes: bool = False,
        skip_unset: bool = False,
        skip_quotes: bool = False,
    ) -> None:
        # text/scanner drops a leading byte order mark and reads broken UTF-8 as U+FFFD
        self.text = replace_invalid(text).removeprefix("\ufeff")
        self.lookup, self.escape = lookup, escape
        self.raw_quotes, self.raw_escapes, self.skip_unset, self.skip_quotes = (
            raw_quotes,
            raw_escapes,
            skip_unset,
            skip_quotes,
        )
        self.pos = 0
        self.words: list[str] = []
        self._plain, self._double = _PLAIN[escape], _DOUBLE[escape]
        # one word buffer for all levels, as in lex.go: an inner `${x:-…}` resets what the outer word had collected
        self._buffer: list[str] = []

    def run(self) -> str:
        """Process the whole text."""
        result, self.words = self._until(_END, self.raw_escapes, in_pattern=False)
        return result

    def _peek(self) -> str:
        return self.text[self.pos : self.pos + 1]

    def _next(self) -> str:
        self.pos += 1
        return self.text[self.pos - 1 : self.pos]

    def _until(self, stop: str, raw_escapes: bool, *, in_pattern: bool) -> tuple[str, list[str]]:
        """Process up to the character `stop` (consumed), or to the end of the text."""
        before, self.raw_escapes = self.raw_escapes, raw_escapes
        try:
            return self._process(stop, in_pattern)
        finally:
            self.raw_escapes = before

    def _process(self, stop: str, in_pattern: bool) -> tuple[str, list[str]]:
        self._buffer.clear()
        buffer = self._buffer
        words: list[str] = []
        out: list[str] = []
        text = self.text
        in_word = False

        def flush() -> list[str]:
            if buffer:
                words.append("".join(buffer))
                buffer.clear()
            return words

        while self.pos < len(text):
            char = text[self.pos]
            if char == stop:
                self.pos += 1
                return "".join(out), flush()
            if char in "'\"" and not self.skip_quotes:
                piece = self._single(in_pattern) if char == "'" else self._double_quoted(in_pattern)
            elif char == "<":
                piece = self._possible_heredoc()
            elif char == "$":
                piece = self._dollar()
                out.append(piece)
                for item in piece:
                    if not is_space(item):
                        buffer.append(item)
                        in_word = True
                    elif in_word and buffer:
                        flush()
                        in_word = False
                continue
            elif char == self.escape:
                self.pos += 1
                piece = char if self.raw_escapes else ""
                piece += self._next() if self.pos < len(text) else ""
                if not piece:
                    break
            elif is_space(char):
                self.pos += 1
                out.append(char)
                if in_word and buffer:
                    flush()
                    in_word = False
                continue
            else:
                found = self._plain.match(text, self.pos)
                piece = found.group() if found else char
                self.pos += len(piece)
            out.append(piece)
            in_word = True
            if piece:
                buffer.append(piece)
        if stop:
            raise ExpansionError(f"unexpected end of statement while looking for matching {stop}")
        return "".join(out), flush()

    def _single(self, in_pattern: bool) -> str:
        start = self.pos + 1
        end = self.text.find("'", start)
        if end < 0:
            self.pos = len(self.text)
            raise ExpansionError("unexpected end of statement while looking for matching single-quote")
        self.pos = end + 1
        inner = self.text[start:end]
        if in_pattern:
            inner = inner.replace(self.escape, self.escape * 2)
        return f"'{inner}'" if self.raw_quotes else inner

    def _double_quoted(self, in_pattern: bool) -> str:
        quote = '"' if self.raw_quotes else ""
        out = [quote]
        self.pos += 1
        while char := self._peek():
            if char == '"':
                self.pos += 1
                out.append(quote)
                return "".join(out)
            if char == "$":
                out.append(self._dollar())
            elif char == self.escape:
                self.pos += 1
                following = self._peek()
                if not following:
                    break
                if following in ('"', "$", self.escape):
                    out.append((char if self.raw_escapes else "") + following)
                    self.pos += 1
                else:
                    doubled = self.raw_escapes and (not self.raw_quotes or in_pattern)
                    out.append(char * 2 if doubled else char)
            else:
                found = self._double.match(self.text, self.pos)
                piece = found.group() if found else char
                self.pos += len(piece)
                out.append(piece)
        raise ExpansionError("unexpected end of statement while looking for matching double-quote")

    def _possible_heredoc(self) -> str:
        start = self.pos
        self.pos += 1
        if self._peek() == "<":
            found = _HEREDOC_BLANKS.match(self.text, self.pos + 1)
            self.pos = found.end() if found else self.pos + 1
        return self.text[start : self.pos]

    def _name(self) -> str:
        start = self.pos
        first = self._peek()
        if first and _is_digit(first):
            while (char := self._peek()) and _is_digit(char):
                self.pos += 1
        elif first in _SPECIAL:
            self.pos += 1
        else:
            while (char := self._peek()) and is_name_char(char):
                self.pos += 1
        return self.text[start : self.pos]

    def _dollar(self) -> str:
        self.pos += 1
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            value = self.lookup(name)
            return value if value is not None else f"${name}" if self.skip_unset else ""
        self.pos += 1
        following = self._peek()
        if not following:
            raise ExpansionError("syntax error: missing '}'")
        if following in "{}:":
            raise ExpansionError("syntax error: bad substitution")
        name = self._name()
        modifier = self._next()
        if modifier == "}":
            value = self.lookup(name)
            return value if value is not None else f"${{{name}}}" if self.skip_unset else ""
        if modifier == "/":
            return self._replacement(name)
        written = modifier
        if modifier == ":":
            modifier = self._next()
            written += modifier or "\ufffd"
            if modifier and modifier in "#%":
                raise ExpansionError(f"unsupported modifier ({written}) in substitution")
        elif not modifier or modifier not in "+-?#%":
            raise ExpansionError(f"unsupported modifier ({modifier or chr(0xFFFD)}) in substitution")
        return self._modified(name, modifier, written)

    def _operand(self, stop: str, raw_escapes: bool, in_pattern: bool, missing: str) -> str:
        try:
            return self._until(stop, raw_escapes, in_pattern=in_pattern)[0]
        except ExpansionError:
            if self.pos >= len(self.text):
                raise ExpansionError(missing) from None
            raise

    def _modified(self, name: str, modifier: str, written: str) -> str:
        pattern = modifier != _END and modifier in "#%"
        word = self._operand("}", pattern, pattern, "syntax error: missing '}'")
        value = self.lookup(name)
        if self.skip_unset and value is None:
            return f"${{{name}{written}{word}}}"
        missing = value is None or (written[0] == ":" and not value)
        if modifier == "-":
            return word if missing else value or ""
        if modifier == "+":
            return "" if missing else word
        if modifier == "?":
            if missing:
                raise ExpansionError(
                    f"{name}: " + (word or f"is not allowed to be {'unset' if value is None else 'empty'}")
                )
            return value or ""
        if not pattern:
            raise ExpansionError(f"unsupported modifier ({written}) in substitution")
        greedy = word.startswith(modifier)
        word = word[1:] if greedy else word
        try:
            return (trim_prefix if modifier == "#" else trim_suffix)(word, value or "", greedy)
        except PatternError as error:
            raise ExpansionError(str(error)) from None

    def _replacement(self, name: str) -> str:
        everywhere = self._peek() == "/"
        self.pos += everywhere
        pattern = self._operand("/", True, True, "syntax error: missing '/' in ${}")
        replacement = self._operand("}", True, False, "syntax error: missing '}'")
        value = self.lookup(name)
        if self.skip_unset and value is None:
            return f"${{{name}/{pattern}/{replacement}}}"
        try:
            return replace(pattern, replacement, value or "", everywhere)
        except PatternError as error:
            raise ExpansionError(str(error)) from None


def expand(word: str, lookup: Lookup, escape: str = "\\") -> str:
    """Expand one word as BuildKit does for ENV, COPY, WORKDIR and kin; `lookup` returns None for unset names.

    Raises ExpansionError.
    """
    if word.isascii() and not any(char in word for char in ("$", "'", '"', escape)):
        return word
    return _guarded(Scanner(word, lookup, escape))


def expand_words(text: str, lookup: Lookup, escape: str = "\\") -> list[str]:
    """Expand and split into words, as EXPOSE does. Raises ExpansionError."""
    scanner = Scanner(text, lookup, escape)
    _guarded(scanner)
    return scanner.words


def expand_body(body: str, lookup: Lookup) -> str:
    r"""Expand the body of an unquoted here-document of COPY or ADD: quotes stay, the escape character is always `\`.

    Raises ExpansionError.
    """
    return _guarded(Scanner(body, lookup, skip_quotes=True))


def variables(word: str, escape: str = "\\") -> frozenset[str]:
    """Return the names that expanding a word may look up, in any branch (those before the fault if it does not expand)."""
    if "$" not in word:
        return frozenset()
    names: set[str] = set()

    def note(name: str) -> str | None:
        names.add(name)
        return None

    with suppress(ExpansionError):
        _guarded(Scanner(word, note, escape, skip_unset=True))
    return frozenset(names)


def _guarded(scanner: Scanner) -> str:
    try:
        return scanner.run()
    except RecursionError:
        raise ExpansionError("substitutions are nested too deeply") from None
