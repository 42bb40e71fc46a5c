"""What would not build on a base image of distroless: owners that it has no name for, and platforms that it is not made for.

Source: https://github.com/GoogleContainerTools/distroless (README.md, "Debian 13": architectures; base/base.bzl: users and groups).
"""

from __future__ import annotations

import re

from dockopt.optimizer.model import Build
from dockopt.optimizer.syntax import Stage

IMAGE = "gcr.io/distroless/static-debian13"
#: `USER` and `--chown` with users and groups that distroless images have
USERS = re.compile(r"(?:root|nobody|nonroot|\d+)(?::(?:root|nobody|nonroot|\d+))?")
_PLATFORM = re.compile(r"linux/(?:amd64(?:/v1)?|arm64(?:/v8)?|arm(?:/v7)?|s390x|ppc64le|riscv64)")
#: platforms for which Go and other base images are made, and distroless is not, where a file of the project asks for them
_LACKING = re.compile(rb"linux/(?:386|arm/v[56]|loong64|mips\w*|amd64/v[2-4])\b")


def lacking_on_distroless(build: Build, stage: Stage) -> tuple[str, str, int] | None:
    """Return why a stage may not build on an image of distroless, with the place of the cause (file of the context, line)."""
    for instruction in stage.instructions:
        owner = instruction.flag("chown")
        if owner is not None and not USERS.fullmatch(owner):
            return f"`{IMAGE}` does not surely have the owner `{owner}`", "", instruction.start_line
    return lacking_platform(build, stage)


def lacking_platform(build: Build, stage: Stage) -> tuple[str, str, int] | None:
    """Return for which platform the stage is built, and distroless is not."""
    line = stage.from_.start_line
    if stage.platform is not None and "$" not in stage.platform and not _PLATFORM.fullmatch(stage.platform):
        return f"`{IMAGE}` is not made for `{stage.platform}`", "", line
    for declared in build.declared:
        data = declared.file.read_bytes() if declared.file.is_file() else b""
        platform = _LACKING.search(data)
        if platform is not None:
            shown = f"{declared.file.name}:{data.count(bytes([10]), 0, platform.start()) + 1}"
            return f"it is built for `{platform[0].decode()}` too ({shown}), for which `{IMAGE}` is not made", "", line
    return None
