"""What clients say that they can do, as far as the server looks at it.

Neovim 0.7 and Emacs 28 (eglot 1.9): as the Debian packages say it (`tests/editors` runs them). Neovim 0.11 and VS Code: what their
records in pytest-lsp 1.0.1 and vscode-languageclient 9 hold.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_KINDS = ["", "quickfix", "refactor", "source", "source.organizeImports"]
_MARKUP = ["markdown", "plaintext"]

NEOVIM_0_7: Json = {
    "window": {"workDoneProgress": True},
    "workspace": {
        "workspaceEdit": {"resourceOperations": ["rename", "create", "delete"]},
        "configuration": True,
        "workspaceFolders": True,
    },
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": _KINDS}},
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        },
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "hover": {"contentFormat": _MARKUP},
        "publishDiagnostics": {"relatedInformation": True},
    },
}
NEOVIM_0_11: Json = {
    "general": {"positionEncodings": ["utf-8", "utf-16", "utf-32"]},
    "window": {"workDoneProgress": True},
    "workspace": {
        "workspaceEdit": {"resourceOperations": ["rename", "create", "delete"]},
        "configuration": True,
        "didChangeWatchedFiles": {"dynamicRegistration": False, "relativePatternSupport": True},
        "inlayHint": {"refreshSupport": True},
    },
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": _KINDS}},
            "dataSupport": True,
            "isPreferredSupport": True,
            "resolveSupport": {"properties": ["edit", "command"]},
        },
        "diagnostic": {"dynamicRegistration": False},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "hover": {"contentFormat": _MARKUP},
        "publishDiagnostics": {"relatedInformation": True, "dataSupport": True},
    },
}
EMACS_28: Json = {
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        "workspaceEdit": {"documentChanges": True},
        "workspaceFolders": True,
    },
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": _KINDS[1:]}},
            "isPreferredSupport": True,
        },
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        # markdown where markdown-mode is installed
        "hover": {"contentFormat": ["plaintext"]},
        "publishDiagnostics": {"codeDescriptionSupport": False},
    },
}
EMACS_29: Json = {**EMACS_28, "general": {"positionEncodings": ["utf-32", "utf-8", "utf-16"]}}
VS_CODE: Json = {
    "general": {"positionEncodings": ["utf-16"]},
    "window": {"workDoneProgress": True},
    "workspace": {
        "applyEdit": True,
        "codeLens": {"refreshSupport": True},
        "configuration": True,
        "diagnostics": {"refreshSupport": True},
        "didChangeConfiguration": {"dynamicRegistration": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True, "relativePatternSupport": True},
        "inlayHint": {"refreshSupport": True},
        "workspaceEdit": {
            "changeAnnotationSupport": {"groupsOnLabel": True},
            "documentChanges": True,
            "failureHandling": "textOnlyTransactional",
            "normalizesLineEndings": True,
            "resourceOperations": ["create", "rename", "delete"],
        },
        "workspaceFolders": True,
    },
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": _KINDS}},
            "dataSupport": True,
            "honorsChangeAnnotations": True,
            "isPreferredSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        },
        "diagnostic": {"dynamicRegistration": True, "relatedDocumentSupport": False},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "hover": {"contentFormat": _MARKUP},
        "publishDiagnostics": {"codeDescriptionSupport": True, "dataSupport": True, "versionSupport": False},
    },
}
#: a client that says as little as the protocol allows
BARE: Json = {}

CLIENTS = {
    "neovim-0.7": NEOVIM_0_7,
    "neovim-0.11": NEOVIM_0_11,
    "emacs-28": EMACS_28,
    "emacs-29": EMACS_29,
    "vs-code": VS_CODE,
}


def with_(capabilities: Json, path: str, value: Any) -> Json:
    """Return capabilities with one of them changed."""
    head, _, rest = path.partition(".")
    inner = with_(capabilities.get(head) or {}, rest, value) if rest else value
    return {**capabilities, head: inner}
