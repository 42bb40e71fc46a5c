"""What a single finding changes when it is applied alone.

The report of the engine is a sequence: each change speaks of the text that the ones before it left. An editor offers them one by one, so
each is looked for again in the text as it is: the rewrite proposes, and the validator has the last word, as ever. One
that only exists after others is offered together with those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.apply import apply_edits, edits_by_path
from dockopt.optimizer.model import Build
from dockopt.optimizer.plan import Rewrite, first_proven, judge
from dockopt.optimizer.proposal import Applicability, Change, Edit, FileReport, Proposal, Verdict
from dockopt.optimizer.suppression import Guard
from dockopt.optimizer.symbolic.execute import Unsupported

if TYPE_CHECKING:
    from dockopt.optimizer.lsp.analysis import Finding

_STATUS = {
    Applicability.SAFE: "equal",
    Applicability.CHANGES_IMAGE: "equal-but",
    Applicability.REPAIRS: "repairs",
}


class Fix(NamedTuple):
    """New texts of files, by their path relative to the context ("" is the Dockerfile): what was there, and what comes."""

    texts: Mapping[str, tuple[bytes, bytes]]
    #: the edits that lead there, of the Dockerfile as it is; None where only the texts are known
    edits: tuple[Edit, ...] | None = None
    #: how many other changes come with it
    with_others: int = 0


class Fixes:
    """The fixes of one report."""

    def __init__(self, build: Build, report: FileReport) -> None:
        """`build` is that of the text as it is."""
        from dockopt.rewrites.registry import REWRITES

        self._build, self._report = build, report
        # what a comment keeps away is not made on the way to something else either
        self._rewrites: Sequence[Rewrite] = Guard(build.dockerfile).around(REWRITES)
        ignore_file = build.context.ignore_file
        self._before = {"": report.source, **({} if ignore_file is None else dict([ignore_file]))}

    def of(self, finding: Finding) -> Fix | None:
        """Return the fix of one finding, None where it can neither be made alone nor after the safe changes."""
        try:
            return self._alone(finding) or self._after_others(finding)
        except Unsupported:
            return None

    def everything(self) -> Fix:
        """Return what all safe changes make together."""
        return self._fix({**self._before, **self._report.other_files, "": self._report.result})

    def _alone(self, finding: Finding) -> Fix | None:
        wanted = finding.change.proposal
        rewrite = next((one for one in self._rewrites if one.id == wanted.rewrite), None)
        if rewrite is None:
            return None
        for item in rewrite.propose(self._build):
            if not isinstance(item, Proposal) or (item.line, item.message) != (finding.line, wanted.message):
                continue
            verdict, after = judge(self._build, item)
            if not isinstance(verdict, Verdict) or after is None or not self._as_good(verdict, finding.change):
                continue
            if not item.enables:
                return self._fix(self._texts_of(after), item.edits)
            # it gains nothing without the change that it prepares
            enabled = first_proven(after, [one for one in self._rewrites if one.id in item.enables])
            if enabled is not None:
                return self._fix(self._texts_of(enabled[1]))
        return None

    def _as_good(self, verdict: Verdict, change: Change) -> bool:
        """Tell whether no more is changed than was announced."""
        return verdict.status == "equal" or (
            verdict.status == _STATUS.get(change.applicability)
            and set(verdict.differences) <= set(change.verdict.differences)
        )

    def _after_others(self, finding: Finding) -> Fix | None:
        """Return the fix together with the safe changes before it."""
        changes = self._report.changes
        if finding.number is None:
            steps = [*changes, finding.change]
        else:
            last = finding.number + (1 if finding.change.proposal.enables else 0)
            steps = changes[: last + 1]
        texts = dict(self._before)
        for change in steps:
            for path, edits in edits_by_path(change.proposal.edits).items():
                applied = apply_edits(texts.get(path, b""), edits)
                if applied.skipped:
                    return None
                texts[path] = applied.result
        fix = self._fix(texts, with_others=len(steps) - 1)
        return fix if fix.texts else None

    def _texts_of(self, build: Build) -> dict[str, bytes]:
        return {**self._before, **build.other_files, "": build.dockerfile.source}

    def _fix(self, after: Mapping[str, bytes], edits: tuple[Edit, ...] | None = None, with_others: int = 0) -> Fix:
        texts = {path: (self._before.get(path, b""), text) for path, text in after.items()}
        return Fix({path: pair for path, pair in texts.items() if pair[0] != pair[1]}, edits, with_others)
