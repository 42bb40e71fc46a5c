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
    try:
        from dockopt.optimizer.lsp.server import run
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("pygls", "lsprotocol", "attrs", "attr", "cattrs"):
            raise
        from dockopt.optimizer.report.terminal import print_error

        print_error(_MISSING.format(package))
        raise typer.Exit(2) from None
    raise typer.Exit(run())
