"""`dockopt pin --digest` from the command line to the files, against a registry in this process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Result
from tests.registry.fake_registry import Fake, serving

Pin = Callable[..., Result]


@pytest.fixture
def fake() -> Iterator[Fake]:
    with serving(Fake()) as fake:
        yield fake


@pytest.fixture
def pin(tmp_path: Path) -> Pin:
    def run(*arguments: str) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "dockopt", "pin", *arguments],
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "DOCKER_CONFIG": str(tmp_path / "docker")},
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr.decode())

    return run


def dockerfile(directory: Path, text: str, name: str = "Dockerfile") -> Path:
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    return path


def test_the_diff_is_shown_and_nothing_is_written(tmp_path: Path, fake: Fake, pin: Pin) -> None:
    digest = fake.put("team/go:1")
    path = dockerfile(tmp_path, f"FROM {fake.host}/team/go:1 AS build\nRUN true\n")
    result = pin("--digest")
    assert result.code == 0, result.err
    assert f"Dockerfile:1: {fake.host}/team/go:1: → {digest}\n" in result.out.decode()
    assert f"+FROM {fake.host}/team/go:1@{digest} AS build\n" in result.out.decode()
    assert "`pin --digest --write` applies the changes" in result.err
    assert path.read_text() == f"FROM {fake.host}/team/go:1 AS build\nRUN true\n"


def test_all_that_names_an_image_is_locked_in_all_files(tmp_path: Path, fake: Fake, pin: Pin) -> None:
    one, two = fake.put("go:1.26"), fake.put("tools:latest")
    h = fake.host
    text = (
        f"# syntax=docker/dockerfile:1\nARG GO=1.26\nARG BASE='{h}/tools'\n"
        f"FROM --platform=$BUILDPLATFORM \\\n  {h}/go:${{GO}} AS build\n"
        f"COPY --from={h}/tools:latest /a /a\r\n"
        f"RUN --mount=type=bind,from={h}/tools,target=/t true\n"
        "FROM ${BASE}\nCOPY --from=build /a /a\nCOPY --from=0 /b /b\n"
        "FROM build AS test\nFROM scratch\n"
    )
    path = dockerfile(tmp_path, text)
    other = dockerfile(tmp_path, f"FROM {h}/tools\n", "sub/Dockerfile")
    result = pin("--digest", "--write")
    assert result.code == 0, result.err
    expected = (
        text.replace("GO=1.26", f"GO=1.26@{one}")
        .replace(f"'{h}/tools'", f"'{h}/tools:latest@{two}'")
        .replace("tools:latest /a", f"tools:latest@{two} /a")
        .replace("tools,target", f"tools:latest@{two},target")
    )
    assert path.read_bytes().decode() == expected
    assert other.read_text() == f"FROM {h}/tools:latest@{two}\n"
    assert len(fake.asked) == 2, "each tag is looked up once"
    again = pin("--digest", "--write")
    assert (again.code, again.out) == (0, b"nothing to lock\n")
    assert len(fake.asked) == 2


def test_update_prints_old_and_new(tmp_path: Path, fake: Fake, pin: Pin) -> None:
    old, kept = fake.put("go:1"), fake.put("kept:1")
    path = dockerfile(
        tmp_path, f"FROM {fake.host}/go:1@{old}\nFROM {fake.host}/kept:1@{kept}\nFROM {fake.host}/go@{old}\n"
    )
    new = fake.put("go:1", "patched")
    assert pin("--digest").out == b"nothing to lock\n"
    result = pin("--digest", "--update", "--write")
    out = result.out.decode()
    assert f"{fake.host}/go:1: {old} → {new}\n" in out
    assert f"{fake.host}/kept:1: {kept} is up to date\n" in out
    assert "Dockerfile:3: " in out
    assert "without a tag nothing tells what would be newer" in out
    assert (
        path.read_text() == f"FROM {fake.host}/go:1@{new}\nFROM {fake.host}/kept:1@{kept}\nFROM {fake.host}/go@{old}\n"
    )


def test_one_that_is_missing_keeps_all_as_they_are(tmp_path: Path, fake: Fake, pin: Pin) -> None:
    fake.put("go:1")
    first = dockerfile(tmp_path, f"FROM {fake.host}/go:1\n")
    second = dockerfile(tmp_path, f"FROM {fake.host}/go:1\nFROM {fake.host}/gone:2\n", "sub/Dockerfile")
    result = pin("--digest", "--write")
    assert result.code == 2
    assert result.out == b""
    assert (
        f"sub/Dockerfile:2: `{fake.host}/gone:2`: `{fake.host}` has no `gone:2`; write a tag that is there"
        in result.err
    )
    assert "nothing was changed" in result.err
    assert first.read_text() == f"FROM {fake.host}/go:1\n"
    assert second.read_text().count("@") == 0


def test_offline_is_said_with_file_and_line(tmp_path: Path, pin: Pin) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        name = f"localhost:{taken.getsockname()[1]}/go:1"
        path = dockerfile(tmp_path, f"# here\nFROM {name}\n")
        result = pin("--digest", "--write")
    assert result.code == 2
    assert f"Dockerfile:2: `{name}`: `localhost` cannot be reached" in result.err
    assert path.read_text() == f"# here\nFROM {name}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "ARG V=1\nFROM HOST/go:${V}-alpine\n",
            "2: `HOST/go:${V}-alpine` is left alone: `HOST/go:${V}-alpine` cannot come to name",
        ),
        (
            "ARG V=1\nFROM HOST/go:$V\nARG V\n",
            "2: `HOST/go:$V` is left alone: the stage asks for the build argument `V`, too (line 3)",
        ),
        (
            "ARG V=1\nARG A=alpine\nFROM HOST/go:$V-$A\n",
            "3: `HOST/go:$V-$A` is left alone: `HOST/go:$V-$A` has more than one variable",
        ),
        ("ARG BASE\nFROM ${BASE}\n", "2: `${BASE}` is left alone: the build argument `BASE` has no default"),
        (
            "# dockopt: ignore=pin-base always the newest\nFROM HOST/go:1\n",
            "2: `HOST/go:1` is left alone: a comment keeps `pin-base` away (line 1)",
        ),
        ("FROM HOST/Go:1\n", "1: `HOST/Go:1` is left alone: `HOST/Go:1` is no name of an image"),
    ],
)
def test_what_cannot_be_locked_is_said_and_left_alone(
    tmp_path: Path, fake: Fake, pin: Pin, text: str, said: str
) -> None:
    path = dockerfile(tmp_path, text.replace("HOST", fake.host))
    result = pin("--digest", "--write")
    assert (result.code, result.err) == (0, "")
    assert f"Dockerfile:{said.replace('HOST', fake.host)}" in result.out.decode()
    assert path.read_text() == text.replace("HOST", fake.host)
    assert fake.asked == []


def test_a_name_that_a_build_replaces_is_left_alone(tmp_path: Path, fake: Fake, pin: Pin) -> None:
    compose = "services: {app: {build: {context: ., additional_contexts: {base: ./base}}}}\n"
    (tmp_path / "compose.yaml").write_text(compose)
    dockerfile(tmp_path, "FROM base\n")
    assert "is left alone: some build puts another content in the place of `base`" in pin("--digest").out.decode()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "`pin` needs `--digest`"), (("--digest", "-"), "reads files only"), (("--digest", "missing"), "no such file"),
        (("--digest", "empty"), "no Dockerfile found"), (("--digest", "broken.Dockerfile"), "broken.Dockerfile:1:"),
    ],
)  # fmt: skip
def test_wrong_usage(tmp_path: Path, pin: Pin, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "empty").mkdir()
    dockerfile(tmp_path, "FORM alpine\n", "broken.Dockerfile")
    result = pin(*arguments)
    assert (result.code, result.out) == (2, b"")
    assert said in result.err


def test_a_file_that_changes_meanwhile_is_not_overwritten(tmp_path: Path, fake: Fake, pin: Pin) -> None:
    fake.put("go:1")
    path = dockerfile(tmp_path, f"FROM {fake.host}/go:1\n")
    fake.before_answering = lambda: path.write_text("FROM scratch\n")
    result = pin("--digest", "--write")
    assert result.code == 2
    assert "nothing was written: `Dockerfile`: changed on disk" in result.err
    assert path.read_text() == "FROM scratch\n"


def test_the_help_says_that_it_uses_the_network(pin: Pin) -> None:
    text = " ".join(pin("--help").out.decode().split())
    assert "asks registries over the network" in text
    assert "nothing else in dockopt does" in text
