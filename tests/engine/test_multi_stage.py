"""A service in the image that it is built in, and in a runtime stage of its own: it answers the same, and is much smaller.

The distroless image may be a stand-in without a C library; then certificates and time zones of the real one are not tried here.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.proposal import FileReport

from tests.engine.engine import Engine, _checked

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "examples"
#: each calls Maven twice: one of them, or all where `DOCKOPT_ALL_FIXTURES` is set
EVERYTHING = bool(os.environ.get("DOCKOPT_ALL_FIXTURES"))
BASES = ("golang:1.22", "gcr.io/distroless/static-debian13")


def report(name: str) -> FileReport:
    chosen = frozenset({"multi-stage"})
    path = EXAMPLES / name / "Dockerfile"
    return analyze(path, path.read_bytes(), Options(context=path.parent, select=chosen, named=chosen))


def image(engine: Engine, name: str, source: bytes) -> str:
    for base in BASES:
        if not engine.has(base):
            pytest.skip(f"the engine has no image {base}")
    tag = engine.tag(name)
    result = engine.build(source, EXAMPLES / name, tag=tag)
    assert result.ok, result.log
    return tag


def size(tag: str) -> int:
    return int(_checked("image", "inspect", "--format", "{{.Size}}", tag))


@contextmanager
def serving(tag: str) -> Iterator[str]:
    """Run an image on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    container = _checked("run", "--detach", "--network=host", tag, "-listen", f"127.0.0.1:{port}").strip()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        _checked("rm", "--force", container)


def answer(address: str) -> bytes:
    for _ in range(100):
        try:
            with urllib.request.urlopen(address) as response:
                body: bytes = response.read()
                return body
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


@pytest.mark.engine
def test_a_service_answers_the_same_from_a_stage_of_its_own(warm_engine: Engine) -> None:
    told = report("go-templates")
    assert [change.proposal.rewrite for change in told.changes] == ["multi-stage"]
    before = image(warm_engine, "go-templates", told.source)
    after = image(warm_engine, "go-templates", told.result)
    for path in ("/", "/static/style.css"):
        with serving(before) as old, serving(after) as new:
            assert answer(old + path) == answer(new + path)
    with serving(after) as new:
        assert b"<li>Soup</li><li>Bread</li>" in answer(new + "/")
    print(f"go-templates: {size(before)} bytes before, {size(after)} after")
    assert size(after) < size(before) / 10
    old_files, new_files = warm_engine.contents(before), warm_engine.contents(after)
    for path in ("/app/templates/menu.html", "/app/static/style.css", "/app/data/dishes.txt"):
        assert old_files[path] == new_files[path]


@pytest.mark.engine
def test_the_files_that_are_taken_along_are_needed(warm_engine: Engine) -> None:
    told = report("go-templates")
    without = b"\n".join(line for line in told.result.split(b"\n") if b"/app/data" not in line)
    assert without != told.result
    with pytest.raises(RuntimeError, match=r"data/dishes\.txt"):
        warm_engine.run(image(warm_engine, "go-templates", without))


@pytest.mark.engine
def test_the_stage_that_builds_can_still_be_built_alone(warm_engine: Engine) -> None:
    told = report("go-templates")
    tag = warm_engine.tag("go-templates")
    assert warm_engine.build(told.result, EXAMPLES / "go-templates", tag=tag, target="build").ok
    assert "/app/main.go" in warm_engine.contents(tag)


@pytest.mark.engine
def test_a_program_that_starts_others_stays_where_they_are(warm_engine: Engine) -> None:
    told = report("go-starts-programs")
    assert (told.changes, told.result) == ([], told.source)
    (refusal,) = told.refusals
    assert "starts other programs" in refusal.reason
    assert "git version" in warm_engine.run(image(warm_engine, "go-starts-programs", told.source))


@pytest.mark.engine
def test_a_rust_program_prints_the_same_from_a_stage_of_its_own(warm_engine: Engine, tmp_path: Path) -> None:
    """In shell form: the image with a shell is there, distroless with a C library is not made here."""
    shutil.copytree(EXAMPLES.parent / "multi-stage" / "rust-file-that-is-named", tmp_path, dirs_exist_ok=True)
    (tmp_path / "expected.Dockerfile").unlink()
    program = 'fn main() { print!("{}", std::fs::read_to_string("menu/today.txt").unwrap()); }\n'
    (tmp_path / "src/main.rs").write_text(program)
    path = tmp_path / "Dockerfile"
    path.write_text(
        "FROM rust:1-bookworm\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\nCMD ./target/release/shop\n"
    )
    chosen = frozenset({"multi-stage"})
    told = analyze(path, path.read_bytes(), Options(context=tmp_path, select=chosen, named=chosen))
    assert b"\nFROM debian:bookworm-slim\n" in told.result
    for base in ("rust:1-bookworm", "debian:bookworm-slim"):
        if not warm_engine.has(base):
            pytest.skip(f"the engine has no image {base}")
    tags = []
    for source in (told.source, told.result):
        tags.append(warm_engine.tag("rust-stages"))
        result = warm_engine.build(source, tmp_path, tag=tags[-1])
        assert result.ok, result.log
    assert [warm_engine.run(tag) for tag in tags] == ["soup\n", "soup\n"]
    assert size(tags[1]) < size(tags[0]) / 4


