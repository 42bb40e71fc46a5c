"""The content key of what COPY and bind mounts select of a context: names, modes, link targets and bytes, without times.

Source: BuildKit `cache/contenthash/checksum.go`. Its digests are not computed, only told apart: two selections have the same term here if
and only if they have the same digest there (`tests/soundness/test_keys_against_buildkit.py`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from dockopt.optimizer.cachekeys.steps import Unpredictable
from dockopt.optimizer.context import gopath
from dockopt.optimizer.symbolic.terms import Term, term

_MOST_LINKS = 255


class Entry(NamedTuple):
    """A file, directory or link of a context."""

    #: digest of kind, mode, extended attributes, and of content or link target
    digest: str
    directory: bool = False
    #: target of a symbolic link
    link: str | None = None


class Snapshot(Protocol):
    """The files of a context as the client sends them, ignore rules applied. Paths are relative, "" is the root."""

    def entry(self, path: str) -> Entry | None:
        """Return what is there, links not followed; asked for the root too, whose digest does not count."""

    def names(self, path: str) -> Sequence[str]:
        """Return the names in a directory."""


class Selector(NamedTuple):
    """A path of an input; a final link is followed."""

    path: str  # absolute and clean
    wildcard: bool = False


def has_wildcard(path: str) -> bool:
    """Tell whether BuildKit takes a source as a pattern (`ops/file.go`, `containsWildcards`)."""
    return gopath.has_wildcard(path)


def without_covered(selectors: Sequence[Selector]) -> list[Selector]:
    """Return the selectors of one input without paths below another one, in the order of their digests (`dedupeSelectors`)."""
    plain = {selector.path for selector in selectors if not selector.wildcard}
    kept = [
        path for path in plain if not any(path != other and path.startswith(other.rstrip("/") + "/") for other in plain)
    ]
    found = [Selector(path) for path in sorted(kept)] + [selector for selector in selectors if selector.wildcard]
    return sorted(found, key=lambda selector: selector.path)


def content(snapshot: Snapshot, selectors: Sequence[Selector]) -> Term:
    """Return the content key of an input; the paths themselves are no part of it."""
    return term("content", *(_selected(snapshot, selector) for selector in selectors))


def _selected(snapshot: Snapshot, selector: Selector) -> Term:
    path = selector.path.lstrip("/")
    if selector.wildcard:
        return _matching(snapshot, path)
    found = resolve(snapshot, path, follow=True)
    return _nothing(selector.path) if found is None else _tree(snapshot, found)


def _nothing(path: str) -> Term:
    # the build fails; a key is needed to go on
    return term("nothing", path)


def resolve(snapshot: Snapshot, path: str, *, follow: bool) -> str | None:
    """Return the path without links (the last component only where `follow` says so), None if nothing is there."""
    at, rest, links = "", [part for part in path.split("/") if part], 0
    while rest:
        part = rest.pop(0)
        at = posixpath.normpath(f"/{at}/{part}").lstrip("/")
        entry = snapshot.entry(at)
        if entry is None:
            return None
        if entry.link is None or (not rest and not follow):
            continue
        links += 1
        if links > _MOST_LINKS:
            raise Unpredictable(f"too many links at `{path}` of the context")
        rest = [step for step in entry.link.split("/") if step] + rest
        at = "" if entry.link.startswith("/") else posixpath.dirname(at)
    return at


def _tree(snapshot: Snapshot, path: str) -> Term:
    """Return the key of a file, of a link itself, or of a directory with its header and all below it."""
    entry = snapshot.entry(path)
    if path and entry is None:
        return _nothing(path)
    if path and entry is not None and not entry.directory:
        return term("entry", entry.digest)
    parts: list[str | Term] = [_header(snapshot, path)]
    for name in sorted(snapshot.names(path)):
        parts += [name, _tree(snapshot, posixpath.join(path, name))]
    return term("directory", *parts)


def _header(snapshot: Snapshot, path: str) -> Term:
    entry = snapshot.entry(path) if path else None
    # the mode of the context's root is never sent
    return term("entry", "") if entry is None else term("entry", entry.digest)


def _matching(snapshot: Snapshot, pattern: str) -> Term:
    """Return the key of all matches of a pattern, each under its name behind the part without wildcards (`includedPaths`)."""
    components = pattern.split("/")
    literal = next(i for i, component in enumerate(components) if gopath.has_wildcard(component))
    prefix = "/".join(components[:literal])
    start = resolve(snapshot, prefix, follow=True)
    found: list[tuple[str, Term]] = []
    if start is not None:
        for name in _expand(snapshot, start, components[literal:]):
            found += _each(snapshot, posixpath.join(start, name), name, top=True)
    if len(found) == 1 and posixpath.basename(found[0][0]) == posixpath.basename(pattern):
        return found[0][1]
    if not found:
        return term("no matches")
    parts: list[str | Term] = []
    for name, value in found:
        parts += [name, value]
    return term("matches", *parts)


def matching_paths(snapshot: Snapshot, pattern: str) -> list[str]:
    """Return the paths that a source with wildcards selects."""
    return list(_expand(snapshot, "", pattern.split("/")))


def _expand(snapshot: Snapshot, start: str, components: Sequence[str]) -> Iterator[str]:
    """Yield what a pattern matches below a directory, links inside not followed."""
    entry = snapshot.entry(start) if start else None
    if start and (entry is None or not entry.directory):
        return
    for name in sorted(snapshot.names(start)):
        try:
            if not gopath.match(components[0], name):
                continue
        except gopath.BadPatternError as error:
            raise Unpredictable(f"the pattern `{components[0]}` is malformed") from error
        if len(components) == 1:
            yield name
        else:
            yield from (f"{name}/{rest}" for rest in _expand(snapshot, posixpath.join(start, name), components[1:]))


def _each(snapshot: Snapshot, path: str, shown: str, *, top: bool) -> Iterator[tuple[str, Term]]:
    entry = snapshot.entry(path)
    if entry is None:
        return
    if top and entry.link is not None:
        target = resolve(snapshot, path, follow=True)
        yield shown, _nothing(path) if target is None else _tree(snapshot, target)
        return
    yield shown, term("entry", entry.digest)
    if entry.directory:
        for name in sorted(snapshot.names(path)):
            yield from _each(snapshot, posixpath.join(path, name), f"{shown}/{name}", top=False)
