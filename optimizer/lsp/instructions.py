"""What there is to know of one instruction: what it reads and writes, what its cache key is made of, and why it stays where it is.

All of it is read off the symbolic execution that proofs rest on; nothing is analysed here a second time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.graph.steps import Step, shown_paths
from dockopt.optimizer.lsp.analysis import Analysis
from dockopt.optimizer.lsp.diagnostics import message_of
from dockopt.optimizer.model import Build
from dockopt.optimizer.report.safe_text import safe
from dockopt.optimizer.symbolic.execute import Unsupported
from dockopt.optimizer.symbolic.state import StageState
from dockopt.optimizer.syntax import Instruction
from dockopt.optimizer.wording import shortened

if TYPE_CHECKING:
    from dockopt.optimizer.graph.dependencies import Graph

#: how many things one line names
_MOST = 8
#: instructions that BuildKit looks up in its cache (reference: dockerfile2llb); the others only change those below
_WITH_KEY = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
_MARKUP = re.compile(r"([\\*_{}\[\]<>()#+!|~&])")
#: edges of the graph that say nothing about what an instruction reads
_ORDER = frozenset({"start", "after"})


class Description(NamedTuple):
    """Sentences about one instruction; text in backquotes is text of the file."""

    stage: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    key: tuple[str, ...]
    #: commands of which nothing is known, and why
    unknown: tuple[str, ...]


class Descriptions:
    """Describes the instructions of one build."""

    def __init__(self, build: Build) -> None:
        self._build = build

    @cached_property
    def _graph(self) -> Graph:
        from dockopt.optimizer.graph.dependencies import dependencies

        return dependencies(self._build)

    def of(self, instruction: Instruction) -> Description:
        """Describe one instruction. Raises Unsupported."""
        if instruction.stage < 0:
            return Description("above all stages", (), (), ("it has no cache key: only FROM can see it",), ())
        run = self._build.runs[instruction.stage]
        name = run.stage.name_raw or f"stage {instruction.stage}"
        seen = "its image can be used" if self._build.is_exported(instruction.stage) else "only other stages use it"
        number = instruction.index - run.stage.from_.index
        before, after = (run.states[0], run.states[0]) if number == 0 else run.states[number - 1 : number + 1]
        commands = self._build.commands_of(instruction.stage, instruction.index)
        step = Step(number, "", instruction, before, after, self._build.dockerfile.escape, commands)
        unknown = tuple(
            f"`{shortened(command.text)}`: {command.effects.unknown}"
            for command in commands
            if command.effects.unknown is not None
        )
        return Description(
            f"stage `{name}`, {seen}",
            tuple(self._reads(instruction)),
            tuple(self._writes(step)),
            tuple(self._key(instruction, before, after)),
            unknown,
        )

    def _reads(self, instruction: Instruction) -> Iterator[str]:
        node = f"instruction:{instruction.start_line}"
        for source, _, data in self._graph.in_edges(node, data=True):
            if data["kind"] in _ORDER or data["implied"]:
                continue
            perhaps = "" if data["certain"] else "perhaps "
            known = self._graph.nodes[source]
            place = f"line {known['line']}: " if known["kind"] in ("instruction", "variable") else ""
            yield f"{perhaps}{place}{data['why']}"

    def _writes(self, step: Step) -> Iterator[str]:
        ops = {path: op for op in step.written for path in op.region.include}
        if ops:
            yield shown_paths(ops)
        yield from (f"{kind} {name}" for kind, name in step.defined)
        yield from step.changed
        yield from sorted(step.settings)

    def _key(self, instruction: Instruction, before: StageState, after: StageState) -> Iterator[str]:
        keyword = instruction.keyword
        if keyword == "FROM":
            yield f"the image `{self._build.dockerfile.stages[instruction.stage].base}`"
            return
        if keyword not in _WITH_KEY:
            changes = " It changes the key of those below that look at it." if keyword in _CHANGES_OTHERS else ""
            yield f"BuildKit keeps no cache key for {keyword}.{changes}"
            return
        yield "the key of the instructions above it in its stage"
        yield "its own text"
        own = sorted(after.inputs - before.inputs)
        yield from (self._input(item) for item in own)
        if keyword == "RUN":
            names = sorted(before.environment())
            if names:
                yield f"the variables {_listed(names)}"
            yield f"the working directory, the user and the shell ({before.cwd or 'of the base image'})"
            yield from (f"the mount `{mount.raw}`" for mount in instruction.mounts if mount.type != "cache")
        taken_in = sorted(before.inputs)
        if taken_in:
            yield f"through the instructions above: {_listed([self._input(item) for item in taken_in], code=False)}"

    def _input(self, item: str) -> str:
        kind, _, name = item.partition(":")
        if kind == "context":
            return f"the content of `{name or '.'}` in the build context"
        if kind == "stage":
            stage = self._build.dockerfile.stages[int(name)]
            return f"what it copies of stage `{stage.name_raw or name}`"
        return f"the image `{name}`"


_CHANGES_OTHERS = frozenset({"ENV", "ARG", "USER", "SHELL"})


def _listed(names: list[str], *, code: bool = True) -> str:
    shown = [f"`{name}`" if code else name for name in names[:_MOST]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def hover(analysis: Analysis, instruction: Instruction, *, markdown: bool) -> str:
    """Return what to show above an instruction."""
    assert analysis.opened is not None
    sections: list[tuple[str, tuple[str, ...]]] = []
    try:
        described = Descriptions(analysis.opened.build).of(instruction)
    except Unsupported as error:
        sections.append(("Not modelled", (f"line {error.line}: {error.reason}",)))
        stage = ""
    else:
        stage = f" ({described.stage})"
        sections += [
            ("Not understood, so it may read and write everything", described.unknown),
            ("Reads", described.reads),
            ("Writes", described.writes),
            ("Its cache key depends on", described.key),
        ]
    sections.append(("What could be changed", tuple(_changes(analysis, instruction))))
    sections.append(("Why it is left as it is", tuple(_refusals(analysis, instruction))))
    title = f"`{shortened(instruction.logical.strip()).replace('`', chr(39))}`{stage}"
    return _rendered(title, [(name, lines) for name, lines in sections if lines], markdown=markdown)


def _changes(analysis: Analysis, instruction: Instruction) -> Iterator[str]:
    for finding in (*analysis.findings, *analysis.unproven):
        if instruction.start_line <= finding.line <= instruction.end_line:
            yield f"{finding.change.proposal.rewrite}: {'; '.join(message_of(finding).splitlines())}"


def _refusals(analysis: Analysis, instruction: Instruction) -> Iterator[str]:
    for refusal in analysis.report.refusals:
        if instruction.start_line <= refusal.line <= instruction.end_line:
            cause = ""
            if refusal.cause_path:
                cause = f" (`{refusal.cause_path}`{f', line {refusal.cause_line}' if refusal.cause_line else ''})"
            elif refusal.cause_line and refusal.cause_line != refusal.line:
                cause = f" (line {refusal.cause_line})"
            yield f"{refusal.rewrite}: {refusal.reason}{cause}"


def _rendered(title: str, sections: list[tuple[str, tuple[str, ...]]], *, markdown: bool) -> str:
    if not markdown:
        lines = [safe(title)]
        for name, items in sections:
            lines += [f"{name}:", *(f"  {safe(item)}" for item in _some(items))]
        return "\n".join(lines)
    blocks = [_prose(title)]
    blocks += [f"**{name}**\n\n" + "\n".join(f"- {_prose(item)}" for item in _some(items)) for name, items in sections]
    return "\n\n".join(blocks)


def _some(items: tuple[str, ...]) -> list[str]:
    more = len(items) - _MOST
    return [*items[:_MOST], *([f"and {more} more"] if more > 0 else [])]


def _prose(text: str) -> str:
    """Return a sentence as Markdown in which the file's text stays text: backquoted parts are code, the rest has no markup.

    A backquote in text of the file turns code to prose and prose to code, and neither can hold a link.
    """
    parts = safe(text).split("`")
    if len(parts) % 2 == 0:  # one backquote is left over
        parts[-2:] = ["'".join(parts[-2:])]
    return "".join(f"`{part}`" if i % 2 and part else _MARKUP.sub(r"\\\1", part) for i, part in enumerate(parts))


class Note(NamedTuple):
    """One line about an instruction, for a lens above it or a hint behind it."""

    instruction: Instruction
    text: str


def notes(analysis: Analysis) -> list[Note]:
    """Return a line for each instruction that reads or writes something; none where the file is not modelled."""
    if analysis.opened is None or analysis.opened.disagreement is not None:
        return []
    descriptions = Descriptions(analysis.opened.build)
    found: list[Note] = []
    try:
        for instruction in analysis.opened.build.dockerfile.instructions:
            described = descriptions.of(instruction)
            parts = []
            if described.unknown:
                parts.append("may read and write everything")
            else:
                parts += [f"needs {_listed(list(described.reads), code=False)}"] if described.reads else []
                parts += [f"writes {_listed(list(described.writes), code=False)}"] if described.writes else []
            if parts:
                found.append(Note(instruction, safe(" · ".join(parts))))
    except Unsupported:
        return []
    return found
