"""The JSON (exec) form of arguments: what Go's `encoding/json` accepts, which is not quite what Python's `json` accepts.

BuildKit's `parser/line_parsers.go`, parseJSON: an array of strings up to the end of the text is the JSON form, any other
valid array is an error, everything else is silently the shell form (strict since Dockerfile frontend 1.9).
"""

from __future__ import annotations

import json
import re

from dockopt.optimizer.syntax.gotext import SPACES, replace_invalid

MAX_DEPTH = 10_000  # nesting limit of Go's scanner
_BLANK = r"[ \t\r\n]*+"
_STRING = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_STRINGS = re.compile(rf"\[{_BLANK}(?:{_STRING}{_BLANK}(?:,{_BLANK}{_STRING}{_BLANK})*+)?\]{_BLANK}\Z")
_SPACE = re.compile(_BLANK)
_TEXT = re.compile(_STRING)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*+)(?:\.([0-9]++))?(?:[eE]([+-]?[0-9]++))?")
_WORD = re.compile("true|false|null")


class NotStringArrayError(ValueError):
    """A JSON array that does not hold strings only."""


def parse_json(text: str) -> tuple[str, ...] | None:
    """Return the items of the JSON form, None for the shell form. Raises NotStringArrayError."""
    text = text.lstrip(SPACES)
    if not text.startswith("["):
        return None
    if _STRINGS.match(text):
        items: list[str] = json.loads(text)
        return tuple(replace_invalid(item) for item in items)
    if _is_valid(text):
        raise NotStringArrayError("when using JSON array syntax, arrays must be comprised of strings only")
    return None


def _is_valid(text: str) -> bool:
    """Tell whether Go decodes the whole text as one array; iterative, since nesting may be deep."""
    closers: list[str] = []
    at, want = 0, "value"
    while True:
        found = _SPACE.match(text, at)
        at = found.end() if found else at
        char = text[at : at + 1]
        if not char:
            return want == "end"
        if want == "end":
            return False
        if want in ("value", "value or ]") and char in "[{":
            closers.append("]" if char == "[" else "}")
            if len(closers) > MAX_DEPTH:
                return False
            want = "value or ]" if char == "[" else "key or }"
            at += 1
        elif char in "]}":
            allowed = want == "more" or (want == "value or ]" and char == "]") or (want == "key or }" and char == "}")
            if not allowed or closers.pop() != char:
                return False
            want = "more" if closers else "end"
            at += 1
        elif want == "more":
            if char != ",":
                return False
            want = "value" if closers[-1] == "]" else "key"
            at += 1
        elif want in ("key", "key or }"):
            found = _TEXT.match(text, at)
            colon = _SPACE.match(text, found.end()) if found else None
            if colon is None or not text.startswith(":", colon.end()):
                return False
            at, want = colon.end() + 1, "value"
        else:
            found = _TEXT.match(text, at) or _WORD.match(text, at)
            if found is None:
                found = _NUMBER.match(text, at)
                if found is None or _overflows(found):
                    return False
            at, want = found.end(), "more"


def _overflows(number: re.Match[str]) -> bool:
    """Tell whether a number is beyond float64, on which Go's decoder gives up."""
    whole, fraction, exponent = number.group(1), number.group(2) or "", number.group(3) or "0"
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return False
    magnitude = len(whole) - (len(whole + fraction) - len(digits))  # of 0.digits × 10**magnitude
    power = magnitude + (int(exponent) if len(exponent) < 12 else -(10**12) if exponent[0] == "-" else 10**12)
    if abs(power) > 400:
        return power > 0
    # 800 digits are more than float64 can tell apart
    return float(f"0.{digits[:800]}e{power}") == float("inf")
