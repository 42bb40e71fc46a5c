"""Unified diffs over bytes that `patch -p1` and `git apply` accept, whatever the file holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_CONTEXT_LINES = 3
#: above this many lines between the first and the last change, difflib may treat frequent lines as junk to stay fast
_EXACT_LINES = 2000


class FileDiff(NamedTuple):
    """A unified diff in lines; each ends with `\\n` and holds the bytes of the files as they are."""

    lines: tuple[bytes, ...]

    def __bytes__(self) -> bytes:
        return b"".join(self.lines)


def unified_diff(path: str, before: bytes | None, after: bytes) -> FileDiff:
    """Compare two states of one file; `before` of None is a new file. No lines where they are equal.

    Lines end at `\\n` only, as `patch` sees it, so the `\\r` of CRLF files belongs to the content. A missing new line
    at the end of a file is marked as git marks it.
    """
    if before == after:
        return FileDiff(())
    name = diff_name(path)
    old_lines, new_lines = split_lines(before or b""), split_lines(after)
    old_name = b"/dev/null" if before is None else _header_name("a/" + name)
    out = [b"--- " + old_name + b"\n", b"+++ " + _header_name("b/" + name) + b"\n"]
    for group in _groups(old_lines, new_lines):
        first, last = group[0], group[-1]
        old_range, new_range = _range(first[1], last[2]), _range(first[3], last[4])
        out.append(b"@@ -" + old_range + b" +" + new_range + b" @@\n")
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                out += _marked(b" ", old_lines[old_start:old_end])
                continue
            out += _marked(b"-", old_lines[old_start:old_end])
            out += _marked(b"+", new_lines[new_start:new_end])
    return FileDiff(tuple(out))


def replaced_lines(before: bytes, after: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield what turns one text into another: lines [first, last) of the old one, from 0, and what takes their place."""
    if before == after:
        return
    old_lines, new_lines = split_lines(before), split_lines(after)
    for group in _groups(old_lines, new_lines):
        for tag, old_start, old_end, new_start, new_end in group:
            if tag != "equal":
                yield old_start, old_end, b"".join(new_lines[new_start:new_end])


def diff_name(path: str) -> str:
    """The name of a file in a diff: relative to the working directory, or from the root where it lies elsewhere.

    `patch` and `git apply` refuse names with `..`; a diff of files elsewhere is applied with `patch -p1 -d /`.
    """
    if not path.startswith(("/", "..")):
        normal = os.path.normpath(path)
        if not normal.startswith(".."):
            return normal
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - `..` is resolved in the text, as the shell's user means it
    working = Path.cwd()
    relative = absolute.relative_to(working) if absolute.is_relative_to(working) else absolute
    return str(relative).lstrip("/")


def _header_name(name: str) -> bytes:
    """A name as git writes it: quoted with octal escapes where needed, followed by a tab where it holds spaces."""
    raw = os.fsencode(name)
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in raw):
        return raw + b"\t" if b" " in raw else raw
    quoted = bytearray(b'"')
    for byte in raw:
        if byte in b'"\\':
            quoted += b"\\" + bytes((byte,))
        elif 0x20 <= byte < 0x7F:
            quoted.append(byte)
        else:
            quoted += b"\\%03o" % byte
    return bytes(quoted + b'"')


def split_lines(content: bytes) -> list[bytes]:
    """Return the lines with their ends, which are `\\n` and nothing else; the last line may have none."""
    lines = content.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _marked(mark: bytes, lines: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line.endswith(b"\n"):
            yield mark + line
        else:
            yield mark + line + b"\n"
            yield b"\\ No newline at end of file\n"


def _range(start: int, end: int) -> bytes:
    """The lines [start, end), from 0, as a hunk header counts them (an empty range names the line before it)."""
    length = end - start
    if length == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + 1 if length else start, length)


_Opcode = tuple[str, int, int, int, int]


def _groups(old: list[bytes], new: list[bytes]) -> list[list[_Opcode]]:
    """The hunks; equal lines at both ends are cut off first, so that a small change of a huge file costs little."""
    from difflib import SequenceMatcher

    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    head = max(0, head - _CONTEXT_LINES)
    tail = max(0, tail - _CONTEXT_LINES)
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    matcher = SequenceMatcher(
        None, old_middle, new_middle, autojunk=max(len(old_middle), len(new_middle)) > _EXACT_LINES
    )
    return [
        [(tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in group]
        for group in matcher.get_grouped_opcodes(_CONTEXT_LINES)
    ]
