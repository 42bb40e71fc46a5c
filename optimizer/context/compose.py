"""Reads what Compose files say about building a Dockerfile: context, target, build arguments.

Source: the Compose specification, `build.md` and `interpolation.md`. Only what `docker compose config` would resolve
without any environment is used: a variable without a default makes the service unknown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

_NAME = re.compile(r"(?:docker-)?compose(?:[._-].+)?\.ya?ml", re.IGNORECASE)
#: the order in which Compose itself looks for its file
_FIRST = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_FILE_LIMIT = 1024 * 1024  # bytes
_REMOTE = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|git@|github\.com/|[a-z]+:)", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\$|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])(.*))?\}$)")


@dataclass(frozen=True, slots=True)
class ComposeBuild:
    """How one service is built."""

    file: Path
    service: str
    context: Path
    dockerfile: Path
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    #: names that COPY --from, FROM and mounts may use besides the stages
    additional_contexts: tuple[str, ...] = ()


def compose_files(directory: Path) -> list[Path]:
    """Return the Compose files of one directory, those that Compose takes by itself first."""
    try:
        # a directory that gets or loses an entry has another time
        return list(_compose_files(directory, directory.stat().st_mtime_ns))
    except OSError:
        return []


@lru_cache(maxsize=256)
def _compose_files(directory: Path, _changed: int) -> tuple[Path, ...]:
    with os.scandir(directory) as entries:
        names = [entry.name for entry in entries if _NAME.fullmatch(entry.name) and entry.is_file()]
    return tuple(directory / name for name in sorted(names, key=_rank))


def _rank(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def read_compose(file: Path) -> tuple[ComposeBuild, ...]:
    """Return the local builds of a Compose file; a file that is broken or not understood has none."""
    services = _services(file)
    if not services:
        return ()
    base = _overridden(file)
    inherited = _services(base) if base is not None else {}
    found = []
    for name, service in services.items():
        if not isinstance(service, Mapping) or not isinstance(name, str) or "build" not in service:
            continue
        below = inherited.get(name)
        build = _merged(below.get("build") if isinstance(below, Mapping) else None, service["build"])
        if (read := _build(file, name, build)) is not None:
            found.append(read)
    return tuple(found)


def _overridden(file: Path) -> Path | None:
    """Return the file that `docker-compose.override.yml` is laid over."""
    stem, dot, suffix = file.name.rpartition(".")
    if not stem.endswith(".override"):
        return None
    plain = file.with_name(stem.removesuffix(".override") + dot + suffix)
    return plain if plain.is_file() else None


def _services(file: Path) -> Mapping[Any, Any]:
    try:
        with file.open("rb") as stream:
            data = stream.read(_FILE_LIMIT + 1)
    except OSError:
        return {}
    if b"build" not in data or len(data) > _FILE_LIMIT:
        return {}
    import yaml

    try:
        loaded = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return {}  # broken, or tags like `!reset`
    services = loaded.get("services") if isinstance(loaded, Mapping) else None
    return services if isinstance(services, Mapping) else {}


def _merged(below: object, build: object) -> object:
    if below is None or isinstance(build, str):
        return build
    lower = {"context": below} if isinstance(below, str) else below
    if not isinstance(lower, Mapping) or not isinstance(build, Mapping):
        return build
    return {**lower, **build, "args": {**_args(lower.get("args")), **_args(build.get("args"))}}


def _build(file: Path, service: str, build: object) -> ComposeBuild | None:
    mapping = {"context": build} if isinstance(build, str) else build
    if not isinstance(mapping, Mapping) or "dockerfile_inline" in mapping:
        return None
    context = interpolate(mapping.get("context", "."))
    dockerfile = interpolate(mapping.get("dockerfile", "Dockerfile"))
    if not context or not dockerfile or _REMOTE.match(context):
        return None
    root = Path(os.path.normpath(file.parent / context))
    if not root.is_dir():
        return None
    target = mapping.get("target")
    extra = mapping.get("additional_contexts")
    return ComposeBuild(
        file,
        service,
        root,
        Path(os.path.normpath(root / dockerfile)),
        interpolate(target) if target is not None else None,
        _args(mapping.get("args")),
        tuple(str(item).partition("=")[0] for item in extra) if isinstance(extra, (list, Mapping)) else (),
    )


def _args(args: object) -> dict[str, str]:
    pairs: Iterator[tuple[object, object]]
    if isinstance(args, Mapping):
        pairs = iter(args.items())
    elif isinstance(args, list):
        pairs = ((key, value) for key, equals, value in (str(item).partition("=") for item in args) if equals)
    else:
        return {}
    found = {}
    for name, value in pairs:
        if isinstance(name, str) and isinstance(value, (str, int, float)):
            text = interpolate(str(value).lower() if isinstance(value, bool) else str(value))
            if text is not None:
                found[name] = text
    return found


def interpolate(text: object) -> str | None:
    """Expand `$X`, `${X:-default}` and `$$` as Compose does in an empty environment; None where a value is missing."""
    if not isinstance(text, str):
        return None
    out: list[str] = []
    at = 0
    while at < len(text):
        if text[at] != "$":
            out.append(text[at])
            at += 1
            continue
        end = _end_of_variable(text, at)
        found = _VARIABLE.fullmatch(text, at, end)
        if found is None:
            return None
        if found[0] == "$$":
            out.append("$")
        elif found[3] in (":-", "-"):
            default = interpolate(found[4])
            if default is None:
                return None
            out.append(default)
        else:
            return None
        at = end
    return "".join(out)


def _end_of_variable(text: str, at: int) -> int:
    if text[at + 1 : at + 2] != "{":
        found = re.compile(r"\$(?:\$|[A-Za-z0-9_]*)").match(text, at)
        return found.end() if found else at + 1
    depth = 0
    for index in range(at + 1, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index + 1
    return len(text)
