"""Build commands, and where they stand: shell scripts, Makefiles, package.json."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dockopt.optimizer.context.builds.command_line import HOLE, BuildCommand, build_command

Said = Callable[..., list[str]]
DOCKERFILES = {
    "Dockerfile": "FROM scratch\n",
    "api/Dockerfile": "FROM scratch\n",
    "api/run.Dockerfile": "FROM scratch\n",
}


@pytest.mark.parametrize(
    "line",
    [
        "docker build DIR",
        "docker buildx build --push DIR",
        "docker buildx b DIR",
        "docker image build -q --rm DIR",
        "docker --context remote build -t a -t b --no-cache DIR --pull",
        "sudo docker build DIR",
        "DOCKER_BUILDKIT=1 docker build DIR",
        "env A=1 docker build DIR",
        "/usr/bin/docker build -tname DIR",
        "docker build -- DIR",
        "nerdctl -n k8s.io build DIR",
        "docker build $HOLE DIR",
        "docker build --platform linux/amd64,linux/arm64 --cache-from x --secret id=x DIR",
    ],
)
def test_the_context_of_a_command(line: str) -> None:
    assert build_command([word.replace("$HOLE", HOLE) for word in line.split()]) == BuildCommand("DIR")


@pytest.mark.parametrize("line", ["podman build DIR", "buildah bud --layers DIR", "buildah build-using-dockerfile DIR"])
def test_containerfiles(line: str) -> None:
    found = build_command(line.split())
    assert found is not None
    assert (found.context, found.defaults) == ("DIR", ("Containerfile", "Dockerfile"))


def test_all_that_a_command_says() -> None:
    line = (
        "docker build -f F --target=T --build-arg A=1 --build-arg B --build-context base=x --build-context=src=../y ."
    )
    found = build_command(line.split())
    assert found == BuildCommand(".", "F", target="T", args={"A": "1"}, named_contexts=["base", "src"])
    assert build_command("podman build -f F".split()) == BuildCommand(
        ".", "F", defaults=("Containerfile", "Dockerfile"), from_context=True
    )


@pytest.mark.parametrize(
    "line",
    [
        "docker build",
        "docker build a b",
        "docker build -",
        "docker build -f - .",
        "docker build https://example.com/x.git",
        "docker build github.com/a/b",
        "docker build --unheard-of x .",
        "docker build -Z .",
        "docker run -v build:/x .",
        "docker compose build .",
        "docker buildx bake x",
        "podman build a b",
        "make build .",
        "executor --context .",
    ],
)
def test_what_is_no_build_or_not_understood(line: str) -> None:
    assert build_command(line.split()) is None


def test_an_unknown_word_may_be_the_context() -> None:
    assert build_command(["docker", "build", HOLE]) == BuildCommand(HOLE)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("docker build .", ["2 -> Dockerfile in ."]),
        ("cd api && docker build .", ["2 -> api/Dockerfile in api"]),
        ("cd api\ndocker build \\\n  -f run.Dockerfile \\\n  .", ["3 -> api/run.Dockerfile in api"]),
        ("(cd api; make)\ndocker build .", ["3 -> Dockerfile in ."]),
        ("pushd api >/dev/null\ndocker build .\npopd\ndocker build .", ["3 -> api/Dockerfile in api", "5 -> Dockerfile in ."]),
        ("DIR=api\ndocker build \"$DIR\"", ["3 -> api/Dockerfile in api"]),
        ("DIR=api\nF=$DIR/run.Dockerfile\ndocker build -f ${F} .", ["4 -> api/run.Dockerfile in ."]),
        ("DIR=${1:-api}\ndocker build $DIR", ["3 -> api/Dockerfile in api"]),
        ("ARGS='--target run -f api/Dockerfile'\ndocker build $ARGS .", ["3 -> api/Dockerfile in . target run"]),
        ("build() {\n  docker build \"$@\" .\n}\nbuild x", ["3 -> Dockerfile in ."]),
        ("if docker build .; then echo ok; fi", ["2 -> Dockerfile in ."]),
        ("docker build . | tee log", ["2 -> Dockerfile in ."]),
        ("docker build --build-arg SHA=$(git rev-parse HEAD) .", ["2 -> Dockerfile in ."]),
        ("cd \"$(git rev-parse --show-toplevel)/api\"\ndocker build .", ["3 -> api/Dockerfile in api"]),
        ("docker build --target \"$STAGE\" .", ["2 -> Dockerfile in . target ?"]),
        # not known, so not claimed
        ("DIR=api\nDIR=x\ndocker build $DIR", []),
        ("for d in api x; do docker build $d; done", []),
        ("if x; then cd api; fi\ndocker build .", []),
        ("read DIR\ndocker build $DIR", []),
        ("docker build $1", []),
        ("docker build $(pick)", []),
        ("cd $WHERE\ndocker build .", []),
        # no commands
        ("# docker build .", []),
        ("cat <<EOF\ndocker build .\nEOF", []),
        ("echo 'docker build .'", []),
        ("echo \"\ndocker build .\n\"", []),
        ("docker build 'unclosed", []),
    ],
)  # fmt: skip
def test_shell_scripts(said: Said, script: str, expected: list[str]) -> None:
    found = said({**DOCKERFILES, "build.sh": f"#!/bin/sh\n{script}\n"})
    assert found == [f"build.sh:{text}" for text in expected]


def test_a_script_finds_its_own_directory(said: Said) -> None:
    for start in (
        'cd "$(dirname "$0")/../api"',
        'HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)\ncd "$HERE/../api"',
    ):
        found = said({**DOCKERFILES, "scripts/image.sh": f"#!/bin/bash\n{start}\ndocker build .\n"})
        assert [line.partition(" -> ")[2] for line in found] == ["api/Dockerfile in api"]


def test_a_script_that_makes_sense_in_two_directories_is_left_out(said: Said) -> None:
    files = {"scripts/image.sh": "docker build .\n", "scripts/Dockerfile": "FROM scratch\n"}
    assert said(files) == ["scripts/image.sh:1 -> scripts/Dockerfile in scripts"]
    assert said({**files, **DOCKERFILES}) == []


@pytest.mark.parametrize("head", ["#!/usr/bin/env python3\n", "\0", ""])
def test_other_programs_are_no_scripts(said: Said, head: str) -> None:
    assert said({**DOCKERFILES, "scripts/docker-build": f"{head}docker build .\n"}) == []


def test_a_script_that_is_nested_too_deeply_is_left_aside(said: Said) -> None:
    (found,) = said({**DOCKERFILES, "build.sh": f"{'(' * 200}docker build .{')' * 200}\n"})
    assert found == "`build.sh:1` is left aside: it is nested too deeply"


MAKEFILE = """\
# docker build .
DOCKER ?= docker
DIR := api
TWICE = a
TWICE = b
FLAGS = --target $(STAGE) -t x
ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))

