"""The example projects as builds: their contexts, what dockopt makes of them, and copies with edited sources."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.proposal import FileReport

EXAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "examples"

_MAIN = re.compile(rb"^package main$", re.MULTILINE)
#: what is added to source files of a kind so that the image shows it; `{}` is a word that no other run has
_STATEMENTS = {
    ".cs": "class Mark{} {{ }}",
    ".ex": 'defmodule Mark{} do\n  def mark, do: "{}"\nend',
    ".java": "class Mark{} {{ }}",
    ".js": 'console.log("{}")',
    ".kt": "class Mark{}",
    ".mjs": 'console.log("{}")',
    ".php": "// {}",
    ".py": 'print("{}")',
    ".rb": "# {}",
    ".rs": '#[used]\nstatic MARK: &str = "{}";',
    ".ts": 'console.log("{}")',
}
#: directories whose files are nobody's sources
_NOT_SOURCES = frozenset({"vendor", "node_modules", "target", ".yarn", ".mvn", "deps", "obj", "bin"})


@dataclass(frozen=True, slots=True)
class Traits:
    """What the tests have to know of an example."""

    #: it is as good as dockopt can make it, or must not be touched
    left_alone: bool = False
    #: what an instruction has in it that has to be reused after an edit, and was not before; "" if there is none
    reused: str = ""
    #: stages that are built on their own; None is the last one
    targets: tuple[str | None, ...] = (None,)
    #: source files that the installation reads (glob): an edit of them has to run it again
    manifests: tuple[str, ...] = ()
    #: it takes more than half a minute, and is built where `DOCKOPT_ALL_FIXTURES` is set
    slow: bool = False


_DOWNLOAD = Traits(reused="go mod download")
_PACKAGES = Traits(reused="-r requirements.txt")
TRAITS = {
    "elixir-already-split": Traits(left_alone=True),
    "elixir-local-library": Traits(reused="apt-get install", slow=True),
    "go-already-good": Traits(left_alone=True),
    "go-cgo": _DOWNLOAD,
    "go-chain": _DOWNLOAD,
    "go-embed": _DOWNLOAD,
    "go-local-replace": _DOWNLOAD,
    "go-make": _DOWNLOAD,
    "go-multi-binary": Traits(reused="go mod download", targets=(None, "migrate")),
    "go-no-download": _DOWNLOAD,
    "go-parent-replace": _DOWNLOAD,
    "go-service": _DOWNLOAD,
    "go-single-stage": _DOWNLOAD,
    # both are changed only where `multi-stage` is named, or must not be even then (test_multi_stage.py)
    "go-starts-programs": Traits(left_alone=True),
    "go-templates": Traits(left_alone=True),
    "go-subdir": _DOWNLOAD,
    "go-vendored": Traits(),
    "go-version-arg": _DOWNLOAD,
    "go-workspace": _DOWNLOAD,
    "node-already-good": Traits(left_alone=True),
    "node-patches": Traits(reused="npm ci"),
    "node-pnpm-workspace": Traits(reused="pnpm install"),
    "node-script-reads-files": Traits(left_alone=True),
    "node-service": Traits(reused="npm ci"),
    "node-workspaces": Traits(reused="npm ci"),
    # its extension may read the sources whenever Maven starts
    "maven-extension": Traits(left_alone=True),
    # one module needs another one, which is in no repository
    "maven-reactor": Traits(left_alone=True),
    "maven-resolve": Traits(reused="mvn -B dependency:resolve"),
    "maven-service": Traits(reused="dependency:go-offline"),
    "rust-declared-targets": Traits(reused="cargo fetch"),
    "rust-service": Traits(),
    "rust-stand-in-sources": Traits(left_alone=True),
    "rust-vendored": Traits(left_alone=True),
    "rust-workspace": Traits(reused="cargo fetch", manifests=("**/src/main.rs", "**/src/lib.rs")),
    "python-installs-itself": Traits(left_alone=True, manifests=("**/*.py",)),
    "python-list-is-edited": Traits(left_alone=True),
    "python-locked-by-hashes": Traits(reused="-r requirements.txt", slow=True),
    "python-nested-lists": _PACKAGES,
    "python-own-settings": _PACKAGES,
    "python-plugins": _PACKAGES,
    "php-classmap": Traits(reused="composer install", manifests=("legacy/*.php",)),
    "php-optimized": Traits(left_alone=True),
    "php-scripts": Traits(left_alone=True),
    "php-service": Traits(reused="composer install", manifests=("packages/**/*.php",)),
    "ruby-gemspec": Traits(left_alone=True),
    "ruby-helper": Traits(left_alone=True),
    "ruby-path-gem": Traits(reused="bundle install", manifests=("gems/**/*.rb",)),
    "ruby-service": Traits(reused="bundle install"),
}


@dataclass(frozen=True, slots=True)
class Example:
    """One project: its folder is the context, wherever in it the Dockerfile lies."""

    context: Path
    dockerfile: Path
    traits: Traits

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.context.name

    @property
    def source(self) -> bytes:
        """The Dockerfile as it is."""
        return self.dockerfile.read_bytes()

    def report(self) -> FileReport:
        """Return what dockopt says; the context is given, because it would look above the folder of some."""
        return self.report_of(self.source)

    def report_of(self, source: bytes) -> FileReport:
        """Return what dockopt says of another Dockerfile in the same place."""
        return analyze(self.dockerfile, source, Options(context=self.context))

    def edited(self, folder: Path, mark: str) -> Path:
        """Copy the context into a folder and edit every source file in it, so that each program changes.

        Only sources change: no manifest, no file that the installation reads, and none in a directory of somebody else's work.
        """
        copy = folder / self.name
        shutil.copytree(self.context, copy, symlinks=True)
        kept = {path for pattern in self.traits.manifests for path in copy.glob(pattern)}
        for path in sorted(copy.glob("**/*")):
            statement = _STATEMENTS.get(path.suffix, "")
            if path in kept or not path.is_file() or _NOT_SOURCES & set(path.relative_to(copy).parts):
                continue
            content = path.read_bytes()
            if path.suffix == ".go":
                statement = 'func init() {{ println("{}") }}' if _MAIN.search(content) else "// {}"
            if statement:
                path.write_bytes(
                    content + f"\n{statement.replace('{}', mark).replace('{{', '{').replace('}}', '}')}\n".encode()
                )
        return copy


@cache
def examples() -> tuple[Example, ...]:
    """Return all example projects in the order of their names."""
    found = []
    for context in sorted(path for path in EXAMPLES.iterdir() if path.is_dir()):
        (dockerfile,) = context.glob("**/Dockerfile")
        found.append(Example(context, dockerfile, TRAITS[context.name]))
    return tuple(found)
