"""BuildKit's cache keys, as far as they can be told without building: which instructions a changed file or line runs again.

An instruction is reused if its operation and the key of everything before it in its stage are those of an earlier build; after one
miss the rest of the stage misses. COPY and bind mounts of the context go by content: names, modes, link targets and bytes of what they
select, without times. A COPY from another stage goes by that stage's key, and if that is new, by the content of what it copies, which only
a build can tell: then the answer is "perhaps". ENV, ARG, USER and SHELL have no key of their own but change those below that look at them;
LABEL, CMD and their kin have none at all.

Sources: BuildKit `solver/edge.go`, `solver/llbsolver/ops/{exec,file}.go`, `cache/contenthash/checksum.go`,
`frontend/dockerfile/dockerfile2llb/convert.go`, and builds of random edits (`tests/soundness/test_cachekeys.py`).
"""

from __future__ import annotations

import enum
import posixpath
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import join
from dockopt.optimizer.symbolic.copying import is_remote
from dockopt.optimizer.symbolic.execute import clean_source, evaluate
from dockopt.optimizer.symbolic.state import StageState
from dockopt.optimizer.symbolic.terms import Term, literal, term
from dockopt.optimizer.syntax import Instruction, Stage


class Unpredictable(Exception):
    """A key depends on something that is not modelled; the message says what."""


class ContextSnapshot(Protocol):
    """The files of a context as the client sends them, ignore rules applied."""

    def select(self, source: str) -> Sequence[tuple[str, str]] | None:
        """Return what a COPY source selects: relative names with a digest of kind, mode and content.

        A file selects itself under the name "" (BuildKit leaves it out of the digest), a directory its own header (unless it is the root)
        under "." and all that is below it; a wildcard every match under its name. None: nothing is there.
        """


class Prediction(enum.Enum):
    """What a second build will say of an instruction."""

    CACHED = "cached"
    RUNS = "runs"
    PERHAPS = "perhaps"  #: up to the content of another stage


class StepKey(NamedTuple):
    """The key of one instruction that has one."""

    stage: int
    instruction: Instruction
    key: str
    #: keys of other stages whose content may rescue it if they are new
    rescued_by_content: bool = False


def step_keys(build: Build, context: ContextSnapshot) -> list[StepKey]:
    """Return the keys of all instructions that BuildKit runs, in file order. Raises Unsupported, Unpredictable."""
    finals: list[Term] = []
    found: list[StepKey] = []
    for run in build.runs:
        walk = _Walk(build, run.stage, context, finals)
        for position, instruction in enumerate(run.stage.instructions):
            found += walk.step(instruction, run.states[position], run.states[position + 1])
        finals.append(walk.key)
    return found


def predict(before: Sequence[StepKey], after: Sequence[StepKey]) -> list[Prediction]:
    """Tell for each instruction of the second build whether it is reused when nothing but the first one was built before."""
    known = {step.key for step in before}
    found: list[Prediction] = []
    doubtful: set[int] = set()
    for step in after:
        if step.key in known:
            found.append(Prediction.CACHED)
        elif step.stage in doubtful or step.rescued_by_content:
            # content may rescue the step, and then all below it may be known too
            doubtful.add(step.stage)
            found.append(Prediction.PERHAPS)
        else:
            found.append(Prediction.RUNS)
    return found


