"""What single files say, and that broken ones say nothing and break nothing."""

from __future__ import annotations

import json

import pytest
from dockopt.optimizer.evidence.images import FAMILIES, named, tag_of, tagged
from dockopt.optimizer.evidence.search import FILES
from dockopt.optimizer.evidence.workflows import workflow
from hypothesis import given
from hypothesis import strategies as st


def said(name: str, text: str) -> list[str]:
    found = []
    for one in FILES[name][1](text, name):
        what = one.version or one.least or (one.releases and one.releases.tag((1, 2, 3))) or one.unclear or "open"
        found.append(f"{one.language} {one.line} {what if isinstance(what, str) else '.'.join(map(str, what))}")
    return found


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("go.mod", "module a\n\ngo 1.24.1 // least\n\ntoolchain go1.25.0\n", ["go 3 1.24.1", "go 5 1.25.0"]),
        ("go.mod", "module a\ngo 1.17\ntoolchain default\n", ["go 2 open"]),
        (".go-version", "# of CI\n\n1.26.1\n", ["go 3 1.26.1"]),
        (".nvmrc", "lts/iron", ["node 1 20"]),
        (".nvmrc", "v20\n", ["node 1 20"]),
        (".nvmrc", "node", ["node 1 it names another release from time to time"]),
        (".python-version", "pypy3.10-7.3.12\n", ["python 1 it is not understood"]),
        (".python-version", "3.13\n", ["python 1 3.13"]),
        (".tool-versions", "golang 1.26.1\npython 3.12.1 3.11.1\nterraform 1.5\nruby ref:abc\n",
         ["go 1 1.26.1", "python 2 it names several versions", "ruby 4 it is not understood"]),
        ("mise.toml", "[tools]\n'core:go' = '1.26'\nnode = ['22']\npython = { version = '3.13' }\nruby = ['3.3', '3.4']\n",
         ["go 2 1.26", "node 3 22", "python 4 3.13", "ruby 5 it names several versions or none"]),
        ("rust-toolchain", "1.84.0\n", ["rust 1 1.84.0"]),
        ("rust-toolchain.toml", "[toolchain]\nchannel = 'nightly-2024-01-01'\n", ["rust 2 it is not understood"]),
        (".java-version", "temurin-21.0.2+13\n", ["java 1 21"]),
        ("Gemfile", "ruby '~> 3.3.0' # here\nruby(file: '.ruby-version')\nruby ENV['R']\n",
         ["ruby 1 3.3", "ruby 3 it is not a plain version"]),
        ("Pipfile", "[requires]\npython_version = '3.12'\npython_full_version = '3.12.4'\n", ["python 3 3.12.4"]),
        ("composer.json", json.dumps({"require": {"php": "~8.2.0"}}), ["php 1 8.2"]),
        ("package.json", json.dumps({"packageManager": "bun@1.1.4+sha.1", "engines": {"node": "22"}}), ["node 1 22", "bun 1 1.1.4"]),
        ("global.json", '\ufeff{"sdk": {"version": "8.0.404"}}', ["dotnet 1 8.0.404"]),
        ("Cargo.toml", "[workspace.package]\nrust-version = '1.80'\n", ["rust 2 open"]),
        ("pyproject.toml", "[project]\nrequires-python = 3\n", []),
        ("package.json", "[1", []),
        ("Cargo.toml", "[", []),
    ],
)  # fmt: skip
def test_what_a_file_says(name: str, text: str, expected: list[str]) -> None:
    assert said(name, text) == expected


@given(st.sampled_from(sorted(FILES)), st.text(max_size=60) | st.text(alphabet='{}[]":=\n go1.x', max_size=60))
def test_random_text_breaks_no_reader(name: str, text: str) -> None:
    for one in FILES[name][1](text, name):
        assert one.version or one.least or one.releases or one.unclear


HEAD = "env: {GO: '1.25'}\njobs:\n  a:\n    strategy: {matrix: {node: [18, 20], os: [20]}}\n"
STEP = "    steps:\n      - uses: {uses}\n        with:\n          {given}\n"


@pytest.mark.parametrize(
    ("uses", "given", "expected"),
    [
        ("actions/setup-go@v5", "go-version: '1.26'", ["go '1.26' 8"]),
        ("actions/setup-go@v5", "go-version-file: go.mod", []),
        ("actions/setup-go@v5", "go-version: ${{ env.GO }}", ["go '1.25' 8"]),
        ("actions/setup-node@v4", "node-version: ${{ matrix.node }}", []),
        ("actions/setup-node@v4", "node-version: ${{ matrix.os }}", ["node '20' 8"]),
        ("actions/setup-node@v4", "node-version: lts/*", []),
        ("actions/setup-python@v5", "python-version: '3.x'", ["python '3.x' 8"]),
        ("dtolnay/rust-toolchain@1.84.0", "components: clippy", ["rust '1.84.0' 6"]),
        ("dtolnay/rust-toolchain@stable", "components: clippy", []),
    ],
)
def test_what_a_workflow_says(uses: str, given: str, expected: list[str]) -> None:
    text = HEAD + STEP.format(uses=uses, given=given)
    assert [f"{one.language} '{one.said}' {one.line}" for one in workflow(text, "w.yml")] == expected


@given(st.text(max_size=80))
def test_random_text_is_no_workflow(text: str) -> None:
    assert list(workflow(text, "w.yml")) == []


@pytest.mark.parametrize(
    ("reference", "moving", "variant"),
    [
        ("golang", True, ""), ("golang:latest", True, ""), ("golang:alpine3.22", True, "alpine3.22"), ("node:lts-slim", True, "slim"),
        ("python:slim-bookworm", True, "slim-bookworm"),
        ("php:fpm-alpine", True, "fpm-alpine"), ("docker.io/library/node:current", True, ""),
        ("golang:1.26-bookworm", False, "bookworm"), ("python:rc", False, ""), ("golang:windowsservercore", False, ""),
        ("golang:tip-alpine", False, ""),
    ],
)  # fmt: skip
def test_tags(reference: str, moving: bool, variant: str) -> None:
    tag = tag_of(reference)
    assert (tag.moving, tag.variant) == (moving, variant)
    assert tag.moving or tag.other or tag.version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("golang", "golang:1.26-x"), ("golang:alpine", "golang:1.26-x"), ("docker.io/golang:latest", "docker.io/golang:1.26-x"),
        ("localhost:5000/golang", "localhost:5000/golang:1.26-x"), ("localhost:5000/golang:a", "localhost:5000/golang:1.26-x"),
    ],
)  # fmt: skip
def test_another_tag(old: str, new: str) -> None:
    assert tagged(old, (1, 26), "x") == new


def test_every_end_of_support_is_before_the_next() -> None:
    for name, family in FAMILIES.items():
        support = family.support
        if support is not None:
            assert all(len(line) == len(min(support.ended)) == family.line for line in support.ended), name
            assert support.end_of((99, 0)) is None
            assert support.end_of(min(support.ended)) == support.ended[min(support.ended)]
            older = (*min(support.ended)[:-1], min(support.ended)[-1] - 1)
            assert str(support.end_of(older)).startswith("before")


def test_only_images_of_a_language_are_named() -> None:
    assert named("alpine") is None
    assert named("golang@sha256:" + "0" * 64) is None
