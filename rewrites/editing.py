"""Edits that look as if the author had made them: whole lines, with their comments, in the file's own style."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit
from dockopt.optimizer.syntax import Dockerfile, Instruction

_INDENT = re.compile(rb"[ \t]*")
#: characters that need no quoting in a COPY, and mean themselves in an ignore file
PLAIN = re.compile(r"[A-Za-z0-9_./@%+,:=~-]+")


def block_start(instruction: Instruction) -> int:
    """Return the offset where an instruction begins together with the comments directly above it."""
    return instruction.comments[0].span.start if instruction.comments else instruction.span.start


def keyword(name: str, like: Instruction) -> str:
    """Return a keyword in the letter case of another instruction."""
    return name.lower() if like.keyword_raw.islower() else name


def indentation(instruction: Instruction) -> bytes:
    """Return the white space before an instruction."""
    found = _INDENT.match(instruction.raw)
    return found.group() if found is not None else b""


def ignore_entries(build: Build, paths: Sequence[str]) -> Edit | None:
    """Return the edit that adds paths at the end of the ignore file, which is made if there is none; None where that cannot be."""
    ignore_file = build.context.ignore_file
    if not paths or ignore_file is None or not all(PLAIN.fullmatch(path) for path in paths):
        return None
    name, text = ignore_file
    newline = b"\r\n" if b"\r\n" in text else b"\n"
    gap = newline if text and not text.endswith(b"\n") else b""
    return Edit(len(text), len(text), gap + b"".join(path.encode() + newline for path in dict.fromkeys(paths)), name)


def insert_above(dockerfile: Dockerfile, target: Instruction, lines: Sequence[str]) -> Edit:
    """Return the edit that puts new lines above an instruction and its comments."""
    at = block_start(target)
    text = b"".join(indentation(target) + line.encode() + dockerfile.newline for line in lines)
    return Edit(at, at, text)


def insert_below(dockerfile: Dockerfile, target: Instruction, lines: Sequence[str], like: Instruction) -> Edit:
    """Return the edit that puts new lines directly below an instruction, indented as another one is."""
    text = b"".join(indentation(like) + line.encode() + dockerfile.newline for line in lines)
    if not target.raw.endswith(b"\n"):
        text = dockerfile.newline + text.removesuffix(b"\n").removesuffix(b"\r")
    return Edit(target.span.end, target.span.end, text)


def move_above(
    dockerfile: Dockerfile,
    moved: Sequence[Instruction],
    target: Instruction,
    added: Mapping[int, bytes] | None = None,
    *,
    below_others: bool = False,
) -> tuple[Edit, ...]:
    """Return the edits that move instructions, with their comments, above another one and its comments.

    `added` has text to put in on the way, by the offset in the old file where it goes. An instruction that stands apart with its
    comments still does so afterwards; `below_others` tells that other edits put lines above the moved ones.
    """
    at = block_start(target)
    edits: list[Edit] = []
    for position, instruction in enumerate(moved):
        start, end = block_start(instruction), instruction.span.end
        text = dockerfile.source[start:end]
        for offset, more in sorted((added or {}).items(), reverse=True):
            if start <= offset < end:
                text = text[: offset - start] + more + text[offset - start :]
        if not text.endswith(b"\n"):
            text += dockerfile.newline
        apart = instruction.comments and _blank_above(dockerfile, start)
        if apart and (below_others or position):
            text = dockerfile.newline + text
        if (apart or target.comments) and position + 1 == len(moved) and _blank_above(dockerfile, at):
            text += dockerfile.newline
        edits.append(Edit(at, at, text))
        edits.append(Edit(*_without_gap(dockerfile, start, end), b""))
    return tuple(edits)


def move_below(dockerfile: Dockerfile, moved: Sequence[Instruction], target: Instruction) -> tuple[Edit, ...]:
    """Return the edits that move neighbouring instructions, with their comments, directly below another one."""
    start, end = block_start(moved[0]), moved[-1].span.end
    text = dockerfile.source[start:end]
    at = target.span.end
    if _blank_above(dockerfile, start) and not _blank_above(dockerfile, at):
        text = dockerfile.newline + text
    if not target.raw.endswith(b"\n"):
        text = dockerfile.newline + text.removesuffix(b"\n").removesuffix(b"\r")
    return Edit(*_without_gap(dockerfile, start, end), b""), Edit(at, at, text)


def _blank_above(dockerfile: Dockerfile, at: int) -> bool:
    return dockerfile.source[:at].endswith((b"\n\n", b"\n\r\n"))


def _without_gap(dockerfile: Dockerfile, start: int, end: int) -> tuple[int, int]:
    """Widen a range to be deleted by the blank line below it where there is one above too (or nothing below)."""
    source = dockerfile.source
    above = _blank_above(dockerfile, start)
    if above and source[end : end + 1] == b"\n":
        return start, end + 1
    if above and source[end : end + 2] == b"\r\n":
        return start, end + 2
    if above and end == len(source):
        return start - (2 if source[:start].endswith(b"\r\n") else 1), end
    return start, end


def with_mounts(dockerfile: Dockerfile, instruction: Instruction, flags: Sequence[str]) -> Edit:
    """Return the edit that adds flags to a RUN, each on a line of its own unless here-documents follow."""
    start = instruction.offset_of(instruction.args_start)
    at = instruction.flags[-1].span.end if instruction.flags else start
    if instruction.heredocs:
        text = " ".join(flags)
        return Edit(at, at, f" {text}".encode() if instruction.flags else f"{text} ".encode())
    gap = b" " + dockerfile.escape.encode() + dockerfile.newline + indentation(instruction) + b"    "
    text_lines = gap.join(flag.encode() for flag in flags)
    if not instruction.flags:
        return Edit(at, at, text_lines + gap)
    if b"\n" in dockerfile.source[at:start]:
        return Edit(at, at, gap + text_lines)
    return Edit(at, start, gap + text_lines + gap)
