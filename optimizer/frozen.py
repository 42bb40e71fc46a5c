"""The context as a proof sees it: answers are kept, because a proof holds for all contexts that give the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

from dockopt.optimizer.proposal import FrozenInput
from dockopt.optimizer.symbolic.memory import Heard, Question

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")
#: a question that is answered differently each time
_NEVER = "never"


class ContextReader(Protocol):
    """The part of `dockopt.optimizer.context.BuildContext` that a build needs."""

    def kind(self, rel: str) -> object:
        """Return a member of `Kind` for what COPY would see."""

    def read(self, rel: str) -> bytes:
        """Return a file's bytes; raises ContextError."""

    def read_on_disk(self, rel: str) -> bytes:
        """Return a file's bytes, whatever the ignore rules say; raises ContextError."""

    def names_on_disk(self, rel: str) -> tuple[str, ...]:
        """Return the sorted names in a directory, whatever the ignore rules say; raises ContextError."""

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return what a COPY source with wildcards selects; raises ContextError."""

    def walk(self, rel: str, *, limit: int) -> Iterator[str]:
        """Yield the files below a directory; raises ContextError."""

    def excluded(self, rel: str) -> bool:
        """Tell whether the ignore rules keep a path and all that may lie below it out of every build."""

    def asked_for(self, rel: str) -> bool:
        """Tell whether an exception of the ignore file asks for a path."""

    def may_be_missing(self, rel: str) -> bool:
        """Tell whether a path is ignored by git: a clone of the project may not have it."""

    def permissions(self, rel: str) -> int | None:
        """Return the permission bits of a file or directory that COPY would find, None where there is none."""

    @property
    def ignore_file(self) -> tuple[str, bytes]:
        """The ignore file that counts: its path in the context, and its bytes (empty where there is none yet)."""

    def with_ignore(self, text: bytes) -> tuple[ContextReader, tuple[str, ...]]:
        """Return the context with another ignore file, and the paths that this one keeps out in addition.

        Raises ContextError where the new rules do more than to add such paths.
        """


def _audible(
    method: Callable[Concatenate[FrozenContext, _Arguments], _Answer],
) -> Callable[Concatenate[FrozenContext, _Arguments], _Answer]:
    """Let a question be taken down where somebody listens."""

    @wraps(method)
    def ask(self: FrozenContext, *arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Answer:
        answer = method(self, *arguments, **named)
        self.take_down((method.__name__, *arguments, *named.values()), answer)
        return answer

    return cast("Callable[Concatenate[FrozenContext, _Arguments], _Answer]", ask)


def _kept(answer: object) -> object:
    """Return what tells an answer from others; files are kept by their digest."""
    return hashlib.sha256(answer).digest() if isinstance(answer, bytes) else answer


class FrozenContext:
    """Answers questions about the context and keeps the answers: they are the frozen inputs of a proof."""

    def __init__(self, reader: ContextReader | None) -> None:
        """Read through `reader`; None stands for a context that cannot be looked at (everything is "other")."""
        self.reader = reader
        self._kinds: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._globs: dict[str, tuple[str, ...]] = {}
        self._excluded: dict[str, bool] = {}
        #: digests of files that were read whether or not a build sees them
        self._consulted: dict[str, str] = {}
        #: paths that the ignore file keeps out since it was changed (`with_ignore`)
        self.newly_ignored: tuple[str, ...] = ()
        #: questions that are taken down with their answers, None while nobody listens
        self._heard: dict[Question, object] | None = None
        #: answers to questions that were asked again
        self._again: dict[Question, object] = {}

    def listen(self) -> None:
        """Take down the questions from now on."""
        self._heard = {}

    def heard(self) -> Heard:
        """Return the questions since `listen` and their answers, in order, and take down no more."""
        heard, self._heard = self._heard, None
        return tuple((heard or {}).items())

    def take_down(self, question: Question, answer: object) -> None:
        """Take a question down if somebody listens."""
        if self._heard is not None:
            self._heard[question] = _kept(answer)

    def confirms(self, asked: Heard) -> bool:
        """Ask again, in order and up to the first other answer; tell whether all are the same.

        So the very answers are frozen that would be if everything was done again: behind another answer it may ask something else.
        """
        again = self._again
        for question, answer in asked:
            if question not in again:
                name, *arguments = question
                again[question] = None if name == _NEVER else _kept(getattr(self, str(name))(*arguments))
            if again[question] != answer:
                return False
        return True

    def aside(self) -> FrozenContext:
        """Return the same context for questions on which no proof depends: their answers are not frozen."""
        if self._heard is not None:
            # what is asked there is not heard
            self._heard[_NEVER,] = True
        other = FrozenContext(self.reader)
        other.newly_ignored = self.newly_ignored
        return other

    def kind(self, rel: str) -> str:
        """Return "file", "directory", "absent" (ignored files too) or "other" (links, devices, not known)."""
        rel = rel.strip("/")
        if rel in ("", "."):
            return "directory"
        if rel not in self._kinds:
            # from the top down: a path has more components than calls can be nested
            for end in (index for index, char in enumerate(f"{rel}/") if char == "/"):
                if rel[:end] not in self._kinds:
                    self._kinds[rel[:end]] = self._look(rel[:end])
        found = self._kinds[rel]
        if self._heard is not None:
            self._heard["kind", rel] = found
        return found

    def _look(self, rel: str) -> str:
        if self.reader is None:
            return "other"
        head = rel.rpartition("/")[0]
        if head:
            above = self.kind(head)
            if above != "directory":
                # below a link anything may lie; below a file or an absent directory nothing does
                return "other" if above == "other" else "absent"
        from dockopt.optimizer.context import ContextError

        try:
            name = str(getattr(self.reader.kind(rel), "name", ""))
        except ContextError:
            return "other"
        return {"FILE": "file", "DIR": "directory", "ABSENT": "absent", "IGNORED": "absent"}.get(name, "other")

    @_audible
    def read(self, rel: str) -> bytes | None:
        """Return a file's bytes, None if it cannot be read; the digest becomes part of the proof."""
        from dockopt.optimizer.context import ContextError

        if self.reader is None or self.kind(rel) != "file":
            return None
        try:
            data = self.reader.read(rel)
        except ContextError:
            return None
        self._digests[rel] = hashlib.sha256(data).hexdigest()
        return data

    @_audible
    def on_disk(self, rel: str) -> bytes | None:
        """Return the bytes of a file that people look at, also where the ignore file keeps it from the builder, None without one.

        No build depends on it, but what is concluded from it does: its digest is told with the frozen inputs.
        """
        from dockopt.optimizer.context import ContextError

        if self.reader is None:
            return None
        try:
            data = self.reader.read_on_disk(rel)
        except ContextError:
            return None
        self._consulted[rel] = hashlib.sha256(data).hexdigest()
        return data

    @_audible
    def names_on_disk(self, rel: str) -> tuple[str, ...]:
        """Return the names in a directory, ignored or not, none where it is no directory; no part of any proof."""
        from dockopt.optimizer.context import ContextError

        try:
            return () if self.reader is None else self.reader.names_on_disk(rel)
        except ContextError:
            return ()

    @_audible
    def is_there(self, rel: str) -> bool:
        """Tell whether there is something today, or may be: no part of any proof."""
        from dockopt.optimizer.context import ContextError

        if self.reader is None or rel.strip("/") in ("", "."):
            return True
        try:
            return str(getattr(self.reader.kind(rel), "name", "")) not in ("ABSENT", "IGNORED")
        except ContextError:
            return True

    @_audible
    def files_below(self, rel: str, limit: int) -> tuple[str, ...] | None:
        """Return the files below a directory, None where they cannot be listed or are too many: no part of any proof."""
        from dockopt.optimizer.context import ContextError

        if self.reader is None:
            return None
        try:
            return tuple(self.reader.walk(rel, limit=limit))
        except ContextError:
            return None

    @_audible
    def peek(self, rel: str) -> bytes | None:
        """Return a file's bytes, None if it cannot be read: no part of any proof, unlike `read`."""
        from dockopt.optimizer.context import ContextError

        if self.reader is None:
            return None
        try:
            return self.reader.read(rel)
        except ContextError:
            return None

    @_audible
    def may_be_missing(self, rel: str) -> bool:
        """Tell whether a path is ignored by git: a clone of the project may not have it."""
        return self.reader is not None and self.reader.may_be_missing(rel)

    @_audible
    def permissions(self, rel: str) -> int | None:
        """Return the permission bits of a file or directory, None where there is none: no part of any proof."""
        return None if self.reader is None else self.reader.permissions(rel)

    @_audible
    def is_asked_for(self, rel: str) -> bool:
        """Tell whether an exception of the ignore file asks for a path; no part of any proof."""
        return self.reader is not None and self.reader.asked_for(rel)

    @_audible
    def glob(self, pattern: str) -> tuple[str, ...] | None:
        """Return what a COPY source with wildcards selects, None where that cannot be told; the list is part of the proof."""
        from dockopt.optimizer.context import ContextError

        if self.reader is None:
            return None
        if pattern not in self._globs:
            try:
                self._globs[pattern] = self.reader.glob(pattern)
            except ContextError:
                return None
        return self._globs[pattern]

    @_audible
    def excluded(self, rel: str) -> bool:
        """Tell whether the ignore rules keep a path and all that may lie below it out of every build.

        That nothing is there today is not enough: a build on another machine may find something.
        """
        if rel not in self._excluded:
            self._excluded[rel] = self.reader is not None and self.reader.excluded(rel)
        return self._excluded[rel]

    @property
    def ignore_file(self) -> tuple[str, bytes] | None:
        """The ignore file that counts: its path in the context, and its bytes (empty where there is none yet)."""
        if self._heard is not None:
            self._heard[_NEVER,] = True
        return None if self.reader is None else self.reader.ignore_file

    def with_ignore(self, text: bytes) -> FrozenContext:
        """Return the same context behind a changed ignore file. Raises ContextError, see `ContextReader.with_ignore`."""
        from dockopt.optimizer.context import ContextError

        if self.reader is None:
            raise ContextError("the context cannot be looked at", "")
        reader, added = self.reader.with_ignore(text)
        changed = FrozenContext(reader)
        changed.newly_ignored = tuple(dict.fromkeys((*self.newly_ignored, *added)))
        return changed

    def frozen(self) -> tuple[FrozenInput, ...]:
        """Return what has been asked so far, in path order."""
        seen = {
            rel: f"sha256:{self._digests[rel]}" if rel in self._digests else kind for rel, kind in self._kinds.items()
        }
        seen |= {rel: f"sha256:{digest}" for rel, digest in self._consulted.items()}
        seen |= {pattern: f"selects {', '.join(found) or 'nothing'}" for pattern, found in self._globs.items()}
        seen |= {rel: "ignored" for rel, excluded in self._excluded.items() if excluded}
        # a directory that holds another frozen entry is implied by it
        implied = {
            "/".join(rel.split("/")[:n])
            for rel, state in seen.items()
            if state not in ("absent", "ignored")
            for n in range(1, rel.count("/") + 1)
        }
        return tuple(FrozenInput(rel, state) for rel, state in sorted(seen.items()) if rel not in implied)
