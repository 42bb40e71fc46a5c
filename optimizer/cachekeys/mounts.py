"""The mounts of a RUN as they count for its key: what is mounted where, and what they select of their inputs.

Sources: BuildKit `dockerfile2llb/convert_runmount.go`, `convert_secrets.go`, `convert_ssh.go`, `solver/llbsolver/ops/exec.go`
(`CacheMap`, `getMountDeps`); reference §2.2. The contents of caches, secrets and agents never count.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple

from dockopt.optimizer.cachekeys.steps import Unpredictable
from dockopt.optimizer.cachekeys.variables import Environment
from dockopt.optimizer.regions import normalize
from dockopt.optimizer.syntax import Mount
from dockopt.optimizer.syntax.mounts import parse_mount


class Mounted(NamedTuple):
    """One mount with its options read and its target absolute."""

    target: str
    #: how it counts, apart from its input
    parts: tuple[str, ...]
    #: what is mounted: "context", the value of `from`, or None for what a RUN makes itself
    origin: str | None
    #: absolute path in there
    source: str = "/"


def expanded(mount: Mount, environment: Environment, escape: str) -> Mount:
    """Return the mount with its variables expanded. Raises Unpredictable."""
    if "$" not in mount.raw:
        return mount
    fields = []
    for name, raw in mount.options.items():
        text = raw if name == "from" else environment.expand(raw, escape).text
        if text is None:
            raise Unpredictable(f"`{raw}` in `--mount={mount.raw}` is not known before the build")
        field = f"{name}={text}".replace('"', '""')
        fields.append(f'"{field}"')
    return parse_mount(",".join(fields))


def mounted(mount: Mount, absolute: Callable[[str], str]) -> Mounted:
    """Return how a mount counts; `absolute` resolves a target against the working directory. Raises Unpredictable."""
    if mount.error:
        raise Unpredictable(f"`--mount={mount.raw}` is not valid: {mount.error}")
    if mount.type in ("secret", "ssh"):
        return _handed_over(mount)
    if not mount.target:
        raise Unpredictable(f"`--mount={mount.raw}` has no target")
    # an absolute target is taken as it is written
    target = mount.target if mount.target.startswith("/") else absolute(mount.target)
    source = normalize(mount.source or "")
    writable = "read-only" if mount.readonly else "writable"
    owner = tuple(f"{name}={mount.options[name]}" for name in ("uid", "gid", "mode") if name in mount.options)
    if mount.type == "tmpfs":
        return Mounted(target, ("tmpfs", target, mount.options.get("size", "")), None)
    if mount.type == "bind":
        return Mounted(target, ("bind", target, writable), mount.from_ or "context", source)
    usual = (mount.id or posixpath.normpath(mount.target)) == target and mount.sharing in (None, "shared")
    made: tuple[str, ...] = ()
    if owner and source == "/":
        if mount.from_:
            raise Unpredictable(
                f"`--mount={mount.raw}`: the owner of a cache that begins with other files is not modelled"
            )
        numbers = {name: mount.options.get(name) for name in ("uid", "gid", "mode")}
        made = (str(int(numbers["uid"] or "0")), str(int(numbers["gid"] or "0")), str(int(numbers["mode"] or "755", 8)))
    parts = ("cache", target, writable, "usual" if usual else "named", *made)
    return Mounted(target, parts, mount.from_, source)


def _handed_over(mount: Mount) -> Mounted:
    """Return how a secret or an agent counts: by its options, never by what it holds."""
    options = mount.options
    target = mount.target or ""
    identity = mount.source or mount.id or (posixpath.basename(target) if mount.type == "secret" else "")
    if mount.type == "secret" and not target and "env" not in options:
        target = f"/run/secrets/{posixpath.basename(identity)}"
    required = options.get("required", "false").lower() in ("1", "t", "true")
    owner: tuple[str, ...] = ()
    if any(name in options for name in ("uid", "gid", "mode")):
        mode = int(options["mode"], 8) if "mode" in options else 0o400 if mount.type == "secret" else 0o600
        owner = (str(int(options.get("uid", "0"))), str(int(options.get("gid", "0"))), str(mode))
    parts = (mount.type, identity, target, str(required), options.get("env", ""), *owner)
    return Mounted(target, parts, None)
