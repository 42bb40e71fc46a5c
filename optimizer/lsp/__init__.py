"""The language server `dockopt lsp`: what the command line says and does, in an editor; described in `docs/language-server.md`.

`server.py` speaks the protocol (pygls, an extra of the package), the other modules do not depend on a connection. Nothing is
executed, and nothing outside of the workspace is read.
"""
