"""Engines, machines and names that do not do as they should: said in words, with exit code 2, and nothing is left."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines.conftest import World
from tests.engines.test_verify import nothing_is_left

COMMANDS = (("size",), ("verify",), ("bench", "--edit", "src/main.go"))


def refused(world: World, scenario: str, *arguments: str) -> str:
    code, out, err = world.run(scenario, *arguments)
    assert (code, out) == (2, ""), (out, err)
    assert "Traceback" not in err
    assert "internal error" not in err
    return err


def patched(world: World, patch: str, *arguments: str) -> str:
    """Run the program after a patch of what it uses, and return what it says when it ends with 2."""
    script = f"{patch}\nfrom dockopt.optimizer.cli import main; main()\n"
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(
        command, cwd=world.project, env=world.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, ""), (done.stdout, done.stderr)
    return done.stderr


@pytest.mark.parametrize("scenario", ["garbage", "half-an-archive"])
@pytest.mark.parametrize("command", COMMANDS[:2], ids=" ".join)
def test_an_engine_that_prints_garbage(world: World, scenario: str, command: tuple[str, ...]) -> None:
    err = refused(world, scenario, *command)
    assert "it is no archive" in err or "manifest.json" in err
    assert "\x1b" not in err
    assert nothing_is_left(world)


def test_an_image_without_layers(world: World) -> None:
    assert "dockopt: .: docker writes no image that has no layers" in refused(world, "no-layers", "size")
    assert nothing_is_left(world)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_file_is_named_where_nothing_could_be_tried(world: World, command: tuple[str, ...]) -> None:
    err = refused(world, "no-secret", *command)
    assert err.startswith(("dockopt: Dockerfile: nothing was built", "dockopt: .: nothing was built"))
    assert nothing_is_left(world)


def test_an_image_that_is_not_there(world: World) -> None:
    assert "`docker pull` gets an image" in refused(world, "same", "size", "nowhere")
    assert "`docker pull` gets an image" in refused(world, "same", "diff-images", "nowhere", "nowhere")


@pytest.mark.parametrize("command", ["size", "diff-images"])
def test_no_name_becomes_an_option_of_the_engine(world: World, command: str) -> None:
    names = ["--output=stolen"] * (2 if command == "diff-images" else 1)
    assert "`--output=stolen` is no name of an image" in refused(world, "same", command, "--", *names)
    assert not (world.state / "log").exists() or all(call[0] != "save" for call in world.calls)


def test_an_engine_that_hangs_before_it_builds(world: World) -> None:
    """Nothing waits for it longer than for an answer; here it has one second."""
    docker = Path(shutil.which("docker", path=world.environment["PATH"]) or "")
    docker.write_text('#!/bin/sh\ncase "$1 $2" in "buildx version") exec sleep 9;; esac\n')
    err = patched(world, "import dockopt.optimizer.engines.command as c; c._ANSWER_SECONDS = 1", "size")
    assert err == "dockopt: .: `docker buildx version` does not answer within 1 s\n"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_room_for_temporary_files(world: World, command: tuple[str, ...]) -> None:
    comments = b"# a comment that is longer than what may be written\n" * 2000
    (world.project / "Dockerfile").write_bytes((world.project / "Dockerfile").read_bytes() + comments)
    full = (
        "import errno, pathlib\n"
        "write = pathlib.Path.write_bytes\n"
        "def full(path, data):\n"
        "    if len(data) > 4096: raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "    return write(path, data)\n"
        "pathlib.Path.write_bytes = full"
    )
    temporary = world.environment["TMPDIR"]
    said = f"no space left on device; temporary files lie in `{temporary}`, and `TMPDIR` names another"
    assert said in patched(world, full, *command)
    assert nothing_is_left(world)


def test_no_directory_for_temporary_files(world: World) -> None:
    nowhere = (
        "import errno, tempfile\n"
        "def nowhere(): raise FileNotFoundError(errno.ENOENT, 'No usable temporary directory found in [...]')\n"
        "tempfile.gettempdir = nowhere"
    )
    err = patched(world, nowhere, "size")
    assert "no usable temporary directory found" in err
    assert "`TMPDIR` names another directory" in err


def test_a_context_that_cannot_be_copied(world: World) -> None:
    subprocess.run(["mkfifo", str(world.project / "src" / "pipe")], check=True)
    elsewhere = (
        "import errno, os\ndef link(*_): raise OSError(errno.EXDEV, 'Invalid cross-device link')\nos.link = link"
    )
    assert "src/pipe` cannot be copied: `" in patched(world, elsewhere, "bench", "--edit", "src/main.go")
    assert nothing_is_left(world)