.PHONY: image
image: test ## docker build .
\t@$(DOCKER) build -t $(NAME):$(shell git describe) $(DIR)
other:
\t-cd $(DIR) && \\
\t  ${DOCKER} build -f run.Dockerfile .
\tdocker build $(ROOT)
\tdocker build $(FLAGS) -f $(CURDIR)/api/Dockerfile .
unknown:
\tdocker build $(TWICE)
\tdocker build $(wildcard api)
\tdocker build $@
\tfor d in api; do docker build $$d; done
define text
docker build .
endef
"""


def test_makefiles(said: Said) -> None:
    assert said({**DOCKERFILES, "Makefile": MAKEFILE}) == [
        "Makefile:11 rule `image` -> api/Dockerfile in api",
        "Makefile:14 rule `other` -> api/run.Dockerfile in api",
        "Makefile:15 rule `other` -> Dockerfile in .",
        "Makefile:16 rule `other` -> api/Dockerfile in . target ?",
    ]


def test_a_makefile_starts_in_its_own_directory_an_included_one_perhaps_above(said: Said) -> None:
    recipe = "image:\n\tdocker build -f Dockerfile .\n"
    assert said({**DOCKERFILES, "build/images.mk": recipe}) == ["build/images.mk:2 rule `image` -> Dockerfile in ."]
    found = said({**DOCKERFILES, "api/Makefile": recipe, "build/images.mk": ""}, "api")
    assert found == ["api/Makefile:2 rule `image` -> api/Dockerfile in api"]


def test_a_makefile_that_changes_how_recipes_are_read_is_left_aside(said: Said) -> None:
    (found,) = said({**DOCKERFILES, "Makefile": ".ONESHELL:\nimage:\n\tdocker build .\n"})
    assert "`Makefile` is left aside" in found


def test_package_json(said: Said) -> None:
    text = '{\n  "scripts": {\n    "test": "x",\n    "image": "docker build -f run.Dockerfile .",\n    "broken": "docker build \'"\n  }\n}'
    assert said({**DOCKERFILES, "api/package.json": text}, "api") == [
        'api/package.json:4 script "image" -> api/run.Dockerfile in api'
    ]
    (found,) = said({"package.json": '{\n "docker build": }'})
    assert found.startswith("`package.json:2` is left aside: it is no JSON")
