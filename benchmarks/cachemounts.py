"""Puts cache mounts back to what they held, so that every timed build finds what a first build left and nothing of other trials.

BuildKit has no command for that; a build can do it, as it may mount two caches and copy one into the other. All names lie in a
namespace (the build argument BUILDKIT_CACHE_MOUNT_NS of BuildKit's Dockerfile frontend), so the mounts of other builds are never seen.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

from dockopt.optimizer.syntax import parse

from tests.engine.engine import Engine

NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"
_IMAGE = "busybox"
"""Has a shell, and `cp -a` keeps owners and modes."""


def cache_ids(dockerfiles: Iterable[bytes]) -> tuple[str, ...]:
    """Return the ids of all cache mounts; BuildKit takes the target for one that has none (`convert_runmount.go`).

    Raises:
        ValueError: an id that is made of variables.
    """
    found = set()
    for source in dockerfiles:
        for stage in parse(source).stages:
            for instruction in stage.instructions:
                for mount in instruction.mounts:
                    if mount.type == "cache":
                        found.add(mount.options.get("id") or str(mount.target))
    if unknown := [name for name in found if "$" in name]:
        raise ValueError(f"the cache mount `{unknown[0]}` has no fixed name")
    return tuple(sorted(found))


class CacheMounts:
    """The cache mounts of some Dockerfiles, and a copy of each."""

    def __init__(self, engine: Engine, namespace: str, dockerfiles: Iterable[bytes]) -> None:
        """Find the mounts. Raises ValueError for one that has no fixed name."""
        self._engine, self._namespace = engine, namespace
        self._ids = cache_ids(dockerfiles)

    def save(self) -> None:
        """Copy what the mounts hold. Raises RuntimeError."""
        self._run([(name, f"saved/{name}") for name in self._ids])

    def restore(self) -> None:
        """Put back what was saved last. Raises RuntimeError."""
        self._run([(f"saved/{name}", name) for name in self._ids])

    def clear(self) -> None:
        """Empty the mounts and the copies, which would else stay in the cache of the engine. Raises RuntimeError."""
        self._run([(None, name) for name in self._ids] + [(None, f"saved/{name}") for name in self._ids])

    def _run(self, copies: Sequence[tuple[str | None, str]]) -> None:
        if not copies:
            return
        mounts, commands = [], ["set -e"]
        for i, (source, target) in enumerate(copies):
            mounts.append(f"--mount=type=cache,id={target},target=/to/{i}")
            commands.append(f"find /to/{i} -mindepth 1 -maxdepth 1 -exec rm -rf {{}} +")
            if source is not None:
                mounts.append(f"--mount=type=cache,id={source},target=/from/{i}")
                commands.append(f"cp -a /from/{i}/. /to/{i}/")
        # a word of its own, or the step would come from the cache
        commands.append(f": {uuid.uuid4().hex}")
        text = f"FROM {_IMAGE}\nRUN {' '.join(mounts)} {' && '.join(commands)}\n"
        tag = self._engine.tag("cache-mounts")
        with tempfile.TemporaryDirectory() as folder:
            built = self._engine.build(text.encode(), Path(folder), tag=tag, build_args={NAMESPACE: self._namespace})
        if not built.ok:
            raise RuntimeError(f"cache mounts cannot be copied: {built.log}")
