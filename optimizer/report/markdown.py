"""Markdown for a comment on a pull request or the summary of a CI job: a table of findings and the diff of each file.

The first line is a comment that a bot can find its own text by, and each finding has one with its fingerprint.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockopt.optimizer.report.finding import Finding, Level, findings_of
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.optimizer.report.safe_text import safe

MARKER = "<!-- dockopt report -->"
#: GitHub refuses comments above 65,536 characters: diffs that would go beyond this are left out, and that is said
_LONGEST = 60_000
_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "note"}
_BACKTICKS = re.compile("`+")
#: what could be markup in the middle of a line, outside of code
_MARKUP = re.compile(r"([\\*_\[\]<>|~&])")


def document(outcomes: Sequence[Outcome], shown: Shown) -> str:
    """The whole text; also where there is nothing to improve, so that an older comment can be replaced."""
    said = [(outcome, findings_of(outcome, shown)) for outcome in outcomes]
    parts = [f"{MARKER}\n### dockopt: {_summary(said)}\n"]
    parts += [
        f"\n**{_text(outcome.path)}**: {_text(outcome.error)}\n" for outcome, _ in said if outcome.error is not None
    ]
    left = _LONGEST
    for outcome, found in said:
        if not found:
            continue
        table = f"\n#### {_code(safe(outcome.path))}\n\n| line | rewrite | what |\n|---:|---|---|\n"
        table += "".join(map(_row, found))
        patch = _patch(found)
        left -= len(table)
        if patch and len(patch) > left:
            patch = "\nThe diff is too long for a comment; `dockopt suggest` prints it.\n"
        left -= len(patch)
        parts.append(table + patch)
    return "".join(parts)


def _summary(said: Sequence[tuple[Outcome, list[Finding]]]) -> str:
    count = sum(len(found) for _, found in said)
    files = sum(bool(found) for _, found in said)
    if not count:
        return "nothing to improve"
    what = "1 finding" if count == 1 else f"{count} findings"
    return what if files == 1 else f"{what} in {files} files"


def _row(found: Finding) -> str:
    what = "<br>".join(_text(line) for line in found.text.splitlines())
    name = f"{_LEVELS[found.level]}: {_code(safe(found.rewrite))}"
    return f"| {found.line} | {name} | {what} <!-- dockopt {found.rewrite} {found.fingerprint} --> |\n"


def _patch(found: Sequence[Finding]) -> str:
    """All that `fix` would do to the files: the fix of the last finding that has one."""
    fixes = [finding.fix for finding in found if finding.fix]
    if not fixes:
        return ""
    patch = "".join(bytes(file.diff()).decode("utf-8", "surrogateescape") for file in fixes[-1])
    text = safe(patch, keep="\t\n\r")
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"\n{fence}diff\n{text}{fence}\n"


def _text(text: str) -> str:
    """Words with their `code` in backquotes, for one cell of a table: nothing in them is markup."""
    pieces = safe(text).split("`")
    if len(pieces) % 2 == 0:  # a backquote without its partner is no code
        return _MARKUP.sub(r"\\\1", safe(text).replace("`", "'"))
    return "".join(_code(piece) if number % 2 else _MARKUP.sub(r"\\\1", piece) for number, piece in enumerate(pieces))


def _code(text: str) -> str:
    """A code span that holds `text`, also in a table, where a bar has to be escaped in code too (GitHub's specification)."""
    if not text:
        return ""
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    space = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")
