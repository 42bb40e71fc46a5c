"""What packages of a lock file need of their image."""

from __future__ import annotations

import json

import pytest
from dockopt.optimizer.ecosystems.node.needs import Asked, installed, needs
from dockopt.optimizer.ecosystems.view import Obstacle
from hypothesis import given
from hypothesis import strategies as st

NOTHING = Asked(frozenset(), frozenset(), frozenset())


def lock(**entries: dict[str, object]) -> str:
    packages = {f"node_modules/{name}": {"version": "1.0.0", **entry} for name, entry in entries.items()}
    return json.dumps({"lockfileVersion": 3, "packages": {"": {}, **packages}}, indent=1)


def reasons(text: str, asked: Asked = NOTHING) -> list[str]:
    return [need.reason for need in needs(installed(text, "package-lock.json"), asked, text)]


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ({"hasInstallScript": True}, "install script"),
        ({"os": ["linux"]}, "one system"),
        ({"cpu": ["x64"], "os": ["linux", "darwin"]}, "one system"),
        ({"libc": ["glibc"]}, "one system"),
    ],
)
def test_what_is_marked_is_found(entry: dict[str, object], word: str) -> None:
    (reason,) = reasons(lock(addon=entry))
    assert word in reason
    assert "`addon`" in reason


@pytest.mark.parametrize(
    "entry", [{}, {"os": ["darwin"], "cpu": ["arm64"]}, {"os": ["win32"], "hasInstallScript": True}]
)
def test_what_is_javascript_or_not_for_linux_is_none_of_it(entry: dict[str, object]) -> None:
    assert reasons(lock(addon=entry)) == []


def test_packages_for_development_count_where_the_program_names_one_of_them() -> None:
    text = lock(tsx={"dev": True}, esbuild={"dev": True, "hasInstallScript": True})
    assert reasons(text, Asked(frozenset(), frozenset({"tsx"}), frozenset({"express"}))) == []
    assert len(reasons(text, Asked(frozenset(), frozenset({"tsx"}), frozenset({"tsx"})))) == 1


def test_a_package_that_starts_programs_counts_where_the_project_asks_for_it() -> None:
    text = lock(execa={})
    assert reasons(text) == []
    assert len(reasons(text, Asked(frozenset({"execa"}), frozenset(), frozenset()))) == 1


def test_the_name_of_an_inner_package_is_the_last_one() -> None:
    text = json.dumps(
        {"lockfileVersion": 2, "packages": {"node_modules/a/node_modules/@b/c": {"hasInstallScript": True}}}, indent=1
    )
    (package,) = installed(text, "package-lock.json")
    assert package.name == "@b/c"
    (need,) = needs((package,), NOTHING, text)
    assert (need.line, "`@b/c`" in need.reason) == (4, True)


@pytest.mark.parametrize("version", [1, None, "3"])
def test_an_old_lock_file_does_not_tell(version: object) -> None:
    with pytest.raises(Obstacle, match="does not say which packages have install scripts"):
        installed(json.dumps({"lockfileVersion": version, "packages": {}}), "package-lock.json")


@given(st.text())
def test_any_text_is_an_answer_or_an_obstacle(text: str) -> None:
    try:
        installed(text, "package-lock.json")
    except Obstacle as obstacle:
        assert obstacle.path == "package-lock.json"
