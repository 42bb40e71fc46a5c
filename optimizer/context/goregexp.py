"""Gives the regular expressions that moby's patternmatcher makes of ignore patterns the meaning that Go gives them.

`patternmatcher.compile` writes a Go regular expression without escaping everything that means something there: `{`,
`}` and `|` get through (its escape table is too short for them), a letter behind a backslash becomes a class (`\\d`),
and `*` or `?` inside brackets expands inside the brackets. So the expression is parsed here as Go's `regexp/syntax`
would and written again for `re`, never handed over as it is.
"""

from __future__ import annotations

import re

_PERL = {
    "d": "0-9",
    "w": "0-9A-Za-z_",
    "s": "\\t\\n\\f\\r ",
}
_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_CONTROL = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_REPEAT = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")
_MAX_REPEAT = 1000  # regexp/syntax maxRepeat


class RegexpError(ValueError):
    """Go refuses the expression, or it uses an escape whose meaning is not modelled here."""


def translate(expression: str) -> re.Pattern[str]:
    """Compile an expression of patternmatcher for `search`. Raises RegexpError."""
    out: list[str] = []
    at = 0
    # what a repetition would repeat: "" nothing, "atom" something, "repeat" a repetition, which Go refuses
    last = ""
    while at < len(expression):
        char = expression[at]
        if char == "[":
            text, at = _char_class(expression, at + 1)
            out.append(text)
            last = "atom"
        elif char == "\\":
            text, at = _escape(expression, at)
            out.append(text)
            last = "atom"
        elif char in "*?" or (char == "{" and _REPEAT.match(expression, at)):
            if last != "atom":
                raise RegexpError("a repetition repeats nothing, or another repetition")
            text, at = _repetition(expression, at)
            out[-1] = f"(?:{out[-1]}){text}"
            last = "repeat"
        elif expression.startswith("(.*/)", at):
            out.append("(?:.*/)")  # `.` stops at a newline in both languages
            at += 5
            last = "atom"
        elif expression.startswith(".*", at):
            out.append(".*")
            at += 2
            last = "repeat"
        elif char == "|":
            out.append("|")
            at += 1
            last = ""
        elif char in "^$":
            out.append("^" if char == "^" else r"\Z")
            at += 1
            last = "atom"
        else:
            out.append(re.escape(char))
            at += 1
            last = "atom"
    try:
        return re.compile("".join(out))
    except (re.error, OverflowError, RecursionError) as error:
        raise RegexpError(str(error)) from error


def _repetition(expression: str, at: int) -> tuple[str, int]:
    if expression[at] in "*?":
        return expression[at], at + 1
    found = _REPEAT.match(expression, at)
    assert found is not None
    low = int(found[1])
    high = low if found[2] is None else int(found[3]) if found[3] else None
    if low > _MAX_REPEAT or (high is not None and (high > _MAX_REPEAT or high < low)):
        raise RegexpError("invalid repeat count")
    return found[0], found.end()


def _escape(expression: str, at: int) -> tuple[str, int]:
    """Read an escape outside brackets."""
    char = expression[at + 1 : at + 2]
    if char == "A":
        return r"\A", at + 2
    if char == "z":
        return r"\Z", at + 2
    if char in ("b", "B"):
        return rf"(?a:\{char})", at + 2
    if char in _PERL:
        return f"[{_PERL[char]}]", at + 2
    if char.lower() in _PERL and char:
        return f"[^{_PERL[char.lower()]}]", at + 2
    return re.escape(_single(char)), at + 2


def _single(char: str) -> str:
    """Return the character that a backslash and `char` stand for."""
    if not char:
        raise RegexpError("trailing backslash")
    if char in _CONTROL:
        return _CONTROL[char]
    if char.isascii() and not char.isalnum():
        return char
    raise RegexpError(f"invalid or unsupported escape `\\{char}`")


def _char_class(expression: str, at: int) -> tuple[str, int]:
    """Read a class from just behind `[` (regexp/syntax parseClass); return it for `re` and the end."""
    negated = expression[at : at + 1] == "^"
    if negated:
        at += 1
    members: list[str] = []
    first = True
    while at < len(expression) and (expression[at] != "]" or first):
        first = False
        if expression.startswith("[:", at) and (end := expression.find(":]", at + 2)) >= 0:
            name = expression[at + 2 : end]
            inverse = name.startswith("^")
            name = name.removeprefix("^")
            if name not in _POSIX or inverse:
                raise RegexpError(f"invalid or unsupported class `[:{expression[at + 2 : end]}:]`")
            members.append(_POSIX[name])
            at = end + 2
            continue
        if expression[at] == "\\" and expression[at + 1 : at + 2].lower() in tuple(_PERL):
            letter = expression[at + 1]
            if letter.isupper():
                raise RegexpError(f"unsupported class `\\{letter}` in brackets")
            members.append(_PERL[letter])
            at += 2
            continue
        low, at = _class_char(expression, at)
        high = low
        if expression[at : at + 1] == "-" and expression[at + 1 : at + 2] not in ("]", ""):
            high, at = _class_char(expression, at + 1)
            if high < low:
                raise RegexpError("invalid character class range")
        members.append(f"\\U{ord(low):08x}-\\U{ord(high):08x}")
    if at >= len(expression):
        raise RegexpError("missing closing `]`")
    return f"[{'^' if negated else ''}{''.join(members)}]", at + 1


def _class_char(expression: str, at: int) -> tuple[str, int]:
    if at >= len(expression):
        raise RegexpError("missing closing `]`")
    if expression[at] == "\\":
        return _single(expression[at + 1 : at + 2]), at + 2
    return expression[at], at + 1
