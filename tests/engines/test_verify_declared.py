"""`verify --select` and `fix --verify`: an image may differ in what is declared, and in nothing else."""

from __future__ import annotations

from tests.engines.conftest import World
from tests.engines.test_verify import nothing_is_left

APT = b"FROM debian:12\nRUN apt-get update && apt-get install -y curl\n"
REMOVED = b"&& rm -rf /var/lib/apt/lists/*\n"


def with_apt(world: World) -> None:
    (world.project / "Dockerfile").write_bytes(APT)


def test_a_declared_difference_is_shown_and_no_failure(world: World) -> None:
    with_apt(world)
    code, out, err = world.run("lists", "verify", "--select", "apt-hygiene")
    assert (code, err) == (0, "")
    assert (
        out.split("built in")[0]
        == """\
Dockerfile: the images differ in nothing but what is declared: 1 paths and all settings, compared one by one
  apt-hygiene declares: /var/lib/apt/lists
  files: 2 gone
    /var  2 gone
  size: 2.0 MB before, 0.0 MB after (-2.0 MB, -100.0%)
"""
    )
    assert (world.state / "built-2").read_bytes().endswith(REMOVED)
    # what is declared needs no third build
    assert len(list(world.state.glob("built-*"))) == 2
    assert nothing_is_left(world)


def test_what_is_not_declared_is_a_failure(world: World) -> None:
    with_apt(world)
    code, out, _ = world.run("lists-and-more", "verify", "--select", "apt-hygiene,reorder")
    assert code == 1
    assert out.startswith(
        "Dockerfile: the images differ in more than is declared:\n  /etc/\n    new: only in the second image"
    )
    assert "beside that, as declared:\n  apt-hygiene declares: /var/lib/apt/lists\n  files: 2 gone\n" in out
    assert len(list(world.state.glob("built-*"))) == 3


def test_nothing_that_changes_the_image_is_verified_without_being_named(world: World) -> None:
    with_apt(world)
    code, out, _ = world.run("lists", "verify")
    assert (code, out) == (0, "Dockerfile: nothing to improve, so there is nothing to verify\n")
    code, out, _ = world.run("lists", "verify", "--select", "split-copy")
    assert (code, out) == (0, "Dockerfile: split-copy: nothing that could be applied, so there is nothing to verify\n")
    code, _, err = world.run("lists", "verify", "--select", "nonsense")
    assert code == 2
    assert "nonsense" in err


def test_the_rewritten_file_fails(world: World) -> None:
    with_apt(world)
    code, out, _ = world.run("rewritten-fails", "verify", "--select", "apt-hygiene")
    assert code == 1
    assert "the original builds, the rewritten Dockerfile does not" in out


def test_fix_writes_what_differs_as_declared_and_nothing_else(world: World) -> None:
    with_apt(world)
    code, _, err = world.run("lists-and-more", "fix", "--write", "--verify", "--select", "apt-hygiene")
    assert code == 2
    assert "nothing was written, because two builds do not show the image that is claimed" in err
    assert (world.project / "Dockerfile").read_bytes() == APT
    for image in world.state.glob("built-*"):
        image.unlink()
    code, out, _ = world.run("lists", "fix", "--write", "--verify", "--select", "apt-hygiene")
    assert code == 0
    assert "written: Dockerfile (two builds show that the images differ in nothing but what is declared)" in out
    assert (world.project / "Dockerfile").read_bytes().endswith(REMOVED)
