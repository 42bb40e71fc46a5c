"""Mounts of a RUN: what the command sees at their targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.regions import EVERYTHING, Region, below, join
from dockopt.optimizer.symbolic.filesystem import ContextSource, FileSystem
from dockopt.optimizer.symbolic.state import StageState
from dockopt.optimizer.symbolic.terms import Term, term

if TYPE_CHECKING:
    from dockopt.optimizer.symbolic.execute import Executor, StageRun
    from dockopt.optimizer.syntax import Instruction, Mount


class Mounted(NamedTuple):
    """A mount with its absolute target (None: not known before the build) and a value that stands for its content."""

    mount: Mount
    target: str | None
    value: Term


def mounts_of(executor: Executor, state: StageState, instruction: Instruction) -> list[Mounted]:
    """Return the mounts of a RUN, targets resolved against the working directory."""
    from dockopt.optimizer.symbolic.execute import evaluate

    mounted = []
    for mount in instruction.mounts:
        raw = mount.target or ("/run/secrets" if mount.type == "secret" else "/run/ssh" if mount.type == "ssh" else "")
        target = evaluate(raw, state, executor.dockerfile.escape, instruction.start_line).text
        path = (
            join(state.cwd, target)
            if target and state.cwd is not None
            else join("/", target)
            if target and target.startswith("/")
            else None
        )
        mounted.append(
            Mounted(mount, path, term("mount", *sorted(f"{k}={v}" for k, v in mount.options.items()), mount.raw))
        )
    return mounted


def view(
    executor: Executor, state: StageState, mounts: Sequence[Mounted], own: tuple[str, ...], line: int
) -> FileSystem:
    """Return the file system that a command sees: the image below its mounts. Caches of the tool itself are left out."""
    from dockopt.optimizer.symbolic.execute import clean_source

    files = state.files
    for mounted in mounts:
        mount, target = mounted.mount, mounted.target
        where = EVERYTHING if target is None else Region((target,))
        if mount.type == "cache" and target is not None and any(below(target, cache) for cache in own):
            continue
        if mount.type == "bind" and target is not None:
            source = clean_source(mount.source or "")
            if mount.from_ is None:
                kind = executor.files.kind(source)
                origin = ContextSource(source, term("bind").digest)
                if kind == "file":
                    value = term("context-file", source, "bind")
                    files = files.put(where, value, line, f"bind mount of {source}", source=origin, is_file=True)
                elif kind == "directory":
                    value = term("context-tree", source, "bind")
                    files = files.kill(where, line, "").overlay(
                        target, value, line, f"bind mount of {source or '.'}", origin
                    )
                else:
                    entry = term("context-entry", source, *executor.files.newly_ignored)
                    files = files.put(where, entry, line, f"bind mount of {source}")
                continue
            stage = stage_of(executor, mount.from_)
            value = term("image-tree", mount.from_) if stage is None else stage.final.files.resolve("/" + source)
            files = files.put(where, term("bind", value), line, f"bind mount from {mount.from_}")
            continue
        files = files.put(where, mounted.value, line, f"{mount.type} mount")
    return files


def stage_of(executor: Executor, name: str) -> StageRun | None:
    """Return the earlier stage that a mount takes from, None if it is an image."""
    here = len(executor.stages) - 1
    found = (run for run in reversed(executor.stages) if run.stage.name == name.lower() and run.stage.index < here)
    return next(found, None)
