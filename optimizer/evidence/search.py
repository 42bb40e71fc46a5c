"""Looks for all that a project says about one language, in the directories that a stage copies from."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator

from dockopt.optimizer.evidence import manifests, version_files, workflows
from dockopt.optimizer.evidence.model import Evidence
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.symbolic.execute import clean_source
from dockopt.optimizer.syntax import Stage

_Read = Callable[[str, str], Iterator[Evidence]]
#: directories of one stage that are looked into
_MAX_DIRECTORIES = 20
_MAX_WORKFLOWS = 50
_WORKFLOWS = ".github/workflows"


def _one(language: str) -> _Read:
    return lambda text, path: version_files.one_word(language, text, path)


#: file of a directory → what reads it
FILES: dict[str, tuple[tuple[str, ...], _Read]] = {
    ".go-version": (("go",), _one("go")),
    "go.mod": (("go",), manifests.go_mod),
    "go.work": (("go",), manifests.go_mod),
    ".nvmrc": (("node",), _one("node")),
    ".node-version": (("node",), _one("node")),
    "package.json": (("node", "bun"), manifests.package_json),
    ".bun-version": (("bun",), _one("bun")),
    ".python-version": (("python",), _one("python")),
    "pyproject.toml": (("python",), manifests.pyproject),
    "Pipfile": (("python",), manifests.pipfile),
    ".ruby-version": (("ruby",), _one("ruby")),
    "Gemfile": (("ruby",), manifests.gemfile),
    "Gemfile.lock": (("ruby",), manifests.gemfile_lock),
    "rust-toolchain.toml": (("rust",), version_files.rust_toolchain),
    "rust-toolchain": (("rust",), version_files.rust_toolchain),
    "Cargo.toml": (("rust",), manifests.cargo),
    ".java-version": (("java",), _one("java")),
    ".sdkmanrc": (("java",), version_files.sdkmanrc),
    ".php-version": (("php",), _one("php")),
    "composer.json": (("php",), manifests.composer),
    "global.json": (("dotnet",), manifests.global_json),
    ".tool-versions": ((), version_files.tool_versions),
    "mise.toml": ((), version_files.mise),
    ".mise.toml": ((), version_files.mise),
    ".config/mise.toml": ((), version_files.mise),
}


def search(build: Build, stage: Stage, language: str) -> list[Evidence]:
    """Return what the project says about a language: in the root of the context, where the stage copies from, and in CI."""
    found: list[Evidence] = []
    for directory in directories(build, stage):
        for name, (languages, read) in FILES.items():
            if not languages or language in languages:
                found += _in_file(build.context, posixpath.join(directory, name), language, read)
    for name in build.context.names_on_disk(_WORKFLOWS)[:_MAX_WORKFLOWS]:
        if name.endswith((".yml", ".yaml")):
            found += _in_file(build.context, f"{_WORKFLOWS}/{name}", language, workflows.workflow)
    return found


def looked_for(language: str) -> str:
    """Return the files that would tell about a language, in words."""
    return ", ".join(f"`{name}`" for name, (languages, _) in FILES.items() if language in languages)


def directories(build: Build, stage: Stage) -> list[str]:
    """Return the root of the context, and the directories from which a stage, or one built on it, takes something."""
    found = {"": None}
    for other in build.dockerfile.stages:
        if other.index != stage.index and not _is_built_on(build, other, stage):
            continue
        for instruction in other.instructions:
            sources = [mount.source for mount in instruction.mounts if mount.type == "bind" and not mount.from_]
            if instruction.keyword in ("COPY", "ADD") and not instruction.has_flag("from"):
                sources += instruction.words[:-1]
            for source in sources:
                if source is not None and "$" not in source and "://" not in source:
                    found[_directory(build.context, source)] = None
    return list(found)[:_MAX_DIRECTORIES]


def _directory(context: FrozenContext, source: str) -> str:
    path = clean_source(source)
    parts = path.split("/")
    wild = next((n for n, part in enumerate(parts) if any(char in part for char in "*?[")), None)
    if wild is not None:
        return "/".join(parts[:wild])
    return path if context.kind(path) == "directory" and path != "." else posixpath.dirname(path)


def _is_built_on(build: Build, stage: Stage, base: Stage) -> bool:
    below = build.executor.stage_named(stage.base, stage.index)
    return below is not None and (below.stage.index == base.index or _is_built_on(build, below.stage, base))


def read_files(context: FrozenContext, paths: Iterable[str], language: str) -> list[Evidence]:
    """Return what files say about a language; each by its own name."""
    found: list[Evidence] = []
    for path in paths:
        languages, read = FILES[posixpath.basename(path)]
        if not languages or language in languages:
            found += _in_file(context, path, language, read)
    return found


def _in_file(context: FrozenContext, path: str, language: str, read: _Read) -> list[Evidence]:
    data = None if context.may_be_missing(path) else context.on_disk(path)
    if data is None:
        return []
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    return [one for one in read(text, path) if one.language == language]
