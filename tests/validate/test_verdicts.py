"""Pairs of Dockerfiles with the verdict that each deserves: what must not be called equal matters most."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from dockopt.optimizer.frozen import ContextReader, FrozenContext
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Verdict, WantedDifference
from dockopt.optimizer.syntax import parse
from dockopt.optimizer.validate import validate

MANIFEST = b"module example.com/app\n\ngo 1.22\n\nrequire github.com/google/uuid v1.6.0\n"
SUMS = (
    b"github.com/google/uuid v1.6.0 h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0=\n"
    b"github.com/google/uuid v1.6.0/go.mod h1:TIyPZe4MgqvfeYDBFedMoGGpEw/LqOeaOT+nhxU+yHo=\n"
)
FILES = {
    "go.mod": MANIFEST,
    "go.sum": SUMS,
    "main.go": b"package main\n",
    "a": b"a",
    "b": b"b",
    "src/x": b"x",
    "etc/y": b"y",
}


class Kind(NamedTuple):
    name: str


class MemoryContext:
    """A build context of the files above."""

    def kind(self, rel: str) -> Kind:
        if rel in FILES:
            return Kind("FILE")
        return Kind("DIR" if any(path.startswith(rel + "/") for path in FILES) else "ABSENT")

    def read(self, rel: str) -> bytes:
        return FILES[rel]

    def excluded(self, rel: str) -> bool:
        return False

    def asked_for(self, rel: str) -> bool:
        return False

    def permissions(self, rel: str) -> int | None:
        return None

    def may_be_missing(self, rel: str) -> bool:
        return False

    @property
    def ignore_file(self) -> tuple[str, bytes]:
        return ".dockerignore", b""

    def with_ignore(self, text: bytes) -> tuple[ContextReader, tuple[str, ...]]:
        raise AssertionError("no test changes this ignore file")

    def glob(self, pattern: str) -> tuple[str, ...]:
        from fnmatch import fnmatchcase

        return tuple(path for path in sorted(FILES) if "/" not in path and fnmatchcase(path, pattern))


def compare(old: str, new: str, declared: frozenset[str] = frozenset(), targets: tuple[str, ...] = ()) -> Verdict:
    before = Build(parse(old.encode()), FrozenContext(MemoryContext()), targets)
    return validate(before, before.with_text(parse(new.encode())), WantedDifference(declared))


def stage(*lines: str, base: str = "alpine:3.20") -> str:
    return "\n".join((f"FROM {base}", *lines, ""))


def go(*lines: str) -> str:
    return stage("WORKDIR /src", *lines, base="golang:1.22 AS build") + stage(
        "COPY --from=build /out /out", base="scratch"
    )


BUILD = "RUN CGO_ENABLED=0 go build -o /out/app ."
EQUAL = {
    "disjoint copies": (stage("COPY a /a", "COPY b /b"), stage("COPY b /b", "COPY a /a")),
    "one copy for two": (stage("COPY a b /x/"), stage("COPY a /x/", "COPY b /x/")),
    "a file that comes twice": (stage("COPY a /x/"), stage("COPY a /x/", "COPY a /x/")),
    "a file that comes again": (stage("COPY . /x"), stage("COPY a /x/", "COPY . /x")),
    "variables in another order": (stage("ENV A=1", "ENV B=2"), stage("ENV B=2 A=1")),
    "a variable set twice": (stage("ENV A=1", "ENV A=2"), stage("ENV A=2")),
    "labels in another order": (stage("LABEL a=1", "LABEL b=2"), stage("LABEL b=2", "LABEL a=1")),
    "ports in another order": (stage("EXPOSE 1 2", "EXPOSE 2"), stage("EXPOSE 2 1")),
    "a chain cut in two": (stage("RUN mkdir /x && touch /x/y"), stage("RUN mkdir /x", "RUN touch /x/y")),
    "a directory entered again": (
        stage("RUN cd /tmp && touch x && touch y"),
        stage("RUN cd /tmp && touch x", "RUN cd /tmp && touch y"),
    ),
    "working directories joined": (stage("WORKDIR /x", "WORKDIR y"), stage("WORKDIR /x/y")),
    "an argument below what does not see it": (
        stage("ARG V", "RUN apk add curl", "LABEL v=$V"),
        stage("RUN apk add curl", "ARG V", "LABEL v=$V"),
    ),
    "packages above a binary": (
        stage("COPY a /app/a", "RUN apk add curl"),
        stage("RUN apk add curl", "COPY a /app/a"),
    ),
    "a command above the entry point": (
        stage('ENTRYPOINT ["a"]', 'CMD ["b"]'),
        stage('CMD ["b"]', 'ENTRYPOINT ["a"]'),
    ),
    "manifests first": (
        go("COPY . .", "RUN go mod download", BUILD),
        go("COPY go.mod go.sum ./", "RUN go mod download", "COPY . .", BUILD),
    ),
    "a download of its own": (
        go("COPY . .", BUILD),
        go("COPY go.mod go.sum ./", "RUN go mod download", "COPY . .", BUILD),
    ),
    "a build cache in a private stage": (
        go("COPY . .", BUILD),
        go("COPY . .", BUILD.replace("RUN", "RUN --mount=type=cache,target=/root/.cache/go-build")),
    ),
    "comments and continuations": (
        stage("RUN mkdir /x && touch /x/y"),
        stage("# why", "RUN mkdir /x && \\", "  touch /x/y"),
    ),
}
UNPROVEN = {
    "copies to one place": (stage("COPY a /x", "COPY b /x"), stage("COPY b /x", "COPY a /x")),
    "copies of overlapping trees": (stage("COPY . /x", "COPY src /x"), stage("COPY src /x", "COPY . /x")),
    "the mode of a directory": (stage("COPY src /app/src", "COPY . /app"), stage("COPY . /app", "COPY src /app/src")),
    "another source": (stage("COPY a /x"), stage("COPY b /x")),
    "another owner": (stage("COPY --chown=1 a /x"), stage("COPY a /x")),
    "another mode": (stage("COPY --chmod=755 a /x"), stage("COPY --chmod=644 a /x")),
    "a mode that a later write keeps": (
        stage("COPY --chmod=755 a /x", "RUN echo hi > /x"),
        stage("COPY --chmod=644 a /x", "RUN echo hi > /x"),
    ),
    "an owner that a later write keeps": (
        stage("COPY --chown=1 a /x", "RUN echo hi > /x"),
        stage("COPY a /x", "RUN echo hi > /x"),
    ),
    "a file that comes twice": (stage("WORKDIR /x"), stage("COPY a /x/", "COPY a /x/", "WORKDIR /x")),
    "a file less": (stage("COPY a b /x/"), stage("COPY a /x/")),
    "a file more": (stage("COPY a /x/"), stage("COPY a b /x/")),
    "into a directory or onto it": (stage("COPY a /x/"), stage("COPY a /x")),
    "removed before or after": (stage("COPY a /x", "RUN rm -f /x"), stage("RUN rm -f /x", "COPY a /x")),
    "a link on the way": (
        stage("RUN ln -s /etc /data", "COPY a /data/"),
        stage("COPY a /data/", "RUN ln -s /etc /data"),
    ),
    "a lost command": (stage("RUN ./setup", "RUN ./more"), stage("RUN ./setup")),
    "commands of unknown effect": (stage("RUN ./setup", "RUN ./more"), stage("RUN ./more", "RUN ./setup")),
    "a file seen by an unknown command": (stage("COPY a /x", "RUN ./setup"), stage("RUN ./setup", "COPY a /x")),
    "a variable seen by an unknown command": (stage("RUN ./setup", "ENV A=1"), stage("ENV A=1", "RUN ./setup")),
    "an argument seen by an unknown command": (stage("ARG A", "RUN ./setup"), stage("RUN ./setup", "ARG A")),
    "a variable seen by a package manager": (
        stage("ENV http_proxy=http://x", "RUN apk add curl"),
        stage("RUN apk add curl", "ENV http_proxy=http://x"),
    ),
    "another user": (stage("RUN ./setup", "USER 1"), stage("USER 1", "RUN ./setup")),
    "another user for a known command": (stage("RUN touch /x/y", "USER 1"), stage("USER 1", "RUN touch /x/y")),
    "another directory": (stage("RUN touch y", "WORKDIR /x"), stage("WORKDIR /x", "RUN touch y")),
    "another shell": (
        stage("RUN ./setup", 'SHELL ["/bin/bash", "-c"]'),
        stage('SHELL ["/bin/bash", "-c"]', "RUN ./setup"),
    ),
    "a lost change of directory": (stage("RUN cd /tmp && touch x"), stage("RUN touch x")),
    "a lost export": (stage("RUN export A=1 && ./setup"), stage("RUN ./setup")),
    "a lost option of the shell": (stage("RUN set -o pipefail && cat /a | sort"), stage("RUN cat /a | sort")),
    "an ignored failure": (stage("RUN mkdir /x || true"), stage("RUN mkdir /x")),
    "a failure that counts": (stage("RUN mkdir /x; touch /y"), stage("RUN mkdir /x && touch /y")),
    "an exec form": (stage("RUN ./setup $A"), stage('RUN ["./setup", "$A"]')),
    "no network": (stage("RUN --network=none ./setup"), stage("RUN ./setup")),
    "a lost mount": (stage("RUN --mount=type=secret,id=x ./setup"), stage("RUN ./setup")),
    "a newer download": (
        stage("COPY a /a", "RUN wget -O /x https://example.com/x"),
        stage("RUN wget -O /x https://example.com/x", "COPY a /a"),
    ),
    "a newer clone": (
        stage("COPY a /a", "RUN git clone https://example.com/x /x", base="golang:1.22"),
        stage("RUN git clone https://example.com/x /x", "COPY a /a", base="golang:1.22"),
    ),
    "packages over copied settings": (
        stage("COPY etc /etc", "RUN apk add nginx"),
        stage("RUN apk add nginx", "COPY etc /etc"),
    ),
    "a copied repository list": (
        stage("COPY a /etc/apk/repositories", "RUN apk add nginx"),
        stage("RUN apk add nginx", "COPY a /etc/apk/repositories"),
    ),
    "packages in another order": (
        stage("RUN apk add curl", "RUN apk del curl"),
        stage("RUN apk del curl", "RUN apk add curl"),
    ),
    "a lost index": (stage("RUN apk update", "RUN apk add curl"), stage("RUN apk add curl")),
    "a lost label": (stage("LABEL a=1"), stage()),
    "another label": (stage("LABEL a=1"), stage("LABEL a=2")),
    "a lost variable": (stage("ENV A=1"), stage()),
    "an argument is no variable": (stage("ENV A=1"), stage("ARG A=1")),
    "another order of a variable and its use": (stage("ENV A=1", "ENV B=$A"), stage("ENV B=$A", "ENV A=1")),
    "a variable of the same line": (stage("ENV A=1", "ENV A=2 B=$A"), stage("ENV A=2", "ENV B=$A")),
    "a lost port": (stage("EXPOSE 80"), stage()),
    "a lost volume": (stage("VOLUME /x"), stage()),
    "a lost signal": (stage("STOPSIGNAL 9"), stage()),
    "a lost check": (stage("HEALTHCHECK CMD x"), stage()),
    "another interval": (stage("HEALTHCHECK --interval=1s CMD x"), stage("HEALTHCHECK --interval=2s CMD x")),
    "a lost trigger": (stage("ONBUILD RUN x"), stage()),
    "triggers in another order": (stage("ONBUILD RUN x", "ONBUILD RUN y"), stage("ONBUILD RUN y", "ONBUILD RUN x")),
    "another command": (stage('CMD ["a"]'), stage('CMD ["b"]')),
    "a command in another form": (stage('CMD ["a"]'), stage("CMD a")),
    "a command of the base that is dropped": (stage('ENTRYPOINT ["a"]'), stage()),
    "a last user": (stage("USER 1"), stage("USER 2")),
    "a last directory": (stage("WORKDIR /x"), stage("WORKDIR /y")),
    "a directory with a slash at its end": (stage("WORKDIR /x"), stage("WORKDIR /x/")),
    "another base": (stage(base="alpine:3.20"), stage(base="alpine:3.21")),
    "another platform": (stage(base="alpine:3.20"), stage(base="--platform=linux/arm64 alpine:3.20")),
    "a stage more": (stage(), stage(base="busybox AS x") + stage()),
    "another name of a stage": (stage(base="busybox AS x"), stage(base="busybox AS y")),
    "another escape": (stage("ENV A=1"), "# escape=`\n" + stage("ENV A=1")),
    "another frontend": (stage("ENV A=1"), "# syntax=docker/dockerfile:1\n" + stage("ENV A=1")),
    "a file that does not exist": (
        go("COPY . .", BUILD),
        go("COPY nothing /nothing", "COPY . .", BUILD),
    ),
    "a download without sums": (
        go("COPY . .", "RUN go mod download", BUILD),
        go("COPY go.mod ./", "RUN go mod download", "COPY . .", BUILD),
    ),
    "a build before its sources": (go("COPY . .", BUILD), go("COPY go.mod go.sum ./", BUILD, "COPY . .")),
    "other flags of a build": (go("COPY . .", BUILD), go("COPY . .", BUILD.replace("-o", "-race -o"))),
    "cgo switched on": (go("COPY . .", BUILD), go("COPY . .", BUILD.replace("CGO_ENABLED=0 ", ""))),
    "a proxy that is set too late": (
        go("ENV GOPROXY=off", "COPY . .", BUILD),
        go("COPY . .", BUILD, "ENV GOPROXY=off"),
    ),
    "something else is copied out": (
        go("COPY . .", BUILD),
        go("COPY . .", BUILD).replace("--from=build /out /out", "--from=build /src /out"),
    ),
    "a cache that is copied out": (
        go("COPY . .", BUILD).replace("/out /out", "/root/.cache /out"),
        go("COPY . .", BUILD.replace("RUN", "RUN --mount=type=cache,target=/root/.cache/go-build")).replace(
            "/out /out", "/root/.cache /out"
        ),
    ),
    "a cache over the output": (
        go("COPY . .", BUILD),
        go("COPY . .", BUILD.replace("RUN", "RUN --mount=type=cache,target=/out")),
    ),
    "a cache that hides the modules": (
        go("COPY go.mod go.sum ./", "RUN go mod download", "COPY . .", BUILD.replace("RUN", "RUN --network=none")),
        go(
            "COPY go.mod go.sum ./",
            "RUN go mod download",
            "COPY . .",
            BUILD.replace("RUN", "RUN --network=none --mount=type=cache,target=/go/pkg/mod"),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EQUAL)
def test_equal(name: str) -> None:
    old, new = EQUAL[name]
    verdict = compare(old, new)
    assert verdict.status == "equal", verdict.obligation
    assert verdict.compared
    assert verdict.assumptions


@pytest.mark.parametrize("name", UNPROVEN)
def test_unproven(name: str) -> None:
    old, new = UNPROVEN[name]
    verdict = compare(old, new)
    assert verdict.status == "unproven", name
    assert verdict.obligation
    assert verdict.line is not None


@pytest.mark.parametrize("name", [*EQUAL, *UNPROVEN])
def test_a_file_equals_itself(name: str) -> None:
    for text in {**EQUAL, **UNPROVEN}[name]:
        assert compare(text, text).status == "equal"


def test_a_declared_difference_is_all_that_may_differ() -> None:
    before = stage("COPY . /src", "WORKDIR /src", "RUN CGO_ENABLED=0 go build -o /app .", base="golang:1.22")
    after = before.replace("RUN", "RUN --mount=type=cache,target=/root/.cache/go-build")
    assert compare(before, after).status == "unproven"
    cache = frozenset({"/root/.cache/go-build"})
    verdict = compare(before, after, cache)
    assert (verdict.status, verdict.differences) == ("equal-but", tuple(cache))
    assert compare(before, after.replace("/app .", "/app2 ."), cache).status == "unproven"
    assert compare(before, before, cache).status == "equal"


def test_stages_that_somebody_sees_are_compared() -> None:
    old = stage("COPY a /a", base="busybox AS tools") + stage("COPY --from=tools /a /a", base="scratch")
    new = old.replace("COPY a /a", "COPY a /a\nLABEL x=1")
    assert compare(old, new).status == "equal"
    assert compare(old, new, targets=("tools",)).status == "unproven"
    unused = old.replace("--from=tools /a", "a")
    assert compare(unused, unused.replace("COPY a /a", "COPY a /a\nLABEL x=1", 1)).status == "unproven"


def test_frozen_inputs_are_what_the_proof_looked_at() -> None:
    verdict = compare(*EQUAL["manifests first"])
    states = {entry.path: entry.state for entry in verdict.frozen}
    assert states["go.mod"].startswith("sha256:")
    assert states["go.work"] == "absent"
    assert "main.go" not in states


def test_what_is_remembered_of_a_variant_does_not_know_other_ecosystems() -> None:
    """Which caches a command that is not understood may look at depends on the whole file."""
    text = stage("COPY . /app", "RUN ./configure", base="golang:1.22")
    build = Build(parse(text.encode()), FrozenContext(MemoryContext())).with_opaque_caches
    other = build.with_text(parse((text + "RUN npm ci\n").encode()))
    assert build.executor.mentioned != other.executor.mentioned
    alone = Build(other.dockerfile, FrozenContext(MemoryContext())).with_opaque_caches
    assert [c.effects.caches for c in other.executed] == [c.effects.caches for c in alone.executed]
