"""What instructions did, kept for variants and later texts of one Dockerfile in which they see the very same.

All that an instruction can see decides what it does: the instructions before it (in this stage and in those that it takes from),
what the executor is told beside the Dockerfile, and the answers of the context. So records form a tree: below the record of one
instruction lie those of the instructions that have followed it. A record holds

- what was **asked of the context** and the answers, in order. In another context (a later look at the same directory) the questions
  are asked again; the record counts up to the first other answer. The proof lists them as if the instruction had run again.
- **no line of the file**: lines and writes are put in their places where the record is recalled. Instructions that have a line of
  the file in a message are recalled only where each line is the same (`tells_lines`).

Byte offsets are nowhere in it: a recalled command gets the instruction of the file in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar, cast

from dockopt.optimizer.symbolic.filesystem import NO_FILES, FileSystem, Op

if TYPE_CHECKING:
    from dockopt.optimizer.symbolic.run import Executed
    from dockopt.optimizer.symbolic.state import StageState

#: a question to the context (`dockopt.optimizer.frozen.FrozenContext`): the name of a method, and its arguments
Question = tuple[object, ...]
#: questions and their answers, in order
Heard = tuple[tuple[Question, object], ...]
#: how many finished analyses a record outlives that do not recall it
_KEPT_FOR = 3
#: records beyond which all are dropped; a file of 300 lines with three changes has about 1,000
_MOST_RECORDS = 6_000
#: the same for the conclusions of one record
_MOST_CONCLUSIONS = 64

_Value = TypeVar("_Value")


class Asked(Protocol):
    """The context as far as records need it."""

    def listen(self) -> None:
        """Take down the questions from now on."""

    def heard(self) -> Heard:
        """Return the questions since `listen` and their answers, in order, and take down no more."""

    def confirms(self, asked: Heard) -> bool:
        """Ask again, in order and up to the first other answer; tell whether all are the same."""


class Seen(NamedTuple):
    """What an instruction looked at, and whether it has a line of the file in a message."""

    asked: Heard
    tells_lines: bool


class Step(NamedTuple):
    """What one instruction did in one file."""

    after: StageState
    executed: tuple[Executed, ...]
    #: (line, context path, kind) of literal COPY sources
    sources: tuple[tuple[int, str, str], ...]


class _Files:
    """The writes of a file system as places in a pool: those before the instruction, and then its own ones."""

    __slots__ = ("_pick",)

    def __init__(self, places: Sequence[int]) -> None:
        self._pick: Callable[[tuple[Op, ...]], tuple[Op, ...]]
        if len(places) > 1:
            self._pick = itemgetter(*places)
        else:
            self._pick = lambda pool: tuple(pool[place] for place in places)

    def of(self, pool: tuple[Op, ...], before: FileSystem) -> FileSystem:
        """Return the file system whose writes these are."""
        return before.with_ops(self._pick(pool))


@dataclass(eq=False, slots=True)
class Record:
    """What one instruction did, wherever it stands; the root of a stage did nothing."""

    line: int = 0
    #: the state after it but for the files, and these; None where they are those before it
    after: StageState | None = None
    files: _Files | None = None
    own: tuple[Op, ...] = ()
    executed: tuple[tuple[Executed, _Files | None], ...] = ()
    sources: tuple[tuple[int, str, str], ...] = ()
    asked: Heard = ()
    #: the analysis that has recalled it last
    used: int = 0
    #: instructions below have lines of the file in their messages: their keys hold these
    tells_lines: bool = False
    followers: dict[Hashable, Record] = field(default_factory=dict)
    #: what else was concluded from here, with what was asked for it
    conclusions: dict[Hashable, tuple[Heard, object]] = field(default_factory=dict)

    def at(self, line: int, before: StageState) -> Step:
        """Return what the instruction does where it stands in a line of another file."""
        assert self.after is not None
        shift = line - self.line
        own = tuple(op._replace(line=op.line + shift) for op in self.own) if shift else self.own
        pool = before.files.ops + own
        executed = tuple(
            command._replace(
                line=command.line + shift,
                before=command.before.over(before.files if files is None else files.of(pool, before.files)),
            )
            for command, files in self.executed
        )
        sources = tuple((at + shift, path, kind) for at, path, kind in self.sources) if shift else self.sources
        files = before.files if self.files is None else self.files.of(pool, before.files)
        return Step(self.after.over(files), executed, sources)


class Past:
    """All records of one Dockerfile in its context, from one analysis to the next."""

    def __init__(self) -> None:
        self.roots: dict[Hashable, Record] = {}
        self.now = 0
        self.count = 0

    def finish(self) -> None:
        """End an analysis: what the last ones did not recall is forgotten."""
        self.now += 1
        self.count = _prune(self.roots, self.now - _KEPT_FOR)


class Pasts:
    """The records of one Dockerfile in each context that it is built in, from one analysis to the next."""

    def __init__(self) -> None:
        self._said: object = None
        self._pasts: dict[str, Past] = {}
        self._used: set[str] = set()

    def of(self, context: str, said: object) -> Past:
        """Return the records of a context (its path), none where the user says something else of commands than before."""
        if said != self._said:
            self._said, self._pasts = said, {}
        past = self._pasts.get(context)
        # analyses that were given up leave records, too
        if past is None or past.count > _MOST_RECORDS:
            past = self._pasts[context] = Past()
        self._used.add(context)
        return past

    def finish(self) -> None:
        """End an analysis: what the last ones did not recall, and contexts that this one did not look at, are forgotten."""
        self._pasts = {context: past for context, past in self._pasts.items() if context in self._used}
        self._used = set()
        for past in self._pasts.values():
            past.finish()


def _prune(records: dict[Hashable, Record], oldest: int) -> int:
    """Drop records that were recalled before an analysis, and return how many are left."""
    left, waiting = 0, [records]
    while waiting:
        here = waiting.pop()
        for key in [key for key, record in here.items() if record.used < oldest]:
            del here[key]
        left += len(here)
        waiting += [record.followers for record in here.values()]
    return left


class Memo:
    """What is remembered while one context is in use: for the variants of one analysis, with the records of the ones before."""

    def __init__(self, past: Past | None = None) -> None:
        self.past = Past() if past is None else past
        self._context: Asked | None = None
        self._confirmed: set[Record] = set()
        #: by record, state before it (alive in the value) and line
        self._steps: dict[tuple[Record, int, int], tuple[StageState, Step]] = {}

    def anew(self) -> Memo:
        """Return what is remembered where the context is another one."""
        return Memo(self.past)

    def within(self, context: Asked) -> None:
        """Use the answers of a context from now on; what another one has confirmed counts for nothing here."""
        if context is not self._context:
            self._context, self._confirmed, self._steps = context, set(), {}

    def start(self, key: Hashable, parent: StageState | None, first: StageState) -> tuple[Record, StageState]:
        """Return the record below which those of a stage lie, and the first state of the stage.

        The key says all that decides `first`. What is equal to a state of an earlier text is that very object, but for the files:
        who has set something is told by objects (`dockopt.optimizer.graph.steps`).
        """
        record = self.past.roots.get(key)
        if record is None:
            record = self.past.roots[key] = Record(after=first.over(NO_FILES))
        record.used = self.past.now
        place = record, 0 if parent is None else id(parent), 0
        if place not in self._steps:
            assert record.after is not None
            self._steps[place] = first if parent is None else parent, Step(record.after.over(first.files), (), ())
        return record, self._steps[place][1].after

    def conclusion(self, above: Record, key: Hashable, context: Asked, conclude: Callable[[], _Value]) -> _Value:
        """Return what is concluded of the state of a record, of the key and of answers of the context; it may hold no line."""
        known = above.conclusions.get(key)
        if known is not None and context.confirms(known[0]):
            return cast("_Value", known[1])
        context.listen()
        try:
            value = conclude()
        finally:
            asked = context.heard()
        if len(above.conclusions) >= _MOST_CONCLUSIONS:
            above.conclusions.clear()
        above.conclusions[key] = asked, value
        return value

    def recall(
        self, above: Record, keys: Sequence[Hashable], before: StageState, line: int, context: Asked
    ) -> tuple[Record, Step] | None:
        """Return what an instruction does that follows a record, None if that is not known."""
        if above.tells_lines:
            keys = (*keys, *((key, _lines(before, line)) for key in keys))
        for key in keys:
            record = above.followers.get(key)
            if record is None:
                continue
            known = self._steps.get((record, id(before), line))
            if known is not None:
                return record, known[1]
            if record not in self._confirmed:
                if not context.confirms(record.asked):
                    continue
                self._confirmed.add(record)
            record.used = self.past.now
            step = record.at(line, before)
            self._steps[record, id(before), line] = before, step
            return record, step
        return None

    def remember(
        self, above: Record, key: Hashable, before: StageState, lines: range, step: Step, seen: Seen
    ) -> Record:
        """Keep what an instruction did in some lines of the file, and return the record."""
        place = {id(op): i for i, op in enumerate(before.files.ops)}
        own: list[Op] = []

        def picked(files: FileSystem) -> _Files | None:
            if files is before.files:
                return None
            for op in files.ops:
                if id(op) not in place:
                    place[id(op)] = len(place)
                    own.append(op)
            return _Files([place[id(op)] for op in files.ops])

        executed = tuple((c._replace(before=c.before.over(NO_FILES)), picked(c.before.files)) for c in step.executed)
        files = picked(step.after.files)
        line = lines.start
        # writes move with their instruction, so they have to be in its lines
        if seen.tells_lines or any(op.line not in lines for op in own):
            above.tells_lines, key = True, (key, _lines(before, line))
        record = Record(
            line, step.after.over(NO_FILES), files, tuple(own), executed, step.sources, seen.asked, used=self.past.now
        )
        above.followers[key] = record
        self.past.count += 1
        self._confirmed.add(record)
        self._steps[record, id(before), line] = before, step
        return record


def _lines(before: StageState, line: int) -> tuple[int, ...]:
    """Return the lines of all writes that an instruction can see, and its own."""
    return line, *(op.line for op in before.files.ops)
