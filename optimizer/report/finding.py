"""One finding as every format has it: the same rewrite, level, place, words, fingerprint and fix in all of them."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dockopt.optimizer.fingerprint import fingerprint, identity, instruction_at, place_of
from dockopt.optimizer.proposal import Applicability, Change
from dockopt.optimizer.report.fixes import Fix, fixes_of_changes
from dockopt.optimizer.report.outcome import Outcome, Shown, source_lines
from dockopt.optimizer.report.text import proof_line
from dockopt.optimizer.syntax import parse


class Level(enum.Enum):
    """How much a finding matters: an error keeps the image from being built, a warning can be fixed as it is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


#: what nobody applies without thinking about it is no more than a note
_LEVELS = {Applicability.SAFE: Level.WARNING, Applicability.REPAIRS: Level.ERROR}


class Finding(NamedTuple):
    """What a rewrite has to say of one instruction of one Dockerfile."""

    rewrite: str
    level: Level
    #: the Dockerfile as it was named, and as every machine calls it
    path: str
    place: str
    #: first and last line of the instruction in the file on disk, from 1
    line: int
    end_line: int
    message: str
    gain: str
    #: the verdict in one line
    proof: str
    fingerprint: str
    change: Change
    #: what applying it, and all that has to be applied before it, does to the files; () where `fix` would not apply it
    fix: Fix
    #: how many findings before it are part of the fix
    after: int

    @property
    def counts(self) -> bool:
        """Whether `--check` complains of it."""
        return self.level is not Level.NOTE or self.change.applicability is Applicability.CHANGES_IMAGE

    @property
    def fix_words(self) -> str:
        """What the fix takes along, in words."""
        others = (
            ""
            if not self.after
            else ", with the one before it"
            if self.after == 1
            else f", with the {self.after} before it"
        )
        return f"apply `{self.rewrite}`{others}"

    @property
    def text(self) -> str:
        """Everything that is said of it, one line each, for people; not yet made safe."""
        gain = f"gain: {self.gain}" if self.gain else ""
        notes = (f"note: {note}" for note in self.change.proposal.notes)
        return "\n".join(filter(None, (self.message, gain, self.proof, *notes)))


def findings(outcomes: Iterable[Outcome], shown: Shown) -> Iterator[Finding]:
    """Yield the findings of many files, in the order in which the text report has them."""
    for outcome in outcomes:
        yield from findings_of(outcome, shown)


def findings_of(outcome: Outcome, shown: Shown) -> list[Finding]:
    """Return the findings of one file: its changes and repairs, and with `all` and `unproven` what these options ask for."""
    asked_for = {Applicability.CHANGES_IMAGE: shown.all, Applicability.UNPROVEN: shown.unproven}
    return [found for found in all_findings(outcome) if asked_for.get(found.change.applicability, True)]


def all_findings(outcome: Outcome) -> list[Finding]:
    """Return the changes, repairs, offers and unproven proposals of one file, in this order."""
    report = outcome.report
    if report is None or report.error is not None:
        return []
    fixes = fixes_of_changes(outcome)
    said: list[tuple[Change, int, Fix]] = list(zip(report.changes, source_lines(report), fixes, strict=True))
    others = (*report.repairs, *report.offered, *report.unproven)
    said += [(change, change.proposal.line, ()) for change in others]
    if not said:
        return []
    place, dockerfile = place_of(outcome.path), parse(report.source)
    seen: dict[tuple[str, ...], int] = {}
    found: list[Finding] = []
    for change, line, fix in said:
        proposal = change.proposal
        instruction = instruction_at(dockerfile, line)
        key = identity(dockerfile, instruction)
        number = seen.get((proposal.rewrite, *key), 0)
        seen[(proposal.rewrite, *key)] = number + 1
        found.append(
            Finding(
                rewrite=proposal.rewrite,
                level=_LEVELS.get(change.applicability, Level.NOTE),
                path=outcome.path,
                place=place,
                line=line,
                end_line=line if instruction is None or instruction.start_line > line else instruction.end_line,
                message=proposal.message,
                gain=proposal.gain,
                proof=proof_line(change.verdict),
                fingerprint=fingerprint(proposal.rewrite, place, key, number),
                change=change,
                fix=fix,
                after=len(found) if fix else 0,
            )
        )
    return found
