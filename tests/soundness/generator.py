"""Random small Dockerfiles, random changes of them, and contexts that differ from the one that a proof has seen.

Everything is built to be near the edge: the same few paths again and again, directories that are made by several instructions,
links, modes, owners, users, variables, so that a change that looks harmless often is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from dockopt.optimizer.context.ignore import IgnoreRules
from dockopt.optimizer.frozen import ContextReader
from hypothesis import strategies as st

BASES = ("busybox", "busybox", "debian:12", "scratch")


class Node(NamedTuple):
    """A file (`data`), a link (`target`), or a directory (neither) of a context."""

    data: bytes | None = None
    target: str | None = None
    mode: int = 0o644


CONTEXT: dict[str, Node] = {
    "a": Node(b"a\n"),
    "b": Node(b"b\n", mode=0o755),
    "dir": Node(mode=0o750),
    "dir/x": Node(b"x\n"),
    "dir/sub": Node(mode=0o700),
    "dir/sub/y": Node(b"y\n", mode=0o600),
    "dir/link": Node(target="x"),
    "w": Node(mode=0o755),
    "w/a": Node(b"other a\n"),
}
#: names that appear in a context although no proof has seen them
STRANGERS = ("c", "dir/new", "dir/sub/new", "w/b", "w/d", "new", "made", "made/m", "dir/made", "dir/made/m")
#: lines of ignore files: most of them keep out what commands make in the image
IGNORED = (
    "made",
    "dir/made",
    "made\ndir/made",
    "d",
    "w/d",
    "h\nc",
    "dir/sub",
    "**/made",
    "*\n!a\n!b\n!dir",
    "dir\n!dir/x",
)


class MemoryContext:
    """What `dockopt.optimizer.context.BuildContext` would say of a context like this."""

    def __init__(self, nodes: Mapping[str, Node], ignore: bytes = b"") -> None:
        self.nodes = nodes
        self.rules = IgnoreRules.parse(ignore, ".dockerignore")

    def kind(self, rel: str) -> object:
        from dockopt.optimizer.context import Kind

        rel = rel.strip("/")
        node = self.nodes.get(rel)
        if node is None:
            return Kind.ABSENT
        if self._left_out(rel):
            return Kind.IGNORED
        return Kind.SYMLINK if node.target is not None else Kind.DIR if node.data is None else Kind.FILE

    def _left_out(self, rel: str) -> bool:
        """A directory is sent if anything below it is."""
        below = (path for path in self.nodes if path.startswith(rel + "/"))
        return self.rules.ignored(rel) and all(self.rules.ignored(path) for path in below)

    def read(self, rel: str) -> bytes:
        data = self.nodes[rel].data
        assert data is not None
        return data

    def excluded(self, rel: str) -> bool:
        return self.rules.ignored(rel) and not self.rules.may_readmit_below(rel)

    def asked_for(self, rel: str) -> bool:
        return False

    def permissions(self, rel: str) -> int | None:
        return None

    def may_be_missing(self, rel: str) -> bool:
        return False

    @property
    def ignore_file(self) -> tuple[str, bytes]:
        return ".dockerignore", self.rules.source

    def with_ignore(self, text: bytes) -> tuple[ContextReader, tuple[str, ...]]:
        from dockopt.optimizer.context import ContextError

        changed = MemoryContext(self.nodes, text)
        added = changed.rules.added_to(self.rules)
        if added is None:
            raise ContextError("more than a few paths", ".dockerignore")
        return changed, added

    def glob(self, pattern: str) -> tuple[str, ...]:
        names = (path for path in sorted(self.nodes) if "/" not in path and fnmatchcase(path, pattern))
        return tuple(path for path in names if not self._left_out(path))


def write(nodes: Mapping[str, Node], folder: Path) -> None:
    """Make a context on disk."""
    for name, node in sorted(nodes.items()):
        path = folder / name
        if node.target is not None:
            path.symlink_to(node.target)
        elif node.data is not None:
            path.write_bytes(node.data)
        else:
            path.mkdir()
    for name, node in sorted(nodes.items(), reverse=True):
        if node.target is None:
            (folder / name).chmod(node.mode)


PLAIN = (
    "WORKDIR /w", "WORKDIR /w/d", "WORKDIR d", "WORKDIR /l", "WORKDIR /w/$A", "USER 1000", "USER root", "USER 0:5",
    "ENV A=1", "ENV A=a", "ENV B=$A", "ENV A=2 B=$A", "ENV B=/w/d", "ARG A", "ARG A=3", "ARG C=$A", "LABEL l=1", "LABEL l=$A m=2",
    "EXPOSE 80", "EXPOSE 80 81", "VOLUME /w/v", 'CMD ["a"]', "CMD a", 'ENTRYPOINT ["b"]', "STOPSIGNAL 9", "ONBUILD RUN true",
    "HEALTHCHECK CMD true", 'SHELL ["/bin/sh", "-e", "-c"]',
    "COPY a /w/a", "COPY a /w/", "COPY a b /w/", "COPY a .", "COPY a ./d/", "COPY b /w/a", "COPY . /w", "COPY . .", "COPY dir /w/dir",
    "COPY dir /w", "COPY dir/x /w/dir/x", "COPY dir/sub /w/dir/sub", "COPY dir /x/y", "COPY w /w", "COPY w/ /w/", "COPY [ab] /w/",
    "COPY a* b* /w/", "COPY --chown=1:2 a /w/a", "COPY --chown=1:2 dir /w/dir", "COPY --chmod=600 a /w/a", "COPY --chmod=711 . /w",
    "COPY --link a /w/a", "COPY a /l/", "COPY a /l", "COPY dir/link /w/link", "COPY a $B", "COPY . /", "ADD a /w/a", "ADD dir /w/dir",
    "COPY <<EOF /w/here\nhi $A\nEOF", "COPY a /w/made/", "COPY dir /w/made", "COPY dir /w/dir/made", "WORKDIR /w/made", "COPY a /w/made/m",
)  # fmt: skip
COMMANDS = (
    "mkdir -p /w/d", "mkdir -p /w/dir/sub", "touch /w/d/t", "touch /w/a", "touch t", "echo $A > /w/out", "echo hi > /w/a",
    "echo more >> /w/a", "cat /w/a > /w/copy", "cat /w/a > copy", "cp /w/a /w/b", "cp -r /w/dir /x", "cp -a /w/dir /x", "mv /w/a /w/m",
    "rm -rf /w/d", "rm -f /w/a", "rm -rf /w/dir", "ln -sfn /w /l", "ln -sf a /w/la", "ln -sf /w/dir /l", "chmod 700 /w",
    "chmod 600 /w/a", "chmod -R go-rwx /w/dir", "chown 5:6 /w/a", "chown -R 5 /w", "test -f /w/a", "test ! -e /w/d", "pwd > /tmp/p",
    "id -u > /tmp/id", "true", "cd /w && touch here", "export A=9 && echo $A > /w/exported", "umask 077 && touch /w/masked",
    "ls -d /w > /tmp/listed", "find /w | sort > /tmp/found", "env | grep ^A= > /tmp/env || true", "sed -i s/a/z/ /w/a",
    "tar -cf /tmp/t.tar -C /w a && tar -xf /tmp/t.tar -C /tmp && rm /tmp/t.tar", "install -m 640 /w/a /w/i", "head -c 1 /w/a > /w/h",
    "tee /w/tee < /w/a > /dev/null", "mkdir -p /w/made && touch /w/made/m", "rm -rf /w/made && mkdir -p /w/made", "rm -rf /w/made",
    "mkdir -p /w/dir/made && echo m > /w/dir/made/m", "rm -rf /w/dir/made", "cat /w/made/m > /tmp/m || true",
)  # fmt: skip
RUNS = (
    "RUN --mount=type=bind,target=/m cat /m/a > /w/ma", "RUN --mount=type=bind,source=dir,target=/w/dir ls /w/dir > /tmp/mounted",
    "RUN --mount=type=tmpfs,target=/w/tmp touch /w/tmp/x", "RUN --mount=type=cache,target=/w/cache true",
    "RUN --network=none echo off > /w/net", 'RUN ["touch", "/w/exec"]', "RUN <<EOF\nmkdir -p /w/h\ntouch /w/h/x\nEOF",
    "RUN touch /w/one; touch /w/two", "RUN touch /w/d/x || touch /w/e",
)  # fmt: skip


#: what stages begin with, so that most of what follows finds something to work on
BEGINNINGS = (
    (), ("COPY . /w",), ("COPY . /w", "WORKDIR /w"), ("WORKDIR /w", "COPY a b ./"), ("WORKDIR /w/d", "COPY a /w/"),
    ("COPY --chown=1:2 . /w", "ENV A=a"), ("RUN mkdir -p /w/d /w/dir/sub && touch /w/a /w/b /w/dir/x", "WORKDIR /w"),
    ("COPY dir /w/dir", "COPY a b /w/", "WORKDIR /w"), ("RUN mkdir -p /w && ln -s /w /l", "COPY . /w"),
)  # fmt: skip


@st.composite
def instructions(draw: st.DrawFn, *, runs: bool = True) -> str:
    """One instruction; RUNs are chains of one to three commands."""
    kind = draw(st.integers(0, 9)) if runs else 0
    if kind < 5:
        return draw(st.sampled_from(PLAIN))
    if kind < 9:
        return "RUN " + " && ".join(draw(st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=3)))
    return draw(st.sampled_from(RUNS))


class Pair(NamedTuple):
    """Two Dockerfiles with their ignore files, the second ones made of the first."""

    old: str
    new: str
    ignore: str = ""
    new_ignore: str = ""


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """A Dockerfile of one or two stages, and what one or two random changes make of it."""
    stages = [_stage(draw, draw(st.sampled_from(BASES)), 6)]
    if draw(st.integers(0, 3)) == 0:
        base, last = _stage(draw, draw(st.sampled_from((*BASES, "s0"))), 4)
        last.insert(
            draw(st.integers(0, len(last))), draw(st.sampled_from(("COPY --from=s0 /w /w", "COPY --from=s0 /w /x/")))
        )
        stages.append((base, last))
    changed = draw(st.integers(0, len(stages) - 1))
    new = list(stages[changed][1])
    for _ in range(draw(st.integers(1, 2))):
        new = _change(draw, new)
    after = [*stages]
    after[changed] = (stages[changed][0], new)
    ignore = draw(st.sampled_from(("", "", *IGNORED)))
    more = draw(st.sampled_from(("", "", "", "made", "dir/made", "made\ndir/made", "a", "dir/x")))
    new_ignore = "\n".join(lines for lines in (ignore, more) if lines)
    return Pair(_text(stages), _text(after), ignore, new_ignore)


def _stage(draw: st.DrawFn, base: str, most: int) -> tuple[str, list[str]]:
    runs = base != "scratch"
    beginning = list(draw(st.sampled_from(BEGINNINGS)))
    lines = [line for line in beginning if runs or not line.startswith("RUN")]
    return base, lines + draw(st.lists(instructions(runs=runs), min_size=1, max_size=most))


def _text(stages: list[tuple[str, list[str]]]) -> str:
    return "".join(
        f"FROM {base} AS s{i}\n" + "".join(line + "\n" for line in lines) for i, (base, lines) in enumerate(stages)
    )


def _change(draw: st.DrawFn, lines: list[str]) -> list[str]:
    """Swap, move, drop, repeat, insert, cut or join instructions."""
    lines = list(lines)
    kind = draw(
        st.sampled_from(("swap", "swap", "swap", "move", "drop", "repeat", "insert", "early copy", "cut", "join"))
    )
    i = draw(st.integers(0, max(0, len(lines) - 1)))
    if not lines or kind == "insert":
        lines.insert(i, draw(instructions()))
    elif kind == "swap" and i + 1 < len(lines):
        lines[i], lines[i + 1] = lines[i + 1], lines[i]
    elif kind == "move":
        lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(i))
    elif kind == "drop":
        del lines[i]
    elif kind == "repeat":
        lines.insert(draw(st.integers(0, len(lines))), lines[i])
    elif kind == "early copy":
        lines.insert(
            i, draw(st.sampled_from(("COPY a /w/", "COPY a /w/a", "COPY dir/x /w/dir/", "COPY dir/x /w/", "COPY a ./")))
        )
    elif kind == "cut" and lines[i].startswith("RUN ") and " && " in lines[i]:
        first, _, rest = lines[i].removeprefix("RUN ").partition(" && ")
        lines[i : i + 1] = [f"RUN {first}", f"RUN {rest}"]
    elif kind == "join" and i + 1 < len(lines) and all(_joinable(line) for line in lines[i : i + 2]):
        lines[i : i + 2] = [f"{lines[i]} && {lines[i + 1].removeprefix('RUN ')}"]
    return lines


def _joinable(line: str) -> bool:
    return (
        line.startswith("RUN ")
        and not line.startswith(("RUN -", "RUN [", "RUN <"))
        and not any(c in line for c in ";|")
    )


@st.composite
def mutations(draw: st.DrawFn, frozen: Mapping[str, str]) -> dict[str, Node]:
    """Return a context that agrees with the usual one on the frozen inputs of a proof, and on nothing else if chance wills it."""
    nodes = dict(CONTEXT)
    for path, node in sorted(CONTEXT.items()):
        if path not in nodes:
            continue
        if path in frozen or draw(st.integers(0, 2)):
            known = frozen.get(path, "")
            if node.data is not None and not known.startswith("sha256:") and draw(st.booleans()):
                nodes[path] = node._replace(data=draw(st.sampled_from((b"", b"changed\n", b"aaa\n"))))
            if draw(st.integers(0, 3)) == 0 and node.target is None:
                nodes[path] = nodes[path]._replace(mode=draw(st.sampled_from((0o755, 0o700, 0o644, 0o600, 0o777))))
        elif not any(other == path or other.startswith(path + "/") for other in frozen):
            for gone in [other for other in nodes if other == path or other.startswith(path + "/")]:
                del nodes[gone]
    for stranger in STRANGERS:
        folder = stranger.rpartition("/")[0]
        if stranger not in frozen and (not folder or folder in nodes) and draw(st.integers(0, 3)) == 0:
            nodes[stranger] = draw(st.sampled_from((Node(b"new\n"), Node(mode=0o711), Node(target="a"))))
    return {path: node for path, node in nodes.items() if _has_parents(path, nodes)}


def _has_parents(path: str, nodes: Mapping[str, Node]) -> bool:
    folder = path.rpartition("/")[0]
    return not folder or (
        folder in nodes and nodes[folder].data is None and nodes[folder].target is None and _has_parents(folder, nodes)
    )
