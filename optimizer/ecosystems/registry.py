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
    #: each entry of its caches is checked by its hash, so what builds of other projects left there does no harm
    caches_by_hash: bool = False
    #: makefiles and scripts of the project are searched for its programs, so it is asked about every command that is not understood
    follows_scripts: bool = False

    def names(self) -> frozenset[str]:
        """Return the names of its programs."""
        return frozenset(name for programs in self.programs.values() for name in programs.split())


#: in the order in which they are asked
ECOSYSTEMS = (
    Entry("dotnet", {"dotnet": "dotnet"}),
    Entry(
        "go",
        {"go": "go"},
        ("GOMODCACHE", "GOCACHE", "GOPATH", "go clean", "pkg/mod"),
        caches_by_hash=True,
        follows_scripts=True,
    ),
    Entry("gradle", {"gradle": "gradle gradlew"}),
    Entry("maven", {"mvn": "mvn mvnw"}, (r"\.m2\b", r"maven\.repo", "localRepository")),
    Entry(
        "rust",
        {"cargo": "cargo", "rustup": "rustup"},
        ("CARGO_HOME", r"cargo/(registry|git)", r"\.cargo\b", "--offline", r"--frozen\b(?!-)", "CARGO_NET_OFFLINE"),
        caches_by_hash=True,
    ),
    Entry(
        "node", {"manager": "npm yarn pnpm bun", "corepack": "corepack"}, (r"npm_config_cache", "npm cache", r"\.npm\b")
    ),
    Entry(
        "python",
        {
            "run": "pip pip2 pip3 python python2 python3 virtualenv poetry uv pdm pipenv conda mamba micromamba "
            + " ".join(f"{name}3.{minor}" for name in ("pip", "python") for minor in range(8, 15)),
            "build_tool": "hatch flit maturin tox nox",
        },
    ),
    Entry("elixir", {"mix": "mix"}, (r"\.mix\b", r"\.hex\b", "MIX_HOME", "HEX_HOME")),
    Entry("ruby", {"bundle": "bundle bundler", "gem": "gem"}),
    Entry(
        "php",
        {
            "composer": "composer composer.phar",
            "php": "php",
            "extensions": "docker-php-ext-install docker-php-ext-configure docker-php-ext-enable docker-php-source install-php-extensions "
            "pecl a2enmod a2dismod a2enconf a2ensite a2dissite",
        },
    ),
    # last: it only says why nothing is done, and a makefile may be one of another language
    Entry("c", {}, follows_scripts=True),
)
