"""What a program finds in an image that it is run in: C library, shell, certificates, time zones, user; and how large that is.

Facts are those of the files that `RuntimeBase.source` names, read in November 2026. Sizes are those of linux/amd64, uncompressed, in
round figures: they differ from release to release. For official images they are the "virtual size" that docker-library/repo-info
tells of each tag (`repos/<image>/local/<tag>.md`, which lists packages and environment too); for distroless, of which nobody
publishes it, the files of the Debian packages that its build takes, added up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.bases import repository
from dockopt.optimizer.syntax import Dockerfile, ExpansionError, expand

if TYPE_CHECKING:
    from dockopt.optimizer.symbolic.execute import Executor


@dataclass(frozen=True, slots=True)
class RuntimeBase:
    """One base image, or a family of them. None: it differs, or is not known."""

    kind: str  #: "scratch", "static", "base", "cc", "alpine", "debian", "glibc", …
    libc: str | None  #: "glibc", "musl", "" for none
    shell: bool | None
    #: "apk", "apt", …, "" for none
    packages: str | None
    certificates: bool | None
    time_zones: bool | None
    #: programs that health checks like to use and that are there
    programs: frozenset[str] = frozenset()
    #: user that it starts programs as
    user: str | None = "root"
    megabytes: float | None = None
    source: str = ""


_DISTROLESS = (
    "github.com/GoogleContainerTools/distroless at cd080764: {}/config.bzl, static/static.bzl, common/BUILD.bazel"
)
_INFO = "github.com/docker-library/repo-info: repos/{}"
#: BuildKit's frontend/dockerfile/dockerfile2llb/convert.go takes the name for no image at all
SCRATCH = RuntimeBase(
    "scratch", "", False, "", False, False, megabytes=0, source="moby/buildkit, dockerfile2llb/convert.go"
)
#: base-files, netbase, tzdata, media-types, the certificates of ca-certificates; /etc/passwd with root, nobody and nonroot (65532); /tmp
STATIC = RuntimeBase("static", "", False, "", True, True, megabytes=2, source=_DISTROLESS.format("static"))
#: static and libc6 (12.8 MB), libssl3 (5.9 MB)
BASE = replace(STATIC, kind="base", libc="glibc", megabytes=21, source=_DISTROLESS.format("base"))
#: static and libc6
_BASE_WITHOUT_SSL = replace(BASE, megabytes=15)
#: base and libstdc++6 (2.3 MB), libgomp1, libgcc-s1
CC = replace(BASE, kind="cc", megabytes=24, source=_DISTROLESS.format("cc"))
#: busybox has the shell, wget and ssl_client; apk brings the package ca-certificates-bundle (3.14, 3.22)
ALPINE = RuntimeBase(
    "alpine", "musl", True, "apk", True, False, frozenset({"sh", "wget", "nc", "pgrep", "ps"}), megabytes=8,
    source=_INFO.format("alpine/local/3.22.md"),
)  # fmt: skip
#: packages: apt, bash and dash, no ca-certificates. tzdata is among them in 12 and 13, where tzdata-legacy (`US/Eastern`) is not
DEBIAN = RuntimeBase(
    "debian", "glibc", True, "apt", False, None, frozenset({"sh", "bash"}), megabytes=120,
    source=_INFO.format("debian/local/13.md"),
)  # fmt: skip
DEBIAN_SLIM = replace(DEBIAN, kind="slim", megabytes=75, source=_INFO.format("debian/local/bookworm-slim.md"))
#: apt, bash and dash; neither ca-certificates nor tzdata. 26.04 has 100 MB
UBUNTU = replace(DEBIAN, kind="ubuntu", time_zones=False, megabytes=78, source=_INFO.format("ubuntu/local/24.04.md"))
_GLIBC = RuntimeBase("glibc", "glibc", True, None, None, None, frozenset({"sh"}))
_MUSL = replace(ALPINE, kind="alpine based", certificates=None, time_zones=None, megabytes=None)
_BUSYBOX = RuntimeBase(
    "busybox", None, True, "", False, False, frozenset({"sh", "wget", "nc"}), megabytes=4,
    source=_INFO.format("busybox/local/latest.md"),
)  # fmt: skip
#: "no libc implementation", one user `nonroot`; of certificates and time zones the page says nothing
_CHAINGUARD = RuntimeBase(
    "static", "", False, "", None, None, user="nonroot",
    source="https://edu.chainguard.dev/chainguard/chainguard-images/reference/static/",
)  # fmt: skip
#: glibc and libstdc++, no program but ldconfig; nothing is said of its user
_CHAINGUARD_GLIBC = replace(
    _CHAINGUARD, kind="cc", libc="glibc", user=None,
    source="https://images.chainguard.dev/directory/image/glibc-dynamic/overview",
)  # fmt: skip

_EXACT: dict[str, RuntimeBase] = {
    "scratch": SCRATCH,
    "alpine": ALPINE,
    "debian": DEBIAN,
    "ubuntu": UBUNTU,
    "busybox": _BUSYBOX,
    "buildpack-deps": replace(_GLIBC, packages="apt"),
    "fedora": replace(_GLIBC, packages="dnf"),
    "rockylinux": replace(_GLIBC, packages="dnf"),
    "almalinux": replace(_GLIBC, packages="dnf"),
    "oraclelinux": replace(_GLIBC, packages="dnf"),
    "amazonlinux": replace(_GLIBC, packages="dnf"),
    "centos": replace(_GLIBC, packages="yum"),
    "archlinux": replace(_GLIBC, packages="pacman"),
    "cgr.dev/chainguard/static": _CHAINGUARD,
    "cgr.dev/chainguard/glibc-dynamic": _CHAINGUARD_GLIBC,
}
_SHOWN = {
    "scratch": SCRATCH,
    "gcr.io/distroless/static-debian13": STATIC,
    "gcr.io/distroless/static-debian13:nonroot": replace(STATIC, user="nonroot"),
    "gcr.io/distroless/base-debian13": BASE,
    "gcr.io/distroless/cc-debian13": CC,
    "alpine": ALPINE,
    "debian:bookworm-slim": replace(DEBIAN_SLIM, time_zones=True),
    "ubuntu:24.04": UBUNTU,
}
_DISTROLESS_IMAGES = {"static": STATIC, "base": BASE, "base-nossl": _BASE_WITHOUT_SSL, "cc": CC}
#: official images whose tags say `alpine` where, and only where, they are made of Alpine, and of a Linux with glibc otherwise
#: (docker-library/official-images at 37079fb: `Tags` and `Directory` of library/<name>)
_EITHER = frozenset(
    "golang python node ruby rust php perl elixir erlang haskell openjdk eclipse-temurin maven gradle nginx httpd redis postgres "
    "memcached gcc julia".split()
)
#: what tags of those say that are made of a Linux with another package manager than apt (Red Hat, Oracle, Amazon, Azure Linux)
_NO_APT = re.compile(r"ubi|oracle|corretto|amazon|graal|azure|mariner|microsoft")
#: releases of Debian whose images have the package tzdata
_WITH_ZONES = re.compile(r"(?:1[23]|bookworm|trixie)\b")
#: the first release of Alpine that certificates are known of
_ALPINE_RELEASE = re.compile(r"3\.(\d+)\b")
_FIRST_WITH_CERTIFICATES = 14
_RED_HAT = ("registry.access.redhat.com/ubi", "registry.redhat.io/ubi", "redhat/ubi")


def runtime_base(reference: str) -> RuntimeBase | None:
    """Return what is known of a base image by its name, None if nothing is; the tag may not hold variables."""
    name, tag = repository(reference)
    if "$" in name or "$" in tag or any(word in tag for word in ("windows", "nanoserver")):
        return None
    if name.startswith("gcr.io/distroless/"):
        return _distroless(name.removeprefix("gcr.io/distroless/"), tag)
    if name == "debian":
        found = DEBIAN_SLIM if "slim" in tag else DEBIAN
        return replace(found, time_zones=True) if _WITH_ZONES.match(tag) else found
    if name == "alpine" and (release := _ALPINE_RELEASE.match(tag)) and int(release[1]) < _FIRST_WITH_CERTIFICATES:
        return replace(ALPINE, certificates=None)
    if name == "composer" and "bin" not in tag:
        return _MUSL  # `FROM php:8-alpine` (composer/docker, Dockerfiles)
    if name in _EITHER:
        if not tag and "@" in reference:
            return None
        apt = name != "openjdk" and _NO_APT.search(tag) is None
        return _MUSL if "alpine" in tag else replace(_GLIBC, packages="apt" if apt else None)
    if name.startswith(_RED_HAT):
        return replace(_GLIBC, packages=None)
    return _EXACT.get(name)


def _distroless(image: str, tag: str) -> RuntimeBase | None:
    name = image.split("-debian", maxsplit=1)[0]
    found = _DISTROLESS_IMAGES.get(name)
    if found is None:
        return None
    if "debug" in tag:
        # busybox in /busybox, with a shell that is not at /bin/sh (static/static.bzl)
        found = replace(found, programs=frozenset({"/busybox/sh"}))
    return replace(found, user="nonroot" if "nonroot" in tag else found.user)


def table() -> str:
    """Return what is known of the images that a program can be run in, as a table in Markdown."""
    rows = [
        "| image | MB | C library | shell | packages | certificates | time zones | user |",
        "|---|---:|---|---|---|---|---|---|",
    ]
    for name, facts in _SHOWN.items():
        size = "" if facts.megabytes is None else f"{facts.megabytes:g}"
        cells = [f"`{name}`", size, facts.libc or "none", _word(facts.shell), facts.packages or "none"]
        cells += [_word(facts.certificates), _word(facts.time_zones), str(facts.user)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _word(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "depends on the release"}[value]


class StageBase(NamedTuple):
    """The image that a stage and those that it is built on start from."""

    reference: str  #: with the defaults of build arguments put in
    certain: bool  #: no build argument decides
    line: int  #: of the FROM that names it
    facts: RuntimeBase | None


def with_defaults(dockerfile: Dockerfile, word: str) -> tuple[str, bool]:
    """Return a word of FROM with the defaults of `ARG`s before the first stage, and whether it is as written."""
    if "$" not in word:
        return word, True
    values: dict[str, str] = {}
    try:
        for instruction in dockerfile.meta_args:
            for pair in instruction.pairs:
                if pair.value is not None:
                    values[pair.key] = expand(pair.value, values.get, dockerfile.escape)
        return expand(word, values.get, dockerfile.escape), False
    except ExpansionError:
        return word, False


def base_of(executor: Executor, stage: int) -> StageBase:
    """Return the image at the bottom of a stage (its index), by the defaults of build arguments."""
    dockerfile = executor.dockerfile
    found = dockerfile.stages[stage]
    parent = executor.stage_named(found.base, stage)
    if parent is not None:
        return base_of(executor, parent.stage.index)
    reference, certain = with_defaults(dockerfile, found.base)
    line = found.from_.start_line
    if not certain:
        inner = executor.stage_named(reference, stage)
        if inner is not None:
            return base_of(executor, inner.stage.index)._replace(certain=False)
    replaced = executor.is_replaced(found.base)
    return StageBase(reference, certain, line, None if replaced else runtime_base(reference))
