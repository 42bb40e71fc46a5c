"""The files that an analysis may look at beside the Dockerfile, by name: the client tells when one of them changes.

Each analysis reads the disk anew, so a file that is missing here costs nothing but the moment at which its change is noticed.
"""

from __future__ import annotations

import re
from pathlib import Path

from lsprotocol import types

CONFIGURATION = "dockopt"
#: ignore files, our configuration, files that say how images are built, and manifests with their lock files
_GLOBS = (
    "**/*dockerignore",
    "**/.gitignore",
    "**/{dockopt.toml,pyproject.toml}",
    "**/*{compose,bake,skaffold}*.{yaml,yml,hcl,json}",
    "**/.github/**/*.{yaml,yml}",
    "**/*gitlab-ci*.{yaml,yml}",
    "**/{Makefile,makefile,GNUmakefile,*.mk,*.sh}",
    "**/*devcontainer.json",
    "**/{go.mod,go.sum,go.work,go.work.sum}",
    "**/{package.json,package-lock.json,npm-shrinkwrap.json,yarn.lock,pnpm-lock.yaml,pnpm-workspace.yaml,bun.lock,bun.lockb}",
    "**/{.npmrc,.yarnrc,.yarnrc.yml,.pnpmfile.cjs,lerna.json,nx.json,turbo.json}",
    "**/{*requirements*.txt,*constraints*.txt,setup.py,setup.cfg,Pipfile,Pipfile.lock,poetry.lock,uv.lock,pdm.lock}",
    "**/{Cargo.toml,Cargo.lock,rust-toolchain,rust-toolchain.toml}",
    "**/{pom.xml,*.gradle,*.gradle.kts,gradle.properties,gradle.lockfile}",
    "**/{composer.json,composer.lock,Gemfile,Gemfile.lock,*.gemspec,.ruby-version}",
    "**/{*.csproj,*.fsproj,*.vbproj,*.sln,*.slnx,*.props,*.targets,nuget.config,NuGet.Config,packages.lock.json,global.json}",
    "**/{mix.exs,mix.lock,rebar.config,rebar.lock}",
)


def watchers() -> list[types.FileSystemWatcher]:
    """Return what to ask a client to watch."""
    return [types.FileSystemWatcher(glob_pattern=pattern) for pattern in _GLOBS]


def matters(path: Path) -> bool:
    """Tell whether a change of a file may change an analysis."""
    return any(pattern.fullmatch(str(path)) for pattern in _PATTERNS)


def _pattern(glob: str) -> re.Pattern[str]:
    r"""Return the pattern of a glob of LSP 3.17: `**/`, `*` within one component, and `{a,b}`."""
    parts: list[str] = []
    for token in re.findall(r"\*\*/|\*|\{|\}|,|[^*{},]+", glob):
        known = {"**/": "(?:.*/)?", "*": "[^/]*", "{": "(?:", "}": ")", ",": "|"}.get(token)
        parts.append(re.escape(token) if known is None else known)
    return re.compile("".join(parts))


_PATTERNS = tuple(_pattern(glob) for glob in _GLOBS)
