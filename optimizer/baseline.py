"""A baseline: the findings that a project has accepted, so that only new ones are reported.

A JSON file that is meant to be committed: one entry per finding, with its fingerprint, which alone counts, and rewrite and
Dockerfile for readers. It holds no lines, so an edit elsewhere in a Dockerfile does not change it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.inputs import InputError, read_file
from dockopt.optimizer.report.safe_text import safe

if TYPE_CHECKING:
    from dockopt.optimizer.report.finding import Finding

#: raised when a file of before cannot be read any more
VERSION = 1
_LIMIT = 64 * 1024 * 1024


class Entry(NamedTuple):
    """One accepted finding."""

    dockerfile: str
    rewrite: str
    fingerprint: str


def read_baseline(path: Path) -> tuple[Entry, ...]:
    """Return the entries of a baseline. Raises InputError for a file that is none."""
    import json

    try:
        content = json.loads(read_file(path, limit=_LIMIT))
    except (ValueError, RecursionError) as error:
        raise InputError("is no baseline: it holds no JSON; `--write-baseline` makes one") from error
    if not isinstance(content, dict) or "baseline" not in content or not isinstance(content.get("findings"), list):
        raise InputError("is no baseline; `--write-baseline` makes one")
    if content["baseline"] != VERSION:
        raise InputError("was written by another version of dockopt; write it anew with `--write-baseline`")
    return tuple(map(_entry, content["findings"]))


def is_baseline(path: Path) -> bool:
    """Tell whether a file is a baseline, maybe of another version."""
    import json

    try:
        content = json.loads(read_file(path, limit=_LIMIT))
    except (InputError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "baseline" in content


def _entry(found: object) -> Entry:
    values = [found.get(name) for name in Entry._fields] if isinstance(found, dict) else [None]
    if not all(isinstance(value, str) for value in values):
        raise InputError(f"is no baseline: every finding needs {', '.join(f'`{name}`' for name in Entry._fields)}")
    return Entry(*map(str, values))


def entries_of(findings: Iterable[Finding]) -> tuple[Entry, ...]:
    """Return what a baseline holds of findings."""
    return tuple(Entry(safe(found.place), found.rewrite, found.fingerprint) for found in findings)


def written(entries: Iterable[Entry]) -> bytes:
    """Return the text of a baseline, in an order that does not depend on that of the files."""
    import json

    content = {"baseline": VERSION, "findings": [entry._asdict() for entry in sorted(set(entries))]}
    return (json.dumps(content, indent=2, ensure_ascii=True) + "\n").encode("ascii")
