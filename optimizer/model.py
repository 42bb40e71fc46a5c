"""A Dockerfile together with its context and targets: what the rewrites look at and the validator compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.cancellation import Proceed, go_on
from dockopt.optimizer.configuration import NOTHING, Configuration
from dockopt.optimizer.frozen import FrozenContext
from dockopt.optimizer.lineage import lineage_of, parents_of
from dockopt.optimizer.symbolic.execute import Executor, Memo, StageRun
from dockopt.optimizer.symbolic.residue import Residue
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Dockerfile, Stage

if TYPE_CHECKING:
    from dockopt.optimizer.context.builds import DeclaredBuild


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
    memo: Memo = field(default_factory=Memo, repr=False)
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
        return replace(self, free_owners=self.free_owners | paths)

    def with_residue(self, paths: frozenset[str], respelled: frozenset[tuple[int, str]] = frozenset()) -> Build:
        """Return the same build with nobody looking at what package managers left in these directories.

        `respelled` are commands (stage, text) that count as those that leave nothing there, because another file has them in that form.
        """
        return replace(self, residue=Residue(tuple(sorted(paths)), respelled))

    def with_text(self, dockerfile: Dockerfile) -> Build:
        """Return the build of a changed Dockerfile in the same contexts; frozen inputs are those of both."""
        return replace(self, dockerfile=dockerfile)

    def with_ignore(self, text: bytes) -> Build:
        """Return the build of the same Dockerfile behind a changed ignore file. Raises ContextError."""
        context = self.context.with_ignore(text)
        path = context.ignore_file[0] if context.ignore_file is not None else ""
        # what instructions did is not remembered: the context answers differently
        return replace(self, context=context, memo=self.memo.anew(), other_files={**self.other_files, path: text})

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
        for stage, parent in zip(stages, parents_of(stages), strict=True):
            used = [] if parent is None else [parent]
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
        """Return a stage and the stages that it is built on, down to the one with a base image."""
        return lineage_of(self.dockerfile.stages, stage)

    def is_exported(self, stage: int) -> bool:
        """Tell whether the image of a stage can be seen, directly or as the base of a stage that can."""
        return stage in self._seen

    @cached_property
    def _seen(self) -> frozenset[int]:
        """Exported stages, and those that they are built on."""
        seen = {stage.index for stage in self.exported}
        # what builds on a stage stands below it
        for index, parent in reversed(list(enumerate(parents_of(self.dockerfile.stages)))):
            if index in seen and parent is not None:
                seen.add(parent)
        return frozenset(seen)


__all__ = ["Build", "Elsewhere", "FrozenContext"]
