"""Finds Dockerfiles below files and directories that a user names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from dockopt.optimizer.presence import is_file

#: never entered: other people's Dockerfiles, or copies of our own
SKIPPED_DIRECTORIES = frozenset(
    {".git", ".hg", ".svn", "node_modules", "vendor", ".venv", "venv", ".tox", ".nox", "__pycache__", ".terraform"}
)
_NAME = re.compile(r"(?:(?:docker|container)file(?:[._-].+)?|.+\.(?:docker|container)file)", re.IGNORECASE)
#: ignore files, editor backups, patches and rejects, templates that are no Dockerfile before they are filled in,
#: and documents about Dockerfiles
_OTHER = re.compile(
    r"(?:\.dockerignore|\.containerignore|~|\.swp|\.swo|\.bak|\.orig|\.rej|\.old|\.save|\.tmp|\.md|\.rst|\.txt|\.html"
    r"|\.j2|\.jinja2?|\.erb|\.tmpl|\.tpl|\.template|\.mustache|\.m4|\.go|\.py|\.js|\.ts|\.rb|\.sh|\.json|\.ya?ml|\.toml"
    r"|\.patch|\.diff|\.lock|\.sha\d*|\.sig)$",
    re.IGNORECASE,
)


def is_dockerfile_name(name: str) -> bool:
    """Tell whether a file name is one that Dockerfiles have: `Dockerfile`, `api.Dockerfile`, `Dockerfile.dev`.

    Containerfile likewise, in any case; `.dockerignore` files, backups, templates and sources of programs are not.
    """
    return _NAME.fullmatch(name) is not None and _OTHER.search(name) is None and not name.startswith((".#", "#"))


def find_dockerfiles(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the Dockerfiles of files and directories, each once, a directory's in path order.

    A file that is named is taken whatever it is called. Links to directories are not entered, nor are directories that
    cannot be listed or that hold installed packages. Raises FileNotFoundError for a path that does not exist, and another
    OSError where one that is named cannot be looked at.
    """
    seen: set[str] = set()
    for path in paths:
        if path.is_dir():
            found: Iterable[Path] = _below(path)
        elif path.exists():
            found = (path,)
        else:
            raise FileNotFoundError(path)
        for file in found:
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                yield file


def _below(top: Path) -> Iterator[Path]:
    with os.scandir(top):  # what is asked for has to be there; `walk` says nothing
        os.stat(os.path.join(top, "."))  # noqa: PTH116, PTH118  # `Path` drops the dot, and with it the search
    for directory, names, files in os.walk(top, followlinks=False):
        names[:] = sorted(name for name in names if name not in SKIPPED_DIRECTORIES)
        for name in sorted(files):
            if is_dockerfile_name(name):
                file = Path(directory, name)
                if is_file(file):
                    yield file
