"""The script of a RUN as units: parts that have one value each, usually simple commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dockopt.optimizer.commands import Invocation, effects_of
from dockopt.optimizer.effects import Effects, Kind, Write, together, unknown
from dockopt.optimizer.regions import Region, join
from dockopt.optimizer.symbolic.mounting import Mounted, view
from dockopt.optimizer.symbolic.state import StageState, Value, known
from dockopt.optimizer.symbolic.surroundings import ImageSurroundings, Shell
from dockopt.optimizer.symbolic.terms import Term, literal, term

if TYPE_CHECKING:
    from dockopt.optimizer.shell import Assignment, Command, Script, Step, Word
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.syntax import Instruction

#: a value that word splitting and globbing leave as it is, quoted or not
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9_./:@%+=,-]+")
_SHELLS = re.compile(r"(/usr)?(/bin/)?(sh|ash|dash|bash)")
_SHELL_OPTIONS = re.compile(r"-[eux]*[eux]|-[eux]*o|pipefail|errexit|nounset|xtrace")


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
    #: options of the shell that `set` has changed before it, and that may change what it does
    options: tuple[str, ...] = ()


@dataclass
class Running:
    """The state of a stage while the commands of a RUN change it."""

    state: StageState


def units_of(
    executor: Executor,
    running: Running,
    instruction: Instruction,
    shell: Shell,
    mounts: Sequence[Mounted],
    roots: tuple[str, ...],
    network: str,
) -> Iterator[Unit]:
    """Split a RUN into units. Shell state (`cd`, `export`) is followed; what is not understood makes one UNKNOWN unit.

    A unit is asked for when those before it have been applied to `running`: a model has to see the files that they left.
    """
    state = running.state
    text = instruction.args
    bodies = "".join(heredoc.body for heredoc in instruction.heredocs)

    def whole(reason: str) -> Iterator[Unit]:
        everything = f"{text}\n{bodies}" if bodies else text
        return iter((Unit(everything, 0, len(text), unknown(reason), frozenset(), state.cwd, state.cwd_term, {}),))

    if any(mounted.target is None for mounted in mounts):
        return whole("the target of a mount is not known before the build")

    def around(touched: Sequence[Region]) -> ImageSurroundings:
        files = view(executor, running.state, mounts, (), instruction.start_line)
        for where in touched:
            files = files.put(where, term("maybe changed"), instruction.start_line, "")
        return ImageSurroundings(executor, running.state, files, shell, roots, network != "none")

    if instruction.json is not None:
        argv = instruction.json
        effects = _known_effects(executor, Invocation(tuple(argv), tuple(argv), instruction.start_line), around(()))
        shown = term("exec", *argv).digest + " " + " ".join(argv)
        unit = Unit(shown, 0, len(text), effects, frozenset(), state.cwd, state.cwd_term, {}, argv[0], tuple(argv))
        return iter((unit,))
    dialect = dialect_of(state.shell)
    if dialect is None:
        return whole("its shell is not a plain sh or bash")
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
    errexit = any(re.fullmatch(r"-[ux]*e[eux]*o?|errexit", option) for option in state.shell[1:-1])
    builder = _UnitBuilder(executor, script, state, shell, around, located=not instruction.heredocs)
    return builder.build(errexit)


def _known_effects(executor: Executor, invocation: Invocation, around: ImageSurroundings) -> Effects:
    """Return what a model says of a command, or what the user declares where no model does."""
    effects = effects_of(invocation, around)
    if effects.unknown is None or executor.configuration is None:
        return effects
    return executor.configuration.effects(invocation, around) or effects


def dialect_of(shell: Sequence[str]) -> str | None:
    """Return "sh" or "bash" for the words of a SHELL instruction that start one with plain options, else None."""
    program, *options = shell or ("",)
    plain = options[-1:] == ["-c"] and all(_SHELL_OPTIONS.fullmatch(option) for option in options[:-1])
    if not plain or not _SHELLS.fullmatch(program):
        return None
    return "bash" if program.endswith("bash") else "sh"


class _UnitBuilder:
    def __init__(
        self,
        executor: Executor,
        script: Script,
        state: StageState,
        shell: Shell,
        around: Callable[[Sequence[Region]], ImageSurroundings],
        *,
        located: bool,
    ) -> None:
        self.executor = executor
        self.script, self.state, self.shell, self.located = script, state, shell, located
        self._around = around
        #: what other commands of the same unit may write at any time
        self._touched: Sequence[Region] = ()
        self.units: list[Unit] = []

    def build(self, errexit: bool) -> Iterator[Unit]:
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
            yield from self.units
            return
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
            yield from self._fresh()
        yield from self._fresh()

    def _fresh(self) -> list[Unit]:
        units, self.units = self.units, []
        return units

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
        unit = Unit(
            text,
            *span,
            effects,
            variables,
            self.shell.cwd,
            self.shell.cwd_term,
            dict(self.shell.local),
            options=self.shell.options,
        )
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
        effects = unknown(reason) if not plain or state_changing else self._joint(commands)
        self._add(steps[0].start, steps[-1].end, self._text(steps[0].start, steps[-1].end), effects, _variables(steps))

    def _joint(self, commands: Sequence[Command]) -> Effects:
        """Return the effects of commands of one unit; each may find what any other one has written."""
        parts = [self._effects(command) for command in commands]
        if len(commands) > 1 and all(part.unknown is None for part in parts):
            self._touched = [write.region for part in parts for write in part.writes]
            again = [self._effects(command) for command in commands]
            self._touched = ()
            if any(
                [w.region for w in a.writes] != [w.region for w in b.writes] for a, b in zip(parts, again, strict=True)
            ):
                return unknown("its commands write files that others of them look at")
            parts = again
        return together(parts)

    def _compound(self, step: Step) -> None:
        commands = step.pipeline if step.kind == "pipeline" and step.pipeline else step.commands
        if step.kind == "pipeline" and commands and not any(c.name in _STATEFUL or not c.words for c in step.commands):
            effects = self._joint(commands)
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
            if not arguments or not all(
                w.literal is not None and _SHELL_OPTIONS.fullmatch(w.literal) for w in arguments
            ):
                return False
            # `-x` only prints, and a chain ends at the first failure with or without `-e`
            self.shell.options += tuple(w.raw for w in arguments if not re.fullmatch(r"-[ex]+", w.raw))
            return True
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
        self.executor.proceed()
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
        invocation = Invocation(argv, tuple(w.raw for w in command.words))
        effects = _known_effects(self.executor, invocation, self._around(self._touched))
        self.shell.local = saved
        inner = [self._effects(c) for script in _inner_scripts(command.words) for s in script.steps for c in s.commands]
        if any(script.opaque for script in _inner_scripts(command.words)):
            return unknown("a substitution that is not understood")
        if effects.unknown is None and inner:
            effects = together([effects, *inner], keep_first=True)
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
