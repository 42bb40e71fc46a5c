"""What of a Dockerfile decides how its cache has to be kept between runners: stages, cache mounts, secrets, and what hides the cache.

Layers travel with `cache-to`. `mode=min` exports those of the image that comes out, `mode=max` those of all stages
(docs.docker.com, "Cache storage backends"). What is in a cache mount belongs to the builder and is exported by neither
(docs.docker.com, "Optimize cache usage in builds"): on a runner that starts empty each of them starts empty.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dockopt.optimizer.fingerprint import place_of, repository_of
from dockopt.optimizer.inputs import InputError
from dockopt.optimizer.lineage import lineage_of
from dockopt.optimizer.model import Build
from dockopt.optimizer.syntax import Mount, Stage

#: below these an installer keeps what it has downloaded; a later run could read it from a layer as well
_DOWNLOADS = re.compile(
    r"/go/pkg/mod|/\.npm|/\.yarn|/\.pnpm-store|/pnpm/store|/\.bun/install|/\.cache/(?:pip|uv|pypoetry|pdm|yarn|composer|deno)"
    r"|/cargo/(?:registry|git)|/\.cargo/(?:registry|git)|/\.m2|/\.nuget/packages|/\.composer|/\.bundle|/\.hex|/var/(?:cache|lib)/apt|/var/cache/(?:apk|yum|dnf)"
)
#: below these a compiler keeps what it has compiled
_COMPILED = re.compile(r"/\.cache/go-build|/target\b|/\.?ccache|/\.cache/(?:sccache|ccache)|/\.gradle")
#: names that mean the same in YAML, HCL, a shell and an expression of a workflow
_PLAIN = re.compile(r"[A-Za-z0-9._/@+ -]+")


class CacheMount(NamedTuple):
    """One `--mount=type=cache` that a build of the target runs with."""

    line: int
    target: str

    @property
    def consequence(self) -> str:
        """What it means that it starts empty."""
        if _DOWNLOADS.search(self.target):
            return "downloads all again; downloaded into a layer, below a COPY of its manifests, they would travel"
        if _COMPILED.search(self.target):
            return "compiles all again, but only where its layer is missed"
        return "makes again what it keeps there, but only where its layer is missed"


class Pending(NamedTuple):
    """A finding of `suggest`: until it is fixed, an edit of the sources misses what is cached below its line."""

    line: int
    rewrite: str
    message: str


@dataclass(frozen=True)
class Facts:
    """What decides."""

    #: Dockerfile, context and stage as a build names them; paths from the top of the repository
    dockerfile: str
    context: str
    target: str | None
    #: a name that no other image of the repository has
    image: str
    #: stages outside of the image that the target takes something from, and that run something
    builders: tuple[str, ...] = ()
    mounts: tuple[CacheMount, ...] = ()
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()
    #: other stages that files of the project build by name
    other_targets: tuple[str, ...] = ()

    @property
    def mode(self) -> str:
        """`max` where the image alone does not hold all layers that a rebuild would reuse."""
        return "max" if self.builders else "min"

    def _shared(self) -> dict[str, list[int]]:
        lines: dict[str, list[int]] = {}
        for mount in self.mounts:
            lines.setdefault(mount.target, []).append(mount.line)
        return {target: found for target, found in lines.items() if len(found) > 1}

    def reasons(self) -> Iterator[str]:
        """Yield why the cache is kept like that, and what it does not do: sentences for comments."""
        if self.builders:
            names = ", ".join(self.builders)
            yield f"mode=max: the image holds no layers of {names}; without them an empty runner builds these from the start."
        else:
            yield "mode=min: every layer that a rebuild can reuse is one of the image itself; mode=max would only add bytes."
        yield "The image is tagged by commit, so that a tag never changes; the cache has a name of its own."
        if self.mounts:
            yield "Layers travel with cache-to. Cache mounts do not: they stay on the builder, and a runner that starts empty"
            yield "has them empty:"
            for mount in self.mounts:
                yield f"- line {mount.line}, {mount.target}: {mount.consequence}."
            for target, lines in self._shared().items():
                where = f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
                yield f"- {target} is used by {where}: the later ones must not count on what an earlier one left there,"
                yield "  because its layer may be reused while the mount is empty."
            yield "A builder that keeps its disk (a remote driver, a self-hosted runner) keeps them, too."
        if self.pending:
            yield "`dockopt suggest` has findings. Until they are fixed, most edits miss the cache from these lines on:"
            for finding in self.pending:
                yield f"- line {finding.line}, {finding.rewrite}: {finding.message}."
        if self.other_targets:
            yield f"The project builds {', '.join(self.other_targets)} by name, too: `--target` prints their configuration."


def gather(build: Build, path: str, context: Path, target: str | None, pending: tuple[Pending, ...] = ()) -> Facts:
    """Return the facts about one target (None: the last stage). Raises InputError for a stage or a path that cannot be named."""
    stages = build.dockerfile.stages
    stage = _stage(stages, target)
    inside, needed = set(lineage_of(stages, stage.index)), _needed(build, stage)
    instructions = [found for other in stages if other.index in needed for found in other.instructions]
    mounts = [(found.start_line, mount) for found in instructions for mount in found.mounts]
    place, name = place_of(path), None if target is None else _name_of(stage)
    return Facts(
        dockerfile=_plain(place),
        context=_plain(_from_top(context, path)),
        target=name,
        image=_image_name(place, name),
        builders=tuple(
            f"`{other.name_raw}`" if other.name_raw else f"stage {other.index}"
            for other in stages
            if other.index in needed - inside and any(i.keyword in ("RUN", "COPY", "ADD") for i in other.instructions)
        ),
        mounts=tuple(
            CacheMount(line, mount.target or mount.id or "") for line, mount in mounts if mount.type == "cache"
        ),
        secrets=_ids((mount for _, mount in mounts if mount.type == "secret"), ""),
        ssh=_ids((mount for _, mount in mounts if mount.type == "ssh"), "default"),
        pending=pending,
        other_targets=tuple(f"`{other}`" for other in build.targets if other not in (stage.name, str(stage.index))),
    )


def _stage(stages: Sequence[Stage], target: str | None) -> Stage:
    if target is None:
        return stages[-1]
    for stage in reversed(stages):
        if target.lower() == stage.name or target == str(stage.index):
            return stage
    names = ", ".join(f"`{_name_of(stage)}`" for stage in stages)
    raise InputError(f"has no stage `{target}`; there are {names}")


def _name_of(stage: Stage) -> str:
    return _plain(stage.name_raw or str(stage.index))


def _needed(build: Build, stage: Stage) -> set[int]:
    """Return the stages that a build of one stage runs; where a name holds a variable it may mean any that stands above."""
    found: set[int] = set()
    waiting = [stage.index]
    while waiting:
        user = waiting.pop()
        if user not in found:
            found.add(user)
            anything = _uses_variables(build.dockerfile.stages[user])
            waiting += [used for used, users in build.consumers.items() if user in users or (anything and used < user)]
    return found


def _uses_variables(stage: Stage) -> bool:
    names = [stage.base]
    for instruction in stage.instructions:
        names += [instruction.flag("from") or "", *(mount.from_ or "" for mount in instruction.mounts)]
    return any("$" in name for name in names)


def _ids(mounts: Iterable[Mount], default: str) -> tuple[str, ...]:
    """Return the ids of secrets or agents; a secret without an id is called as the file that it becomes."""
    ids = (mount.id or (mount.target or "").rpartition("/")[2] or default for mount in mounts)
    return tuple(dict.fromkeys(_plain(name) for name in ids if name))


def _from_top(context: Path, path: str) -> str:
    """Return the context relative to the top of the repository, which is where jobs of CI start."""
    top = repository_of(Path(os.path.abspath(path)).parent) or Path.cwd()  # noqa: PTH100 - links are not followed
    return Path(os.path.relpath(context, top)).as_posix()


def _image_name(place: str, target: str | None) -> str:
    """Return a name for the cache that no other image of the repository has: of its directory or file, and its stage."""
    directory, _, file = place.rpartition("/")
    marks = [directory, *([file] if file.lower() not in ("dockerfile", "containerfile") else []), target or ""]
    name = re.sub(r"[^a-z0-9]+", "-", "-".join(filter(None, marks)).lower()).strip("-")
    return name or "image"


def _plain(name: str) -> str:
    if _PLAIN.fullmatch(name) is None:
        raise InputError(f"`{name}` cannot be written into a configuration for CI; rename it, or write that by hand")
    return name
