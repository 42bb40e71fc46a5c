"""RUN: the simple commands of a script, one after the other, each with its own value.

Values belong to commands, not to RUN lines: `RUN a && b` and `RUN a`, `RUN b` leave the same state, because a failing `a` ends
the build in both. Where a failure would not end it (`;`, `||`, `&`), or the shell text is not understood, the script is one unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.commands import Invocation, Surroundings, effects_of
from dockopt.optimizer.effects import ALWAYS_READ, Effects, Kind, World, Write, matches, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join
from dockopt.optimizer.symbolic.filesystem import ContextSource, FileSystem
from dockopt.optimizer.symbolic.state import StageState, Value, known
from dockopt.optimizer.symbolic.terms import Term, literal, term

if TYPE_CHECKING:
    from dockopt.optimizer.shell import Assignment, Command, Script, Step, Word
    from dockopt.optimizer.symbolic.execute import Executor, StageRun
    from dockopt.optimizer.syntax import Instruction, Mount

CACHE_OPAQUE = (
    "cache-opaque: commands that are not understood use the caches of their tools through these tools only; neither they nor scripts "
    "that they start name the directories"
)
#: a value that word splitting and globbing leave as it is, quoted or not
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9_./:@%+=,-]+")
_SHELLS = re.compile(r"(/usr)?(/bin/)?(sh|ash|dash|bash)")
_SHELL_OPTIONS = re.compile(r"-[eux]*[eux]|-[eux]*o|pipefail|errexit|nounset|xtrace")
_SET_OPTIONS = _SHELL_OPTIONS


class Executed(NamedTuple):
    """One command that ran: where it stands, what it does and what it got."""

    stage: int
    instruction: Instruction
    line: int
    text: str
    #: character range in the logical line of the instruction, (0, 0) where it cannot be told
    start: int
    end: int
    effects: Effects
    value: Term
    #: what the cache key of its instruction depends on, beside the base
    inputs: frozenset[str]
    #: everything that it read, for explanations
    region: Region
    #: the state before it
    before: StageState
    #: the first word, "" when there is no simple command
    name: str = ""
    #: working directory of the command itself (after `cd`)
    cwd: str | None = None
    #: all arguments of a simple command, None for one that is not known before the build
    argv: tuple[str | None, ...] = ()
    #: what it sees of the variables that instructions, exports and assignments set
    environment: Mapping[str, Value] = {}
    #: directories that the Dockerfile fills from the context in this stage and its parents
    roots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a script that has one value: usually one simple command."""

    text: str
    start: int
    end: int
    effects: Effects
    variables: frozenset[str]
    cwd: str | None
    cwd_term: Term
    local: Mapping[str, Value]
    name: str = ""
    argv: tuple[str | None, ...] = ()
    #: assignments before the command itself (`CGO_ENABLED=0 go build`)
    assigned: Mapping[str, Value] = field(default_factory=dict)


class _Surroundings:
    """What a command model may ask (see `dockopt.optimizer.commands.registry.Surroundings`)."""

    def __init__(
        self,
        executor: Executor,
        state: StageState,
        files: FileSystem,
        unit: _Shell,
        roots: tuple[str, ...],
        online: bool,
    ) -> None:
        self._executor, self._state, self._files, self._shell = executor, state, files, unit
        self.project_roots = roots
        self.online = online

    @property
    def cwd(self) -> str | None:
        return self._shell.cwd

    @property
    def user(self) -> str | None:
        return self._state.user

    def variable(self, name: str) -> tuple[bool, str | None]:
        value = self._shell.local.get(name) or self._state.variable(name)
        return (True, None) if value is None else (value.text is not None, value.text)

    def context_path(self, path: str) -> str | None:
        found = self._files.context_file(path)
        return None if found is None else found[0]

    def kind(self, path: str) -> str:
        return self._files.kind(path)

    def read_context(self, path: str) -> bytes | None:
        found = self._files.context_file(path)
        return None if found is None else self._executor.files.read(found[0])


@dataclass
class _Shell:
    """Shell state between the commands of one RUN."""

    cwd: str | None
    cwd_term: Term
    local: dict[str, Value]


