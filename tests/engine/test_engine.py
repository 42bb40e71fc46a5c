"""The harness itself: it must see every kind of difference, and nothing where there is none."""

from __future__ import annotations

import subprocess
import textwrap
import uuid
from pathlib import Path

import pytest

from tests.engine.engine import Engine, read_steps, without_syntax
from tests.engine.image import PLACEHOLDERS, Contents

GO_SERVICE = Path(__file__, "../../../fixtures/examples/go-service").resolve()


def text(source: str) -> bytes:
    return textwrap.dedent(source).lstrip().encode()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"# syntax=docker/dockerfile:1\nFROM a\n", b"FROM a\n"),
        (b"#syntax = x\r\n# escape=`\r\nFROM a\r\n", b"# escape=`\r\nFROM a\r\n"),
        (b"# escape=`\n# SYNTAX=x\nFROM a\n", b"# escape=`\nFROM a\n"),
        (b"\xef\xbb\xbf# syntax=x\nFROM a\n", b"\xef\xbb\xbfFROM a\n"),
        (b"# a comment ends the directives\n# syntax=x\nFROM a\n", None),
        (b"FROM a\n# syntax=x\n", None),
    ],
)
def test_only_a_leading_syntax_directive_is_dropped(given: bytes, kept: bytes | None) -> None:
    assert without_syntax(given) == (given if kept is None else kept)


def test_steps_are_read_from_interleaved_output() -> None:
    steps = read_steps(
        text("""
        #1 [internal] load build definition from Dockerfile
        #1 DONE 0.0s
        #5 [build 1/3] FROM docker.io/library/golang:1.22
        #5 CACHED
        #6 [build 2/3] RUN echo "#7 CACHED"
        #7 [stage-1 2/2] COPY --from=build /a /b
        #6 0.312 #7 CACHED
        #7 CACHED
        #6 DONE 0.5s
        #8 [build 3/3] RUN false
        #8 ERROR: process "/bin/sh -c false" did not complete successfully: exit code: 1
        """).decode()
    )
    assert [(step.stage, step.instruction.split()[0], step.cached, step.seconds) for step in steps] == [
        ("build", "FROM", True, 0.0),
        ("build", "RUN", False, 0.5),
        ("stage-1", "COPY", True, 0.0),
        ("build", "RUN", False, 0.0),
    ]


def image(engine: Engine, dockerfile: bytes, context: Path) -> str:
    tag = engine.tag("harness")
    result = engine.build(dockerfile, context, tag=tag)
    assert result.ok, result.log
    return tag


BASE = text("""
    FROM busybox
    ENV COLOR=red
    RUN mkdir -p /d/kept /d/gone /d/emptied /turned && echo 1 >/d/gone/a && echo 2 >/d/emptied/a \\
     && echo 3 >/d/file && ln /d/file /d/hard && ln -s file /d/soft && chmod 4755 /d/file && echo 4 >/turned/a
    """)


@pytest.mark.engine
def test_both_ways_to_read_an_image_agree(engine: Engine, tmp_path: Path) -> None:
    dockerfile = BASE + text("""
        RUN rm -rf /d/gone /d/emptied /turned && mkdir /d/emptied && echo 5 >/d/emptied/b && echo 6 >/turned
        RUN rm /d/soft && mkdir /d/soft && echo 7 >/d/soft/a && mkfifo /d/pipe && chown 12:34 /d/kept
        """)
    tag = image(engine, dockerfile, tmp_path)
    if engine._layers(tag) is None:
        pytest.skip("the storage driver has no layer directories to read")

    def seen(contents: Contents) -> Contents:
        hidden = tuple(f"{path}/" for path in PLACEHOLDERS)
        return {p: e for p, e in contents.items() if p != "/" and p not in PLACEHOLDERS and not p.startswith(hidden)}

    overlay = seen(engine.contents(tag))
    assert overlay == seen(engine.exported(tag))
    assert sorted(path for path in overlay if path.startswith(("/d/", "/turned"))) == [
        "/d/emptied", "/d/emptied/b", "/d/file", "/d/hard", "/d/kept", "/d/pipe", "/d/soft", "/d/soft/a", "/turned",
    ]  # fmt: skip
    assert overlay["/d/file"] == overlay["/d/hard"]
    assert overlay["/d/file"].mode == 0o4755
    assert (overlay["/d/kept"].uid, overlay["/d/kept"].gid) == (12, 34)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("RUN echo other >/d/gone/a", "`/d/gone/a`: content"),
        ("RUN chmod 700 /d/kept", "`/d/kept`: mode 0755 became 0700"),
        ("RUN chown 5 /d/gone/a", "`/d/gone/a`: uid 0 became 5"),
        ("RUN chgrp 5 /d/gone/a", "`/d/gone/a`: gid 0 became 5"),
        ("RUN ln -sfn kept /d/soft", "`/d/soft`: content file became kept"),
        ("RUN rm /d/soft", "`/d/soft`: only in the first image"),
        ("RUN touch /d/kept/new", "`/d/kept/new`: only in the second image"),
        ("ENV COLOR=blue", 'config `Env`: {"PATH"'),
        ("USER nobody", 'config `User`: "" became "nobody"'),
        ("EXPOSE 80", 'config `ExposedPorts`: {} became {"80/tcp": {}}'),
        ("LABEL a=b", 'config `Labels`: {} became {"a": "b"}'),
        ('ENTRYPOINT ["a"]\nCMD ["sh"]', 'config `Entrypoint`: [] became ["a"]'),
        ("HEALTHCHECK CMD true", "config `Healthcheck`: {} became"),
        ("ONBUILD RUN true", 'config `OnBuild`: [] became ["RUN true"]'),
        ("STOPSIGNAL SIGINT", 'config `StopSignal`: "" became "SIGINT"'),
        ("VOLUME /v", 'config `Volumes`: {} became {"/v": {}}'),
        ('SHELL ["/bin/ash", "-c"]', "config `Shell`: []"),
        ("RUN touch -d @0 /d/file", None),
        ("LABEL a=b\nLABEL a=", 'config `Labels`: {} became {"a": ""}'),
    ],
)
def test_a_difference_is_told(engine: Engine, tmp_path: Path, more: str, expected: str | None) -> None:
    told = engine.compare(image(engine, BASE, tmp_path), image(engine, BASE + more.encode() + b"\n", tmp_path))
    assert len(told) == (expected is not None), told
    assert told == [] or told[0].startswith(str(expected))


