"""What one call of the program asks to leave out of its reports, over all of its files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dockopt.optimizer.baseline import Entry, read_baseline
from dockopt.optimizer.context.revision import Revision, RevisionError, branch_point, nothing_yet
from dockopt.optimizer.fingerprint import place_of, repository_of
from dockopt.optimizer.inputs import InputError
from dockopt.optimizer.narrowing import Analyze, Branch, Narrowing, every_finding
from dockopt.optimizer.proposal import FileReport
from dockopt.optimizer.report.outcome import Shown


@dataclass(frozen=True)
class Asked:
    """The baseline, and where the branch began in each repository."""

    baseline: Sequence[Entry] = ()
    diff_base: str | None = None
    bases: Mapping[Path, Revision] = field(default_factory=dict)

    @classmethod
    def of(cls, baseline: Path | None, diff_base: str | None, paths: Sequence[str]) -> Asked:
        """Read the baseline, and find where the branch began in the repositories of these files. Raises InputError."""
        try:
            entries = () if baseline is None else read_baseline(baseline)
        except InputError as error:
            raise InputError(f"`--baseline {baseline}`: {error}") from error
        bases = _Bases(diff_base or "")
        for path in paths if diff_base is not None else ():
            top = repository_of(_absolute(path).parent)
            if top is None:
                raise InputError(f"`--diff-base`: `{path}` lies in no git repository")
            try:
                bases.of(top)
            except RevisionError as error:
                raise InputError(f"`--diff-base`: {error}") from error
        return cls(entries, diff_base, bases.known)

    @property
    def everything(self) -> bool:
        """Whether nothing is to be left out."""
        return not self.baseline and self.diff_base is None

    def narrowing(self, report: FileReport, shown: Shown, analyze: Analyze) -> Narrowing:
        """Return what says which changes of a file are not wanted. Raises InputError.

        `report` is that of the file with all of them, and `analyze` makes others.
        """
        branch = None if self.diff_base is None else self._branch(report, self.diff_base, shown, analyze)
        return Narrowing(report.path, report.source, frozenset(entry.fingerprint for entry in self.baseline), branch)

    def _branch(self, report: FileReport, name: str, shown: Shown, analyze: Analyze) -> Branch:
        path = _absolute(report.path)
        top = repository_of(path.parent)
        if top is None or top not in self.bases:
            raise InputError("lies in no git repository that `--diff-base` speaks of")
        base = self.bases[top]
        try:
            old = base.read(place_of(report.path))
        except RevisionError as error:
            raise InputError(f"cannot be read as it was at `{name}`{error}") from error
        found = None
        if old is not None and old != report.source:
            found = frozenset(entry.fingerprint for entry in every_finding(report.path, old, shown, analyze))
        context = _absolute(report.context or ".")
        ignore_files = (context / ".dockerignore", path.with_name(f"{path.name}.dockerignore"))
        return Branch(base, name, old, found, context, ignore_files)


class _Bases:
    """Where the branch began, in the repository of the working directory, in its submodules, and in others."""

    def __init__(self, revision: str) -> None:
        """`revision` is the commit as the user names it."""
        self.known: dict[Path, Revision] = {}
        self._revision = revision
        self._here = repository_of(_absolute("."))

    def of(self, top: Path) -> Revision:
        """Return the commit of one repository. Raises RevisionError."""
        if top not in self.known:
            self.known[top] = self._found(top)
        return self.known[top]

    def _found(self, top: Path) -> Revision:
        """In a submodule the branch began at the commit that was recorded for it: its own branches have a history of their own."""
        outer = None
        if self._here is not None and top != self._here and top.is_relative_to(self._here):
            outer = repository_of(top.parent)
        if outer is None:
            return branch_point(top, self._revision)
        place = top.relative_to(outer).as_posix()
        before = self.of(outer).submodule(place)
        if before is not None:
            return branch_point(top, before)
        # a repository of its own that merely lies there knows the name itself; a submodule that is new has no past here
        return nothing_yet(top) if branch_point(outer, "HEAD").submodule(place) else branch_point(top, self._revision)


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - links are not followed
