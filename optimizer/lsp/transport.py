"""Messages over standard input and output, read so that no malformed one takes the next one with it.

Source: LSP 3.17, "Base Protocol". A body that is no message is answered with an error where it can be, and left aside otherwise.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
)

if TYPE_CHECKING:
    from pygls.protocol import LanguageServerProtocol

_log = logging.getLogger(__name__)
#: larger messages are skipped, bytes; the largest Dockerfile that is read has 16 MiB
MOST = 64 * 1024 * 1024
#: a line that is longer is no header, bytes
_LONGEST_HEADER = 4096
_CHUNK = 1 << 20


class NotAMessage(Exception):
    """A body that was skipped; the message says why."""


class Writer:
    """Writes messages; a client that is gone is no error of ours."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Write one message."""
        with self._lock:
            self._stream.write(data)
            self._stream.flush()

    def close(self) -> None:
        """Flush; the process closes the stream when it ends."""


def messages(stream: BinaryIO) -> Iterator[bytes | NotAMessage]:
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


def _body(stream: BinaryIO, length: int) -> bytes | NotAMessage:
    if length <= MOST:
        return stream.read(length)
    left = length
    while left > 0 and (chunk := stream.read(min(left, _CHUNK))):
        left -= len(chunk)
    return NotAMessage(f"a message of {length} bytes is larger than {MOST}")


def deliver(protocol: LanguageServerProtocol, body: bytes | NotAMessage) -> None:
    """Hand one body to the protocol. Raises SystemExit when the client says `exit`."""
    message_id: Any = None
    try:
        if isinstance(body, NotAMessage):
            raise JsonRpcInvalidRequest(str(body))
        try:
            data = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise JsonRpcParseError(f"a message is no JSON: {error}") from error
        if not isinstance(data, dict):
            raise JsonRpcInvalidRequest("a message is no object")
        if "method" in data and isinstance(data.get("id"), str | int):
            message_id = data["id"]
        data.setdefault("jsonrpc", "2.0")
        protocol.handle_message(protocol.structure_message(data))
    except JsonRpcException as error:
        _log.warning("a message is left aside: %s", error)
        if message_id is not None or isinstance(error, JsonRpcParseError | JsonRpcInvalidRequest):
            protocol._send_response(message_id, error=error.to_response_error())
    except Exception:
        _log.warning("a message is left aside", exc_info=True)


async def serve(protocol: LanguageServerProtocol, stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Talk with a client until it says `exit` or is gone, and return the exit code that the protocol asks for."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    protocol.set_writer(Writer(stdout))

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    def take(body: bytes | NotAMessage) -> None:
        if ended.done():
            return
        try:
            deliver(protocol, body)
        except SystemExit as exit_:
            end(exit_.code if isinstance(exit_.code, int) else 1)
        except (BrokenPipeError, ConnectionError):
            end(1)

    def read() -> None:
        try:
            for body in messages(stdin):
                loop.call_soon_threadsafe(take, body)
        except (OSError, ValueError):
            _log.warning("standard input cannot be read", exc_info=True)
        except RuntimeError:
            return  # the loop is closed
        loop.call_soon_threadsafe(end, 1)

    # a daemon: the end of the process does not wait for a client that says nothing
    threading.Thread(target=read, name="messages", daemon=True).start()
    return await ended
