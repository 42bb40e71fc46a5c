"""One finding as every format has it: the same rewrite, level, place, words, fingerprint and fix in all of them."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dockopt.optimizer.fingerprint import fingerprint, identity, instruction_at, place_of
from dockopt.optimizer.proposal import Advice, Applicability, Change
from dockopt.optimizer.report.fixes import Fix, fixes_of_changes
from dockopt.optimizer.report.outcome import Outcome, Shown, source_lines
from dockopt.optimizer.report.text import cause_of, proof_line
from dockopt.optimizer.syntax import parse


class Level(enum.Enum):
    """How much a finding matters: an error keeps the image from being built, a warning can be fixed as it is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


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
    #: what a change buys or what could be done, as `gain: …` or `remedy: …`; may be empty
    gain: str
    #: the verdict in one line; empty for advice
    proof: str
    fingerprint: str
    #: what it was made of: a proposal with its verdict, or advice, which has no edit
    source: Change | Advice
    #: what applying it, and all that has to be applied before it, does to the files; () where `fix` would not apply it
    fix: Fix
    #: how many findings before it are part of the fix
    after: int

    @property
    def applicability(self) -> Applicability:
        """Who may apply it."""
        return self.source.applicability if isinstance(self.source, Change) else Applicability.ADVICE

    @property
    def counts(self) -> bool:
        """Whether `--check` complains of it."""
        return self.level is not Level.NOTE or self.applicability is Applicability.CHANGES_IMAGE

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
        source = self.source
        if isinstance(source, Advice):
            return "\n".join(filter(None, (source.message + cause_of(source), self.gain)))
        risk = f"risk: {source.proposal.risk}" if source.proposal.risk else ""
        notes = (f"note: {note}" for note in source.proposal.notes)
        return "\n".join(filter(None, (self.message, self.gain, risk, self.proof, *notes)))


def findings(outcomes: Iterable[Outcome], shown: Shown) -> Iterator[Finding]:
    """Yield the findings of many files, in the order in which the text report has them."""
    for outcome in outcomes:
        yield from findings_of(outcome, shown)


def findings_of(outcome: Outcome, shown: Shown) -> list[Finding]:
    """Return the findings of one file: all but offers and what lacks a proof, and these with `all` and `unproven`."""
    asked_for = {Applicability.CHANGES_IMAGE: shown.all, Applicability.UNPROVEN: shown.unproven}
    return [found for found in all_findings(outcome) if found.fix or asked_for.get(found.applicability, True)]


def all_findings(outcome: Outcome) -> list[Finding]:
    """Return the changes, repairs, offers, unproven proposals and advice of one file, in this order."""
    report = outcome.report
    if report is None or report.error is not None:
        return []
    said: list[tuple[Change | Advice, int, Fix]] = []
    said += zip(report.changes, source_lines(report), fixes_of_changes(outcome), strict=True)
    said += [(found, found.proposal.line, ()) for found in (*report.repairs, *report.offered, *report.unproven)]
    said += [(advice, advice.line, ()) for advice in report.advice]
    if not said:
        return []
    place, dockerfile = place_of(outcome.path), parse(report.source)
    seen: dict[tuple[str, ...], int] = {}
    found: list[Finding] = []
    for source, line, fix in said:
        rewrite = source.rewrite if isinstance(source, Advice) else source.proposal.rewrite
        instruction = instruction_at(dockerfile, line)
        key = identity(dockerfile, instruction)
        number = seen.get((rewrite, *key), 0)
        seen[(rewrite, *key)] = number + 1
        end_line = line if instruction is None or instruction.start_line > line else instruction.end_line
        mark = fingerprint(rewrite, place, key, number)
        message, gain, proof = _words(source)
        level, after = _level(source, applied=bool(fix)), len(found) if fix else 0
        found.append(
            Finding(rewrite, level, outcome.path, place, line, end_line, message, gain, proof, mark, source, fix, after)
        )
    return found


def _words(source: Change | Advice) -> tuple[str, str, str]:
    if isinstance(source, Advice):
        return source.message, f"remedy: {source.remedy}" if source.remedy else "", ""
    proposal = source.proposal
    return proposal.message, f"gain: {proposal.gain}" if proposal.gain else "", proof_line(source.verdict)


def _level(source: Change | Advice, *, applied: bool) -> Level:
    """What nobody applies without thinking about it is no more than a note; advice says for itself what it is."""
    if isinstance(source, Advice):
        return Level(source.level)
    if source.applicability is Applicability.REPAIRS:
        return Level.ERROR
    return Level.WARNING if applied else Level.NOTE
