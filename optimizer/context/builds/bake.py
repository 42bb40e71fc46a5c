"""Bake files (`docker-bake.hcl`, `.json`, `.override.*`): contexts, targets and named contexts.

Source: the Bake file reference. Variables and functions depend on the environment of the call, so a value that uses one is
unknown; a matrix of literal values is expanded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import NamedTuple

from dockopt.optimizer.context.builds.files import content
from dockopt.optimizer.context.builds.hcl import UNKNOWN, Reference, Value, blocks, template
from dockopt.optimizer.context.builds.model import DeclaredBuild, NotUnderstood, ProjectFile, resolved
from dockopt.optimizer.presence import is_file

_REMOTE = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|git@|github\.com/)", re.IGNORECASE)
_MAX_COMBINATIONS = 100


class _Target(NamedTuple):
    attributes: Mapping[str, Value]
    line: int


def read(file: ProjectFile) -> Iterator[DeclaredBuild]:
    """Yield the builds of a Bake file. Raises NotUnderstood."""
    own = _targets(file.path, file.data)
    targets = {name: target.attributes for name, target in own.items()}
    for base in _overridden(file.path):
        data = content(base)
        below = {} if data is None else _targets(base, data)
        targets = {name: target.attributes for name, target in below.items()} | {
            name: {**(below[name].attributes if name in below else {}), **attributes}
            for name, attributes in targets.items()
        }
    for name, target in own.items():
        attributes = _inherited(name, targets, ())
        for values in _combinations(attributes.get("matrix")):
            known = {key: _value(value, values) for key, value in attributes.items()}
            yield from _builds(file, name, target.line, known)


def _targets(path: Path, data: bytes) -> dict[str, _Target]:
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    if path.suffix.lower() == ".json":
        return _from_json(text)
    return {
        block.labels[0]: _Target(block.attributes, block.line)
        for block in blocks(text)
        if block.type == "target" and len(block.labels) == 1
    }


def _from_json(text: str) -> dict[str, _Target]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        raise NotUnderstood("it is no JSON", line) from error
    targets = document.get("target") if isinstance(document, dict) else None
    if not isinstance(targets, dict):
        return {}
    found = {}
    for name, attributes in targets.items():
        if isinstance(attributes, dict):
            place = text.find(json.dumps(name))
            line = text.count("\n", 0, max(place, 0)) + 1
            found[name] = _Target({key: _plain(value) for key, value in attributes.items()}, line)
    return found


def _plain(value: object) -> Value:
    if isinstance(value, str):
        return template(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, bool) else str(value)


def _overridden(path: Path) -> list[Path]:
    """Return the files that Bake lays `docker-bake.override.*` over."""
    if not path.stem.endswith(".override"):
        return []
    plain = (path.with_name(path.stem.removesuffix(".override") + suffix) for suffix in (".json", ".hcl"))
    return [base for base in plain if is_file(base) and not base.is_symlink()]


def _inherited(name: str, targets: Mapping[str, Mapping[str, Value]], seen: tuple[str, ...]) -> dict[str, Value]:
    """Return the attributes of a target over those that it inherits; parents that other files define are left out."""
    own = targets.get(name)
    if own is None or name in seen:
        return {}
    found: dict[str, Value] = {}
    parents = own.get("inherits")
    for parent in parents if isinstance(parents, list) else ():
        if isinstance(parent, str):
            inherited = _inherited(parent, targets, (*seen, name))
            inherited.pop("matrix", None)
            found = _over(found, inherited)
    return _over(found, own)


def _over(lower: Mapping[str, Value], upper: Mapping[str, Value]) -> dict[str, Value]:
    """Lay attributes over others; maps are merged, `null` does not count."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = {**below, **value}
        elif value is not None:
            merged[key] = value
    return merged


def _combinations(matrix: Value) -> Iterator[Mapping[str, Value]]:
    if not isinstance(matrix, dict) or not all(isinstance(values, list) for values in matrix.values()):
        yield {}
        return
    axes = [[(name, value) for value in values] for name, values in matrix.items() if isinstance(values, list)]
    for count, combination in enumerate(product(*axes)):
        if count >= _MAX_COMBINATIONS:
            raise NotUnderstood("a matrix is too large")
        yield dict(combination)


def _value(value: Value, matrix: Mapping[str, Value]) -> Value:
    """Replace a reference into the matrix by what it stands for, any other by UNKNOWN."""
    if not isinstance(value, Reference):
        return value
    found: Value = matrix.get(value.path[0], UNKNOWN)
    for name in value.path[1:]:
        found = found.get(name, UNKNOWN) if isinstance(found, dict) else UNKNOWN
    return UNKNOWN if isinstance(found, Reference) else found


def _builds(file: ProjectFile, name: str, line: int, attributes: Mapping[str, Value]) -> Iterator[DeclaredBuild]:
    dockerfile, context = attributes.get("dockerfile", "Dockerfile"), attributes.get("context", ".")
    if not isinstance(dockerfile, str) or attributes.get("dockerfile-inline") is not None:
        return
    target, args, contexts = (attributes.get(key) for key in ("target", "args", "contexts"))
    for directory in dict.fromkeys((file.path.parent, file.root)):
        local = None
        if isinstance(context, str) and not _REMOTE.match(context):
            local = resolved(directory, context)
        # relative to the context; where that is not known, the top of a project is what it mostly is
        path = resolved(directory if local is None else local, dockerfile)
        if not is_file(path):
            continue
        yield DeclaredBuild(
            file.path,
            line,
            f'target "{name}"',
            path,
            local,
            target if isinstance(target, str) and target else None,
            any_target=target is UNKNOWN,
            args={key: value for key, value in args.items() if isinstance(value, str)}
            if isinstance(args, dict)
            else {},
            named_contexts=tuple(contexts) if isinstance(contexts, dict) else (),
        )
        return  # Bake takes paths relative to where it is called: beside the file, else at the top of the project