def surroundings_of(command: Executed, executor: Executor) -> Surroundings:
    """Return what a model could ask where a command ran; its mounts are left out."""
    shell = _Shell(command.cwd, command.before.cwd_term, dict(command.environment))
    online = command.instruction.flag("network") != "none"
    return _Surroundings(executor, command.before, command.before.files, shell, command.roots, online)


def run_instruction(
    executor: Executor, state: StageState, instruction: Instruction, run: StageRun | None
) -> StageState:
    """Return the state after a RUN and record its commands."""
    mounts = _mounts(executor, state, instruction)
    network = instruction.flag("network") or "default"
    settings = [f"{flag.name}={flag.value}" for flag in instruction.flags if flag.name not in ("mount", "network")]
    roots = run.roots if run is not None else ()
    shell = _Shell(state.cwd, state.cwd_term, {})
    for unit in _units(executor, state, instruction, shell, mounts, roots, network):
        state = _apply(executor, state, unit, instruction, mounts, (network, *settings), roots)
    return state


# -- mounts ----------------------------------------------------------------------------------------------------------


class _Mounted(NamedTuple):
    mount: Mount
    target: str | None
    value: Term


def _mounts(executor: Executor, state: StageState, instruction: Instruction) -> list[_Mounted]:
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
            _Mounted(mount, path, term("mount", *sorted(f"{k}={v}" for k, v in mount.options.items()), mount.raw))
        )
    return mounted


