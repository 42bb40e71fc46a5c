"""starts the runtime stage from the smallest image that has what the program needs

What it does
    Lets a runtime stage that only holds a statically linked Go program start from `gcr.io/distroless/static`, which has
    certificates, time zones and a user `nonroot`, and no shell. Tells what the program is seen to need, and what each base image has.

Why it changes the image
    A shell, a package manager and C libraries that nothing uses are what has to be patched, and what an attacker finds. The
    program brings all that it needs; what it may still look for is in `distroless/static`.

Before
    FROM golang:1.22 AS build
    WORKDIR /src
    COPY . .
    RUN CGO_ENABLED=0 go build -o /app .
    FROM debian:bookworm-slim
    COPY --from=build /app /app
    CMD ["/app"]

After
    FROM golang:1.22 AS build
    WORKDIR /src
    COPY . .
    RUN CGO_ENABLED=0 go build -o /app .
    FROM gcr.io/distroless/static-debian13
    COPY --from=build /app /app
    CMD ["/app"]

When it does not fire
    The stage has a RUN, a CMD or ENTRYPOINT in shell form or by a script, or a HEALTHCHECK with `curl`, `wget` or a shell: these
    need an image with a shell. The program writes to a directory, which only a shell can give to a user without root, starts
    other programs (`os/exec`), is not surely static, or its sources cannot be followed. The user is named and not one of
    `root`, `nobody`, `nonroot`. It never goes from a smaller base to a larger one: that `scratch` has no certificates or time
    zones is said where the program is seen to need them. Compose, a Makefile, a script or CI starts something else, or a script
    of the context is copied; the program looks up accounts by name, or COPY gives a file to one; the image is for a platform
    that distroless is not made for.

Why it is safe
    Nothing but the base is replaced, and that is declared: the validator proves that every file that the Dockerfile brings
    and every setting is as before. A stage with a RUN is never moved to another image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockopt.optimizer.ecosystems.go.needs import Needs, needs_of
from dockopt.optimizer.ecosystems.go.shipping import Shipped, ancestry, shipped
from dockopt.optimizer.entrypoint import health_checked, started
from dockopt.optimizer.image_words import Obstacle, renamed_base
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Proposal, Refusal
from dockopt.optimizer.running.needs import needs_of as container_needs_of
from dockopt.optimizer.running.services import services_of
from dockopt.optimizer.runtime_bases import ALPINE, DEBIAN_SLIM, SCRATCH, STATIC, RuntimeBase, StageBase, base_of
from dockopt.optimizer.syntax import Stage
from dockopt.rewrites.distroless import IMAGE, USERS, lacking_on_distroless
from dockopt.rewrites.stage_outside import begun_problem

ID = "runtime-base"
_TARGET = IMAGE
_CHOICES = (
    ("scratch", SCRATCH),
    (_TARGET, STATIC),
    ("alpine", ALPINE),
    ("debian:bookworm-slim", DEBIAN_SLIM),
)
#: how many files of the context are looked at
_MOST_FILES = 5000
#: bases that are larger than what a static program needs
_LARGER = frozenset({"alpine", "debian", "slim", "ubuntu", "glibc", "base", "cc", "busybox"})


def propose(build: Build) -> Iterator[Proposal | Refusal | Advice]:
    """Look at the base of each image that starts a Go program."""
    for stage in build.exported:
        programs = [found for found in shipped(build) if found.stage == stage.index]
        places = {place for program in started(build, stage.index).programs for place in program.places}
        starting = [found for found in programs if found.path in places]
        copied = [found for found in programs if found.copy is not None]
        if starting:
            yield from _stage(build, stage, starting[-1])
        elif copied:
            names = [p.argv[0] for p in started(build, stage.index).programs if p.argv[0]]
            what = f"a container starts `{names[0]}`" if names else "what a container starts is not known"
            yield Refusal(ID, stage.from_.start_line, f"{what}, and not `{copied[-1].path}` itself")


def _stage(build: Build, stage: Stage, found: Shipped) -> Iterator[Proposal | Refusal | Advice]:
    line = stage.from_.start_line
    base = base_of(build.executor, stage.index)
    needs = needs_of(found.build)
    yield from _missing(build, stage, found, base, needs)
    if found.copy is None or base.facts is None or base.facts.kind not in _LARGER:
        return
    refusal = _refusal(build, stage, found, base, needs)
    if refusal is not None:
        yield Refusal(ID, line, *refusal)
        return
    edit = renamed_base(build.dockerfile, stage, _TARGET, build.named_contexts)
    if isinstance(edit, Obstacle):
        yield Refusal(ID, line, edit.reason, "", edit.line)
        return
    yield Proposal(
        ID,
        line,
        f"`{found.path}` needs nothing of `{base.reference}`: it is linked statically, and nothing starts a shell",
        (edit,),
        gain=f"{_size(base.facts)} of base image less, and neither shell nor package manager to patch",
        replacing=(edit,),
        risk="`docker exec … sh` finds no shell; the image with the tag `debug` has one" + _lost_lock(base),
        notes=_table(needs),
    )


def _size(facts: RuntimeBase) -> str:
    if facts.megabytes is None or STATIC.megabytes is None:
        return "most"
    return f"about {facts.megabytes - STATIC.megabytes:.0f} MB"


def _refusal(
    build: Build, stage: Stage, found: Shipped, base: StageBase, needs: Needs | None
) -> tuple[str, str, int] | None:
    """Return why another base is not certain to do, with the place of the cause; None where it does."""
    if build.executor.stage_named(stage.base, stage.index) is not None:
        return "it starts from another stage", "", stage.from_.start_line
    if not base.certain:
        return "a build argument decides about the base image", "", stage.from_.start_line
    for index in ancestry(build, stage.index):
        for instruction in build.dockerfile.stages[index].instructions:
            if instruction.keyword == "RUN":
                return (
                    "a RUN of this stage needs a shell, and may install what the program needs",
                    "",
                    instruction.start_line,
                )
            if instruction.keyword == "USER" and not USERS.fullmatch(instruction.args.strip()):
                return f"`{_TARGET}` has no user `{instruction.args.strip()}`", "", instruction.start_line
            if instruction.keyword == "SHELL":
                return "it names a shell of its own", "", instruction.start_line
    lacking = lacking_on_distroless(build, stage)
    if lacking is not None:
        return lacking
    for service in services_of(build, stage.index):
        for key, at in (*service.replaces, *service.starts):
            return f"Compose sets `{key}` of the service `{service.name}`, and may need a shell", service.file, at
    if stage is build.dockerfile.stages[-1] and (other_command := begun_problem(build, stage)) is not None:
        return other_command
    start, health = started(build, stage.index), health_checked(build, stage.index)
    for what, begun in (("the program", start), ("the health check", health)):
        if begun is None:
            continue
        line = begun.instructions[0].start_line if begun.instructions else stage.from_.start_line
        if begun.shells:
            return f"{what} is started by a shell (`{begun.shells[0]}`)", "", line
        if begun.unknown is not None:
            return begun.unknown.reason, begun.unknown.path, begun.unknown.line
        other = next((p for p in begun.programs if found.path not in p.places), None)
        if other is not None:
            return f"{what} starts `{other.argv[0]}` of the base image", "", line
    if found.build.linking.static is not True:
        return (
            f"`{found.path}` is not surely linked statically: {'; '.join(found.build.linking.reasons)}",
            "",
            found.build.command.line,
        )
    if needs is None:
        problem = found.build.problem
        if problem is None:
            return "the sources of the program cannot be followed", "", found.build.command.line
        return f"what the program needs is not known: {problem.reason}", problem.path, problem.line
    if needs.programs is not None:
        return "the program starts other programs, or names some of the base image", *needs.programs
    if needs.accounts is not None:
        return f"the program looks up users or groups by name, which `{_TARGET}` may lack", *needs.accounts
    if stage.index == len(build.dockerfile.stages) - 1 and (written := sorted(container_needs_of(build).written)):
        reason = (
            f"the program writes to `{written[0]}`, and only an image with a shell can give that to a user without root"
        )
        return reason, "", stage.from_.start_line
    script = _script_in(build, stage)
    if script is not None:
        return f"`{script[0]}` is a script, which needs the shell of the base image", *script
    return None


def _script_in(build: Build, stage: Stage) -> tuple[str, int] | None:
    """Return a script of the context that the image gets, whoever starts it, and its first line."""
    context = build.context.aside()
    for op in build.runs[stage.index].final.files.ops:
        if op.kind not in ("put", "overlay") or op.source is None:
            continue
        one = op.kind == "put" and op.source.pattern is None
        for path in (op.source.path,) if one else context.files_below(op.source.path, _MOST_FILES) or ():
            if path.endswith((".sh", ".bash")) or (
                "." not in path.rpartition("/")[2] and _is_script(context.read(path))
            ):
                return path, 1
    return None


def _is_script(data: bytes | None) -> bool:
    return data is not None and data.startswith(b"#!")


def _lost_lock(base: StageBase) -> str:
    return "; the digest is gone, which `dockopt pin --digest` writes for the new base" if "@" in base.reference else ""


def _missing(build: Build, stage: Stage, found: Shipped, base: StageBase, needs: Needs | None) -> Iterator[Advice]:
    """Yield what the program is seen to need and the image has not."""
    if needs is None or base.facts is None or found.copy is None:
        return
    text = b"".join(
        instruction.raw
        for index in ancestry(build, stage.index)
        for instruction in build.dockerfile.stages[index].instructions
    )
    level = "warning"
    if needs.certificates is not None and base.facts.certificates is False and not re.search(rb"cert|ssl|pki", text):
        seen = "seems to open TLS connections (an address in its sources)"
        message = f"`{found.path}` {seen}, and `{base.reference}` has no certificates of authorities"
        remedy = f"`{_TARGET}` has them; or copy `/etc/ssl/certs/ca-certificates.crt` from the building stage"
        yield Advice(ID, stage.from_.start_line, message, level, remedy, *needs.certificates)
    if needs.time_zones is not None and base.facts.time_zones is False and not re.search(rb"zoneinfo|tzdata", text):
        message = f"`{found.path}` loads time zones, and `{base.reference}` has none"
        remedy = f'`import _ "time/tzdata"`, or `{_TARGET}`, which has them'
        yield Advice(ID, stage.from_.start_line, message, level, remedy, *needs.time_zones)


def _table(needs: Needs | None) -> tuple[str, ...]:
    """Return one line for each base image that would do or not."""
    lines = []
    for name, facts in _CHOICES:
        lacks = []
        if needs is not None and needs.certificates is not None and facts.certificates is False:
            lacks.append("certificates")
        if needs is not None and needs.time_zones is not None and facts.time_zones is False:
            lacks.append("time zones")
        has = f"lacks {' and '.join(lacks)}" if lacks else "has what the sources show it to need"
        shell = "a shell to look inside" if facts.shell else "no shell"
        lines.append(f"`{name}`: about {facts.megabytes:g} MB, {shell}, {has}")
    return tuple(lines)
