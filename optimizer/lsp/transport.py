"""Hands messages to pygls, one after the other, until the client is done.

A body that is no message is answered with an error where it can be, and left aside otherwise.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dockopt.optimizer.lsp.framing import NotAMessage, Writer
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest, JsonRpcParseError

if TYPE_CHECKING:
    from pygls.protocol import LanguageServerProtocol

_log = logging.getLogger(__name__)


def deliver(protocol: LanguageServerProtocol, body: bytes | NotAMessage, writer: Writer) -> None:
    """Hand one body to the protocol. Raises SystemExit when the client says `exit`, BrokenPipeError when it is gone."""
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
            writer.send({"id": message_id, "error": {"code": error.code, "message": error.message}})
    except BrokenPipeError:
        raise
    except Exception as error:
        _log.warning("a message is left aside: %s: %s", type(error).__name__, error)


async def serve(protocol: LanguageServerProtocol, bodies: Iterator[bytes | NotAMessage], writer: Writer) -> int:
    """Talk with a client until it says `exit` or is gone, and return the exit code that the protocol asks for."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    protocol.set_writer(writer)

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    waiting: asyncio.Queue[bytes | NotAMessage] = asyncio.Queue()

    async def take() -> None:
        while not ended.done():
            body = await waiting.get()
            try:
                deliver(protocol, body, writer)
            except SystemExit as exit_:
                end(exit_.code if isinstance(exit_.code, int) else 1)
            except BrokenPipeError:
                end(1)
            # a request looks at the texts as they are before the next message changes them
            await asyncio.sleep(0)

    def read() -> None:
        try:
            for body in bodies:
                loop.call_soon_threadsafe(waiting.put_nowait, body)
            loop.call_soon_threadsafe(end, 1)
        except RuntimeError:
            return  # the loop is closed
        except OSError:
            _log.warning("standard input cannot be read", exc_info=True)
            loop.call_soon_threadsafe(end, 1)

    # a daemon: the end of the process does not wait for a client that says nothing
    threading.Thread(target=read, name="messages", daemon=True).start()
    taking = asyncio.ensure_future(take())
    try:
        return await ended
    finally:
        taking.cancel()
