"""What the Compose files of a project say about the containers of an image: user, mounts, ports, privileges, another command.

Source: the Compose specification, `services.md` and `interpolation.md`. A service counts that builds this very Dockerfile, together
with what other Compose files beside it say of a service of the same name, as they may be laid over it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dockopt.optimizer.model import Build

_COMPOSE = re.compile(r"(?:docker-)?compose(?:[._-].+)?\.ya?ml", re.IGNORECASE)
_SERVICE = re.compile(r'service "(.*)"')
#: what gives a container more than an unprivileged one, or takes its walls away
_PRIVILEGES = (
    "privileged",
    "cap_add",
    "devices",
    "network_mode",
    "pid",
    "ipc",
    "userns_mode",
    "cgroup",
    "uts",
    "device_cgroup_rules",
)
_HARMLESS = {"privileged": (False,), "network_mode": ("bridge", "none"), "ipc": ("private", "shareable")}
#: a host, a port or a range of ports, and a protocol
_PORT = re.compile(r"(?:.*:)?(?P<port>\d+)(?:-\d+)?(?:/\w+)?")


class Mounted(NamedTuple):
    """One mount of a service; `source` is None for an anonymous volume."""

    source: str | None
    target: str
    read_only: bool
    line: int

    @property
    def is_of_host(self) -> bool:
        """Tell whether it shows a path of the machine that runs the container, and not a volume of the engine."""
        return self.source is not None and (self.source.startswith(("/", ".", "~")) or "$" in self.source)


@dataclass(slots=True)
class Service:
    """What is said of one service in one file."""

    file: str  #: relative to the build context
    name: str
    line: int
    user: bool = False
    #: keys that set another command, or take settings from elsewhere
    replaces: list[tuple[str, int]] = field(default_factory=list)
    #: keys that start programs of the image beside its own command
    starts: list[tuple[str, int]] = field(default_factory=list)
    privileges: list[tuple[str, int]] = field(default_factory=list)
    #: keys that give it files of the host
    files: list[tuple[str, int]] = field(default_factory=list)
    mounts: list[Mounted] = field(default_factory=list)
    ports: list[tuple[int, int]] = field(default_factory=list)  #: of the container, with their lines
    environment: dict[str, str | None] = field(default_factory=dict)  #: None: not known


def services_of(build: Build, stage: int = -1) -> tuple[Service, ...]:
    """Return the services that run a stage of a Dockerfile, as a rule the last one."""
    root = root_of(build)
    return tuple(
        service
        for directory, name in _names(build, stage)
        for service in _in_directory(directory, name, root or directory)
    )


def root_of(build: Build) -> Path | None:
    """Return the directory of the build context, to which shown paths are relative; None for one that is on no disk."""
    root = getattr(build.context.reader, "root", None)
    return root if isinstance(root, Path) else None


def service_names(build: Build, stage: int = -1) -> frozenset[str]:
    """Return what the services are called that run a stage of a Dockerfile."""
    return frozenset(name for _, name in _names(build, stage))


def _names(build: Build, stage: int) -> tuple[tuple[Path, str], ...]:
    runs = build.dockerfile.stages[stage]
    is_last = runs is build.dockerfile.stages[-1]
    names: dict[tuple[Path, str], None] = {}
    for declared in build.declared:
        found = _SERVICE.fullmatch(declared.name)
        if found is None or not _COMPOSE.fullmatch(declared.file.name):
            continue
        target = declared.target
        named = target is not None and target.lower() in (runs.name, str(runs.index))
        if named or declared.any_target or (target is None and is_last):
            names.setdefault((declared.file.parent, found[1]))
    return tuple(names)


def _in_directory(directory: Path, name: str, root: Path) -> Iterator[Service]:
    from dockopt.optimizer.context.builds.files import content
    from dockopt.optimizer.context.builds.model import NotUnderstood
    from dockopt.optimizer.context.builds.yaml_lines import documents

    try:
        files = sorted(path for path in directory.iterdir() if _COMPOSE.fullmatch(path.name) and path.is_file())
    except OSError:
        return
    for file in files:
        data = None if file.is_symlink() else content(file)
        if data is None:
            continue
        try:
            found = documents(data)
        except NotUnderstood:
            continue  # opening the Dockerfile has said so
        for document in found:
            services = document.get("services") if isinstance(document, Mapping) else None
            service = services.get(name) if isinstance(services, Mapping) else None
            if isinstance(service, Mapping):
                yield _service(service, name, Path(os.path.relpath(file, root)).as_posix())


def _service(given: Mapping[object, object], name: str, file: str) -> Service:
    def line_of(key: str) -> int:
        return int(getattr(given, "line_of", lambda _: 0)(key))

    service = Service(file, name, int(getattr(given, "line", 0)), user="user" in given)
    service.replaces = [
        (key, line_of(key)) for key in ("command", "entrypoint", "extends", "working_dir") if given.get(key) is not None
    ]
    service.starts = [(key, line_of(key)) for key in ("post_start", "pre_stop") if given.get(key)]
    health = given.get("healthcheck")
    if (
        isinstance(health, Mapping)
        and not health.get("disable")
        and health.get("test", "NONE") not in ("NONE", ["NONE"])
    ):
        service.starts.append(("healthcheck", line_of("healthcheck")))
    service.privileges = [
        (key, line_of(key)) for key in _PRIVILEGES if given.get(key) and given[key] not in _HARMLESS.get(key, ())
    ]
    service.files = [(key, line_of(key)) for key in ("secrets", "configs") if given.get(key)]
    for item in _items(given.get("volumes")):
        service.mounts.append(_mount(item, line_of("volumes")))
    for item in (*_items(given.get("ports")), *_items(given.get("expose"))):
        target = item.get("target") if isinstance(item, Mapping) else item
        port = _PORT.fullmatch(str(target))
        if port is not None:
            service.ports.append((int(port["port"]), line_of("ports" if "ports" in given else "expose")))
    environment = given.get("environment")
    pairs = (
        environment.items()
        if isinstance(environment, Mapping)
        else (str(item).split("=", 1) for item in _items(environment))
    )
    for key, *value in pairs:
        text = str(value[0]) if value and value[0] is not None else None
        service.environment[str(key)] = None if text is None or "$" in text else text
    return service


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _mount(item: object, line: int) -> Mounted:
    if isinstance(item, Mapping):
        source = str(item["source"]) if item.get("source") is not None else None
        if item.get("type") == "bind" and source is not None and not source.startswith(("/", ".", "~", "$")):
            source = f"./{source}"
        return Mounted(source, str(item.get("target", "")), bool(item.get("read_only")), line)
    parts = re.sub(r"\$\{[^}]*\}", "$", str(item)).split(":")
    if len(parts) == 1:
        return Mounted(None, parts[0], False, line)
    return Mounted(parts[0], parts[1], "ro" in parts[2].split(",") if len(parts) > 2 else False, line)
