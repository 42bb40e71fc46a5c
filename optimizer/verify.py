"""Build a Dockerfile as it is and as it would be written, and compare the two images.

What a second build of the *original* does not reproduce (logs, caches with dates) is no difference that a rewrite makes: where the two
images differ otherwise than the rewrite declares, the original is built once more, and the paths in which these two builds differ are
left out, and named.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from dockopt.optimizer.declared import NOTHING, Declared
from dockopt.optimizer.engines.model import BuildLog, BuildRequest, Engine, EngineProblem, Progress
from dockopt.optimizer.images.archive import Image, read_archive
from dockopt.optimizer.images.compare import Difference, differences, differing_paths
from dockopt.optimizer.images.layers import ArchiveError
from dockopt.optimizer.interrupts import undisturbed
from dockopt.optimizer.leftovers import left, owner

_OFFLINE = re.compile(
    r"(could not|couldn't) resolve|temporary failure (in name resolution|resolving)|no such host|name or service not known|"
    r"network is unreachable|no route to host|dial tcp: lookup|EAI_AGAIN|ENOTFOUND|bad address|unknown ?host|NameResolutionError|"
    r"network \S+ not found|dns (lookup )?error|failed to lookup address",
    re.IGNORECASE,
)
_SHOWN_LINES = 12


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of it."""

    #: "same", "declared" (all that differs is declared), "different", or "broken": only the rewritten file does not build
    status: str
    before: BuildLog
    after: BuildLog
    #: those that are not declared
    differences: tuple[Difference, ...] = ()
    declared: tuple[Difference, ...] = ()
    #: paths that two builds of the original do not agree on
    masked: tuple[str, ...] = ()
    files: int = 0
    settings: int = 0
    #: bytes of the layers of both images, not compressed
    sizes: tuple[int, int] = (0, 0)


class OriginalFails(Exception):
    """The Dockerfile does not build as it is; the message says why, and no rewrite is to blame."""


@contextlib.contextmanager
def temporary_tags(engine: Engine) -> Iterator[Callable[[], str]]:
    """Hand out tags that nobody else uses, and remove all their images at the end, also after an error or an interrupt.

    What killed runs left is removed first.

    Each build needs a tag of its own: one that moves on leaves an image without a name behind, and what buildah and podman reuse are
    the images of earlier builds.
    """
    tags: list[str] = []

    def fresh() -> str:
        tags.append(f"dockopt-verify:{owner()}-{uuid.uuid4().hex[:12]}")
        return tags[-1]

    engine.remove(left(engine.names()))
    try:
        yield fresh
    finally:
        with undisturbed():
            engine.remove(tags)


def verify(
    engine: Engine, before: BuildRequest, after: BuildRequest, progress: Progress, declared: Declared = NOTHING
) -> Verification:
    """Build both and compare the images, which may differ in what is declared.

    Raises OriginalFails where the original does not build, EngineProblem where the engine fails, ArchiveError where an image cannot
    be read.
    """
    with temporary_tags(engine) as fresh:
        one, two = fresh(), fresh()
        first = built(engine, before, one, progress)
        second = engine.build(after, two, progress)
        if not second.ok:
            return Verification("broken", first, second)
        old, new = images(engine, [one, two])
        found = differences(old, new)
        masked: frozenset[str] = frozenset()
        if any(not difference.is_setting and not declared.covers(difference) for difference in found):
            repeated = replace(before, no_cache=True)
            again = fresh()
            built(engine, repeated, again, progress)
            masked = differing_paths(old.contents, images(engine, [again])[0].contents)
            found = differences(old, new, masked)
        undeclared = tuple(difference for difference in found if not declared.covers(difference))
        return Verification(
            "different" if undeclared else "declared" if found else "same",
            first,
            second,
            undeclared,
            tuple(difference for difference in found if declared.covers(difference)),
            tuple(sorted(masked)),
            len(new.contents),
            len((new.config.get("config") or {}).keys()),
            (old.size, new.size),
        )


def images(engine: Engine, tags: Sequence[str]) -> list[Image]:
    """Read the images with these tags out of an engine, in this order. Raises EngineProblem, ArchiveError."""
    groups = [list(tags)] if engine.many_at_once else [[tag] for tag in tags]
    found: list[Image] = []
    for group in groups:
        with engine.save(group) as stream:
            read = read_archive(stream)
        by_name = {
            name.removeprefix("docker.io/library/").removeprefix("localhost/"): i for i in read for name in i.names
        }
        for tag in group:
            image = read[0] if len(read) == 1 else by_name.get(tag)
            if image is None:
                raise ArchiveError(f"the image `{tag}` is not in the archive")
            found.append(image)
    return found


def built(engine: Engine, request: BuildRequest, tag: str, progress: Progress) -> BuildLog:
    """Build a text that has to build. Raises OriginalFails where it does not, EngineProblem where no step was tried."""
    log = engine.build(request, tag, progress)
    if log.ok:
        return log
    if not log.steps and not log.missing_bases:
        # a secret that is not there, a stage or a builder of another name: not the fault of the Dockerfile
        raise EngineProblem(f"nothing was built: the engine refuses before the first step:\n{_last_lines(log)}")
    raise OriginalFails(failure(log))


def failure(log: BuildLog) -> str:
    """Return in words why a build failed: a base image, the network, or one of its steps."""
    for base, said in log.missing_bases.items():
        return f"the base image cannot be had: {base}" + (f" ({said})" if said != base else "")
    where = f" in `{log.failed.instruction.splitlines()[0]}`" if log.failed is not None else ""
    if any(_OFFLINE.search(line) for line in log.tail):
        return f"it has no network{where}; `--network=host` may help:\n{_last_lines(log)}"
    return f"it fails{where}:\n{_last_lines(log)}"


def _last_lines(log: BuildLog) -> str:
    return "\n".join(f"  {line}" for line in log.tail[-_SHOWN_LINES:])


__all__ = ["EngineProblem", "OriginalFails", "Verification", "built", "failure", "images", "temporary_tags", "verify"]
