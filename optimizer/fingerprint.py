"""The identity of a finding, which survives edits that have nothing to do with it.

It is made of the rewrite, the path of the Dockerfile in its repository, and the instruction that the finding speaks of: its
stage, its text without layout and comments, and its number among equal instructions of the stage. Lines, messages and what other
rewrites do are no part of it: they change with every edit, or with every release.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from dockopt.optimizer.syntax import Dockerfile, Instruction

#: raised when the same finding gets another fingerprint than before; baselines of older ones then know nothing
_VERSION = "dockopt/1"
#: 128 bits, in hexadecimal digits
_LENGTH = 32


def fingerprint(rewrite: str, place: str, instruction: tuple[str, ...], number: int = 0) -> str:
    """Return the fingerprint of the `number`-th thing (from 0) that a rewrite has to say of one instruction.

    `place` comes from `place_of`, `instruction` from `identity`.
    """
    parts = (_VERSION, rewrite, place, *instruction, *((str(number),) if number else ()))
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogateescape")
        digest.update(b"%d:%s" % (len(raw), raw))  # lengths: no two lists of parts read the same
    return digest.hexdigest()[:_LENGTH]


def place_of(path: str) -> str:
    """Return how a file is called on every machine: relative to its repository, else to the working directory, with `/`.

    One that lies below neither has its absolute path. Links are not followed.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - `..` is resolved in the text, as the shell's user means it
    top = repository_of(absolute.parent) or Path.cwd()
    return (absolute.relative_to(top) if absolute.is_relative_to(top) else absolute).as_posix()


@lru_cache(maxsize=1024)
def repository_of(directory: Path) -> Path | None:
    """Return the top of the repository that a directory lies in, None outside of one."""
    from dockopt.optimizer.context.locate import repository_root

    return repository_root(directory)


def instruction_at(dockerfile: Dockerfile, line: int) -> Instruction | None:
    """Return the instruction that has a line (from 1), or the next one below; None below the last one."""
    return next((found for found in dockerfile.instructions if found.end_line >= line), None)


def identity(dockerfile: Dockerfile, instruction: Instruction | None) -> tuple[str, ...]:
    """Return what tells an instruction from all others of its file, wherever it stands; () for none."""
    if instruction is None:
        return ()
    text = _text(instruction)
    stage = _stage(dockerfile, instruction)
    number = 0
    for other in dockerfile.instructions:
        if other.index == instruction.index:
            break
        number += _text(other) == text and _stage(dockerfile, other) == stage
    return (stage, text, str(number))


def _stage(dockerfile: Dockerfile, instruction: Instruction) -> str:
    """Return the name of a stage, or its base: a stage that is put in front of others leaves their findings alone."""
    if instruction.stage < 0:
        return ""
    stage = dockerfile.stages[instruction.stage]
    return stage.name or stage.base


def _text(instruction: Instruction) -> str:
    return "\n".join(_pieces(instruction))


def _pieces(instruction: Instruction) -> Iterator[str]:
    yield " ".join((instruction.keyword, *instruction.logical.split()[1:]))
    for heredoc in instruction.heredocs:
        yield heredoc.body
