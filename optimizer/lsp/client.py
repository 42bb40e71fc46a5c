"""What the client can do, as far as the server does different things for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dockopt.optimizer.lsp.positions import DEFAULT_ENCODING, ENCODINGS


@dataclass(frozen=True, slots=True)
class Client:
    """Abilities of one client; the defaults are those of one that says nothing."""

    encoding: str = DEFAULT_ENCODING
    #: it asks for diagnostics (`textDocument/diagnostic`); without that they are sent to it, never both
    pulls: bool = False
    #: edits may name the version of the text that they are made for (`documentChanges`)
    versions: bool = False
    #: edits may create files
    creates: bool = False
    #: code actions may come as objects; without that only commands could, which this server does not have
    actions: bool = False
    #: the edit of an action may come when it is chosen (`codeAction/resolve`)
    defers: bool = False
    #: an edit may ask to be looked at before it is made
    confirms: bool = False
    #: tells of changed files when it is asked to
    watches: bool = False
    #: has settings that can be asked for
    configures: bool = False
    #: settings may be announced as changed after a registration
    announces: bool = False
    progress: bool = False
    markdown: bool = False
    #: symbols may have children
    nests: bool = False
    describes_codes: bool = False
    refreshes_diagnostics: bool = False
    refreshes_lenses: bool = False
    refreshes_hints: bool = False


def client_of(capabilities: Any) -> Client:
    """Read what a client says of itself at `initialize` (`ClientCapabilities` of LSP 3.17, as JSON)."""

    def has(path: str) -> Any:
        found = capabilities
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def listed(path: str) -> list[Any]:
        found = has(path)
        return found if isinstance(found, list) else []

    versions = bool(has("workspace.workspaceEdit.documentChanges"))
    actions = has("textDocument.codeAction.codeActionLiteralSupport") is not None
    return Client(
        encoding=next((name for name in listed("general.positionEncodings") if name in ENCODINGS), DEFAULT_ENCODING),
        pulls=has("textDocument.diagnostic") is not None,
        versions=versions,
        # the list of operations means something in `documentChanges` only
        creates=versions and "create" in listed("workspace.workspaceEdit.resourceOperations"),
        actions=actions,
        defers=bool(has("textDocument.codeAction.dataSupport"))
        and "edit" in listed("textDocument.codeAction.resolveSupport.properties"),
        confirms=versions and has("workspace.workspaceEdit.changeAnnotationSupport") is not None,
        watches=bool(has("workspace.didChangeWatchedFiles.dynamicRegistration")),
        configures=bool(has("workspace.configuration")),
        announces=bool(has("workspace.didChangeConfiguration.dynamicRegistration")),
        progress=bool(has("window.workDoneProgress")),
        markdown="markdown" in listed("textDocument.hover.contentFormat"),
        nests=bool(has("textDocument.documentSymbol.hierarchicalDocumentSymbolSupport")),
        describes_codes=bool(has("textDocument.publishDiagnostics.codeDescriptionSupport")),
        refreshes_diagnostics=bool(has("workspace.diagnostics.refreshSupport")),
        refreshes_lenses=bool(has("workspace.codeLens.refreshSupport")),
        refreshes_hints=bool(has("workspace.inlayHint.refreshSupport")),
    )
