"""What a container of a stage starts: CMD, ENTRYPOINT and HEALTHCHECK, through shells and scripts down to the programs.

How ENTRYPOINT and CMD go together is in the reference of Dockerfiles ("Understand how CMD and ENTRYPOINT interact"): the exec form is
the argument vector itself, without a shell and without variables; the shell form is `SHELL` with the text as its last argument, and
an ENTRYPOINT in shell form ignores CMD. Scripts of the context are read, and nothing is run. What is not certain is named in
`Start.unknown`, and whoever needs the answer has to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dockopt.optimizer.bases import repository
from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import join
from dockopt.optimizer.shell import Command, Other, Word, parse_script
from dockopt.optimizer.symbolic.permissions import file_beneath_permissions
from dockopt.optimizer.symbolic.state import StageState
from dockopt.optimizer.syntax import Instruction
from dockopt.optimizer.wording import shortened

#: what puts settings of Maven into the home directory first, and takes `MAVEN_CONFIG` away
MAVEN_ENTRYPOINT = "/usr/local/bin/mvn-entrypoint.sh"
#: what imports certificates first where `USE_SYSTEM_CA_CERTS` is set
TEMURIN_ENTRYPOINT = "/__cacert_entrypoint.sh"
#: ENTRYPOINT of official images in all their tags (Docker Official Images library; distroless: its BUILD files), for those that
#: are known here; () is none
_ENTRYPOINTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        "scratch golang alpine debian ubuntu buildpack-deps busybox rust python ruby fedora rockylinux almalinux amazonlinux".split(),
        (),
    ),
    # README.md, "Entrypoints"; the tag `debug` has a shell (static/static.bzl)
    **{
        f"gcr.io/distroless/{name}{release}": ()
        for name in ("static", "base-nossl", "base", "cc")
        for release in ("", "-debian11", "-debian12", "-debian13")
    },
    # runs its arguments, with `node` in front where the first one is an option or no program (docker-library/node)
    "node": ("docker-entrypoint.sh",),
    # they run their arguments (carlossg/docker-maven, mvn-entrypoint.sh; adoptium/containers, entrypoint.sh, which tags before 2023 do
    # not have, and which `gradle` inherits)
    "maven": (MAVEN_ENTRYPOINT,),
    "eclipse-temurin": (TEMURIN_ENTRYPOINT,),
    "gradle": (TEMURIN_ENTRYPOINT,),
}
#: shells whose text is read (a path or a bare name)
_SHELL = re.compile(r"(?:/usr)?(?:/bin/)?(sh|bash|ash|dash)")
_SCRIPT_HEAD = re.compile(r"#!\s*(?:/usr)?/bin/(?:env\s+)?(sh|bash|ash|dash)((?:\s+-[eux]+)*)\s*\r?\n")
#: commands of the shell itself: they start no program (POSIX 2.14 and 2.9.1; busybox ash, dash and bash have these built in)
_BUILTINS = frozenset(
    ": [ break cd command continue echo exit export false hash local printf pwd read readonly return set shift test true type "
    "ulimit umask unset wait".split()
)
#: those after which what a script says means something else
_CHANGES_MEANING = frozenset(". alias enable eval shopt source trap unalias".split())
_DEPTH = 4
_DEFAULT_SHELL = ("/bin/sh", "-c")


class Program(NamedTuple):
    """One program that a container starts."""

    #: its arguments, the name first; None for one that is not known before the container runs
    argv: tuple[str | None, ...]
    #: absolute paths at which it may be found, in the order of the search; empty where that is not known
    places: tuple[str, ...]
    instruction: Instruction
    #: where it is named: a path in the context ("" is the Dockerfile) and a line
    file: str = ""
    line: int = 0
    #: it is named in a shell's text, and so may be started or not, and any number of times
    by_shell: bool = False
    #: directory in which it starts, None where that is not known
    cwd: str | None = None

    @property
    def path(self) -> str | None:
        """The one place where it can be, None where there are more or none."""
        return self.places[0] if len(self.places) == 1 else None


@dataclass(slots=True)
class Start:
    """All that a container starts, as far as it can be told."""

    #: instructions that say so; the ENTRYPOINT before the CMD
    instructions: tuple[Instruction, ...] = ()
    #: in the order in which they are named; shells that only interpret the text are not among them
    programs: list[Program] = field(default_factory=list)
    #: shells that have to be in the image (`/bin/sh`), in the order in which they are needed
    shells: list[str] = field(default_factory=list)
    #: scripts that were read: image path → context path
    scripts: dict[str, str] = field(default_factory=dict)
    #: why that is not all, or not certain
    unknown: Cause | None = None

    def unsure(self, reason: str, place: _Place) -> None:
        """Note the first thing that cannot be told."""
        if self.unknown is None:
            self.unknown = Cause(reason, place.file, place.line)


class _Place(NamedTuple):
    """Where words stand, and what holds there."""

    instruction: Instruction
    cwd: str | None
    file: str = ""
    line: int = 0
    #: how many shells have led here
    depth: int = 0


def started(build: Build, stage: int) -> Start:
    """Return what a container of a stage starts by ENTRYPOINT and CMD. Raises Unsupported."""
    start = Start()
    entrypoint, cmd, base = _effective(build, stage)
    start.instructions = tuple(found for found in (entrypoint, cmd) if found is not None)
    head = entrypoint or cmd or build.dockerfile.stages[stage].from_
    place = _Place(head, build.runs[stage].final.cwd, "", head.start_line)
    name, tag = repository(base)
    inherited = None if name.startswith("gcr.io/distroless/") and "debug" in tag else _ENTRYPOINTS.get(name)
    if not start.instructions:
        start.unsure(f"CMD and ENTRYPOINT are those of `{base}`", place)
        return start
    if entrypoint is None and inherited is None:
        start.unsure(f"the ENTRYPOINT of `{base}` is not known", place)
    reader = _Reader(build, stage, start)
    if entrypoint is not None and entrypoint.json is None:
        reader.shell_form(entrypoint, entrypoint.args)
        return start
    words: list[str | None] = []
    if entrypoint is not None:
        words += entrypoint.json or ()
    if cmd is not None:
        words += cmd.json if cmd.json is not None else (*(build.runs[stage].final.shell or _DEFAULT_SHELL), cmd.args)
    if entrypoint is None:
        for wrapper in inherited or ():
            # it runs what follows
            reader.vector([wrapper], place)
    reader.vector(words, place)
    return start


def health_checked(build: Build, stage: int) -> Start | None:
    """Return what the HEALTHCHECK of a stage starts, None where there is none in the Dockerfile. Raises Unsupported."""
    for index in build.lineage(stage):
        for instruction in reversed(build.dockerfile.stages[index].instructions):
            if instruction.keyword == "HEALTHCHECK":
                if instruction.words[:1] == ("NONE",):
                    return None
                start = Start((instruction,))
                reader = _Reader(build, stage, start)
                if instruction.json is not None:
                    place = _Place(instruction, build.runs[stage].final.cwd, "", instruction.start_line)
                    reader.vector(instruction.json, place)
                else:
                    reader.shell_form(instruction, " ".join(instruction.words[1:]))
                return start
    return None


def _effective(build: Build, stage: int) -> tuple[Instruction | None, Instruction | None, str]:
    """Return the ENTRYPOINT and CMD that hold, and the image that the stage is built on in the end.

    An ENTRYPOINT drops the CMD of the stages below its own (dockerfile2llb/convert.go, dispatchEntrypoint).
    """
    entrypoint: Instruction | None = None
    cmd: Instruction | None = None
    base = ""
    for index in build.lineage(stage):
        found = build.dockerfile.stages[index]
        base = found.base
        had_entrypoint = entrypoint is not None
        for instruction in reversed(found.instructions):
            if instruction.keyword == "CMD" and cmd is None and not had_entrypoint:
                cmd = instruction
            elif instruction.keyword == "ENTRYPOINT" and entrypoint is None:
                entrypoint = instruction
    return entrypoint, cmd, base


class _Reader:
    """Reads what one instruction starts, and notes it in a `Start`."""

    def __init__(self, build: Build, stage: int, start: Start) -> None:
        self._build, self._stage, self._start = build, stage, start
        self._state: StageState = build.runs[stage].final

    def shell_form(self, instruction: Instruction, text: str) -> None:
        """Take the shell form of an instruction."""
        words = [*(self._state.shell or _DEFAULT_SHELL), text]
        self.vector(words, _Place(instruction, self._state.cwd, "", instruction.start_line))

    def vector(self, words: Sequence[str | None], place: _Place) -> None:
        """Take an argument vector: a shell with its text, a script of the context, or a program."""
        name = words[0] if words else None
        if not name:
            self._start.unsure("the name of a program is not known before the container runs", place)
            return
        shell = _SHELL.fullmatch(name)
        if shell is not None:
            self._start.shells.append(name if "/" in name else f"/bin/{name}")
            self._shell(shell[1], words[1:], place)
            return
        places = self._places(name, place.cwd)
        script = self._script(places)
        if script is not None:
            self._run_script(*script, words[1:], place)
            return
        if not places:
            self._start.unsure(f"where `{shortened(name)}` lies is not known", place)
        self._start.programs.append(
            Program(tuple(words), places, place.instruction, place.file, place.line, bool(place.depth), place.cwd)
        )

    # -- shells ------------------------------------------------------------------------------------------------------

    def _shell(self, dialect: str, arguments: Sequence[str | None], place: _Place) -> None:
        """Take the arguments of a shell (POSIX, `sh`)."""
        rest = list(arguments)
        text_follows = False
        while rest and rest[0] is not None and re.fullmatch(r"-[a-z]+", rest[0]):
            option = str(rest.pop(0))
            text_follows |= "c" in option
            if set(option) - set("-ceux"):
                self._start.unsure(f"the option `{option}` of the shell is not followed", place)
                return
        if not rest or rest[0] is None:
            self._start.unsure("the text that a shell runs is not known", place)
        elif text_follows:
            # `sh -c text name arguments`
            self._text(rest[0], dialect, rest[2:], place)
        else:
            path = join(place.cwd, rest[0]) if place.cwd is not None else rest[0]
            script = self._script((path,)) if path.startswith("/") else None
            if script is None:
                self._start.unsure(
                    f"the script `{shortened(rest[0])}` does not surely come from the build context", place
                )
            else:
                self._run_script(*script, rest[1:], place)

    def _run_script(
        self, path: str, source: str, text: str, dialect: str, arguments: Sequence[str | None], place: _Place
    ) -> None:
        if place.depth >= _DEPTH:
            self._start.unsure("scripts start one another too deeply", place)
            return
        if path not in self._start.scripts:
            self._start.scripts[path] = source
        self._text(text, dialect, arguments, place._replace(file=source, line=1))

    def _text(self, text: str, dialect: str, arguments: Sequence[str | None], place: _Place) -> None:
        """Take a shell's text; every command that stands in it may be started."""
        script = parse_script(text, "bash" if dialect == "bash" else "sh")
        if script.opaque is not None and not script.steps:
            self._start.unsure(f"the shell text is not understood: {script.opaque}", place)
            return
        parameters: Sequence[str | None] | None = arguments
        for step in script.steps:
            for command in step.commands:
                here = place._replace(depth=place.depth + 1)
                if place.file:
                    here = here._replace(line=text.count("\n", 0, command.start) + 1)
                if command.name in _CHANGES_MEANING:
                    self._start.unsure(f"`{command.name}` is not followed", here)
                elif command.name == "cd":
                    place = place._replace(cwd=self._directory(command, place, plain=step.kind == "simple"))
                elif command.name == "shift" or (command.name == "set" and _sets_parameters(command)):
                    parameters = None
                elif command.words:
                    self._command(command, parameters, here)

    def _command(self, command: Command, parameters: Sequence[str | None] | None, place: _Place) -> None:
        """Take one simple command of a shell's text."""
        words: list[str | None] = []
        for word in command.words:
            if _is_all_parameters(word):
                if parameters is None:
                    self._start.unsure(f"`{word.raw}` is not known: the script changes it", place)
                    return
                words += parameters
            else:
                words.append(word.literal)
        while words and words[0] in ("exec", "command"):
            if words.pop(0) == "command" and words and words[0] in ("-v", "-V"):
                return
        if not words or words[0] in _BUILTINS:
            return
        self.vector(words, place)

    @staticmethod
    def _directory(command: Command, place: _Place, *, plain: bool) -> str | None:
        target = command.words[1].literal if len(command.words) == 2 else None
        if not plain or target is None or target.startswith("-"):
            return None
        if target.startswith("/"):
            return join("/", target)
        return None if place.cwd is None else join(place.cwd, target)

    # -- files -------------------------------------------------------------------------------------------------------

    def _places(self, name: str, cwd: str | None) -> tuple[str, ...]:
        """Return where a program may lie: relative to the working directory, or on PATH (execvp; runc looks it up in the image)."""
        if "/" in name:
            return (join(cwd or "/", name),) if name.startswith("/") or cwd is not None else ()
        path = self._state.variable("PATH")
        if path is None or path.text is None:
            return ()
        files = self._state.files
        found: list[str] = []
        for directory in path.text.split(":"):
            place = join(cwd or "/", f"{directory or '.'}/{name}")
            kind = files.kind(place)
            if kind == "file" or any(op.kind == "put" and op.region.include == (place,) for op in files.ops):
                # what the Dockerfile calls by this name is meant, whatever programs the base image has in other directories
                return (*(p for p in found if files.last_writer(p) is not None), place)
            if kind != "absent":
                found.append(place)
        return tuple(found)

    def _script(self, places: Sequence[str]) -> tuple[str, str, str, str] | None:
        """Return the image path, the context path, the text and the dialect of a script that surely comes from the context."""
        if len(places) != 1:
            return None
        source = file_beneath_permissions(self._state.files, places[0], self._build.executed)
        data = None if source is None else self._build.context.read(source)
        if source is None or data is None:
            return None
        text = data.decode("utf-8", "replace")
        head = _SCRIPT_HEAD.match(text)
        if head is None:
            return None
        self._start.shells.append(f"/bin/{head[1]}")
        return places[0], source, text, head[1]


def _is_all_parameters(word: Word) -> bool:
    """Tell whether a word is `"$@"`, all arguments of the script."""
    return (
        len(word.parts) == 1 and isinstance(part := word.parts[0], Other) and part.quoted and part.raw in ("$@", "${@}")
    )


def _sets_parameters(command: Command) -> bool:
    return any(
        word.literal is None or not word.literal.startswith(("-", "+")) or word.literal == "--"
        for word in command.words[1:]
    )
