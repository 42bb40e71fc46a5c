"""Which small image a Go program can surely run in, that was built in a large one."""

from __future__ import annotations

import re
from typing import NamedTuple

from dockopt.optimizer.bases import repository
from dockopt.optimizer.ecosystems.go.needs import needs_of
from dockopt.optimizer.ecosystems.go.shipping import Shipped
from dockopt.optimizer.entrypoint import Start
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit, Refusal
from dockopt.optimizer.regions import Region
from dockopt.optimizer.running.services import services_of
from dockopt.optimizer.runtime_bases import base_of
from dockopt.optimizer.syntax import Stage
from dockopt.optimizer.wording import shortened
from dockopt.rewrites.stage_accounts import accounts_of

#: images of Debian 12 were supported until September 2026 (distroless, SUPPORT_POLICY.md)
STATIC = "gcr.io/distroless/static-debian13"
#: C library and C++ library of Debian 13, certificates, time zones, no shell (distroless, README): what is linked with an older
#: glibc or libstdc++ runs with a later one (glibc, "ABI compatibility"; GCC, "ABI Policy and Guidelines")
_WITH_C = {"bookworm": "gcr.io/distroless/cc-debian13"}
#: supported until May 2027 (https://alpinelinux.org/releases/)
_ALPINE = "alpine:3.22"
_ALPINE_TAG = re.compile(r"(?:^|-)alpine(\d+\.\d+)$")
_DEBIAN_TAG = re.compile(r"(?:^|-)(bookworm)$")
_ZONES = "/usr/local/go/lib/time/zoneinfo.zip"
#: settings by which another Go tree than that of the image builds a program (go.dev/doc/toolchain)
_OTHER_TREE = re.compile(r"GOROOT|GOTOOLCHAIN(?!=local\b)")
#: users that both the golang images and the new one have by the same number (Debian base-passwd, Alpine alpine-baselayout, distroless)
_USERS = re.compile(r"(?:root|nobody|\d+)(?::\d+)?")
#: C that needs nothing but the C library: no C++
_PLAIN_C = re.compile(r"SQLite|SQLCipher|zstd|C of its own")
#: options of wget that busybox has too (busybox, networking/wget.c)
WGET = re.compile(r"-q|-O|-O-|-qO-|-S|-T|-|--spider|--quiet|\d+|https?://\S+|/dev/null|-qO/dev/null")


class Choice(NamedTuple):
    """The base image of the new stage."""

    image: str
    shell: bool
    #: the edit that builds the program without C, where it is not built so
    without_c: Edit | None
    why: str = ""
    #: what of the base image that builds has to go along
    also: tuple[str, ...] = ()


class NoBase(NamedTuple):
    """Why no image is certain to do, and where the cause stands."""

    reason: str
    path: str
    line: int


def choose(
    build: Build,
    stage: Stage,
    found: Shipped,
    start: Start,
    health: Start | None,
    cgo: tuple[Edit, str] | Refusal | None,
) -> Choice | NoBase:
    """Return the base image for a program with what starts it and checks its health. Raises Unsupported."""
    shell = needs_shell(build, stage, found.path, start, health)
    if isinstance(shell, NoBase):
        return shell
    tag = repository(base_of(build.executor, stage.index).reference)[1]
    alpine = _ALPINE_TAG.search(tag)
    release = f"alpine:{alpine[1]}" if alpine else None
    if cgo is None or not isinstance(cgo, Refusal):
        if cgo is None and found.build.linking.static is not True:
            return NoBase(
                f"the program is not surely static: {'; '.join(found.build.linking.reasons)}",
                "",
                found.build.command.line,
            )
        edit, why = (None, "") if cgo is None else cgo
        if not shell:
            return Choice(STATIC, False, edit, why)
        zones = _zones(build, stage, found)
        if isinstance(zones, NoBase):
            return zones
        return Choice(release or _ALPINE, True, edit, why, zones)
    zones = _zones(build, stage, found)
    return _with_c(found, cgo, shell=shell, alpine=release, tag=tag, zones=zones)


def needs_shell(build: Build, stage: Stage, path: str, start: Start, health: Start | None) -> bool | NoBase:
    """Tell whether the new image of a program has to have a shell, or say why it cannot be what the old one is."""
    stranger = stranger_of(build, stage)
    if stranger is not None:
        return stranger
    if health is None:
        return bool(start.shells)
    problem = _health_problem(path, health)
    if problem is not None:
        return problem
    return bool(start.shells or health.shells) or any(path not in p.places for p in health.programs)


def stranger_of(build: Build, stage: Stage) -> NoBase | None:
    """Return why the user of a stage is not surely the same one in another image. Raises Unsupported."""
    user = next((i.args.strip() for i in reversed(stage.instructions) if i.keyword == "USER"), "")
    if not user or _USERS.fullmatch(user) or accounts_of(build, stage).names.issuperset(user.split(":")):
        return None
    return NoBase(f"the user `{user}` is not surely the same one in another image", "", stage.from_.start_line)


