"""The manual page `dockopt.1`, in the macros of man(7), made from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import wrap

from dockopt import __version__
from dockopt.optimizer.manual.tree import Command, Option, program

EXIT_CODES = (
    ("0", "fine"),
    ("1", "findings, with --check; images that differ, with verify and diff-images"),
    ("2", "wrong usage, or an input that cannot be read"),
    ("3", "an internal error: a bug, please report it"),
    ("130", "interrupted"),
)
VARIABLES = (
    ("NO_COLOR", "no colours, with --color auto"),
    ("FORCE_COLOR", "colours also where standard output is no terminal, with --color auto"),
    ("TRACEPARENT", "the trace that lines of --log-format json belong to (W3C Trace Context)"),
    ("DOCKOPT_TRACEBACK", "not empty: where an internal error comes from"),
)
FILES = (
    ("dockopt.toml", "the configuration, in the directory of a Dockerfile or above"),
    ("pyproject.toml", "the same in the table [tool.dockopt]"),
    (".dockerignore", "read as by the builder; a change may add to it"),
)


def manual_page() -> str:
    """Return the page as roff."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    top, commands = program()
    yield '.\\" made from the commands of dockopt by docs/fill.py'
    yield f'.TH DOCKOPT 1 "" "dockopt {__version__}" "User Commands"'
    yield from (".SH NAME", "dockopt \\- rewrite Dockerfiles so that rebuilds reuse more cache")
    yield ".SH SYNOPSIS"
    yield from (".B dockopt", ".I command", "[options] [arguments]")
    yield from (".SH DESCRIPTION", _prose(top.help))
    yield from _options(top.options)
    yield ".SH COMMANDS"
    for command in commands:
        yield from _command(command)
    for heading, rows in (("EXIT STATUS", EXIT_CODES), ("ENVIRONMENT", VARIABLES), ("FILES", FILES)):
        yield f".SH {heading}"
        for name, what in rows:
            yield from (".TP", f".B {_text(name)}", _prose(what))
    yield from (".SH SEE ALSO", ".BR docker-build (1),", ".BR buildah-build (1),", ".BR git-apply (1)")


def _command(command: Command) -> Iterator[str]:
    yield f".SS {command.name}"
    shown = "".join(f" {_text(argument.shown)}" for argument in command.arguments)
    yield f".B dockopt {_text(command.name)}"
    yield f"[options]{shown}"
    yield ".PP"
    for number, part in enumerate(re.split(r"\n\s*\n", command.help)):
        yield from (".PP",) if number else ()
        yield _prose(part)
    for argument in command.arguments:
        if argument.help:
            yield from (".TP", f".I {_text(argument.value.called)}", _prose(argument.help))
    yield from _options(command.options)
    if command.examples:
        yield from (".PP", "Examples:", ".PP", ".nf")
        for what, typed in command.examples:
            yield from (f"    # {_text(what)}", f"    {_text(typed)}")
        yield ".fi"


def _options(options: tuple[Option, ...]) -> Iterator[str]:
    for option in options:
        if "--help" in option.names:
            continue
        names = ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names)
        value = "" if option.value is None else f" \\fI{_text(option.value.called)}\\fR"
        yield from (".TP", f"{names}{value}", _prose(option.help))


def _prose(text: str) -> str:
    """Return running text for roff, in lines that an editor shows whole."""
    # escapes make a line longer than it is shown
    return "\n".join(_text(line) for line in wrap(text, 64, break_long_words=False, break_on_hyphens=False))


def _text(text: str) -> str:
    """Return one line for roff: hyphens that can be copied, and nothing that is taken for a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("…", "...")
    text = text.replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    return f"\\&{text}" if text.startswith(".") else text
