"""Cache keys of buildah and podman (`--layers`, podman's default).

An instruction is reused if an image in the store has the history of everything before it, on the same layers, and one entry more with the
text that this instruction would leave. So every instruction has a key. For most that text is the line as it is written, variables not
expanded; for ARG it is the names of the arguments that have a value; for RUN the line behind the values of the arguments; for COPY and ADD
the digest of what is copied (names, modes, owners, bytes; no times) and the destination as it is written.

Sources: buildah `imagebuildah/stage_executor.go` (`getCreatedBy`, `historyAndDiffIDsMatch`), `digester.go`, of 1.28 and of 2026; builds of
random edits with 1.28 (`tests/soundness/test_buildah_keys.py`).

Limits: what bind mounts of a RUN select counts in 2026 and not in 1.28, so it is refused; so are here-documents, which 1.28
does not read.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockopt.optimizer.cachekeys.chained import PROXIES, ChainedBuild, Link, State
from dockopt.optimizer.cachekeys.content import Selector, Snapshot, content, has_wildcard, resolve
from dockopt.optimizer.cachekeys.operations import Input, by_content, by_either
from dockopt.optimizer.cachekeys.options import KeyOptions
from dockopt.optimizer.cachekeys.steps import StepKey, Unpredictable
from dockopt.optimizer.symbolic.copying import is_remote
from dockopt.optimizer.symbolic.execute import clean_source
from dockopt.optimizer.symbolic.terms import Term, term
from dockopt.optimizer.syntax import Dockerfile, Instruction

_COPY_FLAGS = frozenset({"from", "chown", "chmod"})


def step_keys(dockerfile: Dockerfile, context: Snapshot, options: KeyOptions | None = None) -> list[StepKey]:
    """Return the keys of all instructions that are run for the target, in file order. Raises Unpredictable."""
    return ChainedBuild(dockerfile, context, options or KeyOptions(), _Buildah()).steps(unreached=False)


class _Buildah:
    def link(self, build: ChainedBuild, state: State, instruction: Instruction) -> Link:
        """Return what the entry of the history says."""
        keyword, line = instruction.keyword, instruction.start_line
        if instruction.heredocs:
            raise Unpredictable(f"line {line}: here-documents are not modelled for buildah")
        if keyword == "ARG":
            return Link(["ARG", *sorted(self._known(build, state, instruction))])
        if keyword == "RUN":
            return Link(self._run(state, instruction))
        if keyword in ("COPY", "ADD"):
            return self._copy(build, state, instruction)
        # the joined line, comments taken out
        return Link([instruction.logical])

    def _known(self, build: ChainedBuild, state: State, instruction: Instruction) -> set[str]:
        """Return the names of declared arguments that have a value, those of this ARG included."""
        variables = state.variables
        found = {name for name in variables.arguments() if name in variables.declared}
        new = {pair.key for pair in instruction.pairs if pair.value is not None or pair.key in build.options.build_args}
        return found | new | {pair.key for pair in instruction.pairs if build.global_value(pair.key) is not None}

    def _run(self, state: State, instruction: Instruction) -> list[str | Term]:
        for flag in instruction.flags:
            if flag.name == "mount" and not any(m.raw == flag.value and m.type != "bind" for m in instruction.mounts):
                raise Unpredictable(f"line {instruction.start_line}: bind mounts are not modelled for buildah")
        variables = state.variables
        told = sorted(
            f"{name}={variables.image.get(name, value)}"
            for name, value in variables.arguments().items()
            if name in variables.declared or (name in PROXIES and name in variables.image)
        )
        return ["RUN", " ".join(told), instruction.logical[len("RUN ") :]]

    def _copy(self, build: ChainedBuild, state: State, instruction: Instruction) -> Link:
        line = instruction.start_line
        for flag in instruction.flags:
            if flag.name not in _COPY_FLAGS:
                raise Unpredictable(
                    f"line {line}: `--{flag.name}` of {instruction.keyword} is not modelled for buildah"
                )
        attributes = [build.expand(state, instruction.flag(name) or "") for name in ("chown", "chmod")]
        own: list[str | Term] = [instruction.keyword, instruction.words[-1]]
        sources = [build.expand(state, word) for word in instruction.words[:-1]]
        origin = instruction.flag("from")
        if origin is not None:
            # who owns it counts as part of what is copied
            return Link(own, [by_either(build.origin(origin, line), *sources, *attributes)])
        inputs: list[Input] = []
        for path in sources:
            if instruction.keyword == "ADD" and is_remote(path):
                raise Unpredictable(f"line {line}: what the server of `{path}` answers is not known before the build")
            inputs.append(by_content(_copied(build.context, clean_source(path), attributes)))
        return Link(own, inputs)


def _copied(context: Snapshot, path: str, attributes: list[str]) -> Term:
    """Return what stands for the archive of a source: a file is in it under its own name, a directory is not in it itself."""
    if has_wildcard(path):
        return term("copied", content(context, [Selector(f"/{path}", wildcard=True)]), *attributes)
    target = resolve(context, path, follow=True)
    if target is None:
        return term("nothing", path)
    entry = context.entry(target)
    if entry is not None and not entry.directory:
        return term("copied", posixpath.basename(path), entry.digest, *attributes)
    parts: list[str] = []
    for name, digest in _inside(context, target, ""):
        parts += [name, digest]
    return term("copied", "directory", *parts, *attributes)


def _inside(context: Snapshot, folder: str, shown: str) -> Iterator[tuple[str, str]]:
    for name in sorted(context.names(folder)):
        path, seen = posixpath.join(folder, name), posixpath.join(shown, name)
        entry = context.entry(path)
        if entry is not None:
            yield seen, entry.digest
            if entry.directory:
                yield from _inside(context, path, seen)
