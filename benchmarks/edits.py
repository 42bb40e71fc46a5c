"""What people edit in the example projects: read from `edits.toml`, which says what it may hold, and made in copies."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("edits.toml")
KINDS = ("source", "dependency", "dockerfile")
_MARK = "{mark}"


class BadEdit(ValueError):
    """An edit that does not fit its example; the message names both."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one text: a line at its end where nothing is replaced."""

    file: str  #: relative to the context; "" is the Dockerfile
    text: str
    replaced: str | None = None

    def apply(self, before: bytes, mark: str) -> bytes:
        """Return the edited text. Raises BadEdit where what is replaced does not stand there exactly once."""
        new = self.text.replace(_MARK, mark).encode()
        if self.replaced is None:
            return before + (b"" if before.endswith(b"\n") or not before else b"\n") + new + b"\n"
        old = self.replaced.encode()
        if before.count(old) != 1:
            raise BadEdit(f"{self.file or 'Dockerfile'}: `{self.replaced}` stands there {before.count(old)} times")
        return before.replace(old, new)


@cache
def edits() -> dict[str, dict[str, tuple[Edit, ...]]]:
    """Return the edits of all examples: name → kind → edits. Raises BadEdit, tomllib.TOMLDecodeError."""
    return {name: _of_example(name, entry) for name, entry in tomllib.loads(TABLE.read_text(encoding="utf-8")).items()}


def _of_example(name: str, entry: dict[str, Any]) -> dict[str, tuple[Edit, ...]]:
    if set(entry) != set(KINDS):
        raise BadEdit(f"{TABLE.name}: `{name}` needs {', '.join(KINDS)}, and has {', '.join(entry)}")
    found = {}
    for kind in KINDS:
        if not any(_MARK in str(item) for item in entry[kind]):
            raise BadEdit(f"{TABLE.name}: `{kind}` of `{name}` has no {_MARK}, so two builds would be the same")
        found[kind] = tuple(_edit(f"`{kind}` of `{name}`", item, kind != "dockerfile") for item in entry[kind])
    return found


def _edit(where: str, item: dict[str, str], needs_file: bool) -> Edit:
    match item:
        case {"append": text, **rest}:
            replaced = None
        case {"replace": replaced, "by": text, **rest}:
            pass
        case _:
            raise BadEdit(f"{TABLE.name}: {where} neither appends nor replaces: {item}")
    file = rest.pop("file", "")
    if rest or bool(file) != needs_file:
        raise BadEdit(f"{TABLE.name}: {where} has the wrong keys: {item}")
    return Edit(file, text, replaced)


def project(context: Path, dockerfile: Path, text: bytes, folder: Path) -> Path:
    """Copy a project with this text as its Dockerfile: `COPY . .` takes it along, so its edits count there, too."""
    copy = folder / context.name
    shutil.copytree(context, copy, symlinks=True)
    (copy / dockerfile.relative_to(context)).write_bytes(text)
    return copy


def edit_project(copy: Path, dockerfile: Path, some: tuple[Edit, ...], mark: str) -> None:
    """Make edits in a copy of a project; `dockerfile` lies in it. Raises BadEdit, OSError where a file is not there."""
    for edit in some:
        path = copy / edit.file if edit.file else dockerfile
        path.write_bytes(edit.apply(path.read_bytes(), mark))
