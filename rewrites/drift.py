"""copies what an installation has come to need since its manifests were split off

What it does
    Finds an installation that stands above the sources, as it should, but reads something that is copied only below it: a
    module that a new `replace` leads to, a member that the workspace has got since. It adds the COPY.

Why it costs cache
    It costs more: the installation fails. Nobody notices while it comes from a warm cache, and the next build from nothing
    breaks, on another machine.

Before
    COPY go.mod go.sum ./
    RUN go mod download
    COPY . .

After
    COPY go.mod go.sum ./
    COPY lib/go.mod ./lib/
    RUN go mod download
    COPY . .

When it does not fire
    What is missing is not in the build context either, or no later COPY of the stage brings it; the command might do without
    it.

Why it is safe
    The Dockerfile does not build as it is, so there is no image to keep: the change is shown, and applied only with
    `--select drift`. Only COPYs of files that come later anyway are added.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from dockopt.optimizer.apply import apply_edits
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit, Proposal, Refusal
from dockopt.optimizer.regions import below, relative
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import parse
from dockopt.rewrites.copies import ContextCopy, context_copies
from dockopt.rewrites.editing import PLAIN, insert_above, keyword

ID = "drift"
#: a file that is copied may show that another one is missing; real projects are less deep
_ROUNDS = 8


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at every command that surely fails for want of files which a later COPY brings."""
    for command in build.executed:
        if command.effects.missing:
            yield from _one(build, command)


def _one(build: Build, command: Executed) -> Iterator[Proposal | Refusal]:
    line = command.instruction.start_line
    wanted: list[str] = []
    edit: Edit | None = None
    here: Executed | None = command
    while here is not None and here.effects.missing and len(wanted) < _ROUNDS:
        wanted += here.effects.missing
        lines = _copies(build, command, wanted)
        if isinstance(lines, str):
            yield Refusal(
                ID, line, f"`{command.name}` fails without `{lines}`, which no later COPY brings", "", command.line
            )
            return
        edit = insert_above(build.dockerfile, command.instruction, lines)
        changed = build.with_text(parse(apply_edits(build.dockerfile.source, [edit]).result))
        twins = [c for c in changed.executed if (c.stage, c.text) == (command.stage, command.text)]
        here = twins[0] if twins else None
    if edit is None:
        return
    names = ", ".join(f"`{path}`" for path in wanted)
    yield Proposal(
        ID,
        line,
        f"`{command.text}` needs {names}, and the COPY of it stands below",
        (edit,),
        gain="a build from nothing does not fail; a warm cache hides that today",
        notes=tuple(f"add `{text.strip()}`" for text in edit.text.decode("utf-8", "replace").splitlines()),
    )


def _copies(build: Build, command: Executed, wanted: Sequence[str]) -> list[str] | str:
    """Return the COPY instructions that bring files before a command; a str is one that no later COPY of the stage brings."""
    stage = build.dockerfile.stages[command.stage]
    later = [c for c in context_copies(build, stage) if c.instruction.index > command.instruction.index]
    groups: dict[tuple[str, str], list[str]] = {}
    for path in wanted:
        found = _source(build, later, path)
        if found is None or command.cwd is None:
            return path
        source, flags, is_directory = found
        folder = path if is_directory else posixpath.dirname(path)
        start = command.before.cwd
        near = start is not None and below(folder, start)
        inside = relative(folder, start) if near and start is not None else ""
        destination = (f"./{inside}" if near else folder).rstrip("/") + "/"
        if not PLAIN.fullmatch(source) or not PLAIN.fullmatch(destination):
            return path
        groups.setdefault((destination, flags), []).append(source)
    word = keyword("COPY", command.instruction)
    return [f"{word} {flags}{' '.join(sources)} {to}" for (to, flags), sources in groups.items()]


def _source(build: Build, later: Sequence[ContextCopy], path: str) -> tuple[str, str, bool] | None:
    """Return the path in the context of what a later COPY puts at a path, its flags, and whether it is a directory."""
    for copy in later:
        if any(flag.name not in ("chown", "chmod") for flag in copy.instruction.flags):
            continue
        flags = "".join(flag.raw + " " for flag in copy.instruction.flags)
        for op in copy.ops:
            if op.source is None or op.source.pattern is not None or not below(path, op.path):
                continue
            rel = f"{op.source.path}/{relative(path, op.path)}".strip("/")
            kind = build.context.kind(rel)
            if kind in ("file", "directory"):
                return rel, flags, kind == "directory"
    return None
