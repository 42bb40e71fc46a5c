"""What `dockopt init` writes: a configuration in which every setting is explained, and a hook for pre-commit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

from dockopt.optimizer.configuration.files import FILE
from dockopt.optimizer.configuration.settings import (
    EFFECTS,
    EFFECTS_TABLE,
    PER_FILE_TABLE,
    SETTINGS,
    Scope,
    Setting,
    setting,
)
from dockopt.optimizer.inputs import InputError
from dockopt.optimizer.presence import is_directory

_WIDTH = 100
HOOKS = ".pre-commit-config.yaml"
#: a `local` hook of the language `system` starts the dockopt that is on PATH: nothing is fetched (pre-commit.com, "Repository local hooks")
_HOOK = """\
  - repo: local
    hooks:
      - id: dockopt
        name: Dockerfiles that dockopt can improve
        entry: dockopt suggest --check
        language: system
        files: (^|/)(Dockerfile|Containerfile)([.][^/]*)?$|[.]Dockerfile$
"""


class Beginning(NamedTuple):
    """A file to write, and what to add where there is one already."""

    name: str
    text: str
    addition: str


def begin(directory: Path, ask: Callable[[str], bool], say: Callable[[str], None]) -> None:
    """Show each file, ask, and write it; a file that exists is never touched. Raises InputError where it cannot be written."""
    if not is_directory(directory):
        raise InputError(f"{directory}: no such directory")
    for beginning in (Beginning(FILE, first_configuration(), ""), Beginning(HOOKS, f"repos:\n{_HOOK}", _HOOK)):
        path = directory / beginning.name
        if os.path.lexists(path):
            say(f"{path}: exists and stays as it is")
            if beginning.addition:
                say(f"to have the hook, add below `repos:`\n\n{beginning.addition}")
            continue
        say(f"{path}:\n\n{beginning.text}")
        if ask(f"write {path}?"):
            _write_new(path, beginning.text)
            say(f"{path}: written")


def _write_new(path: Path, text: str) -> None:
    """Make a file; one that has appeared meanwhile is left alone."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def first_configuration() -> str:
    """Return a configuration that says nothing yet: every setting as a comment, with what it means."""
    lines = ["# Settings of dockopt for the Dockerfiles in this directory and below."]
    for known in SETTINGS:
        lines += ["", *_comment(known)]
    example = setting("ignore")
    lines += [
        "",
        "# For some Dockerfiles only; the name is a pattern as in an ignore file.",
        f'# [{PER_FILE_TABLE}."deploy/*.Dockerfile"]',
        f"# {example.name} = {example.example}",
        "",
        "# What a script does that dockopt knows nothing of: trusted, and named in every proof that uses it.",
        f'# [{EFFECTS_TABLE}."./tools/version.sh"]',
        *(f"# {known.name} = {known.example}  # {known.text}" for known in EFFECTS),
    ]
    return "\n".join(lines) + "\n"


def _comment(known: Setting) -> Iterator[str]:
    text = f"{known.text[:1].upper()}{known.text[1:]}; without it: {known.default}."
    if known.choices:
        text += f" One of {', '.join(f'`{choice}`' for choice in known.choices)}."
    if known.scope is Scope.CALL:
        text += " What counts is the configuration of the working directory."
    yield from (f"# {line}" for line in wrap(text, _WIDTH))
    yield f"# {known.name} = {known.example}"
