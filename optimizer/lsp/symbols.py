"""The outline of a Dockerfile: its stages, each with its instructions."""

from __future__ import annotations

from dockopt.optimizer.lsp.analysis import Analysis
from dockopt.optimizer.lsp.client import Client
from dockopt.optimizer.lsp.edits import range_of
from dockopt.optimizer.lsp.positions import Range
from dockopt.optimizer.report.safe_text import safe
from dockopt.optimizer.syntax import Instruction, Stage
from dockopt.optimizer.wording import shortened
from lsprotocol import types


def symbols(analysis: Analysis, client: Client) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """Return the outline; without children where the client has no room for them."""
    tree = analysis.tree
    if tree is None:
        return []
    if client.nests:
        return [_stage(analysis, stage) for stage in tree.stages]
    return [
        types.SymbolInformation(
            name=_name(stage),
            kind=types.SymbolKind.Module,
            location=types.Location(uri=analysis.document.uri, range=range_of(_whole(analysis, stage))),
        )
        for stage in tree.stages
    ]


def _stage(analysis: Analysis, stage: Stage) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=_name(stage),
        detail=safe(stage.base),
        kind=types.SymbolKind.Module,
        range=range_of(_whole(analysis, stage)),
        selection_range=range_of(analysis.range_of_instruction(stage.from_)),
        children=[_instruction(analysis, instruction) for instruction in stage.instructions],
    )


def _instruction(analysis: Analysis, instruction: Instruction) -> types.DocumentSymbol:
    where = range_of(analysis.range_of_instruction(instruction))
    return types.DocumentSymbol(
        name=safe(shortened(instruction.logical.strip())),
        kind=types.SymbolKind.Event if instruction.keyword == "RUN" else types.SymbolKind.Property,
        range=where,
        selection_range=where,
    )


def _name(stage: Stage) -> str:
    return safe(stage.name_raw or f"stage {stage.index}")


def _whole(analysis: Analysis, stage: Stage) -> Range:
    last = stage.instructions[-1] if stage.instructions else stage.from_
    return Range(analysis.range_of_instruction(stage.from_).start, analysis.range_of_instruction(last).end)
