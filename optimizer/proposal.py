"""What a rewrite may say about one place: a proposal with edits, or a refusal with its cause."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from dockopt.optimizer.steps import Step


class Applicability(enum.Enum):
    """Who may apply a proposal: `safe` ones are applied by `fix`, the others only when they are named.

    `repairs` is for a Dockerfile that does not build from nothing: there is no image that could be kept.
    """

    SAFE = "safe"
    CHANGES_IMAGE = "changes-image"
    ADVICE = "advice"
    UNPROVEN = "unproven"
    REPAIRS = "repairs"


class Edit(NamedTuple):
    """Replace the bytes [start, end) of one file by `text`; `path` is relative to the build context, "" is the Dockerfile."""

    start: int
    end: int
    text: bytes
    path: str = ""


class FrozenInput(NamedTuple):
    """A file of the context whose state a proof used: the proof speaks of all contexts that agree on it."""

    path: str
    state: str  # "absent", "ignored", "directory", "file", or "sha256:…" where its bytes were read


class Replaced(NamedTuple):
    """What comes of a base image or a command that stands in the place of another one, in words and as paths."""

    text: str
    #: absolute paths that it may change, with all below them; None: any
    paths: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the validator found out about a pair of Dockerfiles: `equal`, `equal-but`, `unproven` or `repairs`."""

    status: str
    #: for `equal-but`: the declared paths or settings outside which both images are the same
    differences: tuple[str, ...] = ()
    #: those of them that come of `Proposal.replacing`
    replaced: tuple[Replaced, ...] = ()
    #: for `unproven`: what would have to be known, and where; for `repairs`: why the old file does not build
    obligation: str | None = None
    line: int | None = None
    #: the proof: what was compared, what it froze and what it assumes
    compared: tuple[str, ...] = ()
    frozen: tuple[FrozenInput, ...] = ()
    assumptions: tuple[str, ...] = ()


class RuntimeStage(NamedTuple):
    """The image gets a last stage of its own: what was the last stage only builds, and the new one takes over what is named.

    `paths` are the absolute paths that the new image has exactly as the old one had them; of all other files it has those of its
    own base. Every setting of the old image is kept, except the ones that `WantedDifference.settings` names. `moved` are paths of the
    old image that the new one has at another place: pairs of where it was and where it is.
    """

    paths: tuple[str, ...]
    moved: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class WantedDifference:
    """What a proposal changes in the image on purpose; outside of it the validator demands the same image."""

    #: absolute paths of files, or of directories with all that lies below, that may differ in every way
    paths: frozenset[str] = frozenset()
    #: the same, but only the owner of what COPY and ADD bring may differ
    owners: frozenset[str] = frozenset()
    #: settings of the image as `StageState.image` names them: `user`, `env PATH`, `entrypoint`
    settings: frozenset[str] = frozenset()
    #: texts of commands that only the new file runs; what they write has to lie in `paths`
    added: frozenset[str] = frozenset()
    #: texts of commands that only the old file runs; what they wrote has to lie in `paths`
    dropped: frozenset[str] = frozenset()
    #: directories in which package managers leave what only they need (`dockopt.optimizer.symbolic.residue`): they may differ, and
    #: other commands count as not looking there
    residue: frozenset[str] = frozenset()
    runtime_stage: RuntimeStage | None = None

    def described(self) -> tuple[str, ...]:
        """Return the difference in words, in a stable order."""
        words = [
            *sorted(self.paths | self.residue),
            *(f"the owner of {path}" for path in sorted(self.owners)),
            *sorted(self.settings),
        ]
        if self.runtime_stage is not None:
            moved = (f"{old} (now {new})" for old, new in self.runtime_stage.moved)
            kept = ", ".join((*self.runtime_stage.paths, *moved))
            words.append(f"every file but {kept}" if kept else "every file")
        return tuple(words)


#: the image stays the same
NO_DIFFERENCE = WantedDifference()


@dataclass(frozen=True, slots=True)
class Proposal:
    """One concrete edit set at one place; the validator decides what may be claimed of it."""

    rewrite: str
    line: int  # 1-based line of the instruction that the finding speaks of
    message: str  # what is wrong and what it costs, one short clause
    edits: tuple[Edit, ...]
    #: what the edit buys on a rebuild, in words ("`go mod download` is reused until go.mod or go.sum change")
    gain: str = ""
    #: in what the image may differ on purpose
    declared: WantedDifference = NO_DIFFERENCE
    #: those of `edits` that put another base image in the place of one, or another command: what comes of it is declared with it
    replacing: tuple[Edit, ...] = ()
    #: for a change of the image: what may stop working, or has to be known by its users
    risk: str = ""
    notes: tuple[str, ...] = ()
    #: rewrites one of which has to find a proven proposal after this edit, else it is not worth making
    enables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A place that was looked at and left alone, with the true cause."""

    rewrite: str
    line: int
    reason: str
    #: where the cause stands: a path relative to the context ("" is the Dockerfile) and a 1-based line (0: the whole file)
    cause_path: str = ""
    cause_line: int = 0


@dataclass(frozen=True, slots=True)
class Advice:
    """A finding without an edit: something that is wrong, or a question that only the author can answer."""

    rewrite: str
    line: int
    message: str
    #: "error": the image cannot work; "warning": it may not; "note": worth knowing
    level: str = "note"
    #: what could be done
    remedy: str = ""
    cause_path: str = ""
    cause_line: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A proposal together with its verdict."""

    proposal: Proposal
    verdict: Verdict
    applicability: Applicability


class PassedOver(Protocol):
    """Somebody who does not want every change: because it is known already, or because it was not asked for."""

    def __call__(self, before: Sequence[Change], change: Change, text: bytes) -> str | None:
        """Return why a change is not wanted, None if it is; `before` are those that led from the source to `text`."""


@dataclass(slots=True)
class FileReport:
    """All that dockopt has to say about one Dockerfile."""

    path: str
    source: bytes
    #: the text after all safe changes, equal to `source` where there is none
    result: bytes
    context: str = ""
    context_reason: str = ""
    #: safe changes, in the order in which they were applied (their edits refer to the text at that point)
    changes: list[Change] = field(default_factory=list)
    #: changes of the image that are offered but never applied without being named
    offered: list[Change] = field(default_factory=list)
    unproven: list[Change] = field(default_factory=list)
    #: what makes a Dockerfile build again that does not build from nothing; applied when the rewrite is named
    repairs: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    #: findings without an edit, of the rewrites that were asked for
    advice: list[Advice] = field(default_factory=list)
    #: new text of other files of the same proposals (path relative to the context → bytes), `.dockerignore` for example
    other_files: dict[str, bytes] = field(default_factory=dict)
    #: why the file could not be analysed at all (`path:line:column: message`), else None
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    #: what was done, and how long it took
    steps: list[Step] = field(default_factory=list, compare=False, repr=False)
