"""What the client can do, as far as the server does different things for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockopt.optimizer.lsp.positions import DEFAULT_ENCODING, ENCODINGS

if TYPE_CHECKING:
    from lsprotocol.types import ClientCapabilities


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


def client_of(capabilities: ClientCapabilities) -> Client:
    """Read what a client says of itself at `initialize`."""

    def has(path: str) -> Any:
        found: Any = capabilities
        for name in path.split("."):
            found = getattr(found, name, None)
            if found is None:
                return None
        return found

    resolvable = has("text_document.code_action.resolve_support.properties") or ()
    formats = [str(getattr(kind, "value", kind)) for kind in has("text_document.hover.content_format") or ()]
    versions = bool(has("workspace.workspace_edit.document_changes"))
    operations = [
        str(getattr(kind, "value", kind)) for kind in has("workspace.workspace_edit.resource_operations") or ()
    ]
    return Client(
        encoding=encoding_of(has("general.position_encodings") or ()),
        pulls=has("text_document.diagnostic") is not None,
        versions=versions,
        # the list of operations means something in `documentChanges` only
        creates=versions and "create" in operations,
        actions=has("text_document.code_action.code_action_literal_support") is not None,
        defers=bool(has("text_document.code_action.data_support")) and "edit" in resolvable,
        confirms=versions and has("workspace.workspace_edit.change_annotation_support") is not None,
        watches=bool(has("workspace.did_change_watched_files.dynamic_registration")),
        configures=bool(has("workspace.configuration")),
        announces=bool(has("workspace.did_change_configuration.dynamic_registration")),
        progress=bool(has("window.work_done_progress")),
        markdown="markdown" in formats,
        nests=bool(has("text_document.document_symbol.hierarchical_document_symbol_support")),
        describes_codes=bool(has("text_document.publish_diagnostics.code_description_support")),
        refreshes_diagnostics=bool(has("workspace.diagnostics.refresh_support")),
        refreshes_lenses=bool(has("workspace.code_lens.refresh_support")),
        refreshes_hints=bool(has("workspace.inlay_hint.refresh_support")),
    )


def encoding_of(offered: Any) -> str:
    """Return the first encoding of the client's list that we know, else the default of the protocol."""
    names = [str(getattr(kind, "value", kind)) for kind in offered]
    return next((name for name in names if name in ENCODINGS), DEFAULT_ENCODING)
