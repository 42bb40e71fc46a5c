"""What a build is given beside the Dockerfile and the context, as far as cache keys see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from dockopt.optimizer.cachekeys.steps import Unpredictable

#: build arguments that change keys in ways of their own (BuildKit `dockerui/config.go`, `dockerfile2llb/convert.go`)
_SPECIAL = frozenset(
    "BUILDKIT_SYNTAX BUILDKIT_CONTEXT_KEEP_GIT_DIR BUILDKIT_SANDBOX_HOSTNAME BUILDKIT_CACHE_MOUNT_NS SOURCE_DATE_EPOCH".split()
)


class BaseImage(NamedTuple):
    """What is known of a base image by its registry or engine."""

    env: tuple[tuple[str, str], ...] = ()
    cwd: str = ""
    user: str = ""
    shell: tuple[str, ...] = ()
    onbuild: tuple[str, ...] = ()
    #: digest, so that two names of one image have one key; "" for the name
    digest: str = ""


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """One build: the options of `docker build` that change keys, and what is known of the engine and the base images."""

    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    platform: str = "linux/amd64"
    network: str = "default"
    #: the engine stores layers so that `COPY --link` means something (not Docker's graph drivers, reference §2.2)
    merges_layers: bool = False
    #: the frontend expands variables in `--chmod`; the one built into Docker 26 does not, and leaves the mode as it is (built there)
    expands_mode: bool = True
    #: by the name as the Dockerfile has it, variables expanded
    images: Mapping[str, BaseImage] = field(default_factory=dict)

    def check(self) -> None:
        """Raise Unpredictable for a build argument that changes keys in a way that is not modelled."""
        for name in sorted(self.build_args):
            if name in _SPECIAL:
                raise Unpredictable(f"build argument `{name}` changes keys in a way that is not modelled")
