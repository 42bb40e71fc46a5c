"""`devcontainer.json`: Dockerfile, context and target of a development container.

It is JSON with comments and trailing commas. Source: containers.dev, "Dev Container metadata reference", image or Dockerfile
specific properties: `build.dockerfile` and `build.context` are relative to the file; before 2021 they were `dockerFile` and
`context`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from dockopt.optimizer.context.builds.model import DeclaredBuild, NotUnderstood, ProjectFile, resolved

#: a string, which stays, or what JSON does not know: a comment, or a comma before the end
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*[\s\S]*?\*/')
_TRAILING_COMMA = re.compile(r'"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])')


def read(file: ProjectFile) -> Iterator[DeclaredBuild]:
    """Yield the build of a development container. Raises NotUnderstood."""
    text = file.text
    document = _load(text)
    if not isinstance(document, dict):
        return
    build = document.get("build")
    given = build if isinstance(build, dict) else {}
    dockerfile = _plain(given.get("dockerfile") or document.get("dockerFile"), file)
    context = _plain(given.get("context") or document.get("context") or ".", file)
    if dockerfile is None:
        return
    target, args = given.get("target"), given.get("args")
    stage = _plain(target, file)
    found = re.search(r'"(?:dockerfile|dockerFile)"', text)
    yield DeclaredBuild(
        file.path,
        text.count("\n", 0, found.start() if found else 0) + 1,
        "",
        resolved(file.path.parent, dockerfile),
        None if context is None else resolved(file.path.parent, context),
        stage or None,
        any_target=bool(target) and stage is None,
        args={str(k): v for k, v in args.items() if _plain(v, file) is not None} if isinstance(args, dict) else {},
    )


def _load(text: str) -> object:
    def blank(match: re.Match[str]) -> str:
        # line ends stay: errors name lines
        return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])

    try:
        return json.loads(_TRAILING_COMMA.sub(blank, _TOKEN.sub(blank, text)))
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("it is no JSON with comments", getattr(error, "lineno", 0)) from error


def _plain(value: object, file: ProjectFile) -> str | None:
    """Return a text without variables, but for the one that names the folder, else None."""
    if not isinstance(value, str):
        return None
    text = value.replace("${localWorkspaceFolder}", str(file.root))
    return None if "${" in text else text
