"""`verify`, `bench` and `fix --verify` with an engine that does as it is told."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from dockopt.optimizer.leftovers import owner

from tests.engines.conftest import DOCKERFILE, World


def nothing_is_left(world: World) -> bool:
    return world.images == [] and list(Path(world.environment["TMPDIR"]).iterdir()) == []


def test_same_image(world: World) -> None:
    code, out, err = world.run("same", "verify", "--engine", "docker")
    assert (code, err) == (0, "")
    assert "Dockerfile: same image: 1 paths and all settings" in out
    assert (world.state / "built-1").read_bytes() == DOCKERFILE
    assert b"RUN apk add --no-cache curl\nCOPY src /app\n" in (world.state / "built-2").read_bytes()
    assert nothing_is_left(world)


def test_differences_are_shown_as_a_tree_without_escapes(world: World) -> None:
    code, out, _ = world.run("different", "verify", "--engine", "docker")
    assert code == 1
    assert "the images differ" in out
    assert "    app: content (3 bytes) became other content (5 bytes)" in out
    assert "\x1b" not in out
    assert nothing_is_left(world)


def test_noise_of_the_original_is_left_out_and_named(world: World) -> None:
    code, out, _ = world.run("noise", "verify", "--engine", "docker")
    assert code == 0
    assert "two builds of the original differ there too: /log" in out
    assert len(list(world.state.glob("built-*"))) == 3


@pytest.mark.parametrize(
    ("scenario", "code", "message"),
    [
        ("original-fails", 2, "the Dockerfile does not build as it is: it fails in `RUN make`"),
        ("no-base", 2, "the base image cannot be had: docker.io/library/golang:1.22"),
        (
            "no-secret",
            2,
            "nothing was built: the engine refuses before the first step:\ndockopt:   ERROR: failed to stat",
        ),
        ("offline", 2, "it has no network in `RUN make`; `--network=host` may help"),
        (
            "no-daemon",
            2,
            "no build engine can be used: `docker` does not work here: Cannot connect to the Docker daemon",
        ),
    ],
)
def test_what_is_missing_is_said(world: World, scenario: str, code: int, message: str) -> None:
    found, out, err = world.run(scenario, "verify", "--engine", "docker")
    assert (found, out) == (code, "")
    assert message in err
    assert "\x1b" not in err
    assert "Traceback" not in err


def test_only_the_rewritten_file_fails(world: World) -> None:
    code, out, _ = world.run("rewritten-fails", "verify", "--engine", "docker")
    assert code == 1
    assert "the original builds, the rewritten Dockerfile does not" in out
    assert nothing_is_left(world)


def test_without_any_engine(world: World) -> None:
    (Path(world.environment["PATH"].split(":")[0]) / "docker").unlink()
    world.environment["PATH"] = world.environment["PATH"].split(":")[0]
    code, _, err = world.run("same", "verify")
    assert code == 2
    assert "there is no build engine here: none of docker, podman and buildah is installed" in err


def test_options_are_passed_on_and_an_ignore_file_of_the_dockerfile_comes_along(world: World) -> None:
    (world.project / "Dockerfile.dockerignore").write_text("x\n")
    options = [
        "--platform=linux/arm64",
        "--target=t",
        "--network=host",
        "--build-arg=A=1",
        "--build-arg=B=2",
        "--secret=id=s",
        "--ssh=default",
    ]
    assert world.run("same", "verify", "--engine", "docker", *options)[0] == 0
    built = [call for call in world.calls if call[0] == "build"]
    assert len(built) == 2
    for call in built:
        assert set(options) <= set(call)
        assert "--no-cache" in call
    assert (world.state / "ignore-1").read_text() == "True"
    world.run("same", "verify", "--engine", "docker", "--cache")
    built = [call for call in world.calls if call[0] == "build"]
    assert ["--no-cache" in call for call in built] == [True, True, False, False]


def test_only_the_second_build_has_a_changed_ignore_file(world: World) -> None:
    site = b"FROM alpine:3.20 AS site\nCOPY . /site\nFROM alpine:3.20\nCOPY --from=site /site/src /srv\n"
    (world.project / "Dockerfile").write_bytes(site)
    code, _, err = world.run("same", "verify")
    assert (code, err) == (0, "")
    assert [(world.state / f"ignore-{number}").read_text() for number in (1, 2)] == ["False", "True"]
    assert not (world.project / ".dockerignore").exists()
    assert world.run("same", "fix", "--write", "--verify")[0] == 0
    assert (world.project / "Dockerfile").read_bytes() == site
    assert (world.project / ".dockerignore").read_bytes() == b"Dockerfile\n"


def test_fix_writes_only_what_was_built(world: World) -> None:
    code, out, err = world.run("different", "fix", "--write", "--verify", "--engine", "docker")
    assert code == 2
    assert "nothing was written" in err
    assert (world.project / "Dockerfile").read_bytes() == DOCKERFILE
    for built in world.state.glob("built-*"):
        built.unlink()
    code, out, err = world.run("same", "fix", "--write", "--verify", "--engine", "docker")
    assert (code, err) == (0, "")
    assert "two builds show the same image" in out
    assert (world.project / "Dockerfile").read_bytes() != DOCKERFILE
    assert nothing_is_left(world)


@pytest.mark.parametrize(
    "arguments", [["fix", "--verify"], ["fix", "--write", "--network", "host"], ["verify", "--engine", "kaniko"]]
)
def test_options_that_make_no_sense(world: World, arguments: list[str]) -> None:
    code, out, err = world.run("same", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("dockopt: ")


def test_bench_leaves_the_files_of_the_user_alone(world: World) -> None:
    source = world.project / "src" / "main.go"
    os.utime(source, (1, 1))
    code, out, err = world.run("same", "bench", "--engine", "docker", "--edit", "src/main.go", "--runs", "2")
    assert (code, err) == (0, "")
    assert "src/main.go" in out
    assert "steps reused: 1 of 2 before, 1 of 2 after" in out
    assert (source.read_text(), source.stat().st_mtime, source.stat().st_nlink) == ("package main\n", 1, 1)
    assert nothing_is_left(world)


@pytest.mark.parametrize("edit", ["missing", "../state/log", "src"])
def test_bench_edits_files_of_the_context_only(world: World, edit: str) -> None:
    code, _, err = world.run("same", "bench", "--engine", "docker", "--edit", edit)
    assert code == 2
    assert "no such file in the context" in err


COMMANDS = {"verify": ["verify"], "bench": ["bench", "--edit", "src/main.go"], "fix": ["fix", "--write", "--verify"]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_interrupt_cleans_up(world: World, command: str, number: int) -> None:
    process = world.start("slow-second", *COMMANDS[command], "--engine", "docker")
    world.wait_for("started")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert b"Traceback" not in out
    assert world.calls[-1][:2] == ["rmi", "--force"]
    assert nothing_is_left(world)
    assert (world.project / "Dockerfile").read_bytes() == DOCKERFILE


def test_a_second_interrupt_does_not_cut_the_cleaning_short(world: World) -> None:
    process = world.start("slow-remove", "verify", "--engine", "docker")
    for _ in range(2):
        world.wait_for("removing")
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert nothing_is_left(world)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_next_run_removes_what_a_killed_one_left(world: World, command: str) -> None:
    process = world.start("slow-second", *COMMANDS[command], "--engine", "docker")
    os.kill(int(world.wait_for("started")), signal.SIGSTOP)  # what the engine was doing goes on, or not
    process.kill()
    process.communicate(timeout=60)
    os.kill(int(world.wait_for("started")), signal.SIGKILL)
    assert len(world.images) == 1
    assert not nothing_is_left(world)
    assert (world.project / "Dockerfile").read_bytes() == DOCKERFILE
    assert world.run("same", *COMMANDS[command], "--engine", "docker")[0] == 0
    assert nothing_is_left(world)


def test_what_runs_elsewhere_or_is_still_running_made_stays(world: World) -> None:
    here, process = owner().rsplit("-", 1)
    gone = subprocess.Popen(["true"])
    gone.wait()
    kept = [f"{here}-{process}-0a", f"{'0' * 12}-{gone.pid}-0a", f"{here}-0a", "latest"]
    for name in [*kept, f"{here}-{gone.pid}-0a"]:
        (world.state / f"image-dockopt-verify:{name}").touch()
        (Path(world.environment["TMPDIR"]) / f"dockopt-{name}").mkdir()
    assert world.run("same", "verify", "--engine", "docker")[0] == 0
    assert sorted(world.images) == sorted(f"image-dockopt-verify:{name}" for name in kept)
    folders = [path.name for path in Path(world.environment["TMPDIR"]).iterdir()]
    assert sorted(folders) == sorted(f"dockopt-{name}" for name in kept)


def test_nothing_to_improve_needs_no_engine(world: World) -> None:
    (world.project / "Dockerfile").write_text("FROM alpine:3.20\n")
    code, out, _ = world.run("no-daemon", "verify")
    assert code == 0
    assert "nothing to verify" in out


def test_images_that_are_not_there(world: World) -> None:
    code, _, err = world.run("same", "diff-images", "--engine", "docker", "one", "two")
    assert code == 2
    assert "reference does not exist" in err
