"""runs the container as a user without privileges

What it does
    Makes an account with a fixed number in the way of the base image, gives it the directories that the program writes to,
    and names it in USER directly above what the container starts. Where the base image brings an account for this (`node`,
    distroless' `nonroot`), that one is taken; an image without accounts (`scratch`) gets the bare number.

Why it is worth it
    A container without USER runs as root. Whoever takes over the program may then change every file of the image, install
    what is missing, and, by a mount or a fault of the kernel, act as root of the machine. Kubernetes refuses such an image
    under `runAsNonRoot`, and cannot tell of a user's name whether it is root: so USER is a number.

Before
    FROM golang:1.25 AS build
    WORKDIR /src
    COPY . .
    RUN CGO_ENABLED=0 go build -o /out/server .

    FROM alpine:3.22
    COPY --from=build /out/server /usr/local/bin/server
    CMD ["server"]

After
    FROM golang:1.25 AS build
    WORKDIR /src
    COPY . .
    RUN CGO_ENABLED=0 go build -o /out/server .

    FROM alpine:3.22
    RUN addgroup -S -g 10001 app && adduser -S -D -H -u 10001 -G app app
    COPY --from=build /out/server /usr/local/bin/server
    USER 10001:10001
    CMD ["server"]

When it does not fire
    There is a USER, root or not; the base image is not known, or has to start as root itself (nginx, databases); what is
    started is not surely a program of the project in Go, Node, Python or Java; an entrypoint or a package is there that
    gives root up by itself (gosu, su-exec) or needs it; sources use what only root has; something lies in root's home
    directory; Compose mounts a socket of the host, gives privileges, or names a user.

    It asks where only the author can answer: a place to write to that is not spelled out, a port below 1024, a directory of
    the host that is mounted, another program that is started, a package that is known to keep files, a file that is copied
    with a mode by which only its owner may read it.

Why it is safe
    All files of the image stay what they are, but for the data bases of accounts and the owner of the directories that the
    program writes to. No RUN runs as another user. Code keeps root as its owner, so that the program cannot change it.
    Which files the program writes is read from the project's sources, variables and volumes; what packages of others do
    inside of it is not looked at, so try it before it goes out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dockopt.optimizer.accounts import NEW, Account
from dockopt.optimizer.commands.users import ACCOUNT_FILES
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Edit, Proposal, Refusal, WantedDifference
from dockopt.optimizer.regions import below, join, parents, relative
from dockopt.optimizer.running.needs import Needs, needs_of
from dockopt.optimizer.symbolic.execute import clean_source, evaluate
from dockopt.optimizer.syntax import Instruction, Stage
from dockopt.rewrites.editing import insert_above, insert_below, keyword

ID = "non-root"
_HARDEN = (
    "`dockopt harden --for compose` or `--for kubernetes` prints what goes with it: no capabilities, a read-only root"
)
#: below these a USER may stand without a command or directory of another user than before
_METADATA = frozenset("CMD ENTRYPOINT ENV ARG LABEL EXPOSE VOLUME STOPSIGNAL HEALTHCHECK MAINTAINER SHELL".split())


class _Owned(NamedTuple):
    """How the directories of the program get their owner."""

    #: commands for a shell, and the position in the stage of the last instruction that has to stand above them
    commands: tuple[str, ...]
    above: int
    copies: tuple[Instruction, ...]


class _Cannot(Exception):
    """Why a directory cannot get an owner: a reason, a remedy, and the line of the cause."""

    def __init__(self, reason: str, remedy: str, line: int) -> None:
        super().__init__(reason)
        self.reason, self.remedy, self.line = reason, remedy, line


def propose(build: Build) -> Iterator[Proposal | Refusal | Advice]:
    """Look at the image of the last stage."""
    needs = needs_of(build)
    if needs.existing is not None or needs.runs_nothing:
        return
    stage = build.dockerfile.stages[-1]
    line = stage.from_.start_line
    if needs.refusal is not None:
        cause = needs.refusal
        yield Refusal(ID, line, f"it runs as root: {cause.reason}", cause.path, cause.line)
        return
    for question in needs.questions:
        yield Advice(
            ID,
            line,
            f"may it run without root? {question.message}",
            "note",
            question.remedy,
            question.cause.path,
            question.cause.line,
        )
    if needs.questions:
        number = len(needs.questions)
        what = "a question" if number == 1 else f"{number} questions"
        yield Refusal(ID, line, f"it runs as root, and {what} about that only the author can answer")
        return
    account = needs.users.account or NEW
    try:
        owned = _owning(build, stage, needs, account)
    except _Cannot as problem:
        yield Advice(ID, line, f"may it run without root? {problem.reason}", "note", problem.remedy, "", problem.line)
        yield Refusal(
            ID, line, "it runs as root, and a question about that only the author can answer", "", problem.line
        )
        return
    yield _proposal(build, stage, needs, account, owned)


def _proposal(build: Build, stage: Stage, needs: Needs, account: Account, owned: _Owned) -> Proposal:
    making = () if needs.users.account is not None else needs.users.making
    commands = (*making, *owned.commands)
    directories = frozenset(needs.written)
    new = {
        parent
        for path in directories
        for parent in (*parents(path), path)
        if build.runs[-1].final.files.kind(parent) != "directory"
    }
    paths = (frozenset(ACCOUNT_FILES) if making else frozenset()) | (
        directories | new if owned.commands else frozenset()
    )
    notes = [_HARDEN]
    if needs.volumes:
        shown = ", ".join(f"`{path}`" for path in sorted(needs.volumes))
        notes.append(f"a volume for {shown} that is there already belongs to root: `chown -R {account.owner}` it once")
    return Proposal(
        ID,
        stage.from_.start_line,
        "the container runs as root: whoever takes over the program may change every file, and may reach the host",
        _edits(build, stage, account, commands, owned),
        gain=f"it runs as {_called(needs, account)}, and owns {_shown(needs)}; the size stays",
        declared=WantedDifference(
            paths=paths,
            owners=directories if owned.copies else frozenset(),
            settings=frozenset({"user"}),
            added=frozenset(commands),
        ),
        risk="what the packages that it uses do as another user is not looked at",
        notes=tuple(notes),
    )


def _called(needs: Needs, account: Account) -> str:
    is_there = bool(needs.users.making) or account != NEW
    return f"`{account.name}` ({account.owner})" if is_there else account.owner


def _shown(needs: Needs) -> str:
    return ", ".join(f"`{path}`" for path in sorted(needs.written)) or "no file of the image"


# -- owners ------------------------------------------------------------------------------------------------------------


def _owning(build: Build, stage: Stage, needs: Needs, account: Account) -> _Owned:
    """Return how each directory gets its owner. Raises _Cannot."""
    commands: list[str] = []
    copies: list[Instruction] = []
    above = max(
        (i for i, instruction in enumerate(stage.instructions) if instruction.keyword in ("RUN", "ONBUILD")), default=-1
    )
    home = f"/home/{account.name}" if needs.users.account is not None and needs.users.open_tmp else None
    for directory in sorted(needs.written):
        if home is not None and below(directory, home):
            continue  # it is the account's own
        inside, code, last = _copies_into(build, stage, needs, directory)
        for instruction in inside:
            owner = instruction.flag("chown")
            if owner not in (None, account.owner):
                raise _Cannot(
                    f"`{directory}` gets another owner, `{owner}`",
                    f"give it to {account.owner}",
                    instruction.start_line,
                )
        if inside and not code:
            copies += [instruction for instruction in inside if instruction.flag("chown") is None]
            if len(inside) == 1 and _is_whole(build, stage, inside[0], directory):
                continue
        if not _has_shell(needs):
            raise _Cannot(
                f"{needs.written[directory]} has it write to `{directory}`, and the image has no shell to make that",
                "copy the directory with `COPY --chown`",
                stage.from_.start_line,
            )
        above = max(above, last)
        if build.runs[-1].final.files.kind(directory) != "directory":
            commands.append(f"mkdir -p {directory}")
        commands.append(f"chown {account.owner} {directory}")
    if (commands or not needs.users.account) and not _is_plain_shell(build):
        raise _Cannot(
            "its SHELL is none whose commands are known here", "make the account yourself", stage.from_.start_line
        )
    return _Owned(tuple(commands), above, tuple(dict.fromkeys(copies)))


def _has_shell(needs: Needs) -> bool:
    """Tell whether a shell, mkdir and chown are in the image: not in an empty one and not in distroless."""
    return bool(needs.users.making) or (needs.users.account is not None and needs.users.account.name == "node")


def _is_plain_shell(build: Build) -> bool:
    return build.runs[-1].final.shell[:1] in (("/bin/sh",), ("/bin/bash",), ("sh",), ("bash",), ("/bin/ash",))


def _copies_into(build: Build, stage: Stage, needs: Needs, directory: str) -> tuple[list[Instruction], bool, int]:
    """Return the COPYs whose files lie in a directory, whether code is among them, and the last position that may touch it."""
    inside: list[Instruction] = []
    last = -1
    programs = [place for program in (needs.start.programs if needs.start else ()) for place in program.places]
    code = any(below(place, directory) for place in programs) or build.runs[-1].final.cwd == directory
    for position, instruction in enumerate(stage.instructions):
        state = build.runs[-1].states[position]
        if instruction.keyword == "WORKDIR" and below(join(state.cwd or "/", instruction.args), directory):
            last = position
        if instruction.keyword not in ("COPY", "ADD"):
            continue
        words = [
            evaluate(word, state, build.dockerfile.escape, instruction.start_line).text for word in instruction.words
        ]
        if any(word is None for word in words):
            raise _Cannot("what is copied where is not known before the build", "spell it out", instruction.start_line)
        known = [word for word in words if word is not None]
        target = join(state.cwd or "/", known[-1])
        if below(target, directory):
            last = position
            inside.append(instruction)
        elif below(directory, target):
            last = position
            _refuse_copied(build, instruction, known[:-1], relative(directory, target), directory)
        for path in sorted(needs.files):
            if below(path, directory) and below(path, target) and (code or target != directory):
                _refuse_copied(build, instruction, known[:-1], relative(path, target), path)
    return inside, code, last


def _refuse_copied(build: Build, instruction: Instruction, sources: list[str], rest: str, path: str) -> None:
    """Refuse a place to write to that comes with a larger copy: its files would stay root's."""
    if instruction.flag("from") is not None:
        if build.runs[-1].final.files.kind(path) == "directory":
            raise _Cannot(
                f"`{path}` may come with another copy", "copy it on its own, with `--chown`", instruction.start_line
            )
        return
    for source in sources:
        rel = "/".join(part for part in (clean_source(source), rest) if part)
        if build.context.is_there(rel) and build.context.kind(rel) != "absent":
            raise _Cannot(
                f"`{path}` comes with `{instruction.keyword} {' '.join(instruction.words)}`, and so belongs to root",
                "copy it on its own, with `--chown`",
                instruction.start_line,
            )


