"""The server itself: requests and notifications of the protocol, each answered with what the other modules know."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from dockopt import __version__
from dockopt.optimizer.lsp.documents import Document, Documents, path_of
from dockopt.optimizer.lsp.handshake import Greeting
from dockopt.optimizer.lsp.positions import Place, Range
from dockopt.optimizer.lsp.settings import settings_of
from dockopt.optimizer.lsp.watching import CONFIGURATION, matters, watchers
from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified, JsonRpcException, JsonRpcInvalidRequest
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")
#: `ServerCancelled` (LSP 3.17): the client asks again by itself
_SERVER_CANCELLED = -32802
#: changed files come in bursts (a checkout, an install), seconds
_SETTLE = 0.2


class Protocol(LanguageServerProtocol):
    """The protocol of pygls without its texts: it splits lines as Python does, and keeps a future for each notification."""

    _server: Server

    def handle_message(self, message: Any) -> None:
        """Refuse requests that come after `shutdown`, which pygls leaves without an answer (LSP 3.17, "Shutdown Request")."""
        if self._shutdown and getattr(message, "id", None) is not None and hasattr(message, "method"):
            raise JsonRpcInvalidRequest("there is nothing but `exit` after `shutdown`")
        super().handle_message(message)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, *_: Any) -> Any:
        """Refuse it: the first one was answered before this protocol was there (`handshake.py`)."""
        raise JsonRpcInvalidRequest("`initialize` is sent once")

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Take a text."""
        item = params.text_document
        self._server.documents.open(item.uri, item.language_id, item.version, item.text)
        self._server.text_changed(item.uri)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Take a new text, or parts of one."""
        changes = [
            (_range(change.range) if isinstance(change, types.TextDocumentContentChangePartial) else None, change.text)
            for change in params.content_changes
        ]
        document = params.text_document
        if self._server.documents.change(document.uri, document.version, changes) is not None:
            self._server.text_changed(document.uri)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Forget a text."""
        self._server.closed(params.text_document.uri)

    @lsp_method(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def lsp_workspace__did_change_workspace_folders(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        """Take folders in, and leave others out."""
        gone = {path_of(folder.uri) for folder in params.event.removed}
        folders = [folder for folder in self._server.folders if folder not in gone]
        self._server.folders = [*folders, *_paths(folder.uri for folder in params.event.added)]
        self._server.files_changed()


class Server(LanguageServer):
    """What is known of the client, its texts and its settings."""

    protocol: Protocol

    def __init__(self, greeting: Greeting) -> None:
        super().__init__(
            "dockopt", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full, protocol_cls=Protocol
        )
        self.client = greeting.client
        self.documents = Documents(self.client.encoding)
        self.folders = [path for path in map(_folder, greeting.folders) if path is not None]
        self._options_sent = greeting.options
        # what is wrong with them is told when the client is ready to hear it
        self.settings = settings_of(self.sent_at_start).settings
        self._desk: Any = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._publishing: dict[str, asyncio.Task[None]] = {}
        self._settling: asyncio.TimerHandle | None = None

    # -- the conversation --------------------------------------------------------------------------------------------

    @property
    def sent_at_start(self) -> Any:
        """The settings that came with `initialize`."""
        sent = self._options_sent
        return sent.get("dockopt", sent) if isinstance(sent, dict) else None

    def configure(self, sent: Any) -> None:
        """Take settings; what is wrong with them is told in the client's log."""
        understood = settings_of(sent)
        self.settings = understood.settings
        for problem in understood.problems:
            self.window_log_message(types.LogMessageParams(types.MessageType.Warning, problem))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Write down an error; a window for each would get between the user and the work."""
        _log.error("%s: %s", getattr(source, "__name__", source), error)

    def close(self) -> None:
        """Give up all work."""
        if self._settling is not None:
            self._settling.cancel()
        for task in self._tasks:
            task.cancel()
        if self._desk is not None:
            self._desk.close()

    def in_background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Let something be done; what goes wrong is written down."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s", error, exc_info=error)

    # -- texts and files ---------------------------------------------------------------------------------------------

    def text_changed(self, uri: str) -> None:
        """A text is another one."""
        document = self.documents.get(uri)
        if document is None:
            return
        if document.is_dockerfile:
            if self._desk is not None:
                self._desk.supersede(uri)
            self.publish(document)
        elif document.path is not None and matters(document.path):
            self.files_changed()

    def closed(self, uri: str) -> None:
        """A text is not open any more: what is on disk counts again."""
        document = self.documents.close(uri)
        self.desk.forget(uri)
        task = self._publishing.pop(uri, None)
        if task is not None:
            task.cancel()
        if document is None:
            return
        if document.is_dockerfile and not self.client.pulls:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))
        elif document.path is not None and matters(document.path):
            self.files_changed()

    def files_changed(self) -> None:
        """Files that analyses look at, or settings, are not what they were; bursts count once."""
        self.desk.invalidate()
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(_SETTLE, self._settled)

    def _settled(self) -> None:
        self._settling = None
        for document in self.documents:
            if document.is_dockerfile:
                self.publish(document)
        client = self.client
        if client.pulls and client.refreshes_diagnostics:
            self.in_background(self.workspace_diagnostic_refresh_async(None))
        if client.refreshes_lenses:
            self.in_background(self.workspace_code_lens_refresh_async(None))
        if client.refreshes_hints:
            self.in_background(self.workspace_inlay_hint_refresh_async(None))

    def publish(self, document: Document) -> None:
        """Send diagnostics of a document to a client that does not ask for them; an earlier text is not worth it any more."""
        if self.client.pulls:
            return
        earlier = self._publishing.pop(document.uri, None)
        if earlier is not None:
            earlier.cancel()
        self._publishing[document.uri] = self.in_background(self._publish(document))

    async def _publish(self, document: Document) -> None:
        from dockopt.optimizer.lsp.desk import Superseded
        from dockopt.optimizer.lsp.diagnostics import diagnostics

        try:
            analysis = await self.desk.analysis(document)
            found = await self.desk.ask(lambda: diagnostics(analysis, self.client, self.settings))
        except Superseded:
            return
        if self.documents.get(document.uri) is document:
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri=document.uri, version=document.version, diagnostics=found)
            )

    # -- analyses ----------------------------------------------------------------------------------------------------

    @property
    def desk(self) -> Any:
        """Where analyses are made; the engine is loaded when the first one is."""
        if self._desk is None:
            from dockopt.optimizer.lsp.desk import Desk

            self._desk = Desk(self._options, self._tell_progress)
        return self._desk

    def _options(self, document: Document) -> Any:
        from dockopt.optimizer.context import repository_root
        from dockopt.optimizer.context.disk import Disk
        from dockopt.optimizer.engine import Options

        assert document.path is not None
        folder = self.folder_of(document.path)
        limit = folder
        if self.settings.whole_repository:
            limit = repository_root(document.path.parent) or folder
        context = self.settings.context
        return Options(
            context=None if context is None else Path(os.path.normpath(folder / context)),
            select=None if self.settings.select is None else frozenset(self.settings.select),
            ignore=frozenset(self.settings.ignore),
            apply_configured=False,
            offers=self.settings.image_changing,
            disk=Disk(limit, self.documents.unsaved()),
        )

    def folder_of(self, path: Path) -> Path:
        """Return the workspace folder that holds a file, else its directory: that much was opened."""
        holding = [folder for folder in self.folders if path.is_relative_to(folder)]
        return max(holding, key=lambda folder: len(folder.parts), default=path.parent)

    def _tell_progress(self, job: Any) -> None:
        if self.client.progress:
            self.in_background(self._progress(job))

    async def _progress(self, job: Any) -> None:
        token = f"dockopt-{id(job)}"
        await self.window_work_done_progress_create_async(types.WorkDoneProgressCreateParams(token=token))
        name = "" if job.document.path is None else job.document.path.name
        begin = types.WorkDoneProgressBegin(title=f"dockopt: analysing {name}", cancellable=False)
        self.work_done_progress.begin(token, begin)
        await asyncio.wait({job.future})
        self.work_done_progress.end(token, types.WorkDoneProgressEnd())
        self.work_done_progress.tokens.pop(token, None)

    async def answer(self, uri: str, question: Callable[[Any], _Answer], nothing: _Answer) -> _Answer:
        """Answer a question about the analysis of a document, `nothing` for one that is no Dockerfile.

        Raises JsonRpcContentModified where the text is another one by then: an edit of the old one would damage it.
        """
        from dockopt.optimizer.lsp.desk import Superseded
        from dockopt.optimizer.lsp.edits import Stale

        document = self.documents.get(uri)
        if document is None or not document.is_dockerfile:
            return nothing
        try:
            try:
                found = await self._ask(document, question)
            except Stale:
                # told by nobody: the client cannot watch files, or did not yet
                self.files_changed()
                found = await self._ask(document, question)
        except Stale as error:
            raise JsonRpcContentModified(str(error)) from error
        except Superseded as error:
            raise JsonRpcContentModified("the text has changed meanwhile") from error
        if self.documents.get(uri) is not document:
            raise JsonRpcContentModified("the text has changed meanwhile")
        return found

    async def _ask(self, document: Document, question: Callable[[Any], _Answer]) -> _Answer:
        analysis = await self.desk.analysis(document)
        found: _Answer = await self.desk.ask(lambda: question(analysis))
        return found


def _range(where: types.Range) -> Range:
    return Range(_place(where.start), _place(where.end))


def _place(position: types.Position) -> Place:
    return Place(position.line, position.character)


def _folder(named: str) -> Path | None:
    """Return the directory that a client names by its URI, or by its path as old ones do."""
    return Path(os.path.normpath(named)) if named.startswith("/") else path_of(named)


def _paths(uris: Any) -> list[Path]:
    return [path for path in map(path_of, uris) if path is not None]


def _plain(value: Any) -> Any:
    """Return JSON as Python's own types: pygls makes objects of some of it."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


async def settings_from_client(server: Server) -> None:
    """Ask the client for its settings, where it has some; others sent them with `initialize`."""
    if server.client.configures:
        items = [types.ConfigurationItem(section=CONFIGURATION)]
        found = await server.workspace_configuration_async(types.ConfigurationParams(items=items))
        server.configure(_plain(found[0]) if found else None)
    else:
        server.configure(server.sent_at_start)


async def register(server: Server) -> None:
    """Ask to be told of changed files and settings."""
    wanted = []
    if server.client.watches:
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers())
        wanted.append(types.Registration("dockopt-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options))
    if server.client.announces:
        wanted.append(
            types.Registration("dockopt-settings", types.WORKSPACE_DID_CHANGE_CONFIGURATION, {"section": CONFIGURATION})
        )
    if wanted:
        await server.client_register_capability_async(types.RegistrationParams(wanted))


def retriggered() -> JsonRpcException:
    """Return the error that lets a client ask for diagnostics again."""
    data = types.DiagnosticServerCancellationData(retrigger_request=True)
    return JsonRpcException("the text has changed meanwhile", _SERVER_CANCELLED, data)
