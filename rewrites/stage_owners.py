"""To whom the directories of a stage belong, where another one takes them over for a program that does not run as root.

COPY keeps owners of what it takes from another stage, but makes its own target anew as root's (fsutil, copy/copy.go,
prepareTargetDir), as WORKDIR does: below the directory that is copied nothing changes, the directory itself may.
"""

from __future__ import annotations

from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import below
from dockopt.optimizer.syntax import Stage
from dockopt.optimizer.wording import shortened


def owner_problem(build: Build, stage: Stage, root: str) -> tuple[str, str, int] | None:
    """Return why the directory `root` itself may belong to the user as whom the program runs: WORKDIR did not make it first."""
    run = build.runs[stage.index]
    if run.final.user == "root":
        return None
    for position, instruction in enumerate(stage.instructions):
        after = run.states[position + 1] if position + 1 < len(run.states) else run.final
        if instruction.keyword == "WORKDIR" and after.cwd is not None and below(after.cwd, root):
            return None
        if instruction.keyword in ("COPY", "ADD") and any(
            op.line == instruction.start_line and (below(op.path, root) or below(root, op.path))
            for op in after.files.ops
            if op.kind in ("put", "overlay")
        ):
            return f"`{root}` may belong to the user, who may write there", "", instruction.start_line
    return None


def belongs_to_a_user(build: Build, stage: Stage) -> str | None:
    """Return why directories of the stage may belong to the user as whom the program runs, in words."""
    run = build.runs[stage.index]
    if run.final.user == "root":
        return None
    for position, instruction in enumerate(stage.instructions):
        if instruction.keyword in ("COPY", "ADD") and instruction.flag("chown") is not None:
            return f"line {instruction.start_line} gives what it copies to a user, who may write there"
        if instruction.keyword == "RUN" and run.states[position].user != "root":
            return f"what line {instruction.start_line} makes belongs to the user, who may write there"
    return None


def directory_of_a_user(build: Build, stage: Stage) -> tuple[str, str, int] | None:
    """Return which directory the program's user may write to, and would not in a stage that takes over files one by one."""
    if build.runs[stage.index].final.user == "root":
        return None
    for instruction in stage.instructions:
        if instruction.keyword in ("COPY", "ADD") and instruction.flag("chown") is not None:
            return "what is copied here belongs to a user, who may write there", "", instruction.start_line
    for command in build.executed:
        if command.stage == stage.index and command.name == "mkdir" and command.before.user != "root":
            reason = f"the directory of `{shortened(command.text)}` belongs to a user, who may write there"
            return reason, "", command.line
    return None
