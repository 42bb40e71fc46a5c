"""Text in XML 1.0: what the format cannot hold is shown as an escape, and white space comes back as it was."""

from __future__ import annotations

from collections.abc import Mapping

from dockopt.optimizer.report.safe_text import safe

_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
#: a reader makes a space of white space in attributes, and a new line of `\r` anywhere, unless it is a reference
_IN_ATTRIBUTE = {**_MARKUP, "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_IN_CONTENT = {**_MARKUP, "\r": "&#13;"}

HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'


def content(text: str) -> str:
    """Text between tags."""
    return _escaped(text, _IN_CONTENT)


def attributes(values: Mapping[str, object]) -> str:
    """Attributes of a tag, each with a space before it."""
    return "".join(f' {name}="{_escaped(str(value), _IN_ATTRIBUTE)}"' for name, value in values.items())


def _escaped(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(char, char) for char in safe(text, keep="\t\n\r"))
