"""COPY and ADD: where the files go, and what they carry (reference §1.11)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockopt.optimizer.regions import EVERYTHING, Region, below, join
from dockopt.optimizer.symbolic.filesystem import ContextSource, FileSystem, context_file_term
from dockopt.optimizer.symbolic.state import StageState, Value
from dockopt.optimizer.symbolic.terms import Term, literal, term

if TYPE_CHECKING:
    from dockopt.optimizer.symbolic.execute import Executor, StageRun
    from dockopt.optimizer.syntax import Instruction

#: a wildcard that selects more is taken as a whole
_FEW = 24
_WILDCARD = re.compile(r"[*?\[]")
#: `ADD` fetches these (reference §1.11); scp-like and `git@` addresses too
_REMOTE = re.compile(r"^([a-z][a-z0-9+.-]*://|git@|[^/]+\.git(#|$))", re.IGNORECASE)


def is_remote(source: str) -> bool:
    """Tell whether ADD fetches a source from the network."""
    return _REMOTE.match(source) is not None


@dataclass(frozen=True, slots=True)
class _Copy:
    """One COPY or ADD, its flags evaluated."""

    instruction: Instruction
    line: int
    attributes: str
    directory: Term  # mode and owner of directories that it has to make
    link: bool
    plain: bool  # no --exclude, --parents, --checksum, … : entries can be looked up one by one
    many: bool


def copy_instruction(
    executor: Executor, state: StageState, instruction: Instruction, run: StageRun | None
) -> StageState:
    """Return the state after a COPY or ADD."""
    from dockopt.optimizer.symbolic.execute import evaluate

    escape, line = executor.dockerfile.escape, instruction.start_line
    writer = f"`{instruction.keyword} {' '.join(instruction.words)}`"
    owner, mode = _flag_value(executor, state, instruction, "chown"), _flag_value(executor, state, instruction, "chmod")
    if owner is not None and not re.fullmatch(r"\d+(:\d+)?", owner.text or "?"):
        # a name is looked up in the image; an unknown one silently means root
        accounts = state.files.read(Region(("/etc/group", "/etc/passwd")))
        owner = Value(term("owner", owner.term, accounts))
    destination = evaluate(instruction.words[-1], state, escape, line)
    target = _target(state, destination)
    if target is not None and any(below(target[0], path) for path in executor.free_owners):
        owner = Value(literal("any owner"))
    extra = [
        f"{flag.name}={flag.value}" for flag in instruction.flags if flag.name not in ("from", "chown", "chmod", "link")
    ]
    link = instruction.flag("link") not in (None, "false") or any(
        f.name == "link" and f.value is None for f in instruction.flags
    )
    link = link and mode is None
    attributes = term(
        "attributes",
        owner.term if owner else literal("source owner"),
        mode.term if mode else literal("source mode"),
        str(link),
        *extra,
    )
    directory = term("directory", mode.term if mode else literal("0755"), owner.term if owner else literal("0:0"))
    copy = _Copy(instruction, line, attributes.digest, directory, link, not extra, len(instruction.words) > 2)
    from_stage = source_stage(executor, instruction, run)
    bodies = {heredoc.name: heredoc for heredoc in instruction.heredocs}

    for word in instruction.words[:-1]:
        heredoc = next((h for h in bodies.values() if word == h.word), None)
        if heredoc is not None:
            body = evaluate(heredoc.body, state, "\\", line).term if heredoc.expand else literal(heredoc.body)
            value = term("inline-file", body, attributes)
            state = _place_file(state, copy, destination, heredoc.name, value, writer, None)
            continue
        source = evaluate(word, state, escape, line)
        if from_stage is not None:
            state = _from_stage(state, copy, destination, source, from_stage, writer)
        elif instruction.flag("from") is not None:
            image = term("image", instruction.flag("from") or "")
            state = _somehow(state, copy, destination, term("image-tree", image, source.term, attributes), writer)
            state = replace(state, inputs=state.inputs | {f"image:{instruction.flag('from')}"})
        elif instruction.keyword == "ADD" and (source.text is None or is_remote(source.text)):
            state = _somehow(state, copy, destination, term("download", source.term, attributes), writer)
        else:
            state = _from_context(executor, state, copy, destination, source, writer)
    return state


def _flag_value(executor: Executor, state: StageState, instruction: Instruction, name: str) -> Value | None:
    from dockopt.optimizer.symbolic.execute import evaluate

    raw = instruction.flag(name)
    if raw is None:
        return None
    value = evaluate(raw, state, executor.dockerfile.escape, instruction.start_line)
    if name == "chmod" and "$" in raw:
        # older frontends do not expand it and then ignore it (seen with that of Docker 26)
        return Value(term("maybe expanded", raw, value.term))
    return value


def source_stage(executor: Executor, instruction: Instruction, run: StageRun | None) -> StageRun | None:
    """Return the stage that --from names: a number, or a name in any case; duplicates: the last in the file."""
    from dockopt.optimizer.symbolic.execute import Unsupported

    name = instruction.flag("from")
    if name is None:
        return None
    if name.isdigit():
        if int(name) >= len(executor.dockerfile.stages):
            return None
        index = int(name)
    else:
        found = [stage.index for stage in executor.dockerfile.stages if stage.name == name.lower()]
        if not found:
            return None
        index = found[-1]
    if index >= instruction.stage or run is None:
        raise Unsupported(f"`--from={name}` does not name an earlier stage", instruction.start_line)
    return executor.stages[index]


def _target(state: StageState, destination: Value) -> tuple[str, bool] | None:
    """Return (absolute path, ends with a slash) of a destination, None where it is not known."""
    if destination.text is None:
        return None
    text = destination.text or "./"
    if not text.startswith("/") and state.cwd is None:
        return None
    return join(state.cwd or "/", text), text.endswith(("/", "/.", "/..")) or text in (".", "..")


def _somehow(state: StageState, copy: _Copy, destination: Value, value: Term, writer: str) -> StageState:
    """Copy something of which it is not known whether it is a file or a directory: the destination depends on the old one."""
    target = _target(state, destination)
    where = EVERYTHING if target is None else Region((target[0],))
    files = state.files
    if target is not None:
        files = files.make_directories(target[0], copy.directory, copy.line, leaf=target[1])
    at = (destination.term, state.cwd_term) if target is None else (target[0], str(target[1]))
    new = term("copied", value, *at, files.read(where), text=f"result of {writer}")
    return replace(state, files=files.put(where, new, copy.line, writer))


def _place_file(
    state: StageState,
    copy: _Copy,
    destination: Value,
    name: str,
    value: Term,
    writer: str,
    source: ContextSource | None,
) -> StageState:
    """Copy one regular file."""
    target = _target(state, destination)
    if target is None:
        return _somehow(state, copy, destination, value, writer)
    path, slash = target
    kind = state.files.kind(path)
    if slash or copy.many or (kind == "directory" and not copy.link):
        path = join(path, name)
    elif kind == "unknown" and not copy.link:
        return _somehow(state, copy, destination, value, writer)
    files = _parents(state.files, copy, path)
    return replace(state, files=files.put(Region((path,)), value, copy.line, writer, source=source, is_file=True))


def _parents(files: FileSystem, copy: _Copy, path: str) -> FileSystem:
    if copy.link:
        return files.set_directories(join(path, ".."), copy.directory, copy.line)
    return files.make_directories(path, copy.directory, copy.line, leaf=False)


def _from_context(
    executor: Executor, state: StageState, copy: _Copy, destination: Value, source: Value, writer: str
) -> StageState:
    from dockopt.optimizer.symbolic.execute import clean_source

    if source.text is None:
        state = replace(state, inputs=state.inputs | {"context:"})
        left_out = executor.files.newly_ignored
        return _somehow(
            state, copy, destination, term("context-unknown", source.term, copy.attributes, *left_out), writer
        )
    path = clean_source(source.text)
    target = _target(state, destination)
    wildcard = _WILDCARD.search(path)
    literal_part = path if wildcard is None else path[: wildcard.start()].rpartition("/")[0]
    state = replace(state, inputs=state.inputs | {f"context:{literal_part}"})
    if wildcard is not None:
        head, _, pattern = path.rpartition("/")
        left_out = executor.files.newly_ignored
        value = term("context-glob", path, copy.attributes, *left_out, text=f"context files {path}")
        chosen = executor.files.glob(path)
        if (
            chosen
            and len(chosen) <= _FEW
            and copy.plain
            and copy.instruction.keyword == "COPY"
            and all(executor.files.kind(found) == "file" for found in chosen)
        ):
            # each selected file on its own: what the pattern selects is then an input of the proof
            several = replace(copy, many=copy.many or len(chosen) > 1)
            for found in chosen:
                origin = ContextSource(found, copy.attributes)
                file = context_file_term(found, copy.attributes)
                state = _place_file(state, several, destination, found.rpartition("/")[2], file, writer, origin)
            return state
        if target is None or not (target[1] or copy.many) or not copy.plain or _WILDCARD.search(head) or copy.link:
            return _somehow(state, copy, destination, value, writer)
        files = state.files.make_directories(target[0], copy.directory, copy.line)
        from_pattern = (
            ContextSource(head, copy.attributes, pattern) if "[" not in pattern and "\\" not in pattern else None
        )
        return replace(state, files=files.overlay(target[0], value, copy.line, writer, from_pattern))
    # nothing is concluded from a source that is not there today: the build on another machine has it
    kind = executor.files.kind(path) if executor.files.is_there(path) else "absent"
    executor.sources.append((copy.line, path, kind))
    if kind == "file" and copy.plain and copy.instruction.keyword == "COPY":
        name = path.rpartition("/")[2]
        origin = ContextSource(path, copy.attributes)
        return _place_file(state, copy, destination, name, context_file_term(path, copy.attributes), writer, origin)
    value = term("context-tree", path, copy.attributes, text=f"context directory {path or '.'}")
    if kind != "directory" or target is None or "parents" in {flag.name for flag in copy.instruction.flags}:
        # a link, an archive that ADD may unpack, or nothing there today
        entry = term("context-entry", value, *executor.files.newly_ignored)
        return _somehow(state, copy, destination, entry, writer)
    if copy.link:
        files = state.files.set_directories(target[0], copy.directory, copy.line)
    else:
        files = state.files.make_directories(target[0], copy.directory, copy.line)
    origin_dir = ContextSource(path, copy.attributes) if copy.plain else None
    return replace(state, files=files.overlay(target[0], value, copy.line, writer, origin_dir))


def _from_stage(
    state: StageState, copy: _Copy, destination: Value, source: Value, stage: StageRun, writer: str
) -> StageState:
    from dockopt.optimizer.symbolic.execute import clean_source

    final = stage.final.files
    state = replace(state, inputs=state.inputs | {f"stage:{stage.stage.index}"})
    if source.text is None or _WILDCARD.search(source.text):
        where = EVERYTHING
        if source.text is not None:
            # a wildcard sees only what lies below the directory that holds it
            head = source.text[: _WILDCARD.search(source.text).start()].rpartition("/")[0]  # type: ignore[union-attr]
            where = Region(("/" + clean_source(head),))
        value = term("stage-glob", source.term, final.read(where), copy.attributes)
        return _somehow(state, copy, destination, value, writer)
    path = "/" + clean_source(source.text)
    value = term("stage-entry", final.resolve(path), copy.attributes, text=str(final.resolve(path)))
    if final.kind(path) == "file" and copy.plain:
        return _place_file(state, copy, destination, path.rpartition("/")[2], value, writer, None)
    return _somehow(state, copy, destination, value, writer)
