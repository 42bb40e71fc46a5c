"""`size` of a Dockerfile, an image in an engine, an archive and a folder."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.engines.conftest import World
from tests.engines.test_verify import nothing_is_left


def test_a_dockerfile_is_built_once_and_nothing_is_left(world: World) -> None:
    code, out, err = world.run("same", "size")
    assert (code, err) == (0, "")
    assert out.startswith(".: 0.0 MB in 1 layers (files, not compressed)\n")
    built = [call for call in world.calls if call[0] == "build"]
    assert len(built) == 1
    # how large it is does not depend on what is reused
    assert "--no-cache" not in built[0]
    assert nothing_is_left(world)


def test_an_image_is_not_built(world: World) -> None:
    (world.state / "image-x").write_bytes(image_of(world))
    code, out, _ = world.run("same", "size", "x", "--format", "json")
    assert code == 0
    assert json.loads(out)["layers"] == [
        {"instruction": "layer 1", "line": None, "base": False, "bytes": 3, "files": 1}
    ]
    assert not [call for call in world.calls if call[0] == "build"]


def test_an_archive_needs_no_engine(world: World) -> None:
    (world.state / "image-x").write_bytes(image_of(world))
    saved = subprocess.run(["docker", "save", "x"], env=world.environment, capture_output=True, check=True).stdout
    (world.project / "x.tar").write_bytes(saved)
    (Path(world.environment["PATH"].split(":")[0]) / "docker").unlink()
    code, out, _ = world.run("same", "size", "x.tar")
    assert (code, out.splitlines()[0]) == (0, "x.tar: 0.0 MB in 1 layers (files, not compressed)")


def image_of(world: World) -> bytes:
    """Build an image and return its layer."""
    subprocess.run(
        ["docker", "build", f"--file={world.project}/Dockerfile", "--tag=t", "."],
        env=world.environment,
        capture_output=True,
        check=True,
    )
    data = (world.state / "image-t").read_bytes()
    (world.state / "image-t").unlink()
    (world.state / "log").unlink()
    return data


def test_what_is_missing_is_said(world: World) -> None:
    for arguments, message in (
        (("nowhere",), "reference does not exist"),
        (("src",), "it has no `Dockerfile` and is no OCI image layout"),
        (("--format", "xml"), "`xml` is none of text, json"),
        (("src/main.go",), "main.go"),
    ):
        code, out, err = world.run("same", "size", *arguments)
        assert (code, out) == (2, ""), arguments
        assert message in err
        assert "Traceback" not in err
    code, _, err = world.run("original-fails", "size")
    assert code == 2
    assert "the Dockerfile does not build: it fails in `RUN make`" in err
    assert nothing_is_left(world)
