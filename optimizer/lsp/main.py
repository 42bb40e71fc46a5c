"""The process: it greets the client, loads what is heavy, and serves until the client is done."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from dockopt.optimizer.lsp.framing import Descriptor, NotAMessage, Writer, messages
from dockopt.optimizer.lsp.handshake import Greeting, answer, greeting_of

#: `ServerNotInitialized`
_NOT_YET = -32002


def run() -> int:
    """Serve standard input and output, and return the exit code."""
    try:
        os.fstat(0)
        writer = Writer(os.fdopen(os.dup(1), "wb"))
    except OSError:
        from dockopt.optimizer.report.terminal import print_error

        print_error("standard input or output is closed; an editor starts this program, and talks with it there")
        return 2
    # standard output belongs to the protocol: whatever is printed, by whomever, must not get into it
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    bodies = messages(Descriptor(0))
    try:
        greeting = _greet(bodies, writer)
        if greeting is None:
            return 1
        return _serve(greeting, bodies, writer)
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return 130


def _greet(bodies: Iterator[bytes | NotAMessage], writer: Writer) -> Greeting | None:
    """Answer `initialize`, and refuse what comes before it; None for a client that leaves without it."""
    for body in bodies:
        try:
            message: Any = {} if isinstance(body, NotAMessage) else json.loads(body)
        except (ValueError, RecursionError):
            continue
        if not isinstance(message, dict) or "method" not in message:
            continue
        if message["method"] == "exit":
            return None
        if "id" not in message:
            continue
        if message["method"] == "initialize":
            greeting = greeting_of(message.get("params"))
            writer.send({"id": message["id"], "result": answer(greeting.client)})
            return greeting
        error = {"code": _NOT_YET, "message": "the first request is `initialize`"}
        writer.send({"id": message["id"], "error": error})
    return None


def _serve(greeting: Greeting, bodies: Iterator[bytes | NotAMessage], writer: Writer) -> int:
    import asyncio
    import logging

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="dockopt lsp: %(levelname)s: %(message)s")
    # it prints a traceback for each message that it does not understand; `transport.py` has a line for that
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    from dockopt.optimizer.lsp.features import add_features
    from dockopt.optimizer.lsp.server import Server
    from dockopt.optimizer.lsp.transport import serve

    server = Server(greeting)
    add_features(server)

    async def main() -> int:
        try:
            return await serve(server.protocol, bodies, writer)
        finally:
            server.close()

    return asyncio.run(main())
