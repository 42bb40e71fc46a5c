"""`dockopt pin --digest` against a real registry (Debian's `docker-registry`) that holds images which the engine pushed."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.engine import Engine

pytestmark = pytest.mark.engine
CONFIGURATION = """\
version: 0.1
storage:
  filesystem: {{rootdirectory: {storage}}}
http:
  addr: 127.0.0.1:{port}
"""
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("needs `docker-registry` (Debian package of the same name)")
    directory = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (directory / "config.yml").write_text(CONFIGURATION.format(storage=directory / "storage", port=port))
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([program, "serve", directory / "config.yml"], stdout=output, stderr=output)
    try:
        for _ in range(100):
            if process.poll() is not None:
                pytest.fail(f"the registry ended: {log.read_text()}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait(30)


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def push(engine: Engine, directory: Path, name: str, content: str) -> str:
    """Build an image with one file, push it, and return the digest that docker tells."""
    context = directory / "image"
    context.mkdir(exist_ok=True)
    (context / "file").write_text(content)
    built = engine.build(b"FROM scratch\nCOPY file /file\n", context, tag=name)
    assert built.ok, built.log
    found = re.search(r"digest: (sha256:[0-9a-f]{64})", docker("push", name))
    assert found is not None
    return found[1]


def pin(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dockopt", "pin", "--digest", *arguments, "Dockerfile"],
        capture_output=True,
        encoding="utf-8",
        cwd=directory,
        env={**os.environ, "DOCKER_CONFIG": str(directory / "no-login")},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_lock_keeps_the_content_until_it_is_updated(engine: Engine, registry: str, tmp_path: Path) -> None:
    name = f"{registry}/dockopt-pin/base:1"
    first = push(engine, tmp_path, name, "first")
    path = tmp_path / "Dockerfile"
    path.write_text(f"FROM {name}\nCOPY Dockerfile /Dockerfile\n")
    assert f"{name}: → {first} (one platform only)" in pin(tmp_path, "--write")
    assert path.read_text().startswith(f"FROM {name}@{first}\n")

    second = push(engine, tmp_path, name, "second")
    assert second != first
    assert pin(tmp_path, "--write") == "nothing to lock\n"
    assert f"{name}: {first} → {second}" in pin(tmp_path, "--update")
    locked = engine.tag("pin-locked")
    docker("pull", f"{name}@{first}")
    assert engine.build(path.read_bytes(), tmp_path, tag=locked).ok
    assert b"first" in file_of(locked)

    pin(tmp_path, "--update", "--write")
    assert path.read_text().startswith(f"FROM {name}@{second}\n")
    updated = engine.tag("pin-updated")
    assert engine.build(path.read_bytes(), tmp_path, tag=updated).ok
    assert b"second" in file_of(updated)
    engine.tags += [f"{name}@{first}", f"{name}@{second}"]


def test_a_list_of_platforms_is_locked_as_a_list(engine: Engine, registry: str, tmp_path: Path) -> None:
    repository = f"{registry}/dockopt-pin/list"
    digest = push(engine, tmp_path, f"{repository}:amd64", "one platform")
    url = f"http://{registry}/v2/dockopt-pin/list/manifests"
    asked = urllib.request.Request(f"{url}/{digest}", headers={"Accept": MANIFEST})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        size = len(answer.read())
    entry = {
        "mediaType": MANIFEST,
        "digest": digest,
        "size": size,
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()
    put = urllib.request.Request(f"{url}/all", data=index, headers={"Content-Type": INDEX}, method="PUT")
    with urllib.request.urlopen(put, timeout=20) as answer:
        of_index = answer.headers["Docker-Content-Digest"]
    path = tmp_path / "Dockerfile"
    path.write_text(f"ARG TAG=all\nFROM {repository}:${{TAG}}\n")
    assert f"{repository}:all: → {of_index}\n" in pin(tmp_path, "--write")
    assert path.read_text() == f"ARG TAG=all@{of_index}\nFROM {repository}:${{TAG}}\n"
    tag = engine.tag("pin-list")
    built = engine.build(path.read_bytes(), tmp_path, tag=tag)
    assert built.ok, built.log
    assert b"one platform" in file_of(tag)


def test_a_tag_that_is_not_there_changes_nothing(registry: str, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(f"FROM {registry}/dockopt-pin/nothing:1\n")
    done = subprocess.run(
        [sys.executable, "-m", "dockopt", "pin", "--digest", "--write", str(path)],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert f"`{registry}` has no `dockopt-pin/nothing:1`" in done.stderr
    assert path.read_text() == f"FROM {registry}/dockopt-pin/nothing:1\n"


def file_of(tag: str) -> bytes:
    """Return what an image has in `/file`, as an archive of one entry."""
    container = docker("create", "--network=none", tag, "none").strip()
    try:
        done = subprocess.run(["docker", "cp", f"{container}:/file", "-"], capture_output=True, timeout=60, check=True)
        return done.stdout
    finally:
        docker("rm", "--force", container)
