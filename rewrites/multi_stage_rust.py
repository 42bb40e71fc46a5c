"""Gives a Rust program a stage of its own that runs it (`multi-stage`): when, and in which image.

A program for glibc runs with that release or a later one (glibc, "ABI compatibility"): so the tag has to say which release of Debian
builds it. On Alpine a program is linked with musl statically (rustc, target `*-unknown-linux-musl`: crt-static by default).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockopt.optimizer.bases import repository
from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.ecosystems.rust.binary import CargoBuild, cargo_build
from dockopt.optimizer.ecosystems.rust.linking import linked
from dockopt.optimizer.ecosystems.rust.manifest import ManifestError
from dockopt.optimizer.ecosystems.rust.runtime_sources import RustSources
from dockopt.optimizer.entrypoint import health_checked, started
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Proposal, Refusal
from dockopt.optimizer.runtime_bases import base_of, runtime_base
from dockopt.optimizer.runtime_files import brought_into
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Stage
from dockopt.rewrites.distroless import lacking_platform
from dockopt.rewrites.runtime_choice import Choice, NoBase, needs_shell
from dockopt.rewrites.stage_commands import obstacle_in, unknown_behind
from dockopt.rewrites.stage_cut import TOOLCHAIN
from dockopt.rewrites.stage_outside import outside_problem
from dockopt.rewrites.stage_split import ID, Language, split, start_problem

_RELEASE = re.compile(r"(?:^|-)(?:(?P<debian>bullseye|bookworm|trixie)|alpine(?P<alpine>\d+\.\d+))$")
#: cargo reads these for how it links (The Cargo Book, "Environment Variables"), CC and the like are read by packages that compile C
_LINKING = re.compile(
    r"RUSTFLAGS|CARGO_BUILD_|CARGO_TARGET_|CARGO_PROFILE_|RUSTC|\bLD_|_STATIC\b|_DYNAMIC\b|PKG_CONFIG"
)
_LEAVES_CACHES = frozenset({"build", "fetch", "test", "check", "clippy", "fmt", "install"})


def propose_rust(build: Build, stage: Stage) -> Iterator[Proposal | Refusal | Advice]:
    """Look at a last stage that starts from an image for Rust. Raises Unsupported."""
    line = stage.from_.start_line
    start = started(build, stage.index)
    builds = [found for c in build.executed if c.stage == stage.index and (found := cargo_build(c, build.executor))]
    refusal = start_problem(stage, start) or outside_problem(build, stage)
    made: CargoBuild | None = None
    if refusal is None and not builds:
        at = start.instructions[0].start_line
        name = start.programs[0].argv[0] if start.programs else None
        refusal = f"`{name or '?'}`, which is started, is not surely what a `cargo build` of this stage makes", "", at
    for found in builds if refusal is None else ():
        if isinstance(found, Cause):
            refusal = f"the program cannot be followed: {found.reason}", found.path, found.line
            break
        made = found
    if refusal is None and len(builds) > 1:
        refusal = "the program is built more than once", "", line
    if refusal is None and made is not None:
        if len(start.programs) != 1 or made.path not in start.programs[0].places[:1]:
            at = start.instructions[0].start_line
            name = start.programs[0].argv[0] if start.programs else None
            refusal = f"`{name or '?'}`, which is started, is not surely `{made.path}`, which is built", "", at
        else:
            refusal = _stage_problem(build, stage, made)
    if refusal is not None or made is None:
        yield Refusal(ID, line, *(refusal or ("no program is built", "", line)))
        return
    release = made.path.rpartition("/")[0].endswith("/release") or made.command.argv[1] == "install"
    sources = RustSources(build.context, made.project.root, release=release)
    brought = tuple(brought_into(made.command.before.files, build.context.aside()))
    trouble = next(sources.troubles(brought), None)
    if trouble is not None:
        yield Refusal(ID, line, trouble.reason, trouble.file, trouble.line)
        return
    health = health_checked(build, stage.index)
    shell = needs_shell(build, stage, made.path, start, health)
    choice = shell if isinstance(shell, NoBase) else _choose(build, stage, made, shell=shell)
    if isinstance(choice, Choice) and not choice.image.startswith("alpine:") and health is not None:
        other = next((p for p in health.programs if made.path not in p.places), None)
        if other is not None:
            reason = f"the health check starts `{other.argv[0]}`, which `{choice.image}` does not have"
            choice = NoBase(reason, "", health.instructions[0].start_line)
    if isinstance(choice, Choice) and choice.image.startswith("gcr.io/distroless/"):
        lacking = lacking_platform(build, stage)
        choice = choice if lacking is None else NoBase(*lacking)
    if isinstance(choice, NoBase):
        yield Refusal(ID, line, choice.reason, choice.path, choice.line)
        return
    language = Language(
        sources,
        made.command.before.files,
        "include_str!",
        "neither cargo nor a C compiler nor git is there any more",
        ("what packages of other authors read or start when the program runs is not looked at",),
    )
    yield from split(build, stage, made.path, start, health, choice, TOOLCHAIN, language)


def _is_of_cargo(command: Executed) -> bool:
    return command.name == "cargo" and len(command.argv) > 1 and command.argv[1] in _LEAVES_CACHES


def _stage_problem(build: Build, stage: Stage, made: CargoBuild) -> tuple[str, str, int] | None:
    # build scripts may do anything
    problem = obstacle_in(build, stage, _is_of_cargo) or unknown_behind(build, stage, made.command)
    if problem is not None:
        return problem
    for instruction in stage.instructions:
        if instruction.keyword in ("ENV", "ARG", "RUN") and (found := _LINKING.search(instruction.args)):
            return f"`{found[0]}` may have the program linked in another way", "", instruction.start_line
    return None


def _choose(build: Build, stage: Stage, made: CargoBuild, *, shell: bool) -> Choice | NoBase:
    line = stage.from_.start_line
    name, tag = repository(base_of(build.executor, stage.index).reference)
    try:
        links = linked(made.lock)
    except ManifestError as error:
        return NoBase(error.message, made.lock_file, error.line)
    if links.library is not None:
        package, at = links.library
        reason = (
            f"the package `{package}` may link a C library of the image that builds: which one does the program need?"
        )
        return NoBase(reason, made.lock_file, at)
    release = _RELEASE.search(tag)
    if release is None or name != "rust":
        reason = f"the tag `{tag}` does not say which release of Debian or Alpine the program is built on (`rust:…-bookworm` does)"
        return NoBase(reason, "", line)
    if release["alpine"] is not None:
        image, why = f"alpine:{release['alpine']}", "it has the C library that the program is built for (musl)"
    elif release["debian"] == "bookworm" and not shell:
        image, why = (
            "gcr.io/distroless/cc-debian13",
            "it has the C library that the program needs (glibc of Debian 13, which is newer)",
        )
    else:
        image, why = f"debian:{release['debian']}-slim", "it has the C library that the program needs (glibc)"
    facts = runtime_base(image)
    if facts is None or (links.certificates is not None and facts.certificates is not True):
        package, at = links.certificates or ("", 0)
        return NoBase(f"`{package}` reads the certificates of the system, and `{image}` has none", made.lock_file, at)
    zone = build.runs[stage.index].final.env.get("TZ")
    if facts.time_zones is not True and (
        links.zones is not None or (zone is not None and zone.text not in ("", "UTC"))
    ):
        file, at = (made.lock_file, links.zones[1]) if links.zones is not None else ("", line)
        return NoBase(f"the program reads time zones of the system, and `{image}` may have none", file, at)
    return Choice(image, bool(facts.shell), None, why)
