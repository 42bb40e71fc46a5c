"""Annotations of GitHub: workflow commands in the log of a step, which a pull request shows beside the lines.

The syntax and its escapes are those of the runner (docs.github.com, "Workflow commands for GitHub Actions"; `ActionCommand` in
the sources of actions/runner). A pull request shows at most ten annotations of a level for each step; the log has all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockopt.optimizer.fingerprint import place_of
from dockopt.optimizer.report.finding import Finding, Level, findings
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.optimizer.report.safe_text import safe

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}
#: the runner keeps longer messages from being shown, characters; a patch that does not fit is left out as a whole
_LONGEST_PATCH = 32_000


def document(outcomes: Sequence[Outcome], shown: Shown) -> str:
    """One command per finding and per file that could not be processed."""
    return "".join(f"{line}\n" for line in _lines(outcomes, shown))


def _lines(outcomes: Sequence[Outcome], shown: Shown) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.error is not None:
            yield _command("error", outcome.error, file=place_of(outcome.path), title="dockopt")
    for found in findings(outcomes, shown):
        yield _command(
            _COMMANDS[found.level],
            _message(found),
            file=found.place,
            line=str(found.line),
            endLine=str(found.end_line),
            title=f"dockopt: {found.rewrite}",
        )


def _message(found: Finding) -> str:
    return "\n".join((found.text, *_patch(found), f"fingerprint: {found.fingerprint}"))


def _patch(found: Finding) -> Iterator[str]:
    patch = "".join(bytes(file.diff()).decode("utf-8", "surrogateescape") for file in found.fix)
    if not patch:
        return
    yield f"{found.fix_words}:"
    if len(patch) > _LONGEST_PATCH:
        yield "(too long to be shown here; `dockopt suggest` prints it)"
    else:
        yield patch.removesuffix("\n")


def _command(name: str, message: str, **properties: str) -> str:
    given = ",".join(f"{key}={_property(safe(value))}" for key, value in properties.items())
    return f"::{name} {given}::{_data(safe(message, keep=chr(9) + chr(10) + chr(13)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
