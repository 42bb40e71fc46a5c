"""Where a Dockerfile names images, and which bytes have to change so that it names another one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from dockopt.optimizer.bases import familiar
from dockopt.optimizer.proposal import Edit
from dockopt.optimizer.syntax import Dockerfile, ExpansionError, Instruction, Span, Stage, expand, variables

_ONE_VARIABLE = re.compile(r"(?P<before>[^$]*)\$(?:\{(?P<braced>\w+)\}|(?P<bare>\w+))(?P<after>[^$]*)")
_PLAIN_DEFAULT = re.compile(r"(?P<quote>[\"']?)(?P<value>[A-Za-z0-9._/:@-]+)(?P=quote)")
_PLAIN_REFERENCE = re.compile(r"[A-Za-z0-9._/:@-]+")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the name of an image cannot be told or changed, and the line of the cause."""

    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class ImageWord:
    """One place that names an image, which is no stage of the file."""

    line: int
    #: as it stands there
    written: str
    #: with the default of the build argument in its place, None where that is not known
    reference: str | None
    #: the bytes to replace: all of the name, or the default of the build argument in it
    span: Span | None
    #: what stands around the argument in the name
    before: str = ""
    after: str = ""
    #: the stage whose base this is, None for `--from`
    stage: Stage | None = None
    obstacle: Obstacle | None = None

    def renamed(self, reference: str) -> Edit | Obstacle:
        """Return the edit that makes it name another image."""
        if self.obstacle is not None or self.span is None:
            return self.obstacle or Obstacle("the name cannot be changed", self.line)
        end = len(reference) - len(self.after)
        if not (reference.startswith(self.before) and reference.endswith(self.after)) or end < len(self.before):
            return Obstacle(f"`{self.written}` cannot come to name `{reference}` by another default", self.line)
        return Edit(*self.span, reference[len(self.before) : end].encode())


def base_words(dockerfile: Dockerfile, replaced: Collection[str] = ()) -> Iterator[ImageWord]:
    """Yield the base images of all stages; `replaced` are names to which a build gives another content."""
    for stage in dockerfile.stages:
        names = {other.name for other in dockerfile.stages[: stage.index]}
        if stage.base == "scratch" or stage.base.lower() in names:
            continue
        spans = stage.from_.word_spans
        word = _word(dockerfile, stage, spans[0] if spans else None, replaced)
        # variables may name a stage, too
        if word.reference is None or word.reference.lower() not in names:
            yield word


def renamed_base(
    dockerfile: Dockerfile, stage: Stage, reference: str, replaced: Collection[str] = ()
) -> Edit | Obstacle:
    """Return the edit that starts a stage from another image, or why its base cannot be renamed."""
    for word in base_words(dockerfile, replaced):
        if word.stage is not None and word.stage.index == stage.index:
            return word.renamed(reference)
    return Obstacle(f"`{stage.base}` is no name of an image", stage.from_.start_line)


def source_words(dockerfile: Dockerfile, replaced: Collection[str] = ()) -> Iterator[ImageWord]:
    """Yield the images that COPY, ADD and mounts take files from."""
    for instruction in dockerfile.instructions:
        for name, span in _sources(instruction):
            stages = {name for stage in dockerfile.stages for name in (stage.name, str(stage.index))}
            if name.lower() in stages or name == "scratch" or familiar(name) in map(familiar, replaced):
                continue
            if _PLAIN_REFERENCE.fullmatch(name) is None or dockerfile.source[slice(*span)] != name.encode():
                yield _unknown(instruction.start_line, name, "it is no plain name of an image")
            else:
                yield ImageWord(instruction.start_line, name, name, span)


def _sources(instruction: Instruction) -> Iterator[tuple[str, Span]]:
    for flag in instruction.flags:
        if flag.name == "from" and flag.value:
            yield flag.value, Span(flag.span.end - len(flag.value), flag.span.end)
        elif flag.name == "mount" and flag.value:
            found = re.search(r"(?:^|[,=])from=([^,\"\s]+)", flag.raw)
            if found is not None:
                yield found[1], Span(flag.span.start + found.start(1), flag.span.start + found.end(1))


