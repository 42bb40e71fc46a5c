"""Bake files, in HCL and JSON."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dockopt.optimizer.context.builds.hcl import UNKNOWN, Reference, blocks
from dockopt.optimizer.context.builds.model import NotUnderstood

Said = Callable[..., list[str]]
DOCKERFILES = {"Dockerfile": "FROM scratch\n", "api/Dockerfile": "FROM scratch\n"}


def bake(said: Said, text: str, name: str = "docker-bake.hcl") -> list[str]:
    return said({**DOCKERFILES, name: text})


def test_paths_target_arguments_and_contexts(said: Said) -> None:
    text = """
        group "default" { targets = ["api"] }
        target "api" {
          context    = "api"      # beside the file
          target     = "run"
          args       = { LEVEL = "1", "MODE" : "fast" }
          contexts = {
            base = "docker-image://alpine"
            shared = "../shared"
          }
        }
    """
    expected = (
        'docker-bake.hcl:3 target "api" -> api/Dockerfile in api target run args LEVEL=1,MODE=fast contexts base,shared'
    )
    assert bake(said, text) == [expected]


def test_the_dockerfile_is_relative_to_the_context(said: Said) -> None:
    assert bake(said, 'target "a" {\n dockerfile = "api/Dockerfile"\n}') == [
        'docker-bake.hcl:1 target "a" -> api/Dockerfile in .'
    ]
    assert bake(said, 'target "a" {\n context = "api"\n dockerfile = "../Dockerfile"\n}') == [
        'docker-bake.hcl:1 target "a" -> Dockerfile in api'
    ]


def test_a_file_below_the_top_may_be_called_from_the_top(said: Said) -> None:
    assert bake(said, 'target "a" {\n dockerfile = "api/Dockerfile"\n}', "ci/docker-bake.hcl") == [
        'ci/docker-bake.hcl:1 target "a" -> api/Dockerfile in .'
    ]


def test_attributes_are_inherited_in_order_and_maps_are_merged(said: Said) -> None:
    text = """
        target "one" {
          context = "api"
          args = { A = "1", B = "1" }
        }
        target "two" { target = "two" }
        target "end" {
          inherits = ["one", "two", "docker-metadata-action"]
          args = { B = "2" }
        }
        target "circle" { inherits = ["circle"] }
    """
    assert bake(said, text)[2:] == [
        'docker-bake.hcl:7 target "end" -> api/Dockerfile in api target two args A=1,B=2',
        'docker-bake.hcl:11 target "circle" -> Dockerfile in .',
    ]


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ('context = "${DIR}"', "-> Dockerfile in ?"),
        ("context = DIR", "-> Dockerfile in ?"),
        ('context = "https://example.com/x.git"', "-> Dockerfile in ?"),
        ('context = "absent"', None),
        ('target = "run-${MODE}"', "-> Dockerfile in . target ?"),
        ('target = MODE == "x" ? "a" : "b"', "-> Dockerfile in . target ?"),
        ('target = join("-", ["a", "b"])', "-> Dockerfile in . target ?"),
        ('target = "a" # "b"', "-> Dockerfile in . target a"),
        ('target = "$${x}"', "-> Dockerfile in . target ${x}"),
        ("target = null", "-> Dockerfile in ."),
        ('dockerfile = "${NAME}.Dockerfile"', None),
        ('dockerfile-inline = "FROM scratch"', None),
        ('dockerfile-inline = <<EOT\nFROM scratch\ntarget "x" {\nEOT', None),
        ("args = { for k in LIST : k => 1 }", "-> Dockerfile in ."),
        ("args = { (KEY) = 1 }", "-> Dockerfile in ."),
        ('tags = [for t in ["a", "b"] : "x:${t}"]', "-> Dockerfile in ."),
        ('tags = ["${REPO}:${upper("}")}", "b",\n]', "-> Dockerfile in ."),
    ],
)
def test_what_depends_on_the_call_is_unknown(said: Said, attribute: str, expected: str | None) -> None:
    found = bake(said, f'target "a" {{\n  {attribute}\n  labels = {{ a = "b" }}\n}}')
    assert found == ([] if expected is None else [f'docker-bake.hcl:1 target "a" {expected}'])


def test_a_matrix_of_literals_is_expanded(said: Said) -> None:
    text = """
        target "lint" {
          name = "lint-${item.stage}"
          matrix = { item = [{ stage = "go" }, { stage = "yaml" }], os = ["a"] }
          target = item.stage
        }
        target "made" {
          matrix = { item = split(",", LIST) }
          target = item
        }
    """
    assert [line.partition(" -> ")[2] for line in bake(said, text)] == [
        "Dockerfile in . target go",
        "Dockerfile in . target yaml",
        "Dockerfile in . target ?",
    ]


def test_an_override_lies_over_the_plain_file(said: Said) -> None:
    files = {
        **DOCKERFILES,
        "docker-bake.hcl": 'target "a" {\n  context = "api"\n}\n',
        "docker-bake.override.json": '{"target": {\n  "a": {"target": "dev"}}}',
    }
    assert said(files) == [
        'docker-bake.hcl:1 target "a" -> api/Dockerfile in api',
        'docker-bake.override.json:2 target "a" -> api/Dockerfile in api target dev',
    ]


def test_json(said: Said) -> None:
    text = '{"target": {"a": {"context": "api", "target": "${T}", "args": {"X": 1}, "contexts": {"base": "target:b"}}}}'
    assert bake(said, text, "docker-bake.json") == [
        'docker-bake.json:1 target "a" -> api/Dockerfile in api target ? args X=1 contexts base'
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('target "a" {\n  context = "api\n}', "docker-bake.hcl:2` is left aside: it is no HCL (a quote is not closed)"),
        ('target "a" {\n  context = \n}', "docker-bake.hcl:2` is left aside: it is no HCL (a value is expected)"),
        ('target "a" {', "docker-bake.hcl:1` is left aside: it is no HCL (`name` is expected)"),
        ('target "a" {\n  x = <<E\n', "docker-bake.hcl:2` is left aside: it is no HCL (`E` is missing)"),
        ('target "${x}" {\n}', "docker-bake.hcl:1` is left aside: the label of a block is not literal"),
        ('target "a" {\n  x = [1, 2\n}\n', "docker-bake.hcl:3` is left aside: it is no HCL"),
        ("target = " + "[" * 1000, "docker-bake.hcl:1` is left aside: it is nested too deeply"),
        ('target "a" {\n  @ = 1\n}', "docker-bake.hcl:2` is left aside: it is no HCL (`@` is not expected)"),
    ],
)
def test_a_broken_file_is_left_aside(said: Said, text: str, reason: str) -> None:
    (found,) = bake(said, text)
    assert reason in found


def test_literal_values() -> None:
    (block,) = blocks(
        'x "l" m {\n a = "q\\"\\u00e9\\n"; b = 1\n}'.replace(
            "; b = 1", "\n b = -1\n c = [1, true,]\n d = e.f\n g { h = 1 }"
        )
    )
    assert (block.type, block.labels, block.line) == ("x", ("l", "m"), 1)
    assert block.attributes == {
        "a": 'q"é\n',
        "b": UNKNOWN,
        "c": ["1", True],
        "d": Reference(("e", "f")),
    }


def test_comments_of_all_kinds() -> None:
    (block,) = blocks('/* "\n */ x {\n // y {\n # "\n a = /* 1 */ "2"\n}')
    assert (block.line, block.attributes) == (2, {"a": "2"})


def test_a_name_without_a_value_is_no_attribute() -> None:
    with pytest.raises(NotUnderstood):
        blocks("x {\n a\n b = 1\n}")