def _view(
    executor: Executor, state: StageState, mounts: Sequence[_Mounted], own: tuple[str, ...], line: int
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
                    files = files.put(where, term("context-entry", source), line, f"bind mount of {source}")
                continue
            stage = next(
                (
                    run
                    for run in reversed(executor.stages)
                    if run.stage.name == mount.from_.lower() and run.stage.index < _stage_index(executor)
                ),
                None,
            )
            value = term("image-tree", mount.from_) if stage is None else stage.final.files.resolve("/" + source)
            files = files.put(where, term("bind", value), line, f"bind mount from {mount.from_}")
            continue
        files = files.put(where, mounted.value, line, f"{mount.type} mount")
    return files


def _stage_index(executor: Executor) -> int:
    """Return the index of the stage that is being run."""
    return len(executor.stages) - 1


# -- units -----------------------------------------------------------------------------------------------------------


def _units(
    executor: Executor,
    state: StageState,
    instruction: Instruction,
    shell: _Shell,
    mounts: Sequence[_Mounted],
    roots: tuple[str, ...],
    network: str,
) -> list[Unit]:
    """Split a RUN into units. Shell state (`cd`, `export`) is followed; what is not understood makes one UNKNOWN unit."""
    text = instruction.args
    bodies = "".join(heredoc.body for heredoc in instruction.heredocs)

    def whole(reason: str) -> list[Unit]:
        return [
            Unit(
                f"{text}\n{bodies}" if bodies else text,
                0,
                len(text),
                unknown(reason),
                frozenset(),
                state.cwd,
                state.cwd_term,
                {},
            )
        ]

    if any(mounted.target is None for mounted in mounts):
        return whole("the target of a mount is not known before the build")

    def view(own: tuple[str, ...]) -> FileSystem:
        return _view(executor, state, mounts, own, instruction.start_line)

    def around() -> _Surroundings:
        return _Surroundings(executor, state, view(()), shell, roots, network != "none")

    if instruction.json is not None:
        argv = instruction.json
        effects = effects_of(Invocation(tuple(argv), tuple(argv), instruction.start_line), around())
        return [
            Unit(
                term("exec", *argv).digest + " " + " ".join(argv),
                0,
                len(text),
                effects,
                frozenset(),
                state.cwd,
                state.cwd_term,
                {},
                argv[0],
                tuple(argv),
            )
        ]
    program, *options = state.shell or ("",)
    if (
        not _SHELLS.fullmatch(program)
        or options[-1:] != ["-c"]
        or not all(_SHELL_OPTIONS.fullmatch(o) for o in options[:-1])
    ):
        return whole("its shell is not a plain sh or bash")
    dialect = "bash" if program.endswith("bash") else "sh"
    if instruction.heredocs:
        simple = len(instruction.heredocs) == 1 and text.strip() == instruction.heredocs[0].word
        if not simple or bodies.startswith("#!"):
            return whole("a here-document feeds a program")
        text = bodies
    from dockopt.optimizer.shell import parse_script

    script = parse_script(text, dialect)
    if script.opaque is not None:
        return whole(script.opaque)
    if any(step.background for step in script.steps):
        return whole("a command that runs in the background")
    errexit = any(re.fullmatch(r"-[ux]*e[eux]*o?|errexit", option) for option in options[:-1])
    builder = _UnitBuilder(script, state, shell, around, located=not instruction.heredocs)
    return builder.build(errexit)


class _UnitBuilder:
    def __init__(
        self, script: Script, state: StageState, shell: _Shell, around: Callable[[], _Surroundings], *, located: bool
    ) -> None:
        self.script, self.state, self.shell, self.located = script, state, shell, located
        self.around = around
        self.units: list[Unit] = []

    def build(self, errexit: bool) -> list[Unit]:
        steps = self.script.steps
        joined = {step.connector for step in steps[1:]}
        # a script of its own lines ends at the first failure only if each of its steps would end it
        ends = not joined - {"&&"} or (
            joined <= {"&&", ";", "\n"}
            and all(
                s.checked or (s.command is not None and s.command.name == "set") or (errexit and not joined & {"&&"})
                for s in steps[:-1]
            )
        )
        if not ends:
            self._whole(steps, "the script goes on after a command that fails")
            return self.units
        for i, step in enumerate(steps):
            if step.kind == "simple" and step.command is not None:
                if not self._simple(step.command):
                    self._rest(i, "shell state that is not followed")
                    break
            elif step.kind in ("pipeline", "subshell", "test"):
                self._compound(step)
            else:
                self._rest(i, f"a shell `{step.kind}`")
                break
        return self.units

    def _text(self, start: int, end: int) -> str:
        return self.script.text[start:end]

    def _add(
        self,
        start: int,
        end: int,
        text: str,
        effects: Effects,
        variables: frozenset[str],
        command: Command | None = None,
    ) -> None:
        span = (start, end) if self.located else (0, 0)
        unit = Unit(text, *span, effects, variables, self.shell.cwd, self.shell.cwd_term, dict(self.shell.local))
        if command is not None:
            argv = tuple(self._argument(word) for word in command.words)
            assigned = {a.name: self._word_value(a.value) for a in command.assignments}
            unit = replace(unit, name=command.name or "", argv=argv, assigned=assigned)
        self.units.append(unit)

    def _rest(self, first: int, reason: str) -> None:
        steps = self.script.steps[first:]
        self._add(
            steps[0].start, steps[-1].end, self._text(steps[0].start, steps[-1].end), unknown(reason), _variables(steps)
        )

    def _whole(self, steps: Sequence[Step], reason: str) -> None:
        """One unit for a script in which a failure does not end the build; its effects are those of its parts together."""
        commands = [c for s in steps for c in s.commands]
        plain = all(s.kind in ("simple", "pipeline") for s in steps)
        state_changing = any(c.name in _STATEFUL or not c.words for c in commands)
        effects = unknown(reason) if not plain or state_changing else _together([self._effects(c) for c in commands])
        self._add(steps[0].start, steps[-1].end, self._text(steps[0].start, steps[-1].end), effects, _variables(steps))

    def _compound(self, step: Step) -> None:
        commands = step.pipeline if step.kind == "pipeline" and step.pipeline else step.commands
        if step.kind == "pipeline" and commands and not any(c.name in _STATEFUL or not c.words for c in step.commands):
            effects = _together([self._effects(c) for c in commands])
        else:
            effects = unknown(f"a shell `{step.kind}`")
        self._add(step.start, step.end, self._text(step.start, step.end), effects, _variables([step]))

    def _simple(self, command: Command) -> bool:
        """Add the unit of one simple command, or follow its change of the shell's state. False: not understood."""
        if not command.words:
            return self._assign(command.assignments)
        if command.name in _STATEFUL:
            return self._stateful(command)
        text = " ".join(_ordered_raw(command))
        self._add(command.start, command.end, text, self._effects(command), _command_variables(command), command)
        return True

    def _assign(self, assignments: Sequence[Assignment]) -> bool:
        for assignment in assignments:
            if assignment.append or _inner_scripts([assignment.value]):
                return False
            self.shell.local[assignment.name] = self._word_value(assignment.value)
        return True

    def _word_value(self, word: Word) -> Value:
        text = self._argument(word)
        if text is not None:
            return known(text)
        parts: list[str | Term] = [word.raw]
        for name in sorted(word.variables):
            value = self.shell.local.get(name) or self.state.variable(name)
            parts += [name, term("unset") if value is None else value.term]
        return Value(term("shell-word", *parts))

    def _stateful(self, command: Command) -> bool:
        if command.redirects or command.assignments or _inner_scripts(command.words):
            return False
        arguments = command.words[1:]
        if command.name == "cd":
            if len(arguments) != 1:
                return False
            target = self._argument(arguments[0])
            if target is None or target == "-" or (self.shell.cwd is None and not target.startswith("/")):
                self.shell.cwd, self.shell.cwd_term = (
                    None,
                    term("cd", self.shell.cwd_term, self._word_value(arguments[0]).term),
                )
                return True
            self.shell.cwd = join(self.shell.cwd or "/", target)
            self.shell.cwd_term = literal(self.shell.cwd)
            return True
        if command.name == "export":
            for word in arguments:
                name, equals, _ = word.raw.partition("=")
                if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name):
                    return False
                text = self._argument(word)
                value = known(text.partition("=")[2]) if text is not None else self._word_value(word)
                self.shell.local[name] = value
            return True
        if command.name == "set":
            return all(
                word.literal is not None and _SET_OPTIONS.fullmatch(word.literal) for word in arguments
            ) and bool(arguments)
        return False

    # -- one command -------------------------------------------------------------------------------------------------

    def _argument(self, word: Word) -> str | None:
        """Return the text of a word if the shell makes exactly one known argument of it."""
        if word.literal is not None:
            return word.literal
        from dockopt.optimizer.shell import Lit, Var

        text = ""
        for part in word.parts:
            if isinstance(part, Lit):
                text += part.text
            elif isinstance(part, Var):
                value = self.shell.local.get(part.name) or self.state.variable(part.name)
                if value is None or value.text is None or not _PLAIN_VALUE.fullmatch(value.text):
                    return None
                text += value.text
            else:
                return None
        return text

    def _effects(self, command: Command) -> Effects:
        if not command.words:
            return unknown("an assignment in the middle of a script")
        argv = tuple(self._argument(word) for word in command.words)
        if argv[0] is None:
            return unknown("the program's name is not known before the build")
        saved = dict(self.shell.local)
        for assignment in command.assignments:
            if assignment.append or _inner_scripts([assignment.value]):
                return unknown("an assignment that runs a command")
            self.shell.local[assignment.name] = self._word_value(assignment.value)
        effects = effects_of(Invocation(argv, tuple(w.raw for w in command.words)), self.around())
        self.shell.local = saved
        inner = [self._effects(c) for script in _inner_scripts(command.words) for s in script.steps for c in s.commands]
        if any(script.opaque for script in _inner_scripts(command.words)):
            return unknown("a substitution that is not understood")
        if effects.unknown is None and inner:
            effects = _together([effects, *inner], keep_first=True)
        return self._redirected(effects, command)

    def _redirected(self, effects: Effects, command: Command) -> Effects:
        writes, extra = list(effects.writes), []
        for redirect in command.redirects:
            if redirect.duplicates or redirect.op.startswith("<<"):
                continue
            target = self._argument(redirect.target)
            if target is None or (self.shell.cwd is None and not target.startswith("/")):
                return unknown("a redirection to a place that is not known before the build")
            if target.startswith("/dev/") or target.isdigit() or target == "-":
                continue
            path = join(self.shell.cwd or "/", target)
            if "<" in redirect.op:
                extra.append(path)
            else:
                writes.append(Write(Kind.MAY if ">>" in redirect.op else Kind.SET, Region((path,))))
        return replace(effects, writes=tuple(writes), probes=(*effects.probes, *extra))


