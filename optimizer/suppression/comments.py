"""Reads the comments of a Dockerfile that keep rewrites away, and tells which of them say nothing, and why.

Only whole-line comments count, directly above an instruction, without a blank line between: these travel with it. The name is
followed by a colon, so no such comment is taken for a parser directive (those are `name=value`); but as every other comment it ends
the directives, so it has to stand below them (reference manual of the Dockerfile, "Parser directives").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dockopt.optimizer.rules import UnknownRule, known_ids
from dockopt.optimizer.suppression.hadolint import hadolint_rules
from dockopt.optimizer.syntax import Comment, Directive, Dockerfile, Instruction
from dockopt.optimizer.syntax.directives import read_directive
from dockopt.optimizer.syntax.tree import Bom
from dockopt.optimizer.wording import shortened

_OURS = re.compile(r"#+\s*dockopt\s*:\s*(?P<said>.*)", re.IGNORECASE | re.DOTALL)
_IGNORE = re.compile(
    r"(?P<what>ignore-file|ignore)\s*=\s*(?P<ids>[^\s,]+(?:\s*,\s*[^\s,]+)*)(?:\s+(?P<reason>.*))?", re.DOTALL
)


class Suppression(NamedTuple):
    """One comment that keeps rewrites away from an instruction, or from the whole file."""

    rules: tuple[str, ...]
    line: int  # 1-based, of the comment
    text: str  #: the comment as written, without white space around it
    reason: str
    #: None for the whole file
    instruction: Instruction | None
    #: a comment for dockopt; others are not ours to complain of
    own: bool = True
    #: its number in the text that the user has, kept while the text changes
    origin: int = 0


class Read(NamedTuple):
    """All that the comments of a file say."""

    suppressions: tuple[Suppression, ...]
    #: (line, message) of comments that say nothing
    problems: tuple[tuple[int, str], ...]


def read_suppressions(dockerfile: Dockerfile) -> Read:
    """Read all comments of a file."""
    found: list[Suppression] = []
    problems: list[tuple[int, str]] = []
    above = {
        comment.start_line: instruction for instruction in dockerfile.instructions for comment in instruction.comments
    }
    first = dockerfile.instructions[0].start_line if dockerfile.instructions else 0
    for node in dockerfile.nodes:
        if isinstance(node, Comment):
            text = _text(node.raw)
            ours = _OURS.fullmatch(text)
            if ours is not None:
                _read_ours(node.start_line, text, ours["said"], above.get(node.start_line), first, found, problems)
            elif (other := hadolint_rules(text)) is not None:
                rules, whole_file = other
                target = None if whole_file else above.get(node.start_line)
                if rules and (whole_file or target is not None):
                    found.append(Suppression(rules, node.start_line, text, "", target, own=False))
        elif isinstance(node, Instruction):
            problems += _inside(node)
    problems += _broken_directives(dockerfile)
    return Read(tuple(s._replace(origin=number) for number, s in enumerate(found)), tuple(sorted(problems)))


def _read_ours(
    line: int, text: str, said: str, instruction: Instruction | None, first: int,
    found: list[Suppression], problems: list[tuple[int, str]],
) -> None:  # fmt: skip
    match = _IGNORE.fullmatch(said)
    if match is None:
        problems.append((line, "it is not understood; write `# dockopt: ignore=ID reason`"))
        return
    names = []
    for name in dict.fromkeys(re.split(r"\s*,\s*", match["ids"])):
        try:
            known_ids([name])
        except UnknownRule as error:
            problems.append((line, str(error)))
        else:
            names.append(name)
    whole_file = match["what"] == "ignore-file"
    if whole_file and line > first:
        problems.append((line, "`ignore-file` counts only above the first instruction"))
    elif not whole_file and instruction is None:
        problems.append((line, "it stands above no instruction; no blank line may be between"))
    elif names:
        reason = " ".join((match["reason"] or "").split())
        found.append(Suppression(tuple(names), line, text, reason, None if whole_file else instruction))


def _inside(instruction: Instruction) -> Iterator[tuple[int, str]]:
    """Yield comments between the lines of one instruction: BuildKit leaves them out, and they belong to no instruction."""
    end = min((heredoc.span.start for heredoc in instruction.heredocs), default=instruction.span.end)
    lines = instruction.raw[: end - instruction.span.start].split(b"\n")
    for number, line in enumerate(lines[1:], instruction.start_line + 1):
        if _OURS.fullmatch(_text(line)):
            yield number, f"it stands inside of the instruction; put it above line {instruction.start_line}"


def _broken_directives(dockerfile: Dockerfile) -> Iterator[tuple[int, str]]:
    """Yield what would be a parser directive, did not one of our comments stand above it."""
    ours = 0
    for node in dockerfile.nodes:
        if isinstance(node, Bom | Directive):
            continue
        if not isinstance(node, Comment):
            return
        if _OURS.fullmatch(_text(node.raw)):
            ours = ours or node.start_line
            continue
        directive = read_directive(node.raw.rstrip(b"\r\n"))
        if not ours or directive is None:
            return
        yield (
            ours,
            f"it stands above `# {directive[0]}=…` in line {node.start_line}, which is no parser directive then; put it below",
        )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").removeprefix("\ufeff").strip()


def notes_of(problems: Iterable[tuple[int, str]], dockerfile: Dockerfile) -> list[str]:
    """Return problems as sentences that quote the comment."""
    lines = dockerfile.source.split(b"\n")
    return [f"line {line}: `{shortened(_text(lines[line - 1]))}`: {message}" for line, message in problems]
