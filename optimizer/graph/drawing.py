"""Print a dependency graph as DOT (graphviz), as a Mermaid flowchart, or as JSON (`docs/graph.md`).

Labels hold text of the Dockerfile. They are cut to a length that can be read, made harmless (`safe`), and escaped by the
rules of the language; identifiers are numbers of our own, never text of the file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockopt.optimizer.report.safe_text import safe

if TYPE_CHECKING:
    from dockopt.optimizer.context import Located
    from dockopt.optimizer.graph.dependencies import Graph

#: raised when a field goes or changes its meaning; new fields may appear without notice
SCHEMA_VERSION = 1
_LONGEST_LABEL = 60
_SHAPES = {
    "instruction": ("box", '["', '"]'),
    "context": ("note", '[("', '")]'),
    "variable": ("ellipse", '(["', '"])'),
    "stage": ("box3d", '[["', '"]]'),
    "image": ("cylinder", '{{"', '"}}'),
    "remote": ("cylinder", '[("', '")]'),
}


def dot(graph: Graph) -> str:
    """Return the graph for graphviz (`dot -Tsvg`); parallel edges are one arrow, implied ones are left out."""
    lines = ["digraph dockerfile {", "  rankdir=TB;", '  node [fontname="monospace"];']
    number = {node: f"n{i}" for i, node in enumerate(graph.nodes)}

    def node(name: str, indent: str) -> str:
        attributes = graph.nodes[name]
        style = ", style=dashed" if _unknown(attributes) else ""
        label = _dot_text("\n".join(_label(attributes)))
        return f"{indent}{number[name]} [label={label}, shape={_SHAPES[attributes['kind']][0]}{style}];"

    lines += [node(name, "  ") for name, data in graph.nodes(data=True) if data.get("stage") is None]
    for stage, members in _clusters(graph).items():
        lines += [f"  subgraph cluster_{stage} {{", f"    label={_dot_text(_stage_label(graph, stage))};"]
        lines += [node(name, "    ") for name in members]
        lines.append("  }")
    for source, target, reasons, certain in _arrows(graph):
        style = "" if certain else ", style=dashed"
        lines.append(f"  {number[source]} -> {number[target]} [label={_dot_text(chr(10).join(reasons))}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(graph: Graph) -> str:
    """Return the graph as a Mermaid flowchart; parallel edges are one arrow, implied ones are left out."""
    lines = ["flowchart TD"]
    number = {node: f"n{i}" for i, node in enumerate(graph.nodes)}

    def node(name: str, indent: str) -> str:
        attributes = graph.nodes[name]
        _, left, right = _SHAPES[attributes["kind"]]
        dashed = ":::unknown" if _unknown(attributes) else ""
        return f"{indent}{number[name]}{left}{_mermaid_text(_label(attributes))}{right}{dashed}"

    lines += [node(name, "  ") for name, data in graph.nodes(data=True) if data.get("stage") is None]
    for stage, members in _clusters(graph).items():
        lines.append(f'  subgraph s{stage}["{_mermaid_text([_stage_label(graph, stage)])}"]')
        lines += [node(name, "    ") for name in members]
        lines.append("  end")
    for source, target, reasons, certain in _arrows(graph):
        arrow = "-->" if certain else "-.->"
        lines.append(f'  {number[source]} {arrow}|"{_mermaid_text(reasons)}"| {number[target]}')
    lines.append("  classDef unknown stroke-dasharray: 4 4;")
    return "\n".join(lines) + "\n"


def json_document(graph: Graph, path: Path, located: Located) -> str:
    """Return the whole graph as JSON, ASCII only, with its texts in full."""
    import json

    from dockopt import __version__
    from dockopt.optimizer.report.json import lossless

    content = {
        "schema": SCHEMA_VERSION,
        "version": __version__,
        "path": lossless(os.fsencode(path)),
        "contextReason": located.reason,
        "nodes": [{"id": name, **data} for name, data in graph.nodes(data=True)],
        "edges": [{"source": source, "target": target, **data} for source, target, data in graph.edges(data=True)],
    }
    return json.dumps(_encodable(content), indent=2, ensure_ascii=True) + "\n"


def _encodable(value: Any) -> Any:
    """Replace lone surrogates (bytes of the file that are no UTF-8) by escapes, everywhere."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value


def _label(attributes: dict[str, Any]) -> list[str]:
    """Return the lines of a node: what it is, where it stands, and what of it is not understood."""
    text = _cut(str(attributes["label"]))
    lines = [f"{attributes['line']}: {text}" if attributes["kind"] == "instruction" else text]
    for command in _unknown(attributes):
        several = len(attributes["commands"]) > 1
        lines.append(
            _cut(f"UNKNOWN: `{command['text']}`: {command['unknown']}" if several else f"UNKNOWN: {command['unknown']}")
        )
    return lines


def _unknown(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [command for command in attributes.get("commands", ()) if command["unknown"] is not None]


def _cut(text: str) -> str:
    text = safe(" ".join(text.split()))
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _clusters(graph: Graph) -> dict[int, list[str]]:
    clusters: dict[int, list[str]] = {}
    for name, data in graph.nodes(data=True):
        if data.get("stage") is not None:
            clusters.setdefault(data["stage"], []).append(name)
    return clusters


def _stage_label(graph: Graph, stage: int) -> str:
    return _cut(str(graph.nodes[f"stage:{stage}"]["label"]))


def _arrows(graph: Graph) -> list[tuple[str, str, list[str], bool]]:
    """Return one arrow for all edges between two nodes: source, target, reasons, and whether one of them is certain."""
    arrows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for source, target, data in graph.edges(data=True):
        if not data["implied"]:
            arrows.setdefault((source, target), []).append(data)
    return [
        (source, target, [_cut(data["why"]) for data in found], any(data["certain"] for data in found))
        for (source, target), found in arrows.items()
    ]


def _dot_text(text: str) -> str:
    """Quote a text: a backslash would start an escape of graphviz (`\\N` is the name of the node)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _mermaid_text(lines: list[str]) -> str:
    """Escape lines for a quoted label: everything but plain text as entity codes, which Mermaid writes as `#35;`."""
    plain = " ,.:=/+-_()@*"
    return "<br/>".join(
        "".join(char if char.isalnum() or char in plain else f"#{ord(char)};" for char in line) for line in lines
    )
