"""Text from files and file names, made harmless for terminals and for readers.

A Dockerfile or a file name can hold terminal escapes, bidirectional overrides that show code in another order than it
is executed in, or bytes that are no UTF-8. Everything of that kind is shown as an escape. Markup of rich needs no
escaping: the program never hands text to rich as markup.
"""

from __future__ import annotations

import os


def safe(text: str | bytes | os.PathLike[str], *, keep: str = "") -> str:
    r"""Return `text` with everything that is not plainly visible as an escape (`\x1b`, `\u202e`); never fails.

    What is escaped: control characters, C1 included, new lines and tabs, format characters (bidirectional controls,
    zero width, tags), separators other than the space, unassigned and private characters, lone surrogates. Bytes that
    are no UTF-8 come out as `\x..`, whether they arrive as bytes or as the surrogates of `os.fsdecode`. The characters
    of `keep` stay. A backslash of the text stays single: this is for reading, not for parsing back.
    """
    if isinstance(text, os.PathLike):
        text = os.fspath(text)
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else _escape(ord(char)) for char in text)


def _escape(code: int) -> str:
    names = {9: r"\t", 10: r"\n", 13: r"\r"}
    if code in names:
        return names[code]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as `surrogateescape` carries it
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