#: builtins that change the state which the commands after them see; all but a few end the analysis of a script
_STATEFUL = frozenset(
    "alias cd declare export getopts hash let local mapfile popd pushd read readarray readonly set shift shopt "
    "typeset ulimit umask unset wait".split()
)


def _ordered_raw(command: Command) -> list[str]:
    """Return assignments, words and redirections in the order of the text; white space between them has no meaning."""
    pieces = [(a.start, f"{a.name}{'+' if a.append else ''}={a.value.raw}") for a in command.assignments]
    pieces += [(w.start, w.raw) for w in command.words]
    for r in command.redirects:
        pieces.append(
            (
                r.start,
                f"{'' if r.fd is None else r.fd}{r.op}{r.target.raw}" + ("" if r.body is None else f"\n{r.body.raw}"),
            )
        )
    return [text for _, text in sorted(pieces)]


def _inner_scripts(words: Sequence[Word]) -> list[Script]:
    from dockopt.optimizer.shell import Other, Subst

    found: list[Script] = []
    for word in words:
        for part in word.parts:
            if isinstance(part, Subst):
                found.append(part.script)
            elif isinstance(part, Other):
                found += part.scripts
    return found


def _command_variables(command: Command) -> frozenset[str]:
    names: set[str] = set()
    for word in (
        *command.words,
        *(a.value for a in command.assignments),
        *(r.target for r in command.redirects),
        *(r.body for r in command.redirects if r.body is not None),
    ):
        names |= word.variables
        for script in _inner_scripts([word]):
            names |= _variables(script.steps)
    return frozenset(names)


