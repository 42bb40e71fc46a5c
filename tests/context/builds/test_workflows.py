"""GitHub workflows and GitLab pipelines."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent

import pytest

Said = Callable[..., list[str]]
DOCKERFILES = {"Dockerfile": "FROM scratch\n", "api/Dockerfile": "FROM scratch\n"}
PLACE = '.github/workflows/ci.yml:{} job "image" -> {}'


def job(said: Said, steps: str, above: str = "") -> list[str]:
    text = f"jobs:\n  image:\n{indent(above, '    ')}    steps:\n{indent(steps, '      ')}"
    return said({**DOCKERFILES, ".github/workflows/ci.yml": text})


def push(**inputs: str) -> str:
    given = "".join(f"    {name.replace('_', '-')}: {value}\n" for name, value in inputs.items())
    return f"- uses: docker/build-push-action@v6\n  with:\n    push: true\n{given}"


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, "Dockerfile in ."),
        ({"file": "api/Dockerfile"}, "api/Dockerfile in ."),
        ({"context": "api"}, "api/Dockerfile in api"),
        ({"context": "./api", "file": "./Dockerfile"}, "Dockerfile in api"),
        ({"context": "'{{defaultContext}}:api'"}, "api/Dockerfile in api"),
        ({"context": "${{ github.workspace }}/api"}, "api/Dockerfile in api"),
        ({"context": "${{ inputs.directory }}", "file": "api/Dockerfile"}, "api/Dockerfile in ?"),
        ({"context": "https://github.com/${{ github.repository }}.git", "file": "Dockerfile"}, "Dockerfile in ?"),
        ({"context": ".", "target": "run"}, "Dockerfile in . target run"),
        ({"context": ".", "target": "${{ inputs.stage }}"}, "Dockerfile in . target ?"),
        ({"context": ".", "target": "${{ 'a' }}"}, "Dockerfile in . target a"),
        ({"context": ".", "target": "${{ inputs.x && 'a' || 'b' }}"}, "Dockerfile in . target ?"),
        ({"build_args": '"A=1\\nB=${{ github.sha }}"'}, "Dockerfile in . args A=1"),
        ({"build_contexts": '"base=docker-image://${{ env.X }}"'}, "Dockerfile in . contexts base"),
    ],
)
def test_build_push_action(said: Said, inputs: dict[str, str], expected: str) -> None:
    assert job(said, push(**inputs)) == [PLACE.format(4, expected)]


@pytest.mark.parametrize("inputs", [{"context": "${{ inputs.x }}"}, {"file": "${{ matrix.file }}"}, {"context": ".."}])
def test_a_dockerfile_that_is_not_known_is_not_claimed(said: Said, inputs: dict[str, str]) -> None:
    assert job(said, push(**inputs)) == []


def test_the_place_of_the_checkout_counts(said: Said) -> None:
    below = "- uses: actions/checkout@v4\n  with: {path: src}\n"
    assert job(said, below + push(context="src/api")) == [PLACE.format(6, "api/Dockerfile in api")]
    assert job(said, below + push(context="api")) == []
    other = "- uses: actions/checkout@v4\n  with: {repository: example/other}\n"
    assert job(said, other + push(context="api")) == []


def test_a_matrix(said: Said) -> None:
    matrix = """\
strategy:
  matrix:
    directory: [., api]
    stage: [a, b]
    exclude:
      - {directory: ., stage: b}
    include:
      - {stage: a, extra: 1}
      - {directory: api, stage: c}
"""
    found = job(said, push(context="${{ matrix.directory }}", target="${{ matrix.stage }}"), matrix)
    assert [line.partition(" -> ")[2] for line in found] == [
        "Dockerfile in . target a",
        "api/Dockerfile in api target a",
        "api/Dockerfile in api target b",
        "api/Dockerfile in api target c",
    ]


def test_a_computed_matrix_is_unknown(said: Said) -> None:
    matrix = "strategy:\n  matrix: ${{ fromJSON(needs.plan.outputs.matrix) }}\n"
    assert job(said, push(context=".", target="${{ matrix.stage }}"), matrix) == [
        PLACE.format(6, "Dockerfile in . target ?")
    ]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("- run: docker build .", ["Dockerfile in ."]),
        ("- run: docker build -f api/Dockerfile --target=run .", ["api/Dockerfile in . target run"]),
        ("- run: docker build .\n  working-directory: api", ["api/Dockerfile in api"]),
        ("- run: docker build $DIRECTORY\n  env: {DIRECTORY: api}", ["api/Dockerfile in api"]),
        ("- run: docker build $GITHUB_WORKSPACE/api", ["api/Dockerfile in api"]),
        ("- run: docker build ${{ github.workspace }}/api", ["api/Dockerfile in api"]),
        ("- run: docker build -t x:${{ github.sha }} --target ${{ inputs.t }} .", ["Dockerfile in . target ?"]),
        ("- run: docker build ${{ inputs.directory }}", []),
        ("- run: docker build .\n  shell: pwsh", []),
        ("- run: docker build .\n  working-directory: ${{ inputs.x }}", []),
        (
            "- uses: redhat-actions/buildah-build@v2\n  with: {containerfiles: ./api/Dockerfile}",
            ["api/Dockerfile in ."],
        ),
    ],
)
def test_other_steps(said: Said, step: str, expected: list[str]) -> None:
    assert job(said, step) == [PLACE.format(4, text) for text in expected]


def test_lines_of_a_block_and_the_default_directory(said: Said) -> None:
    defaults = "defaults:\n  run:\n    working-directory: api\n"
    block = "- name: x\n  run: |\n    echo hello\n    docker build \\\n      -t x .\n"
    assert job(said, block, defaults) == [PLACE.format(10, "api/Dockerfile in api")]


def test_an_action_of_the_project(said: Said) -> None:
    text = "runs:\n  using: composite\n  steps:\n    - run: docker build api\n      shell: bash\n"
    assert said({**DOCKERFILES, ".github/actions/image/action.yml": text}) == [
        ".github/actions/image/action.yml:4 -> api/Dockerfile in api"
    ]


GITLAB = """\
variables:
  WHERE: api
  ONE: {value: "1", description: x}
default:
  before_script:
    - cd $WHERE
.build:
  script:
    - echo start
    - docker build --target $STAGE .
release:
  extends: .build
  variables: {STAGE: run}
other:
  before_script: []
  script:
    - !reference [.x, script]
    - docker build -f "$CI_PROJECT_DIR/Dockerfile" --build-arg ONE=$ONE --build-arg SHA=$CI_COMMIT_SHA $WHERE
kaniko:
  before_script: [echo]
  script:
    - /kaniko/executor --context "${CI_PROJECT_DIR}/api" --dockerfile Dockerfile.kaniko --destination x
"""


def test_gitlab(said: Said) -> None:
    files = {**DOCKERFILES, "api/Dockerfile.kaniko": "FROM scratch\n", ".gitlab-ci.yml": GITLAB}
    assert said(files) == [
        '.gitlab-ci.yml:10 job ".build" -> api/Dockerfile in api target ?',
        '.gitlab-ci.yml:10 job "release" -> api/Dockerfile in api target run',
        '.gitlab-ci.yml:18 job "other" -> Dockerfile in api args ONE=1',
        '.gitlab-ci.yml:22 job "kaniko" -> api/Dockerfile.kaniko in api',
    ]
