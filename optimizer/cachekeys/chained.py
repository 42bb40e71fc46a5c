"""What the builders without a graph have in common: stages one after another, and every instruction a link of a chain.

There a metadata instruction has a key too, and its miss ends the reuse of all below it. How an instruction counts is up to the builder
(`classic.py`, `buildah.py`, `kaniko.py`); this walks the stages and keeps the variables, which in all three live in two places: ENV in the
configuration of the image, ARG beside it, where ENV wins (moby `dispatchers.go`, `FilterAllowed`) and a stage that starts from another does
not get its arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from dockopt.optimizer.cachekeys import stages as named
from dockopt.optimizer.cachekeys.content import Snapshot
from dockopt.optimizer.cachekeys.operations import Input, Key, by_definition, operation, source
from dockopt.optimizer.cachekeys.options import BaseImage, KeyOptions
from dockopt.optimizer.cachekeys.steps import StepKey, Unpredictable
from dockopt.optimizer.symbolic.terms import Term
from dockopt.optimizer.syntax import Dockerfile, ExpansionError, Instruction, Stage, expand

#: what every build may be given without ARG (moby `buildargs.go`)
PROXIES = frozenset(
    name
    for base in ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
    for name in (base, base.upper())
)


class Link(NamedTuple):
    """How one instruction counts: its own parts, and what comes from elsewhere."""

    parts: Sequence[str | Term]
    inputs: Sequence[Input] = ()


class Variables:
    """The variables of a stage, all known: base images are given."""

    def __init__(self, image: dict[str, str], options: KeyOptions, globals_: dict[str, str]) -> None:
        self.image = image
        self.declared: dict[str, str | None] = {}
        self._given, self._globals = options.build_args, globals_

    def arguments(self) -> dict[str, str]:
        """Return the arguments that have a value, those that ENV hides too."""
        names = [*self.declared, *(name for name in self._given if name in PROXIES and name not in self.declared)]
        values = {name: self._given.get(name, self.declared.get(name)) for name in names}
        values = {name: self._globals.get(name) if value is None else value for name, value in values.items()}
        return {name: value for name, value in values.items() if value is not None}

    def expand(self, word: str, escape: str) -> str:
        """Return what a word stands for. Raises Unpredictable."""
        values = {**self.arguments(), **self.image}
        try:
            return expand(word, values.get, escape)
        except ExpansionError as error:
            raise Unpredictable(f"`{word}` does not expand: {error}") from error


class State:
    """What a stage has come to."""

    def __init__(self, key: Key, variables: Variables, cwd: str, shell: tuple[str, ...]) -> None:
        self.key, self.variables, self.cwd, self.shell = key, variables, cwd, shell


class Builder(Protocol):
    """How a builder counts an instruction."""

    def link(self, build: ChainedBuild, state: State, instruction: Instruction) -> Link | None:
        """Return how an instruction counts, None for one without a step. The state is the one before it."""


class ChainedBuild:
    """Goes down the stages of one build."""

    def __init__(self, dockerfile: Dockerfile, context: Snapshot, options: KeyOptions, builder: Builder) -> None:
        self.dockerfile, self.context, self.options, self._builder = dockerfile, context, options, builder
        self.escape, self._stages = dockerfile.escape, dockerfile.stages
        self._globals: dict[str, str] = {}
        outside = Variables({}, options, self._globals)
        for pair in (pair for instruction in dockerfile.meta_args for pair in instruction.pairs):
            value = options.build_args.get(pair.key)
            if value is None and pair.value is not None:
                value = outside.expand(pair.value, self.escape)
            if value is not None:
                self._globals[pair.key] = outside.image[pair.key] = value
        self.bases = [outside.expand(stage.base, self.escape) for stage in self._stages]
        self._finals: list[State] = []

    def steps(self, *, unreached: bool) -> list[StepKey]:
        """Return the keys in file order; `unreached` tells that stages are built that the target does not need."""
        needed = named.reached(self._stages, self.bases, self.options.target)
        found: list[StepKey] = []
        for stage in self._stages[: max(needed) + 1]:
            state = self._begin(stage)
            self._finals.append(state)
            steps = list(self._stage(state, stage))
            if unreached or stage.index in needed:
                found += steps
        return found

    def _begin(self, stage: Stage) -> State:
        parent = named.named(self._stages[: stage.index], self.bases[stage.index])
        if parent is not None:
            if named.triggers_of(self._stages[parent]):
                raise Unpredictable(f"line {stage.from_.start_line}: ONBUILD triggers are modelled for BuildKit only")
            final = self._finals[parent]
            variables = Variables(dict(final.variables.image), self.options, self._globals)
            return State(final.key, variables, final.cwd, final.shell)
        base = self.bases[stage.index]
        image = BaseImage() if base == "scratch" else self.options.images.get(base)
        if image is None:
            raise Unpredictable(f"line {stage.from_.start_line}: nothing is known of the base image `{base}`")
        if image.onbuild:
            raise Unpredictable(f"the base image `{base}` has ONBUILD triggers")
        variables = Variables(dict(image.env), self.options, self._globals)
        platform = stage.platform or self.options.platform
        key = (
            source("scratch")
            if base == "scratch"
            else source("image", image.digest or named.image_name(base), platform)
        )
        return State(key, variables, image.cwd or "/", image.shell or ("/bin/sh", "-c"))

    def _stage(self, state: State, stage: Stage) -> Sequence[StepKey]:
        found = []
        for instruction in stage.instructions:
            link = self._builder.link(self, state, instruction)
            self._apply(state, instruction)
            if link is not None:
                state.key = operation("link", link.parts, [by_definition(state.key), *link.inputs])
                found.append(StepKey(stage.index, instruction, state.key.key.digest, state.key.hope.digest))
        return found

    def _apply(self, state: State, instruction: Instruction) -> None:
        variables = state.variables
        if instruction.keyword == "ENV":
            values = [
                (self.expand(state, pair.key), self.expand(state, pair.value or "")) for pair in instruction.pairs
            ]
            variables.image.update(values)
        elif instruction.keyword == "ARG":
            values_ = {p.key: None if p.value is None else self.expand(state, p.value) for p in instruction.pairs}
            variables.declared.update(values_)
        elif instruction.keyword == "WORKDIR":
            state.cwd = self.directory(state, instruction)
        elif instruction.keyword == "SHELL":
            state.shell = instruction.json or ()

    # -- for the builders --------------------------------------------------------------------------------------------

    def expand(self, state: State, word: str) -> str:
        """Return what a word stands for at this point."""
        return state.variables.expand(word, self.escape)

    def global_value(self, name: str) -> str | None:
        """Return the value of an argument above the first FROM."""
        return self._globals.get(name)

    def directory(self, state: State, instruction: Instruction) -> str:
        """Return the working directory after a WORKDIR."""
        from dockopt.optimizer.regions import join

        return join(state.cwd, self.expand(state, instruction.args))

    def command(self, state: State, instruction: Instruction) -> tuple[str, ...]:
        """Return the arguments of RUN, CMD or ENTRYPOINT."""
        return instruction.json if instruction.json is not None else (*state.shell, instruction.args)

    def origin(self, name: str, line: int) -> Key:
        """Return the key of the stage or image that `--from` names."""
        index = named.copied_from(self._stages, name)
        if index is None:
            return source("image", named.image_name(name), self.options.platform)
        if index >= len(self._finals) - 1:
            raise Unpredictable(f"line {line}: `--from={name}` does not name an earlier stage")
        return self._finals[index].key
