"""Which edges the graph has, and that they are enough: what no edge joins may change places."""

import json
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.graph import render
from dockopt.optimizer.graph.dependencies import dependencies
from dockopt.optimizer.inputs import InputError
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.regions import EVERYTHING
from dockopt.optimizer.syntax import parse
from hypothesis import example, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "fixtures" / "examples").glob("**/Dockerfile"))


def document(dockerfile: str, folder: Path, **files: str) -> Any:
    for name, text in files.items():
        path = folder / name.replace("_", ".")
        path.write_text(text)
    return json.loads(render(folder / "Dockerfile", dockerfile.encode(), "json"))


def edges(found: Any, *, implied: bool = True) -> set[tuple[str, str, str]]:
    return {(e["source"], e["target"], e["why"]) for e in found["edges"] if implied or not e["implied"]}


def test_the_plain_service_has_the_edges_that_a_reader_expects() -> None:
    path = ROOT / "fixtures" / "examples" / "go-service" / "Dockerfile"
    found = json.loads(render(path, path.read_bytes(), "json"))
    expected = {
        ("image:golang:1.22", "instruction:1", "from golang:1.22"),
        ("context:.", "instruction:4", "copies ."),
        ("instruction:3", "instruction:4", "working directory /src"),
        ("context:go.mod", "instruction:5", "reads go.mod"),
        ("context:go.sum", "instruction:5", "reads go.sum"),
        ("instruction:4", "instruction:5", "writes /src/go.mod, /src/go.sum"),
        ("instruction:4", "instruction:6", "writes /src"),
        ("instruction:5", "instruction:6", "fills /go/pkg/mod, /go/pkg/sumdb, /root/.config/go/telemetry"),
        ("instruction:6", "stage:0", "writes /out/shortlinks"),
        ("stage:0", "instruction:11", "from build"),
        ("instruction:11", "stage:1", "in the image"),
    }
    assert expected <= edges(found)
    assert ("instruction:5", "stage:0", "in the image") not in edges(found)


def test_a_variable_joins_its_definition_with_those_who_read_it(tmp_path: Path) -> None:
    found = document(
        """\
ARG GO=1.22
FROM golang:$GO
ARG VERSION
ENV GOFLAGS=-mod=mod COLOR=red
RUN echo $VERSION > /a
ENV COLOR=blue
WORKDIR /app/$COLOR
""",
        tmp_path,
    )
    assert {
        ("instruction:1", "variable:1:GO", "sets GO"),
        ("variable:1:GO", "instruction:2", "arg GO"),
        ("instruction:3", "variable:3:VERSION", "sets VERSION"),
        ("variable:3:VERSION", "instruction:5", "arg VERSION"),
        ("variable:6:COLOR", "instruction:7", "env COLOR"),
    } <= edges(found)
    assert not {e for e in edges(found) if e[0] in ("variable:4:GOFLAGS", "variable:4:COLOR")}


def test_a_command_that_is_not_understood_may_depend_on_everything(tmp_path: Path) -> None:
    found = document("FROM golang:1.22\nENV A=1\nCOPY . /src\nRUN make build\n", tmp_path, go_mod="module x\n")
    [command] = next(node for node in found["nodes"] if node["id"] == "instruction:4")["commands"]
    assert command["text"] == "make build"
    assert command["unknown"] is not None and "make" not in command["unknown"].split("`")[0]
    into = [e for e in found["edges"] if e["target"] == "instruction:4"]
    assert {(e["source"], e["why"], e["certain"]) for e in into} == {
        ("variable:2:A", "env A", False),
        ("instruction:3", "writes /src", False),
    }
    for form in ("dot", "mermaid"):
        assert f"UNKNOWN: {command['unknown'][:20]}" in render(
            tmp_path / "Dockerfile", b"FROM golang:1.22\nRUN make build\n", form
        )


def test_conflicts_are_drawn_only_where_the_order_matters(tmp_path: Path) -> None:
    found = document(
        """\
FROM alpine:3.20
COPY go.mod /app/
COPY go.sum /other/
RUN touch /app/go.mod
COPY go.mod /app/
COPY go.mod /app/
""",
        tmp_path,
        go_mod="module x\n",
        go_sum="",
    )
    after = {(s, t, why) for s, t, why in edges(found) if why.startswith("after")}
    assert ("instruction:4", "instruction:5", "after: conflicts on /app/go.mod") in after
    assert not any("instruction:3" in (s, t) for s, t, _ in after)
    # the last one writes the same as the one before it
    assert ("instruction:5", "instruction:6") not in {(s, t) for s, t, _ in after}
    # 2 → 5 follows from 2 → 4 → 5
    assert ("instruction:2", "instruction:5") not in {(s, t) for s, t, _ in after}


def test_what_stages_take_from_each_other_is_named(tmp_path: Path) -> None:
    found = document(
        """\
FROM golang:1.22 AS Tools
RUN mkdir /out && touch /out/a /out/b
RUN touch /unused
FROM Tools AS more
FROM scratch
COPY --from=tools /out/a /a
COPY --from=0 /out/b /b
COPY --from=busybox:1.36 /bin/sh /bin/sh
""".replace("FROM Tools AS more\n", ""),
        tmp_path,
    )
    assert {
        ("instruction:2", "stage:0", "writes /out/a"),
        ("instruction:2", "stage:0", "writes /out/b"),
        ("stage:0", "instruction:5", "from Tools"),
        ("stage:0", "instruction:6", "from Tools"),
        ("image:busybox:1.36", "instruction:7", "from busybox:1.36"),
    } <= edges(found)
    assert not [e for e in edges(found) if e[0] == "instruction:3"]


