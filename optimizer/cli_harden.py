"""The command `harden`: what a container of the image needs at run time, as YAML for Compose or Kubernetes."""

from __future__ import annotations

from typing import Annotated

import typer

_FORMS = ("compose", "kubernetes")


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(short_help="Print run-time settings that go with a container without root.")(harden)


def harden(
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="A Dockerfile, or a directory that has one.", show_default=False)
    ] = "Dockerfile",
    for_: Annotated[
        str, typer.Option("--for", metavar="compose|kubernetes", help="What runs the container.")
    ] = "compose",
) -> None:
    """Print settings that leave the container no more than it needs: no capabilities, a read-only root, no new privileges.

    Exit code 0: printed; 1: it needs root, or that cannot be told; 2: the file cannot be read.
    """
    from pathlib import Path

    from dockopt.optimizer.inputs import InputError, check_dockerfile, read_file
    from dockopt.optimizer.opening import open_build
    from dockopt.optimizer.presence import is_directory
    from dockopt.optimizer.report.terminal import Output, print_error
    from dockopt.optimizer.running.hardening import NotHardened, hardening
    from dockopt.optimizer.symbolic.execute import Unsupported

    if for_ not in _FORMS:
        print_error(f"--for: `{for_}` is none of {', '.join(_FORMS)}")
        raise typer.Exit(2)
    file = Path(path) / "Dockerfile" if is_directory(Path(path)) else Path(path)
    try:
        content = read_file(file)
        check_dockerfile(content)
        opened = open_build(file, content)
        text = hardening(opened.build, for_)
    except InputError as error:
        print_error(error.located(str(file)))
        raise typer.Exit(2) from error
    except Unsupported as error:
        print_error(f"{file}:{error.line}: {error.reason}")
        raise typer.Exit(2) from error
    except NotHardened as reason:
        print_error(f"{file}: nothing is printed, as the container needs root or may: {reason}")
        raise typer.Exit(1) from reason
    output = Output("never")
    output.write(text.encode(output.encoding, "backslashreplace"))
