"""The command `ci`: the cache configuration that fits a Dockerfile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_PROVIDERS = ("github", "gitlab", "bake")


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(short_help="Print the cache configuration for CI that fits a Dockerfile.")(ci)


def ci(
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="A Dockerfile, or a directory that has one.", show_default=False)
    ] = "Dockerfile",
    provider: Annotated[
        str, typer.Option("--provider", metavar="|".join(_PROVIDERS), help="Where the image is built.")
    ] = "github",
    cache: Annotated[
        str | None,
        typer.Option(
            "--cache", metavar="registry|gha|local", help="Where layers are kept (default: as fits the provider)."
        ),
    ] = None,
    target: Annotated[str | None, typer.Option("--target", metavar="STAGE", help="As of `docker build`.")] = None,
    context: Annotated[
        Path | None, typer.Option("--context", metavar="DIR", help="The build context (default: found out).")
    ] = None,
) -> None:
    """Print a workflow, a job or a bake file that builds the image and keeps its layers, with the reasons as comments."""
    from dockopt.optimizer.cicache.answer import cache_configuration
    from dockopt.optimizer.inputs import InputError
    from dockopt.optimizer.report.terminal import Output, print_error

    if provider not in _PROVIDERS:
        print_error(f"--provider: `{provider}` is none of {', '.join(_PROVIDERS)}")
        raise typer.Exit(2)
    try:
        text = cache_configuration(Path(path), provider, cache, target, context)
    except InputError as error:
        print_error(error.located(path))
        raise typer.Exit(2) from None
    output = Output("never")
    output.write(text.encode("utf-8"))
