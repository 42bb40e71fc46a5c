"""Puts together the proposal that gives a program a stage of its own: the same for whatever language it is written in."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from dockopt.optimizer.entrypoint import Start
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Edit, Proposal, Refusal, RuntimeStage, WantedDifference
from dockopt.optimizer.regions import below, join
from dockopt.optimizer.runtime_bases import runtime_base
from dockopt.optimizer.runtime_files import Named, RuntimeFiles, Sources, runtime_files
from dockopt.optimizer.symbolic.filesystem import FileSystem
from dockopt.optimizer.syntax import Stage
from dockopt.rewrites.runtime_choice import Choice
from dockopt.rewrites.stage_accounts import Accounts, accounts_of
from dockopt.rewrites.stage_commands import made_directories
from dockopt.rewrites.stage_cut import TOOLCHAIN, Cut, cut_stage
from dockopt.rewrites.stage_owners import directory_of_a_user

ID = "multi-stage"
_REMEDY = "build it in with `{embedding}`, name it in the sources, or keep it out by the ignore file"


class Language(NamedTuple):
    """How what is proposed speaks of a language."""

    sources: Sources
    #: the image where all that is copied is known: the end of the stage, or before a build of which less is known
    files: FileSystem
    #: what builds a file into a program
    embedding: str
    #: what an image with a shell lacks all the same
    lacking: str
    #: what else has to be said
    notes: tuple[str, ...]
    #: the program is an argument of what is started (`java -jar`), and is not looked up on PATH
    is_argument: bool = False


class _Moved(NamedTuple):
    """The program in the old image and in the new one."""

    old: str
    new: str


def start_problem(stage: Stage, start: Start) -> tuple[str, str, int] | None:
    """Return why what is started may need more than a program and a shell, with the place of the cause."""
    line = start.instructions[0].start_line if start.instructions else stage.from_.start_line
    if start.unknown is not None:
        return start.unknown.reason, start.unknown.path, start.unknown.line
    if start.scripts:
        path, source = next(iter(start.scripts.items()))
        return f"`{path}` starts it, a script that may need programs of the base image", source, 1
    if any(shell not in ("/bin/sh", "/bin/ash") for shell in start.shells):
        return f"it is started by `{start.shells[0]}`, which no small image has", "", line
    return None


def split(
    build: Build,
    stage: Stage,
    path: str,
    start: Start,
    health: Start | None,
    choice: Choice,
    kept: frozenset[str],
    language: Language,
) -> Iterator[Proposal | Refusal | Advice]:
    """Give the program at a path of a stage one of its own; `kept` are variables of a toolchain that go along. Raises Unsupported."""
    line = stage.from_.start_line
    owned = directory_of_a_user(build, stage)
    if owned is not None:
        yield Refusal(ID, line, *owned)
        return
    final = build.runs[-1].final
    cut = cut_stage(build, stage, kept)
    if isinstance(cut, Refusal):
        yield replace(cut, rewrite=ID)
        return
    read = runtime_files(
        language.sources, language.files, final.cwd or "/", words_of(build, path, start, health, kept), build.context
    )
    if read.questions:
        for question in read.questions:
            message = f"can it run in a stage of its own? {question.message}"
            remedy = _REMEDY.format(embedding=language.embedding)
            yield Advice(ID, line, message, "note", remedy, question.file, question.line)
        count = len(read.questions)
        what = "a question" if count == 1 else f"{count} questions"
        yield Refusal(
            ID, line, f"it runs in the image that it is built in, and {what} about that only the author can answer"
        )
        return
    yield _proposal(build, stage, path, start, choice, cut, read, language)


def words_of(build: Build, path: str, start: Start, health: Start | None, kept: frozenset[str]) -> Iterator[Named]:
    """Yield variables and arguments in which the program may be told a path other than its own."""
    final = build.runs[-1].final
    line = build.dockerfile.stages[-1].from_.start_line
    for name, value in final.env.items():
        if value.text and name != "PATH" and name not in TOOLCHAIN - kept:
            yield Named(value.text, "", line)
    for begun in (start, health):
        for program in () if begun is None else begun.programs:
            for word in program.argv[1:]:
                if word and join(program.cwd or "/", word) != path:
                    yield Named(word, program.file, program.line)


def _proposal(
    build: Build,
    stage: Stage,
    path: str,
    start: Start,
    choice: Choice,
    cut: Cut,
    read: RuntimeFiles,
    language: Language,
) -> Proposal:
    named = [p.argv[0] or "" for p in start.programs]
    program = _Moved(path, path)
    if not language.is_argument and not any("/" in name for name in named):
        # it is looked up on PATH, and that of the new image does not hold the directories of the toolchain
        program = _Moved(path, f"/usr/local/bin/{posixpath.basename(path)}")
    directories = [
        d
        for d in made_directories(build, stage)
        if not any(below(d, p) or below(p, d) for p in (program.old, *read.paths))
    ]
    accounts = accounts_of(build, stage)
    owners = dict(accounts.homes)
    taken = [*accounts.copies, *owners, *sorted((*read.paths, *directories)), *choice.also]
    copies = [(program.old, program.new), *((path, path) for path in taken)]
    edits = [*cut.edits(choice.image, copies, owners)]
    replacing: tuple[Edit, ...] = ()
    if choice.without_c is not None:
        replacing = (choice.without_c,)
        edits.append(choice.without_c)
    kept = tuple(path for path in (*(() if program.old != program.new else (program.old,)), *taken))
    moved = ((program.old, program.new),) if program.old != program.new else ()
    return Proposal(
        ID,
        stage.from_.start_line,
        f"the image of `{path}` is the one that it is built in, with toolchain, sources and caches",
        tuple(edits),
        gain=_gain(choice),
        declared=WantedDifference(
            settings=frozenset(f"env {name}" for name in cut.dropped), runtime_stage=RuntimeStage(kept, moved)
        ),
        replacing=replacing,
        risk=_risk(choice, cut, language),
        notes=(*_notes(choice, read, directories, accounts), *language.notes),
    )


def _gain(choice: Choice) -> str:
    facts = runtime_base(choice.image)
    size = "" if facts is None or facts.megabytes is None else f" of about {facts.megabytes:g} MB and the program"
    return f"an image{size}, without compiler and sources: as a rule several hundred megabytes less (estimate)"


def _risk(choice: Choice, cut: Cut, language: Language) -> str:
    parts = []
    if not choice.shell:
        parts.append(
            "no shell and no package manager: `docker exec … sh` finds nothing, the tag `debug` of the base has a shell"
        )
    else:
        parts.append(language.lacking)
    parts.append(f"`--target {cut.name}` builds the image with the toolchain")
    return "; ".join(parts)


def _notes(choice: Choice, read: RuntimeFiles, directories: list[str], accounts: Accounts) -> Iterator[str]:
    yield from read.told()
    for path in directories:
        yield f"`{path}` is taken along: a command makes it"
    if accounts.names:
        yield "the accounts are those of the stage that builds: number and groups of the user stay the same"
    for path in choice.also:
        yield f"`{path}` is taken along: Alpine has no time zones, and the program looks there too"
    if choice.why:
        yield choice.why
