"""Cache keys of kaniko (archived in 2025).

The key of a RUN is made of the digest of the base image and, for every instruction up to it, metadata included, of its text; of RUN, COPY
and ADD also of all variables, sorted; and of what COPY and ADD take from the context: mode, owner and content of each file in the order of
a walk, without names. COPY from a stage counts by the key of that stage. Only RUN is looked up, COPY and ADD too with
`--cache-copy-layers`; after the first miss nothing is.

After kaniko `pkg/executor/build.go`, `composite_cache.go` and `pkg/util/util.go` as they are understood here: the model is neither
tested against kaniko nor checked line by line against its sources.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockopt.optimizer.cachekeys.chained import ChainedBuild, Link, State
from dockopt.optimizer.cachekeys.content import Snapshot, has_wildcard, matching_paths, resolve
from dockopt.optimizer.cachekeys.operations import Input, by_content, by_definition
from dockopt.optimizer.cachekeys.options import KeyOptions
from dockopt.optimizer.cachekeys.steps import StepKey, Unpredictable
from dockopt.optimizer.symbolic.copying import is_remote
from dockopt.optimizer.symbolic.execute import clean_source
from dockopt.optimizer.symbolic.terms import Term, term
from dockopt.optimizer.syntax import Dockerfile, Instruction


def step_keys(
    dockerfile: Dockerfile, context: Snapshot, options: KeyOptions | None = None, *, copy_layers: bool = False
) -> list[StepKey]:
    """Return the keys of the instructions that kaniko looks up, in file order; `copy_layers` is `--cache-copy-layers`.

    Raises Unpredictable.
    """
    looked_up = ("RUN", "COPY", "ADD") if copy_layers else ("RUN",)
    steps = ChainedBuild(dockerfile, context, options or KeyOptions(), _Kaniko()).steps(unreached=True)
    return [step for step in steps if step.instruction.keyword in looked_up]


class _Kaniko:
    def link(self, build: ChainedBuild, state: State, instruction: Instruction) -> Link:
        """Return what is added to the composite key."""
        keyword, line = instruction.keyword, instruction.start_line
        if instruction.heredocs:
            raise Unpredictable(f"line {line}: here-documents are not modelled for kaniko")
        own: list[str | Term] = [instruction.logical]
        if keyword not in ("RUN", "COPY", "ADD"):
            return Link(own)
        values = {**state.variables.arguments(), **state.variables.image}
        own += [f"|{len(values)}", *sorted(f"{name}={value}" for name, value in values.items())]
        inputs: list[Input] = []
        origin = instruction.flag("from")
        if keyword != "RUN" and origin is not None:
            inputs.append(by_definition(build.origin(origin, line)))
        elif keyword != "RUN":
            for word in instruction.words[:-1]:
                path = build.expand(state, word)
                if keyword == "ADD" and is_remote(path):
                    raise Unpredictable(
                        f"line {line}: what the server of `{path}` answers is not known before the build"
                    )
                inputs.append(by_content(term("files", *_digests(build.context, clean_source(path)))))
        return Link(own, inputs)


def _digests(context: Snapshot, path: str) -> Iterator[str]:
    """Yield the digests of what a source selects in the order of a walk: names are no part of them."""
    for found in matching_paths(context, path) if has_wildcard(path) else [path]:
        target = resolve(context, found, follow=True)
        if target is not None:
            yield from _walk(context, target)


def _walk(context: Snapshot, path: str) -> Iterator[str]:
    entry = context.entry(path) if path else None
    if entry is not None:
        yield entry.digest
    if not path or (entry is not None and entry.directory):
        for name in sorted(context.names(path)):
            yield from _walk(context, f"{path}/{name}" if path else name)
