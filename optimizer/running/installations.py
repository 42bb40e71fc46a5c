"""Packages that the commands of a Dockerfile install by name, beside those of manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockopt.optimizer.model import Build

_INSTALLERS = frozenset("pip pip3 uv npm yarn pnpm bun poetry pdm pipenv".split())


def installed(build: Build, wanted: re.Pattern[str]) -> Iterator[tuple[str, int]]:
    """Yield the commands, with their lines, that install a wanted package, in whatever stage.

    The expression is one for manifests: it sees a line for each package, in the way of package.json, of which that of requirements is
    a part.
    """
    for command in build.executed:
        words = [word for word in command.argv if word is not None]
        if not {"install", "add", "i"} & set(words) or not _INSTALLERS & {command.name, *words[:3]}:
            continue
        packages = "\n".join(f'"{word.rpartition("@")[0] or word}":' for word in words)
        if wanted.search(packages) is not None:
            yield command.text, command.line