def zones_needed(build: Build, index: int, found: Shipped) -> tuple[str, int] | None:
    """Return what shows that a program needs time zones: its sources, or the variable TZ that it is started with in a stage."""
    stage = build.dockerfile.stages[index]
    line = stage.from_.start_line
    needs = needs_of(found.build)
    if needs is None:
        return "", line
    if needs.zone_files is not None:
        return needs.zone_files
    if needs.brings_zones:
        return None
    zone = build.runs[index].final.env.get("TZ")
    if zone is not None and zone.text not in ("", "UTC"):
        return "", stage.line_that_sets("TZ")
    for service in services_of(build, index):
        if service.environment.get("TZ", "UTC") not in ("", "UTC"):
            return service.file, service.line
    return needs.time_zones


def _zones(build: Build, stage: Stage, found: Shipped) -> tuple[str, ...] | NoBase:
    """Return the file of time zones that the program needs on Alpine, which has none.

    A program looks into that of the Go tree which it was built by, where the system has none, unless `-trimpath` has taken the
    name of that tree from it (`runtime.GOROOT`; `time`, zoneinfo.go and zoneinfo_goroot.go). The golang images have it at /usr/local/go.
    """
    place = zones_needed(build, stage.index, found)
    if place is None:
        return ()
    needs = needs_of(found.build)
    reason = 'Alpine has no time zones, and the program needs some: `import _ "time/tzdata"` builds them in'
    if needs is None or needs.zone_files is not None:
        return NoBase(reason, *(place if needs is None or needs.zone_files is None else needs.zone_files))
    name, tag = repository(base_of(build.executor, stage.index).reference)
    settings = found.build.settings
    trimmed = settings.value("-trimpath")
    # another tree than that of the image builds it, or may
    elsewhere = any(_OTHER_TREE.search(i.args) for i in stage.instructions if i.keyword in ("ENV", "ARG", "RUN"))
    if name != "golang" or not tag or trimmed != (True, None) or elsewhere or _may_change(build, stage, _ZONES):
        return NoBase(reason, *place)
    return (_ZONES,)


def _may_change(build: Build, stage: Stage, path: str) -> bool:
    """Tell whether a path below /usr/local may be another one at the end of a stage than in its base image.

    Packages of a system put nothing there (Filesystem Hierarchy Standard 3.0, 4.9; Debian Policy 9.1.2).
    """
    packages = {
        (command.line, f"`{shortened(command.text)}`")
        for command in build.executed
        if command.stage == stage.index and command.name in ("apk", "apt-get", "apt")
    }
    changed = build.runs[stage.index].final.files.affecting(Region((path,)))
    return any((op.line, op.writer) not in packages for op in changed)


def _with_c(
    found: Shipped, refused: Refusal, *, shell: bool, alpine: str | None, tag: str, zones: tuple[str, ...] | NoBase
) -> Choice | NoBase:
    """Return an image with the C library that the program was built against."""
    facts = found.build.facts
    unclear = NoBase(f"it cannot be built without C: {refused.reason}", refused.cause_path, refused.cause_line)
    if facts is None or facts.open or not facts.uses or not all(use.bundled or use.own for use in facts.uses):
        return unclear
    if any(use.own and not _PLAIN_C.search(use.what) for use in facts.uses):
        return unclear
    what = ", ".join(use.what for use in facts.uses)
    debian = _DEBIAN_TAG.search(tag)
    if debian is not None and not shell and found.build.linking.libc == "glibc":
        return Choice(_WITH_C[debian[1]], False, None, f"it has glibc, which the program needs ({what})")
    if alpine is not None and found.build.linking.libc == "musl" and all(_PLAIN_C.search(u.what) for u in facts.uses):
        if isinstance(zones, NoBase):
            return zones
        return Choice(alpine, True, None, f"it has musl, which the program needs ({what})", zones)
    return NoBase(
        f"the program needs C ({what}), and the tag `{tag}` does not say which release of Debian or Alpine it was built on",
        refused.cause_path,
        refused.cause_line,
    )


def _health_problem(path: str, health: Start) -> NoBase | None:
    line = health.instructions[0].start_line
    if health.unknown is not None:
        return NoBase(f"the health check is not understood: {health.unknown.reason}", health.unknown.path, line)
    for program in health.programs:
        if path in program.places:
            continue
        name = (program.argv[0] or "").rpartition("/")[2]
        if name == "wget" and all(word is not None and WGET.fullmatch(word) for word in program.argv[1:]):
            continue
        return NoBase(f"the health check starts `{name}`, which no small image has in the same form", "", line)
    return None
