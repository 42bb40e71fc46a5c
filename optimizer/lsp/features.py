"""The requests that the server answers, registered with pygls; `handshake.py` announces them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from dockopt.optimizer.lsp.documents import path_of
from dockopt.optimizer.lsp.positions import Place
from dockopt.optimizer.lsp.server import Server, _plain, register, retriggered, settings_from_client
from dockopt.optimizer.lsp.watching import matters
from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified


def add_features(server: Server) -> None:
    """Register all features."""
    _add_conversation(server)
    _add_diagnostics(server)
    _add_actions(server)
    _add_views(server)


def _add_conversation(server: Server) -> None:
    @server.feature(types.INITIALIZED)
    def initialized(_params: types.InitializedParams) -> None:
        server.in_background(start(server))

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configured(params: types.DidChangeConfigurationParams) -> None:
        server.in_background(reconfigure(server, params))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: types.DidChangeWatchedFilesParams) -> None:
        changed = [path_of(change.uri) for change in params.changes]
        if any(path is not None and matters(path) for path in changed):
            server.files_changed()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        # for clients that watch no files this is when everything is looked at anew
        path = path_of(params.text_document.uri)
        document = server.documents.get(params.text_document.uri)
        if (document is not None and document.is_dockerfile) or (path is not None and matters(path)):
            server.files_changed()


async def start(server: Server) -> None:
    """Do what may be asked of a client after `initialized`, and load the engine meanwhile."""
    warm = asyncio.get_running_loop().run_in_executor(None, _load_engine)
    await register(server)
    await settings_from_client(server)
    await warm
    server.files_changed()


def _load_engine() -> None:
    """Import what the first analysis needs, so that it does not wait for that."""
    import dockopt.optimizer.lsp.actions
    import dockopt.optimizer.lsp.desk
    import dockopt.optimizer.plan
    import dockopt.optimizer.shell.grammar
    import dockopt.rewrites.registry  # noqa: F401


async def reconfigure(server: Server, params: types.DidChangeConfigurationParams) -> None:
    """Take new settings, those that were sent or those that the client has when it is asked."""
    if server.client.configures:
        await settings_from_client(server)
    else:
        sent = _plain(params.settings)
        server.configure(sent.get("dockopt", sent) if isinstance(sent, dict) else None)
    server.files_changed()


def _add_diagnostics(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC)
    async def diagnostic(
        params: types.DocumentDiagnosticParams,
    ) -> types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport:
        from dockopt.optimizer.lsp.diagnostics import diagnostics

        uri = params.text_document.uri
        document = server.documents.get(uri)
        result = f"{document.version if document else 0}:{server.desk.generation}"
        if params.previous_result_id == result:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result)
        try:
            nothing: list[types.Diagnostic] = []
            found = await server.answer(
                uri, lambda analysis: diagnostics(analysis, server.client, server.settings), nothing
            )
        except JsonRpcContentModified:
            raise retriggered() from None
        return types.RelatedFullDocumentDiagnosticReport(items=found, result_id=result)


def _add_actions(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
    async def code_action(params: types.CodeActionParams) -> Sequence[types.CodeAction]:
        from dockopt.optimizer.lsp.actions import asked_of, code_actions

        if not server.client.actions:
            return []
        asked = asked_of(params)
        return await server.answer(
            params.text_document.uri,
            lambda analysis: code_actions(analysis, asked, server.client, server.documents),
            [],
        )

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        from dockopt.optimizer.lsp.actions import resolved

        data = _plain(action.data)
        if action.edit is not None or not isinstance(data, dict) or not isinstance(data.get("uri"), str):
            return action
        document = server.documents.get(data["uri"])
        if document is None or document.version != data.get("version"):
            raise JsonRpcContentModified("the text has changed since the action was offered")
        return await server.answer(
            document.uri, lambda analysis: resolved(action, analysis, server.client, server.documents), action
        )


def _add_views(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        from dockopt.optimizer.lsp.views import hover_at

        place = Place(params.position.line, params.position.character)
        return await server.answer(
            params.text_document.uri, lambda analysis: hover_at(analysis, place, server.client), None
        )

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def lenses(params: types.CodeLensParams) -> Sequence[types.CodeLens]:
        from dockopt.optimizer.lsp.views import lenses_of

        if not server.settings.code_lens:
            return []
        return await server.answer(params.text_document.uri, lenses_of, [])

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def hints(params: types.InlayHintParams) -> Sequence[types.InlayHint]:
        from dockopt.optimizer.lsp.views import hints_of

        if not server.settings.inlay_hints:
            return []
        lines = range(params.range.start.line, params.range.end.line + 1)
        return await server.answer(params.text_document.uri, lambda analysis: hints_of(analysis, lines), [])

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def symbol(
        params: types.DocumentSymbolParams,
    ) -> Sequence[types.DocumentSymbol] | Sequence[types.SymbolInformation]:
        from dockopt.optimizer.lsp.symbols import symbols

        nothing: Sequence[types.DocumentSymbol] | Sequence[types.SymbolInformation] = []
        return await server.answer(params.text_document.uri, lambda analysis: symbols(analysis, server.client), nothing)
