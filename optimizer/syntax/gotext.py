"""Text as Go sees it: white space, letter case and broken UTF-8 differ from Python's, and BuildKit's grammar is written in Go's.

Text of a Dockerfile is `str` decoded with `surrogateescape`: a byte that is not UTF-8 is a lone surrogate, so `encode` gives
the bytes back. Where BuildKit reads such text rune by rune, it replaces each of these bytes by U+FFFD (`replace_invalid`).
"""

from __future__ import annotations

import re

#: the characters for which Go's `unicode.IsSpace` holds (Python's `str.isspace` also has U+001C to U+001F)
SPACES = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_SPACE_SET = frozenset(SPACES)
#: `bytes.TrimLeftFunc(unicode.IsSpace)` on UTF-8
LEADING_SPACE = re.compile(
    rb"(?:[\t\n\v\f\r ]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)*+"
)
_INVALID = re.compile("[\ud800-\udfff]")


def decode(data: bytes) -> str:
    """Decode UTF-8; other bytes become lone surrogates, so that nothing is lost."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Give back the bytes of text made by `decode`."""
    return text.encode("utf-8", "surrogateescape")


def replace_invalid(text: str) -> str:
    """Replace what is not valid Unicode by U+FFFD, as Go does when it copies text rune by rune."""
    return text if text.isascii() else _INVALID.sub("\ufffd", text)


def is_space(char: str) -> bool:
    """Tell whether Go's `unicode.IsSpace` holds for one character."""
    return char in _SPACE_SET


def trim(text: str) -> str:
    """Cut white space off both ends, as Go's `strings.TrimSpace`."""
    return text.strip(SPACES)


def lower(text: str) -> str:
    """Lower-case character by character, as Go's `strings.ToLower` (no final sigma, dotted İ becomes `i`)."""
    if text.isascii():
        return text.lower()
    return "".join("i" if c == "\u0130" else c.lower() if len(c.lower()) == 1 else c for c in replace_invalid(text))


def upper(text: str) -> str:
    """Upper-case character by character, as Go's `strings.ToUpper` (ß stays ß)."""
    if text.isascii():
        return text.upper()
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in replace_invalid(text))


def quote(text: str) -> str:
    """Quote text for a message, as Go's `%q` does for what occurs in Dockerfiles (rare runes are not escaped)."""
    names = {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        '"': '\\"',
    }
    out = []
    for char in text:
        if char in names:
            out.append(names[char])
        elif "\udc80" <= char <= "\udcff":
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif char < " " or char == "\x7f":
            out.append(f"\\x{ord(char):02x}")
        elif char.isprintable():
            out.append(char)
        else:
            out.append(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")
    return '"' + "".join(out) + '"'
