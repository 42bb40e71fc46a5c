"""Random small projects (Dockerfile, context, build arguments) and random edits of them, for the tests of cache keys.

`PLAIN`, `COMMANDS` and `RUNS` build on a real engine. `SPELLINGS` has what only `dockerfile2llb` has to read: the same thing said in
several ways, and options that an engine would need more for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from dockopt.optimizer.cachekeys import BaseImage, Entry, KeyOptions
from hypothesis import strategies as st

from tests.soundness.generator import BASES, BEGINNINGS, COMMANDS, CONTEXT, PLAIN, RUNS, Node

#: what `COPY --from` and mounts take from an earlier stage `s0`
FROM_STAGE = (
    "COPY --from=s0 /w /x/", "COPY --from=s0 /w/a /x/a", "COPY --from=s0 /w/b /x/a", "COPY --from=s0 /w/ /w/",
    "COPY --from=0 /w /x/", "COPY --from=S0 /w /w", "COPY --from=s0 /nonce /x/", "COPY --from=s0 /w/a /w/b /x/",
    "COPY --from=s0 /w/[ab] /x/",
)  # fmt: skip
RUN_FROM_STAGE = (
    "RUN --mount=type=bind,from=s0,target=/m ls /m > /tmp/ls",
    "RUN --mount=type=bind,from=s0,source=/w,target=/m ls /m > /tmp/ls",
    "RUN --mount=type=cache,from=s0,source=/w,target=/c true",
)  # fmt: skip
#: variables that build arguments fill
WITH_ARGS = (
    "ARG A", "ARG A=1", "ARG B", "ARG B=$A", "ARG P", "ARG P=a", "ARG G", "ARG G=b", "ENV E=$A", "ENV A=$P", "COPY $P /w/",
    "COPY ${P:-a} /w/p", "COPY a /w/${A:-0}", "COPY ${G:-b} /w/", "COPY --chmod=${M:-644} a /w/",
    "COPY --chown=${U:-0}:5 a /w/", "ARG M", "ARG U=1", "WORKDIR /w/${A:-d}", "USER ${U:-root}",
    "COPY <<EOF /w/doc\n$A $E\nEOF", "COPY <<'EOF' /w/doc\n$A $E\nEOF", "LABEL l=$A", "ARG TARGETARCH", "ARG TARGETPLATFORM",
    "ARG A=1 C=$A", "ENV A=1 C=$A", "ARG http_proxy", "COPY dir/${P:+sub}/ /w/z/",
)  # fmt: skip
SPELLINGS = (
    "COPY a ./w/a", "COPY ./a /w/a", "COPY /a /w/a", "COPY ../a /w/a", "COPY a /w//a", "COPY a /w/./a", "COPY a /w/.",
    "COPY a /w/..", "COPY dir/ /w/dir", 'COPY ["a", "/w/a"]', "COPY --chmod=0644 a /w/a", "COPY --chmod=644 a /w/a",
    "COPY --chmod=u=rwX,go=rX a /w/a", "COPY --chown=0:0 a /w/a", "COPY --chown=root a /w/a", "COPY --chown=root:root a /w/a",
    "COPY --chown=0 a /w/a", "COPY --chown=01:2 a /w/a", "COPY --chown=1: a /w/a", "COPY --chown=bin:5 a /w/a",
    "COPY --chown=+1:2 a /w/a", "COPY --link=true a /w/a", "COPY --link=false a /w/a", "COPY --link dir /w/",
    "COPY --link --chmod=600 a /w/a", "ADD --unpack=false a /w/a", "ADD --unpack=true a /w/a", "ADD --link a /w/a",
    "COPY dir dir/x /y/", "COPY dir/x dir /y/", "COPY dir/x w/a /y/", "COPY w/a dir/x /y/", "COPY a w/a /y/", "COPY w/a a /y/",
    "COPY */x /y/", "COPY */a /y/", "COPY d*/x /y/", "COPY dir/* /y/", "COPY dir/[x] /y/", "COPY d*r /y/", "COPY * /y/",
    "COPY ?/a /y/", "COPY no* /y/", "COPY al/x /y/", "COPY al /y/", "COPY al/ /y/", "COPY al* /y/", "COPY al/* /y/",
    "COPY dir/link /y/", "COPY dir/li* /y/", "COPY up/a /y/", "COPY <<A <<B /y/\na\nA\nb\nB", "COPY <<A a <<B /y/\na\nA\nb\nB",
    "COPY <<A <<A /y/\na\nA\nb\nA", "COPY <<-EOF /w/here\n\thi $A\nEOF", 'COPY <<"EOF" /w/here\nhi $A\nEOF',
    "COPY <<EOT /w/here\nhi $A\nEOT", 'COPY <<EOF /w/here\nhi "$A" \\$A\nEOF', "COPY <<EOF dir /y/\nhi\nEOF", "WORKDIR /w/.",
    "WORKDIR //w", "WORKDIR /w/", "WORKDIR .", "WORKDIR ..", "WORKDIR /", 'WORKDIR "/w"', "USER 0", "USER 00", "USER 1000:1000",
    "USER bin", "USER root:root", 'SHELL ["/bin/sh", "-c"]', 'SHELL ["/bin/bash", "-c"]', "ENV A 1", "ENV PATH=/bin",
    "ENV PATH=$PATH", "ENV B=1 A=1", "MAINTAINER me", "ONBUILD COPY a /w/onbuild",
)  # fmt: skip
RUN_SPELLINGS = (
    'RUN ["/bin/sh", "-c", "true"]', "RUN true \\\n  && true", "RUN true   && true", "RUN --network=default true",
    "RUN --network=host true", "RUN --security=sandbox true", "RUN <<EOF\ntrue\nEOF", "RUN <<EOT\ntrue\nEOT",
    'RUN <<"EOF"\ntrue\nEOF', "RUN <<-EOF\n\ttrue\nEOF", "RUN cat <<EOF\ntrue\nEOF", "RUN cat <<-EOF\n\ttrue\nEOF",
    "RUN cat <<A <<B\na\nA\nb\nB", "RUN <<EOF sh\ntrue\nEOF", "RUN <<EOF\n#!/bin/sh\ntrue\nEOF", "RUN <<E\n#!/bin/sh\ntrue\nE",
    "RUN --mount=target=/m true", "RUN --mount=target=/m/ true", "RUN --mount=target=m true",
    "RUN --mount=type=bind,target=/m,source=/ true", "RUN --mount=type=bind,src=dir,dst=/m true",
    "RUN --mount=type=bind,source=./dir/,target=/m true", "RUN --mount=type=bind,source=a,target=/m,rw true",
    "RUN --mount=type=bind,source=a,target=/m,ro true",
    "RUN --mount=type=bind,source=a,target=/m --mount=type=bind,source=b,target=/n true",
    "RUN --mount=type=bind,source=b,target=/n --mount=type=bind,source=a,target=/m true",
    "RUN --mount=type=bind,source=b,target=/m --mount=type=bind,source=a,target=/n true",
    "RUN --mount=type=bind,source=dir/x,target=/m --mount=type=bind,source=dir,target=/n true",
    "RUN --mount=type=bind,source=dir/link,target=/m true", "RUN --mount=type=cache,target=/c true",
    "RUN --mount=type=cache,target=/c,id=/c true", "RUN --mount=type=cache,target=/c,id=c true",
    "RUN --mount=type=cache,target=/c,id=d,sharing=locked true", "RUN --mount=type=cache,target=/c,sharing=private true",
    "RUN --mount=type=cache,target=/c,sharing=shared true", "RUN --mount=type=cache,target=/c/ true",
    "RUN --mount=type=cache,target=c true", "RUN --mount=type=cache,target=/c,uid=5 true",
    "RUN --mount=type=cache,target=/c,uid=5,mode=0755,gid=0 true", "RUN --mount=type=cache,target=/c,mode=700 true",
    "RUN --mount=type=cache,target=/c,ro true", "RUN --mount=type=tmpfs,target=/c true",
    "RUN --mount=type=tmpfs,target=/c,size=1048576 true", "RUN --mount=type=secret,id=s true",
    "RUN --mount=type=secret,id=s,target=/run/secrets/s true", "RUN --mount=type=secret,target=/run/secrets/s true",
    "RUN --mount=type=secret,id=s,required true", "RUN --mount=type=secret,id=s,required=true true",
    "RUN --mount=type=secret,id=s,env=S true", "RUN --mount=type=secret,source=s,mode=0400 true",
    "RUN --mount=type=secret,id=s,uid=0 true", "RUN --mount=type=ssh true", "RUN --mount=type=ssh,id=default true",
    "RUN --mount=type=ssh,required true", "RUN --mount=type=ssh,target=/s true", "RUN --mount=type=bind,target=/m/$A true",
    "RUN --mount=type=bind,source=${P:-a},target=/m true", "RUN --mount=type=bind,from=busybox,target=/m true",
    "RUN --mount=type=bind,from=0,target=/m true", "COPY --from=busybox /bin/sh /x/",
    "COPY --from=docker.io/library/busybox:latest /bin/sh /x/", "COPY --from=debian:12 /bin/sh /x/",
    "COPY --from=busybox /bin/sh /bin/ls /x/", "COPY --from=busybox /bin/ls /bin/sh /x/", "ONBUILD RUN true",
)  # fmt: skip
#: ways to write the first line of a stage
BASE_SPELLINGS = (
    "busybox", "busybox:latest", "docker.io/library/busybox", "--platform=linux/amd64 busybox",
    "--platform=$TARGETPLATFORM busybox", "--platform=linux/arm64 busybox", "debian:12", "debian:${V:-12}", "$BASE", "scratch",
)  # fmt: skip
HEADS = (
    "",
    "ARG BASE=busybox\n",
    "ARG BASE=debian:12\nARG V\n",
    "ARG V=12\nARG BASE=debian:$V\nARG G=a\n",
    "ARG G\nARG A=9\nARG BASE=busybox\n",
)
#: links to directories, that `CONTEXT` has not
LINKS = {
    "al": Node(target="dir"),
    "up": Node(target="dir/../w"),
    "dir/abs": Node(target="/a"),
    "dangling": Node(target="nowhere"),
}
ARGUMENTS = {
    "A": ("1", "2", ""), "B": ("x",), "P": ("a", "b", "dir"), "G": ("a", "b"), "U": ("0", "1", "root"), "M": ("600", "0600"),
    "V": ("12",), "X": ("1",), "http_proxy": ("p", "q"),
}  # fmt: skip


@dataclass
class Project:
    """What one build is given."""

    stages: list[list[str]]
    nodes: dict[str, Node]
    build_args: dict[str, str] = field(default_factory=dict)
    target: str | None = None
    head: str = ""

    def text(self) -> str:
        """Return the Dockerfile."""
        return self.head + "".join(line + "\n" for stage in self.stages for line in stage)

    def copy(self) -> Project:
        return Project(
            [[*lines] for lines in self.stages], dict(self.nodes), dict(self.build_args), self.target, self.head
        )

    def options(
        self,
        images: Mapping[str, BaseImage],
        *,
        network: str = "default",
        merges: bool = False,
        expands_mode: bool = True,
    ) -> KeyOptions:
        """Return the options of the build."""
        return KeyOptions(
            self.build_args,
            self.target,
            network=network,
            merges_layers=merges,
            expands_mode=expands_mode,
            images=images,
        )


class NodesSnapshot:
    """The context as the client sends it, see `dockopt.optimizer.cachekeys.Snapshot`."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes

    def entry(self, path: str) -> Entry | None:
        node = self._nodes.get(path)
        if node is None:
            return Entry("", directory=True) if not path else None
        mode = 0o777 if node.target is not None else node.mode
        digest = hashlib.sha256(repr((node.data, node.target, mode)).encode()).hexdigest()
        return Entry(digest, node.data is None and node.target is None, node.target)

    def names(self, path: str) -> Sequence[str]:
        prefix = f"{path}/" if path else ""
        return [n[len(prefix) :] for n in self._nodes if n.startswith(prefix) and "/" not in n[len(prefix) :]]


