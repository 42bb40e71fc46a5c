"""Files of the context that an image gets with a mode by which nobody but their owner may read them.

COPY keeps permission bits (dockerfile reference, "COPY --chown --chmod"; BuildKit sends those that the files have on disk) and makes root
the owner. git keeps only whether a file may be executed, so another clone of the project may have other modes: what is found is
a question, and never a proof.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from dockopt.optimizer.ecosystems.go.shipping import source_stage
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.regions import below, join, relative
from dockopt.optimizer.symbolic.execute import clean_source, evaluate
from dockopt.optimizer.symbolic.filesystem import FileSystem
from dockopt.optimizer.syntax import Instruction

#: more files of one copy are not looked at
_MOST_FILES = 20_000
_OTHERS_READ, _OTHERS_ENTER = 0o004, 0o001


class Closed(NamedTuple):
    """A file or directory of the context that only its owner may read or enter in the image."""

    path: str  #: in the context
    mode: int
    instruction: Instruction  #: the COPY or ADD of the last stage that brings it


def closed_files(build: Build, lineage: tuple[int, ...]) -> Iterator[Closed]:
    """Yield the first such file of each COPY and ADD of the stages that the image is made of, however it came there."""
    context = build.context.aside()
    for index in lineage:
        for position, instruction in enumerate(build.dockerfile.stages[index].instructions):
            if instruction.keyword not in ("COPY", "ADD") or instruction.flag("chmod") is not None:
                continue
            state = build.runs[index].states[position]
            line = instruction.start_line
            *words, target = (evaluate(w, state, build.dockerfile.escape, line).text for w in instruction.words)
            if target is not None and _is_opened(build, lineage, instruction, join(state.cwd or "/", target)):
                continue
            stage = source_stage(build, instruction)
            sources = [clean_source(word) for word in words if word is not None]
            if stage is not None:
                files = replace(build.runs[stage].final.files, context=context)
                found = (one for source in sources for one in _of_stage(files, context, join("/", source)))
            elif instruction.flag("from") is None:
                found = (one for source in sources for one in _of_context(context, source))
            else:
                continue
            first = next(found, None)
            if first is not None:
                yield Closed(*first, instruction)


def _is_opened(build: Build, lineage: tuple[int, ...], instruction: Instruction, target: str) -> bool:
    """Tell whether a command below a COPY changes modes of what it brings: which ones then is not followed."""
    later = (c for c in build.executed if c.stage in lineage and c.line > instruction.start_line and c.name == "chmod")
    return any(
        word is None or below(target, join(command.cwd or "/", word)) for command in later for word in command.argv[1:]
    )


def _of_context(context: FrozenContext, source: str) -> Iterator[tuple[str, int]]:
    for rel in (context.glob(source) or ()) if re.search(r"[*?\[]", source) else (source,):
        kind = context.kind(rel)
        seen: set[str] = set()
        for file in (
            (rel,) if kind == "file" else context.files_below(rel, _MOST_FILES) or () if kind == "directory" else ()
        ):
            yield from _of(context, file, rel, seen)


def _of_stage(files: FileSystem, context: FrozenContext, where: str) -> Iterator[tuple[str, int]]:
    """Yield files and directories below a place of another stage, which has them from the context as they are."""
    for op in files.ops:
        if op.source is None or op.kind not in ("put", "overlay"):
            continue
        if not (below(op.path, where) or below(where, op.path)):
            continue
        named = (op.source.path,) if op.kind == "put" else context.files_below(op.source.path, _MOST_FILES) or ()
        seen: set[str] = set()
        for rel in named:
            place = op.path if op.kind == "put" else join(op.path, relative(rel, op.source.path))
            if below(place, where) and files.context_file(place) == (rel, op.source.attributes):
                yield from _of(context, rel, op.source.path, seen)


def _of(context: FrozenContext, rel: str, top: str, seen: set[str]) -> Iterator[tuple[str, int]]:
    """Yield a file if others may not read it, and the directories above it, up to the one that is copied, which they may not enter."""
    directory = posixpath.dirname(rel)
    while rel != top and directory and directory not in seen and below("/" + directory, "/" + top):
        seen.add(directory)
        mode = context.permissions(directory)
        if mode is not None and not mode & _OTHERS_ENTER:
            yield directory, mode
        directory = posixpath.dirname(directory)
    mode = context.permissions(rel)
    if mode is not None and not mode & _OTHERS_READ:
        yield rel, mode
