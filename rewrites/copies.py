"""Which instructions of a stage bring what of the build context into the image."""

from __future__ import annotations

from dataclasses import dataclass

from dockopt.optimizer.model import Build
from dockopt.optimizer.symbolic.copying import is_remote
from dockopt.optimizer.symbolic.execute import clean_source
from dockopt.optimizer.symbolic.filesystem import Op
from dockopt.optimizer.syntax import Instruction, Stage

_SOURCE_FILES = (".go", ".c", ".h", ".js", ".ts", ".py", ".rs", ".java", ".kt", ".rb", ".php", ".cs", ".ex")


@dataclass(frozen=True, slots=True)
class ContextCopy:
    """A COPY or ADD of files of the context, and the writes that it makes."""

    instruction: Instruction
    position: int  #: index among the instructions of the stage
    ops: tuple[Op, ...]
    #: every source is one plain file, wherever it comes to lie
    files_only: bool = False

    @property
    def is_sources(self) -> bool:
        """Tell whether it copies a directory or source files: something that changes with nearly every commit."""
        if any(op.kind == "overlay" or op.path.endswith(_SOURCE_FILES) for op in self.ops):
            return True
        if self.files_only:
            return any(word.endswith(_SOURCE_FILES) for word in self.instruction.words[:-1])
        return any(op.source is None for op in self.ops)


def context_copies(build: Build, stage: Stage) -> list[ContextCopy]:
    """Return the COPYs and ADDs of a stage that take something from the context, in order. Raises Unsupported."""
    states = build.runs[stage.index].states
    found = []
    for position, instruction in enumerate(stage.instructions):
        if instruction.keyword not in ("COPY", "ADD") or instruction.has_flag("from"):
            continue
        if instruction.keyword == "ADD" and any(is_remote(word) for word in instruction.words[:-1]):
            continue
        if len(instruction.heredocs) == len(instruction.words) - 1:
            continue
        ops = tuple(
            op
            for op in states[position + 1].files.ops
            if op.line == instruction.start_line and op.kind in ("put", "overlay") and op.label
        )
        sources = instruction.words[:-1]
        files_only = not any("$" in word for word in sources) and all(
            build.context.kind(clean_source(word)) == "file" for word in sources
        )
        found.append(ContextCopy(instruction, position, ops, files_only))
    return found
