"""Write a set of files to disk: every one of them completely, or none."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dockopt.optimizer.inputs import InputError, read_file
from dockopt.optimizer.presence import is_there

#: a report of a thousand files is smaller, bytes
_LARGEST = 1 << 30
#: what `link` answers on file systems without hard links (vfat, some network file systems, restrictive sysctls)
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class WriteRefused(Exception):
    """Nothing was written; the message names the file and says why."""


@dataclass(slots=True)
class _Target:
    """One file on its way to disk; every name is recorded here before the file of that name is created."""

    named: Path  # as the caller says
    real: Path  # after links: this one is replaced, the links stay
    before: bytes | None
    after: bytes
    temporary: Path | None = None
    backup: Path | None = None
    replaced: bool = False


def write_files(changes: Mapping[Path, tuple[bytes | None, bytes]]) -> None:
    """Replace the content of every file in `changes` (path → expected old bytes, new bytes), all of them or none.

    Old bytes of None ask for a new file, which must not exist. The new bytes go to a temporary file in the same
    directory, are synced, and take the place of the old file by a rename: a reader sees the old content or the new one,
    and a crash leaves one of them. Permission bits and extended attributes (access lists, labels) are kept, the owner
    where the system allows it. A symbolic link is followed: its target is replaced and the link stays. Other hard links
    to a file keep the old content.

    Raises `WriteRefused` where a file does not hold the expected bytes, is no regular file, is read-only, or cannot be
    written; files that had been replaced by then are put back. On any exception, `KeyboardInterrupt` included, no
    temporary file stays behind.
    """
    targets = _resolve(changes)
    try:
        for step in (_prepare, _expect_unchanged, _replace):
            for target in targets:
                _named_errors(step, target)
        for directory in {target.real.parent for target in targets}:
            _sync_directory(directory)
    except BaseException:
        _undo(targets)
        raise
    finally:
        for target in targets:
            for leftover in (target.temporary, target.backup):
                if leftover is not None:
                    with contextlib.suppress(OSError):
                        leftover.unlink()


def replace_file(path: Path, content: bytes) -> None:
    """Write one file, whatever it held before, in the same way as `write_files`. Raises WriteRefused."""
    try:
        before = read_file(path, limit=_LARGEST) if os.path.lexists(path) else None
    except InputError as error:
        raise WriteRefused(f"`{path}`: {error}") from error
    if before != content:
        write_files({path: (before, content)})


def _resolve(changes: Mapping[Path, tuple[bytes | None, bytes]]) -> list[_Target]:
    targets: dict[Path, _Target] = {}
    for named, (before, after) in changes.items():
        try:
            real = Path(os.path.realpath(named, strict=before is not None))
        except OSError as error:
            raise WriteRefused(f"`{named}`: {error.strerror}") from error
        if before is None and os.path.lexists(named):
            raise WriteRefused(f"`{named}`: exists already; run again to take it into account")
        known = targets.setdefault(real, _Target(named, real, before, after))
        if (known.before, known.after) != (before, after):
            raise WriteRefused(f"`{named}` and `{known.named}` are the same file and would get different contents")
    return list(targets.values())


def _named_errors(step: Callable[[_Target], None], target: _Target) -> None:
    """Run one step; what the system refuses is told with the name that the caller knows, not that of a temporary."""
    try:
        step(target)
    except OSError as error:
        raise WriteRefused(f"`{target.named}`: cannot be written: {error.strerror or error}") from error


def _prepare(target: _Target) -> None:
    """Write and sync the new bytes next to the file, with its mode and owner."""
    old: os.stat_result | None = None
    if target.before is not None:
        old = target.real.stat()
        if not stat.S_ISREG(old.st_mode):
            raise WriteRefused(f"`{target.named}`: not a regular file")
        # a rename needs no permission on the file itself, so a read-only file would be replaced without a word
        if not os.access(target.real, os.W_OK):
            raise WriteRefused(f"`{target.named}`: read-only; make it writable first")
    target.temporary = _fresh_name(target.real.parent)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(target.temporary, flags, 0o666 if old is None else 0o600)
    try:
        _write_all(descriptor, target.after)
        if old is not None:
            _keep_metadata(descriptor, target.real, old)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _keep_metadata(descriptor: int, real: Path, old: os.stat_result) -> None:
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(OSError):  # only root may give files away
            os.fchown(descriptor, old.st_uid, old.st_gid)
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            for name in os.listxattr(real):
                with contextlib.suppress(OSError):
                    os.setxattr(descriptor, name, os.getxattr(real, name))
    # last: chown clears the set-id bits
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _expect_unchanged(target: _Target) -> None:
    if target.before is None:
        if os.path.lexists(target.real):
            raise WriteRefused(f"`{target.named}`: was created meanwhile; run again")
        return
    # one byte more than expected is enough to see that the file is another one, however large it has become
    with target.real.open("rb") as file:
        now = file.read(len(target.before) + 1)
    if now != target.before:
        raise WriteRefused(f"`{target.named}`: changed on disk since it was read; run again")


def _replace(target: _Target) -> None:
    assert target.temporary is not None
    if target.before is None:
        _create(target, target.temporary)
        return
    target.backup = _fresh_name(target.real.parent)
    try:
        os.link(target.real, target.backup)  # putting this back restores the very same file
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _copy_aside(target, target.backup)
    target.replaced = True  # before the rename: undoing a rename that did not happen is harmless
    os.replace(target.temporary, target.real)  # noqa: PTH105


def _create(target: _Target, temporary: Path) -> None:
    """Give the temporary file its name unless that is taken by now (a rename would replace what stands there)."""
    try:
        os.link(temporary, target.real)
    except OSError as error:
        if error.errno == errno.EEXIST:
            raise WriteRefused(f"`{target.named}`: was created meanwhile; run again") from error
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target.real, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
        target.replaced = True
        os.replace(temporary, target.real)  # noqa: PTH105


def _copy_aside(target: _Target, backup: Path) -> None:
    assert target.before is not None
    descriptor = os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _write_all(descriptor, target.before)
        _keep_metadata(descriptor, target.real, target.real.stat())
    finally:
        os.close(descriptor)


def _undo(targets: list[_Target]) -> None:
    """Put back what was replaced, last first; what cannot be put back is said, with the place of the old content."""
    problems: list[str] = []
    for target in reversed(targets):
        try:
            if target.before is None:
                if target.replaced or _is_link_of(target.temporary, target.real):
                    target.real.unlink(missing_ok=True)
            elif target.replaced and target.backup is not None:
                os.replace(target.backup, target.real)  # noqa: PTH105
        except OSError as error:
            kept, target.backup = target.backup, None  # the only copy of the old content: not to be cleaned up
            place = f"; its old content is in `{kept}`" if kept else ""
            problems.append(f"`{target.named}`: cannot be put back ({error.strerror}){place}")
    if problems:
        raise WriteRefused("; ".join(problems))


def _is_link_of(temporary: Path | None, real: Path) -> bool:
    """Whether a new file got its name already, seen from the disk: an interrupt may come before it is noted."""
    return temporary is not None and is_there(temporary) and is_there(real) and real.samefile(temporary)


def _fresh_name(directory: Path) -> Path:
    """A name that no other process uses; chosen here, before the file exists, so that it can always be cleaned up."""
    return directory / f".dockopt-{os.urandom(8).hex()}.tmp"


@contextlib.contextmanager
def _opened_directory(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sync_directory(directory: Path) -> None:
    # some file systems cannot sync a directory; the files themselves are synced already
    with contextlib.suppress(OSError), _opened_directory(directory) as descriptor:
        os.fsync(descriptor)
