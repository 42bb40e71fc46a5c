"""Options by which package managers leave nothing behind: `apk --no-cache` and `pip --no-cache-dir` (part of `apt-hygiene`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dockopt.optimizer.ecosystems.python.commands import tool_of
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit, Proposal, Refusal, WantedDifference
from dockopt.optimizer.regions import below
from dockopt.optimizer.shell import Command
from dockopt.optimizer.symbolic.residue import APK_INDEXES
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Instruction, Stage
from dockopt.rewrites.appending import RunScript, script_of
from dockopt.rewrites.chains import called

ID = "apt-hygiene"
_APK = re.compile(r"(?<![\w./-])apk\s")
_APK_FETCHING = frozenset({"add", "upgrade", "fix"})
_PIP = re.compile(r"(?<![\w./-])(pip[\d.]*|python[\d.]*\s+-m\s+pip)\s([^;&|\n]*\s)?(install|download|wheel)(?![\w-])")
#: whoever speaks of these has thought of pip's cache, or may lead it elsewhere
_PIP_THOUGHT_OF = re.compile(r"\.cache|cache purge|pip config|pip\.conf|PIP_NO_CACHE_DIR")
#: variables that say where the cache is, or whether there is one (pip's `appdirs`, user guide *Caching*)
_PIP_PLACES = ("PIP_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "PIP_CONFIG_FILE")


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at apk in all exported stages at once, and at each command of pip."""
    yield from _apk(build)
    if b"pip.conf" in build.dockerfile.source or b"pip config" in build.dockerfile.source:
        return
    for stage, instruction in _runs(build):
        if _PIP.search(instruction.args):
            yield from _pip(build, stage, instruction)


def _runs(build: Build) -> Iterator[tuple[Stage, Instruction]]:
    for stage in build.dockerfile.stages:
        if build.is_exported(stage.index):
            for instruction in stage.instructions:
                if instruction.keyword == "RUN":
                    yield stage, instruction


def _command_at(run: RunScript, executed: Executed) -> Command | None:
    """Return the command of a script that was executed there."""
    return next((c for c in run.script.commands if (c.start, c.end) == (executed.start, executed.end)), None)


def _with_option(run: RunScript, command: Command, word: str, option: str) -> tuple[Edit, str]:
    """Return the edit that puts an option after a word of a command, and the word as it is written there."""
    found = next(w for w in command.words if w.literal == word)
    _, at = run.span(found.start, found.end)
    return Edit(at, at, f" {option}".encode()), found.raw


# -- apk -------------------------------------------------------------------------------------------------------------


def _apk(build: Build) -> Iterator[Proposal | Refusal]:
    """Yield one proposal for all: a command that has no `--no-cache` may use the index that an earlier one left."""
    edits: list[Edit] = []
    added: set[str] = set()
    dropped: set[str] = set()
    first: int | None = None
    for stage, instruction in _runs(build):
        text = instruction.args + "".join(heredoc.body for heredoc in instruction.heredocs)
        if not _APK.search(text):
            continue
        line = instruction.start_line
        found = _apk_of_run(build, stage, instruction, text)
        if isinstance(found, str):
            yield Refusal(ID, line, found, "", line)
            return
        if found is None:
            continue
        edits += found[0]
        dropped |= found[1]
        added |= found[2]
        first = line if first is None and found[0] else first
    if first is None:
        return
    yield Proposal(
        ID,
        first,
        "`apk` leaves the index of its repositories in the image",
        tuple(edits),
        gain="the layer is smaller by the index, some 2 MB, and each installation asks for today's",
        declared=WantedDifference(residue=frozenset(APK_INDEXES), added=frozenset(added), dropped=frozenset(dropped)),
    )


def _apk_of_run(
    build: Build, stage: Stage, instruction: Instruction, text: str
) -> tuple[list[Edit], set[str], set[str]] | str | None:
    """Return the edits of one RUN with the commands that go and come; None where it leaves nothing, a str says why it is left alone."""
    if re.search(r"/var/cache(/apk|/?\*?(?![\w./-]))|/etc/apk/cache|--cache-dir", text) or any(
        mount.type == "cache"
        and (mount.target is None or below(APK_INDEXES[0], mount.target) or below(APK_INDEXES[1], mount.target))
        for mount in instruction.mounts
    ):
        return None
    commands = build.commands_of(stage.index, instruction.index)
    mine = [c for c in commands if _APK.search(c.text + " ")]
    if all("--no-cache" in c.argv or called(c) == ("apk", "del") for c in mine):
        return None
    run = script_of(build, stage, instruction)
    if isinstance(run, str):
        return run
    edits: list[Edit] = []
    dropped: set[str] = set()
    added: set[str] = set()
    for executed in mine:
        if executed.effects.unknown is not None:
            return f"`apk` is not followed: {executed.effects.unknown}"
        command = _command_at(run, executed)
        if command is None or not executed.end:
            return (
                "`apk` is not followed: it stands in a here-document, or the script goes on after a command that fails"
            )
        what = called(executed)
        if what == ("apk", "update"):
            edit = _without(build, run, command)
            if isinstance(edit, str):
                return edit
            edits.append(edit)
            dropped.add(executed.text)
        elif len(what) == 2 and what[1] in _APK_FETCHING:
            if "--no-cache" in executed.argv:
                continue
            edit, word = _with_option(run, command, what[1], "--no-cache")
            edits.append(edit)
            dropped.add(executed.text)
            added.add(_spelled(executed.text, word, "--no-cache"))
    return (edits, dropped, added) if edits else None