@st.composite
def projects(draw: st.DrawFn, *, spellings: bool, nonce: str) -> Project:
    """A Dockerfile of one to three stages; with `spellings`, one that need not build."""
    found: list[list[str]] = []
    for i in range(draw(st.sampled_from((1, 1, 2, 2, 3) if spellings else (1, 1, 2)))):
        earlier = tuple(f"s{n}" for n in range(i))
        base = draw(st.sampled_from((*(BASE_SPELLINGS if spellings else BASES), *earlier, *earlier)))
        lines = [f"FROM {base} AS s{i}", "COPY nonce /nonce"]
        runs = base != "scratch" and (spellings or _runs(base, found))
        lines += [line for line in draw(st.sampled_from(BEGINNINGS)) if runs or not line.startswith("RUN")]
        lines += draw(st.lists(instructions(runs=runs, stage=bool(i), spellings=spellings), min_size=1, max_size=6))
        if i and not spellings:
            lines.append("COPY --from=s0 /nonce /x/")
        found.append(lines)
    nodes = {**CONTEXT, **(LINKS if spellings else {}), "nonce": Node(nonce.encode())}
    project = Project(found, nodes, draw(build_arguments()))
    if spellings:
        project.head = draw(st.sampled_from(HEADS))
        project.target = draw(st.sampled_from((None, None, None, "s0", "0")))
    return project