def test_bind_mounts_are_inputs_and_hide_the_image(tmp_path: Path) -> None:
    found = document(
        """\
FROM golang:1.22
COPY . /src
WORKDIR /work
RUN --mount=type=bind,target=/src --mount=type=bind,from=alpine:3.20,source=/etc,target=/alpine ls /src
""",
        tmp_path,
    )
    into = {(s, why) for s, t, why in edges(found) if t == "instruction:4"}
    assert {("context:.", "mounts ."), ("image:alpine:3.20", "from alpine:3.20")} <= into
    assert ("instruction:2", "writes /src") not in into


def test_a_user_name_of_copy_needs_the_command_that_made_it(tmp_path: Path) -> None:
    text = "FROM debian:12\nRUN useradd app\nCOPY --chown={} a /home/app/a\n"
    named = edges(document(text.format("app"), tmp_path, a="x"))
    assert [
        why for s, t, why in named if (s, t) == ("instruction:2", "instruction:3") and why.startswith("writes /etc")
    ]
    numbered = edges(document(text.format("1000:1000"), tmp_path, a="x"))
    assert not [
        why for s, t, why in numbered if (s, t) == ("instruction:2", "instruction:3") and why.startswith("writes")
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"FROM alpine\nRUNX a\n", "2:1: "),
        (b"FROM alpine\nCOPY --from=later a b\nFROM alpine AS later\n", "2:1: `--from=later`"),
        (b"FROM alpine\n" + b"LABEL a=b\n" * 1000, "1001:1: a graph of more than 1000"),
    ],
    ids=["syntax", "model", "size"],
)
def test_what_cannot_be_drawn_is_said_with_its_place(tmp_path: Path, source: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        render(tmp_path / "Dockerfile", source, "dot")
    assert str(caught.value).startswith(message)


class _NoFiles:
    """A context with one file and one directory."""

    def kind(self, rel: str) -> Any:
        from dockopt.optimizer.context import Kind

        return {"go.mod": Kind.FILE, "sub": Kind.DIR, "": Kind.DIR}.get(rel, Kind.ABSENT)

    def read(self, rel: str) -> bytes:
        assert rel == "go.mod"
        return b"module example.com/x\n\ngo 1.22\n"

    def excluded(self, rel: str) -> bool:
        return False


INSTRUCTIONS = [
    "WORKDIR /app",
    "WORKDIR sub",
    "USER 1000",
    "ENV A=1",
    "ENV B=$A",
    "ARG V=1",
    "LABEL a=1",
    "LABEL a=2 b=$B",
    "EXPOSE 80",
    'CMD ["a"]',
    'ENTRYPOINT ["b"]',
    'SHELL ["/bin/sh", "-e", "-c"]',
    "COPY go.mod /app/",
    "COPY go.mod ./",
    "COPY sub /app/sub",
    "COPY . /app",
    "COPY --chown=app go.mod /app/go.mod",
    "COPY go.mod /etc/passwd",
    "RUN mkdir -p /app/x",
    "RUN touch /app/x/$A",
    "RUN echo $V > /app/out",
    "RUN cp /app/go.mod /app/copy",
    "RUN rm -rf /app/x",
    "RUN useradd app",
    "RUN apt-get update",
    "RUN go mod download",
    "RUN --mount=type=bind,target=/app touch /seen",
    "RUN ./script.sh",
]


@settings(max_examples=150)
@given(st.lists(st.sampled_from(INSTRUCTIONS), min_size=2, max_size=6), st.sampled_from(["golang:1.22", "scratch"]))
@example(["WORKDIR /app", "COPY sub /app/sub"], "golang:1.22")
@example(["LABEL a=1", "LABEL a=1", "LABEL a=2 b=$B"], "golang:1.22")
@example(["WORKDIR /app", "WORKDIR /app", "RUN ./script.sh"], "golang:1.22")
@example(["USER 1000", "WORKDIR /app", "WORKDIR /app/x"], "scratch")
def test_neighbours_that_no_edge_joins_may_change_places(lines: list[str], base: str) -> None:
    def build(order: list[str]) -> Build:
        text = "\n".join([f"FROM {base}", *order, ""])
        return Build(parse(text.encode()), FrozenContext(_NoFiles()))

    one = build(lines)
    graph = dependencies(one)
    for i in range(len(lines) - 1):
        first, second = f"instruction:{i + 2}", f"instruction:{i + 3}"
        variables = [target for _, target in graph.out_edges(first) if target.startswith("variable:")]
        if any(graph.has_edge(node, second) for node in (first, *variables)):
            continue
        other = build([*lines[:i], lines[i + 1], lines[i], *lines[i + 2 :]])
        left, right = one.runs[-1].final, other.runs[-1].final
        assert left.files.read(EVERYTHING).digest == right.files.read(EVERYTHING).digest, (lines[i], lines[i + 1])
        assert {k: v.digest for k, v in left.image().items()} == {k: v.digest for k, v in right.image().items()}
