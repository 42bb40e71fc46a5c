"""Which commands files of a project start in a container of the image."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze

_GO = "FROM golang:1.22\nWORKDIR /app\nCOPY go.mod main.go ./\nRUN CGO_ENABLED=0 go build -o server .\n"
_MAIN = 'package main\n\nimport "net/http"\n\nfunc main() {\n\thttp.ListenAndServe(":8080", nil)\n}\n'


def refused(directory: Path, files: dict[str, str], last: str = 'CMD ["/app/server"]') -> str:
    """Return why `multi-stage` leaves a service alone, "" where it does not."""
    files = {"go.mod": "module example.com/shop\n\ngo 1.22\n", "main.go": _MAIN, **files}
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    (directory / ".git").mkdir(exist_ok=True)
    source = f"{_GO}{last}\n".encode()
    (directory / "Dockerfile").write_bytes(source)
    chosen = frozenset({"multi-stage"})
    report = analyze(directory / "Dockerfile", source, Options(directory, chosen, named=chosen))
    assert (report.result == source) == bool(report.refusals), report.refusals
    return "; ".join(f"{r.cause_path}:{r.cause_line} {r.reason}" for r in report.refusals)


def test_without_such_a_command_it_gets_a_stage_of_its_own(tmp_path: Path) -> None:
    assert (
        refused(tmp_path, {"Makefile": "run:\n\tdocker build -t shop .\n\tdocker run --rm -p 8080:8080 shop\n"}) == ""
    )


_WORKFLOW = """on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/build-push-action@v6
        with:
          context: .
          load: true
          tags: {tag}
      - run: docker run --rm {image} go vet ./...
"""


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"Makefile": "test:\n\tdocker build -t shop .\n\tdocker run --rm shop go test ./...\n"}, "Makefile:3"),
        (
            {
                "Makefile": "I = shop\ntest:\n\tdocker build -t $(I) .\n\t@docker run --rm \\\n\t  -it $(I) sh -c 'go test'\n"
            },
            "Makefile:4",
        ),
        (
            {
                "Makefile": "t:\n\tdocker build -t shop:dev .\n\tdocker run -v $(shell pwd):/x --name=t shop:test go test\n"
            },
            "Makefile:3",
        ),
        (
            {"test.sh": "#!/bin/sh\npodman build --tag=shop .\npodman run shop go test ./... && echo fine\n"},
            "test.sh:3",
        ),
        ({"test.sh": "#!/bin/sh\ndocker build -t shop .\nout=$(docker run --rm shop go version)\n"}, "test.sh:3"),
        ({"run.sh": "docker build -t shop .\ndocker run -d --name s shop\ndocker exec -it s bash\n"}, "run.sh:3"),
        ({"Makefile": "t:\n\tdocker build -t $(I) .\n\tdocker run $(ARGS) -it $(I) go test\n"}, "Makefile:3"),
        ({"run.sh": "docker build -t shop .\ndocker run shop sh -c 'go test\n./...'\n"}, "run.sh:2"),
        ({"run.sh": "docker build -t shop .\ndocker run --entrypoint /bin/sh shop -c ls\n"}, "run.sh:2"),
        ({".github/workflows/ci.yml": _WORKFLOW.format(tag="shop:ci", image="shop:ci")}, "ci.yml:12"),
        (
            {".github/workflows/ci.yml": _WORKFLOW.format(tag="${{ env.TAG }}", image="${{env.TAG}}")},
            "ci.yml:12",
        ),
        (
            {
                "compose.yaml": "services:\n  web:\n    build: .\n",
                "Makefile": "test:\n\tdocker compose -f compose.yaml run --rm -e A=b web go test ./...\n",
            },
            "Makefile:2",
        ),
        (
            {
                "compose.yaml": "services:\n  web:\n    build: .\n",
                ".gitlab-ci.yml": "test:\n  script:\n    - docker-compose exec -T web go test ./...\n",
            },
            ".gitlab-ci.yml:3",
        ),
        (
            {
                "Makefile": "build:\n\tdocker build -t shop .\n",
                "package.json": '{\n  "scripts": {\n    "test": "docker run shop go test ./..."\n  }\n}\n',
            },
            "package.json:3",
        ),
    ],
)
def test_a_command_that_the_new_image_may_lack_is_a_reason(files: dict[str, str], place: str, tmp_path: Path) -> None:
    said = refused(tmp_path, files)
    assert f"{place} a container of it is started with `" in said


@pytest.mark.parametrize(
    "files",
    [
        {"Makefile": "test:\n\tdocker build -t shop .\n\tdocker run --rm -v .:/src golang:1.22 go test ./...\n"},
        {"Makefile": "test:\n\tdocker build -t shop .\n\tdocker run --rm $(LINTER) golangci-lint run\n"},
        {"Makefile": "test:\n\tdocker build -t shop .\n\t# docker run --rm shop go test\n"},
        {"Makefile": "test:\n\tdocker build -t shop .\n\tdocker run --rm shop # go test\n"},
        {"Makefile": "test:\n\tdocker build -t shop .\n\tdocker run --rm shop /app/server -v\n"},
        {"run.sh": "docker build -t shop .\ndocker run -p8080:80 --label a=b -it shop; go test ./...\n"},
        {"run.sh": "docker build -t shop .\ndocker exec db psql\n"},
        {"run.sh": "docker build -t shop .\ndocker run --rm shop-tools go test\n"},
        {
            "compose.yaml": "services:\n  db:\n    image: postgres\n  web:\n    build: .\n",
            "run.sh": "docker compose exec db psql\n",
        },
    ],
)
def test_other_images_and_the_program_itself_are_none(files: dict[str, str], tmp_path: Path) -> None:
    assert refused(tmp_path, files) == ""


def test_words_behind_the_image_are_for_its_entrypoint(tmp_path: Path) -> None:
    files = {"Makefile": "run:\n\tdocker build -t shop .\n\tdocker run --rm shop serve --verbose\n"}
    assert refused(tmp_path, files, 'ENTRYPOINT ["/app/server"]') == ""
    files = {"Makefile": "run:\n\tdocker build -t shop .\n\tdocker run --rm --entrypoint sh shop\n"}
    assert "Makefile:3" in refused(tmp_path, files, 'ENTRYPOINT ["/app/server"]')
