"""What holds for every Dockerfile: rewrites lose nothing, come to an end, and are proven as a whole, not only step by step."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.syntax import parse
from dockopt.optimizer.validate import validate
from hypothesis import given
from hypothesis import strategies as st

MANIFEST = "module example.com/app\n\ngo 1.22\n\nrequire github.com/google/uuid v1.6.0\n"
SUMS = (
    "github.com/google/uuid v1.6.0 h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0=\n"
    "github.com/google/uuid v1.6.0/go.mod h1:TIyPZe4MgqvfeYDBFedMoGGpEw/LqOeaOT+nhxU+yHo=\n"
)
BASES = ("golang:1.22", "golang:1.22-alpine", "debian:12-slim", "alpine:3.20", "scratch", "$BASE")
LINES = (
    "WORKDIR /src", "WORKDIR app", "USER 1000", "USER root", "ENV CGO_ENABLED=0", "ENV GOFLAGS=-trimpath", "ARG VERSION",
    "ARG COMMIT=none", "LABEL version=$VERSION", "COPY . .", "COPY . /src", "COPY --chown=1000 . .", "ADD . /src/",
    "COPY go.mod go.sum ./", "COPY go.* ./", "COPY cmd ./cmd", "COPY go.mod .", "COPY main.go .",
    "RUN go mod download", "RUN go mod download -x", "RUN go build -o /out/app .", "RUN go build ./...", "RUN go mod tidy",
    "RUN CGO_ENABLED=0 go build -ldflags \"-X main.v=$VERSION\" -o /out/app .", "RUN go test ./...", "RUN make",
    "RUN go mod download && go build -o /out/app .", "RUN cd /src && go mod download && go build .",
    "RUN apk add --no-cache git", "RUN apk add --no-cache git && \\\n    go build -o /out/app .",
    "RUN apt-get update", "RUN apt-get install -y curl", "RUN rm -rf /var/lib/apt/lists/*",
    "RUN apt-get update \\\n    && apt-get install -y git \\\n    # afterwards\n    && rm -rf /var/lib/apt/lists/*",
    "RUN apt-get update \\\n    # at the end\n", "# escape", "RUN apk update && \\\n\n    apk add curl", "RUN\tapk  add\tcurl  ",
    "RUN apt-get update; go build .", "RUN --mount=type=cache,target=/go/pkg/mod go build .", "RUN [\"go\", \"build\", \".\"]",
    "RUN <<EOF\ngo mod download\nEOF", "RUN curl -fsSL https://example.com/x -o /tmp/x", "RUN rm /tmp/x", "RUN ./configure",
    "# a comment", "", "RUN mkdir -p /out", "CMD [\"/out/app\"]", "ONBUILD COPY . .", "SHELL [\"/bin/bash\", \"-c\"]",
    "VOLUME /data", "COPY --from=0 /out /out",
)  # fmt: skip


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "cmd").mkdir()
        for path, text in {
            "go.mod": MANIFEST,
            "go.sum": SUMS,
            "main.go": "package main\n",
            "cmd/main.go": "package main\n",
        }.items():
            (root / path).write_text(text)
        (root / "Makefile").write_text("all:\n\tgo build -o /out/app .\n")
        yield root


@st.composite
def dockerfiles(draw: st.DrawFn) -> bytes:
    text = ""
    for _ in range(draw(st.integers(1, 2))):
        text += f"FROM {draw(st.sampled_from(BASES))}\n"
        for line in draw(st.lists(st.sampled_from(LINES), max_size=9)):
            text += line + "\n"
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    data = text.encode()
    return data.replace(b"\n", b"\r\n") if draw(st.integers(0, 3)) == 0 else data


def words(text: bytes) -> Counter[bytes]:
    return Counter(text.replace(b"\\", b" ").replace(b"&&", b" ").split())


@given(data=st.data())
def test_any_result_is_proven_as_a_whole_and_final(project: Path, data: st.DataObject) -> None:
    source = data.draw(dockerfiles())
    path = project / "Dockerfile"
    report = analyze(path, source, Options(context=project))
    assert report.error is None
    if report.result == source:
        assert not report.changes
        return
    context = FrozenContext(BuildContext(project, path))
    build = Build(parse(source), context)
    verdict = validate(build, build.with_text(parse(report.result)))
    assert verdict.status == "equal", verdict.obligation
    # nothing of the author's text is lost but what joins and separates commands
    lost = words(source) - words(report.result)
    assert not lost - Counter({b"RUN": lost[b"RUN"]}), lost
    assert (b"\r\n" in source) == (b"\r\n" in report.result)
    assert report.result.count(b"\n") - report.result.count(b"\r\n") == 0 or b"\r\n" not in source
    again = analyze(path, report.result, Options(context=project))
    assert again.result == report.result
    assert not again.changes