@pytest.mark.engine
def test_an_account_is_the_same_in_a_stage_of_its_own(warm_engine: Engine, tmp_path: Path) -> None:
    """Number, group and a home that it may write to; the time zones are those of the Go tree on an Alpine without any."""
    (tmp_path / "go.mod").write_text("module example.com/shop\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text(
        'package main\n\nimport (\n\t"fmt"\n\t"os"\n\t"time"\n)\n\nfunc main() {\n\thome, err := os.UserHomeDir()\n'
        '\tfmt.Println(os.Getuid(), os.Getgid(), home, err, os.WriteFile(home+"/x", nil, 0o600))\n'
        '\tfmt.Println(time.LoadLocation("Europe/Zurich"))\n}\n'
    )
    path = tmp_path / "Dockerfile"
    chosen = frozenset({"multi-stage"})
    for cmd, base in (('["/app/shop"]', BASES[1]), ("/app/shop", "alpine:3.22")):
        path.write_text(
            f"FROM golang:1.22\nRUN useradd -m shop\nWORKDIR /app\nCOPY . .\nRUN go build -o shop .\nUSER shop\nCMD {cmd}\n"
        )
        told = analyze(path, path.read_bytes(), Options(context=tmp_path, select=chosen, named=chosen))
        assert f"\nFROM {base}\n".encode() in told.result
        # the stand-in for Alpine has another tag
        result_source = told.result.replace(b"alpine:3.22", b"alpine:3.20")
        for needed in (BASES[0], BASES[1], "alpine:3.20"):
            if not warm_engine.has(needed):
                pytest.skip(f"the engine has no image {needed}")
        said = []
        for source in (told.source, result_source):
            tag = warm_engine.tag("account")
            result = warm_engine.build(source, tmp_path, tag=tag)
            assert result.ok, result.log
            said.append(warm_engine.run(tag))
        account, zone = said[1].splitlines()
        assert account == said[0].splitlines()[0] == "1000 1000 /home/shop <nil> <nil>"
        if base.startswith("alpine"):
            # the stand-in for distroless has none
            assert zone == said[0].splitlines()[1] == "Europe/Zurich <nil>"


#: gives a Java machine the certificates that the image has for other programs
TRUST = """
import java.io.*;
import java.security.KeyStore;
import java.security.cert.*;

class Trust {
    public static void main(String[] paths) throws Exception {
        KeyStore store = KeyStore.getInstance("JKS");
        store.load(null, null);
        try (InputStream bundle = new FileInputStream("/etc/ssl/certs/ca-certificates.crt")) {
            int count = 0;
            for (Certificate found : CertificateFactory.getInstance("X.509").generateCertificates(bundle)) {
                store.setCertificateEntry("ca" + count++, found);
            }
        }
        try (OutputStream out = new FileOutputStream("/etc/ssl/certs/java/cacerts")) {
            store.store(out, "changeit".toCharArray());
        }
    }
}
"""


def java_images(engine: Engine, folder: Path) -> tuple[str, str]:
    """Make stand-ins for `maven:3.9-eclipse-temurin-17` and `eclipse-temurin:17-jre`, of Debian's OpenJDK 17."""
    for base in ("maven:3", "debian:bookworm-slim"):
        if not engine.has(base):
            pytest.skip(f"the engine has no image {base}")
    (folder / "Trust.java").write_text(TRUST)
    tags = []
    for name, recipe in (
        (
            "jdk",
            "FROM maven:3\nCOPY Trust.java /tmp/\nRUN java /tmp/Trust.java\n",
        ),
        (
            "jre",
            "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless "
            "&& apt-get clean && rm -rf /var/lib/apt/lists/*\n",
        ),
    ):
        tags.append(engine.tag(name))
        result = engine.build(recipe.encode(), folder, tag=tags[-1])
        assert result.ok, result.log
    return tags[0], tags[1]


@pytest.mark.engine
@pytest.mark.parametrize(
    "case", ["jvm-service", "jvm-file-that-is-named", "jvm-assembled"][: None if EVERYTHING else 1]
)
def test_a_jar_runs_the_same_on_a_jre(case: str, warm_engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / case
    shutil.copytree(EXAMPLES.parent / "multi-stage" / case, folder)
    (folder / "expected.Dockerfile").unlink()
    path = folder / "Dockerfile"
    chosen = frozenset({"multi-stage"})
    told = analyze(path, path.read_bytes(), Options(context=folder, select=chosen, named=chosen))
    assert b"\nFROM eclipse-temurin:17-jre\n" in told.result
    (tmp_path / "bases").mkdir()
    jdk, jre = java_images(warm_engine, tmp_path / "bases")
    tags = []
    for source in (told.source, told.result):
        text = source.decode().replace("maven:3.9-eclipse-temurin-17", jdk).replace("eclipse-temurin:17-jre", jre)
        tags.append(warm_engine.tag(case))
        result = warm_engine.build(text.encode(), folder, tag=tags[-1])
        assert result.ok, result.log
    if case == "jvm-service":
        said = []
        for tag in tags:
            container = _checked("run", "--detach", "--network=host", tag).strip()
            try:
                said.append(answer("http://127.0.0.1:8080/").decode())
            finally:
                _checked("rm", "--force", container)
        assert said == ["soup\n", "soup\n"]
    else:
        assert warm_engine.run(tags[0]) == warm_engine.run(tags[1]) != ""
    print(f"{case}: {size(tags[0])} bytes before, {size(tags[1])} after")
    assert size(tags[1]) < size(tags[0]) - 100_000_000
