"""The command line; this module imports next to nothing, the bodies import what they need (start-up time)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from dockopt.optimizer import (
    cli_building,
    cli_ci,
    cli_configuration,
    cli_harden,
    cli_lsp,
    cli_manual,
    cli_pin,
    cli_size,
)
from dockopt.optimizer.cli_building import BuildArgs, EngineName, Network, Secrets, build_options
from dockopt.optimizer.manual.examples import attach

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(
    name="dockopt",
    help="Rewrite Dockerfiles so that everyday rebuilds reuse more cache, with a proof that the image stays the same.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATHS]...",
        help="Dockerfiles and directories to search for them (default: the current directory); `-` is standard input.",
        show_default=False,
    ),
]
_Context = Annotated[
    Path | None, typer.Option("--context", metavar="DIR", help="The build context (default: found out and printed).")
]
_StdinFilename = Annotated[
    str | None, typer.Option("--stdin-filename", metavar="PATH", help="Where the Dockerfile on standard input lies.")
]
_Check = Annotated[bool, typer.Option("--check", help="Exit with 1 if there is something to improve.")]
_Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME",
        help="Form of the report: text, json, jsonl, sarif, github, gitlab, junit, checkstyle or markdown.",
    ),
]
_OutputFile = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the report to a file (default: standard output).")
]
_Baseline = Annotated[
    Path | None, typer.Option("--baseline", metavar="FILE", help="Leave out the findings that this file has.")
]
_WriteBaseline = Annotated[
    Path | None,
    typer.Option("--write-baseline", metavar="FILE", help="Write all findings to a file for `--baseline`."),
]
_DiffBase = Annotated[
    str | None,
    typer.Option("--diff-base", metavar="REV", help="Only what the branch touched since it left this commit."),
]
_Color = Annotated[
    str,
    typer.Option(
        "--color", metavar="auto|always|never", help="Colours; `auto` looks at the terminal, NO_COLOR and FORCE_COLOR."
    ),
]
_Explain = Annotated[
    bool, typer.Option("--explain", help="Print each proof: values compared, inputs frozen, assumptions.")
]
_ExplainRefusals = Annotated[
    bool, typer.Option("--explain-refusals", help="Print the places that were left alone, and why.")
]
_Unproven = Annotated[
    bool, typer.Option("--unproven", help="Show proposals without a proof, and what the proof lacks.")
]
_All = Annotated[
    bool,
    typer.Option("--all", help="Show also what would change the image; applied only where `--select` names it."),
]
_Select = Annotated[list[str] | None, typer.Option("--select", metavar="ID,ID", help="Only these rewrites.")]
_Ignore = Annotated[list[str] | None, typer.Option("--ignore", metavar="ID,ID", help="All rewrites but these.")]
_Jobs = Annotated[
    int, typer.Option("--jobs", "-j", min=0, metavar="N", help="Processes for many files; 0: one per processor.")
]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print findings only: no notes, no summary.")]
_Bisect = Annotated[
    int | None,
    typer.Option("--bisect-limit", min=0, metavar="N", help="Stop after N changes, to find the one that does harm."),
]
_Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Tell on standard error how long each step took.")]
_LogFormat = Annotated[
    str, typer.Option("--log-format", metavar="text|json", help="Form of standard error; `json` tells every step.")
]
_Traceback = Annotated[
    bool, typer.Option("--traceback", envvar="DOCKOPT_TRACEBACK", hidden=True, help="Tracebacks of internal errors.")
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from dockopt.optimizer.versions import versions

        typer.echo(versions(), nl=False)
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print all versions and exit.")
]


@app.callback()
def _dockopt(version: _Version = False) -> None:
    pass


@app.command(short_help="Show what would rebuild faster, as a diff.")
def suggest(
    ctx: typer.Context,
    paths: _Paths = None,
    context: _Context = None,
    stdin_filename: _StdinFilename = None,
    check: _Check = False,
    format: _Format = "text",
    output: _OutputFile = None,
    baseline: _Baseline = None,
    write_baseline: _WriteBaseline = None,
    diff_base: _DiffBase = None,
    color: _Color = "auto",
    explain: _Explain = False,
    explain_refusals: _ExplainRefusals = False,
    unproven: _Unproven = False,
    all: _All = False,
    select: _Select = None,
    ignore: _Ignore = None,
    quiet: _Quiet = False,
    jobs: _Jobs = 0,
    bisect_limit: _Bisect = None,
    verbose: _Verbose = False,
    log_format: _LogFormat = "text",
    traceback: _Traceback = False,
) -> None:
    """Show what would rebuild faster, as a diff, with the reason why the image stays the same."""
    _run(**locals(), fix=False, write=False)


@app.command(short_help="Apply the changes that keep the image.")
def fix(
    ctx: typer.Context,
    paths: _Paths = None,
    write: Annotated[bool, typer.Option("--write", help="Write the files; without it only the diff is shown.")] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="With --write: build both first, and write only where the images are the same."),
    ] = False,
    engine: EngineName = None,
    network: Network = None,
    build_arg: BuildArgs = None,
    secret: Secrets = None,
    context: _Context = None,
    stdin_filename: _StdinFilename = None,
    check: _Check = False,
    format: _Format = "text",
    output: _OutputFile = None,
    baseline: _Baseline = None,
    diff_base: _DiffBase = None,
    color: _Color = "auto",
    explain: _Explain = False,
    explain_refusals: _ExplainRefusals = False,
    unproven: _Unproven = False,
    all: _All = False,
    select: _Select = None,
    ignore: _Ignore = None,
    quiet: _Quiet = False,
    jobs: _Jobs = 0,
    bisect_limit: _Bisect = None,
    verbose: _Verbose = False,
    log_format: _LogFormat = "text",
    traceback: _Traceback = False,
) -> None:
    """Apply the changes that are proven to keep the image; `-` reads standard input and prints the new Dockerfile."""
    arguments = locals()
    building = [arguments.pop(name) for name in ("engine", "network", "build_arg", "secret")]
    if verify and not write:
        _fail("`--verify` goes with `--write`; `dockopt verify` builds without writing")
    if not verify and any(building):
        _fail("`--engine`, `--network`, `--build-arg` and `--secret` go with `--verify`")
    options = build_options(engine, None, context, None, None, network, build_arg, secret)
    arguments["verify"] = options if verify else None
    _run(**arguments, fix=True)


@app.command(short_help="Explain one rewrite.")
def explain(rule: Annotated[str, typer.Argument(metavar="RULE", help="Id of a rewrite (`dockopt rules`).")]) -> None:
    """Explain one rewrite: what it does, why, when it refuses, and why it is safe."""
    from dockopt.optimizer.rules import explanation

    _answer(lambda: explanation(rule))


@app.command()
def rules() -> None:
    """List all rewrites."""
    from dockopt.optimizer.rules import table

    _answer(table)


@app.command()
def graph(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A Dockerfile; `-` is standard input.")],
    format: Annotated[str, typer.Option("--format", metavar="dot|mermaid|json", help="Form of the graph.")] = "dot",
) -> None:
    """Print what every instruction depends on, and why."""
    _one_of("--format", format, ("dot", "mermaid", "json"))

    def answer() -> str:
        from dockopt.optimizer.graph import render
        from dockopt.optimizer.inputs import check_dockerfile, read_file, read_stdin

        content = read_stdin() if path == "-" else read_file(Path(path))
        check_dockerfile(content)
        return str(render(Path("Dockerfile" if path == "-" else path), content, format))

    _answer(answer, path)


for part in (cli_building, cli_ci, cli_configuration, cli_harden, cli_lsp, cli_manual, cli_pin, cli_size):
    part.add_to(app)
attach(app.registered_commands)


def _run(ctx: typer.Context, **arguments: Any) -> None:
    """Turn the options into a request, and everything that may go wrong into an exit code."""
    import os

    from dockopt.optimizer.engine import Options
    from dockopt.optimizer.invocation import Request, UsageProblem, run
    from dockopt.optimizer.report.formats import FORMATS
    from dockopt.optimizer.report.log import Log
    from dockopt.optimizer.report.outcome import Shown

    arguments = cli_configuration.with_configuration(ctx, arguments)
    _one_of("--format", arguments["format"], FORMATS)
    _one_of("--color", arguments["color"], ("auto", "always", "never"))
    _one_of("--log-format", arguments["log_format"], ("text", "json"))
    select, ignore = _ids("--select", arguments["select"]), _ids("--ignore", arguments["ignore"])
    request = Request(
        paths=tuple(arguments["paths"] or ()),
        stdin_filename=arguments["stdin_filename"],
        options=Options(
            context=arguments["context"],
            select=select,
            ignore=ignore or frozenset(),
            bisect_limit=arguments["bisect_limit"],
            named=select or frozenset(),
            offers=arguments["all"],
        ),
        shown=Shown(
            explain=arguments["explain"],
            refusals=arguments["explain_refusals"],
            unproven=arguments["unproven"],
            all=arguments["all"],
            quiet=arguments["quiet"],
        ),
        fix=arguments["fix"],
        write=arguments["write"],
        check=arguments["check"],
        format=arguments["format"],
        output=arguments["output"],
        baseline=arguments["baseline"],
        write_baseline=arguments.get("write_baseline"),
        diff_base=arguments["diff_base"],
        color=arguments["color"],
        traceback=arguments["traceback"],
        jobs=arguments["jobs"],
        verbose=arguments["verbose"],
        log_format=arguments["log_format"],
        verify=arguments.get("verify"),
    )
    try:
        code = run(request)
    except UsageProblem as problem:
        Log(request.log_format, False, os.environ).error(str(problem))
        code = 2
    except OSError as error:
        code = _output_failed(error)
    raise typer.Exit(code)


def _ids(option: str, values: list[str] | None) -> frozenset[str] | None:
    if values is None:
        return None
    from dockopt.optimizer.rules import UnknownRule, known_ids

    try:
        return known_ids(part.strip() for value in values for part in value.split(","))
    except UnknownRule as error:
        _fail(f"{option}: {error}")


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        _fail(f"{option}: `{value}` is none of {', '.join(allowed)}")


def _answer(text: Callable[[], str], path: str = "") -> None:
    """Print what a query answers; a bad question or input is one line and exit code 2."""
    from dockopt.optimizer.inputs import InputError
    from dockopt.optimizer.report.terminal import Output
    from dockopt.optimizer.rules import UnknownRule

    try:
        answer = text()
    except UnknownRule as error:
        _fail(str(error))
    except InputError as error:
        _fail(error.located(path))
    try:
        output = Output("never")
        output.write(answer.encode(output.encoding, "backslashreplace"))
    except OSError as error:
        raise typer.Exit(_output_failed(error)) from None


def _fail(message: str) -> NoReturn:
    from dockopt.optimizer.report.terminal import print_error

    print_error(message)
    raise typer.Exit(2)


def _output_failed(error: OSError) -> int:
    """The exit code when standard output takes nothing more: like a program that SIGPIPE ended, or 2 with a message."""
    import os
    import sys

    # whatever is still buffered must not fail again when the interpreter shuts down
    if sys.stdout is not None:  # None where the process was started without one
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 141
    from dockopt.optimizer.report.terminal import print_error

    print_error(f"standard output cannot be written: {error.strerror or error}")
    return 2


def run_command_line(arguments: list[str] | None = None) -> int:
    """Run the program on `arguments` (default: those of the process) and return its exit code; never raises.

    0 fine, 1 findings with `--check`, 2 wrong usage or unusable input, 3 a defect of dockopt, 130 interrupted.
    """
    try:
        result = app(args=arguments, prog_name="dockopt", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 2
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _last_resort(error)


def _last_resort(error: Exception) -> int:
    from dockopt.optimizer.report.terminal import print_error

    # typer brings its own copy of click from 0.26 on: its usage errors are known by their shape, not by their class
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        context = getattr(error, "ctx", None)
        if context is not None and type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(context.get_help(), err=True)
        else:
            command = context.command_path if context is not None else "dockopt"
            message = str(error.format_message()).strip().rstrip(".")
            print_error(f"{message[:1].lower()}{message[1:]}; `{command} --help` tells more")
        return int(error.exit_code)
    import os

    from dockopt.optimizer.invocation import INTERNAL_ERROR, internal_error

    with_traceback = bool(os.environ.get("DOCKOPT_TRACEBACK"))
    if isinstance(error, OSError) and not with_traceback:
        # files have names; the standard output has none, nor has the working directory
        if error.filename is None and isinstance(error, FileNotFoundError):
            print_error("the working directory is not there any more; change to one that is")
            return 2
        if error.filename is None:
            return _output_failed(error)
        from dockopt.optimizer.inputs import refusal

        print_error(f"{os.fsdecode(error.filename)}: {refusal(error)}")
        return 2
    print_error(internal_error(error, with_traceback))
    return INTERNAL_ERROR


def main() -> None:
    """Entry point of the `dockopt` script."""
    raise SystemExit(run_command_line())
