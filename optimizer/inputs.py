"""Read Dockerfiles, and refuse in one clear line what cannot be one."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

#: largest input in bytes; BuildKit's own limit is a line length, this one keeps memory and time bounded
MAX_BYTES = 16 * 1024 * 1024


class InputError(Exception):
    """An input that cannot be read as a Dockerfile; `str()` is the message without the name of the file."""

    def located(self, name: str) -> str:
        """The message with the name of the file: `name: message`, or `name:line:column: message`."""
        message = str(self)
        return f"{name}:{message}" if message[:1].isdigit() else f"{name}: {message}"


def read_file(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """Read one regular file of at most `limit` bytes.

    Raises `InputError` for everything else; a FIFO or a device is not waited for.
    """
    try:
        # O_NONBLOCK: opening a FIFO without a writer would wait for ever
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(refusal(error)) from error
    except ValueError as error:  # a NUL in the name
        raise InputError("no file has such a name") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"is {_kind(status.st_mode)}, not a regular file")
        if status.st_size > limit:
            raise InputError(_too_large(limit))
        with open(descriptor, "rb", closefd=False) as file:
            return _bounded(file.read(limit + 1), limit)
    except OSError as error:
        raise InputError(refusal(error)) from error
    finally:
        os.close(descriptor)


def read_stdin(*, limit: int = MAX_BYTES) -> bytes:
    """Read standard input to its end; raises `InputError` above `limit` bytes or where it is closed."""
    if sys.stdin is None:
        raise InputError("standard input is closed")
    try:
        return _bounded(sys.stdin.buffer.read(limit + 1), limit)
    except (OSError, ValueError) as error:
        raise InputError(f"standard input cannot be read: {error}") from error


def check_dockerfile(content: bytes) -> None:
    """Raise `InputError` (`line:column: message` where a place is known) for bytes that cannot be a Dockerfile."""
    if not content:
        raise InputError("is empty; a Dockerfile needs at least one instruction")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("1:1: is UTF-16 text; save it as UTF-8")
    zero = content.find(b"\0")
    if zero >= 0:
        line = content.count(b"\n", 0, zero) + 1
        column = zero - content.rfind(b"\n", 0, zero)
        raise InputError(f"{line}:{column}: is binary (a NUL byte), not a Dockerfile")


def _bounded(content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise InputError(_too_large(limit))
    return content


def _too_large(limit: int) -> str:
    return f"is larger than {limit // (1024 * 1024)} MiB, which no Dockerfile is"


def refusal(error: OSError) -> str:
    """Say why the system gives something not away, and what to do where that is up to the user."""
    text = error.strerror or str(error)
    remedy = "; make it readable for the user that runs dockopt" if error.errno == errno.EACCES else ""
    return text[:1].lower() + text[1:] + remedy


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if test(mode):
            return name
    return "a special file"
