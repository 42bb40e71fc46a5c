"""The validator: are the images of two Dockerfiles the same? It knows no rewrite.

**What `equal` means.** For every exported stage (the last one, stages named as targets, stages that nothing consumes) both
Dockerfiles leave the same files (content, kind, mode, owner, link target), environment, user, working directory, shell and run
configuration; and the new one fails in no build in which the old one did not.

**For which builds.** For every build context that agrees with today's on the *frozen inputs* of the verdict, every value of build
arguments, every platform and every content of the base images: those stay symbolic. Files outside the frozen inputs may have
any content and may or may not exist.

**What it leaves out.** Layer boundaries, history, modification times.

**What it assumes.** The command models, the printed assumptions of the verdict, that a command does the same on the same
inputs, and that stages which another stage consumes are not used from outside (`private-stages`).

How: both files are executed symbolically (`dockopt.optimizer.symbolic`); two states are the same if their digests are.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from dockopt.optimizer.effects import ALWAYS_READ, Effects, World, matches
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import NO_DIFFERENCE, Verdict, WantedDifference
from dockopt.optimizer.regions import EVERYTHING, Region, below, normalize
from dockopt.optimizer.symbolic.execute import StageRun, Unsupported
from dockopt.optimizer.symbolic.filesystem import differing
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.wording import shortened

PRIVATE_STAGES = "private-stages: stages that another stage consumes are not pulled or targeted on their own"
IGNORE_FILE = "ignore-file: no command looks at the text of the ignore file, which may be copied with the sources"
BASE_LAYOUT = "base-layout: no directory that the Dockerfile copies into is a link in the base image"


def validate(old: Build, new: Build, declared: WantedDifference = NO_DIFFERENCE) -> Verdict:
    """Compare the images of two Dockerfiles over one context; they may differ in what is `declared`.

    Never raises: what cannot be shown is `unproven` with its obligation.
    """
    compare = _compare
    if declared.runtime_stage is not None:
        from dockopt.optimizer.runtime_stage import compare_with_runtime_stage as compare
    if declared.owners:
        old, new = old.with_free_owners(declared.owners), new.with_free_owners(declared.owners)
    try:
        if declared.residue:
            old, new = _without_residue(old, new, declared)
        verdict = compare(old, new, declared)
        if verdict.status == "unproven" and _has_unknown(new):
            under_assumption = compare(old.with_opaque_caches, new.with_opaque_caches, declared)
            if under_assumption.status != "unproven":
                return under_assumption
    except Unsupported as error:
        return Verdict("unproven", obligation=error.reason, line=error.line)
    return verdict


def _without_residue(old: Build, new: Build, declared: WantedDifference) -> tuple[Build, Build]:
    """Return both builds with nobody looking at what package managers left for themselves."""
    kept = {(command.stage, command.text) for command in new.executed}
    # dropped because the new file has it in a form that leaves nothing there
    dropped = {(command.stage, command.text) for command in old.executed if command.text in declared.dropped}
    return old.with_residue(declared.residue, frozenset(dropped - kept)), new.with_residue(declared.residue)


def _repaired(old: Build, new: Build) -> Verdict | None:
    """Return the verdict of a new file that only brings a command what it surely fails without in the old one, None otherwise.

    Only COPYs may be new, and they have to bring the missing files: nothing else is said of the new image, as there is no old one.
    """
    broken = [(before, after) for before, after in _matched(old, new) if before.effects.missing]
    if not broken or any(after.effects.missing for _, after in broken):
        return None
    kept = [(i.keyword, i.args) for i in old.dockerfile.instructions]
    added = [(i.keyword, i.args) for i in new.dockerfile.instructions]
    for entry in kept:
        if entry not in added:
            return None
        added.remove(entry)
    if not added or any(word != "COPY" for word, _ in added):
        return None
    first, _ = broken[0]
    missing = ", ".join(f"`{path}`" for path in first.effects.missing)
    frozen = {f.path: f for context in (old.context, new.context) for f in context.frozen()}
    return Verdict(
        "repairs",
        obligation=f"`{shortened(first.text)}` fails without {missing}",
        line=first.line,
        frozen=tuple(frozen[path] for path in sorted(frozen)),
    )


def _has_unknown(build: Build) -> bool:
    return any(command.effects.unknown is not None for command in build.executed)


def _unproven(obligation: str, line: int | None) -> Verdict:
    return Verdict("unproven", obligation=obligation, line=line)


def _compare(old: Build, new: Build, declared: WantedDifference) -> Verdict:
    before, after = old.dockerfile, new.dockerfile
    if [(s.base, s.name, s.platform) for s in before.stages] != [(s.base, s.name, s.platform) for s in after.stages]:
        return _unproven("the stages are not the same", after.stages[0].from_.start_line)
    if (before.escape, before.syntax, before.check) != (after.escape, after.syntax, after.check):
        return _unproven("the parser directives are not the same", 1)
    repaired = _repaired(old, new)
    if repaired is not None:
        return repaired
    # one is enough, and finding out what a command may see differently is dear
    for failure in chain(
        _leftovers(old, new),
        new_failures(old, new, declared),
        _frozen_downloads(old, new),
        frontend_problems(old, new),
    ):
        return _unproven(*failure)
    holes = tuple(sorted(normalize(path) for path in declared.paths | declared.residue))
    region = EVERYTHING.minus(*holes) if holes else EVERYTHING
    compared: list[str] = []
    strictly_equal = not declared.owners and not declared.residue
    for stage in after.stages:
        if not new.is_exported(stage.index):
            continue
        left, right = old.runs[stage.index], new.runs[stage.index]
        problem = _differing_settings(left, right, declared.settings)
        if problem is not None:
            return _unproven(*problem)
        a, b = left.final.files.read(region), right.final.files.read(region)
        if a.digest != b.digest:
            return _unproven(*_explain(left, right, region))
        strictly_equal &= left.final.files.read(EVERYTHING).digest == right.final.files.read(EVERYTHING).digest
        strictly_equal &= _differing_settings(left, right) is None
        name = stage.name or f"stage {stage.index}"
        compared.append(
            f"`{name}`: {len(left.final.files.ops)} writes over {left.final.files.base}, value {a.digest[:12]} on both sides"
        )
        compared.append(f"`{name}`: {len(left.final.image())} settings of the image")
    return proven(old, new, compared, () if strictly_equal else declared.described())


def proven(old: Build, new: Build, compared: Iterable[str], differences: tuple[str, ...]) -> Verdict:
    """Return the verdict that both images are the same but for the `differences`, with what the proof rests on."""
    assumptions = {a for build in (old, new) for e in build.executed for a in e.effects.assumptions}
    if len(new.dockerfile.stages) > 1:
        assumptions.add(PRIVATE_STAGES)
    assumptions.add(BASE_LAYOUT)
    if new.context.newly_ignored != old.context.newly_ignored:
        assumptions.add(IGNORE_FILE)
    frozen = {**{f.path: f for f in old.context.frozen()}, **{f.path: f for f in new.context.frozen()}}
    return Verdict(
        "equal-but" if differences else "equal",
        differences=differences,
        compared=tuple(compared),
        frozen=tuple(frozen[path] for path in sorted(frozen)),
        assumptions=tuple(sorted(assumptions)),
    )


def _differing_settings(
    left: StageRun, right: StageRun, declared: frozenset[str] = frozenset()
) -> tuple[str, int] | None:
    a, b = left.final.image(), right.final.image()
    for name in sorted((a.keys() | b.keys()) - declared):
        if a.get(name) != b.get(name):
            return f"the setting `{name}` of the image would differ", right.stage.from_.start_line
    return None


def _explain(left: StageRun, right: StageRun, region: Region) -> tuple[str, int]:
    """Name the first write whose value is not shown to be the same, and why if that can be told."""
    for a, b in differing(left.final.files, right.final.files, region):
        op = a or b
        if op is None:
            continue
        where = ", ".join(op.region.include)
        if a is not None and b is not None:
            return f"{a.label or where} may leave something else in `{where}`", a.line
        side = "before" if a is not None else "after"
        return f"`{where}` is written only {side} the rewrite ({op.label})", op.line
    return "two writes to overlapping places change their order", left.stage.from_.start_line


def _matched(old: Build, new: Build) -> Iterable[tuple[Executed, Executed]]:
    """Pair the commands of both files by stage and text: those that see the same, then the others in their order."""
    seen: dict[tuple[int, str], list[Executed]] = {}
    for command in old.executed:
        seen.setdefault((command.stage, command.text), []).append(command)
    same: dict[int, Executed] = {}
    for i, command in enumerate(new.executed):
        twins = seen.get((command.stage, command.text), [])
        place = next((k for k, twin in enumerate(twins) if twin.value.digest == command.value.digest), None)
        if place is not None:
            same[i] = twins.pop(place)
    for i, command in enumerate(new.executed):
        twins = seen.get((command.stage, command.text), [])
        if i in same:
            yield same[i], command
        elif twins:
            yield twins.pop(0), command


def _frozen_downloads(old: Build, new: Build) -> Iterable[tuple[str, int]]:
    """A command whose result is up to the world must not be reused longer than before (DESIGN §5, World.FREE)."""
    for before, after in _matched(old, new):
        if before.effects.world is not World.FREE:
            continue
        for item in before.inputs:
            if not _renewed_by(item, after.inputs):
                what = before.effects.unknown or "its result depends on the network or the clock"
                yield f"`{shortened(before.text)}` would be reused longer than before, and {what}", before.line
                return


def _renewed_by(item: str, inputs: frozenset[str]) -> bool:
    if item in inputs:
        return True
    kind, _, path = item.partition(":")
    return kind == "context" and any(
        other.startswith("context:") and (other == "context:" or f"{path}/".startswith(other[len("context:") :] + "/"))
        for other in inputs
    )


def _leftovers(old: Build, new: Build) -> Iterable[tuple[str, int]]:
    """A new cache mount in which a command finds its own work again, and may take it for what it has to make now."""
    for before, after in _matched(old, new):
        left = after.effects.leftovers
        if left is None:
            continue
        had = {mount.target for mount in before.instruction.mounts if mount.type == "cache"}
        for mount in after.instruction.mounts:
            target = mount.target or ""
            if mount.type == "cache" and target not in had and not any(below(target, path) for path in left.harmless):
                yield f"what an earlier build left in `{target}` may decide: {left.why}", after.line


def new_failures(old: Build, new: Build, declared: WantedDifference = NO_DIFFERENCE) -> Iterable[tuple[str, int]]:
    """Reasons why the new file could fail in a build in which the old one did not; commands that are declared may."""
    known = {path: kind for _, path, kind in _sources(old)}
    for line, path, kind in _sources(new):
        if kind not in ("file", "directory") and known.get(path) != kind:
            yield f"`{path}` is not in the build context", line
        elif path not in known and new.context.may_be_missing(path):
            yield f"git ignores `{path}`: a clone of the project may not have it, and then a COPY of it fails", line
    known_values = {(e.stage, e.text, e.value.digest) for e in old.executed}
    matched = list(_matched(old, new))
    paired = {id(after) for _, after in matched}
    for command in new.executed:
        # one that is done more often than before is new too, unless it did the same before
        is_new = id(command) not in paired and (command.stage, command.text, command.value.digest) not in known_values
        if is_new and command.text not in declared.added:
            problem = _not_serving(command, old)
            if problem is not None:
                yield f"`{shortened(command.text)}` is new and {problem}", command.line
    done = {(e.stage, e.text) for e in new.executed}
    for command in old.executed:
        if (command.stage, command.text) not in done and command.text not in declared.dropped:
            yield f"`{shortened(command.text)}` does not run any more", command.line
    for before, after in matched:
        # a command that sees the same ends the same way; one that may fail where it did not is a broken build
        if before.value.digest != after.value.digest:
            why = f"; it is not understood: {after.effects.unknown}" if after.effects.unknown is not None else ""
            yield f"`{shortened(after.text)}` may see {_seen_differently(before, after)}{why}", after.line


def _seen_differently(before: Executed, after: Executed) -> str:
    if _settings(before) != _settings(after) or before.cwd != after.cwd:
        return "another user, directory, network or mount"
    for old, new in differing(before.before.files, after.before.files, before.region):
        op = new or old
        if op is not None:
            return f"something else in `{', '.join(op.region.include)}`"
    return "other files or variables"


def _not_serving(command: Executed, old: Build) -> str | None:
    """Return why an inserted command may fail, or see another world than the one it does work for (DESIGN §5).

    A command that only fills caches does the work of a later one that uses these caches: the same network, user, secrets and
    variables, and the same files outside the project.
    """
    if command.effects.unknown is not None:
        return command.effects.unknown
    caches = set(command.effects.caches)
    problem: str | None = "no later command uses what it fetches"
    for served in old.executed:
        if served.stage != command.stage or not caches or not caches <= set(served.effects.caches):
            continue
        problem = None if command.name == served.name or served.effects.unknown is not None else problem
        if _settings(command) != _settings(served):
            problem = f"line {served.line}, for which it works, runs with other mounts, network or user"
        elif _environment(command, command.effects) != _environment(served, command.effects):
            problem = f"line {served.line}, for which it works, sees other variables"
        elif command.before.files.read(command.region).digest != served.before.files.read(command.region).digest:
            problem = f"line {served.line}, for which it works, finds other files outside the project"
        else:
            return None
    return problem


def _settings(command: Executed) -> tuple[object, ...]:
    given = command.instruction.flags
    mounts = sorted(flag.raw for flag in given if flag.name == "mount" and not _is_cache(flag.value or ""))
    others = sorted(flag.raw for flag in given if flag.name != "mount")
    return mounts, others, command.before.user_term, command.before.shell


def _is_cache(mount: str) -> bool:
    return "type=cache" in mount.replace(" ", "").lower().split(",")


def _environment(command: Executed, effects: Effects) -> dict[str, str]:
    wanted = (*ALWAYS_READ, *(effects.variables or ("*",)))
    return {name: value.term.digest for name, value in command.environment.items() if matches(name, wanted)}


def _sources(build: Build) -> list[tuple[int, str, str]]:
    _ = build.runs
    return build.executor.sources


def frontend_problems(old: Build, new: Build) -> Iterable[tuple[str, int]]:
    """Features that the pinned frontend, or the oldest engine without a pin, may not have (reference §1.12)."""
    had = {feature for _, feature in _features(old)}
    syntax, floor = new.dockerfile.syntax, new.configuration.frontend_floor
    for line, feature in _features(new):
        if feature not in had and not frontend_allows(syntax, feature, floor):
            who = f"`# syntax={syntax}`" if syntax is not None else "the oldest engine (`engine-floor`)"
            yield f"{who} is not known to support `{feature}`", line


def _features(build: Build) -> Iterable[tuple[int, str]]:
    for instruction in build.dockerfile.instructions:
        if instruction.mounts:
            yield instruction.start_line, "RUN --mount"
        if instruction.heredocs:
            yield instruction.start_line, "here-document"
        for flag in instruction.flags:
            if flag.name in ("link", "chmod", "parents", "exclude"):
                yield instruction.start_line, f"{instruction.keyword} --{flag.name}"


#: lowest stable frontend release (major, minor) with a feature: reference §1.5 and §1.12
_SINCE = {
    "RUN --mount": (1, 2),
    "here-document": (1, 4),
    "COPY --link": (1, 4),
    "COPY --chmod": (1, 2),
    "ADD --chmod": (1, 2),
    "ADD --link": (1, 4),
}


def frontend_allows(syntax: str | None, feature: str, floor: tuple[int, int]) -> bool:
    """Tell whether the frontend of a file surely has a feature; without a pin it is as old as the floor (major, minor)."""
    since = _SINCE.get(feature)
    if since is None:
        return False
    if syntax is None:
        return since <= floor
    repository, _, tag = syntax.partition("@")[0].rpartition(":")
    if repository.removeprefix("docker.io/") not in ("docker/dockerfile", "docker/dockerfile-upstream"):
        return False
    if tag in ("1", "latest", "labs", "1-labs", "master"):
        return True
    parts = tag.partition("-")[0].split(".")
    if len(parts) < 2 or not all(part.isdigit() for part in parts[:2]):
        return False
    return (int(parts[0]), int(parts[1])) >= since
