"""`package.json`: build commands in its scripts, which npm and its kin start in the package's directory."""

from __future__ import annotations

import json
from collections.abc import Iterator

from dockopt.optimizer.context.builds.model import DeclaredBuild, NotUnderstood, ProjectFile
from dockopt.optimizer.context.builds.shell_text import ShellText


def read(file: ProjectFile) -> Iterator[DeclaredBuild]:
    """Yield the builds in the scripts of a package. Raises NotUnderstood."""
    text = file.text
    try:
        package = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("it is no JSON", getattr(error, "lineno", 0)) from error
    scripts = package.get("scripts") if isinstance(package, dict) else None
    for name, script in scripts.items() if isinstance(scripts, dict) else ():
        if isinstance(script, str):
            key = text.find(json.dumps(name, ensure_ascii=False), max(text.find('"scripts"'), 0))
            line = text.count("\n", 0, max(key, 0)) + 1
            yield from ShellText(script, file.path, file.root, file.path.parent, line, f'script "{name}"').builds()
