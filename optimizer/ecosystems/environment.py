"""Variables that lead a tool to files of the project: what no manifest names, and an installation reads all the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.effects import ALWAYS_READ, matches
from dockopt.optimizer.regions import join

#: variables whose directories are looked at by models of their own
_SEARCHED = ("PATH",)
#: a value that may be a path from the working directory (`certs/ca.pem`), and no word, number or address
_RELATIVE = re.compile(r"(?:file:)?(?=[^/]*[/.])[\w.][\w./ -]*")


def named_in_project(around: Surroundings, names: Sequence[str], apart: Sequence[str] = ()) -> tuple[str, str] | None:
    """Return a variable that a tool heeds and whose value names something that comes from the context, and that path.

    `names` are the variables that the tool heeds (`GO*` is a prefix) beside those that every program does; those of `apart` are
    looked at elsewhere. Variables that the Dockerfile does not set are up to the base image, which does not know the project.
    """
    for name, value in sorted(around.assigned().items()):
        if value and matches(name, (*ALWAYS_READ, *names)) and not matches(name, (*_SEARCHED, *apart)):
            path = _path_in(around, value)
            if path is not None:
                return name, path
    return None


def _path_in(around: Surroundings, value: str) -> str | None:
    plain = value.replace("file://", " ")
    for root in around.project_roots:
        # `-I/app/include` and `a:/app/b` name it, `/srv/app` and `https://host/app` do not
        found = re.search(rf"(?:^|[^\w./~-]|(?:^|\s)-[A-Za-z]+)({re.escape(root)}(?:/[^\s:;,\"']*)?)(?![\w.-])", plain)
        if root != "/" and found is not None:
            return found.group(1)
    if around.cwd is not None and _RELATIVE.fullmatch(value):
        path = join(around.cwd, value.removeprefix("file:"))
        if path not in ("/", around.cwd) and around.kind(path) in ("file", "directory"):
            return path
    return None
