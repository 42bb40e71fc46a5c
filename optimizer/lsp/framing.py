"""Messages over standard input and output, read so that no malformed one takes the next one with it.

Source: LSP 3.17, "Base Protocol".
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

#: larger messages are skipped, bytes; the largest Dockerfile that is read has 16 MiB
MOST = 64 * 1024 * 1024
#: a line that is longer is no header, bytes
_LONGEST_HEADER = 4096
_CHUNK = 1 << 16


class NotAMessage(Exception):
    """A body that was skipped; the message says why."""


class Stream(Protocol):
    """What messages are read from."""

    def readline(self, limit: int) -> bytes:
        """Return a line with its end, or its first `limit` bytes; nothing at the end of the stream."""

    def read(self, size: int) -> bytes:
        """Return so many bytes, less only at the end of the stream."""


class Descriptor:
    """A stream over a file descriptor, without a lock.

    A thread that waits in `sys.stdin.buffer` holds its lock, and then the interpreter cannot shut down.
    """

    def __init__(self, number: int) -> None:
        self._number, self._buffer = number, bytearray()

    def readline(self, limit: int) -> bytes:
        """Return a line with its end, or its first `limit` bytes; nothing at the end of the stream."""
        while b"\n" not in self._buffer[:limit] and len(self._buffer) < limit and self._fill():
            pass
        end = self._buffer.find(b"\n", 0, limit) + 1
        return self._take(end or min(limit, len(self._buffer)))

    def read(self, size: int) -> bytes:
        """Return so many bytes, less only at the end of the stream."""
        while len(self._buffer) < size and self._fill():
            pass
        return self._take(min(size, len(self._buffer)))

    def _fill(self) -> bool:
        chunk = os.read(self._number, _CHUNK)
        self._buffer += chunk
        return bool(chunk)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


class Writer:
    """Writes messages, each as a whole."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Write a message that has its header. Raises BrokenPipeError where the client is gone."""
        with self._lock:
            self._stream.write(data)
            self._stream.flush()

    def send(self, message: dict[str, Any]) -> None:
        """Write a message of plain JSON."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode("ascii")
        self.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def close(self) -> None:
        """Do nothing: the process closes the stream when it ends."""


def messages(stream: Stream) -> Iterator[bytes | NotAMessage]:
    """Yield the body of each message until the stream ends.

    Header names are compared without case, and a missing carriage return does not matter. What is no header at all is
    skipped: behind it the next `Content-Length` counts, also in the middle of a line, where a body was longer than it said.
    """
    length: int | None = None
    while line := stream.readline(_LONGEST_HEADER):
        header = line.strip()
        if not header:
            if length is not None:
                yield _body(stream, length)
            length = None
            continue
        at = header.lower().rfind(b"content-length:")
        if at >= 0:
            digits = header[at + len(b"content-length:") :].strip()
            length = int(digits) if digits.isdigit() and len(digits) < 20 else None


def _body(stream: Stream, length: int) -> bytes | NotAMessage:
    if length <= MOST:
        return stream.read(length)
    left = length
    while left > 0 and (chunk := stream.read(min(left, _CHUNK))):
        left -= len(chunk)
    return NotAMessage(f"a message of {length} bytes is larger than {MOST}")
