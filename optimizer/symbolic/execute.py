"""Run a Dockerfile symbolically: one state per stage, one record per command, no guess anywhere.

Rules follow BuildKit's dockerfile2llb (reference §1.8, §1.10, §1.11). What cannot be followed raises `Unsupported`; the file is
then left alone with that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from dockopt.optimizer.bases import BaseFacts, facts_of, familiar, repository
from dockopt.optimizer.cancellation import Proceed, go_on
from dockopt.optimizer.regions import Region, join
from dockopt.optimizer.symbolic.filesystem import ContextSource, FileSystem
from dockopt.optimizer.symbolic.memory import Heard, Memo, Record, Seen, Step
from dockopt.optimizer.symbolic.project_roots import is_project_root
from dockopt.optimizer.symbolic.state import Config, StageState, Value, known
from dockopt.optimizer.symbolic.terms import Term, literal, term
from dockopt.optimizer.syntax import Dockerfile, ExpansionError, Instruction, Stage, expand, variables

if TYPE_CHECKING:
    from dockopt.optimizer.commands import Invocation, Surroundings
    from dockopt.optimizer.effects import Effects
    from dockopt.optimizer.symbolic.residue import Residue
    from dockopt.optimizer.symbolic.run import Executed

#: reference §1.8 (dockerfile2llb/platform.go)
PLATFORM_ARGS = frozenset(
    "BUILDPLATFORM BUILDOS BUILDOSVERSION BUILDARCH BUILDVARIANT TARGETPLATFORM TARGETOS TARGETOSVERSION TARGETARCH "
    "TARGETVARIANT TARGETSTAGE".split()
)
#: instructions that decide which directories a stage fills from the context
_FILLING = frozenset({"WORKDIR", "ENV", "ARG", "COPY", "ADD"})


class Unsupported(Exception):
    """The Dockerfile does something that the symbolic image does not model; it is left alone."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class BuildFiles(Protocol):
    """The build context as the executor sees it (see `dockopt.optimizer.model.FrozenContext`)."""

    def kind(self, rel: str) -> str:
        """Return "file", "directory", "absent" or "other"."""

    def read(self, rel: str) -> bytes | None:
        """Return a file's bytes, None if it cannot be read."""

    def glob(self, pattern: str) -> tuple[str, ...] | None:
        """Return what a source with wildcards selects, None where that cannot be told."""

    def is_there(self, rel: str) -> bool:
        """Tell whether there is something today; not part of any proof."""

    def excluded(self, rel: str) -> bool:
        """Tell whether the ignore rules keep a path and all that may lie below it out of every build."""

    def aside(self) -> BuildFiles:
        """Return the same files for questions on which no proof depends."""

    def listen(self) -> None:
        """Take down the questions from now on."""

    def heard(self) -> Heard:
        """Return the questions since `listen` and their answers, in order, and take down no more."""

    def confirms(self, asked: Heard) -> bool:
        """Ask again, in order and up to the first other answer; tell whether all are the same."""

    @property
    def ignore_file(self) -> tuple[str, bytes] | None:
        """The ignore file that counts: its path in the context, and its bytes."""

    @property
    def newly_ignored(self) -> tuple[str, ...]:
        """Paths that the ignore file in hand keeps out and the one that it is compared with does not."""


class Declarations(Protocol):
    """What a user has declared of commands (see `dockopt.optimizer.configuration.Configuration`)."""

    def effects(self, invocation: Invocation, around: Surroundings) -> Effects | None:
        """Return the declared effects of a command, None where there is no declaration."""


@dataclass(slots=True)
class StageRun:
    """What the execution of one stage left behind."""

    stage: Stage
    states: list[StageState]  # before each instruction of the stage, and the final one
    #: what is remembered of its last instruction
    record: Record
    roots: tuple[str, ...] = ()

    @property
    def final(self) -> StageState:
        """The state after the last instruction."""
        return self.states[-1]


