"""Read the dependencies of instructions off the symbolic states: who wrote what a command reads, and what may not change places.

Nothing is analysed here a second time: writes are the difference of two file systems, reads are those of the recorded commands,
variables and settings are followed by the values that the states hold.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dockopt.optimizer.graph.steps import Step, clashes, meeting, shown_paths, written_by
from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import EVERYTHING, Region
from dockopt.optimizer.symbolic.execute import StageRun, Unsupported, clean_source, evaluate
from dockopt.optimizer.symbolic.filesystem import Op
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.symbolic.state import StageState
from dockopt.optimizer.syntax import Instruction, variables

if TYPE_CHECKING:
    import networkx

    Graph = networkx.MultiDiGraph[str]

#: pairs of instructions are compared: above this a graph takes minutes, and nobody can read it
MAX_INSTRUCTIONS = 1000


class _Edge(NamedTuple):
    source: str
    target: str
    kind: str
    why: str
    #: False: the command is not understood, so it *may* depend on this
    certain: bool = True
    #: other edges lead from source to target too; pictures leave this one out
    implied: bool = False


@dataclass(slots=True)
class _StageGraph:
    """What is known of one stage while its instructions are looked at."""

    run: StageRun
    steps: list[Step] = field(default_factory=list)
    #: name of a variable → node of its last definition
    live: dict[str, str] = field(default_factory=dict)
    #: "working directory", "user", "shell" → number of the step that set it last
    settings: dict[str, int] = field(default_factory=dict)
    #: for each step, the steps that surely come before it, as bits
    before: list[int] = field(default_factory=list)
    #: for each step, the steps whose results it gets, directly or through others, as bits
    flows: list[int] = field(default_factory=list)
    #: steps on which another one of the stage depends, as bits
    needed: int = 0


def dependencies(build: Build) -> Graph:
    """Return the graph of a build. Nodes and edges have the attributes that `docs/graph.md` lists. Raises Unsupported."""
    return _Builder(build).graph()


class _Builder:
    def __init__(self, build: Build) -> None:
        self.build, self.dockerfile = build, build.dockerfile
        extra = self.dockerfile.instructions[MAX_INSTRUCTIONS : MAX_INSTRUCTIONS + 1]
        if extra:
            raise Unsupported(
                f"a graph of more than {MAX_INSTRUCTIONS} instructions cannot be read", extra[0].start_line
            )
        self.nodes: dict[str, dict[str, Any]] = {}
        self.edges: dict[_Edge, None] = {}
        self.stages: list[_StageGraph] = []
        self.globals: dict[str, str] = {}
        #: node of a variable → number of the step that defines it, for variables of the stage at hand
        self.definitions: dict[str, tuple[int, int]] = {}
        #: stage → what other stages take out of it, None for its whole image
        self.taken: dict[int, list[Region | None]] = {stage.index: [] for stage in self.dockerfile.stages}
        self.lines = [instruction.start_line for instruction in self.dockerfile.instructions]

    def graph(self) -> Graph:
        import networkx

        runs = self.build.runs
        for instruction in self.dockerfile.meta_args:
            node = self._instruction(instruction, None, ())
            for pair in instruction.pairs:
                self.globals[pair.key] = self._variable("arg", pair.key, instruction, node, None)
        for run in runs:
            self._stage(run)
        for stage in self.stages:
            self._results(stage)
        graph: Graph = networkx.MultiDiGraph()
        graph.add_nodes_from(self.nodes.items())
        place = {node: i for i, node in enumerate(self.nodes)}
        for edge in sorted(self.edges, key=lambda e: (place[e.target], place[e.source], e.kind, e.why, e.certain)):
            attributes = {"kind": edge.kind, "why": edge.why, "certain": edge.certain, "implied": edge.implied}
            graph.add_edge(edge.source, edge.target, **attributes)
        return graph

    # -- nodes -----------------------------------------------------------------------------------------------------

    def _node(self, name: str, kind: str, /, **attributes: Any) -> str:
        self.nodes.setdefault(name, {"kind": kind, **attributes})
        return name

    def _edge(
        self, source: str, target: str, kind: str, why: str, *, certain: bool = True, implied: bool = False
    ) -> None:
        self.edges[_Edge(source, target, kind, why, certain, implied)] = None

    def _instruction(self, instruction: Instruction, stage: int | None, commands: Iterable[Executed]) -> str:
        return self._node(
            f"instruction:{instruction.start_line}",
            "instruction",
            label=instruction.logical.strip(),
            line=instruction.start_line,
            stage=stage,
            keyword=instruction.keyword,
            commands=[
                {
                    "line": command.line,
                    "text": command.text,
                    "unknown": command.effects.unknown,
                    "world": command.effects.world.name.lower(),
                }
                for command in commands
            ],
        )

    def _variable(self, kind: str, name: str, instruction: Instruction, setter: str, stage: int | None) -> str:
        node = self._node(
            f"variable:{instruction.start_line}:{name}",
            "variable",
            label=f"{kind.upper()} {name}",
            line=instruction.start_line,
            stage=stage,
            name=name,
            variable=kind,
        )
        self._edge(setter, node, "sets", f"sets {name}")
        return node

    def _context(self, path: str) -> str:
        state = self.build.context.kind(path)
        label = path or "."
        if any(mark in path for mark in "*?["):
            state = "pattern"
        elif state == "absent":
            label += " (not in the context)"
        return self._node(f"context:{path or '.'}", "context", label=label, path=path or ".", state=state)

    def _image(self, reference: str) -> str:
        return self._node(f"image:{reference}", "image", label=reference, reference=reference)

    # -- stages ----------------------------------------------------------------------------------------------------

    def _stage(self, run: StageRun) -> None:
        stage, first = run.stage, run.states[0]
        node = self._instruction(stage.from_, stage.index, ())
        here = _StageGraph(run)
        self.stages.append(here)
        parent = self.build.executor.stage_named(stage.base, stage.index)
        if parent is not None:
            self.taken[parent.stage.index].append(None)
            self._edge(_stage_node(parent.stage.index), node, "from", f"from {_stage_name(parent)}")
            known = {**first.env, **first.args}
            here.live = {name: node for name, node in self.stages[parent.stage.index].live.items() if name in known}
        else:
            self._edge(self._image(stage.base), node, "from", f"from {stage.base}")
            for name in sorted({*self._names(stage.base), *self._names(stage.platform or "")} & self.globals.keys()):
                self._edge(self.globals[name], node, "arg", f"arg {name}")
        here.steps.append(Step(0, node, stage.from_, first, first, self.dockerfile.escape))
        here.before.append(0)
        here.flows.append(0)
        for i, instruction in enumerate(stage.instructions):
            self._step(here, instruction, run.states[i], run.states[i + 1])
        self._node(
            _stage_node(stage.index),
            "stage",
            label=f"stage {run.stage.name_raw or stage.index}",
            line=stage.from_.start_line,
            stage=stage.index,
            name=stage.name_raw,
            exported=self.build.is_exported(stage.index),
        )

    def _names(self, word: str) -> Iterable[str]:
        return variables(word, self.dockerfile.escape)

    def _step(self, here: _StageGraph, instruction: Instruction, before: StageState, after: StageState) -> None:
        stage = here.run.stage.index
        commands = self.build.commands_of(stage, instruction.index)
        node = self._instruction(instruction, stage, commands)
        step = Step(len(here.steps), node, instruction, before, after, self.dockerfile.escape, commands)
        reasons: dict[int, list[_Edge]] = {}

        def add(earlier: int, kind: str, why: str, certain: bool = True) -> None:
            reasons.setdefault(earlier, []).append(_Edge(here.steps[earlier].node, node, kind, why, certain))

        for setting, definer in self._settings(here, step):
            why = f"{setting} {_setting_text(setting, before, here.steps[definer].instruction)}"
            add(definer, setting.replace(" ", "-"), why)
        self._variables(here, step, reasons)
        for earlier, paths in self._sources(here, step).items():
            only_makes = all(op.kind in ("dir", "dir-set") for op in paths.values())
            if not (only_makes and any(e.kind in ("working-directory", "after") for e in reasons.get(earlier, ()))):
                certain = not (step.unknown or here.steps[earlier].unknown)
                add(earlier, "writes", f"writes {shown_paths(paths)}", certain)
        for earlier, caches in self._caches(here, step).items():
            add(earlier, "cache", f"fills {shown_paths(caches)}")
        self._inputs(step)
        self._order(here, step, reasons)
        here.steps.append(step)
        self._define(here, step)

    def _order(self, here: _StageGraph, step: Step, reasons: dict[int, list[_Edge]]) -> None:
        """Add the edges from earlier steps, nearest first; what those say already is implied, a conflict is left out."""
        reached = flowed = 0
        for earlier in reversed(range(1, step.number)):
            implied = bool(flowed >> earlier & 1)
            found = reasons.get(earlier, [])
            # a cache orders nothing: without it the command does the same, only slower
            orders = any(edge.kind != "cache" for edge in found)
            if orders:
                flowed |= here.flows[earlier] | 1 << earlier
            elif not reached >> earlier & 1:
                conflict = clashes(here.steps[earlier], step)
                if conflict:
                    certain = not (step.unknown or here.steps[earlier].unknown)
                    why = f"after: conflicts on {conflict}"
                    found = [*found, _Edge(here.steps[earlier].node, step.node, "after", why, certain)]
                    orders = True
            for edge in found:
                if edge.kind == "variable":
                    continue  # drawn from the variable
                self.edges[edge._replace(implied=implied and edge.kind != "cache")] = None
            if orders:
                reached |= here.before[earlier] | 1 << earlier
                here.needed |= 1 << earlier
        if not reached:
            self._edge(here.steps[0].node, step.node, "start", f"starts {_stage_name(here.run)}")
        here.before.append(reached | 1)
        here.flows.append(flowed | 1)
        here.needed |= 1

    # -- what a step depends on ------------------------------------------------------------------------------------

    def _settings(self, here: _StageGraph, step: Step) -> Iterator[tuple[str, int]]:
        """Yield the settings that a step works under, with the step that made each."""
        return ((name, here.settings[name]) for name in sorted(step.works_under) if name in here.settings)

    def _variables(self, here: _StageGraph, step: Step, reasons: dict[int, list[_Edge]]) -> None:
        for name in sorted(here.live):
            looks = step.looks_at(name)
            if looks == "no":
                continue
            variable = here.live[name]
            kind = str(self.nodes[variable]["variable"])
            self._edge(variable, step.node, kind, f"{kind} {name}", certain=looks == "yes")
            stage, number = self.definitions[variable]
            if stage == here.run.stage.index:
                reasons.setdefault(number, []).append(_Edge(variable, step.node, "variable", name))
        if step.instruction.keyword == "ARG":
            for pair in step.instruction.pairs:
                if pair.value is None and pair.key in self.globals:
                    self._edge(self.globals[pair.key], step.node, "arg", f"arg {pair.key}")

    def _sources(self, here: _StageGraph, step: Step) -> dict[int, dict[str, Op]]:
        """Return, for each earlier step of the stage, the paths that it wrote and this one reads."""
        found: dict[int, dict[str, Op]] = {}
        read = [(op, region) for state, region in step.reads() for op in state.files.affecting(region)]
        for state, probe in step.probes():
            read += [(op, Region((probe,))) for op in written_by(state, probe)]
        for op, region in read:
            earlier = self._writer(here, op)
            if earlier is not None and earlier < step.number:
                for path in meeting(op.region, region):
                    found.setdefault(earlier, {})[path] = op
        return found

    def _caches(self, here: _StageGraph, step: Step) -> dict[int, dict[str, Op]]:
        found: dict[int, dict[str, Op]] = {}
        for command in step.commands:
            for cache in command.effects.caches:
                # the file system keeps the last writer only; the one before it has filled the cache as well
                for earlier in here.steps:
                    for op in earlier.written:
                        if op.region.include == (cache,) and cache in earlier.caches:
                            found.setdefault(earlier.number, {})[cache] = op
        return found

    def _writer(self, here: _StageGraph, op: Op) -> int | None:
        """Return the number of the step that made a write, 0 where that was done below this stage."""
        index = bisect_right(self.lines, op.line) - 1
        instruction = self.dockerfile.instructions[index] if op.line and index >= 0 else None
        if instruction is None or instruction.stage != here.run.stage.index:
            return None
        return instruction.index - here.run.stage.from_.index

    def _inputs(self, step: Step) -> None:
        """Add the edges from the context, other stages and images."""
        instruction = step.instruction
        if instruction.keyword in ("COPY", "ADD"):
            self._copied(step)
        for mount in instruction.mounts:
            source = clean_source(mount.source or "")
            if mount.type == "bind" and mount.from_ is None:
                self._edge(self._context(source), step.node, "mounts", f"mounts {source or '.'}")
            elif mount.from_ is not None:
                self._from(step, mount.from_, Region(("/" + source,)))
        for command in step.commands:
            probed = [command.before.files.context_file(probe) for probe in command.effects.probes]
            for path in sorted({*command.effects.relied_on, *(found[0] for found in probed if found is not None)}):
                self._edge(self._context(path), step.node, "reads", f"reads {path}")

    def _copied(self, step: Step) -> None:
        instruction = step.instruction
        inline = {heredoc.word for heredoc in instruction.heredocs}
        for word in instruction.words[:-1]:
            if word in inline:
                continue
            text = evaluate(word, step.before, self.dockerfile.escape, instruction.start_line).text
            name = instruction.flag("from")
            if name is not None:
                known = text is not None and not any(mark in text for mark in "*?[")
                self._from(step, name, Region(("/" + clean_source(text or ""),)) if known else EVERYTHING)
            elif instruction.keyword == "ADD" and (text is None or "://" in text or text.startswith("git@")):
                node = self._node(f"remote:{word}", "remote", label=word, address=word)
                self._edge(node, step.node, "downloads", f"downloads {word}")
            elif text is None:
                node = self._node(f"context:{word}", "context", label=word, path=word, state="unknown")
                self._edge(node, step.node, "copies", f"copies {word}", certain=False)
            else:
                path = clean_source(text)
                self._edge(self._context(path), step.node, "copies", f"copies {path or '.'}")

    def _from(self, step: Step, name: str, region: Region) -> None:
        found = [
            run
            for run in self.build.runs[: step.instruction.stage]
            if (str(run.stage.index) == name if name.isdigit() else run.stage.name == name.lower())
        ]
        if not found:
            self._edge(self._image(name), step.node, "from", f"from {name}")
            return
        self.taken[found[-1].stage.index].append(region)
        self._edge(_stage_node(found[-1].stage.index), step.node, "from", f"from {_stage_name(found[-1])}")

    # -- what a step leaves ----------------------------------------------------------------------------------------

    def _define(self, here: _StageGraph, step: Step) -> None:
        for kind, name in step.defined:
            here.live[name] = self._variable(kind, name, step.instruction, step.node, here.run.stage.index)
            self.definitions[here.live[name]] = (here.run.stage.index, step.number)
        here.settings |= dict.fromkeys(step.changed, step.number)

    def _results(self, here: _StageGraph) -> None:
        """Add the edges from the steps of a stage to the stage: what is taken out of it, or the whole image."""
        stage, final = here.run.stage.index, here.run.final.files
        for region in self.taken[stage]:
            if region is None:
                continue
            writers: dict[int, dict[str, Op]] = {}
            for op in final.affecting(region):
                number = self._writer(here, op)
                if number is not None:
                    for path in meeting(op.region, region):
                        writers.setdefault(number, {})[path] = op
            reached = 0
            for number in sorted(writers, reverse=True):
                implied, step = bool(reached >> number & 1), here.steps[number]
                why = f"writes {shown_paths(writers[number])}"
                self._edge(step.node, _stage_node(stage), "writes", why, certain=not step.unknown, implied=implied)
                reached |= here.flows[number] | 1 << number
        if None in self.taken[stage] or self.build.is_exported(stage):
            for step in here.steps:
                if not here.needed >> step.number & 1:
                    self._edge(step.node, _stage_node(stage), "image", "in the image")


def _stage_node(index: int) -> str:
    return f"stage:{index}"


def _stage_name(run: StageRun) -> str:
    return run.stage.name_raw or f"stage {run.stage.index}"


def _setting_text(setting: str, state: StageState, definer: Instruction) -> str:
    if setting == "working directory":
        return state.cwd or definer.args
    return " ".join(state.shell) if setting == "shell" else definer.args