def _variables(steps: Sequence[Step]) -> frozenset[str]:
    return frozenset(name for step in steps for command in step.commands for name in _command_variables(command))


def _together(parts: Sequence[Effects], *, keep_first: bool = False) -> Effects:
    """Return effects of commands that run in one unit, in an order and number that is not followed."""
    for part in parts:
        if part.unknown is not None:
            return part
    if not parts:
        return unknown("nothing is known of it")
    variables: tuple[str, ...] | None = ()
    for part in parts:
        variables = None if variables is None or part.variables is None else (*variables, *part.variables)
    includes = {path for part in parts for path in part.reads.include}
    # what one part leaves out is read if another part reads it
    holes = [h for part in parts for h in part.reads.exclude if all(not p.reads.overlaps(Region((h,))) for p in parts)]
    writes = [
        write
        if keep_first and i == 0
        else write._replace(kind=Kind.MAY if write.kind is not Kind.DIRECTORY else write.kind)
        for i, part in enumerate(parts)
        for write in part.writes
    ]
    caches = (
        {c for c in parts[0].caches if keep_first} if keep_first else set.intersection(*(set(p.caches) for p in parts))
    )
    if not keep_first:
        writes += [Write(Kind.MAY, Region((c,))) for part in parts for c in part.caches if c not in caches]
    return Effects(
        reads=Region(tuple(sorted(includes)), tuple(sorted(set(holes)))),
        probes=tuple(path for part in parts for path in part.probes),
        variables=variables,
        writes=tuple(writes),
        caches=tuple(sorted(caches)),
        world=World(max(part.world for part in parts)),
        relied_on=tuple(path for part in parts for path in part.relied_on),
        assumptions=tuple(dict.fromkeys(a for part in parts for a in part.assumptions)),
        cache_names=parts[0].cache_names if keep_first else {},
    )


# -- the step --------------------------------------------------------------------------------------------------------


#: words by which a script gets at the caches of its tools
_NAMES_CACHES = re.compile(r"GOMODCACHE|GOCACHE|GOPATH|go clean|pkg/mod|\.cache")


