"""What package managers leave for themselves may be removed where it is declared, and nobody needs it."""

from __future__ import annotations

import pytest
from dockopt.optimizer.proposal import Verdict, WantedDifference
from dockopt.optimizer.symbolic.residue import APK_INDEXES, APT_LISTS, PACKAGE_RESIDUE, RPM_CACHES

from tests.validate.test_verdicts import stage
from tests.validate.test_wanted_differences import compare

INSTALL = "RUN apt-get update && apt-get install -y curl"
REMOVE = f"rm -rf {APT_LISTS}/*"
LISTS = WantedDifference(residue=frozenset({APT_LISTS}), added=frozenset({REMOVE}))
PIP = "/root/.cache/pip"


def without_lists(*later: str, wanted: WantedDifference = LISTS) -> Verdict:
    """Return the verdict on the removal of apt's lists above some instructions."""
    old = stage(INSTALL, *later, base="debian:12")
    return compare(old, stage(f"{INSTALL} && {REMOVE}", *later, base="debian:12"), wanted)


@pytest.mark.parametrize(
    "later",
    [
        "COPY . /app",
        "RUN ./build.sh",
        "RUN make -C /app",
        "RUN pip install flask",
        "RUN apt-get update && apt-get install -y git",
        "RUN apt-get -qq update && apt-get install -y git && rm -rf /var/lib/apt/lists/*",
        "RUN ls /usr/lib /var/log/dpkg.log",
    ],
)
def test_lists_may_go_where_no_later_command_needs_them(later: str) -> None:
    verdict = without_lists(later)
    assert (verdict.status, verdict.differences) == ("equal-but", (APT_LISTS,)), verdict.obligation
    assert PACKAGE_RESIDUE in verdict.assumptions


@pytest.mark.parametrize(
    "later",
    [
        "RUN apt-get install -y git",
        "RUN apt-cache policy git > /policy",
        "RUN curl https://example.org/setup.sh | bash - && apt-get install -y git",
        "RUN if ! command -v git; then apt-get install -y git; fi",
        "RUN apt-get update || true; apt-get install -y git",
        "RUN ls /var/lib/apt/lists > /lists",
        "RUN tar cf /all.tar /var/lib",
        "RUN tar cf /all.tar /var/*",
        "RUN du -s / > /size",
        "RUN /usr/bin/apt install -y git",
    ],
)
def test_lists_stay_where_a_later_command_may_need_them(later: str) -> None:
    assert without_lists(later).status == "unproven"


def test_lists_are_needed_in_a_stage_that_is_built_on_this_one() -> None:
    old = stage(INSTALL, base="debian:12 AS base") + stage("RUN apt-get install -y git", base="base")
    assert compare(old, old.replace(INSTALL, f"{INSTALL} && {REMOVE}"), LISTS).status == "unproven"


def test_nothing_else_may_change_with_the_lists() -> None:
    old = stage(INSTALL, "COPY . /app", base="debian:12")
    for new in (
        f"{INSTALL} git && {REMOVE}",
        f"{INSTALL} && {REMOVE} && rm -rf /etc/apt",
        INSTALL.replace("-y", "-qy"),
    ):
        assert compare(old, stage(new, "COPY . /app", base="debian:12"), LISTS).status == "unproven"


def test_what_is_removed_is_not_left_out_without_being_declared() -> None:
    plain = WantedDifference(frozenset({APT_LISTS}), added=frozenset({REMOVE}))
    assert without_lists("COPY . /app", wanted=plain).status == "equal-but"
    assert without_lists("RUN ./build.sh", wanted=plain).status == "unproven"


def respelled(old: str, new: str, path: str, *later: str, base: str) -> Verdict:
    """Return the verdict on one command in another form that leaves nothing in a directory."""
    wanted = WantedDifference(residue=frozenset({path}), added=frozenset({new}), dropped=frozenset({old}))
    return compare(stage(f"RUN {old}", *later, base=base), stage(f"RUN {new}", *later, base=base), wanted)


def test_an_option_that_leaves_nothing_changes_nothing_else() -> None:
    pip = respelled("pip install flask", "pip install --no-cache-dir flask", PIP, "RUN ./x", base="python:3.12")
    assert (pip.status, pip.differences) == ("equal-but", (PIP,)), pip.obligation
    apk = respelled("apk add git", "apk add --no-cache git", APK_INDEXES[0], "RUN ./x", base="alpine:3")
    assert apk.status == "equal-but", apk.obligation


@pytest.mark.parametrize(
    ("old", "new", "path", "later", "base"),
    [
        ("pip install flask", "pip install --no-cache-dir --pre flask", PIP, "CMD x", "python:3.12"),
        ("pip install flask", "pip install --no-cache-dir click", PIP, "CMD x", "python:3.12"),
        ("pip install flask", "pip install --no-cache-dir flask", PIP, "RUN cp -r /root/.cache/pip /x", "python:3.12"),
        ("pip install flask", "pip install --no-cache-dir flask", "/var/cache/apk", "RUN ./x", "python:3.12"),
        ("apk add git", "apk add --no-cache git", APK_INDEXES[0], "RUN apk add make", "alpine:3"),
        ("apk add git", "apk add --no-cache git", APK_INDEXES[0], "RUN apk search git > /x", "alpine:3"),
        ("apk add git", "apk add --no-scripts git", APK_INDEXES[0], "CMD x", "alpine:3"),
    ],
)
def test_a_command_in_another_form_is_the_same_only_where_nothing_else_differs(
    old: str, new: str, path: str, later: str, base: str
) -> None:
    assert respelled(old, new, path, later, base=base).status == "unproven"


def test_an_index_that_nobody_uses_need_not_be_fetched() -> None:
    old = stage("RUN apk update && apk add --no-cache git", "RUN ./x", base="alpine:3")
    wanted = WantedDifference(residue=frozenset(APK_INDEXES), dropped=frozenset({"apk update"}))
    assert compare(old, old.replace("apk update && ", ""), wanted).status == "equal-but"
    used = old.replace(" --no-cache", "")
    assert compare(used, used.replace("apk update && ", ""), wanted).status == "unproven"


def test_caches_of_dnf_may_go_but_not_be_used_alone() -> None:
    clean = WantedDifference(residue=frozenset(RPM_CACHES), added=frozenset({"dnf clean all"}))
    for later, status in (("RUN dnf install -y make", "equal-but"), ("RUN dnf -C install -y make", "unproven")):
        old = stage("RUN dnf install -y git", later, base="fedora:40")
        new = old.replace("git\n", "git && dnf clean all\n")
        verdict = compare(old, new, clean)
        assert verdict.status == status, verdict.obligation
