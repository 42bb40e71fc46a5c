"""Go's `path/filepath` on POSIX, as far as BuildKit's patterns and COPY sources go through it.

Source: Go `src/path/filepath/match.go` and `src/internal/filepathlite/path.go` (Go 1.26). Paths are `str`; bytes that
are not UTF-8 are lone surrogates (`os.fsdecode`), which Go sees as single invalid bytes.
"""

from __future__ import annotations

import posixpath

WILDCARDS = "*?["


class BadPatternError(ValueError):
    """`filepath.ErrBadPattern`: the pattern is not well formed."""


def clean(path: str) -> str:
    """Return `filepath.Clean(path)`: like `os.path.normpath`, which alone keeps two leading slashes apart."""
    return "/" + posixpath.normpath(path).lstrip("/") if path.startswith("/") else posixpath.normpath(path)


def has_wildcard(component: str) -> bool:
    """Tell whether BuildKit treats a COPY source component as a pattern (fsutil `containsWildcards`)."""
    escaped = False
    for char in component:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char in WILDCARDS:
            return True
    return False


def match(pattern: str, name: str) -> bool:
    """Return `filepath.Match(pattern, name)`: `*` and `?` stop at `/`, no `**`, `[^a]` negates, `[!a]` does not.

    Raises BadPatternError for a malformed pattern, but only where the matching gets that far: unlike `path.Match`,
    `filepath.Match` does not look at what stands behind a star once the name cannot match.
    """
    chunks = _chunks(pattern)
    at = 0
    for index, (star, chunk) in enumerate(chunks):
        last = index == len(chunks) - 1
        if star and not chunk:
            return "/" not in name[at:]
        end = _match_chunk(chunk, name[at:])
        if end is not None and (at + end == len(name) or not last):
            at += end
            continue
        found = False
        if star:
            for start in range(at, len(name)):
                if name[start] == "/":
                    break
                end = _match_chunk(chunk, name[start + 1 :])
                if end is not None and not (last and start + 1 + end < len(name)):
                    at = start + 1 + end
                    found = True
                    break
        if not found:
            return False
    return at == len(name)


def _chunks(pattern: str) -> list[tuple[bool, str]]:
    """Cut a pattern at its stars: (a star stands before it, text without stars outside brackets)."""
    chunks: list[tuple[bool, str]] = []
    at = 0
    while at < len(pattern):
        star = False
        while at < len(pattern) and pattern[at] == "*":
            star = True
            at += 1
        begin = at
        in_range = False
        while at < len(pattern):
            char = pattern[at]
            if char == "\\":
                at += 1  # the escaped character never ends a chunk
            elif char == "[":
                in_range = True
            elif char == "]":
                in_range = False
            elif char == "*" and not in_range:
                break
            at += 1
        at = min(at, len(pattern))
        chunks.append((star, pattern[begin:at]))
    return chunks


def _match_chunk(chunk: str, text: str) -> int | None:
    """Match a star-free chunk at the start of `text`; return how much it took, None for no match.

    The chunk is checked to its end also behind a mismatch. Raises BadPatternError.
    """
    failed = False
    at = used = 0
    while at < len(chunk):
        if not failed and used == len(text):
            failed = True
        char = chunk[at]
        if char == "[":
            at, inside = _match_class(chunk, at + 1, None if failed else text[used])
            failed = failed or not inside
            used += 1
            continue
        if char == "?":
            if not failed and text[used] == "/":
                failed = True
        else:
            if char == "\\":
                at += 1
                if at == len(chunk):
                    raise BadPatternError(f"`{chunk}` ends in a backslash")
            if not failed and chunk[at] != text[used]:
                failed = True
        used += 1
        at += 1
    return None if failed else used


def _match_class(chunk: str, at: int, char: str | None) -> tuple[int, bool]:
    """Read a bracket class from just behind `[`; return where it ends and whether `char` is in it."""
    negated = chunk[at : at + 1] == "^"
    if negated:
        at += 1
    inside = False
    ranges = 0
    while True:
        if ranges and chunk[at : at + 1] == "]":
            return at + 1, char is not None and inside != negated
        low, at = _class_char(chunk, at)
        high = low
        if chunk[at] == "-":
            high, at = _class_char(chunk, at + 1)
        if char is not None and low <= char <= high:
            inside = True
        ranges += 1


def _class_char(chunk: str, at: int) -> tuple[str, int]:
    """Read one possibly escaped class member (`getEsc`): something must follow it, if only the closing bracket."""
    if at >= len(chunk) or chunk[at] in "-]":
        raise BadPatternError(f"`{chunk}` has a malformed bracket class")
    if chunk[at] == "\\":
        at += 1
        if at >= len(chunk):
            raise BadPatternError(f"`{chunk}` ends in a backslash")
    if "\udc80" <= chunk[at] <= "\udcff" or at + 1 >= len(chunk):
        raise BadPatternError(f"`{chunk}` has an unclosed bracket class")
    return chunk[at], at + 1
