"""Which stages and images a Dockerfile names, and which stages a build reaches.

Source: BuildKit `dockerfile2llb/convert.go` (`addState`, `toCommand`, `allReachableStages`), `convert_runmount.go`; reference §1.10.
"""

from __future__ import annotations

from collections.abc import Sequence

from dockopt.optimizer.cachekeys.steps import Unpredictable
from dockopt.optimizer.lineage import parents_of
from dockopt.optimizer.syntax import Instruction, Stage


def named(stages: Sequence[Stage], name: str) -> int | None:
    """Return the stage that `--from=name` of a mount means: any case, the last one of a name."""
    return next((stage.index for stage in reversed(stages) if stage.name and stage.name == name.lower()), None)


def copied_from(stages: Sequence[Stage], name: str) -> int | None:
    """Return the stage that `COPY --from=name` means: a number counts too. Raises Unpredictable for a number too high."""
    digits = name[1:] if name[:1] in ("+", "-") else name
    if not (digits.isascii() and digits.isdigit()):
        return named(stages, name)
    if not 0 <= int(name) < len(stages):
        raise Unpredictable(f"there is no stage `{name}`")
    return int(name)


def sources_of(stages: Sequence[Stage], instruction: Instruction) -> list[int]:
    """Return the stages from which an instruction copies or mounts."""
    if instruction.keyword == "RUN":
        found = [named(stages, mount.from_) for mount in instruction.mounts if mount.from_]
    else:
        origin = instruction.flag("from") if instruction.keyword == "COPY" else None
        found = [copied_from(stages, origin)] if origin else []
    return [index for index in found if index is not None]


def triggers_of(stage: Stage) -> list[Instruction]:
    """Return the instructions that ONBUILD hands to a stage that begins with this one."""
    return [i.child for i in stage.instructions if i.keyword == "ONBUILD" and i.child is not None]


def reached(stages: Sequence[Stage], bases: Sequence[str], target: str | None) -> set[int]:
    """Return the stages that a build of the target runs. Raises Unpredictable for a target that is not there."""
    if not target:
        last: int | None = len(stages) - 1
    else:
        last = named(stages, target)
        if last is None and target.isascii() and target.isdigit() and int(target) < len(stages):
            last = int(target)
    if last is None:
        raise Unpredictable(f"there is no stage `{target}`")
    found: set[int] = set()
    parents, waiting = parents_of(stages, bases), [last]
    while waiting:
        index = waiting.pop()
        if index in found:
            continue
        found.add(index)
        parent = parents[index]
        instructions = list(stages[index].instructions)
        if parent is not None:
            waiting.append(parent)
            instructions += triggers_of(stages[parent])
        for instruction in instructions:
            waiting += sources_of(stages, instruction)
    return found


def image_name(name: str) -> str:
    """Return the full name of an image: registry, `library/` and tag filled in (distribution/reference, `ParseNormalizedNamed`)."""
    registry, slash, rest = name.partition("/")
    if not slash or not (
        any(char in registry for char in ".:") or registry == "localhost" or registry.lower() != registry
    ):
        registry, rest = "docker.io", name
    if registry == "index.docker.io":
        registry = "docker.io"
    if registry == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    if "@" not in rest and ":" not in rest:
        rest += ":latest"
    return f"{registry}/{rest}"
