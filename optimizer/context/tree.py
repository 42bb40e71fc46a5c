"""A lazy view of one context directory as the builder would send it.

Sources: fsutil `filter.go` and `followlinks.go` (what the client sends), `copy/copy.go` (how COPY finds its sources),
BuildKit `frontend/dockerui/config.go` (which ignore file counts).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple

from dockopt.optimizer.context import gopath
from dockopt.optimizer.context.disk import WHOLE, Disk
from dockopt.optimizer.context.ignore import IgnoreFileError, IgnoreRules
from dockopt.optimizer.inputs import refusal

#: default size limit of `BuildContext.read`, bytes
READ_LIMIT = 4 * 1024 * 1024
#: BuildKit refuses larger ignore files, bytes (dockerui/readfile.go maxFileSize)
_IGNORE_FILE_LIMIT = 16 * 1024 * 1024
#: containerd's fs.RootPath gives up behind this many links
_MAX_LINKS = 255
#: how many entries of an ignored directory are looked at to find one that is re-included
_READMIT_SEARCH = 2000


class Kind(Enum):
    """What stands at a path of the context."""

    FILE = auto()
    DIR = auto()
    SYMLINK = auto()
    OTHER = auto()  #: a device, socket or pipe; or it cannot be told: no permission, a link out of the context
    ABSENT = auto()
    IGNORED = auto()  #: on disk, but left out by the ignore rules


class ContextError(Exception):
    """Something in the context cannot be read."""

    def __init__(self, message: str, path: str) -> None:
        """Say what is wrong with a context-relative path."""
        super().__init__(message)
        self.message = message
        self.path = path


class ContextTooLarge(ContextError):  # named as what a caller branches on
    """A walk found more entries than the caller allows."""


class _Place(NamedTuple):
    """Where a path leads after following links."""

    path: str  # context-relative, without links up to the last component
    kind: Kind  # on disk
    through: tuple[str, ...] = ()  # links that were followed
    problem: str = ""  # why it is OTHER or ABSENT


class BuildContext:
    """One context directory behind its ignore rules. Nothing is looked at before somebody asks for it.

    Paths are relative to the root, with `/`, without a leading one; "" and "." are the root and `..` stops there, as in
    COPY. Answers about directories are kept: the tree is taken not to change while a context is in use.
    """

    root: Path
    dockerfile: Path | None
    ignore: IgnoreRules

    def __init__(
        self,
        root: Path,
        dockerfile: Path | None = None,
        ignore: IgnoreRules | None = None,
        disk: Disk = WHOLE,
    ) -> None:
        """Open a directory; without `ignore` the ignore file that the builder would use is read.

        Raises ContextError if the root is no directory, IgnoreFileError if the build would fail on the ignore file.
        """
        self.root = Path(root).absolute()
        self.dockerfile = dockerfile
        self.disk = disk
        self._base = os.fspath(self.root)
        self._directories: dict[str, _Place] = {"": _Place("", Kind.DIR)}
        self._names: dict[str, tuple[str, ...]] = {}
        self._readmits: dict[str, bool] = {}
        try:
            status = self.root.stat()
        except FileNotFoundError:
            raise ContextError(f"the build context `{root}` is not a directory", "") from None
        except (OSError, ValueError) as error:
            why = refusal(error) if isinstance(error, OSError) else "no file has such a name"
            raise ContextError(f"the build context `{root}` cannot be looked at: {why}", "") from error
        if not stat.S_ISDIR(status.st_mode):
            raise ContextError(f"the build context `{root}` is not a directory", "")
        self.ignore = self._load_ignore() if ignore is None else ignore

    def kind(self, rel: str) -> Kind:
        """Return what COPY sees at a path; the last component is not followed if it is a link.

        An ignored directory is DIR where something below it is re-included, since it is then sent with that.
        """
        place = self._locate(_normal(rel), follow_last=False)
        return self._visible(place)

    def kind_on_disk(self, rel: str) -> Kind:
        """Return what is on disk, whatever the ignore rules say; never IGNORED."""
        return self._locate(_normal(rel), follow_last=False).kind

    def resolve(self, rel: str) -> str | None:
        """Follow links, also in the last component, and return the path that they lead to.

        A missing end is kept: the path may be absent. None if a link is absolute, leaves the context or runs in a
        circle. (BuildKit reads an absolute link relative to the context root, where it nearly always finds nothing.)
        """
        place = self._locate(_normal(rel), follow_last=True)
        return None if place.problem and place.kind is Kind.OTHER else place.path

    def read(self, rel: str, limit: int = READ_LIMIT, *, allow_ignored: bool = False) -> bytes:
        """Return the bytes of a regular file of at most `limit` bytes; links inside the context are followed.

        Raises ContextError if it is absent, ignored (unless allowed), too large, unreadable, not a regular file, or
        outside the context.
        """
        rel = _normal(rel)
        place = self._locate(rel, follow_last=True)
        kind = place.kind if allow_ignored else self._visible(place)
        if kind is Kind.ABSENT:
            raise ContextError(f"`{rel}` is not in the build context", rel)
        if kind is Kind.IGNORED:
            raise ContextError(f"`{rel}` is left out of the build context by `{self.ignore.path}`", rel)
        if kind is not Kind.FILE:
            raise ContextError(f"`{rel}` cannot be read: {place.problem or 'it is not a regular file'}", rel)
        try:
            return self._read_regular(place.path, rel, limit)
        except OSError as error:
            raise ContextError(f"`{rel}` cannot be read: {refusal(error)}", rel) from error

    def read_on_disk(self, rel: str) -> bytes:
        """Return the bytes of a regular file of the directory, whatever the ignore rules say. Raises ContextError."""
        return self.read(rel, allow_ignored=True)

    def names_on_disk(self, rel: str) -> tuple[str, ...]:
        """Return the sorted names in a directory, whatever the ignore rules say. Raises ContextError."""
        place = self._locate(_normal(rel), follow_last=True)
        if place.kind is not Kind.DIR:
            raise ContextError(f"`{rel}` is not a directory", rel)
        return tuple(name for name, _ in self._scan(place.path))

    def entries(self, rel: str) -> tuple[str, ...]:
        """Return the sorted names in a directory after the ignore rules; links to directories are followed.

        Raises ContextError if it is no directory or cannot be listed.
        """
        rel = _normal(rel)
        place = self._locate(rel, follow_last=True)
        kind = self._visible(place)
        if kind is not Kind.DIR:
            why = {Kind.ABSENT: "it is not in the build context", Kind.IGNORED: "it is ignored"}.get(
                kind, place.problem
            )
            raise ContextError(f"`{rel}` cannot be listed: {why or 'it is not a directory'}", rel)
        if place.path not in self._names:
            self._names[place.path] = tuple(
                name
                for name, kind in self._scan(place.path)
                if not self._left_out(_join(place.path, name), is_directory=kind is Kind.DIR)
            )
        return self._names[place.path]

    def walk(self, rel: str, *, limit: int) -> Iterator[str]:
        """Yield the files and links below a directory (or the file itself) after the ignore rules, sorted by directory.

        Links to directories are yielded, not entered. At most `limit` entries are looked at, those that are ignored
        included. Raises ContextTooLarge behind that, ContextError if a directory cannot be listed.
        """
        rel = _normal(rel)
        place = self._locate(rel, follow_last=True)
        kind = self._visible(place)
        if kind in (Kind.FILE, Kind.SYMLINK):
            yield place.path
            return
        if kind is not Kind.DIR:
            raise ContextError(f"`{rel}` is not a directory of the build context", rel)
        left = limit
        stack: list[tuple[str, frozenset[tuple[int, int]]]] = [(place.path, frozenset())]
        while stack:
            directory, above = stack.pop()
            identity = self._identity(directory)
            if identity in above:
                continue  # a bind mount of a parent
            below: list[str] = []
            for name, found in self._scan(directory):
                left -= 1
                if left < 0:
                    raise ContextTooLarge(f"`{rel or '.'}` has more than {limit} entries", rel)
                path = _join(directory, name)
                ignored = self.ignore.ignored(path)
                if found is Kind.DIR:
                    if not ignored or self.ignore.may_readmit_below(path):
                        below.append(path)
                elif not ignored and found in (Kind.FILE, Kind.SYMLINK):
                    yield path
            stack.extend((path, above | {identity}) for path in reversed(below))

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return what a COPY source with wildcards selects, in BuildKit's order; a directory stands for all below it.

        `filepath.Match` per component; links before the first wildcard are followed, later ones are not entered.
        A source without wildcards selects itself if it is there. A malformed pattern selects nothing.
        Raises ContextError if a directory cannot be listed.
        """
        parts = [part for part in _normal(pattern).split("/") if part]
        first = next((index for index, part in enumerate(parts) if gopath.has_wildcard(part)), len(parts))
        start = "/".join(parts[:first])
        wild = parts[first:]
        if not wild:
            return (start,) if self.kind(start) not in (Kind.ABSENT, Kind.IGNORED) else ()
        place = self._locate(start, follow_last=True)
        if self._visible(place) is not Kind.DIR:
            return ()
        found = [place.path]
        for depth, component in enumerate(wild):
            deeper: list[str] = []
            for directory in found:
                if depth and self.kind(directory) is not Kind.DIR:
                    continue
                deeper += [_join(directory, name) for name in self.entries(directory) if _matches(component, name)]
            found = deeper
        return tuple(found)

    def excluded(self, rel: str) -> bool:
        """Tell whether the ignore rules keep a path and all that may lie below it out, whatever is on disk."""
        rel = _normal(rel)
        return rel != "" and self.ignore.ignored(rel) and not self.ignore.may_readmit_below(rel)

    def may_be_missing(self, rel: str) -> bool:
        """Tell whether a path is ignored by git: a clone of the project may not have it."""
        from dockopt.optimizer.context.git import is_ignored

        return is_ignored(self.root, _normal(rel), self.disk)

    def permissions(self, rel: str) -> int | None:
        """Return the permission bits of a file or directory that COPY would find, None where there is none."""
        place = self._locate(_normal(rel), follow_last=False)
        if self._visible(place) not in (Kind.FILE, Kind.DIR):
            return None
        try:
            return stat.S_IMODE(os.lstat(self._at(place.path)).st_mode)
        except OSError:
            return None

    def asked_for(self, rel: str) -> bool:
        """Tell whether an exception of the ignore file asks for a path."""
        rule = self.ignore.rule_for(_normal(rel))
        return rule is not None and rule.negated

    @property
    def ignore_file(self) -> tuple[str, bytes]:
        """The ignore file that counts: its path in the context, and its bytes (empty where there is none yet)."""
        return self.ignore.path or ".dockerignore", self.ignore.source

    def with_ignore(self, text: bytes) -> tuple[BuildContext, tuple[str, ...]]:
        """Return the context with another ignore file, and the paths that this one keeps out in addition.

        Raises ContextError where the new rules do more than to add literal paths, IgnoreFileError is one of its causes.
        """
        name = self.ignore_file[0]
        if name.startswith("../"):
            raise ContextError(f"the ignore file `{name}` lies outside of the build context", name)
        try:
            rules = IgnoreRules.parse(text, name)
        except IgnoreFileError as error:
            raise ContextError(error.message, name) from error
        added = rules.added_to(self.ignore)
        if added is None:
            raise ContextError(f"`{name}` would do more than to keep out a few paths", name)
        return BuildContext(self.root, self.dockerfile, rules, self.disk), added

    def _load_ignore(self) -> IgnoreRules:
        if self.dockerfile is not None:
            own = Path(f"{self.dockerfile}.dockerignore")
            if _is_ignore_file(own):
                name = Path(os.path.relpath(own, self.root)).as_posix()
                if not self.disk.holds(own):
                    raise IgnoreFileError("leads out of the directory that may be looked at", name, None)
                edited = self.disk.text(os.path.abspath(own))  # noqa: PTH100  # links stay
                if edited is not None:
                    return _parse_ignore(edited, name)
                try:
                    with own.open("rb") as stream:
                        source = stream.read(_IGNORE_FILE_LIMIT + 1)
                except OSError as error:
                    raise IgnoreFileError(f"cannot be read: {refusal(error)}", name, None) from error
                return _parse_ignore(source, name)
        place = self._locate(".dockerignore", follow_last=True)
        if place.kind is Kind.OTHER and place.problem and not place.through:
            raise IgnoreFileError(f"cannot be read: {place.problem}", ".dockerignore", None)
        if place.kind is not Kind.FILE:
            return IgnoreRules.none()
        try:
            source = self._read_regular(place.path, ".dockerignore", _IGNORE_FILE_LIMIT)
        except OSError as error:
            raise IgnoreFileError(f"cannot be read: {refusal(error)}", ".dockerignore", None) from error
        return _parse_ignore(source, ".dockerignore")

    def _locate(self, rel: str, *, follow_last: bool) -> _Place:
        """Follow the links on the way to a path without ever touching anything outside the root."""
        if rel == "":
            return self._directories[""]
        head, _, name = rel.rpartition("/")
        return self._in(self._directory(head), name, follow_last=follow_last)

    def _in(self, parent: _Place, name: str, *, follow_last: bool) -> _Place:
        if parent.kind is not Kind.DIR:
            kind = Kind.OTHER if parent.kind is Kind.OTHER and parent.problem else Kind.ABSENT
            return _Place(_join(parent.path, name), kind, parent.through, parent.problem)
        return self._follow(parent, [name], follow_last=follow_last)

    def _directory(self, rel: str) -> _Place:
        known = self._directories.get(rel)
        if known is not None:
            return known
        # from the top down, one after the other: a path has more components than calls can be nested
        place = self._directories[""]
        for end in (index for index, char in enumerate(f"{rel}/") if char == "/"):
            above, part = place, rel[:end]
            place = self._directories.get(part) or self._in(above, part.rpartition("/")[2], follow_last=True)
            if place.kind is not Kind.ABSENT:
                self._directories[part] = place
        return place

    def _follow(self, start: _Place, names: list[str], *, follow_last: bool) -> _Place:
        current = start.path
        through = start.through
        todo = names[::-1]
        kind = Kind.DIR
        while todo:
            name = todo.pop()
            if kind is not Kind.DIR:
                return _Place("/".join([current, name, *todo[::-1]]), Kind.ABSENT, through)
            path = _join(current, name)
            kind, problem = self._lstat(path)
            if kind is Kind.OTHER and problem:
                return _Place(path, kind, through, problem)
            if kind is Kind.ABSENT:
                return _Place("/".join([path, *todo[::-1]]), kind, through)
            if kind is Kind.SYMLINK and (todo or follow_last):
                through = (*through, path)
                if len(through) > _MAX_LINKS:
                    return _Place(path, Kind.OTHER, through, "its links run in a circle")
                target = self._target(path, current)
                if target is None:
                    return _Place(path, Kind.OTHER, through, f"the link `{path}` leads out of the build context")
                todo += [part for part in target.split("/") if part][::-1]
                current, kind = "", Kind.DIR
                continue
            current = path
        return _Place(current, kind, through)

    def _target(self, link: str, directory: str) -> str | None:
        """Return where a link leads, relative to the root; cleaned before it is followed, as `FollowLinks` does."""
        try:
            text = str(Path(self._at(link)).readlink())
        except OSError:
            return None
        if not text or text.startswith("/"):
            return None
        target = gopath.clean(f"{directory}/{text}" if directory else text)
        return None if target == ".." or target.startswith("../") else "" if target == "." else target

    def _visible(self, place: _Place) -> Kind:
        """Apply the ignore rules to a place on disk: links on the way must be sent too."""
        if place.kind is Kind.ABSENT or place.path == "":
            return place.kind
        if any(self.ignore.ignored(link) for link in place.through):
            return Kind.IGNORED
        if place.kind is Kind.OTHER and place.problem:
            return place.kind
        left_out = self._left_out(place.path, is_directory=place.kind is Kind.DIR)
        return Kind.IGNORED if left_out else place.kind

    def _left_out(self, path: str, *, is_directory: bool) -> bool:
        if not self.ignore.ignored(path):
            return False
        if not is_directory or not self.ignore.may_readmit_below(path):
            return True
        if path not in self._readmits:
            try:
                self._readmits[path] = next(self._readmitted(path), None) is not None
            except ContextError:
                self._readmits[path] = True  # too large to tell; sent is the answer that promises less
        return not self._readmits[path]

    def _readmitted(self, top: str) -> Iterator[str]:
        """Yield what is re-included below an ignored directory. Raises ContextError behind a bounded search."""
        left = _READMIT_SEARCH
        stack = [top]
        while stack:
            directory = stack.pop()
            for name, kind in self._scan(directory):
                left -= 1
                if left < 0:
                    raise ContextTooLarge(f"`{top}` is too large to search", top)
                path = _join(directory, name)
                if not self.ignore.ignored(path):
                    yield path
                elif kind is Kind.DIR and self.ignore.may_readmit_below(path):
                    stack.append(path)

    def _scan(self, rel: str) -> list[tuple[str, Kind]]:
        try:
            with os.scandir(self._at(rel)) as found:
                return sorted(((entry.name, _entry_kind(entry)) for entry in found), key=lambda item: item[0])
        except OSError as error:
            raise ContextError(f"`{rel or '.'}` cannot be listed: {refusal(error)}", rel) from error

    def _lstat(self, rel: str) -> tuple[Kind, str]:
        try:
            mode = os.lstat(self._at(rel)).st_mode
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return Kind.ABSENT, ""
        except OSError as error:
            return Kind.OTHER, refusal(error)
        if stat.S_ISREG(mode):
            return Kind.FILE, ""
        if stat.S_ISDIR(mode):
            return Kind.DIR, ""
        return (Kind.SYMLINK if stat.S_ISLNK(mode) else Kind.OTHER), ""

    def _identity(self, rel: str) -> tuple[int, int]:
        try:
            found = os.lstat(self._at(rel))
        except OSError as error:
            raise ContextError(f"`{rel or '.'}` cannot be listed: {refusal(error)}", rel) from error
        return found.st_dev, found.st_ino

    def _read_regular(self, real: str, shown: str, limit: int) -> bytes:
        """Read a file whose links are resolved. Raises ContextError, OSError."""
        edited = self.disk.text(self._at(real))
        if edited is not None and len(edited) <= limit:
            return edited
        # without O_NONBLOCK a pipe that took the file's place would block, without O_NOFOLLOW a link would lead out
        descriptor = os.open(self._at(real), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ContextError(f"`{shown}` cannot be read: it is not a regular file", shown)
            data = stream.read(limit + 1) if found.st_size <= limit else b""
        if len(data) > limit or found.st_size > limit:
            raise ContextError(f"`{shown}` is larger than {limit} bytes", shown)
        return data

    def _at(self, rel: str) -> str:
        return f"{self._base}/{rel}" if rel else self._base


def _normal(rel: str) -> str:
    """Clean a path as BuildKit cleans a COPY source: `..` stops at the root."""
    return gopath.clean(f"/{rel}").strip("/")


def _join(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name


def _matches(pattern: str, name: str) -> bool:
    try:
        return gopath.match(pattern, name)
    except gopath.BadPatternError:
        return False


def _is_ignore_file(path: Path) -> bool:
    """Tell whether there is an ignore file. Raises IgnoreFileError where that cannot be told."""
    try:
        return path.is_file()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False  # no file can have that name
        raise IgnoreFileError(f"cannot be looked at: {refusal(error)}", path.name, None) from error


def _entry_kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        return Kind.SYMLINK
    if entry.is_dir(follow_symlinks=False):
        return Kind.DIR
    return Kind.FILE if entry.is_file(follow_symlinks=False) else Kind.OTHER


def _parse_ignore(source: bytes, name: str) -> IgnoreRules:
    if len(source) > _IGNORE_FILE_LIMIT:
        raise IgnoreFileError("is larger than the 16 MiB that the builder reads", name, None)
    return IgnoreRules.parse(source, name)
