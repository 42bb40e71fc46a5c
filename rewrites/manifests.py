"""The files that an install reads: which COPY brings each of them, and how to copy them on their own."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from dockopt.optimizer.ecosystems.installs import Install
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit
from dockopt.optimizer.regions import Region, below, relative
from dockopt.optimizer.symbolic.filesystem import FileSystem, Op
from dockopt.optimizer.symbolic.run import Executed
from dockopt.rewrites.copies import ContextCopy
from dockopt.rewrites.editing import PLAIN, ignore_entries


@dataclass(frozen=True, slots=True)
class Need:
    """A manifest, or a directory that is read as a whole, with the COPY that brings it and the write that it is part of."""

    path: str
    copy: ContextCopy
    op: Op
    is_tree: bool = False


def needs_of(build: Build, copies: Sequence[ContextCopy], command: Executed, install: Install) -> list[Need] | str:
    """Return for everything that an install reads the COPY that brings it; a str says why that is not certain."""
    files = command.before.files
    needs = []
    for path in install.manifests:
        if files.context_file(path) is None:
            return f"`{path}` does not surely come from the build context"
        op = next(op for op in reversed(files.ops) if op.source is not None and _brings(op, path))
        copy = next((copy for copy in copies if op in copy.ops), None)
        if copy is None:
            return f"`{path}` comes from another stage"
        needs.append(Need(path, copy, op))
    for path in install.trees:
        found = _tree_writer(build, files, path)
        copy = None if found is None else next((copy for copy in copies if found in copy.ops), None)
        if found is None or copy is None:
            return f"the directory `{path}` does not surely come from the build context as it is"
        needs.append(Need(path, copy, found, is_tree=True))
    return needs


def _brings(op: Op, path: str) -> bool:
    return op.path == path if op.kind == "put" else below(path, op.path)


def _tree_writer(build: Build, files: FileSystem, path: str) -> Op | None:
    """Return the copy of a directory of the context that brings all of a directory, if nothing else writes into it."""
    writers = [op for op in files.affecting(Region((path,))) if op.kind not in ("dir", "dir-set") and not op.again]
    if len(writers) != 1 or writers[0].kind != "overlay" or writers[0].source is None:
        return None
    op = writers[0]
    rel = f"{op.source.path}/{relative(path, op.path)}".strip("/") if op.source is not None else ""
    plain = op.source is not None and op.source.pattern is None and below(path, op.path)
    return op if plain and build.context.kind(rel) == "directory" else None


def is_needed_only(copy: ContextCopy, needs: Sequence[Need]) -> bool:
    """Tell whether a COPY brings nothing but what the install reads."""
    wanted = {need.path for need in needs if not need.is_tree}
    trees = [need.path for need in needs if need.is_tree]
    return bool(copy.ops) and all(
        (op.kind == "put" and op.path in wanted) or any(below(op.path, tree) for tree in trees) for op in copy.ops
    )


def as_written(need: Need, target: ContextCopy, here: str | None) -> tuple[str, str, str] | str:
    """Return source, destination and flags of a COPY for one need, in the words of the COPY that brings it.

    `here` is the working directory where it will stand. A str says why it cannot be written.
    """
    instruction, op = need.copy.instruction, need.op
    assert op.source is not None
    inside = relative(need.path, op.path) if op.kind == "overlay" else ""
    source = f"{op.source.path}/{inside}".strip("/")
    folder = inside if need.is_tree else posixpath.dirname(inside)
    destination = instruction.words[-1]
    if (need.copy is not target and not destination.startswith("/")) or op.kind == "put":
        place = need.path if need.is_tree else posixpath.dirname(need.path)
        if not destination.startswith("/") and here is not None and here != "/" and below(place, here):
            place = f"./{relative(place, here)}"
        destination = place.rstrip("/") + "/"
    else:
        start = "./" if destination in (".", "./", "") else destination.rstrip("/") + "/"
        destination = start + (f"{folder}/" if folder else "")
    if not PLAIN.fullmatch(source) or not (PLAIN.fullmatch(destination) or "$" in destination):
        return f"the path `{source}` needs quoting"
    other = next((flag.name for flag in instruction.flags if flag.name not in ("chown", "chmod")), None)
    if other is not None:
        return f"`--{other}` of the COPY is not followed"
    flags = "".join(flag.raw + " " for flag in instruction.flags)
    return source, destination, flags


def ignored_outputs(build: Build, install: Install, copies: Sequence[ContextCopy]) -> tuple[Edit, ...] | str:
    """Return the edit of the ignore file that keeps what an install makes from being overwritten by a later COPY.

    Nothing where the ignore rules do so already; a str says why it cannot be done.
    """
    missing: list[str] = []
    for path in install.outputs:
        for op in (op for copy in copies for op in copy.ops):
            if op.kind != "overlay" or op.source is None or op.source.pattern is not None or not below(path, op.path):
                continue
            rel = f"{op.source.path}/{relative(path, op.path)}".strip("/")
            if not rel:
                return f"the sources are copied to `{path}` itself, which it makes"
            if not build.context.excluded(rel):
                missing.append(rel)
    if not missing:
        return ()
    edit = ignore_entries(build, missing)
    return f"`{missing[0]}` of the build context would be copied over what it installs" if edit is None else (edit,)
