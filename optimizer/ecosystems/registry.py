"""The ecosystems that are known, one line each; their modules load only when a Dockerfile uses one of their programs.

The package `ecosystems/<name>/` of an entry has `commands.py`, the command models of its programs, and `install.py`, the functions of
`dockopt.optimizer.ecosystems.installs.Ecosystem`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One ecosystem."""

    name: str
    #: function in `commands.py` → the programs that it models, separated by blanks
    programs: Mapping[str, str]
    #: expressions by which a script gets at the caches of these programs otherwise than through them
    cache_words: tuple[str, ...] = ()
    #: what other builds leave in a cache does no harm: each entry is named after what it holds (a version, a commit)
    shareable: bool = False


#: in the order in which they are asked
ECOSYSTEMS = (
    Entry("go", {"go": "go"}, ("GOMODCACHE", "GOCACHE", "GOPATH", "go clean", "pkg/mod")),
    Entry("gradle", {"gradle": "gradle gradlew"}),
    Entry("maven", {"mvn": "mvn mvnw"}, (r"\.m2\b", r"maven\.repo", "localRepository")),
    Entry(
        "rust",
        {"cargo": "cargo", "rustup": "rustup"},
        ("CARGO_HOME", r"cargo/(registry|git)", r"\.cargo\b", "--offline", r"--frozen\b(?!-)", "CARGO_NET_OFFLINE"),
        shareable=True,
    ),
    Entry(
        "node", {"manager": "npm yarn pnpm bun", "corepack": "corepack"}, (r"npm_config_cache", "npm cache", r"\.npm\b")
    ),
    # last: it only says why nothing is done, and a makefile may be one of another language
    Entry("c", {}),
)
