"""The validator for a Dockerfile that got a runtime stage of its own: does the new image hold what it took over unchanged?

The old last stage goes on to build, and the new last stage starts from another base. So the images cannot be the same; what can
be shown is that nothing changes for the build, that each path which the new image takes over is what it was, and that the image
is configured as before. Whether the program needs more than these paths is no question of the build: who proposes it has to know.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Verdict, WantedDifference
from dockopt.optimizer.regions import Region, below, join, normalize
from dockopt.optimizer.symbolic.execute import clean_source, evaluate
from dockopt.optimizer.symbolic.state import StageState
from dockopt.optimizer.validate import frontend_problems, new_failures, proven


def compare_with_runtime_stage(old: Build, new: Build, declared: WantedDifference) -> Verdict:
    """Compare a Dockerfile with one that has one more stage (`WantedDifference.runtime_stage`). Raises Unsupported."""
    taken = declared.runtime_stage
    assert taken is not None
    before, after = old.dockerfile, new.dockerfile
    last = len(after.stages) - 1
    if len(before.stages) != last:
        return Verdict("unproven", obligation="it does not add one stage", line=after.stages[-1].from_.start_line)
    for a, b in zip(before.stages, after.stages, strict=False):
        if (a.base, a.platform) != (b.base, b.platform) or (a.name is not None and a.name != b.name):
            return Verdict("unproven", obligation="the stages that build are not the same", line=b.from_.start_line)
    if (before.escape, before.syntax, before.check) != (after.escape, after.syntax, after.check):
        return Verdict("unproven", obligation="the parser directives are not the same", line=1)
    problems = (*new_failures(old, new, declared), *frontend_problems(old, new), *_differences(old, new, declared))
    for obligation, line in problems:
        return Verdict("unproven", obligation=obligation, line=line)
    name = after.stages[last].name or f"stage {last}"
    compared = [f"`{name}`: `{path}` is what the old image has there" for path in taken.paths]
    compared += [f"`{name}`: `{to}` is what the old image has at `{path}`" for path, to in taken.moved]
    compared.append(f"`{name}`: {len(old.runs[-1].final.image())} settings of the image")
    return proven(old, new, compared, declared.described())


def _differences(old: Build, new: Build, declared: WantedDifference) -> Iterator[tuple[str, int]]:
    taken = declared.runtime_stage
    assert taken is not None
    left, right = old.runs[-1].final, new.runs[-1].final
    line = new.dockerfile.stages[-1].from_.start_line
    for name in sorted(_settings(left).items() ^ _settings(right).items()):
        if name[0] not in declared.settings:
            yield f"the setting `{name[0]}` of the image would differ", line
    holes: list[str] = [*declared.paths]
    for path, to in (*((path, path) for path in taken.paths), *taken.moved):
        holes.append(normalize(to))
        if not _is_taken_over(old, new, normalize(path), normalize(to)):
            where = "there" if path == to else f"at `{path}`"
            yield f"`{to}` is not shown to be what the old image has {where}", line
    for op in right.files.ops:
        if op.kind in ("dir", "dir-set"):
            continue
        if any(not any(below(place, hole) for hole in holes) for place in op.region.include):
            yield f"`{', '.join(op.region.include)}` is new in the image ({op.label})", op.line


def _is_taken_over(old: Build, new: Build, path: str, to: str) -> bool:
    """Tell whether the new image has at `to` what the old one has at a path: copied from the stage that was the last one.

    The same COPY from the context in both is as good. What the new base has at the path does not count: it is hidden by a file,
    and a directory gets all entries that the old image has in it.
    """
    left, right, builder = old.runs[-1].final.files, new.runs[-1].final.files, new.runs[-2].final.files
    region = Region((path,))
    writers = [op for op in right.affecting(Region((to,))) if op.kind not in ("dir", "dir-set")]
    if len(writers) != 1:
        return False
    if left.read(region).digest == builder.read(region).digest and _copies(new, writers[0].line, path, to):
        return True
    if path != to:
        return False
    theirs = [op for op in left.affecting(region) if op.kind not in ("dir", "dir-set")]
    return len(theirs) == 1 and (theirs[0].kind, theirs[0].region, theirs[0].value) == (
        writers[0].kind,
        writers[0].region,
        writers[0].value,
    )


def _copies(new: Build, line: int, path: str, to: str) -> bool:
    """Tell whether the instruction in a line copies a path from the stage before the last one to `to`.

    Only the owner may be set on the way; COPY --from keeps it otherwise (dockerfile2llb/convert.go, dispatchCopy).
    """
    stages = new.dockerfile.stages
    builder = stages[-2]
    for instruction in stages[-1].instructions:
        if instruction.start_line != line or instruction.keyword != "COPY" or instruction.heredocs:
            continue
        state = new.runs[-1].states[stages[-1].instructions.index(instruction)]
        words = [evaluate(word, state, new.dockerfile.escape, line).text for word in instruction.words]
        destination = words.pop()
        source = next((word for word in words if word is not None and "/" + clean_source(word) == path), None)
        if source is None or destination is None or (state.cwd is None and not destination.startswith("/")):
            return False
        if instruction.flag("from") not in (str(builder.index), builder.name):
            return False
        if any(flag.name not in ("from", "chown", "link") for flag in instruction.flags):
            return False
        target = join(state.cwd or "/", destination)
        if new.runs[-2].final.files.kind(path) == "directory":
            return target == to and len(words) == 1
        return target == to or (
            (destination.endswith("/") or len(words) > 1) and join(target, posixpath.basename(path)) == to
        )
    return False


def _settings(state: StageState) -> dict[str, str]:
    """Return the settings that do not come from the base, by their digests."""
    settings = {name: value.digest for name, value in state.image().items() if name != "base configuration"}
    settings.pop("cmd dropped", None)
    if state.user is not None:
        settings["user"] = state.user
    if state.cwd is not None:
        settings["working directory"] = state.cwd
    return settings
