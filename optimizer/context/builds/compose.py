"""Compose files: context, target, build arguments and additional contexts of services.

Source: the Compose specification, `build.md`, `extends` and `interpolation.md`. Only what `docker compose config` would
resolve without any environment is used: a variable without a default makes its value unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockopt.optimizer.context.builds.files import content
from dockopt.optimizer.context.builds.model import DeclaredBuild, ProjectFile, resolved
from dockopt.optimizer.context.builds.yaml_lines import Lined, documents
from dockopt.optimizer.presence import is_file

_REMOTE = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|git@|github\.com/|[a-z]+:)", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\$|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])(.*))?\}$)")


def read(file: ProjectFile) -> Iterator[DeclaredBuild]:
    """Yield the local builds of a Compose file. Raises NotUnderstood."""
    services = _services(file.data)
    base = _overridden(file.path)
    below = _services(base) if base is not None else {}
    for name, service in services.items():
        if not isinstance(service, Lined) or not isinstance(name, str) or "build" not in service:
            continue
        lower = below.get(name)
        build = _merged(lower.get("build") if isinstance(lower, Lined) else None, service["build"])
        if "extends" in service and not (isinstance(build, str) or (isinstance(build, Mapping) and "context" in build)):
            continue  # the context is in the service that it extends
        found = _build(file.path, service.line_of("build"), name, build)
        if found is not None:
            yield found


def _overridden(file: Path) -> bytes | None:
    """Return the file that `docker-compose.override.yml` is laid over."""
    stem, dot, suffix = file.name.rpartition(".")
    if not stem.endswith(".override"):
        return None
    plain = file.with_name(stem.removesuffix(".override") + dot + suffix)
    return content(plain) if is_file(plain) and not plain.is_symlink() else None


def _services(data: bytes) -> Mapping[object, object]:
    found: dict[object, object] = {}
    for document in documents(data):
        services = document.get("services") if isinstance(document, Lined) else None
        if isinstance(services, Lined):
            found |= services
    return found


def _merged(below: object, build: object) -> object:
    if below is None or isinstance(build, str):
        return build
    lower = {"context": below} if isinstance(below, str) else below
    if not isinstance(lower, Mapping) or not isinstance(build, Mapping):
        return build
    return {**lower, **build, "args": {**_args(lower.get("args")), **_args(build.get("args"))}}


def _build(file: Path, line: int, service: str, build: object) -> DeclaredBuild | None:
    mapping = {"context": build} if isinstance(build, str) else build
    if not isinstance(mapping, Mapping) or "dockerfile_inline" in mapping:
        return None
    context = interpolate(mapping.get("context", "."))
    dockerfile = interpolate(mapping.get("dockerfile", "Dockerfile"))
    if not context or not dockerfile or _REMOTE.match(context):
        return None
    root = resolved(file.parent, context)
    target = mapping.get("target")
    stage = interpolate(target) if target is not None else None
    return DeclaredBuild(
        file,
        line,
        f'service "{service}"',
        resolved(root, dockerfile),
        root,
        stage or None,
        any_target=target is not None and stage is None,
        args=_args(mapping.get("args")),
        named_contexts=_names(mapping.get("additional_contexts")),
    )


def _names(contexts: object) -> tuple[str, ...]:
    if not isinstance(contexts, (list, Mapping)):
        return ()
    return tuple(str(item).partition("=")[0] for item in contexts)


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
