"""Cases of `non-root`, built and run: they answer as root before, as the new user after, and under the settings of `dockopt harden`.

Alpine and distroless are stand-ins here, made of busybox and of an empty image with accounts. That of Alpine has no programs to make
accounts, so it gets scripts that do what busybox's do with the arguments of the rewrite; the real ones are not tried.
"""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.opening import open_build
from dockopt.optimizer.running.hardening import hardening

from tests.engine.engine import Engine

pytestmark = pytest.mark.engine

FIXTURES = Path(__file__).parents[2] / "fixtures" / "non-root"
#: what the engine has in the place of a base image of a case
BASES = {
    "debian:12-slim": "debian:bookworm-slim",
    "alpine:3.20": "alpine:3.20",
    "gcr.io/distroless/static-debian12": "gcr.io/distroless/static-debian12:latest",
    "node:22-slim": "node:20-slim",
    "python:3.12-slim": "python:3.11-slim",
}
ACCOUNTS = {
    "addgroup": 'test "$1 $2" = "-S -g" && echo "$4:x:$3:" >>/etc/group\n',
    "adduser": 'test "$1 $2 $3 $4 $6" = "-S -D -H -u -G" && echo "$8:x:$5:$5::/home/$8:/sbin/nologin" >>/etc/passwd\n',
}


@dataclass(frozen=True)
class Case:
    """A case that can be run."""

    name: str
    port: int
    uid: int
    #: where it keeps what it is asked for
    data: str | None = None
    answer: str = ""


CASES = (
    Case("go-on-scratch", 8080, 10001, answer="hello"),
    Case("go-on-distroless", 8080, 65532, answer="hello"),
    Case("go-on-debian", 8080, 10001, answer="hello"),
    Case("script-that-only-starts-it", 8080, 10001, answer="hello"),
    Case("data-directory-of-a-variable", 8080, 10001, "/data/last"),
    Case("volume-of-compose", 8080, 10001, "/var/lib/app/last"),
    Case("directory-that-is-copied", 8080, 10001, "/data/last"),
    Case("node-writes-uploads", 3000, 1000, "/srv/uploads/last", "thanks"),
    Case("python-module", 8000, 10001, answer="hello"),
)


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def own_engine(warm_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("accounts")
    for name, text in ACCOUNTS.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}")
        (folder / name).chmod(0o755)
    bases = {name: image for name, image in BASES.items() if warm_engine.has(image)}
    if "alpine:3.20" in bases:
        tag = warm_engine.tag("alpine-with-accounts")
        # a context of that name would take the place of the base: the tag is another one
        built = warm_engine.build(b"FROM alpine:3.20\nCOPY addgroup adduser /usr/sbin/\n", folder, tag=tag)
        assert built.ok, built.log
        bases["alpine:3.20"] = tag
    with Engine(bases={**warm_engine.bases, **bases}) as found:
        yield found


def settings(case: Path, volumes: dict[str, str]) -> list[str]:
    """Return the options of `docker run` that say what the fragment for Compose says."""
    build = open_build(case / "Dockerfile", (case / "Dockerfile").read_bytes(), case).build
    (service,) = yaml.safe_load(hardening(build, "compose"))["services"].values()
    flags = ["--read-only", f"--user={service['user']}"] if service["read_only"] else []
    flags += [f"--cap-drop={name}" for name in service["cap_drop"]]
    flags += [f"--security-opt={option}" for option in service["security_opt"]]
    flags += [f"--tmpfs={path}" for path in service.get("tmpfs", ())]
    return flags + [f"--volume={name}:{path}" for path, name in volumes.items()]


def serve(tag: str, case: Case, *flags: str) -> tuple[str, str]:
    """Start an image, ask it for something, and return its answer and the numbers of the users that its processes run as."""
    container = docker("run", "--detach", "--network=none", *flags, tag)
    try:
        answer = ""
        for _ in range(40):
            asked = subprocess.run(
                ["docker", "run", "--rm", f"--network=container:{container}", "busybox", "wget", "-qO-", f"http://127.0.0.1:{case.port}/x"],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            answer = asked.stdout
            if asked.returncode == 0:
                break
            state = json.loads(docker("inspect", "--format", "{{json .State}}", container))
            logs = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=False)
            assert state["Running"], (asked.stderr, logs.stdout, logs.stderr)
            time.sleep(0.5)
        else:
            raise AssertionError(asked.stderr)
        users = {line.split()[1] for line in docker("top", container, "-eo", "pid,uid").splitlines()[1:]}
        return answer, " ".join(sorted(users))
    finally:
        docker("rm", "--force", "--volumes", container)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_serves_as_the_new_user_and_under_the_settings(case: Case, own_engine: Engine) -> None:
    context = FIXTURES / case.name
    source = (context / "Dockerfile").read_bytes()
    report = analyze(
        context / "Dockerfile", source, Options(context, frozenset({"non-root"}), named=frozenset({"non-root"}))
    )
    assert [change.proposal.rewrite for change in report.changes] == ["non-root"]
    missing = [name for name in BASES if f"FROM {name}".encode() in source and name not in own_engine.bases]
    if missing:
        pytest.skip(f"the engine has nothing for {missing[0]}")
    before, after = own_engine.tag(f"{case.name}-before"), own_engine.tag(f"{case.name}-after")
    for tag, text in ((before, source), (after, report.result)):
        built = own_engine.build(text, context, tag=tag)
        assert built.ok, built.log
    directory = case.data.rpartition("/")[0] if case.data else None
    answer, users = serve(before, case, *([f"--volume={directory}"] if directory else []))
    assert users == "0"
    assert case.answer in answer
    answer, users = serve(after, case)
    assert users == str(case.uid)
    assert case.answer in answer

    volume = f"dockopt-test-{uuid.uuid4().hex[:12]}"
    try:
        answer, users = serve(after, case, *settings(context, {directory: volume} if directory else {}))
        assert users == str(case.uid)
        assert case.answer in answer
        if directory is not None and case.data is not None:
            name = case.data.rpartition("/")[2]
            found = docker(
                "run", "--rm", "--network=none", f"--volume={volume}:/v", "busybox", "stat", "-c", "%u", f"/v/{name}"
            )
            assert found == str(case.uid)
    finally:
        if directory is not None:
            docker("volume", "rm", "--force", volume)


def test_without_its_directory_the_user_could_not_write(own_engine: Engine) -> None:
    """So the test above would notice that the directory is missing."""
    context = FIXTURES / "volume-of-compose"
    source = (context / "Dockerfile").read_bytes().replace(b"CMD", b"RUN mkdir -p /var/lib/app\nUSER 10001:10001\nCMD")
    tag = own_engine.tag("no-owner")
    assert own_engine.build(source, context, tag=tag).ok
    with pytest.raises(AssertionError, match="500"):
        serve(tag, Case("volume-of-compose", 8080, 10001))
