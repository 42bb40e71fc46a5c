"""What stands in the way of running a program, of whatever language, in the slim variant of the image that it is installed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dockopt.optimizer.bases import facts_of
from dockopt.optimizer.entrypoint import health_checked
from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import below
from dockopt.optimizer.runtime_bases import StageBase, base_of
from dockopt.optimizer.runtime_files import Brought, Question, brought_into
from dockopt.optimizer.slim_variants import place_of_packages, slim_variant
from dockopt.optimizer.symbolic.filesystem import Op
from dockopt.optimizer.syntax import Instruction, Stage
from dockopt.optimizer.wording import shortened
from dockopt.rewrites.editing import PLAIN

Reason = tuple[str, str, int]
NOTE = "what packages of other authors read or start when the program runs is not looked at, beside those that are known to"


def gain(image: str) -> str:
    """Return what the slim image gains: the full ones of Node and Python have some 1.1 GB, the slim ones a fourth or less."""
    return f"`{image}` is about 850 MB smaller than the image that installs (estimate), and has no compiler and no git"


def variant_of(base: StageBase) -> str | Reason:
    """Return the slim variant of the image of a stage, or why there may be none."""
    if not base.certain:
        return (
            "a build argument decides about the base image, and may ask for one that has no slim variant",
            "",
            base.line,
        )
    image = slim_variant(base.reference)
    if image is None:
        reason = f"whether there is a slim variant of `{base.reference}` with the same version on the same Debian is not known"
        return reason, "", base.line
    return image


def place_problem(build: Build, stage: Stage, root: str) -> Reason | None:
    """Return why the directory of a program cannot be taken over as a whole."""
    line = stage.from_.start_line
    if not PLAIN.fullmatch(root):
        return f"the working directory `{root}` has unusual characters", "", line
    facts = facts_of(base_of(build.executor, stage.index).reference)
    standard = [directory for directory in facts.directories if below(directory, root)]
    # `/srv` and its like are empty in both images
    if standard and (standard != [root] or root == "/" or root not in facts.complete):
        return f"the program lies in `{root}`, together with what belongs to the image", "", line
    return None


def brought(build: Build, stage: Stage) -> list[Brought] | Reason:
    """Return all that COPY and ADD bring, also between commands of which it is not known what they leave.

    A Reason says why it cannot be listed: then nobody has looked at the sources.
    """
    aside = build.context.aside()
    run = build.runs[stage.index]
    found: list[Brought] = []
    questions: list[Question] = []
    for position, instruction in enumerate(stage.instructions):
        if instruction.keyword in ("COPY", "ADD"):
            entries = brought_into(run.states[position + 1].files, aside, questions)
            found += [entry for entry in entries if entry.line == instruction.start_line]
    return found if not questions else (questions[0].message, questions[0].file, questions[0].line)


def copied(build: Build, stage: Stage) -> Iterator[tuple[Instruction, Op]]:
    """Yield what COPY and ADD write."""
    run = build.runs[stage.index]
    for position, instruction in enumerate(stage.instructions):
        if instruction.keyword in ("COPY", "ADD"):
            for op in run.states[position + 1].files.ops:
                if op.line == instruction.start_line and op.kind in ("put", "overlay"):
                    yield instruction, op


def beside_problem(build: Build, stage: Stage, root: str) -> Reason | None:
    """Return what lies beside the directory of a program and may be needed."""
    for command in build.executed:
        if command.stage == stage.index and command.name == "mkdir":
            for write in command.effects.writes:
                if any(not below(path, root) for path in write.region.include):
                    return f"`{shortened(command.text)}` makes a directory beside `{root}`", "", command.line
    for instruction, op in copied(build, stage):
        if not below(op.path, root):
            return f"`{op.path}` is copied to a place beside `{root}`", "", instruction.start_line
    return None


def settings_problem(build: Build, stage: Stage, leading: re.Pattern[str], who: str) -> Reason | None:
    """Return why variables may have `who` look into the image: by their names (`leading`), or by places that they name."""
    for name, value in build.runs[stage.index].final.env.items():
        at = stage.line_that_sets(name)
        if leading.search(name) or leading.search(value.text or ""):
            return f"`{name}` may have {who} load certificates or libraries of the image", "", at
        place = None if name == "PATH" else place_of_packages(value.text or "")
        if place is not None:
            return f"`{name}` names `{place}`, which the smaller image may lack", "", at
    return None


def health_problem(build: Build, stage: Stage, has: Callable[[str], bool]) -> Reason | None:
    """Return why the health check may fail in the slim image, which has a program if `has` says so of its name."""
    health = health_checked(build, stage.index)
    if health is None:
        return None
    if health.unknown is not None:
        return health.unknown.reason, health.unknown.path, health.unknown.line
    for program in health.programs:
        if not has(program.argv[0] or "?"):
            reason = f"the health check starts `{program.argv[0] or '?'}`, which the slim image may lack"
            return reason, "", health.instructions[0].start_line
    return None
