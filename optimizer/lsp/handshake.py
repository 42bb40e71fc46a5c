"""The answer to `initialize`, given before anything heavy is loaded.

Importing the types of the protocol alone takes a third of a second (microsoft/lsprotocol#441), and an editor waits for this answer
before it does anything else. So it is made of plain JSON, and pygls is loaded behind it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dockopt import __version__
from dockopt.optimizer.lsp.client import Client, client_of

QUICK_FIX, FIX_ALL = "quickfix", "source.fixAll.dockopt"
#: announced exactly: clients that compare kinds by equality (eglot 1.9) find them
KINDS = (QUICK_FIX, FIX_ALL)
#: `TextDocumentSyncKind.Full`: Dockerfiles are small, and no two sides can disagree on a whole text
_FULL = 1


class Greeting(NamedTuple):
    """What a client said at `initialize`."""

    client: Client
    #: URIs, or paths from old clients
    folders: tuple[str, ...]
    options: Any


def greeting_of(params: Any) -> Greeting:
    """Read the parameters of `initialize`; what is missing or malformed counts as not said."""
    params = params if isinstance(params, dict) else {}
    folders = params.get("workspaceFolders")
    uris = [folder.get("uri") for folder in folders if isinstance(folder, dict)] if isinstance(folders, list) else []
    uris = uris or [params.get("rootUri") or params.get("rootPath")]
    return Greeting(
        client_of(params.get("capabilities")),
        tuple(uri for uri in uris if isinstance(uri, str)),
        params.get("initializationOptions"),
    )


def answer(client: Client) -> dict[str, Any]:
    """Return `InitializeResult`: what this client can use, and nothing that would do nothing or the same thing twice."""
    capabilities: dict[str, Any] = {
        "positionEncoding": client.encoding,
        "textDocumentSync": {"openClose": True, "change": _FULL, "save": True},
        "hoverProvider": True,
        "documentSymbolProvider": True,
        "codeLensProvider": {"resolveProvider": False},
        "inlayHintProvider": {"resolveProvider": False},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }
    if client.actions:
        capabilities["codeActionProvider"] = {"codeActionKinds": list(KINDS), "resolveProvider": client.defers}
    if client.pulls:
        capabilities["diagnosticProvider"] = {
            "identifier": "dockopt",
            "interFileDependencies": True,
            "workspaceDiagnostics": False,
        }
    return {"capabilities": capabilities, "serverInfo": {"name": "dockopt", "version": __version__}}
