"""Projects that are written down as a mapping of paths to texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest
from dockopt.optimizer.context.builds import DeclaredBuild, Project, declared_builds

Files = Mapping[str, str | bytes]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Files], Path]:
    """Writes files below the top of a repository and returns that."""

    def write(files: Files) -> Path:
        (tmp_path / ".git").mkdir(exist_ok=True)
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
        return tmp_path

    return write


@pytest.fixture
def said(write: Callable[[Files], Path]) -> Callable[..., list[str]]:
    """What the files of a project say, one line a build: `FILE:LINE NAME: DOCKERFILE in CONTEXT …`, then the notes."""

    def said(files: Files, directory: str = ".") -> list[str]:
        root = write(files)
        here = root / directory
        above = tuple(path for path in (here, *here.parents) if path.is_relative_to(root))
        builds, notes = declared_builds(Project(root, above, root))
        return [*(_shown(build, root) for build in builds), *notes]

    return said


def _shown(build: DeclaredBuild, root: Path) -> str:
    context = "?" if build.context is None else build.context.relative_to(root)
    parts = [f"{build.file.relative_to(root)}:{build.line}"]
    parts += [build.name] if build.name else []
    parts += [f"-> {build.dockerfile.relative_to(root)} in {context}"]
    parts += [f"target {build.target}"] if build.target else []
    parts += ["target ?"] if build.any_target else []
    parts += [f"args {','.join(f'{k}={v}' for k, v in build.args.items())}"] if build.args else []
    parts += [f"contexts {','.join(build.named_contexts)}"] if build.named_contexts else []
    return " ".join(parts)