def _without(build: Build, run: RunScript, command: Command) -> Edit | str:
    """Return the edit that takes a command out of a chain together with the `&&` behind it."""
    steps = run.script.steps
    position = next((i for i, step in enumerate(steps) if step.command == command), None)
    if position is None:
        return "`apk update` is part of something larger"
    if position + 1 == len(steps) or steps[position + 1].connector != "&&":
        return "`apk update` stands alone; `merge-runs` joins it with the installation below it"
    start, _ = run.span(command.start, command.end)
    end, _ = run.span(steps[position + 1].start, steps[position + 1].start)
    if b"#" in build.dockerfile.source[start:end]:
        return "a comment stands between `apk update` and the command below it"
    return Edit(start, end, b"")


def _spelled(text: str, word: str, option: str) -> str:
    """Return a command's text with an option after the first occurrence of a word, both as they are written."""
    words = text.split(" ")
    at = words.index(word)
    return " ".join([*words[: at + 1], option, *words[at + 1 :]])


# -- pip -------------------------------------------------------------------------------------------------------------


def _pip(build: Build, stage: Stage, instruction: Instruction) -> Iterator[Proposal | Refusal]:
    if _PIP_THOUGHT_OF.search(instruction.args):
        return
    line = instruction.start_line
    run: RunScript | str | None = None
    for executed in build.commands_of(stage.index, instruction.index):
        if tool_of(executed.name) not in (None, "pip", "python"):
            continue  # `uv pip` and others have caches of their own
        if not _PIP.search(executed.text) or {"--no-cache-dir", "--no-cache", "--cache-dir"} & set(executed.argv):
            continue
        if any(word is not None and word.startswith("--cache-dir=") for word in executed.argv):
            continue
        state = executed.before
        switch = executed.environment.get("PIP_NO_CACHE_DIR") or state.variable("PIP_NO_CACHE_DIR")
        if switch is not None:
            if switch.text is None:
                reason = "whether the base image sets `PIP_NO_CACHE_DIR` is not known"
                yield Refusal(ID, line, reason, "", stage.from_.start_line)
                return
            continue
        problem = _pip_problem(executed, instruction)
        if problem is not None:
            yield Refusal(ID, line, problem, "", executed.line)
            return
        if any(m.type in ("cache", "tmpfs") and below("/root/.cache/pip", m.target or "/") for m in instruction.mounts):
            return
        run = run or script_of(build, stage, instruction)
        command = None if isinstance(run, str) else _command_at(run, executed)
        subcommand = next((w for w in _after_pip(executed.argv) if w in ("install", "download", "wheel")), None)
        if isinstance(run, str) or command is None or subcommand is None or not executed.end:
            reason = run if isinstance(run, str) else "its text is not one plain command"
            yield Refusal(ID, line, reason, "", executed.line)
            return
        edit, word = _with_option(run, command, subcommand, "--no-cache-dir")
        yield Proposal(
            ID,
            line,
            "`pip` leaves what it downloaded and built in the image, beside what it installed",
            (edit,),
            gain="the layer is smaller by pip's cache, about as much as the packages that it fetches",
            declared=WantedDifference(
                residue=frozenset({"/root/.cache/pip"}),
                added=frozenset({_spelled(executed.text, word, "--no-cache-dir")}),
                dropped=frozenset({executed.text}),
            ),
        )


def _after_pip(argv: Sequence[str | None]) -> Sequence[str | None]:
    """Return the arguments of pip, also where it was started as a module of Python."""
    return argv[argv.index("pip") + 1 :] if "pip" in argv[1:3] else argv[1:]


def _pip_problem(executed: Executed, instruction: Instruction) -> str | None:
    """Return why it is not certain that pip leaves a cache, and where."""
    if executed.effects.unknown is not None:
        return f"`pip` is not followed: {executed.effects.unknown}"
    if tool_of(executed.name) is None:
        return "`pip` is started by another program"
    if executed.before.user != "root":
        return "where a user other than root has a cache, and whether pip uses it, is not known"
    for name in _PIP_PLACES:
        value = executed.environment.get(name) or executed.before.variable(name)
        if value is not None and not (name == "HOME" and value.text == "/root"):
            return f"where its cache lies is up to `{name}`"
    if instruction.flag("network") == "none":
        return "it has no network, so it fetches nothing"
    return None
