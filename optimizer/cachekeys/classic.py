"""Cache keys of the classic builder (`DOCKER_BUILDKIT=0`).

An instruction is reused if the image before it has a child that was committed with the same configuration; the command there is a comment
with the instruction in it. So every instruction has a key. What COPY takes is hashed by path, mode and content, and from another stage
always by content. The arguments that ARG has made known stand before the command of RUN, but for those that ENV hides.

Sources: moby `daemon/builder/dockerfile/{dispatchers,internals,copy,buildargs}.go`, `remotecontext/`, `image/cache/compare.go`; builds of
random edits (`tests/soundness/test_classic_keys.py`).

Limit: HEALTHCHECK counts as it is written (`1m` is not `60s`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockopt.optimizer.cachekeys.chained import PROXIES, ChainedBuild, Link, State
from dockopt.optimizer.cachekeys.content import Snapshot, has_wildcard, matching_paths, resolve
from dockopt.optimizer.cachekeys.operations import Input, by_content, by_either
from dockopt.optimizer.cachekeys.options import KeyOptions
from dockopt.optimizer.cachekeys.steps import StepKey, Unpredictable
from dockopt.optimizer.symbolic.copying import is_remote
from dockopt.optimizer.symbolic.execute import clean_source
from dockopt.optimizer.symbolic.terms import Term, term
from dockopt.optimizer.syntax import Dockerfile, Instruction


def step_keys(dockerfile: Dockerfile, context: Snapshot, options: KeyOptions | None = None) -> list[StepKey]:
    """Return the keys of all instructions up to the end of the target; all stages on the way are built. Raises Unpredictable."""
    return ChainedBuild(dockerfile, context, options or KeyOptions(), _Classic()).steps(unreached=True)


class _Classic:
    def link(self, build: ChainedBuild, state: State, instruction: Instruction) -> Link:
        """Return what the comment or the command of the committed configuration says."""
        keyword, line = instruction.keyword, instruction.start_line
        if instruction.heredocs:
            raise Unpredictable(f"line {line}: the classic builder does not read here-documents")
        if keyword == "RUN":
            return Link([keyword, *self._run(build, state, instruction)])
        if keyword in ("COPY", "ADD"):
            return self._copy(build, state, instruction)
        return Link([keyword, *self._metadata(build, state, instruction)])

    def _metadata(self, build: ChainedBuild, state: State, instruction: Instruction) -> list[str]:
        keyword = instruction.keyword
        if keyword in ("ENV", "LABEL"):
            # the names are expanded too
            return [build.expand(state, text) for pair in instruction.pairs for text in (pair.key, pair.value or "")]
        if keyword == "ARG":
            return [
                pair.key if pair.value is None else f"{pair.key}={build.expand(state, pair.value)}"
                for pair in instruction.pairs
            ]
        if keyword in ("CMD", "ENTRYPOINT"):
            return [*build.command(state, instruction)]
        if keyword == "EXPOSE":
            return [build.expand(state, word) for word in sorted(instruction.words)]
        if keyword == "VOLUME":
            return [build.expand(state, word) for word in instruction.words]
        if keyword == "SHELL":
            return [*(instruction.json or ())]
        if keyword == "WORKDIR":
            return [build.directory(state, instruction)]
        if keyword in ("USER", "STOPSIGNAL"):
            return [build.expand(state, instruction.args)]
        return [*(f"--{flag.name}={flag.value}" for flag in instruction.flags), instruction.args]

    def _run(self, build: ChainedBuild, state: State, instruction: Instruction) -> list[str]:
        if instruction.flags:
            raise Unpredictable(f"line {instruction.start_line}: the classic builder has no options of RUN")
        variables = state.variables
        seen = {name: value for name, value in variables.arguments().items() if name not in variables.image}
        # proxies that no ARG names are left out, but not their trace (`prependEnvOnCmd`)
        told = sorted(f"{n}={v}" for n, v in seen.items() if n in variables.declared or n not in PROXIES)
        command = build.command(state, instruction)
        return [f"|{len(told)}", *told, *command] if seen else [*command]

    def _copy(self, build: ChainedBuild, state: State, instruction: Instruction) -> Link:
        line = instruction.start_line
        for flag in instruction.flags:
            if flag.name not in ("from", "chown", "link"):
                raise Unpredictable(f"line {line}: the classic builder has no `--{flag.name}` of {instruction.keyword}")
        owner = build.expand(state, instruction.flag("chown") or "")
        own: list[str | Term] = [instruction.keyword, owner, build.expand(state, instruction.words[-1])]
        sources = [build.expand(state, word) for word in instruction.words[:-1]]
        origin = instruction.flag("from")
        if origin is not None:
            key = build.origin(origin, line)
            return Link(own, [by_either(key, *sources)])
        inputs: list[Input] = []
        for path in sources:
            if instruction.keyword == "ADD" and is_remote(path):
                raise Unpredictable(f"line {line}: what the server of `{path}` answers is not known before the build")
            inputs += [by_content(value) for value in _hashes(build.context, clean_source(path))]
        return Link(own, inputs)


def _hashes(context: Snapshot, path: str) -> list[Term]:
    """Return the hashes of what a source selects, one for each match."""
    if not has_wildcard(path):
        return [_hash(context, path)]
    return [_hash(context, found) for found in matching_paths(context, path)]


def _hash(context: Snapshot, path: str) -> Term:
    target = resolve(context, path, follow=True)
    if target is None:
        # a link that leads nowhere
        return term("nothing", path)
    entry = context.entry(target)
    if entry is not None and not entry.directory:
        return _own_hash(context, path)
    inside = [_own_hash(context, found).digest for found in _walk(context, target)]
    return term("dir", *sorted([_own_hash(context, target).digest, *inside] if target else inside))


def _own_hash(context: Snapshot, path: str) -> Term:
    """Return the hash of one entry, a link followed: its path counts, its time does not."""
    target = resolve(context, path, follow=True)
    entry = context.entry(target) if target else None
    if target is None or entry is None:
        return term("path", path)
    return term("entry", target, entry.digest)


def _walk(context: Snapshot, folder: str) -> Iterator[str]:
    """Yield all paths below a directory in the order of a walk; links are not entered."""
    for name in sorted(context.names(folder)):
        path = posixpath.join(folder, name)
        yield path
        entry = context.entry(path)
        if entry is not None and entry.directory:
            yield from _walk(context, path)