class _Walk:
    """Goes down one stage with the key of all that stands above."""

    def __init__(self, build: Build, stage: Stage, context: ContextSnapshot, finals: Sequence[Term]) -> None:
        self._build, self._stage, self._context, self._finals = build, stage, context, finals
        parent = build.executor.stage_named(stage.base, stage.index)
        self.key = term("base", stage.base, stage.platform or "") if parent is None else finals[parent.stage.index]
        #: in the order of the last assignment
        self._environment: dict[str, Term] = {}
        if parent is not None:
            self._environment = {name: value.term for name, value in parent.final.env.items()}

    def step(self, instruction: Instruction, state: StageState, after: StageState) -> Iterator[StepKey]:
        keyword = instruction.keyword
        if keyword in ("ENV", "ARG"):
            self._assign(instruction, after)
        elif keyword == "RUN":
            self.key, rescued = self._run(instruction, state)
            yield StepKey(self._stage.index, instruction, self.key.digest, rescued)
        elif keyword in ("COPY", "ADD"):
            self.key, rescued = self._copy(instruction, state)
            yield StepKey(self._stage.index, instruction, self.key.digest, rescued)
        elif keyword == "WORKDIR" and after.cwd != "/":
            path = after.cwd_term if after.cwd is None else literal(after.cwd)
            self.key = term("mkdir", self.key, path, state.user_term)
            yield StepKey(self._stage.index, instruction, self.key.digest)

    def _assign(self, instruction: Instruction, after: StageState) -> None:
        for pair in instruction.pairs:
            value = after.variable(pair.key)
            if value is None or (instruction.keyword == "ARG" and pair.value is None and pair.key not in after.env):
                # an ARG without a value adds nothing (convert.go, dispatchArg)
                continue
            self._environment.pop(pair.key, None)
            self._environment[pair.key] = value.term

    def _run(self, instruction: Instruction, state: StageState) -> tuple[Term, bool]:
        form = (
            ("exec", *instruction.json) if instruction.json is not None else ("shell", *state.shell, instruction.args)
        )
        parts: list[str | Term] = [*form, *(heredoc.body for heredoc in instruction.heredocs)]
        parts += [state.cwd_term, state.user_term, self._stage.platform or ""]
        for name, value in self._environment.items():
            parts += [name, value]
        rescued = False
        for mount in sorted(instruction.mounts, key=lambda mount: mount.target or ""):
            parts.append(mount.raw)
            if mount.type == "bind" and mount.from_ is None:
                parts.append(self._selected(mount.source or "."))
            elif mount.from_ is not None:
                value, rescuable = self._from(mount.from_, mount.source or "/")
                parts.append(value)
                rescued |= rescuable
        parts += sorted(flag.raw for flag in instruction.flags if flag.name != "mount")
        return term("run", self.key, *parts), rescued

    def _copy(self, instruction: Instruction, state: StageState) -> tuple[Term, bool]:
        escape, line = self._build.dockerfile.escape, instruction.start_line
        bodies = {heredoc.word: heredoc.body for heredoc in instruction.heredocs}
        dest = evaluate(instruction.words[-1], state, escape, line)
        if dest.text is None or (state.cwd is None and not dest.text.startswith("/")):
            target: Term = term("destination", dest.term, state.cwd_term)
        else:
            slash = "/" if dest.text.endswith(("/", "/.")) or dest.text in ("", ".") else ""
            target = literal(join(state.cwd or "/", dest.text) + slash)
        parts: list[str | Term] = [target]
        for flag in instruction.flags:
            if flag.name not in ("from", "chown", "chmod", "link"):
                raise Unpredictable(f"`--{flag.name}` of {instruction.keyword} is not modelled")
            if flag.name != "from":
                parts += [flag.name, evaluate(flag.value or "true", state, escape, line).term]
        rescued = False
        origin = instruction.flag("from")
        for word in instruction.words[:-1]:
            if word in bodies:
                parts += ["here-document", word, bodies[word]]
                continue
            source = evaluate(word, state, escape, line).text
            if source is None:
                raise Unpredictable(f"the source `{word}` is not known before the build")
            if origin is not None:
                value, rescuable = self._from(origin, source)
                parts += [posixpath.basename(source.rstrip("/")), value]
                rescued |= rescuable
            elif instruction.keyword == "ADD" and is_remote(source):
                raise Unpredictable("what a server answers is not known before the build")
            else:
                # `dir` and `dir/` are the same; the name of a file is part of the operation
                parts += [instruction.keyword, posixpath.basename(clean_source(source)), self._selected(source)]
        return term("copy", self.key, *parts), rescued

    def _from(self, name: str, source: str) -> tuple[Term, bool]:
        found = next(
            (
                s
                for s in self._build.dockerfile.stages[: self._stage.index]
                if name.lower() == s.name or name == str(s.index)
            ),
            None,
        )
        if found is None:
            return term("image", name, source), False
        return term("stage", self._finals[found.index], source), True

    def _selected(self, source: str) -> Term:
        selected = self._context.select(clean_source(source))
        if selected is None:
            return term("nothing", source)
        parts: list[str] = []
        for name, digest in selected:
            parts += [name, digest]
        return term("selected", *parts)
