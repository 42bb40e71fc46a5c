"""What the sources of a Go program show that it needs of its image: certificates, time zones, accounts, other programs, Go itself.

Sources: `crypto/x509` (root_linux.go: where certificates are looked for), `time` (zoneinfo_unix.go; `time/tzdata`), `os/user`
(lookup_unix.go: /etc/passwd). Only the project's own sources are read, and vendored ones; so what is seen is needed, and what is not
seen may be needed all the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dockopt.optimizer.ecosystems.go.binary import GoBuild

#: an address of a server that is asked for its certificate
_HTTPS = re.compile(rb"[\"`](?:https|wss)://[^\s\"`]")
_TLS = frozenset({"net/http", "crypto/tls", "net/smtp"})
#: `UTC`, `Local` and "" need no data
_LOCATION = re.compile(rb"\bLoadLocation\((?!\s*\"(?:UTC|Local|)\")|/usr/share/zoneinfo\b")
#: the place itself, where the package `time` is not what looks for them
_ZONE_FILES = re.compile(rb"/usr/share/zoneinfo\b")
#: an account by its name, where it is not one that every image has
_ACCOUNT = re.compile(rb"\buser\.Lookup(?:Group)?\((?!\s*\"root\")")
#: what reads Go's own directory, itself or by a package of the standard library
_GOROOT = re.compile(rb"\bruntime\.GOROOT\(|\"GOROOT\"|\"go/(?:build|importer)\"")
#: a program of the image, named by its place
_PROGRAM = re.compile(rb"[\"`](/(?:usr/)?s?bin/[\w.-]+)")


class Needs(NamedTuple):
    """Each the place (file of the context, line) that shows it, or None."""

    certificates: tuple[str, int] | None
    time_zones: tuple[str, int] | None
    programs: tuple[str, int] | None  #: it starts others, or names one
    accounts: tuple[str, int] | None = None  #: it looks up users or groups by name
    toolchain: tuple[str, int] | None = None  #: it reads the directory of Go
    brings_zones: bool = False  #: time zones are, or may be, built in
    zone_files: tuple[str, int] | None = None  #: it names the directory of time zones


def needs_of(made: GoBuild) -> Needs | None:
    """Return what the sources of the programs of a build show, None where they cannot be followed."""
    facts, tree = made.facts, made.tree
    if facts is None:
        return None
    certificates: tuple[str, int] | None = None
    time_zones: tuple[str, int] | None = None
    accounts: tuple[str, int] | None = None
    toolchain: tuple[str, int] | None = None
    zone_files: tuple[str, int] | None = None
    programs = facts.starts_programs
    uses_tls = bool(facts.imports & _TLS)
    known, tags = made.settings.value("-tags")
    brings_zones = "time/tzdata" in facts.imports or not known or "timetzdata" in (tags or "")
    for path in facts.files:
        data = tree.read(path)
        if data is None:
            continue

        def place(pattern: re.Pattern[bytes], data: bytes = data, path: str = path) -> tuple[str, int] | None:
            found = pattern.search(data)
            return None if found is None else (tree.context_path(path), data.count(b"\n", 0, found.start()) + 1)

        if uses_tls:
            certificates = certificates or place(_HTTPS)
        if not brings_zones:
            time_zones = time_zones or place(_LOCATION)
        if "os/user" in facts.imports:
            accounts = accounts or place(_ACCOUNT)
        toolchain = toolchain or place(_GOROOT)
        zone_files = zone_files or place(_ZONE_FILES)
        programs = programs or place(_PROGRAM)
    return Needs(certificates, time_zones, programs, accounts, toolchain, brings_zones, zone_files)
