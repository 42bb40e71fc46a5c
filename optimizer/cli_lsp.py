"""The command `lsp`: the language server for editors."""

from __future__ import annotations

from typing import Annotated

import typer

_MISSING = "`dockopt lsp` needs packages that are not installed: `pip install 'dockopt[lsp]'` ({0} is missing)"
_Stdio = Annotated[
    bool, typer.Option("--stdio", hidden=True, help="Accepted because some editors say it; there is no other way.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(short_help="Serve an editor (language server protocol).")(lsp)


def lsp(_stdio: _Stdio = True) -> None:
    """Serve an editor over standard input and output. The editor starts this; docs/language-server.md says how to set it up."""
    from importlib.util import find_spec

    # looked for and not imported: the answer to the first request does not wait for them
    missing = [name for name in ("pygls", "lsprotocol") if find_spec(name) is None]
    if missing:
        from dockopt.optimizer.report.terminal import print_error

        print_error(_MISSING.format(f"`{missing[0]}`"))
        raise typer.Exit(2)
    from dockopt.optimizer.lsp.main import run

    raise typer.Exit(run())
