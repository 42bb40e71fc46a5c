"""Cuts a stage that builds and runs in two: where it ends, what goes along, and how that is written down."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from dockopt.optimizer.ecosystems.go.binary import GoBuild
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit, Refusal
from dockopt.optimizer.syntax import Dockerfile, Instruction, Pair, Stage, variables
from dockopt.rewrites.editing import PLAIN, block_start, keyword

#: variables that the go tool reads, and programs that it has built do not (`go help environment`)
TOOLCHAIN = frozenset(
    "CGO_ENABLED GOOS GOARCH GOARM GOAMD64 GO111MODULE GOPROXY GOPRIVATE GONOSUMDB GONOPROXY GOSUMDB GOINSECURE GOFLAGS GOCACHE "
    "GOMODCACHE GOPATH GOBIN GOTOOLCHAIN GOVCS GOWORK GOENV CGO_CFLAGS CGO_LDFLAGS CGO_CXXFLAGS DEBIAN_FRONTEND".split()
)
#: what a build does not look at: it goes over to the new stage
_CONFIGURES = frozenset("CMD ENTRYPOINT EXPOSE LABEL HEALTHCHECK VOLUME STOPSIGNAL MAINTAINER".split())
#: what commands look at too: it stays, and is said again
_BOTH = frozenset("ENV ARG USER".split())
_BUILDS = frozenset("RUN COPY ADD".split())
#: means the same with an equals sign, in quotes or without
_PLAIN_VALUE = re.compile(r"[\w./:@%+=,-]+(?: +[\w./:@%+=,-]+)*", re.ASCII)
_NAMES = ("build", "builder", "go-build")


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a stage is cut, and what of its head the new stage repeats."""

    dockerfile: Dockerfile
    stage: Stage
    name: str  #: of the stage that builds
    last: Instruction  #: that builds
    moved: tuple[Instruction, ...]
    #: lines of the new stage, in their order, without line ends
    repeated: tuple[str, ...]
    cwd: str
    #: variables of the toolchain that stay behind
    dropped: frozenset[str]

    def edits(
        self, image: str, copies: Sequence[tuple[str, str]], owners: Mapping[str, str] = MappingProxyType({})
    ) -> list[Edit]:
        """Return the edits that name the stage and put the new one, with its base image and `copies` (from, to), behind it.

        `owners` says to whom a target belongs, where that is not who has it in the stage that builds.
        """
        newline = self.dockerfile.newline
        like = self.stage.from_
        edits = []
        if self.stage.name is None:
            at = like.span.start + len(like.raw.rstrip())
            edits.append(Edit(at, at, f" {keyword('AS', like)} {self.name}".encode()))
        lines = [f"{keyword('FROM', like)} {image}"]
        if self.cwd != "/":
            lines.append(f"{keyword('WORKDIR', like)} {self.cwd}")
        for source, target in copies:
            owner = f" --chown={owners[target]}" if target in owners else ""
            lines.append(f"{keyword('COPY', like)} --from={self.name}{owner} {source} {target}")
        text = newline + b"".join(line.encode() + newline for line in (*lines, *self.repeated))
        for instruction in self.moved:
            start, end = block_start(instruction), instruction.span.end
            block = self.dockerfile.source[start:end]
            text += block if block.endswith(b"\n") else block + newline
            edits.append(Edit(*self._with_blank_line(start, end), b""))
        if not self.last.raw.endswith(b"\n"):
            text = newline + text.removesuffix(newline)
        edits.append(Edit(self.last.span.end, self.last.span.end, text))
        return edits

    def _with_blank_line(self, start: int, end: int) -> tuple[int, int]:
        """Take the blank line below along where there is one above."""
        source, newline = self.dockerfile.source, self.dockerfile.newline
        if source[:start].endswith(newline * 2) and source[end:].startswith(newline):
            return start, end + len(newline)
        return start, end


def keepers(build: Build, stage: Stage, made: GoBuild) -> frozenset[str]:
    """Return the variables of the toolchain that the program, or a setting of the image, asks for all the same."""
    used: set[str] = set()
    for path in () if made.facts is None else made.facts.files:
        data = made.tree.read(path) or b""
        used |= {name for name in TOOLCHAIN if f'"{name}"'.encode() in data}
    for instruction in stage.instructions:
        if instruction.keyword not in _BUILDS | {"ARG", "FROM", "WORKDIR"}:
            used |= variables(instruction.args, build.dockerfile.escape) & TOOLCHAIN
    return frozenset(used)


def _again(pair: Pair) -> str:
    """Return a variable as the new stage sets it; BuildKit complains of each `ENV key value`, so that form is not repeated."""
    # quotes are taken off in either form
    value = (pair.value or "").replace('"', "")
    if pair.raw.startswith(f"{pair.key}=") or _PLAIN_VALUE.fullmatch(value) is None:
        return " ".join(pair.raw.split("\n"))
    return f'{pair.key}="{value}"' if " " in value else f"{pair.key}={value}"


def cut_stage(build: Build, stage: Stage, kept: frozenset[str]) -> Cut | Refusal:
    """Find out where a stage can be cut; `kept` are variables of the toolchain that go along. Raises Unsupported."""
    dockerfile = build.dockerfile
    positions = [i for i, instruction in enumerate(stage.instructions) if instruction.keyword in _BUILDS]
    cut = positions[-1]
    head, tail = stage.instructions[: cut + 1], stage.instructions[cut + 1 :]
    moved = tuple(i for i in head if i.keyword in _CONFIGURES)
    state = build.runs[stage.index].states[cut + 1]
    line = stage.from_.start_line
    if state.cwd is None or not PLAIN.fullmatch(state.cwd):
        return Refusal(
            "", line, "its working directory is not known before the build, or has unusual characters", "", line
        )
    wanted: set[str] = set()
    for instruction in (*moved, *tail, *(i for i in head if i.keyword in ("ENV", "USER"))):
        wanted |= variables(instruction.args, dockerfile.escape)
    repeated: list[str] = []
    dropped: set[str] = set()
    users = [i for i in head if i.keyword == "USER"]
    for instruction in head:
        word = keyword(instruction.keyword, instruction)
        if instruction.keyword == "ENV":
            pairs = [pair for pair in instruction.pairs if pair.key not in TOOLCHAIN or pair.key in kept]
            dropped |= {pair.key for pair in instruction.pairs} - {pair.key for pair in pairs}
            if pairs:
                repeated.append(f"{word} {' '.join(map(_again, pairs))}")
        elif instruction.keyword == "ARG":
            pairs = [pair for pair in instruction.pairs if pair.key in wanted]
            repeated += [f"{word} {pair.raw}" for pair in pairs]
        elif instruction.keyword == "USER" and instruction is users[-1]:
            repeated.append(f"{word} {instruction.args.strip()}")
    if any(re.search(r"[\r\n\\]", entry) for entry in repeated):
        return Refusal("", line, "a variable goes over several lines, or has escapes: it is not copied", "", line)
    taken = {other.name for other in dockerfile.stages} | set(build.named_contexts)
    name = stage.name_raw or next((n for n in _NAMES if n not in taken), "")
    if not name:
        return Refusal("", line, "the names for a stage that builds are taken", "", line)
    later = {pair.key for i in tail if i.keyword == "ENV" for pair in i.pairs}
    return Cut(dockerfile, stage, name, head[-1], moved, tuple(repeated), state.cwd, frozenset(dropped - later))
