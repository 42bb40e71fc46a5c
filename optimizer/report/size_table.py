"""The size of an image as tables, and as JSON."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence

from dockopt.optimizer.report.safe_text import safe
from dockopt.optimizer.size import ImageSize

VERSION = 1
#: columns of a terminal that does not tell, and the fewest for which tables are made
_WIDTH, _LEAST_WIDTH = 160, 80
_MEGABYTE = 1_000_000


def as_text(name: str, found: ImageSize) -> str:
    """Return the tables: layers in their order, then what could be saved, the most first."""
    rows = [
        (
            _megabytes(layer.bytes),
            _share(layer.bytes, found.bytes),
            str(layer.files),
            "base" if layer.base else f"line {layer.line}" if layer.line is not None else "",
            safe(layer.instruction),
        )
        for layer in found.layers
    ]
    total = f"{safe(name)}: {_megabytes(found.bytes)} MB in {len(found.layers)} layers (files, not compressed)\n\n"
    text = total + _table(("MB", "", "files", "", "instruction"), rows, right=3)
    if not found.savings:
        return text + "\nnothing was found that need not be there\n"
    savings = [
        (
            _megabytes(saving.bytes),
            str(saving.files),
            f"{saving.what}: {safe(saving.where)}",
            ", ".join(known(saving.rewrites)),
            saving.remedy,
        )
        for saving in found.savings
    ]
    return text + "\n" + _table(("MB", "files", "need not be there", "rewrites", "what helps"), savings, right=2)


def known(rewrites: Sequence[str]) -> tuple[str, ...]:
    """Return those of the ids that there are."""
    from dockopt.rewrites.registry import REWRITES

    there = {rewrite.id for rewrite in REWRITES}
    return tuple(rewrite for rewrite in rewrites if rewrite in there)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: int) -> str:
    """Return a table; its first `right` columns are numbers. A cell of the last column is cut where it is too long."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, expand=False)
    for number, title in enumerate(head):
        last = number + 1 == len(head)
        table.add_column(
            title,
            justify="right" if number < right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=None if last else max(len(title), *(len(row[number]) for row in rows), 0),
        )
    for row in rows:
        table.add_row(*map(Text, row))
    stream = io.StringIO()
    width = max(_LEAST_WIDTH, shutil.get_terminal_size((_WIDTH, 0)).columns)
    Console(file=stream, width=width, color_system=None, highlight=False, markup=False).print(table)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _megabytes(count: int) -> str:
    return f"{count / _MEGABYTE:.1f}"


def _share(count: int, total: int) -> str:
    return f"{count / total:.0%}" if total else ""


def as_json(name: str, found: ImageSize) -> str:
    """Return the document (described in `docs/size.md`)."""
    document = {
        "version": VERSION,
        "image": name,
        "bytes": found.bytes,
        "layers": [
            {
                "instruction": layer.instruction,
                "line": layer.line,
                "base": layer.base,
                "bytes": layer.bytes,
                "files": layer.files,
            }
            for layer in found.layers
        ],
        "savings": [
            {
                "what": saving.what,
                "where": saving.where,
                "bytes": saving.bytes,
                "files": saving.files,
                "rewrites": known(saving.rewrites),
                "remedy": saving.remedy,
            }
            for saving in found.savings
        ],
    }
    return json.dumps(document, indent=2) + "\n"