@pytest.mark.engine
def test_only_what_two_equal_builds_differ_in_is_masked(engine: Engine, tmp_path: Path) -> None:
    noisy = text("""
        FROM busybox
        RUN cat /proc/sys/kernel/random/uuid >/stamp && echo same >/steady
        """)
    first = image(engine, noisy, tmp_path)
    mask = engine.nondeterministic_paths(noisy, tmp_path, first, name="harness")
    assert mask == {"/stamp"}

    changed = image(engine, noisy.replace(b"same", b"else"), tmp_path)
    assert [line.split(":")[0] for line in engine.compare(first, changed)] == ["`/stamp`", "`/steady`"]
    assert [line.split(":")[0] for line in engine.compare(first, changed, mask=mask)] == ["`/steady`"]


@pytest.mark.engine
def test_a_failing_build_is_no_success(engine: Engine, tmp_path: Path) -> None:
    result = engine.build(b"FROM busybox\nRUN echo why && false\n", tmp_path, tag=engine.tag("harness"), no_cache=True)
    assert not result.ok
    assert "why" in result.log
    assert [step.instruction for step in result.work] == ["RUN echo why && false"]


@pytest.mark.engine
def test_closing_removes_the_tags_even_after_an_error(engine: Engine, tmp_path: Path) -> None:
    tag = ""
    with pytest.raises(ZeroDivisionError), Engine() as own:
        tag = image(own, BASE, tmp_path)
        raise ZeroDivisionError
    listed = subprocess.run(["docker", "image", "ls", "-q", tag], capture_output=True, text=True, check=True)
    assert tag
    assert listed.stdout == ""


@pytest.mark.engine
def test_a_rewrite_by_hand_keeps_the_image_and_the_download(warm_engine: Engine, tmp_path: Path) -> None:
    """What the tool is to do, done by hand: the harness must call it equal and see the gain."""
    before = (GO_SERVICE / "Dockerfile").read_bytes()
    after = before.replace(
        b"COPY . .\nRUN go mod download\n", b"COPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\n"
    )
    assert after != before
    tags = [image(warm_engine, source, GO_SERVICE) for source in (before, after)]
    assert warm_engine.compare(*tags) == []

    results = []
    for source in (before, after):
        # an edit of its own each: otherwise the second finds the layers of the first
        context = tmp_path / uuid.uuid4().hex
        subprocess.run(["cp", "-r", GO_SERVICE, context], check=True)
        with (context / "cmd/shortlinks/main.go").open("a") as file:
            file.write(f"\n// {context.name}\n")
        results.append(warm_engine.build(source, context, tag=warm_engine.tag("harness")))
    one, two = results
    download = [step for result in results for step in result.work if step.instruction == "RUN go mod download"]
    assert [step.cached for step in download] == [False, True]
    assert two.cached == one.cached + 2
    assert two.ran == one.ran - 1


@pytest.mark.engine
def test_a_wrong_rewrite_is_told(warm_engine: Engine) -> None:
    before = (GO_SERVICE / "Dockerfile").read_bytes()
    wrong = before.replace(b"go build -o", b"go build -ldflags=-s -o").replace(b"USER nobody\n", b"")
    assert wrong != before
    told = warm_engine.compare(*(image(warm_engine, source, GO_SERVICE) for source in (before, wrong)))
    assert [line.split(": ")[0] for line in told] == ["config `User`", "`/usr/local/bin/shortlinks`"]
