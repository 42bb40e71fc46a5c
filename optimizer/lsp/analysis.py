"""One analysis of one state of a Dockerfile, with what else the editor asks about that state."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from dockopt.optimizer import engine
from dockopt.optimizer.context.disk import Disk
from dockopt.optimizer.engine import Options
from dockopt.optimizer.inputs import InputError, check_dockerfile
from dockopt.optimizer.lsp.documents import Document
from dockopt.optimizer.lsp.fixes import Fix, Fixes
from dockopt.optimizer.lsp.positions import Place, Range
from dockopt.optimizer.opening import Opened
from dockopt.optimizer.proposal import Change, FileReport
from dockopt.optimizer.report.outcome import source_lines
from dockopt.optimizer.syntax import Dockerfile, Instruction


@dataclass(frozen=True, slots=True)
class Finding:
    """A change that could be made, with the line of the *document* that it speaks of."""

    change: Change
    line: int  # 1-based
    #: place among the safe changes, None for any other
    number: int | None = None


@dataclass(eq=False)
class Analysis:
    """The report on one state of a document. What is computed later is kept; one thread at a time may ask."""

    document: Document
    options: Options
    report: FileReport
    #: the build that the report speaks of, None where there is none. It is not opened again: files may have changed since
    opened: Opened | None = None
    _fixes: dict[int, Fix | None] = field(default_factory=dict)

    @property
    def disk(self) -> Disk:
        """What the analysis looked at."""
        return self.options.disk

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that could be changed: safe changes first, then repairs, then what would change the image."""
        report = self.report
        safe = [
            Finding(change, line, number)
            for number, (change, line) in enumerate(zip(report.changes, source_lines(report), strict=True))
        ]
        return (*safe, *(Finding(change, change.proposal.line) for change in (*report.repairs, *report.offered)))

    @cached_property
    def unproven(self) -> tuple[Finding, ...]:
        """What nobody can vouch for, and is never offered as an action."""
        return tuple(Finding(change, change.proposal.line) for change in self.report.unproven)

    @property
    def tree(self) -> Dockerfile | None:
        """The instructions of the document, None where it is no Dockerfile (yet)."""
        return None if self.opened is None else self.opened.build.dockerfile

    def fix(self, finding: Finding) -> Fix | None:
        """Return what applies one finding alone, or with what it builds on; None where it cannot be applied."""
        key = id(finding.change)
        if key not in self._fixes:
            self._fixes[key] = None if self.opened is None else Fixes(self.opened.build, self.report).of(finding)
        return self._fixes[key]

    @cached_property
    def all_fixes(self) -> Fix | None:
        """Everything that `dockopt fix --write` would write; None where that is nothing."""
        if not self.report.changes or self.opened is None:
            return None
        return Fixes(self.opened.build, self.report).everything()

    def instruction_at(self, place: Place) -> Instruction | None:
        """Return the instruction whose lines hold a position."""
        index = self.document.index
        return self._holding(index.to_byte(index.offset(place)))

    def instruction_of(self, line: int) -> Instruction | None:
        """Return the instruction that a line (1-based, as the engine counts) belongs to."""
        if self.tree is None:
            return None
        return next((i for i in self.tree.instructions if i.start_line <= line <= i.end_line), None)

    def _holding(self, byte: int) -> Instruction | None:
        if self.tree is None:
            return None
        for instruction in self.tree.instructions:
            # the end of a last line without line end belongs to it, too
            end = instruction.span.end + (0 if instruction.raw.endswith(b"\n") else 1)
            if instruction.span.start <= byte < end:
                return instruction
        return None

    def range_of_line(self, line: int) -> Range:
        """Return the range of a line (1-based, as the engine counts: `\\n` ends it) without the white space around it."""
        if not self.report.source:
            return Range(Place(0, 0), Place(0, 0))
        line = max(1, min(line, len(self._lines)))
        start, text = self._lines[line - 1]
        first = start + len(text) - len(text.lstrip(b" \t\r"))
        return self.range_of_bytes(min(first, start + len(text)), max(first, start + len(text.rstrip(b" \t\r"))))

    @cached_property
    def _lines(self) -> list[tuple[int, bytes]]:
        """The lines as the engine counts them, each with the byte at which it starts."""
        lines = self.report.source.split(b"\n")
        starts = accumulate((len(text) + 1 for text in lines[:-1]), initial=0)
        return list(zip(starts, lines, strict=True))

    def range_of_bytes(self, start: int, end: int) -> Range:
        """Return the range of some bytes of the document. Raises NoSuchPlace."""
        index = self.document.index
        return index.range_of(index.from_byte(start), index.from_byte(end))

    def range_of_instruction(self, instruction: Instruction) -> Range:
        """Return the range of a whole instruction, without the line end behind it."""
        raw = instruction.raw
        indent = len(raw) - len(raw.lstrip(b" \t"))
        return self.range_of_bytes(instruction.span.start + indent, instruction.span.start + len(raw.rstrip(b"\r\n")))


def analyze(document: Document, options: Options) -> Analysis:
    """Analyse a document that is a Dockerfile. Raises what `options.proceed` raises; otherwise never, as the engine."""
    path: Path | None = document.path
    assert path is not None
    try:
        source = document.index.source
    except UnicodeEncodeError:
        report = FileReport(str(path), b"", b"", error=f"{path}: holds half of a surrogate pair, which is no text")
        return Analysis(document, options, report)
    if not source.strip():
        return Analysis(document, options, FileReport(str(path), source, source))
    try:
        check_dockerfile(source)
    except InputError as error:
        return Analysis(document, options, FileReport(str(path), source, source, error=error.located(str(path))))
    return Analysis(document, options, *engine.examine(path, source, options))
