"""Ports below the free ones that the arguments of a program name."""

from __future__ import annotations

import re

from dockopt.optimizer.running.sources import FIRST_FREE_PORT

_PORT_OPTIONS = frozenset(
    "--port --listen --bind --addr --address --http -port -listen -bind -addr -address -http -b -p -l".split()
)
_PORT_OPTION = re.compile(r"(?:(?P<option>--?\w+)=)?(?P<host>[\w.\[\]*]*:)?(?P<port>\d{1,4})")


def low_ports(arguments: tuple[str | None, ...]) -> list[int]:
    """Return the ports below the free ones that arguments name: by an option that says so, or behind a host."""
    found: list[int] = []
    before = ""
    for word in arguments:
        match = _PORT_OPTION.fullmatch(word or "")
        if match is not None and (match["host"] or (match["option"] or before) in _PORT_OPTIONS):
            found.append(int(match["port"]))
        before = word or ""
    return [port for port in found if 0 < port < FIRST_FREE_PORT]
