"""The command `pin`: beside the engines that `verify` and `bench` start, the one thing in dockopt that uses the network."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

_Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATHS]...",
        help="Dockerfiles and directories to search for them (default: the current directory).",
        show_default=False,
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(short_help="Lock base images to digests; asks registries.")(pin)


def pin(
    paths: _Paths = None,
    digest: Annotated[
        bool, typer.Option("--digest", help="Write `name:tag@sha256:…` with the digest that the tag has now.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Look digests that are there up again, and print old → new.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the files; without it only the diff is shown.")] = False,
) -> None:
    """Lock what the Dockerfiles take from registries to the content that the tags have now.

    This command asks registries over the network, with the logins of Docker's configuration; beside the builds of `verify` and
    `bench`, nothing else in dockopt does. All digests are written at once, or none.

    Exit code 0: locked, or nothing to lock; 2: an image could not be looked up or a file not be used, and nothing was changed.
    """
    import os

    from dockopt.optimizer.invocation import STDIN, named_files
    from dockopt.optimizer.pinning import PinFailed
    from dockopt.optimizer.pinning import pin as pinned
    from dockopt.optimizer.registry.client import Registries
    from dockopt.optimizer.registry.credentials import configuration_file
    from dockopt.optimizer.report.terminal import Output, print_error
    from dockopt.optimizer.report.text import Line
    from dockopt.optimizer.write import WriteRefused, write_files

    if not digest:
        _fail("`pin` needs `--digest`; versions that the project names are written by `fix --write --select pin-base`")
    if STDIN in (paths or ()):
        _fail("`pin` reads files only, as `-` has no context that could tell what is replaced")
    named = list(named_files(paths or (".",)))
    problems = [f"{path}: {problem}" for path, problem in named if problem is not None]
    if problems:
        _fail(*problems)
    registries = Registries(configuration_file(os.environ))
    try:
        files = pinned([path for path, _ in named], registries.digest, update=update)
        if write:
            write_files({file.location: (file.before, file.after) for file in files if file.changed})
    except PinFailed as failure:
        _fail(*map(str, failure.args))
    except WriteRefused as refused:
        _fail(f"nothing was written: {refused}")
    output = Output()
    for file in files:
        output.show([Line(line) for line in file.lines])
        if file.changed:
            output.show([Line("  written", "good") if write else file.diff])
    if not any(file.changed for file in files):
        output.show([Line("nothing to lock", "good")])
    elif not write:
        print_error("nothing was written; `pin --digest --write` applies the changes")


def _fail(*messages: str) -> NoReturn:
    from dockopt.optimizer.report.terminal import print_error

    for message in messages:
        print_error(message)
    raise typer.Exit(2)
