"""The commands about the configuration: `config` shows it, `init` writes a first one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(short_help="Show the configuration that counts, and where it is said.")(config)
    app.command(short_help="Write a first configuration and a pre-commit hook.")(init)


def config(
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="A Dockerfile, or a directory.", show_default=False)
    ] = "Dockerfile",
) -> None:
    """Show the configuration that counts for a Dockerfile, each setting with the file and line where it is said."""
    from dockopt.optimizer.configuration.shown import effective
    from dockopt.optimizer.inputs import InputError
    from dockopt.optimizer.presence import is_directory
    from dockopt.optimizer.report.safe_text import safe
    from dockopt.optimizer.report.terminal import Output

    dockerfile = Path(path)
    if is_directory(dockerfile):
        dockerfile = dockerfile / "Dockerfile"
    try:
        text = effective(dockerfile)
    except InputError as error:
        _fail(str(error))
    output = Output("never")
    shown = "".join(f"{safe(line)}\n" for line in text.splitlines())
    output.write(shown.encode(output.encoding, "backslashreplace"))


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The top of the project.", show_default=False)
    ] = Path(),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
) -> None:
    """Write `dockopt.toml` with every setting as a comment, and a hook for pre-commit, after showing them and asking.

    A file that is there already is never touched; what could be added to it is shown.
    """
    from dockopt.optimizer.configuration.beginning import begin
    from dockopt.optimizer.inputs import InputError

    try:
        begin(directory, (lambda _question: True) if yes else _ask, typer.echo)
    except InputError as error:
        _fail(str(error))


def _ask(question: str) -> bool:
    """Ask on standard error and tell whether the answer is yes; without any answer the program ends."""
    import sys

    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    answer = sys.stdin.readline() if sys.stdin is not None else ""
    if not answer:
        typer.echo(err=True)
        _fail("there was no answer, so nothing was written; `--yes` writes without asking")
    return answer.strip().lower() in ("y", "yes")


def configured(name: str) -> str | None:
    """Return a setting of a call, from the configuration of the working directory; None where it says nothing of it.

    One that is not understood says nothing: each Dockerfile that it counts for reports that.
    """
    from dockopt.optimizer.configuration import find_configuration
    from dockopt.optimizer.inputs import InputError

    try:
        return find_configuration(Path("Dockerfile")).text(name)
    except InputError:
        return None


def with_configuration(context: typer.Context, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a call, those that were not given as the configuration of the working directory has them."""
    found = dict(arguments)
    for name in ("format", "color"):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "DEFAULT":
            found[name] = configured(name) or found[name]
    return found


def _fail(message: str) -> NoReturn:
    from dockopt.optimizer.report.terminal import print_error

    print_error(message)
    raise typer.Exit(2)
