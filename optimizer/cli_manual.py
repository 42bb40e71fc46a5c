"""The command about the program itself: `completion`."""

from __future__ import annotations

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(short_help="Print what completes commands and options in a shell.")(completion)


def completion(
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell.", show_default=False)],
) -> None:
    """Print a script that completes commands, options, rewrites and files in bash, zsh or fish.

    The script needs nothing to run; read it again after an update.
    """
    from dockopt.optimizer.manual.completion import SHELLS, script
    from dockopt.optimizer.report.terminal import Output, print_error

    if shell not in SHELLS:
        print_error(f"`{shell}` is none of {', '.join(SHELLS)}")
        raise typer.Exit(2)
    Output("never").write(script(shell).encode())
