"""keeps the compiler's cache between builds in a cache mount

What it does
    Adds `--mount=type=cache` for the build cache of the compiler to the RUN that compiles. For cargo, which has no cache
    that can be trusted with other sources, for the crates that it downloads.

Why it costs cache
    Below the first changed COPY every RUN starts from the layer above it, where the compiler's cache is as it was when
    nothing had been compiled. So each edit compiles all packages, the dependencies included, not just what changed.

Before
    ENV CGO_ENABLED=0
    COPY . .
    RUN go build -o /bin/app .

After
    ENV CGO_ENABLED=0
    COPY . .
    RUN --mount=type=cache,target=/root/.cache/go-build \\
        go build -o /bin/app .

When it does not fire
    The place of the cache is not certain; the user is not root (a new mount belongs to root); cgo may be on (the build
    cache does not notice changed C libraries, `go help cache`); a later instruction or stage reads the directory; the
    pinned `# syntax` is too old for mounts; crates lie in a layer already (`cargo fetch`, `cargo chef`), which a mount would
    hide. A mount for the `target` directory of cargo is shown without a proof: cargo compares modification times, and a
    COPY may bring newer content with an older time. In a stage that is exported the cache is part of the image today, so the
    change is offered, not applied.

Why it is safe
    The compiler looks entries up by the content of everything that went into them: a missing one is made again, an extra
    one changes nothing. No other command sees the directory, which the validator checks. Nothing relies on the mount
    being filled: on a fresh machine the build is as slow as before.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockopt.optimizer.ecosystems.installs import Install, install_for
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Proposal, Refusal, WantedDifference
from dockopt.optimizer.regions import below
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Instruction
from dockopt.rewrites import cargo_mounts
from dockopt.rewrites.editing import with_mounts

ID = "cache-mounts"
#: id of a compiler's cache in `Effects.cache_names`, and what the compiler is called
_COMPILERS = {"go-build": "go build"}
#: ecosystems whose tools keep more than downloads where they keep downloads, and why that rules out a mount that builds share
_IMPURE = {
    "maven": "Maven also keeps there what `mvn install` made and what it could not find, so what one build leaves may "
    "change or fail the next one",
}
#: subcommands that compile
_COMPILING = frozenset({("go", "build"), ("go", "install")})


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at every RUN that compiles."""
    yield from cargo_mounts.propose(build)
    seen: set[int] = set()
    for command in build.executed:
        if command.instruction.index in seen or command.argv[:1] == ("cargo",):
            continue
        if command.argv[:2] not in _COMPILING:
            ecosystem = _starts_compiler(build, command)
            if ecosystem is not None:
                seen.add(command.instruction.index)
                reason = _IMPURE.get(ecosystem) or (
                    f"`{command.name}` is not understood: what it does beside compiling may look at the cache"
                )
                yield Refusal(ID, command.instruction.start_line, reason, "", command.line)
            continue
        for name, compiler in _COMPILERS.items():
            place = command.effects.cache_names.get(name)
            if place is None:
                if not any(mount.type == "cache" for mount in command.instruction.mounts):
                    yield _placeless(command, compiler)
                continue
            if _has_mount(command.instruction, place):
                continue
            seen.add(command.instruction.index)
            yield _one(build, command, place, compiler)


def _starts_compiler(build: Build, command: Executed) -> str | None:
    """Return the ecosystem whose compiler a program (`make`, a script) is known to start, without a cache mount so far."""
    if (
        command.effects.unknown is None
        or not command.name
        or any(m.type == "cache" for m in command.instruction.mounts)
    ):
        return None
    found = install_for(command, build.executor)
    return found.ecosystem if isinstance(found, Install) else None


def _placeless(command: Executed, compiler: str) -> Refusal:
    """Return the refusal for a compiler whose cache may lie anywhere."""
    line = command.instruction.start_line
    if command.effects.unknown is not None:
        return Refusal(ID, line, f"`{compiler}` is not understood here: {command.effects.unknown}", "", command.line)
    reason = f"where `{compiler}` keeps its cache is not known before the build (GOCACHE, HOME or USER decide)"
    return Refusal(ID, line, reason, "", command.line)


def _has_mount(instruction: Instruction, place: str) -> bool:
    """Tell whether some mount covers the cache, or may: then its author has thought of it."""
    return any(
        mount.target is None or "$" in mount.target or below(place, mount.target.rstrip("/") or "/")
        for mount in instruction.mounts
        if mount.type == "cache"
    )


def _one(build: Build, command: Executed, place: str, compiler: str) -> Proposal | Refusal:
    line = command.instruction.start_line
    if place not in command.effects.caches:
        reason = (
            "cgo may be on, and the build cache does not notice changed C libraries; `CGO_ENABLED=0` rules that out"
        )
        return Refusal(ID, line, reason, "", command.line)
    if "-a" in command.argv:
        return Refusal(ID, line, "`-a` compiles every package again, whatever a cache holds", "", command.line)
    if command.before.user != "root":
        return Refusal(ID, line, "a new mount belongs to root, and this command runs as another user", "", command.line)
    exported = build.is_exported(command.stage)
    return Proposal(
        ID,
        line,
        f"`{compiler}` starts with an empty build cache: every edit compiles all packages again",
        (with_mounts(build.dockerfile, command.instruction, [f"--mount=type=cache,target={place}"]),),
        gain=f"`{compiler}` compiles only packages that changed",
        declared=WantedDifference(frozenset({place}) if exported else frozenset()),
    )