def _without_caches(executor: Executor, state: StageState, unit: Unit, roots: tuple[str, ...]) -> Effects:
    """Return the effects of a command that is not understood under the assumption `cache-opaque`."""
    from dockopt.optimizer.ecosystems.installs import caches

    shell = _Shell(unit.cwd, unit.cwd_term, dict(unit.local))
    hidden = caches(_Surroundings(executor, state, state.files, shell, roots, True))
    if not hidden or _NAMES_CACHES.search(unit.text) or any(path in unit.text for path in hidden):
        return unit.effects
    everything_else = EVERYTHING.minus(*hidden)
    return replace(
        unit.effects,
        reads=everything_else,
        writes=(Write(Kind.MAY, everything_else),),
        caches=hidden,
        assumptions=(*unit.effects.assumptions, CACHE_OPAQUE),
    )


def _apply(
    executor: Executor,
    state: StageState,
    unit: Unit,
    instruction: Instruction,
    mounts: Sequence[_Mounted],
    settings: Sequence[str],
    roots: tuple[str, ...],
) -> StageState:
    """Give one unit its value and write what it writes."""
    effects, line = unit.effects, _line_of(instruction, unit.start)
    if effects.unknown is not None and executor.opaque_caches:
        effects = _without_caches(executor, state, unit, roots)
    files = _view(executor, state, mounts, effects.caches, line)
    environment = {**state.environment(), **unit.local}
    if effects.variables is not None:
        wanted = (*ALWAYS_READ, *effects.variables, *unit.variables)
        environment = {name: value for name, value in environment.items() if matches(name, wanted)}
    region = effects.reads.minus(*effects.caches) if effects.caches else effects.reads
    parts: list[str | Term] = [
        unit.text,
        *state.shell,
        *settings,
        unit.cwd_term,
        state.user_term,
        state.base,
        effects.world.name,
    ]
    parts += [
        m.value
        for m in mounts
        if not (m.mount.type == "cache" and any(below(m.target or "", c) for c in effects.caches))
    ]
    for name in sorted(environment):
        parts += [name, environment[name].term]
    parts.append(files.read(region))
    for probe in sorted(set(effects.probes)):
        parts += [probe, files.resolve(probe)]
    value = term("run", *parts, text=f"`{_short(unit.text)}` (line {line})")
    executor.executed.append(
        Executed(
            instruction.stage,
            instruction,
            line,
            unit.text,
            unit.start,
            unit.end,
            effects,
            value,
            state.inputs,
            region,
            state,
            unit.name,
            unit.cwd,
            unit.argv,
            {**state.environment(), **unit.local, **unit.assigned},
            roots,
        )
    )
    targets = [m.target for m in mounts if m.target is not None]
    result = state.files
    label = f"line {line} `{_short(unit.text)}`"
    for write in effects.writes:
        inside = [target for target in targets if any(below(target, path) for path in write.region.include)]
        where = write.region.minus(*inside) if inside else write.region
        if all(any(below(path, t) for t in targets) for path in where.include):
            continue  # below a mount: gone after the RUN
        if write.kind is Kind.DIRECTORY:
            attributes = term("directory", write.mode or "0755", state.user_term)
            for path in where.include:
                result = result.make_directories(path, attributes, line)
        elif write.kind is Kind.KILL:
            result = result.kill(where, line, label)
        elif write.kind is Kind.SET:
            for path in where.include:
                made = term("directory", value)
                result = result.make_directories(path, made, line, leaf=False)
                output = term("output", value, path, text=f"{path} of {value}")
                result = result.put(Region((path,)), output, line, label, is_file=True)
        else:
            old = result.read(where)
            result = result.put(
                where, term("changed", value, str(where), old, text=f"{where} after {value}"), line, label
            )
    for cache in effects.caches:
        if any(below(cache, t) for t in targets):
            continue
        where = Region((cache,))
        result = result.put(
            where, term("cache", value, cache, result.read(where), text=f"{cache} after {value}"), line, label
        )
    return replace(state, files=result)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def _line_of(instruction: Instruction, start: int) -> int:
    """Return the source line of a place in the RUN text."""
    if not start:
        return instruction.start_line
    offset = instruction.offset_of(instruction.args_start + start)
    return instruction.start_line + instruction.raw[: offset - instruction.span.start].count(b"\n")


__all__ = ["CACHE_OPAQUE", "Executed", "run_instruction", "surroundings_of"]
