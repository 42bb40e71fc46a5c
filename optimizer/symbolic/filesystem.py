"""The file system of a stage as a normalized log of writes over a base.

A `FileSystem` is immutable. It is a base term and a sequence of writes in which (a) a write that a later one hides
completely is dropped and (b) writes to disjoint regions may stand in any order. `read` brings what can affect a region into
one canonical order and returns its digest: equal digests mean equal content. The reverse need not hold; then a proof fails.

Context trees answer questions (`kind`, `resolve`) through a `ContextView`, which records what it was asked as frozen inputs.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from dockopt.optimizer.regions import EVERYTHING, Region, below, join, parents, relative
from dockopt.optimizer.symbolic.terms import Term, term


class ContextView(Protocol):
    """What the symbolic image may ask about the build context; each answer is a frozen input of the proof."""

    def kind(self, rel: str) -> str:
        """Return "file", "directory", "absent" or "other" for what COPY would find (ignored files are absent)."""

    def excluded(self, rel: str) -> bool:
        """Tell whether the ignore rules keep a path and all that may lie below it out of every build."""

    def glob(self, pattern: str) -> tuple[str, ...] | None:
        """Return what a COPY source with wildcards would select, None where that cannot be told."""

    @property
    def newly_ignored(self) -> tuple[str, ...]:
        """Paths that the ignore file in hand keeps out and the one that it is compared with does not."""


class ContextSource(NamedTuple):
    """Which part of the context a write came from, so that later questions about single files can be answered."""

    path: str  # the file or directory that was copied, "" for the context root
    attributes: str  # --chown and --chmod as they apply
    pattern: str | None = None  # a wildcard that names of direct children of `path` have to match


class Op(NamedTuple):
    """One write of the log."""

    #: "put" replaces the region by its value (for a MAY write the value holds the old one), "overlay" merges a directory
    #: into it, "kill" removes it, "dir" makes the directory if it is missing, "dir-set" also resets its mode and owner
    kind: str
    region: Region
    value: Term
    line: int = 0
    #: what wrote it, for explanations: a command or instruction in backquotes, or words; "" for what is not worth telling
    writer: str = ""
    source: ContextSource | None = None
    #: a put that surely is one regular file
    is_file: bool = False
    #: an earlier copy put the very same file there
    again: bool = False
    #: the command made sure that the context has no such file; that it is absent is a frozen input
    is_new: bool = False
    #: a command of a RUN wrote it before anything was copied into the stage or its parents
    is_early: bool = False
    #: what a tool added to a cache of its own
    by_owner: bool = False

    @property
    def path(self) -> str:
        """The first path of the region (the only one for overlays, directories and files)."""
        return self.region.include[0]

    @property
    def label(self) -> str:
        """What wrote it, with its line if it stands in the file."""
        return f"line {self.line} {self.writer}" if self.writer.startswith("`") else self.writer


@dataclass(frozen=True, slots=True)
class FileSystem:
    """An immutable symbolic file system; every change returns a new one."""

    base: Term
    context: ContextView
    ops: tuple[Op, ...] = ()
    #: directories that surely exist (outside what the log tells)
    known_directories: frozenset[str] = frozenset({"/"})
    #: True for `scratch`: a path that the log does not mention is absent
    empty_base: bool = False
    #: directories of the base whose entries are all in `known_directories`
    complete_directories: frozenset[str] = frozenset()
    #: paths that the base surely has not
    absent_paths: frozenset[str] = frozenset()

    # -- questions -------------------------------------------------------------------------------------------------

    def kind(self, path: str) -> str:
        """Return "file", "directory", "absent" or "unknown" for an absolute path."""
        answer = self._kind(path)
        if answer == "absent" and any(
            op.kind == "put" and any(below(include, path) for include in op.region.include) for op in self.ops
        ):
            # a command may have made something below it, and the directory with it
            return "unknown"
        return answer

    def _kind(self, path: str) -> str:
        region = Region((path,))
        for op in reversed(self.ops):
            if op.kind in ("dir", "dir-set"):
                if below(op.path, path):
                    return "directory"
            elif op.kind == "kill":
                if op.region.covers(region):
                    return "absent"
            elif op.kind == "overlay" and (answer := self.overlay_kind(op, path)) is not None:
                return answer
            elif op.kind == "put" and op.region.overlaps(region):
                if op.region.include == (path,):
                    return "file" if op.is_file else "unknown"
                if not op.region.holds(path):
                    # something below it was written, or may have been: that alone does not say that it was there
                    if op.is_file and below(op.path, path):
                        return "directory"
                    continue
                # a write leaves the holes of its region alone: what holds a directory that is there is one itself
                if any(
                    hole != path and below(hole, path) and self._kind(hole) == "directory" for hole in op.region.exclude
                ):
                    return "directory"
                return "unknown"
        if path in self.known_directories:
            return "directory"
        return "absent" if self.empty_base or self._surely_not_in_base(path) else "unknown"

    def _surely_not_in_base(self, path: str) -> bool:
        """Tell whether a complete directory of the base lacks the entry that leads to `path`."""
        from dockopt.optimizer.bases import UNCERTAIN

        if path in self.absent_paths:
            return True
        for step in (*parents(path), path):
            if step in self.known_directories or step in self.complete_directories:
                continue  # there or not: what may be in it is known
            return (step.rpartition("/")[0] or "/") in self.complete_directories and step not in UNCERTAIN
        return False

    def overlay_kind(self, op: Op, path: str) -> str | None:
        """Return what one overlay says of a path, None if it leaves the path as it was."""
        if below(op.path, path):
            return "directory"
        if not op.region.overlaps(Region((path,))):
            return None
        found = self.lookup(op, path)
        if found is None:
            return "unknown"
        return None if found == "absent" else "unknown" if found == "other" else found

    def lookup(self, op: Op, path: str) -> str | None:
        """Ask the context what an overlay puts at a path below it; None when the overlay is not of the context."""
        if op.source is None:
            return None
        rel = relative(path, op.path)
        if op.source.pattern is not None:
            # a wildcard copies the *contents* of matching directories, so only plain files can be looked up
            from fnmatch import fnmatchcase

            if "/" in rel or not fnmatchcase(rel, op.source.pattern):
                return None
            found = self.context.kind(f"{op.source.path}/{rel}".strip("/"))
            return found if found == "file" else None
        return self.context.kind(f"{op.source.path}/{rel}".strip("/"))

    def context_file(self, path: str) -> tuple[str, str] | None:
        """Return (context path, attributes) of the context file that surely lies at `path`, else None."""
        target = Region((path,))
        for op in reversed(self.ops):
            if not op.region.overlaps(target) or op.kind in ("dir", "dir-set"):
                continue
            if op.source is None or op.kind not in ("put", "overlay"):
                return None
            if op.kind == "put":
                return (op.source.path, op.source.attributes) if op.region.include == (path,) else None
            found = self.lookup(op, path)
            if found == "file":
                return f"{op.source.path}/{relative(path, op.path)}".strip("/"), op.source.attributes
            if found != "absent":
                return None
        return None

    def last_writer(self, path: str) -> Op | None:
        """Return the last write that may have made or changed a path, for explanations."""
        target = Region((path,))
        return next(
            (op for op in reversed(self.ops) if op.writer and op.kind == "put" and op.region.overlaps(target)), None
        )

    def resolve(self, path: str) -> Term:
        """Return the value at one path (a file, a tree or its absence)."""
        target = Region((path,))
        found = self.context_file(path)
        if found is not None:
            return context_file_term(*found)
        for op in reversed(self.ops):
            if not self.reaches(op, target):
                continue
            if op.kind == "overlay" and self.lookup(op, path) == "absent":
                continue
            if op.kind in ("dir", "dir-set") and op.path != path and below(path, op.path):
                continue  # it makes the directory and says nothing of what is in it
            if op.kind == "put" and len(op.region.include) == 1 and op.region.covers(target):
                if op.path == path:
                    return op.value
                return term("below", op.value, relative(path, op.path), text=f"{path} of {op.value}")
            if op.kind == "kill" and op.region.covers(target):
                return term("absent")
            return self.read(target)
        if self.empty_base:
            return term("absent")
        return term("base-path", self.base, path, text=f"{path} of {self.base}")

    def read(self, region: Region) -> Term:
        """Return the value of everything in a region."""
        ops = [op for op in self.affecting(region) if not op.again]
        parts: list[str | Term] = []
        for at, op in enumerate(ops):
            parts += (op.kind, str(op.region), op.value)
            if op.kind == "overlay" and op.source is not None:
                parts += [f"without {hole}" for hole in self._holes(op, ops, at, region)]
        return term("read", self.base, *parts, text=f"what lies in {region}")

    def entries(self, path: str) -> Term:
        """Return the value of all that lies below a directory, whatever its own mode and owner.

        A part of the context counts as that part, however much of the context was copied with it: `COPY . /app` and
        `COPY lib /app/lib` bring the same entries to /app/lib.
        """
        parts: list[str | Term] = []
        for op in self.affecting(Region((path,))):
            if op.again or (op.kind in ("dir", "dir-set") and below(path, op.path)):
                continue
            if op.kind in ("put", "kill") and op.region.covers(Region((path,))):
                parts.clear()
            narrowed = self._narrowed(op, path)
            parts += (narrowed.kind, str(narrowed.region), narrowed.value)
        return term("entries", self.base, path, *parts, text=f"entries of {path}")

    def brought(self, path: str) -> Term | None:
        """Return the value of what others than its owner put into a cache, None if nobody did.

        The owner makes a missing entry again only where it can: what `COPY` brings to Maven's local repository may be nowhere else.
        """
        parts: list[str | Term] = []
        for op in self.affecting(Region((path,))):
            if not (op.again or op.by_owner or op.kind in ("dir", "dir-set")):
                parts += (op.kind, str(op.region), op.value)
        return term("brought", path, *parts, text=f"what was put into {path}") if parts else None

    def _narrowed(self, op: Op, path: str) -> Op:
        """Return an overlay of the context as the overlay of that part of it which comes to lie at a path below it."""
        if op.kind != "overlay" or op.source is None or op.source.pattern is not None or op.path == path:
            return op
        if not below(path, op.path):
            return op
        rel = f"{op.source.path}/{relative(path, op.path)}".strip("/")
        if self.context.kind(rel) != "directory":
            return op
        value = term("context-tree", rel, op.source.attributes, text=f"context directory {rel}")
        return op._replace(region=Region((path,)), value=value, source=op.source._replace(path=rel))

    def affecting(self, region: Region) -> tuple[Op, ...]:
        """Return the writes that can affect a region, in canonical order."""
        return _canonical_order([op for op in self.ops if self.reaches(op, region)], self._conflict)

    def reaches(self, op: Op, region: Region) -> bool:
        """Tell whether a write may change something in a region."""
        return op.region.overlaps(region) and not self._misses(op, region)

    def _conflict(self, a: Op, b: Op) -> bool:
        """Tell whether it may matter which of two writes comes first."""
        if not a.region.overlaps(b.region):
            return False
        return not self._misses(a, b.region, new=b.is_new) and not self._misses(b, a.region, new=a.is_new)

    def _misses(self, op: Op, region: Region, *, new: bool = False) -> bool:
        """Tell whether an overlay surely brings nothing into a region: the ignore rules keep that part out of any context.

        With `new` the region is a file that a command made because the context has none.
        """
        if op.kind != "overlay" or op.source is None or op.source.pattern is not None:
            return False
        return all(
            path != op.path and below(path, op.path) and self._is_kept_out(op, path, new=new) for path in region.include
        )

    def _is_kept_out(self, op: Op, path: str, *, new: bool = False) -> bool:
        """Tell whether an overlay of the context surely brings nothing to a path below it."""
        assert op.source is not None
        if new and self.context.kind(f"{op.source.path}/{relative(path, op.path)}") == "absent":
            return True
        inside = op.source.path
        for name in relative(path, op.path).split("/"):
            inside = f"{inside}/{name}".lstrip("/")
            if self.context.excluded(inside):
                return True
            # above what is kept out there have to be plain directories, or nothing at all: a link would lead elsewhere
            kind = self.context.kind(inside)
            if kind != "directory":
                whole = f"{op.source.path}/{relative(path, op.path)}".strip("/")
                return kind == "absent" and self.context.excluded(whole)
        return False

    def _holes(self, op: Op, ops: Sequence[Op], at: int, region: Region) -> list[str]:
        """Return the paths below an overlay of the context that do not show what it brought there.

        Either the ignore rules keep them out, or a later write covers them. Two overlays that differ only in such paths are
        the same. Only paths that other writes cover, and those that one of two compared ignore files keeps out, are asked for.
        """
        assert op.source is not None
        holes: set[str] = set()
        for position, other in enumerate(ops):
            if other.kind in ("put", "kill") and not other.region.exclude:
                for path in other.region.include:
                    strictly = path != op.path and below(path, op.path)
                    if strictly and (position > at or self._is_kept_out(op, path, new=other.is_new)):
                        holes.add(path)
        for rel in self.context.newly_ignored:
            if below("/" + rel, "/" + op.source.path):
                path = join(op.path, relative("/" + rel, "/" + op.source.path) or ".")
                if Region((path,)).overlaps(region):
                    holes.add(path)
        return sorted(hole for hole in holes if not any(hole != other and below(hole, other) for other in holes))

    # -- changes ---------------------------------------------------------------------------------------------------

    def make_directories(
        self, path: str, attributes: Term, line: int, *, leaf: bool = True, is_new: bool = False
    ) -> FileSystem:
        """Make `path` (with `leaf`) and its missing parents, as WORKDIR, COPY and `mkdir -p` do.

        With `is_new` the context has none of those that are missing, or the proof fails.
        """
        state = self
        for directory in (*parents(path), *((path,) if leaf and path != "/" else ())):
            if state.kind(directory) != "directory":
                state = state._append(Op("dir", Region((directory,)), attributes, line, is_new=is_new))
        return state

    def set_directories(self, path: str, attributes: Term, line: int) -> FileSystem:
        """Make `path` and its parents with the given mode and owner even where they exist, as `COPY --link` does."""
        state = self
        for directory in (*parents(path), path):
            if directory != "/":
                state = state._append(Op("dir-set", Region((directory,)), attributes, line))
        return state

    def put(
        self,
        region: Region,
        value: Term,
        line: int,
        writer: str,
        *,
        source: ContextSource | None = None,
        is_file: bool = False,
        is_new: bool = False,
        by_run: bool = False,
        by_owner: bool = False,
    ) -> FileSystem:
        """Replace a region by a value."""
        same = None if source is None or not is_file else (source.path, source.attributes)
        again = same is not None and self.context_file(region.include[0]) == same
        # a write to everything hides the copies before it from the log, but itself says that there were some
        is_early = by_run and all(op.is_early for op in self.ops if op.kind in ("put", "overlay"))
        return self._append(Op("put", region, value, line, writer, source, is_file, again, is_new, is_early, by_owner))

    def overlay(
        self, path: str, value: Term, line: int, writer: str, source: ContextSource | None = None
    ) -> FileSystem:
        """Merge a directory's entries into `path`, as COPY of a directory does."""
        return self._append(Op("overlay", Region((path,)), value, line, writer, source))

    def kill(self, region: Region, line: int, writer: str) -> FileSystem:
        """Remove a region."""
        return self._append(Op("kill", region, term("absent"), line, writer))

    def _append(self, op: Op) -> FileSystem:
        # a write that repeats one is left out of digests, so the first one has to stay
        ops = (*[old for old in self.ops if op.again or not self._hides(op, old)], op)
        return self.with_ops(ops)

    def with_ops(self, ops: tuple[Op, ...]) -> FileSystem:
        """Return other writes over the same base."""
        # `dataclasses.replace` costs more than the rest of a change
        return FileSystem(
            self.base,
            self.context,
            ops,
            self.known_directories,
            self.empty_base,
            self.complete_directories,
            self.absent_paths,
        )

    def _hides(self, new: Op, old: Op) -> bool:
        """Tell whether nothing of `old` can be seen once `new` is applied."""
        if new.kind in ("put", "kill"):
            return new.region.covers(old.region)
        if new.kind != "overlay" or new.source is None or new.source.pattern is not None:
            return False
        if (
            len(old.region.include) != 1
            or not below(old.path, new.path)
            or (old.path == new.path and old.kind != "overlay")
        ):
            return False
        rel = f"{new.source.path}/{relative(old.path, new.path)}".strip("/")
        if old.kind == "dir":
            # an existing nested directory takes mode and owner of the copied one (built on Docker 26, reference §1.11)
            return old.path != new.path and self.context.kind(rel) == "directory"
        if old.kind == "put" and (old.is_file or old.source is not None):
            return self.context.kind(rel) == "file"
        if old.kind == "overlay" and old.source is not None and old.source.pattern is None:
            # the same part of the context comes again at the same place: every entry is written anew
            return old.source.path == rel
        return False


