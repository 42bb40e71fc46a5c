"""Whether cgo is on for a `go build`, and whether what it makes is linked statically.

Facts (Go 1.26, linux/amd64, tried out in `tests/ecosystems/go/test_binary.py`; for the defaults `go help environment`, release notes
of Go 1.20): cgo is on by default for the machine's own system and architecture, where a C compiler is found; a program with C of its own,
or that reaches `net` without the tag `netgo` or `os/user` without `osusergo`, is then linked dynamically. `-extldflags -static` changes
that only where the external linker works: for C beyond the standard library, or with `-linkmode external`. `-buildmode=pie` and `-race`
need the dynamic loader always.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.bases import repository
from dockopt.optimizer.ecosystems.go.module_facts import C_STANDARD
from dockopt.optimizer.ecosystems.go.versions import go_version_key

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.ecosystems.go.arguments import Settings
    from dockopt.optimizer.ecosystems.go.cgo import CgoFacts
    from dockopt.optimizer.runtime_bases import StageBase
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed

#: packages of Alpine that bring a C compiler along
_COMPILER_PACKAGES = frozenset("gcc g++ clang build-base alpine-sdk go gcc-go gcc-gnat rust cargo abuild".split())
#: packages of Alpine that surely do not
_HARMLESS_PACKAGES = frozenset(
    "git ca-certificates ca-certificates-bundle tzdata make bash curl wget openssh openssh-client upx file jq tar unzip zip xz gzip "
    "openssl protobuf protoc protobuf-dev gettext mercurial subversion musl-dev libc-dev linux-headers coreutils findutils grep sed "
    "gawk rsync gnupg binutils shadow su-exec tini dumb-init nodejs npm yarn python3 sqlite tree util-linux".split()
)
_PLATFORM_SYSTEM = re.compile(r"GOOS[= ]+[\"']?\$\{?TARGETOS\b")
_PLATFORM_ARCHITECTURE = re.compile(r"GOARCH[= ]+[\"']?\$\{?TARGETARCH\b")
_COMPILER_WORDS = re.compile(r"\b(gcc|clang|build-base|build-essential|musl-dev|apk|apt-get|apt)\b")
_STATIC = re.compile(r"(?<![\w-])-static(-pie)?(?![\w-])")
_EXTERNAL = re.compile(r"-linkmode[= ][\"']?external")


class Cgo(NamedTuple):
    """What a build is for, and whether C is compiled; None: not known before the build."""

    on: bool | None
    why: str  #: a clause: "`CGO_ENABLED=0` is set"
    explicit: bool  #: CGO_ENABLED is set to something
    system: str | None  #: GOOS
    architecture: str | None  #: GOARCH
    native: bool | None  #: it builds for the machine that it runs on
    compiler: bool | None  #: a C compiler is there


@dataclass(frozen=True, slots=True)
class Linking:
    """How the programs of a build are linked."""

    static: bool | None
    libc: str | None  #: "glibc", "musl", "" for none; None: not known
    reasons: tuple[str, ...]
    certain: bool = True  #: no build argument decides about the C library


def cgo_setting(command: Executed, executor: Executor, around: Surroundings, base: StageBase) -> Cgo:
    """Return whether cgo is on for a command, and for what it builds."""
    system, architecture, native = _platform(command, executor, around)
    compiler = _compiler(around, base)
    known, value = _variable(around, "CGO_ENABLED")
    if not known:
        return Cgo(
            None, "what `CGO_ENABLED` is, is not known before the build", True, system, architecture, native, compiler
        )
    if value in ("0", "1"):
        return Cgo(value == "1", f"`CGO_ENABLED={value}` is set", True, system, architecture, native, compiler)
    on, why = _default(base, native, compiler)
    return Cgo(on, why, False, system, architecture, native, compiler)


def _default(base: StageBase, native: bool | None, compiler: bool | None) -> tuple[bool | None, str]:
    unset = "`CGO_ENABLED` is not set"
    if native is False:
        return False, f"{unset}, and it is built for another machine, for which cgo is off by default"
    if compiler is False:
        old = _release(base.reference)
        if old is None or go_version_key(old) >= go_version_key("1.20"):
            return False, f"{unset}, and `{base.reference}` has no C compiler, without which cgo is off since Go 1.20"
        return True, f"{unset}, and cgo is on by default"
    if compiler is None:
        return None, f"{unset}, and whether a C compiler is there, which decides about the default, is not known"
    if native is None:
        return None, f"{unset}, and cgo is on by default only where it is built for the machine's own architecture"
    return True, f"{unset}, and cgo is on by default"


def _release(reference: str) -> str | None:
    """Return the Go version that the tag of a golang image names; None where it moves, which is a new one."""
    found = re.match(r"(\d+\.\d+)", repository(reference)[1])
    return found[1] if found is not None else None


def _variable(around: Surroundings, name: str) -> tuple[bool, str | None]:
    """Return a variable as go sees it: that of the environment, else what `go env -w` has written."""
    known, value = around.variable(name)
    if known and not value:
        for _, argv in around.earlier("go"):
            if argv[1:3] == ("env", "-w"):
                for word in argv[3:]:
                    if word is None:
                        known = False
                    elif word.startswith(f"{name}="):
                        value = word.partition("=")[2]
    return known, value


def _platform(
    command: Executed, executor: Executor, around: Surroundings
) -> tuple[str | None, str | None, bool | None]:
    """Return GOOS, GOARCH, and whether it is what the machine is that builds."""
    known_system, system = _variable(around, "GOOS")
    known_architecture, architecture = _variable(around, "GOARCH")
    # a stage without `--platform` runs as the platform that it is built for
    same = executor.dockerfile.stages[command.stage].platform is None
    if not known_system:
        of_platform = _PLATFORM_SYSTEM.search(executor.text) is not None
        system = "linux" if of_platform else None
        known_system = of_platform
    native: bool | None = (system or "linux") == "linux" if known_system else None
    if not known_architecture:
        of_platform = _PLATFORM_ARCHITECTURE.search(executor.text) is not None
        native = native if of_platform and same else (None if native is not False else False)
        architecture = None
    elif architecture:
        native = None if native is not False else False
    return (system or "linux") if known_system else None, architecture or None, native


def _compiler(around: Surroundings, base: StageBase) -> bool | None:
    """Tell whether a C compiler is there."""
    if base.facts is None or repository(base.reference)[0] != "golang":
        return None
    if base.facts.libc == "glibc":
        return True  # gcc and libc6-dev (docker-library/golang, Dockerfile-linux.template)
    found: bool | None = False
    for text, argv in around.earlier("apk"):
        packages = [re.split(r"[=<>~@]", word)[0] for word in argv[1:] if word is not None and not word.startswith("-")]
        if any(p in _COMPILER_PACKAGES for p in packages) or re.search(r"\b(gcc|build-base|clang)\b", text):
            return True
        virtual = [argv[i + 1] for i, word in enumerate(argv[:-1]) if word in ("-t", "--virtual", "-X", "--repository")]
        rest = [p for p in packages if p not in ("add", "update", "upgrade") and p not in virtual]
        if not argv or None in argv or any(p not in _HARMLESS_PACKAGES for p in rest):
            found = None
    return found


def linking(cgo: Cgo, facts: CgoFacts | None, settings: Settings, base: StageBase) -> Linking:
    """Return how a build links."""
    value = settings.value
    libc = None if base.facts is None else base.facts.libc
    certain = base.certain
    known, mode = value("-buildmode")
    if not known:
        return Linking(None, libc, ("`-buildmode` is not known before the build",), certain)
    if mode == "pie":
        return Linking(False, libc, ("`-buildmode=pie` needs the dynamic loader",), certain)
    if mode not in (None, "default", "exe"):
        return Linking(None, libc, (f"`-buildmode={mode}` makes no program",), certain)
    if value("-race")[1] == "true":
        return Linking(False, libc, ("`-race` needs cgo and the C library",), certain)
    if facts is not None and facts.dynamic is not None:
        return Linking(False, libc, (f"`{facts.dynamic.package}` needs {facts.dynamic.what}",), certain)
    if facts is not None and facts.perhaps_dynamic is not None:
        return Linking(None, libc, (facts.perhaps_dynamic.reason,), certain)
    ldflags = settings.linker()
    if cgo.on is False and ldflags is not None and not _EXTERNAL.search(ldflags):
        return Linking(True, "", (cgo.why,), certain)
    with_cgo = _with_cgo(facts, settings)
    if cgo.on is True or (with_cgo is not None and with_cgo[0]):
        if with_cgo is None:
            return Linking(None, libc, (cgo.why, "what it uses of C is not known"), certain)
        static, reason = with_cgo
        return Linking(static, "" if static else libc, (reason,) if static else (cgo.why, reason), certain)
    return Linking(None, libc, (cgo.why,), certain)


def wants_static(settings: Settings) -> bool:
    """Tell whether the linker is asked for a static program: that helps only where it is an external one."""
    text = settings.linker() or ""
    return "-extldflags" in text and _STATIC.search(text) is not None


def _with_cgo(facts: CgoFacts | None, settings: Settings) -> tuple[bool, str] | None:
    """Return whether a build with cgo links statically, and why; None where that is not known."""
    text = settings.linker()
    if text is None:
        return None
    external = _EXTERNAL.search(text) is not None
    static = wants_static(settings)
    tags_known, tags = settings.value("-tags")
    given = set(re.split(r"[,\s]+", tags or "")) if tags_known else set()
    if static and (external or {tag for tag in C_STANDARD.values() if tag} <= given):
        # without these two the external linker works for any C that there is
        return True, "`-extldflags -static` links all of it statically"
    if facts is None:
        return None
    if facts.uses:
        first = facts.uses[0]
        if static:
            return True, "`-extldflags -static` links C statically"
        if first.own:
            return False, f"`{first.package}` has {first.what}"
        return False, f"`{first.package}` needs {first.what}"
    if external:
        return (
            (True, "`-linkmode external` with `-static` links C statically")
            if static
            else (False, "`-linkmode external`")
        )
    if not tags_known:
        return None
    for use in facts.standard:
        tag = C_STANDARD[use.package]
        if not tag or tag not in given:
            return None if static and facts.open else (False, f"{use.what} uses the C library")
    if facts.open or facts.foreign:
        return None
    return True, "nothing of it uses C"
