"""Apply what rewrites propose, one proven change after the other, until nothing is left to improve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dockopt.optimizer.apply import apply_edits
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.proposal import Applicability, Change, Proposal, Refusal, Verdict
from dockopt.optimizer.symbolic.execute import Unsupported
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse
from dockopt.optimizer.validate import validate

#: more rounds than any real file needs; a rewrite that undoes another one would not end
_MAX_CHANGES = 200


class Rewrite(Protocol):
    """The part of a rewrite that the planner needs (`dockopt.rewrites.registry`)."""

    @property
    def id(self) -> str:
        """Name of the rewrite."""

    def propose(self, build: Build) -> Iterable[Proposal | Refusal]:
        """Yield proposals and refusals. Raises Unsupported."""


@dataclass(slots=True)
class Plan:
    """What came out: the changed build, and everything that was said on the way."""

    build: Build
    changes: list[Change] = field(default_factory=list)
    offered: list[Change] = field(default_factory=list)
    unproven: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def optimize(build: Build, rewrites: Sequence[Rewrite], limit: int | None = None) -> Plan:
    """Apply proven proposals to a fixed point; what is not proven is reported of the last text. Raises Unsupported."""
    plan = Plan(build)
    while True:
        step = _first_proven(plan.build, rewrites, plan)
        if step is None or len(plan.changes) >= _MAX_CHANGES or (limit is not None and len(plan.changes) >= limit):
            return plan
        change, plan.build = step
        plan.changes.append(change)


def _first_proven(build: Build, rewrites: Sequence[Rewrite], plan: Plan) -> tuple[Change, Build] | None:
    """Return the first proposal that is proven equal; everything else of this round goes to the plan."""
    plan.offered, plan.unproven, plan.refusals = [], [], []
    for rewrite in rewrites:
        for item in rewrite.propose(build):
            if isinstance(item, Refusal):
                plan.refusals.append(item)
                continue
            verdict, after = judge(build, item)
            if verdict.status == "equal" and after is not None:
                return Change(item, verdict, Applicability.SAFE), after
            if verdict.status == "equal-but":
                plan.offered.append(Change(item, verdict, Applicability.CHANGES_IMAGE))
            else:
                plan.unproven.append(Change(item, verdict, Applicability.UNPROVEN))
    return None


def judge(build: Build, proposal: Proposal) -> tuple[Verdict, Build | None]:
    """Apply a proposal to a copy and validate it; a result that does not parse is unproven."""
    applied = apply_edits(build.dockerfile.source, [edit for edit in proposal.edits if not edit.path])
    if applied.skipped:
        return Verdict("unproven", obligation=f"its edits collide: {applied.skipped[0][1]}"), None
    if applied.result == build.dockerfile.source:
        return Verdict("unproven", obligation="it changes nothing"), None
    try:
        dockerfile = parse(applied.result)
    except DockerfileSyntaxError as error:
        return Verdict("unproven", obligation=f"the result is no Dockerfile: {error.message}", line=error.line), None
    after = Build(dockerfile, FrozenContext(build.context.reader), build.targets)
    return validate(build, after, proposal.declared), after


__all__ = ["Plan", "Rewrite", "Unsupported", "judge", "optimize"]