def evaluate(word: str, state: StageState, escape: str, line: int) -> Value:
    """Expand a word of an instruction; the text is None where it depends on something that is not known before the build."""
    names = sorted(variables(word, escape))
    values = {name: state.variable(name) for name in names}
    if all(value is None or value.text is not None for value in values.values()):
        try:
            return known(expand(word, lambda name: None if (v := values.get(name)) is None else v.text, escape))
        except ExpansionError as error:
            raise Unsupported(str(error), line) from error
    parts: list[str | Term] = [word]
    for name, value in values.items():
        parts += [name, term("unset") if value is None else value.term]
    return Value(term("expand", *parts, text=word))


class Executor:
    """Runs all stages of one Dockerfile against one context."""

    def __init__(
        self,
        dockerfile: Dockerfile,
        files: BuildFiles,
        *,
        opaque_caches: bool = False,
        named_contexts: Mapping[str, str] | None = None,
        memo: Memo | None = None,
    ) -> None:
        """Prepare to run; nothing happens before `run`.

        `opaque_caches` makes the assumption `cache-opaque` (run.py). `named_contexts` are names that some builds give
        another content, each with the place that says so. `memo` is shared by variants of one Dockerfile over the same
        `files`, names and `configuration`.
        """
        self.opaque_caches = opaque_caches
        #: what the user says of commands that no model speaks of
        self.configuration: Declarations | None = None
        #: below these paths the owner of what COPY and ADD bring is not looked at
        self.free_owners: frozenset[str] = frozenset()
        #: what package managers leave for themselves, where it is not looked at
        self.residue: Residue | None = None
        #: BuildKit looks for no context called `scratch` or `context` (dockerfile2llb/convert.go namedContextFunc)
        self.named_contexts = {
            familiar(name): place
            for name, place in (named_contexts or {}).items()
            if familiar(name) not in ("scratch", "context")
        }
        self._memo = Memo() if memo is None else memo
        #: what the instruction in hand has shown of itself: the assumption `cache-opaque` may make a difference to it, and it has a
        #: line of the file in a message
        self.minds_caches = self.tells_lines = False
        self.dockerfile = dockerfile
        self.files = files
        self.stages: list[StageRun] = []
        self.executed: list[Executed] = []
        #: (line, context path, kind) of every literal COPY source
        self.sources: list[tuple[int, str, str]] = []
        self._globals: dict[str, Value] = {}
        #: called before every instruction and every command; what it raises ends the execution
        self.proceed: Proceed = go_on
        #: answers of analyses of what was executed, each under a name of its own
        self.analyses: dict[object, object] = {}

    @cached_property
    def text(self) -> str:
        """The whole Dockerfile."""
        return self.dockerfile.source.decode("utf-8", "replace")

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """The ecosystems whose caches count, which depends on the whole Dockerfile (`cache-opaque`)."""
        from dockopt.optimizer.ecosystems.installs import mentioned

        return mentioned(self.text)

    def run(self) -> list[StageRun]:
        """Run every stage in file order and return what each left behind. Raises Unsupported."""
        self._memo.within(self.files)
        for instruction in self.dockerfile.meta_args:
            for pair in instruction.pairs:
                default = term("unset") if pair.value is None else term("default", pair.value)
                self._globals[pair.key] = Value(term("build-arg", pair.key, default, text=f"build argument {pair.key}"))
        for stage in self.dockerfile.stages:
            self._run_stage(stage)
        return self.stages

    # -- stages ----------------------------------------------------------------------------------------------------

    def _run_stage(self, stage: Stage) -> None:
        if stage.name is not None and stage.name in self.named_contexts:
            place = self.named_contexts[stage.name]
            raise Unsupported(f"{place} replaces the stage `{stage.name}` by a context", stage.from_.start_line)
        state, inherited, record = self._base_state(stage)
        run = StageRun(stage, [state], record, inherited)
        self.stages.append(run)
        filling = [i for i in stage.instructions if i.keyword in _FILLING]
        own = self._memo.conclusion(
            record, tuple([i.raw for i in filling]), self.files, lambda: self._project_roots(filling, state)
        )
        run.roots = tuple(dict.fromkeys((*inherited, *own)))
        for instruction in stage.instructions:
            self.proceed()
            run.states.append(self._remembered_step(run, instruction))

    def _remembered_step(self, run: StageRun, instruction: Instruction) -> StageState:
        """Run an instruction, or recall what it did when all that it can see was the very same."""
        before, memo, line = run.states[-1], self._memo, instruction.start_line
        key = self._seen(run, instruction)
        # an instruction that does not mind caches does the same whatever is assumed of them
        minding = (key, self.mentioned if self.opaque_caches else None)
        known_step = memo.recall(run.record, (key, minding), before, line, self.files)
        if known_step is not None:
            run.record, step = known_step
            # the same text, but maybe at another offset: edits need the instruction of this file
            self.executed += [command._replace(instruction=instruction) for command in step.executed]
            self.sources += step.sources
            return step.after
        commands, sources = len(self.executed), len(self.sources)
        self.minds_caches = self.tells_lines = False
        self.files.listen()
        try:
            after = self.step(before, instruction, run)
        finally:
            asked = self.files.heard()
        step = Step(after, tuple(self.executed[commands:]), tuple(self.sources[sources:]))
        lines = range(line, line + instruction.raw.count(b"\n") + 1)
        key = minding if self.minds_caches else key
        run.record = memo.remember(run.record, key, before, lines, step, Seen(asked, self.tells_lines))
        return after

    def _seen(self, run: StageRun, instruction: Instruction) -> Hashable:
        """Return what decides what an instruction does, beside the state before it and the answers of the context."""
        if instruction.keyword == "RUN":
            from dockopt.optimizer.symbolic.mounting import stage_of

            mounted = [stage_of(self, mount.from_) for mount in instruction.mounts if mount.from_ is not None]
            return (instruction.raw, run.roots, *(None if stage is None else stage.record for stage in mounted))
        if instruction.keyword in ("COPY", "ADD") and instruction.has_flag("from"):
            from dockopt.optimizer.symbolic.copying import source_stage

            try:
                stage = source_stage(self, instruction, run)
            except Unsupported:
                return instruction.raw, "no stage"  # never remembered
            return instruction.raw, None if stage is None else stage.record
        return instruction.raw

    def stage_named(self, name: str, before: int) -> StageRun | None:
        """Return the earlier stage that `FROM name` means (exact, lower-case names; the nearest previous one wins)."""
        for run in reversed(self.stages[:before]):
            if run.stage.name is not None and run.stage.name == name:
                return run
        return None

    def _base_state(self, stage: Stage) -> tuple[StageState, tuple[str, ...], Record]:
        state, roots = self._new_base_state(stage)
        parent = self.stage_named(stage.base, stage.index)
        # all that stays the same in a stage stands here
        key = (
            stage.index,
            stage.from_.raw,
            None if parent is None else parent.record,
            self.dockerfile.escape,
            self.dockerfile.syntax,
            tuple(sorted((n, v.term.digest) for n, v in self._globals.items())),
            tuple(sorted(self.named_contexts.items())),
            self.free_owners,
            self.residue,
            self.files.newly_ignored,
        )
        record, first = self._memo.start(key, None if parent is None else parent.final, state)
        return first, roots, record

    def _new_base_state(self, stage: Stage) -> tuple[StageState, tuple[str, ...]]:
        line = stage.from_.start_line
        parent = self.stage_named(stage.base, stage.index)
        if parent is not None:
            if any(name.startswith("onbuild") for name in parent.final.config.settings):
                raise Unsupported(f"ONBUILD triggers of stage `{stage.base}` run in the stage that starts here", line)
            final = parent.final
            # BuildKit re-applies the image environment, which undoes ARG overrides of ENV (convert.go, clone of a parent stage)
            args = {name: value for name, value in final.args.items() if name not in final.env}
            return replace(final, args=args, config=replace(final.config, cmd_here=False)), parent.roots
        names = sorted(variables(stage.base, self.dockerfile.escape))
        parts: list[str | Term] = [stage.base, stage.platform or ""]
        for name in (*names, *sorted(variables(stage.platform or "", self.dockerfile.escape))):
            parts += [name, self._globals[name].term if name in self._globals else term("platform", name)]
        # whether an image or another content is behind a name that some builds replace: nothing is known of it
        replaced = self.is_replaced(stage.base)
        base = term("image", *parts, text=f"{'context' if replaced else 'base image'} {stage.base}")
        facts = BaseFacts("") if replaced else facts_of(stage.base)
        scratch = stage.base == "scratch"
        files = FileSystem(base, self.files, (), facts.directories, scratch, facts.complete, facts.absent)
        return (
            StageState(
                files,
                base_env=facts.environment,
                base=base,
                cwd=facts.cwd,
                cwd_term=literal(facts.cwd) if facts.cwd else term("base-cwd", base),
                user=facts.user,
                user_term=term("base-user", base),
                closed_env=scratch or facts.closed,
                versions=facts.versions,
                config=Config({"base configuration": base}),
            ),
            (),
        )

    def is_replaced(self, reference: str) -> bool:
        """Tell whether some build may give another content to a base image."""
        if "$" not in reference:
            return familiar(reference) in self.named_contexts
        return any(repository(name)[0] == repository(familiar(reference))[0] for name in self.named_contexts)

    def _project_roots(self, instructions: Iterable[Instruction], state: StageState) -> list[str]:
        """Return the directories that a stage fills from directories of the context, wherever in the stage that stands.

        `instructions` are those of the stage that decide it (`_FILLING`).
        """
        roots: list[str] = []
        for instruction in instructions:
            self.proceed()
            if instruction.keyword == "WORKDIR":
                state = self._workdir(state, instruction)
            elif instruction.keyword in ("ENV", "ARG"):
                state = self.step(state, instruction, None)
            elif instruction.keyword in ("COPY", "ADD") and instruction.flag("from") is None:
                dest = evaluate(instruction.words[-1], state, self.dockerfile.escape, instruction.start_line).text
                if dest is None or instruction.heredocs or (state.cwd is None and not dest.startswith("/")):
                    continue
                root = join(state.cwd or "/", dest)
                if is_project_root(root) and any(
                    self.files.kind(clean_source(w)) == "directory" for w in instruction.words[:-1] if "$" not in w
                ):
                    roots.append(root)
        return roots

    # -- instructions ------------------------------------------------------------------------------------------------

    def step(self, state: StageState, instruction: Instruction, run: StageRun | None) -> StageState:
        """Return the state after one instruction. Raises Unsupported."""
        handler: Callable[[StageState, Instruction], StageState] | None
        if instruction.keyword == "RUN":
            from dockopt.optimizer.symbolic.run import run_instruction

            return run_instruction(self, state, instruction, run)
        if instruction.keyword in ("COPY", "ADD"):
            from dockopt.optimizer.symbolic.copying import copy_instruction

            return copy_instruction(self, state, instruction, run)
        handler = {
            "ENV": self._env,
            "ARG": self._arg,
            "WORKDIR": self._workdir,
            "USER": self._user,
            "SHELL": self._shell,
            "LABEL": self._label,
            "CMD": self._command,
            "ENTRYPOINT": self._command,
            "EXPOSE": self._accumulate,
            "VOLUME": self._accumulate,
            "STOPSIGNAL": self._expanded_setting,
            "HEALTHCHECK": self._verbatim,
            "MAINTAINER": self._verbatim,
            "ONBUILD": self._onbuild,
        }.get(instruction.keyword)
        if handler is None:
            raise Unsupported(f"`{instruction.keyword}` is not understood", instruction.start_line)
        return handler(state, instruction)

    def _value(self, word: str, state: StageState, instruction: Instruction) -> Value:
        return evaluate(word, state, self.dockerfile.escape, instruction.start_line)

    def _env(self, state: StageState, instruction: Instruction) -> StageState:
        env, args = dict(state.env), dict(state.args)
        for pair in instruction.pairs:
            key = self._value(pair.key, state, instruction).text
            if key is None:
                raise Unsupported("the name of a variable is not known before the build", instruction.start_line)
            # all pairs see the state before the instruction (reference §1.8)
            env[key] = self._value(pair.value or "", state, instruction)
            args.pop(key, None)
        return replace(state, env=env, args=args)

    def _arg(self, state: StageState, instruction: Instruction) -> StageState:
        for pair in instruction.pairs:
            name = pair.key
            before = state.variable(name)
            if pair.value is not None:
                value = self._value(pair.value, state, instruction)
                given = term("build-arg", name, value.term, text=f"build argument {name}")
            elif name in self._globals:
                given = term("build-arg", name, self._globals[name].term, text=f"build argument {name}")
            elif name in PLATFORM_ARGS:
                given = term("platform", name, text=f"platform argument {name}")
            else:
                given = term(
                    "build-arg", name, term("unset") if before is None else before.term, text=f"build argument {name}"
                )
            state = replace(state, args={**state.args, name: Value(given)})
        return state

    def _workdir(self, state: StageState, instruction: Instruction) -> StageState:
        value = self._value(instruction.args, state, instruction)
        if value.text is None or (state.cwd is None and not value.text.startswith("/")):
            # somewhere that is not known: directories may appear anywhere
            where = term("workdir", state.cwd_term, value.term)
            files = state.files.put(
                Region(("/",)),
                term("mkdir", where, state.files.read(Region(("/",)))),
                instruction.start_line,
                "WORKDIR",
            )
            return replace(state, cwd=None, cwd_term=where, files=files)
        path = join(state.cwd or "/", value.text or "/")
        # BuildKit makes it for the user of the stage (dispatchWorkdir); root's directory is like one that COPY makes
        owner = term("directory", literal("0755"), literal("0:0") if state.user == "root" else state.user_term)
        files = state.files.make_directories(path, owner, instruction.start_line)
        # an absolute path goes into the image as it is written, `/w/` is not `/w` (built on Docker 26)
        named = value.text if value.text.startswith("/") else path
        return replace(state, cwd=path, cwd_term=literal(named), files=files)

    def _user(self, state: StageState, instruction: Instruction) -> StageState:
        value = self._value(instruction.args, state, instruction)
        user = None if value.text is None else value.text.split(":")[0]
        return replace(state, user="root" if user in ("", "0") else user, user_term=value.term)

    def _shell(self, state: StageState, instruction: Instruction) -> StageState:
        return replace(state, shell=instruction.json or ())

    def _label(self, state: StageState, instruction: Instruction) -> StageState:
        config = state.config
        for pair in instruction.pairs:
            key = self._value(pair.key, state, instruction)
            name = f"label {key.text}" if key.text is not None else f"label of {key.term.digest}"
            config = config.set(name, self._value(pair.value or "", state, instruction).term)
        return replace(state, config=config)

    def _command(self, state: StageState, instruction: Instruction) -> StageState:
        exec_form = instruction.json
        value = term("exec", *exec_form) if exec_form is not None else term("shell", *state.shell, instruction.args)
        config = state.config.set(instruction.keyword.lower(), value)
        if instruction.keyword == "CMD":
            config = replace(config.drop("cmd dropped"), cmd_here=True)
        elif not config.cmd_here:
            # ENTRYPOINT drops a CMD that came from the base or the parent stage
            config = config.drop("cmd").set("cmd dropped", literal("yes"))
        return replace(state, config=config)

    def _accumulate(self, state: StageState, instruction: Instruction) -> StageState:
        config = state.config
        for word in instruction.words:
            value = self._value(word, state, instruction)
            # a map in the image: order and repetition do not matter
            config = config.set(f"{instruction.keyword.lower()} {value.term.digest}", value.term)
        return replace(state, config=config)

    def _expanded_setting(self, state: StageState, instruction: Instruction) -> StageState:
        value = self._value(instruction.args, state, instruction)
        return replace(state, config=state.config.set(instruction.keyword.lower(), value.term))

    def _verbatim(self, state: StageState, instruction: Instruction) -> StageState:
        flags = [f"{flag.name}={flag.value}" for flag in instruction.flags]
        value = term("verbatim", *flags, instruction.args)
        return replace(state, config=state.config.set(instruction.keyword.lower(), value))

    def _onbuild(self, state: StageState, instruction: Instruction) -> StageState:
        count = sum(name.startswith("onbuild") for name in state.config.settings)
        bodies = [heredoc.body for heredoc in instruction.heredocs]
        return replace(state, config=state.config.set(f"onbuild {count}", term("onbuild", instruction.args, *bodies)))


def clean_source(source: str) -> str:
    """Return a COPY source as a context path: cleaned, relative, never above the context (reference §1.11)."""
    return join("/", source).lstrip("/")


__all__ = [
    "BuildFiles",
    "ContextSource",
    "Executor",
    "Memo",
    "StageRun",
    "Unsupported",
    "clean_source",
    "evaluate",
]