class _NoContext:
    """A context of which nothing is known."""

    newly_ignored: tuple[str, ...] = ()

    def kind(self, rel: str) -> str:  # noqa: ARG002
        return "other"

    def excluded(self, rel: str) -> bool:  # noqa: ARG002
        return False

    def glob(self, pattern: str) -> None:  # noqa: ARG002
        return None


#: in the place of files that are kept elsewhere
NO_FILES = FileSystem(term("nothing"), _NoContext())


def context_file_term(path: str, attributes: str) -> Term:
    """Return the value of a file copied from the context: its content and mode, and the owner it was given."""
    return term("context-file", path, attributes, text=f"context file {path}")


def _canonical_order(ops: list[Op], conflict: Callable[[Op, Op], bool]) -> tuple[Op, ...]:
    """Return the lexicographically least order that keeps conflicting writes as they are (normal form of a trace)."""
    waiting = [0] * len(ops)  # how many earlier, overlapping writes each one still waits for
    followers: list[list[int]] = [[] for _ in ops]
    for i, op in enumerate(ops):
        for j in range(i):
            if conflict(ops[j], op):
                waiting[i] += 1
                followers[j].append(i)
    free = [(_order_key(op), i) for i, op in enumerate(ops) if not waiting[i]]
    heapq.heapify(free)
    ordered: list[Op] = []
    while free:
        _, i = heapq.heappop(free)
        ordered.append(ops[i])
        for j in followers[i]:
            waiting[j] -= 1
            if not waiting[j]:
                heapq.heappush(free, (_order_key(ops[j]), j))
    return tuple(ordered)


def _order_key(op: Op) -> tuple[str, Region, str]:
    return op.kind, op.region, op.value.digest


def differing(a: FileSystem, b: FileSystem, region: Region = EVERYTHING) -> Iterable[tuple[Op | None, Op | None]]:
    """Yield pairs of writes in which two file systems differ, for explanations."""
    left = {(op.kind, op.region, op.value.digest): op for op in a.affecting(region) if not op.again}
    right = {(op.kind, op.region, op.value.digest): op for op in b.affecting(region) if not op.again}
    only_left = [op for key, op in left.items() if key not in right]
    only_right = [op for key, op in right.items() if key not in left]
    for op in only_left:
        twin = next((o for o in only_right if o.region == op.region), None)
        if twin is not None:
            only_right.remove(twin)
        yield op, twin
    for op in only_right:
        yield None, op


def destination(dest: str, cwd: str) -> str:
    """Return the absolute path of a COPY destination; the caller looks at its trailing slash."""
    return join(cwd, dest)
