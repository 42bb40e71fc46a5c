"""Places in a text, as the protocol counts them and as the engine does.

The protocol knows three line ends, `\\n`, `\\r\\n` and `\\r` (LSP 3.17, "Text Documents"), and counts a line in units of the encoding
that both sides agreed on. Python's `splitlines` knows eleven, so a form feed in a RUN would shift every place after it.
The engine counts bytes of UTF-8.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\n|\r")
#: bytes of one unit
_UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
ENCODINGS = tuple(_UNIT)
DEFAULT_ENCODING = "utf-16"


class Place(NamedTuple):
    """A position of the protocol: both from 0, the character in units of the agreed encoding."""

    line: int
    character: int


class Range(NamedTuple):
    """A half-open range of the protocol."""

    start: Place
    end: Place


class NoSuchPlace(ValueError):
    """An offset that no position of the protocol stands for: inside of a character, or between `\\r` and `\\n`."""


class LineIndex:
    """The lines of one text. Offsets count code points unless they are called bytes."""

    def __init__(self, text: str, encoding: str = DEFAULT_ENCODING) -> None:
        """Index `text`; raises KeyError for an encoding that is none of `ENCODINGS`."""
        self.text = text
        self._width = _UNIT[encoding]
        self._codec = {1: "utf-8", 2: "utf-16-le", 4: "utf-32-le"}[self._width]
        ends = list(_LINE_END.finditer(text))
        self._starts = [0, *(end.end() for end in ends)]
        #: where the content of each line ends, before its line end
        self._stops = [*(end.start() for end in ends), len(text)]

    @cached_property
    def source(self) -> bytes:
        """The text in UTF-8. Raises UnicodeEncodeError for a lone surrogate, which is no text."""
        return self.text.encode("utf-8")

    def place(self, offset: int) -> Place:
        """Return the position of an offset. Raises NoSuchPlace."""
        line = bisect_right(self._starts, offset) - 1
        if offset > self._stops[line]:
            raise NoSuchPlace(f"offset {offset} lies within a line end")
        return Place(line, self._units(self.text[self._starts[line] : offset]))

    def offset(self, place: Place) -> int:
        """Return the offset of a position; one behind the end of a line or of the text is its end (LSP 3.17, "Position").

        A position within a character is the place before it.
        """
        if place.line < 0 or place.character < 0:
            return 0
        if place.line >= len(self._starts):
            return len(self.text)
        start, stop = self._starts[place.line], self._stops[place.line]
        line = self.text[start:stop]
        if self._width == 4 or line.isascii():
            return min(start + place.character, stop)
        units = 0
        for index, char in enumerate(line):
            units += self._units(char)
            if units > place.character:
                return start + index
        return stop

    def from_byte(self, byte: int) -> int:
        """Return the offset of a byte of `source`. Raises NoSuchPlace for one within a character."""
        if len(self.source) == len(self.text):
            return byte
        line = bisect_right(self._byte_starts, byte) - 1
        try:
            return self._starts[line] + len(self.source[self._byte_starts[line] : byte].decode("utf-8"))
        except UnicodeDecodeError as error:
            raise NoSuchPlace(f"byte {byte} lies within a character") from error

    def to_byte(self, offset: int) -> int:
        """Return the byte of `source` at an offset."""
        if len(self.source) == len(self.text):
            return offset
        line = bisect_right(self._starts, offset) - 1
        return self._byte_starts[line] + len(self.text[self._starts[line] : offset].encode("utf-8"))

    @cached_property
    def _byte_starts(self) -> list[int]:
        """Where each line starts in `source`: to count from the start of the text for every place of a long one takes minutes."""
        lines = pairwise([*self._starts, len(self.text)])
        return [0, *accumulate(len(self.text[start:end].encode("utf-8")) for start, end in lines)][:-1]

    def range_of(self, start: int, end: int) -> Range:
        """Return the range between two offsets. Raises NoSuchPlace."""
        return Range(self.place(start), self.place(end))

    def _units(self, text: str) -> int:
        if self._width == 4 or text.isascii():
            return len(text)
        return len(text.encode(self._codec, "surrogatepass")) // self._width


class Replacement(NamedTuple):
    """The characters [start, end) of a text give way to another text."""

    start: int
    end: int
    text: str


def smallest_replacement(old: str, new: str) -> Replacement | None:
    """Return the one replacement that makes `new` of `old` with what they share at both ends left out; None where they are equal.

    No end of it lies between `\\r` and `\\n`: a client could not say where that is.
    """
    if old == new:
        return None
    shortest = min(len(old), len(new))
    head = _shared(old, new, shortest)
    while head and (_splits_line_end(old, head) or _splits_line_end(new, head)):
        head -= 1
    tail = _shared(old[::-1], new[::-1], shortest - head)
    while tail and (_splits_line_end(old, len(old) - tail) or _splits_line_end(new, len(new) - tail)):
        tail -= 1
    return Replacement(head, len(old) - tail, new[head : len(new) - tail])


def _shared(one: str, other: str, limit: int) -> int:
    """Return how many characters two texts have in common at their start, at most `limit`; by bisection of equal prefixes."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _splits_line_end(text: str, offset: int) -> bool:
    return 0 < offset < len(text) and text[offset - 1] == "\r" and text[offset] == "\n"
