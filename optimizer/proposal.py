"""What a rewrite may say about one place: a proposal with edits, or a refusal with its cause."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the validator found out about a pair of Dockerfiles: `equal`, `equal-but`, `unproven` or `repairs`."""

    status: str
    #: for `equal-but`: the declared paths or settings outside which both images are the same
    differences: tuple[str, ...] = ()
    #: for `unproven`: what would have to be known, and where; for `repairs`: why the old file does not build
    obligation: str | None = None
    line: int | None = None
    #: the proof: what was compared, what it froze and what it assumes
    compared: tuple[str, ...] = ()
    frozen: tuple[FrozenInput, ...] = ()
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """One concrete edit set at one place; the validator decides what may be claimed of it."""

    rewrite: str
    line: int  # 1-based line of the instruction that the finding speaks of
    message: str  # what is wrong and what it costs, one short clause
    edits: tuple[Edit, ...]
    #: what the edit buys on a rebuild, in words ("`go mod download` is reused until go.mod or go.sum change")
    gain: str = ""
    #: paths (or "config:…") in which the image may differ on purpose
    declared: frozenset[str] = frozenset()
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
    #: new text of other files of the same proposals (path relative to the context → bytes), `.dockerignore` for example
    other_files: dict[str, bytes] = field(default_factory=dict)
    #: why the file could not be analysed at all (`path:line:column: message`), else None
    error: str | None = None
    notes: list[str] = field(default_factory=list)
