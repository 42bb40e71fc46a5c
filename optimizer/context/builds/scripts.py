"""Shell scripts: build commands in them, from the directory in which the script is started.

That directory is the top of the project or the script's own; a script that does not tell, and makes sense in both, is left
out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dockopt.optimizer.context.builds.model import DeclaredBuild, ProjectFile
from dockopt.optimizer.context.builds.shell_text import ShellText, from_either

_OTHER_INTERPRETER = re.compile(rb"\A#!(?!.*\b(?:ba|da|k|z|a)?sh\b)")


def read(file: ProjectFile) -> Iterator[DeclaredBuild]:
    """Yield the builds of a script. Raises NotUnderstood."""
    if b"\0" in file.data or _OTHER_INTERPRETER.match(file.data):
        return
    if "." not in file.path.name and not file.data.startswith(b"#!"):
        return

    def started(directory: Path) -> Iterator[DeclaredBuild]:
        return ShellText(file.text, file.path, file.root, directory, script=file.path).builds()

    yield from from_either((file.root, file.path.parent), started)
