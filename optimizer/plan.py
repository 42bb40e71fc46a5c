"""Apply what rewrites propose, one proven change after the other, until nothing is left to improve."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from dockopt.optimizer.apply import apply_edits, edits_by_path
from dockopt.optimizer.context import ContextError
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Applicability, Change, PassedOver, Proposal, Refusal, Verdict
from dockopt.optimizer.replaced import Obligation, replaced
from dockopt.optimizer.steps import Step, measured
from dockopt.optimizer.symbolic.execute import Unsupported
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse
from dockopt.optimizer.validate import validate

#: more rounds than any real file needs; a rewrite that undoes another one would not end
_MAX_CHANGES = 200


#: what two contexts may say of one change, from the most that can be claimed to the least
_WEAKER = ("equal", "repairs", "equal-but")
#: verdicts of changes that are applied where the user has asked for them
_WHEN_NAMED = ("repairs", "equal-but")


_APPLICABILITY = {
    "equal": Applicability.SAFE,
    "repairs": Applicability.REPAIRS,
    "equal-but": Applicability.CHANGES_IMAGE,
    "unproven": Applicability.UNPROVEN,
}


class Rewrite(Protocol):
    """The part of a rewrite that the planner needs (`dockopt.rewrites.registry`)."""

    @property
    def id(self) -> str:
        """Name of the rewrite."""

    def propose(self, build: Build) -> Iterable[Proposal | Refusal | Advice]:
        """Yield proposals, refusals and findings without an edit. Raises Unsupported."""


@dataclass(slots=True)
class Plan:
    """What came out: the changed build, and everything that was said on the way."""

    build: Build
    changes: list[Change] = field(default_factory=list)
    offered: list[Change] = field(default_factory=list)
    unproven: list[Change] = field(default_factory=list)
    repairs: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    advice: list[Advice] = field(default_factory=list)
    #: rewrites whose repairs, and those whose changes of the image, are applied
    repairing: frozenset[str] = frozenset()
    changing: frozenset[str] = frozenset()
    #: who is asked about every change whether it is wanted
    passed_over: PassedOver | None = None

    def unwanted(self, change: Change, *prepared: Change, text: bytes | None = None) -> Refusal | None:
        """Say why a change is not wanted after those that were applied and `prepared`, None if it is."""
        if self.passed_over is None:
            return None
        before = (*self.changes, *prepared)
        reason = self.passed_over(before, change, self.build.dockerfile.source if text is None else text)
        return None if reason is None else Refusal(change.proposal.rewrite, change.proposal.line, reason)


def optimize(
    build: Build,
    rewrites: Sequence[Rewrite],
    limit: int | None = None,
    *,
    repairing: frozenset[str] = frozenset(),
    changing: frozenset[str] = frozenset(),
    passed_over: PassedOver | None = None,
    steps: list[Step] | None = None,
) -> Plan:
    """Apply proven proposals to a fixed point; what is not proven is reported of the last text. Raises Unsupported.

    Repairs are applied where their rewrite is among the `repairing` ones, and changes of the image that are proven outside of what
    they declare where it is among the `changing` ones. `steps` gets one entry for each look of a rewrite.
    """
    steps = [] if steps is None else steps
    plan = Plan(build, repairing=repairing, changing=changing, passed_over=passed_over)
    while True:
        before = len(plan.changes)
        plan.offered, plan.unproven, plan.repairs, plan.refusals, plan.advice = [], [], [], [], []
        for rewrite in rewrites:
            more = True
            while more:
                with measured(steps, "rewrite", rewrite.id):
                    more = _one_change(plan, rewrite, rewrites, _MAX_CHANGES if limit is None else limit)
        if len(plan.changes) == before:
            return plan


def _one_change(plan: Plan, rewrite: Rewrite, rewrites: Sequence[Rewrite], limit: int) -> bool:
    """Apply the first proposal of a rewrite that is proven equal; if there is none, note all that it says.

    A proposal that only prepares another rewrite is applied together with that one's first change, or not at all.
    """
    offered: list[Change] = []
    unproven: list[Change] = []
    repairs: list[Change] = []
    refusals: list[Refusal] = []
    advice: list[Advice] = []
    for item in rewrite.propose(plan.build):
        plan.build.proceed()
        if isinstance(item, Advice):
            advice.append(item)
            continue
        if isinstance(item, Refusal):
            refusals.append(item)
            continue
        verdict, after = judge(plan.build, item)
        if isinstance(verdict, Refusal):
            refusals.append(verdict)
            continue
        change = Change(item, verdict, _APPLICABILITY[verdict.status])
        unwanted = plan.unwanted(change)
        if unwanted is not None:
            refusals.append(unwanted)
            continue
        if verdict.status == "equal" and after is not None:
            if len(plan.changes) >= limit:
                continue
            steps = [(change, after)]
            if item.enables:
                enabled = _enabled(plan, change, after, [r for r in rewrites if r.id in item.enables])
                if enabled is None:
                    names = " or ".join(f"`{name}`" for name in item.enables)
                    refusals.append(
                        Refusal(
                            item.rewrite, item.line, f"it gains nothing alone, and {names} has nothing proven to add"
                        )
                    )
                    continue
                steps.append(enabled)
            for step, build in steps[: limit - len(plan.changes)]:
                plan.changes.append(step)
                plan.build = build
            return True
        if verdict.status in _WHEN_NAMED and after is not None:
            shown, wanted = (repairs, plan.repairing) if verdict.status == "repairs" else (offered, plan.changing)
            if item.rewrite in wanted and len(plan.changes) < limit:
                plan.changes.append(change)
                plan.build = after
                return True
            shown.append(change)
        else:
            unproven.append(change)
    plan.offered += offered
    plan.unproven += unproven
    plan.repairs += repairs
    plan.refusals += refusals
    plan.advice += advice
    return False


def _enabled(plan: Plan, prepared: Change, build: Build, rewrites: Iterable[Rewrite]) -> tuple[Change, Build] | None:
    """Return the first change that is proven equal, and wanted, after a preparing one."""

    def is_wanted(change: Change) -> bool:
        return plan.unwanted(change, prepared, text=build.dockerfile.source) is None

    return first_proven(build, rewrites, is_wanted)


def first_proven(
    build: Build, rewrites: Iterable[Rewrite], is_wanted: Callable[[Change], bool] | None = None
) -> tuple[Change, Build] | None:
    """Return the first change that is proven equal, and wanted.

    Before a preparing edit there was none, because the planner tries it only when these rewrites have nothing left to do.
    """
    for rewrite in rewrites:
        for item in rewrite.propose(build):
            if isinstance(item, Proposal) and not item.enables:
                verdict, after = judge(build, item)
                if isinstance(verdict, Verdict) and verdict.status == "equal" and after is not None:
                    change = Change(item, verdict, Applicability.SAFE)
                    if is_wanted is None or is_wanted(change):
                        return change, after
    return None


def judge(build: Build, proposal: Proposal) -> tuple[Verdict | Refusal, Build | None]:
    """Apply a proposal to a copy and validate it in every context; a result that does not parse is unproven.

    A Refusal says in which other context it is not proven. Where it replaces base images or commands, it is proven without them,
    and what they change is declared (`dockopt.optimizer.replaced`).
    """
    if proposal.replacing:
        return _judge_replacing(build, proposal)
    after = build
    for path, edits in edits_by_path(proposal.edits).items():
        ignore_file = build.context.ignore_file
        if not path:
            source = build.dockerfile.source
        elif ignore_file is not None and path == ignore_file[0]:
            source = ignore_file[1]
        else:
            return Verdict("unproven", obligation=f"`{path}` is a file that no proof speaks of"), None
        applied = apply_edits(source, edits)
        if applied.skipped:
            return Verdict("unproven", obligation=f"its edits collide: {applied.skipped[0][1]}"), None
        try:
            after = after.with_ignore(applied.result) if path else after.with_text(parse(applied.result))
        except DockerfileSyntaxError as error:
            why = f"the result is no Dockerfile: {error.message}"
            return Verdict("unproven", obligation=why, line=error.line), None
        except ContextError as error:
            return Verdict("unproven", obligation=error.message), None
    if after.dockerfile.source == build.dockerfile.source and after.other_files == build.other_files:
        return Verdict("unproven", obligation="it changes nothing"), None
    verdict = validate(build, after, proposal.declared)
    for other, old, new in zip(build.elsewhere, build.there, after.there, strict=True):
        if verdict.status == "unproven":
            break
        if after.other_files != build.other_files:
            reason = f"it edits the ignore file of one context, and {other.reason} has another one, `{other.shown}`"
            return Refusal(proposal.rewrite, proposal.line, reason, other.file, other.line), None
        there = validate(old, new, proposal.declared)
        if there.status == "unproven":
            reason = f"it is not proven in the context `{other.shown}` of {other.reason}: {there.obligation}"
            return Refusal(proposal.rewrite, proposal.line, reason, other.file, other.line), None
        verdict = _both(verdict, there, other.shown)
    return verdict, after


def _judge_replacing(build: Build, proposal: Proposal) -> tuple[Verdict | Refusal, Build | None]:
    """Judge a proposal without its replacements, then these alone."""
    kept = tuple(edit for edit in proposal.edits if edit not in proposal.replacing)
    without: Build | None = build
    verdict: Verdict | Refusal = Verdict("equal")
    if kept:
        verdict, without = judge(build, replace(proposal, edits=kept, replacing=()))
    if isinstance(verdict, Refusal) or verdict.status not in ("equal", "equal-but") or without is None:
        return verdict, None
    applied = apply_edits(build.dockerfile.source, [edit for edit in proposal.edits if not edit.path])
    if applied.skipped:
        return Verdict("unproven", obligation=f"its edits collide: {applied.skipped[0][1]}"), None
    try:
        after = without.with_text(parse(applied.result))
    except DockerfileSyntaxError as error:
        return Verdict("unproven", obligation=f"the result is no Dockerfile: {error.message}", line=error.line), None
    if after.dockerfile.source == without.dockerfile.source:
        return Verdict("unproven", obligation="it replaces nothing"), None
    found = replaced(without, after)
    if isinstance(found, Obligation):
        return Verdict("unproven", obligation=found.text, line=found.line), None
    frozen = verdict.frozen or build.context.frozen()
    said = (*verdict.differences, *(one.text for one in found))
    return replace(verdict, status="equal-but", differences=said, replaced=found, frozen=frozen), after


def _both(here: Verdict, there: Verdict, context: str) -> Verdict:
    """Return the verdict that holds in two contexts; paths of the other one are made relative to this one."""
    weaker = max(here, there, key=lambda verdict: _WEAKER.index(verdict.status))
    frozen = {*here.frozen, *(entry._replace(path=f"{context}/{entry.path}") for entry in there.frozen)}
    return replace(
        weaker,
        compared=(*here.compared, *(f"in the context `{context}`: {text}" for text in there.compared)),
        frozen=tuple(sorted(frozen)),
        assumptions=tuple(sorted({*here.assumptions, *there.assumptions})),
    )


__all__ = ["Plan", "Rewrite", "Unsupported", "first_proven", "judge", "optimize"]