def _is_whole(build: Build, stage: Stage, instruction: Instruction, directory: str) -> bool:
    """Tell whether a COPY makes the directory itself, so that it gets the owner too."""
    state = build.runs[-1].states[stage.instructions.index(instruction)]
    target = evaluate(instruction.words[-1], state, build.dockerfile.escape, instruction.start_line).text or ""
    return join(state.cwd or "/", target) == directory and state.files.kind(directory) != "directory"


# -- edits -------------------------------------------------------------------------------------------------------------


def _edits(build: Build, stage: Stage, account: Account, commands: tuple[str, ...], owned: _Owned) -> tuple[Edit, ...]:
    dockerfile = build.dockerfile
    user_line = f"{keyword('USER', stage.from_)} {account.owner}"
    target = _user_above(stage)
    last = stage.instructions[-1] if stage.instructions else stage.from_
    user = (
        insert_above(dockerfile, target, [user_line])
        if target is not None
        else insert_below(dockerfile, last, [user_line], last)
    )
    edits: list[Edit] = []
    if commands:
        gap = f" && {dockerfile.escape}{dockerfile.newline.decode()}    "
        joined = " && ".join(commands)
        line = f"{keyword('RUN', stage.from_)} " + (joined if len(joined) <= 90 else gap.join(commands))
        anchor = stage.instructions[owned.above] if owned.above >= 0 else stage.from_
        like = stage.instructions[0] if stage.instructions else stage.from_
        run = insert_below(dockerfile, anchor, [line], like)
        if run.start == user.start:
            user = Edit(user.start, user.end, run.text + user.text)
        else:
            edits.append(run)
    edits += [_with_owner(instruction, account) for instruction in owned.copies]
    return (*edits, user)


def _with_owner(instruction: Instruction, account: Account) -> Edit:
    at = instruction.offset_of(len(instruction.keyword_raw) + instruction.logical.index(instruction.keyword_raw))
    return Edit(at, at, f" --chown={account.owner}".encode())


def _user_above(stage: Stage) -> Instruction | None:
    """Return the first CMD or ENTRYPOINT below which nothing runs or is made, None where there is none."""
    found: Instruction | None = None
    for instruction in reversed(stage.instructions):
        if instruction.keyword in ("CMD", "ENTRYPOINT"):
            found = instruction
        elif instruction.keyword not in _METADATA:
            break
    return found
