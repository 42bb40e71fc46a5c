"""A Dockerfile together with its context and targets: what the rewrites look at and the validator compares."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dockopt.optimizer.cancellation import Proceed, go_on
from dockopt.optimizer.configuration import NOTHING, Configuration
from dockopt.optimizer.proposal import FrozenInput
from dockopt.optimizer.symbolic.execute import Executor, Memo, StageRun
from dockopt.optimizer.symbolic.residue import Residue
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Dockerfile, Stage

if TYPE_CHECKING:
    from dockopt.optimizer.context.builds import DeclaredBuild


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

    @property
    def ignore_file(self) -> tuple[str, bytes]:
        """The ignore file that counts: its path in the context, and its bytes (empty where there is none yet)."""

    def with_ignore(self, text: bytes) -> tuple[ContextReader, tuple[str, ...]]:
        """Return the context with another ignore file, and the paths that this one keeps out in addition.

        Raises ContextError where the new rules do more than to add such paths.
        """


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

    def aside(self) -> FrozenContext:
        """Return the same context for questions on which no proof depends: their answers are not frozen."""
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
        return self._kinds[rel]

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

    def names_on_disk(self, rel: str) -> tuple[str, ...]:
        """Return the names in a directory, ignored or not, none where it is no directory; no part of any proof."""
        from dockopt.optimizer.context import ContextError

        try:
            return () if self.reader is None else self.reader.names_on_disk(rel)
        except ContextError:
            return ()

    def is_there(self, rel: str) -> bool:
        """Tell whether there is something today, or may be: no part of any proof."""
        from dockopt.optimizer.context import ContextError

        if self.reader is None or rel.strip("/") in ("", "."):
            return True
        try:
            return str(getattr(self.reader.kind(rel), "name", "")) not in ("ABSENT", "IGNORED")
        except ContextError:
            return True

    def files_below(self, rel: str, limit: int) -> tuple[str, ...] | None:
        """Return the files below a directory, None where they cannot be listed or are too many: no part of any proof."""
        from dockopt.optimizer.context import ContextError

        if self.reader is None:
            return None
        try:
            return tuple(self.reader.walk(rel, limit=limit))
        except ContextError:
            return None

    def peek(self, rel: str) -> bytes | None:
        """Return a file's bytes, None if it cannot be read: no part of any proof, unlike `read`."""
        from dockopt.optimizer.context import ContextError

        if self.reader is None:
            return None
        try:
            return self.reader.read(rel)
        except ContextError:
            return None

    def may_be_missing(self, rel: str) -> bool:
        """Tell whether a path is ignored by git: a clone of the project may not have it."""
        return self.reader is not None and self.reader.may_be_missing(rel)

    def is_asked_for(self, rel: str) -> bool:
        """Tell whether an exception of the ignore file asks for a path; no part of any proof."""
        return self.reader is not None and self.reader.asked_for(rel)

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


class Elsewhere(NamedTuple):
    """Another context in which the project builds a Dockerfile: what is right must be right there, too."""

    context: FrozenContext
    shown: str  #: the directory, relative to the build's own context
    #: the file that says so, relative to the build's own context, its line, and both as a reason names them
    file: str
    line: int
    reason: str
    memo: Memo


