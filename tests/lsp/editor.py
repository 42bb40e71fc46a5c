"""A client for tests: it starts the server as an editor does, keeps texts, and applies edits as the protocol says."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

WAIT = 60.0
Json = dict[str, Any]


class ServerError(Exception):
    """An error that the server answered."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.data = error["code"], error.get("data")


class Editor:
    """One session. Requests of the server are answered as a plain editor would."""

    def __init__(
        self,
        root: Path | None,
        capabilities: Json,
        settings: Json | None = None,
        options: Json | None = None,
        answers: dict[str, Callable[[Any], Any]] | None = None,
        environment: dict[str, str] | None = None,
        prefix: Iterable[str] = (),
    ) -> None:
        self.settings = {} if settings is None else settings
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.diagnostics: dict[str, list[Json]] = {}
        self.received: list[Json] = []
        self._answers = answers or {}
        self._next = 0
        self._waiting: dict[int, queue.SimpleQueue[Json]] = {}
        self._news = threading.Condition()
        source = Path(__file__).parents[2]
        environment = {**os.environ, "PYTHONPATH": f"{source / '.src'}", **(environment or {})}
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "dockopt", "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        self.log = bytearray()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_log, daemon=True).start()
        uri = None if root is None else root.as_uri()
        self.initialized = self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": uri,
                "workspaceFolders": None if uri is None else [{"uri": uri, "name": "w"}],
                "capabilities": capabilities,
                "initializationOptions": options,
            },
        )
        self.encoding = self.initialized["capabilities"]["positionEncoding"]
        self.notify("initialized", {})

    # -- messages ----------------------------------------------------------------------------------------------------

    def send_bytes(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: Any) -> None:
        body = json.dumps(message).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def notify(self, method: str, params: Any) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Any) -> int:
        """Send a request and return its id."""
        self._next += 1
        self._waiting[self._next] = queue.SimpleQueue()
        self.send({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params})
        return self._next

    def answer(self, number: int) -> Any:
        """Wait for the answer to a request; raises ServerError."""
        message = self._waiting[number].get(timeout=WAIT)
        del self._waiting[number]
        if "error" in message:
            raise ServerError(message["error"])
        return message["result"]

    def request(self, method: str, params: Any) -> Any:
        return self.answer(self.ask(method, params))

    def wait_for(self, condition: Callable[[], Any]) -> Any:
        """Wait until something that arrives makes a condition true."""
        with self._news:
            assert self._news.wait_for(condition, WAIT), self.log.decode()
            return condition()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while (line := stream.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if not length:
                return
            self._take(json.loads(stream.read(length)))

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        while chunk := self.process.stderr.read1():  # type: ignore[attr-defined]
            self.log += chunk

    def _take(self, message: Json) -> None:
        if "method" not in message:
            waiting = self._waiting.get(message.get("id"))
            if waiting is not None:
                waiting.put(message)
        elif "id" in message:
            with suppress(OSError, ValueError):  # the session may be over
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": self._reply(message)})
        with self._news:
            self.received.append(message)
            if message.get("method") == "textDocument/publishDiagnostics":
                self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
            self._news.notify_all()

    def _reply(self, message: Json) -> Any:
        if message["method"] in self._answers:
            return self._answers[message["method"]](message["params"])
        if message["method"] == "workspace/configuration":
            return [self.settings for _ in message["params"]["items"]]
        return None

    def of(self, method: str) -> list[Json]:
        """Return the parameters of all messages of a kind that came so far."""
        with self._news:
            return [message.get("params") or {} for message in self.received if message.get("method") == method]

    def close(self) -> int:
        """End the session as the protocol says, and return the exit code of the server."""
        self.request("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(WAIT)

    def __enter__(self) -> Editor:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    # -- what a user does --------------------------------------------------------------------------------------------

    def open(self, path: Path, text: str | None = None, language: str = "dockerfile") -> str:
        uri = path.as_uri()
        self.texts[uri] = path.read_bytes().decode() if text is None else text
        self.versions[uri] = 1
        item = {"uri": uri, "languageId": language, "version": 1, "text": self.texts[uri]}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def change(self, uri: str, text: str) -> None:
        self.texts[uri] = text
        self.versions[uri] += 1
        identifier = {"uri": uri, "version": self.versions[uri]}
        self.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": [{"text": text}]})

    def published(self, uri: str) -> list[Json]:
        """Wait for the diagnostics of the present version of a text."""
        version = self.versions[uri]

        def arrived() -> list[Json]:
            return [
                message["params"]
                for message in self.received
                if message.get("method") == "textDocument/publishDiagnostics"
                and message["params"]["uri"] == uri
                and message["params"].get("version") == version
            ]

        found: list[Json] = self.wait_for(arrived)
        return found[-1]["diagnostics"]  # type: ignore[no-any-return]

    def actions(
        self, uri: str, first: int = 0, last: int = 100_000, only: Iterable[str] | None = None, diagnostics: Any = ()
    ) -> list[Json]:
        context: Json = {"diagnostics": list(diagnostics)}
        if only is not None:
            context["only"] = list(only)
        where = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}
        found = self.request(
            "textDocument/codeAction", {"textDocument": {"uri": uri}, "range": where, "context": context}
        )
        return list(found or ())

    def fix_all(self, uri: str) -> Json | None:
        """Return the edit of all fixes, resolved where that is needed."""
        found = self.actions(uri, only=["source.fixAll"])
        if not found:
            return None
        (action,) = found
        if "edit" not in action:
            action = self.request("codeAction/resolve", action)
        edit: Json | None = action.get("edit")
        return edit

    def apply(self, edit: Json) -> dict[str, str]:
        """Return all texts after an edit: those that are open, and those of files."""
        texts = dict(self.texts)
        for change in edit.get("documentChanges") or ():
            if change.get("kind") == "create":
                assert not Path(path(change["uri"])).exists()
                texts[change["uri"]] = ""
                continue
            version = change["textDocument"]["version"]
            uri = change["textDocument"]["uri"]
            assert version == self.versions.get(uri)
            texts[uri] = applied(self._text(uri, texts), change["edits"], self.encoding)
        for uri, edits in (edit.get("changes") or {}).items():
            texts[uri] = applied(self._text(uri, texts), edits, self.encoding)
        return texts

    def _text(self, uri: str, texts: dict[str, str]) -> str:
        if uri in texts:
            return texts[uri]
        file = Path(path(uri))
        return file.read_bytes().decode() if file.exists() else ""


def path(uri: str) -> str:
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(uri).path)


def applied(text: str, edits: list[Json], encoding: str) -> str:
    """Apply edits of one text, written after LSP 3.17, "Text Edit": an own implementation, to hold the server's against."""
    codec, width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[encoding]
    lines, rest = [], text
    while True:
        ends = [at for at in (rest.find("\n"), rest.find("\r")) if at >= 0]
        if not ends:
            lines.append(rest)
            break
        end = min(ends) + (2 if rest[min(ends) : min(ends) + 2] == "\r\n" else 1)
        lines.append(rest[:end])
        rest = rest[end:]

    def offset(place: Json) -> int:
        line = lines[place["line"]] if place["line"] < len(lines) else ""
        before = sum(map(len, lines[: place["line"]]))
        return before + len(line.encode(codec)[: place["character"] * width].decode(codec))

    spans = [(offset(e["range"]["start"]), offset(e["range"]["end"]), i, e["newText"]) for i, e in enumerate(edits)]
    spans.sort(key=lambda span: (span[0], span[1], span[2]))
    for one, other in itertools.pairwise(spans):
        assert one[1] <= other[0], "edits overlap"
    out, at = [], 0
    for start, end, _, new in spans:
        out += [text[at:start], new]
        at = end
    return "".join([*out, text[at:]])
