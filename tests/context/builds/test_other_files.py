"""Compose files, Skaffold, development containers, and what holds for files of every kind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from dockopt.optimizer.context.builds import files as project_files
from dockopt.optimizer.context.builds import registry
from dockopt.optimizer.context.builds.model import NotUnderstood
from dockopt.optimizer.context.builds.yaml_lines import UNREAD, Lined, LinedText, documents
from hypothesis import given
from hypothesis import strategies as st

Said = Callable[..., list[str]]
DOCKERFILES = {"Dockerfile": "FROM scratch\n", "api/Dockerfile": "FROM scratch\n"}

COMPOSE = """\
services:
  web:
    build: ./api
  api:
    build:
      context: ${DIR:-.}
      dockerfile: api/Dockerfile
      target: ${STAGE}
      args: [A=1, B]
      additional_contexts:
        base: docker-image://alpine
        "alpine:3.20": ./x
  unset:
    build: {context: $DIR}
  image:
    image: x
  remote:
    build: https://example.com/x.git
  inline:
    build: {dockerfile_inline: FROM scratch}
  extended:
    extends: {file: x.yaml, service: y}
    build: {target: z}
  reset:
    build: !reset null
"""


def test_compose(said: Said) -> None:
    assert said({**DOCKERFILES, "compose.yaml": COMPOSE}) == [
        'compose.yaml:3 service "web" -> api/Dockerfile in api',
        'compose.yaml:6 service "api" -> api/Dockerfile in . target ? args A=1 contexts base,alpine:3.20',
    ]


def test_the_file_that_compose_takes_by_itself_comes_first(said: Said) -> None:
    text = "services: {a: {build: .}}\n"
    found = said({**DOCKERFILES, "docker-compose.yml": text, "compose.ci.yml": text, "compose.yml": text})
    assert [line.partition(":")[0] for line in found] == ["compose.yml", "docker-compose.yml", "compose.ci.yml"]


SKAFFOLD = """\
apiVersion: skaffold/v4beta11
build:
  artifacts:
    - image: a
    - image: b
      context: api
      docker: {target: run, buildArgs: {X: "1", Y: "{{.Y}}"}}
    - image: c
      docker:
        dockerfile: api/Dockerfile
        target: "{{.STAGE}}"
    - image: d
      ko: {}
    - image: e
      context: "{{.DIR}}"
profiles:
  - name: ci
    build:
      artifacts:
        - image: f
          context: api
          kaniko: {dockerfile: ../Dockerfile}
