"""Which differences of two images the changes in between declare."""

from __future__ import annotations

import pytest
from dockopt.optimizer.declared import NOTHING, Declared, declared_by, top_directory
from dockopt.optimizer.images.compare import Difference
from dockopt.optimizer.plan import judge
from dockopt.optimizer.proposal import (
    Applicability,
    Change,
    Edit,
    Proposal,
    RuntimeStage,
    Verdict,
    WantedDifference,
)

from tests.validate.test_wanted_differences import ONE_STAGE, build_of


def path(where: str, kind: str = "changed", entry: str = "file") -> Difference:
    return Difference(where, "", kind, entry)


def setting(name: str) -> Difference:
    return Difference(f"config {name}", "")


def change(wanted: WantedDifference) -> Change:
    return Change(Proposal("r", 1, "", (), declared=wanted), Verdict("equal-but"), Applicability.CHANGES_IMAGE)


def test_nothing_is_declared_of_itself() -> None:
    assert not NOTHING.covers(path("/a"))
    assert not NOTHING.covers(setting("User"))
    assert declared_by([], b"FROM scratch\n") == NOTHING


@pytest.mark.parametrize(
    ("difference", "covered"),
    [
        (path("/var/lib/apt/lists/x", "removed"), True),
        (path("/var/lib/apt/lists", "changed", "directory"), True),
        (path("/var/lib/apt", "removed", "directory"), True),
        (path("/var/lib/apt", "changed", "directory"), False),
        (path("/var/lib/apt", "removed", "file"), False),
        (path("/var/lib/apt/lists2"), False),
        (path("/app/main", "owner"), True),
        (path("/app/main", "changed"), False),
        (path("/data", "owner"), False),
        (setting("User"), True),
        (setting("Env PORT"), True),
        (setting("Env PATH"), False),
        (setting("Cmd"), False),
        (setting("ExposedPorts 8080/tcp"), True),
    ],
)
def test_paths_owners_and_settings(difference: Difference, covered: bool) -> None:
    wanted = [
        WantedDifference(residue=frozenset({"/var/lib/apt/lists"})),
        WantedDifference(owners=frozenset({"/app"}), settings=frozenset({"user", "env PORT", "expose 0a1b"})),
    ]
    assert declared_by(map(change, wanted), b"FROM scratch\n").covers(difference) == covered


@pytest.mark.parametrize(
    ("difference", "covered"),
    [
        (path("/usr/lib/x", "removed"), True),
        (path("/app/server", "changed"), False),
        (setting("Env GOLANG_VERSION"), True),
        (setting("Env PATH"), True),
        (setting("Env PORT"), False),
        (setting("Cmd"), False),
        (setting("StopSignal"), True),
    ],
)
def test_one_more_stage(difference: Difference, covered: bool) -> None:
    text = b'FROM golang\nENV PORT=80\nENV PATH=$PATH:/x\nCMD ["/app/server"]\n'
    wanted = WantedDifference(runtime_stage=RuntimeStage(("/app/server",)))
    assert declared_by([change(wanted)], text).covers(difference) == covered


@pytest.mark.parametrize(
    ("target", "covered"), [(None, True), ("run", True), ("base", True), ("build", False), ("0", False)]
)
def test_settings_of_other_stages_are_not_those_of_the_image(target: str | None, covered: bool) -> None:
    text = b"FROM golang AS build\nWORKDIR /src\nFROM a AS base\nFROM Base AS run\nENV A=1\n"
    wanted = WantedDifference(runtime_stage=RuntimeStage(()))
    declared = declared_by([change(wanted)], text, target)
    assert declared.covers(setting("WorkingDir")) == covered
    assert declared.covers(setting("Env A")) == (target not in (None, "run"))


def replacing(old: str, new: str) -> Declared:
    """Return what a change declares that replaces a text, judged as the planner does."""
    at = ONE_STAGE.index(old)
    edit = Edit(at, at + len(old), new.encode())
    proposal = Proposal("r", 1, "", (edit,), replacing=(edit,))
    verdict, after = judge(build_of(ONE_STAGE), proposal)
    assert isinstance(verdict, Verdict)
    assert verdict.status == "equal-but"
    assert after is not None
    return declared_by([Change(proposal, verdict, Applicability.CHANGES_IMAGE)], after.dockerfile.source)


def test_another_base_image() -> None:
    declared = replacing("golang:1.22", "golang:1.25")
    assert declared.covers(path("/usr/local/go/VERSION"))
    assert declared.covers(setting("Env GOLANG_VERSION"))
    assert not declared.covers(setting("Env PORT"))


def test_another_command() -> None:
    declared = replacing("go build -o", "go build -trimpath -o")
    assert declared.covers(path("/app/server"))
    assert not declared.covers(path("/etc/passwd"))
    assert not declared.covers(setting("User"))


def test_directories_of_the_root() -> None:
    assert [top_directory(p) for p in ("/a", "/a/b", "/a/b/c")] == ["/", "/a", "/a"]
