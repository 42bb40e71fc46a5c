"""What a change of the image on purpose comes to, in words: what was declared, files by directory, settings, size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dockopt.optimizer.declared import top_directory
from dockopt.optimizer.proposal import Change
from dockopt.optimizer.report.safe_text import safe

if TYPE_CHECKING:
    from dockopt.optimizer.images.compare import Difference
    from dockopt.optimizer.verify import Verification

_MEGABYTE = 1_000_000
_KINDS = {"removed": "gone", "added": "new", "changed": "changed", "owner": "with another owner"}


def changed_lines(changes: Sequence[Change], found: Verification) -> Iterator[str]:
    """Yield lines: each declared difference with its rewrite, and what of it the builds show."""
    said: dict[tuple[str, str], None] = {}
    for change in changes:
        for words in change.verdict.differences:
            said.setdefault((change.proposal.rewrite, words))
    for rewrite, words in said:
        yield f"  {rewrite} declares: {safe(words)}"
    yield from _files([difference for difference in found.declared if not difference.is_setting])
    for difference in found.declared:
        if difference.is_setting:
            yield f"  {safe(difference.where)}: {safe(difference.what)}"
    yield f"  size: {sizes(*found.sizes)}"


def _files(found: Sequence[Difference]) -> Iterator[str]:
    """Yield how many paths differ, by directory of the root."""
    if not found:
        yield "  files: none differs"
        return
    counted: dict[str, Counter[str]] = {}
    for difference in found:
        counted.setdefault(top_directory(difference.where), Counter())[difference.kind] += 1
    yield f"  files: {_counts(sum(counted.values(), Counter()))}"
    width = max(map(len, counted))
    for directory, counts in sorted(counted.items()):
        yield f"    {safe(directory):<{width}}  {_counts(counts)}"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[kind]} {words}" for kind, words in _KINDS.items() if counts[kind])


def sizes(before: int, after: int) -> str:
    """Return two sizes in megabytes (10^6 bytes, not compressed) and how far the second is from the first."""
    text = f"{before / _MEGABYTE:.1f} MB before, {after / _MEGABYTE:.1f} MB after"
    if not before:
        return text
    return f"{text} ({(after - before) / _MEGABYTE:+.1f} MB, {(after - before) / before:+.1%})"