---
kind: Other
build: {artifacts: [{image: g}]}
"""


def test_skaffold(said: Said) -> None:
    assert said({**DOCKERFILES, "skaffold.yaml": SKAFFOLD}) == [
        'skaffold.yaml:4 artifact "a" -> Dockerfile in .',
        'skaffold.yaml:5 artifact "b" -> api/Dockerfile in api target run args X=1',
        'skaffold.yaml:8 artifact "c" -> api/Dockerfile in . target ?',
        'skaffold.yaml:20 artifact "f" -> Dockerfile in api',
    ]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            ".devcontainer/devcontainer.json",
            '// a "comment"\n{\n  "build": { /* x */\n    "dockerfile": "../Dockerfile", "context": "..", "target": "dev",\n  },\n}',
            [".devcontainer/devcontainer.json:4 -> Dockerfile in . target dev"],
        ),
        (".devcontainer.json", '{"dockerFile": "Dockerfile"}', [".devcontainer.json:1 -> Dockerfile in ."]),
        (
            ".devcontainer/go/devcontainer.json",
            '{"build": {"dockerfile": "Dockerfile", "context": "${localWorkspaceFolder}/api", "args": {"A": "x // y"}}}',
            [".devcontainer/go/devcontainer.json:1 -> .devcontainer/go/Dockerfile in api args A=x // y"],
        ),
        (
            ".devcontainer/devcontainer.json",
            '{"build": {"dockerfile": "Dockerfile", "context": "${localEnv:X}"}}',
            [".devcontainer/devcontainer.json:1 -> .devcontainer/Dockerfile in ?"],
        ),
        (".devcontainer/devcontainer.json", '{"image": "x", "dockerFile": 1}', []),
        (
            ".devcontainer/devcontainer.json",
            '{"dockerFile": "x",\n "a": }',
            ["`.devcontainer/devcontainer.json:2` is left aside: it is no JSON with comments"],
        ),
    ],
)
def test_development_containers(said: Said, path: str, text: str, expected: list[str]) -> None:
    assert said({**DOCKERFILES, path: text}) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("services:\n  a: [build:\n", 3),
        ("services: {a: {build: 1}\n", 2),
        ("build: !!int ''\n", 0),
        ("build: !!timestamp x\n", 0),
        ("build: 2001-99-99\n", 0),
        ("build: *x\n", 1),
        ("? [build: 1]\n: 2\n", 1),
        ("build: \x01\n", 0),
    ],
)
def test_broken_yaml_is_left_aside(said: Said, text: str, line: int) -> None:
    (found,) = said({"compose.yaml": text})
    assert found.startswith(f"`compose.yaml:{line}`" if line else "`compose.yaml`")
    assert "is left aside: it is no YAML" in found


@pytest.mark.parametrize(
    "text",
    [
        "build:",
        "- build:",
        "services: {build: }",
        "services: {a: {build: [1]}}",
        "services: [{build: 1}]",
        "&a [build: , *a]",
    ],
)
def test_yaml_of_another_shape_says_nothing(said: Said, text: str) -> None:
    assert said({"compose.yaml": text, ".github/workflows/x.yml": f"{text} # docker build"}) == []


def test_merged_keys_are_bounded() -> None:
    text = "a0: &a0 {" + ",".join(f"k{i}: 1" for i in range(9)) + "}\n"
    text += "".join(f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 30))
    with pytest.raises(NotUnderstood):
        documents(text.encode())


def test_yaml_remembers_lines_and_reads_no_tags() -> None:
    (found,) = documents(b"x: &x\n  a: 1\ny:\n  <<: *x\n  b: |\n    c\n    d\n  e: !reset f\n")
    assert isinstance(found, Lined)
    inner = found["y"]
    assert inner == {"a": 1, "b": "c\nd\n", "e": UNREAD}
    assert (inner.line, inner.line_of("b"), inner.line_of("a")) == (4, 5, 4)
    assert isinstance(inner["b"], LinedText)
    assert inner["b"].line == 6


def test_no_link_leads_out_of_the_project(write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "Makefile").write_text("image:\n\tdocker build .\n")
    (outside / "scripts").mkdir()
    (outside / "scripts" / "build.sh").write_text("docker build .\n")
    root = write(
        {
            **DOCKERFILES,
            "real.mk": "image:\n\tdocker build .\n",
            "compose.yaml": f"services: {{a: {{build: {outside}}}}}",
        }
    )
    (root / "Makefile").symlink_to(outside / "Makefile")
    (root / "scripts").symlink_to(outside / "scripts")
    (outside / "workflows").mkdir()
    (outside / "workflows" / "x.yml").write_text("jobs: {x: {steps: [{run: docker build .}]}}")
    (root / ".github").symlink_to(outside)
    (root / "linked.mk").symlink_to("real.mk")
    project = registry.Project(root, (root,), root)
    builds, _ = registry.declared_builds(project)
    assert [(build.file.name, build.context) for build in builds] == [
        ("compose.yaml", None),
        ("linked.mk", root),
        ("real.mk", root),
    ]


def test_a_project_that_is_reached_through_a_link(
    write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = write({**DOCKERFILES, "compose.yaml": "services: {a: {build: .}}"})
    link = tmp_path_factory.mktemp("elsewhere") / "link"
    link.symlink_to(root)
    builds, _ = registry.declared_builds(registry.Project(link, (link,), link))
    assert [(build.file, build.context) for build in builds] == [(link / "compose.yaml", link)]


def test_what_is_no_regular_file_or_too_large_is_not_read(
    said: Said, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(DOCKERFILES)
    os.mkfifo(root / "compose.yaml")
    (root / "Makefile").mkdir()
    monkeypatch.setattr(project_files, "FILE_LIMIT", 30)
    assert said({"compose.yml": "services: {a: {build: .}} # and then some"}) == []


def test_a_file_that_cannot_be_read_says_nothing(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    assert said({"compose.yaml": "services: {a: {build: .}}"}) == []


def test_the_number_of_files_is_bounded(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_files, "_MAX_FILES", 2)
    text = "services: {a: {build: .}}"
    assert len(said({**DOCKERFILES, **{f"compose.{n}.yml": text for n in range(5)}})) == 2


def test_a_file_that_changes_is_read_again(said: Said) -> None:
    assert len(said({**DOCKERFILES, "compose.yaml": "services: {a: {build: .}}"})) == 1
    assert len(said({"compose.yaml": "services: {a: {build: .}, b: {build: api}}"})) == 2


SEEDS = [
    ("compose.yaml", COMPOSE),
    ("docker-bake.hcl", 'target "a" {\n  args = { A = "${x("}")}", "B" : [1] }\n  context = "."\n}\n'),
    ("docker-bake.json", '{"target": {"a": {"matrix": {"x": ["1"]}, "inherits": ["a"]}}}'),
    ("skaffold.yaml", SKAFFOLD),
    ("Makefile", "X = $(X)\nimage:\n\tdocker build $(X) ${Y $$x $( .\n"),
    ("build.sh", "cd \"$(dirname \"$0\")\"\nX=${X:-.}\ndocker build -f $X `pwd` <<EOF\n$(\nEOF\n"),
    (".gitlab-ci.yml", "a:\n  extends: [a, b]\n  script:\n    - docker build .\n"),
    (".github/workflows/x.yml", "jobs: {a: {strategy: {matrix: {x: [1]}}, steps: [{run: docker build ${{ matrix.x }}}]}}"),
    (".devcontainer.json", '{"dockerFile": "x", /* " */ "build": {"args": []}, }'),
    ("package.json", '{"scripts": {"x": "docker build ."}}'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "seed"), SEEDS, ids=[name for name, _ in SEEDS])
def test_no_content_makes_a_reader_fail(tmp_path_factory: pytest.TempPathFactory, name: str, seed: str) -> None:
    """Whatever the bytes are: builds, or one note."""
    root = tmp_path_factory.mktemp("project")
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    project = registry.Project(root, (root,), root)
    pieces = st.sampled_from([*"{}[]()<>&*!|'\"\\$\n\t:,#%@ `=", "docker build ", "<<: ", "${", "\0", "é", "\ud800"])

    @given(st.lists(st.tuples(st.integers(0, len(seed)), st.integers(0, 8), pieces), min_size=1, max_size=6))
    def survives(changes: list[tuple[int, int, str]]) -> None:
        text = seed
        for at, length, piece in changes:
            text = text[:at] + piece + text[at + length :]
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        registry._read.cache_clear()
        _, notes = registry.declared_builds(project)
        assert len(notes) <= 1

    survives()
