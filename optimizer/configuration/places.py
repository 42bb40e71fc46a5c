"""On which line of a TOML file a key stands. `tomllib` does not tell, so it is asked about beginnings of the file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

#: in longer files no line is told: a file that is made to be slow would be asked about again and again
_MOST_LINES = 2000


def line_of(text: str, keys: Sequence[str]) -> int:
    """Return the 1-based line where the statement begins that gives a key its value, or the first line of a table; 0 if none does, or
    the file is longer than 2,000 lines.

    A beginning of a TOML file that ends within a statement is no TOML, so the beginnings that are TOML end between statements: the
    key stands in the first statement after the longest one that does not have it yet.
    """
    lines = tuple(text.replace("\r\n", "\n").split("\n"))
    if len(lines) > _MOST_LINES or not _has(_parsed(lines, len(lines)), keys):
        return 0
    without, holding = 0, len(lines)  # beginnings in lines: one that lacks the key, one that has it
    while holding - without > 1:
        middle = (without + holding) // 2
        end = next((n for n in range(middle, holding) if _parsed(lines, n) is not None), None)
        if end is None:  # nothing ends between `middle` and `holding`
            start = next(n for n in range(middle, without - 1, -1) if _parsed(lines, n) is not None)
            if start == without:
                break
            end = start
        if _has(_parsed(lines, end), keys):
            holding = end
        else:
            without = end
    return without + 1


def _has(content: Any, keys: Sequence[str]) -> bool:
    for key in keys:
        if not isinstance(content, dict) or key not in content:
            return False
        content = content[key]
    return True


@lru_cache(maxsize=4096)
def _parsed(lines: tuple[str, ...], count: int) -> Any:
    """Return what the first lines of a file say, None where they are no TOML."""
    import tomllib

    try:
        return tomllib.loads("\n".join(lines[:count]))
    except tomllib.TOMLDecodeError:
        return None
