"""The command `size`: bytes per instruction of an image, and what of it need not be there."""

from __future__ import annotations

from typing import Annotated

import typer
from dockopt.optimizer.cli_building import (
    BuildArgs,
    Builder,
    Context,
    EngineName,
    Network,
    Platform,
    Secrets,
    Ssh,
    Target,
    build_options,
    fail,
    print_answer,
)


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(short_help="Show how many bytes each instruction brings.")(size)


def size(
    path: Annotated[
        str,
        typer.Argument(
            metavar="[PATH|IMAGE]",
            help="A Dockerfile or a directory that has one (it is built), or an image: a name, an archive, a folder with an OCI layout.",
            show_default=False,
        ),
    ] = ".",
    format: Annotated[str, typer.Option("--format", metavar="text|json", help="Form of the answer.")] = "text",
    context: Context = None,
    engine: EngineName = None,
    builder: Builder = None,
    platform: Platform = None,
    target: Target = None,
    network: Network = None,
    build_arg: BuildArgs = None,
    secret: Secrets = None,
    ssh: Ssh = None,
) -> None:
    """Show how many bytes each instruction brings into an image, and which rewrite would save what.

    Bytes are those of files, not compressed. A Dockerfile is built, with all layers reused that can be; an image is read as it is.

    Exit code 0, or 2 where there is no such image, no engine, or the Dockerfile does not build.
    """
    from dockopt.optimizer.building import run_size

    if format not in ("text", "json"):
        fail(f"--format: `{format}` is none of text, json")
    options = build_options(engine, builder, context, platform, target, network, build_arg, secret, ssh, True)
    print_answer(lambda: run_size(path, options, format), path)
