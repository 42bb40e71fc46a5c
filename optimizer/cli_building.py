"""The commands that build images: `verify`, `bench`, `diff-images`, and the options that `size` shares with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from dockopt.optimizer.building import BuildOptions

_Dockerfile = Annotated[
    str, typer.Argument(metavar="[PATH]", help="A Dockerfile, or a directory that has one.", show_default=False)
]
EngineName = Annotated[
    str | None,
    typer.Option("--engine", metavar="docker|podman|buildah", help="What builds (default: the first that answers)."),
]
Builder = Annotated[
    str | None, typer.Option("--builder", metavar="NAME", help="A builder of docker buildx: remote, Kubernetes, ….")
]
Context = Annotated[
    Path | None, typer.Option("--context", metavar="DIR", help="The build context (default: found out and printed).")
]
Platform = Annotated[str | None, typer.Option("--platform", metavar="OS/ARCH", help="As of `docker build`.")]
Target = Annotated[str | None, typer.Option("--target", metavar="STAGE", help="As of `docker build`.")]
Network = Annotated[str | None, typer.Option("--network", metavar="MODE", help="As of `docker build`.")]
BuildArgs = Annotated[
    list[str] | None, typer.Option("--build-arg", metavar="NAME=VALUE", help="As of `docker build`; repeatable.")
]
Secrets = Annotated[
    list[str] | None, typer.Option("--secret", metavar="SPEC", help="As of `docker build`; repeatable.")
]
_Select = Annotated[
    list[str] | None,
    typer.Option("--select", metavar="ID,ID", help="Only these rewrites, also those that change the image on purpose."),
]
Ssh = Annotated[list[str] | None, typer.Option("--ssh", metavar="SPEC", help="As of `docker build`; repeatable.")]
_Cache = Annotated[
    bool, typer.Option("--cache", help="Let the engine reuse layers; without it both images are built from scratch.")
]
_Edits = Annotated[
    list[str],
    typer.Option("--edit", metavar="FILE", help="A file of the context to edit before each rebuild; repeatable."),
]
_Runs = Annotated[
    int, typer.Option("--runs", metavar="N", min=1, help="Rebuilds per edit and side; the median counts.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(short_help="Build before and after, and compare the images.")(verify)
    app.command(short_help="Rebuild before and after an edit, and compare the times.")(bench)
    app.command("diff-images", short_help="Show how two images differ.")(diff_images)


def verify(
    path: _Dockerfile = "Dockerfile",
    context: Context = None,
    engine: EngineName = None,
    builder: Builder = None,
    platform: Platform = None,
    target: Target = None,
    network: Network = None,
    build_arg: BuildArgs = None,
    secret: Secrets = None,
    ssh: Ssh = None,
    cache: _Cache = False,
    select: _Select = None,
) -> None:
    """Build the Dockerfile as it is and as `fix` would write it, and compare the two images path by path.

    Rewrites that change the image on purpose are applied where `--select` names them; the images may differ in what they declare.

    Exit code 0: same image, or one that differs as declared (or nothing to change); 1: the images differ otherwise, or only the
    rewritten file fails; 2: nothing can be said.
    """
    from dockopt.optimizer.building import run_verify

    options = build_options(engine, builder, context, platform, target, network, build_arg, secret, ssh, cache)
    chosen = _ids(select)
    print_answer(lambda: run_verify(path, options, chosen), path)


def bench(
    edit: _Edits,
    path: _Dockerfile = "Dockerfile",
    runs: _Runs = 3,
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
    """Measure how long a rebuild takes after an edit, as the Dockerfile is and as `fix` would write it.

    The edit is made in a copy of the context; your files stay as they are.
    """
    from dockopt.optimizer.building import run_bench

    options = build_options(engine, builder, context, platform, target, network, build_arg, secret, ssh, True)
    print_answer(lambda: run_bench(path, edit, runs, options), path)


def diff_images(
    one: Annotated[str, typer.Argument(metavar="IMAGE", help="A name, an archive, or a folder with an OCI layout.")],
    two: Annotated[str, typer.Argument(metavar="IMAGE", help="The other one.")],
    engine: EngineName = None,
) -> None:
    """Show how two images differ: every path with kind, mode, owner and content, and the settings; times are left out.

    Exit code 0: same, 1: different, 2: an image cannot be read.
    """
    from dockopt.optimizer.building import run_diff_images

    options = build_options(engine)
    print_answer(lambda: run_diff_images(one, two, options), one)


def build_options(
    engine: str | None,
    builder: str | None = None,
    context: Path | None = None,
    platform: str | None = None,
    target: str | None = None,
    network: str | None = None,
    build_args: list[str] | None = None,
    secrets: list[str] | None = None,
    ssh: list[str] | None = None,
    cache: bool = False,
) -> BuildOptions:
    """Return the options of a build; an engine that does not exist ends the program."""
    from dockopt.optimizer.building import BuildOptions
    from dockopt.optimizer.cli_configuration import configured
    from dockopt.optimizer.engines.choose import NAMES

    if engine is not None and engine not in NAMES:
        fail(f"--engine: `{engine}` is none of {', '.join(NAMES)}")
    if engine is None and builder is None:
        engine = configured("engine")
    return BuildOptions(
        engine, builder, context, platform, target, network, build_args or (), secrets or (), ssh or (), cache
    )


def _ids(values: list[str] | None) -> frozenset[str] | None:
    """Return the ids of rewrites that `--select` names; an unknown one ends the program."""
    if values is None:
        return None
    from dockopt.optimizer.rules import UnknownRule, known_ids

    try:
        return known_ids(part.strip() for value in values for part in value.split(","))
    except UnknownRule as error:
        fail(f"--select: {error}")


def print_answer(answer: Callable[[], tuple[str, int]], path: str) -> None:
    """Print an answer and exit with its code; what went wrong goes to standard error with exit code 2."""
    from dockopt.optimizer.building import CannotBuild
    from dockopt.optimizer.inputs import InputError
    from dockopt.optimizer.report.terminal import Output

    try:
        text, code = answer()
    except CannotBuild as error:
        fail(str(error))
    except InputError as error:
        fail(error.located(path))
    output = Output("never")
    output.write(text.encode(output.encoding, "backslashreplace"))
    raise typer.Exit(code)


def fail(message: str) -> NoReturn:
    """Print a message on standard error and end with exit code 2."""
    from dockopt.optimizer.report.terminal import print_error

    for line in message.splitlines():
        print_error(line)
    raise typer.Exit(2)
