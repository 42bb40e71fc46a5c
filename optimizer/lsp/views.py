"""What is known of instructions, in the forms that editors show it: hovers, lenses above and hints behind a line."""

from __future__ import annotations

from dockopt.optimizer.lsp.analysis import Analysis
from dockopt.optimizer.lsp.client import Client
from dockopt.optimizer.lsp.edits import range_of
from dockopt.optimizer.lsp.instructions import hover, notes
from dockopt.optimizer.lsp.positions import Place
from lsprotocol import types


def hover_at(analysis: Analysis, place: Place, client: Client) -> types.Hover | None:
    """Return what to show of the instruction at a position."""
    instruction = analysis.instruction_at(place)
    if instruction is None:
        return None
    kind = types.MarkupKind.Markdown if client.markdown else types.MarkupKind.PlainText
    text = hover(analysis, instruction, markdown=client.markdown)
    return types.Hover(
        contents=types.MarkupContent(kind=kind, value=text),
        range=range_of(analysis.range_of_instruction(instruction)),
    )


def lenses_of(analysis: Analysis) -> list[types.CodeLens]:
    """Return a lens for each instruction of which there is something to say; it cannot be pressed."""
    return [
        types.CodeLens(
            range=range_of(analysis.range_of_line(note.instruction.start_line)),
            command=types.Command(title=note.text, command=""),
        )
        for note in notes(analysis)
    ]


def hints_of(analysis: Analysis, lines: range) -> list[types.InlayHint]:
    """Return the same behind the last line of each instruction that ends within `lines` (from 0)."""
    found = []
    for note in notes(analysis):
        end = analysis.range_of_instruction(note.instruction).end
        if end.line in lines:
            found.append(types.InlayHint(position=types.Position(*end), label=note.text, padding_left=True))
    return found
