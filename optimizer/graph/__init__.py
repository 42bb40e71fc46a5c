"""The dependency graph of a Dockerfile: which instruction needs what, and why; described in `docs/graph.md`."""

from __future__ import annotations

from pathlib import Path


def render(path: Path, source: bytes, format: str, context: Path | None = None) -> str:
    """Return the graph of a Dockerfile as `dot`, `mermaid` or `json`, with a new line at its end.

    `path` tells where the file lies (for its context); it is not read again. Raises `InputError` (`line:column: message` where a
    place is known) for what is no Dockerfile, for a context that cannot be read, and for a file that is not modelled.
    """
    from dockopt.optimizer.graph import drawing
    from dockopt.optimizer.graph.dependencies import dependencies
    from dockopt.optimizer.inputs import InputError
    from dockopt.optimizer.opening import open_build
    from dockopt.optimizer.symbolic.execute import Unsupported

    opened = open_build(path, source, context)
    if opened.disagreement is not None:
        raise InputError(f"1:1: two parsers read this file differently: {opened.disagreement}")
    try:
        graph = dependencies(opened.build)
    except Unsupported as error:
        raise InputError(f"{error.line}:1: {error.reason}") from error
    if format == "json":
        return drawing.json_document(graph, path, opened.located)
    return drawing.dot(graph) if format == "dot" else drawing.mermaid(graph)


__all__ = ["render"]
