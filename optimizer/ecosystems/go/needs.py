"""What the sources of a Go program show that it needs of the image that it runs in: certificates, time zones, other programs.

Sources: `crypto/x509` (root_linux.go: where certificates are looked for), `time` (zoneinfo_unix.go; `time/tzdata`). Only the project's own
sources are read, and vendored ones; so what is seen is needed, and what is not seen may be needed all the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dockopt.optimizer.ecosystems.go.binary import GoBuild

#: an address of a server that is asked for its certificate
_HTTPS = re.compile(rb"[\"`](?:https|wss)://[^\s\"`]")
_TLS = frozenset({"net/http", "crypto/tls", "net/smtp"})
#: `UTC`, `Local` and "" need no data
_LOCATION = re.compile(rb"\btime\.LoadLocation\((?!\s*\"(?:UTC|Local|)\")")


class Needs(NamedTuple):
    """Each the place (file of the context, line) that shows it, or None."""

    certificates: tuple[str, int] | None
    time_zones: tuple[str, int] | None
    programs: tuple[str, int] | None  #: it starts others


def needs_of(made: GoBuild) -> Needs | None:
    """Return what the sources of the programs of a build show, None where they cannot be followed."""
    facts, tree = made.facts, made.tree
    if facts is None:
        return None
    certificates = time_zones = None
    uses_tls = bool(facts.imports & _TLS)
    known, tags = made.settings.value("-tags")
    brings_zones = "time/tzdata" in facts.imports or not known or "timetzdata" in (tags or "")
    for path in facts.files:
        data = tree.read(path)
        if data is None:
            continue
        https = _HTTPS.search(data) if uses_tls and certificates is None else None
        if https is not None:
            certificates = tree.context_path(path), data.count(b"\n", 0, https.start()) + 1
        zone = _LOCATION.search(data) if not brings_zones and time_zones is None else None
        if zone is not None:
            time_zones = tree.context_path(path), data.count(b"\n", 0, zone.start()) + 1
    return Needs(certificates, time_zones, facts.starts_programs)