def _runs(base: str, stages: Sequence[Sequence[str]]) -> bool:
    """Tell whether a stage has a shell in the end."""
    while base.startswith("s") and base[1:].isdigit():
        base = stages[int(base[1:])][0].split()[1]
    return base != "scratch"


def build_arguments() -> st.SearchStrategy[dict[str, str]]:
    one = st.sampled_from(sorted(ARGUMENTS)).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(ARGUMENTS[name]))
    )
    return st.lists(one, max_size=3).map(dict)


def pools(*, runs: bool, stage: bool, spellings: bool) -> list[tuple[str, ...]]:
    """Return what one instruction is drawn from; `stage` tells that there is an earlier one to copy from."""
    found: list[tuple[str, ...]] = [PLAIN, WITH_ARGS]
    if spellings:
        found.append(SPELLINGS)
    if stage:
        found.append(FROM_STAGE)
    if runs:
        # all in one, for these are what takes time on an engine
        commands = (*(f"RUN {text}" for text in COMMANDS), *RUNS, *(RUN_FROM_STAGE if stage else ()))
        found.append((*commands, *RUN_SPELLINGS) if spellings else commands)
    return found


def instructions(*, runs: bool, stage: bool, spellings: bool) -> st.SearchStrategy[str]:
    """One instruction."""
    return st.one_of([st.sampled_from(pool) for pool in pools(runs=runs, stage=stage, spellings=spellings)])


