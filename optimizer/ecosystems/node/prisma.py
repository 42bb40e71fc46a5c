"""Prisma's client generator: which schema it reads, and that it writes into node_modules only."""

from __future__ import annotations

import re

from dockopt.optimizer.ecosystems.node.packages import Package
from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.regions import below, join

#: where `prisma generate` looks for a schema (prisma.io/docs/orm/prisma-schema/overview/location)
_PLACES = ("prisma/schema.prisma", "schema.prisma")
_CONFIGS = tuple(f"prisma.config.{extension}" for extension in ("js", "ts", "mjs", "cjs", "mts", "cts"))
_GENERATOR = re.compile(r"^\s*generator\s+\w+\s*\{(.*?)^\s*\}", re.MULTILINE | re.DOTALL)


def generate(view: View, package: Package, arguments: list[str], trees: list[str], *, asked: bool) -> None:
    """Follow `prisma generate`: the directory of the schema becomes a tree that is read. Raises `Obstacle`.

    Not `asked` is the postinstall script of @prisma/client, which does nothing without a schema.
    """
    given = ""
    for word in arguments:
        if word.startswith("--schema="):
            given = word.partition("=")[2]
        elif word == "--schema" and arguments[-1] != word:
            given = arguments[arguments.index(word) + 1]
        elif word not in ("--no-hints", "--no-engine", given) or not word:
            raise Obstacle(f"it calls `prisma generate {' '.join(arguments)}`")
    own = package.raw.get("prisma")
    if not given and isinstance(own, dict) and isinstance(own.get("schema"), str):
        given = own["schema"]
    for name in _CONFIGS:
        path = join(package.directory, name)
        view.require_absent(path, f"`{path}` is a program that prisma runs")
    places = [given] if given else list(_PLACES)
    found = next((path for place in places if view.kind(path := join(package.directory, place)) != "absent"), None)
    for place in places:
        path = join(package.directory, place)
        if path == found:
            break
        view.absent.append(path)
    if found is None:
        if asked:
            raise Obstacle("there is no schema for `prisma generate`")
        view.require_absent(join(package.directory, "prisma/schema"), "a directory of schemas is not followed")
        return
    kind = view.kind(found)
    if kind == "directory":
        trees.append(found)
        for name in view.listing(found):
            if view.kind(join(found, name)) != "file":
                raise Obstacle(f"`{found}` has directories in it", found)
            _check(view, package, join(found, name))
    else:
        # migrations and other files beside it are not read; the schema is one file
        view.need(found)
        _check(view, package, found)
    # Prisma loads .env beside package.json and beside the schema (prisma.io/docs/orm/more/development-environment/environment-variables)
    for directory in (package.directory, found.rpartition("/")[0] or "/", join(package.directory, "prisma")):
        path = join(directory, ".env")
        view.require_absent(path, f"prisma reads `{path}`, which may or may not be there; add it to the ignore file")


def _check(view: View, package: Package, path: str) -> None:
    text = re.sub(r"//[^\n]*", "", view.text(path))
    for found in _GENERATOR.finditer(text):
        first = text.count("\n", 0, found.start(1)) + 1
        named = re.search(r"^\s*(output|provider)\b", found.group(1), re.MULTILINE)
        written = re.search(r"\n\s*output\b", found.group(1)) or named
        line = first if written is None else first + found.group(1).count("\n", 0, written.end())
        settings = dict(re.findall(r"^\s*(\w+)\s*=\s*(.+?)\s*$", found.group(1), re.MULTILINE))
        if settings.get("provider") not in ('"prisma-client-js"', '"prisma-client-py"'):
            raise Obstacle(f"the generator {settings.get('provider', '')} writes files of its own", path, line)
        output = settings.get("output")
        if output is not None:
            place = join(path.rpartition("/")[0] or "/", output.strip('"'))
            if not output.startswith('"') or not below(place, join(package.directory, "node_modules")):
                raise Obstacle(f"prisma writes the client to `{output.strip(chr(34))}`, among the sources", path, line)
