"""How texts of a Dockerfile are named in messages."""

from __future__ import annotations

_LONGEST = 60


def shortened(text: str) -> str:
    """Return a text on one line and in at most 60 characters, cut texts with an ellipsis."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
