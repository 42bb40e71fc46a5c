"""Stands between the rewrites and the planner: what a comment keeps away is not proposed, and no proposal loses such a comment.

A proposal is kept away where its finding stands at an instruction with the comment, or an edit touches that instruction or its
comments. A proposal of another rewrite may move and extend such an instruction, if the comment goes with it: afterwards it has to
stand directly above an instruction that still has all words of the old one. Else a RUN that is cut in two would leave one half
without its comment, and the next rewrite would do what the comment forbids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from dockopt.optimizer.apply import apply_edits
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Edit, Proposal, Refusal
from dockopt.optimizer.suppression.comments import Suppression, notes_of, read_suppressions
from dockopt.optimizer.syntax import Dockerfile, DockerfileSyntaxError, Instruction, parse
from dockopt.optimizer.wording import shortened


class _Rewrite(Protocol):
    @property
    def id(self) -> str: ...
    def propose(self, build: Build) -> Iterable[Proposal | Refusal | Advice]: ...


class Guard:
    """The comments of one Dockerfile, followed through its changes."""

    def __init__(self, dockerfile: Dockerfile) -> None:
        found = read_suppressions(dockerfile)
        self._source = dockerfile
        self._problems = found.problems
        self._first = found.suppressions
        #: the comments of every text that came up, each with its number in the first one
        self._texts = {dockerfile.source: found.suppressions}
        #: (number of the comment, rewrite) of what was kept away
        self._used: set[tuple[int, str]] = set()

    def around(self, rewrites: Sequence[_Rewrite]) -> Sequence[_Rewrite]:
        """Return the rewrites as the comments let them be; the same ones where no comment says anything."""
        return [_Guarded(rewrite, self) for rewrite in rewrites] if self._first else rewrites

    def notes(self, ran: Iterable[str], *, complete: bool) -> list[str]:
        """Return what a reader should know of comments that say nothing, and of those that keep nothing away.

        `ran` are the rewrites that looked at the file, `complete` tells whether they looked at all of it.
        """
        problems = list(self._problems)
        names = set(ran)
        for suppression in self._first if complete else ():
            for rule in suppression.rules:
                if suppression.own and rule in names and (suppression.origin, rule) not in self._used:
                    problems.append((suppression.line, f"`{rule}` has nothing to propose here; the comment can go"))
        return notes_of(sorted(problems), self._source)

    def check(self, build: Build, proposal: Proposal | Advice) -> Refusal | None:
        """Return why a proposal is not made, or an advice is not given; None if it may be."""
        present = self._of(build.dockerfile)
        edits = [edit for edit in proposal.edits if not edit.path] if isinstance(proposal, Proposal) else []
        keeping = [s for s in present if proposal.rewrite in s.rules and _concerns(s.instruction, proposal.line, edits)]
        self._used |= {(s.origin, proposal.rewrite) for s in keeping}
        if keeping:
            by = keeping[0]
            reason = f"suppressed by `{shortened(by.text)}`"
            return Refusal(proposal.rewrite, proposal.line, reason, "", by.line)
        lost = self._lost(build.dockerfile, present, edits) if edits and present else None
        if lost is not None:
            reason = f"it would part `{shortened(lost.text)}` from its instruction"
            return Refusal(proposal.rewrite, proposal.line, reason, "", lost.line)
        return None

    def _of(self, dockerfile: Dockerfile) -> tuple[Suppression, ...]:
        known = self._texts.get(dockerfile.source)
        if known is None:  # a text that no proposal made
            after = read_suppressions(dockerfile).suppressions
            known, _ = _followed(self._first, after)
            self._texts[dockerfile.source] = known
        return known

    def _lost(
        self, dockerfile: Dockerfile, present: tuple[Suppression, ...], edits: Sequence[Edit]
    ) -> Suppression | None:
        """Return a comment that is not above its instruction any more after some edits; follow the others."""
        applied = apply_edits(dockerfile.source, edits)
        if applied.skipped:
            return None  # not applied by anybody
        try:
            after = parse(applied.result)
        except DockerfileSyntaxError:
            return None
        known, lost = _followed(present, read_suppressions(after).suppressions)
        if lost is None:
            self._texts[applied.result] = known
        return lost


class _Guarded:
    """A rewrite that proposes nothing that a comment keeps away."""

    def __init__(self, rewrite: _Rewrite, guard: Guard) -> None:
        self._rewrite, self._guard = rewrite, guard

    @property
    def id(self) -> str:
        return self._rewrite.id

    def propose(self, build: Build) -> Iterator[Proposal | Refusal | Advice]:
        for item in self._rewrite.propose(build):
            refusal = None if isinstance(item, Refusal) else self._guard.check(build, item)
            yield item if refusal is None else refusal


def _concerns(instruction: Instruction | None, line: int, edits: Iterable[Edit]) -> bool:
    """Tell whether a finding stands at an instruction (None: at any), or an edit touches it or its comments."""
    if instruction is None:
        return True
    start, first = instruction.span.start, instruction.start_line
    if instruction.comments:
        start, first = instruction.comments[0].span.start, instruction.comments[0].start_line
    end = instruction.span.end
    return first <= line <= instruction.end_line or any(
        edit.start < end and edit.end > start if edit.end > edit.start else start < edit.start < end for edit in edits
    )


def _followed(
    before: Sequence[Suppression], after: Sequence[Suppression]
) -> tuple[tuple[Suppression, ...], Suppression | None]:
    """Return the comments of the new text with their numbers, and the first old one that is lost.

    One that stands above the very same instruction is taken before one above an instruction that has more words.
    """
    left: dict[str, dict[int, Suppression]] = {}
    for number, new in enumerate(after):
        left.setdefault(new.text, {})[number] = new
    known: dict[int, Suppression] = {}
    missing = list(before)
    for holds in (_same, _has_all):
        unmatched = []
        for old in missing:
            alike = left.get(old.text, {})
            found = next((n for n, new in alike.items() if holds(old.instruction, new.instruction)), None)
            if found is None:
                unmatched.append(old)
            else:
                known[found] = alike.pop(found)._replace(origin=old.origin)
        missing = unmatched
    return tuple(known[n] for n in sorted(known)), missing[0] if missing else None


def _same(old: Instruction | None, new: Instruction | None) -> bool:
    if old is None or new is None:
        return old is new
    return old.logical == new.logical


def _has_all(old: Instruction | None, new: Instruction | None) -> bool:
    """Tell whether an instruction has all words of an old one, in order, here-documents included."""
    if old is None or new is None:
        return old is new
    words = iter(_words(new))
    return all(word in words for word in _words(old))


def _words(instruction: Instruction) -> list[str]:
    return [*instruction.logical.split(), *(word for heredoc in instruction.heredocs for word in heredoc.body.split())]
