"""What `--version` prints: the program, the grammars that it reads by, and the engines that it could start. Nothing is started."""

from __future__ import annotations

from collections.abc import Iterator

#: the BuildKit whose parser ours follows, and is tested against (`tests/oracle/go.mod`)
BUILDKIT = "0.34.2"


def versions() -> str:
    """Return one line per part; the first is the program itself, for scripts."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    import shutil
    import sys
    from importlib.metadata import version

    from dockopt import __version__
    from dockopt.optimizer.configuration.settings import setting

    yield f"dockopt {__version__}"
    yield f"Python {sys.version.split()[0]}"
    yield f"grammar of Dockerfiles: BuildKit {BUILDKIT}, cross-checked by dockerfile-parse {version('dockerfile-parse')}"
    yield f"grammar of shell scripts: tree-sitter-bash {version('tree-sitter-bash')} on tree-sitter {version('tree-sitter')}"
    found = [name for name in setting("engine").choices if shutil.which(name)]
    yield f"engines on PATH: {', '.join(found) or 'none'}"