T = TypeVar("T")


class Pick(Protocol):
    """Chooses one of several: hypothesis where a failure has to shrink, a random number where edits have to vary."""

    def __call__(self, of: Sequence[T], /) -> T:
        """Return one of them."""


_KINDS = (
    "content", "content", "mode", "new", "gone", "rename", "line", "line", "insert", "swap", "comment", "drop", "argument", "argument",
)  # fmt: skip


def edit(pick: Pick, project: Project, *, spellings: bool) -> str:
    """Make one edit in place, and return its kind; "nothing" for one that changes nothing."""
    before = project.copy()
    kind = pick((*_KINDS, "head", "target", "base", "link") if spellings else _KINDS)
    nodes = project.nodes
    if kind in ("content", "mode", "new", "gone", "rename", "link"):
        _edit_context(pick, kind, nodes)
    elif kind == "argument":
        name = pick(sorted(ARGUMENTS))
        value = pick((None, *ARGUMENTS[name]))
        project.build_args.pop(name, None)
        if value is not None:
            project.build_args[name] = value
    elif kind == "head":
        project.head = pick(HEADS)
    elif kind == "target":
        project.target = pick((None, "s0", "S0", "0", f"s{len(project.stages) - 1}"))
    elif kind == "base":
        number = pick(range(len(project.stages)))
        project.stages[number][0] = f"FROM {pick(BASE_SPELLINGS)} AS s{number}"
    else:
        _edit_lines(pick, kind, project, spellings=spellings)
    return kind if project != before else "nothing"


def _edit_context(pick: Pick, kind: str, nodes: dict[str, Node]) -> None:
    paths = {
        "content": [path for path, node in nodes.items() if node.data is not None],
        "mode": [path for path, node in nodes.items() if node.target is None],
        "link": [path for path, node in nodes.items() if node.target is not None],
    }.get(kind, list(nodes))
    paths = sorted(set(paths) - {"nonce"})
    if not paths:
        return
    path = pick(paths)
    node = nodes[path]
    below = [other for other in nodes if other == path or other.startswith(path + "/")]
    if kind == "content":
        nodes[path] = node._replace(data=pick([data for data in (b"edited\n", b"x\n", b"") if data != node.data]))
    elif kind == "mode":
        nodes[path] = node._replace(mode=pick([mode for mode in (0o755, 0o700, 0o644, 0o600) if mode != node.mode]))
    elif kind == "link":
        nodes[path] = node._replace(target=pick(("a", "x", "w", "dir", "/dir", "../w", "nowhere")))
    elif kind == "new":
        place = pick(("new", "dir/new", "w/new", "dir/sub/x", "w/x"))
        folder = place.rpartition("/")[0]
        if not folder or (folder in nodes and nodes[folder].data is None and nodes[folder].target is None):
            nodes[place] = pick((Node(b"new\n"), Node(b"x\n"), Node(mode=0o755), Node(target="a")))
    elif kind == "gone":
        for other in below:
            del nodes[other]
    elif kind == "rename":
        to = pick(("a2", "v", "b"))
        if to not in nodes:
            for other in below:
                nodes[to + other[len(path) :]] = nodes.pop(other)


def _edit_lines(pick: Pick, kind: str, project: Project, *, spellings: bool) -> None:
    number = pick(range(len(project.stages)))
    stage = project.stages[number]
    i = pick(range(2, len(stage)))
    runs = spellings or _runs(stage[0].split()[1], project.stages)
    another = pools(runs=runs, stage=bool(number), spellings=spellings)
    if kind == "line":
        stage[i] = pick(pick(another))
    elif kind == "insert":
        stage.insert(i, pick(pick(another)))
    elif kind == "swap" and i + 1 < len(stage):
        stage[i], stage[i + 1] = stage[i + 1], stage[i]
    elif kind == "comment":
        stage.insert(i, "# a comment")
    elif kind == "drop" and len(stage) > 3:
        del stage[i]
