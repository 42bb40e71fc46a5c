"""Word expansion of Dockerfile instructions: BuildKit's `frontend/dockerfile/shell/lex.go` (reference §1.8).

One scanner serves three callers: `expand` (values), `variables` (which names a word may look up) and `split_raw` (the word
split that finds here-documents, in which quotes and unset variables stay as written).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

Lookup = Callable[[str], "str | None"]

_SPECIAL = frozenset("@*#?-$!0")
_HEREDOC_START = re.compile(r"\d*<<-?\s*")


class ExpansionError(ValueError):
    """A word that BuildKit cannot expand; the message is its own."""


def is_space(char: str) -> bool:
    """Tell whether Go's `unicode.IsSpace` holds, which is not the same set as Python's `str.isspace`."""
    return char in "\t\n\v\f\r \x85\xa0" or (ord(char) > 0xFF and unicodedata.category(char)[0] == "Z")


#: the characters of `is_space`, for `str.strip`
SPACES = "".join(map(chr, (9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)))


class _Scanner:
    def __init__(self, text: str, lookup: Lookup, escape: str, *, raw: bool = False) -> None:
        self.text, self.lookup, self.escape, self.raw = text, lookup, escape, raw
        self.pos = 0
        self.words: list[str] = []
        self._word = ""
        self._in_word = False

    # -- word splitting: `words` collects what `ProcessWords` would return

    def _add(self, text: str, *, split: bool) -> None:
        for char in text:
            if split and is_space(char):
                if self.raw and self._in_word and _HEREDOC_START.fullmatch(self._word):
                    self._word += char  # since 1.16 `<< EOF` is one word
                    continue
                self._end_word()
            else:
                self._word += char
                self._in_word = True

    def _end_word(self) -> None:
        if self._in_word:
            self.words.append(self._word)
        self._word, self._in_word = "", False

    def run(self) -> str:
        result = self.until("", top=True)
        self._end_word()
        return result

    def _peek(self) -> str:
        return self.text[self.pos] if self.pos < len(self.text) else ""

    def until(self, stop: str, *, top: bool = False, raw_escapes: bool = False) -> str:
        """Process up to the character `stop` (consumed); "" is the end of the text."""
        out: list[str] = []

        def add(text: str, *, split: bool) -> None:
            out.append(text)
            if top:
                self._add(text, split=split)

        while self.pos < len(self.text):
            char = self.text[self.pos]
            if stop and char == stop:
                self.pos += 1
                return "".join(out)
            if char == "'":
                quoted = self._single()
                if top:
                    self._in_word = True
                add(quoted, split=False)
            elif char == '"':
                quoted = self._double()
                if top:
                    self._in_word = True
                add(quoted, split=False)
            elif char == "$":
                add(self._dollar(), split=True)
            else:
                self.pos += 1
                if char == self.escape:
                    if raw_escapes or self.raw:
                        add(char, split=False)
                    if self.pos >= len(self.text):
                        break
                    char = self.text[self.pos]
                    self.pos += 1
                    add(char, split=False)
                else:
                    add(char, split=True)
        if stop:
            raise ExpansionError(f"unexpected end of statement while looking for matching {stop}")
        return "".join(out)

    def _single(self) -> str:
        end = self.text.find("'", self.pos + 1)
        if end < 0:
            raise ExpansionError("unexpected end of statement while looking for matching single-quote")
        start, self.pos = self.pos, end + 1
        return self.text[start : end + 1] if self.raw else self.text[start + 1 : end]

    def _double(self) -> str:
        out = ['"'] if self.raw else []
        self.pos += 1
        while self.pos < len(self.text):
            char = self.text[self.pos]
            if char == '"':
                self.pos += 1
                return "".join(out) + ('"' if self.raw else "")
            if char == "$":
                out.append(self._dollar())
                continue
            self.pos += 1
            if char == self.escape:
                following = self._peek()
                if not following:
                    break
                self.pos += 1
                keep = self.raw or following not in ('"', "$", self.escape)
                out.append((char if keep else "") + following)
            else:
                out.append(char)
        raise ExpansionError("unexpected end of statement while looking for matching double-quote")

    def _name(self) -> str:
        start = self.pos
        first = self._peek()
        if first and first.isdigit():
            while self._peek() and self._peek().isdigit():
                self.pos += 1
        elif first in _SPECIAL and first:
            self.pos += 1
        else:
            while (c := self._peek()) and (unicodedata.category(c)[0] == "L" or unicodedata.category(c) == "Nd" or c == "_"):
                self.pos += 1
        return self.text[start : self.pos]

    def _dollar(self) -> str:
        start = self.pos
        self.pos += 1
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            value = self.lookup(name)
            return value if value is not None else self.text[start : self.pos] if self.raw else ""
        self.pos += 1
        if self._peek() in ("", "{", "}", ":"):
            raise ExpansionError("syntax error: bad substitution")
        name = self._name()
        modifier = self._peek()
        if not modifier:
            raise ExpansionError("syntax error: missing '}'")
        self.pos += 1
        if modifier == "}":
            value = self.lookup(name)
            return value if value is not None else self.text[start : self.pos] if self.raw else ""
        result = self._modified(name, modifier)
        if self.raw and self.lookup(name) is None:
            return self.text[start : self.pos]
        return result

    def _modified(self, name: str, modifier: str) -> str:
        value = self.lookup(name)
        if modifier in "+-?:":
            null_counts = modifier == ":"
            if null_counts:
                modifier = self._peek()
                self.pos += 1
            word = self.until("}")
            present = value is not None and not (null_counts and not value)
            if modifier == "-":
                return value if present and value is not None else word
            if modifier == "+":
                return word if present else ""
            if modifier == "?":
                if not present and not self.raw:
                    raise ExpansionError(f"{name}: {word or 'not allowed to be ' + ('empty' if value is not None else 'unset')}")
                return value or ""
            raise ExpansionError(f"unsupported modifier ({modifier}) in substitution")
        if modifier in "#%":
            greedy = self._peek() == modifier
            self.pos += greedy
            pattern = self.until("}", raw_escapes=True)
            return _trim(value or "", pattern, prefix=modifier == "#", greedy=greedy)
        if modifier == "/":
            everywhere = self._peek() == "/"
            self.pos += everywhere
            pattern = self.until("/", raw_escapes=True)
            replacement = self.until("}", raw_escapes=True)
            regex = re.compile(_to_regex(pattern, greedy=True), re.DOTALL)
            return regex.sub(lambda _: replacement, value or "", count=0 if everywhere else 1)
        raise ExpansionError(f"unsupported modifier ({modifier}) in substitution")


def _to_regex(pattern: str, *, greedy: bool) -> str:
    """Translate a pattern in which only `*`, `?` and a backslash mean something (lex.go, convertShellPatternToRegex)."""
    out, i = "", 0
    while i < len(pattern):
        char = pattern[i]
        if char == "*":
            out += ".*" if greedy else ".*?"
        elif char == "?":
            out += "."
        elif char == "\\":
            i += 1
            if i == len(pattern) or pattern[i] not in "*?\\":
                raise ExpansionError("invalid escape '\\' in pattern")
            out += re.escape(pattern[i])
        else:
            out += re.escape(char)
        i += 1
    return out


def _trim(value: str, pattern: str, *, prefix: bool, greedy: bool) -> str:
    regex = re.compile(_to_regex(pattern, greedy=greedy), re.DOTALL)
    if prefix:
        found = regex.match(value)
        return value[found.end() :] if found else value
    # the shortest suffix starts last, the longest first
    starts = range(len(value) + 1) if greedy else range(len(value), -1, -1)
    for start in starts:
        if regex.fullmatch(value, start):
            return value[:start]
    return value


def expand(word: str, lookup: Lookup, escape: str = "\\") -> str:
    """Expand one word as BuildKit does for ENV, COPY, WORKDIR and kin. Raises ExpansionError."""
    if "$" not in word and "'" not in word and '"' not in word and escape not in word:
        return word
    return _Scanner(word, lookup, escape).run()


def expand_words(text: str, lookup: Lookup, escape: str = "\\") -> list[str]:
    """Expand and split into words, as EXPOSE does. Raises ExpansionError."""
    scanner = _Scanner(text, lookup, escape)
    scanner.run()
    return scanner.words


def variables(word: str, escape: str = "\\") -> frozenset[str]:
    """Return the names that expanding a word may look up, in any branch; empty where the word does not expand."""
    if "$" not in word:
        return frozenset()
    names: set[str] = set()

    def note(name: str) -> str | None:
        names.add(name)
        return None

    try:
        _Scanner(word, note, escape, raw=True).run()
    except ExpansionError:
        pass
    return frozenset(names)


def split_raw(line: str) -> list[str]:
    """Split a logical line into words with quotes and variables kept; a line that does not lex has no words (P:481-500)."""
    scanner = _Scanner(line, lambda _name: None, "\\", raw=True)
    try:
        scanner.run()
    except ExpansionError:
        return []
    return scanner.words


def unquoted_words(text: str) -> tuple[list[str], list[str]]:
    """Return the words of a here-document delimiter with and without quotes kept. Raises ExpansionError."""
    kept = _Scanner(text, lambda _name: None, "\\", raw=True)
    kept.run()

    def unset(name: str) -> str | None:
        return f"${name}"

    plain = _Scanner(text, unset, "\\")
    plain.run()
    return kept.words, plain.words