def _word(dockerfile: Dockerfile, stage: Stage, span: Span | None, replaced: Collection[str]) -> ImageWord:
    line, base = stage.from_.start_line, stage.base
    if familiar(base) in map(familiar, replaced):
        return _unknown(line, base, f"some build puts another content in the place of `{base}`", stage=stage)
    if span is None or dockerfile.source[slice(*span)] != base.encode():
        return _unknown(line, base, "the name of the base image is not written in one piece", stage=stage)
    if "$" not in base:
        if _PLAIN_REFERENCE.fullmatch(base) is None:
            return _unknown(line, base, "it is no plain name of an image", stage=stage)
        return ImageWord(line, base, base, span, stage=stage)
    reference = _by_defaults(dockerfile, base)
    found = _ONE_VARIABLE.fullmatch(base)
    if found is None:
        obstacle = Obstacle(f"`{base}` has more than one variable, or an expression", line)
        return ImageWord(line, base, reference, None, stage=stage, obstacle=obstacle)
    name = found["braced"] or found["bare"]
    default = _default_span(dockerfile, name, line)
    if isinstance(default, Obstacle):
        return ImageWord(line, base, reference, None, stage=stage, obstacle=default)
    shared = _other_use(dockerfile, name, base)
    return ImageWord(line, base, reference, default, found["before"], found["after"], stage, shared)


def _by_defaults(dockerfile: Dockerfile, base: str) -> str | None:
    """Return what a name is where no build argument is given, None where that is not known before the build."""
    known: dict[str, str | None] = {}
    try:
        for arg in dockerfile.meta_args:
            for pair in arg.pairs:
                if pair.value is None:
                    known.setdefault(pair.key, None)
                elif variables(pair.value, dockerfile.escape) <= known.keys():
                    known[pair.key] = expand(pair.value, known.get, dockerfile.escape)
                else:
                    known.pop(pair.key, None)
        if not variables(base, dockerfile.escape) <= known.keys():
            return None
        found = expand(base, known.get, dockerfile.escape)
    except ExpansionError:
        return None
    return found if _PLAIN_REFERENCE.fullmatch(found) else None


def _default_span(dockerfile: Dockerfile, name: str, line: int) -> Span | Obstacle:
    """Return where the default of a build argument before the first FROM stands."""
    found = [(arg, pair) for arg in dockerfile.meta_args for pair in arg.pairs if pair.key == name]
    if len(found) != 1:
        what = "is declared more than once" if found else "is not declared before the first FROM"
        return Obstacle(f"the build argument `{name}` {what}", found[1][0].start_line if found else line)
    arg, pair = found[0]
    if pair.value is None:
        return Obstacle(
            f"the build argument `{name}` has no default: only the build says which image it is", arg.start_line
        )
    plain = _PLAIN_DEFAULT.fullmatch(pair.value)
    if plain is None or dockerfile.source[slice(*pair.span)] != f"{name}={pair.value}".encode():
        return Obstacle(f"the default of the build argument `{name}` is no plain text", arg.start_line)
    start = pair.span.start + len(name) + 1 + plain.start("value")
    return Span(start, start + len(plain["value"]))


def _other_use(dockerfile: Dockerfile, name: str, base: str) -> Obstacle | None:
    """Return where else a build argument counts: another default would change more than this base image."""
    escape = dockerfile.escape
    for arg in dockerfile.meta_args:
        if any(pair.key != name and name in variables(pair.value or "", escape) for pair in arg.pairs):
            return Obstacle(f"another build argument is made of `{name}`", arg.start_line)
    for stage in dockerfile.stages:
        line = stage.from_.start_line
        if name in variables(stage.platform or "", escape):
            return Obstacle(f"the build argument `{name}` chooses a platform, too", line)
        if stage.base != base and name in variables(stage.base, escape):
            return Obstacle(f"the build argument `{name}` is part of another base image, too", line)
        for instruction in stage.instructions:
            declared = instruction.child if instruction.child is not None else instruction
            if declared.keyword == "ARG" and any(pair.key == name and pair.value is None for pair in declared.pairs):
                return Obstacle(f"the stage asks for the build argument `{name}`, too", instruction.start_line)
    return None


def _unknown(line: int, written: str, reason: str, *, stage: Stage | None = None) -> ImageWord:
    return ImageWord(line, written, None, None, stage=stage, obstacle=Obstacle(reason, line))