@dataclass(eq=False)
class Build:
    """One Dockerfile in its context. Analyses are lazy and kept."""

    dockerfile: Dockerfile
    context: FrozenContext
    #: stages that somebody outside the Dockerfile names as a target
    targets: tuple[str, ...] = ()
    #: names that some builds give another content by (`--build-context NAME=…`), each with the place that says so
    named_contexts: Mapping[str, str] = field(default_factory=dict)
    #: the other contexts in which the Dockerfile is built
    elsewhere: tuple[Elsewhere, ...] = ()
    #: what the project's own files say about building it
    declared: tuple[DeclaredBuild, ...] = ()
    #: make the assumption `cache-opaque` (DESIGN §5) about commands that are not understood
    opaque_caches: bool = False
    #: trees in which owners are not told apart
    free_owners: frozenset[str] = frozenset()
    #: directories of package managers that are not looked at
    residue: Residue | None = None
    #: what the symbolic execution of variants of this file has in common
    memo: Memo = field(default_factory=dict, repr=False)
    #: new text of other files (path relative to the context), where changes need them too
    other_files: Mapping[str, bytes] = field(default_factory=dict)
    #: what the user says of commands that no model speaks of
    configuration: Configuration = NOTHING
    #: called all along the way; what it raises ends the analysis (an editor that has a newer text)
    proceed: Proceed = field(default=go_on, repr=False)

    @cached_property
    def with_opaque_caches(self) -> Build:
        """The same build under the assumption `cache-opaque`."""
        return replace(self, opaque_caches=True)

    def with_free_owners(self, paths: frozenset[str]) -> Build:
        """Return the same build with every owner being as good as another for what COPY and ADD bring below the paths."""
        return replace(self, free_owners=self.free_owners | paths, memo={})

    def with_residue(self, paths: frozenset[str], respelled: frozenset[tuple[int, str]] = frozenset()) -> Build:
        """Return the same build with nobody looking at what package managers left in these directories.

        `respelled` are commands (stage, text) that count as those that leave nothing there, because another file has them in that form.
        """
        return replace(self, residue=Residue(tuple(sorted(paths)), respelled), memo={})

    def with_text(self, dockerfile: Dockerfile) -> Build:
        """Return the build of a changed Dockerfile in the same contexts; frozen inputs are those of both."""
        return replace(self, dockerfile=dockerfile)

    def with_ignore(self, text: bytes) -> Build:
        """Return the build of the same Dockerfile behind a changed ignore file. Raises ContextError."""
        context = self.context.with_ignore(text)
        path = context.ignore_file[0] if context.ignore_file is not None else ""
        # what instructions did is not remembered: the context answers differently
        return replace(self, context=context, memo={}, other_files={**self.other_files, path: text})

    @cached_property
    def there(self) -> tuple[Build, ...]:
        """The same Dockerfile in each of the contexts of `elsewhere`."""
        return tuple(replace(self, context=other.context, elsewhere=(), memo=other.memo) for other in self.elsewhere)

    @cached_property
    def executor(self) -> Executor:
        """The symbolic execution of the whole file. Raises Unsupported."""
        executor = Executor(
            self.dockerfile,
            self.context,
            opaque_caches=self.opaque_caches,
            named_contexts=self.named_contexts,
            memo=self.memo,
        )
        executor.configuration = self.configuration
        executor.free_owners = self.free_owners
        executor.residue = self.residue
        executor.proceed = self.proceed
        executor.run()
        return executor

    @property
    def runs(self) -> list[StageRun]:
        """What each stage left behind. Raises Unsupported."""
        self.proceed()
        return self.executor.stages

    @property
    def executed(self) -> list[Executed]:
        """Every command that ran, in file order. Raises Unsupported."""
        self.proceed()
        return self.executor.executed

    def commands_of(self, stage: int, index: int) -> list[Executed]:
        """Return the commands of one RUN instruction (its index in the file)."""
        return [e for e in self.executed if e.stage == stage and e.instruction.index == index]

    @cached_property
    def exported(self) -> tuple[Stage, ...]:
        """Stages whose image somebody can see: the last one, named targets, and those that no other stage consumes."""
        consumed = self.consumers
        last = len(self.dockerfile.stages) - 1
        return tuple(
            stage
            for stage in self.dockerfile.stages
            if stage.index == last
            or not consumed[stage.index]
            or stage.name in self.targets
            or str(stage.index) in self.targets
        )

    @cached_property
    def consumers(self) -> dict[int, set[int]]:
        """For each stage the stages that use it by FROM, COPY --from or a bind mount."""
        stages = self.dockerfile.stages
        called: dict[str, list[int]] = {}
        for stage in stages:
            for own in {stage.name or "", str(stage.index)}:
                called.setdefault(own, []).append(stage.index)
        users: dict[int, set[int]] = {stage.index: set() for stage in stages}
        for stage in stages:
            # a later stage of that name is not what FROM means (`stage_named`)
            used = [index for index in called.get(stage.base.lower(), ()) if index < stage.index]
            names: list[str] = []
            for instruction in stage.instructions:
                names += [name for name in (instruction.flag("from"),) if name]
                names += [m.from_ for m in instruction.mounts if m.from_]
                if instruction.child is not None and (name := instruction.child.flag("from")):
                    names.append(name)
            used += [index for name in names for index in called.get(name.lower(), ()) if index != stage.index]
            for index in used:
                users[index].add(stage.index)
        return users

    def lineage(self, stage: int) -> tuple[int, ...]:
        """Return a stage and the stages that it is built on, down to the one with a base image. Raises Unsupported."""
        found = [stage]
        while (parent := self.executor.stage_named(self.dockerfile.stages[found[-1]].base, found[-1])) is not None:
            found.append(parent.stage.index)
        return tuple(found)

    def is_exported(self, stage: int) -> bool:
        """Tell whether the image of a stage can be seen, directly or as the base of a stage that can."""
        return stage in self._seen

    @cached_property
    def _seen(self) -> frozenset[int]:
        """Exported stages, and those that they are built on."""
        stages = self.dockerfile.stages
        seen = {stage.index for stage in self.exported}
        # what builds on a stage stands below it
        for stage in reversed(stages):
            users = self.consumers[stage.index]
            if any(user in seen and stages[user].base == stage.name for user in users if user > stage.index):
                seen.add(stage.index)
        return frozenset(seen)
