"""The effects of package managers as commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.commands import Invocation, effects_of
from dockopt.optimizer.effects import Effects, Kind, World

from tests.ecosystems.node.folder import Folder, write

FILES = {"package.json": "{}", "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {}}}', "src/index.js": ""}


def effects(line: str, folder: Path, **known: object) -> Effects:
    words = tuple(line.split())
    return effects_of(Invocation(words, words), Folder(folder, **known))  # type: ignore[arg-type]  # names of its fields


def written(found: Effects, kind: Kind) -> set[str]:
    return {path for write_ in found.writes if write_.kind is kind for path in write_.region.include}


def test_ci(tmp_path: Path) -> None:
    found = effects("npm ci", write(tmp_path, FILES))
    assert found.unknown is None
    assert not found.reads.overlaps(found.reads._replace(include=("/app/src",), exclude=()))
    assert {"/app/package.json", "/app/package-lock.json", "/app/.npmrc"} <= set(found.probes)
    assert written(found, Kind.KILL) == written(found, Kind.TREE) == {"/app/node_modules"}
    assert "/app/node_modules" not in found.trees
    assert found.world is World.LOCKED
    assert "/root/.npm" in found.caches


def test_install_reads_node_modules(tmp_path: Path) -> None:
    found = effects("npm install", write(tmp_path, FILES))
    assert "/app/node_modules" in found.trees
    assert written(found, Kind.KILL) == set()


def test_without_a_lock_file_it_makes_one(tmp_path: Path) -> None:
    found = effects("npm install", write(tmp_path, {"package.json": "{}"}))
    assert written(found, Kind.NEW) == {"/app/package-lock.json"}
    assert found.world is World.REPOSITORY


def test_a_lock_file_out_of_step_is_written(tmp_path: Path) -> None:
    found = effects("npm install", write(tmp_path, {**FILES, "package.json": '{"dependencies": {"ms": "1"}}'}))
    assert written(found, Kind.SET) == {"/app/package-lock.json"}


def test_scripts_may_read_every_variable(tmp_path: Path) -> None:
    assert effects("npm ci", write(tmp_path, FILES)).variables is not None
    write(tmp_path, {"package.json": '{"scripts": {"postinstall": "echo"}}'})
    assert effects("npm ci", tmp_path).variables is None
    assert effects("npm ci --ignore-scripts", tmp_path).variables is not None


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"HOME": "/app"}, "its cache lies in the project, below the home directory"),
        ({"npm_config_cache": "/app/.npm"}, "a variable puts its cache into the project"),
        ({"XDG_CACHE_HOME": "cache"}, "a variable puts its cache into the project"),
        ({"npm_config_cache": "/var/cache/npm"}, None),
        ({"HOME": "/home/app"}, None),
    ],
)
def test_where_the_cache_lies(tmp_path: Path, environment: dict[str, str], expected: str | None) -> None:
    assert effects("npm ci", write(tmp_path, FILES), environment=environment).unknown == expected


@pytest.mark.parametrize(
    "line",
    ["npm install -g pnpm@9", "corepack enable", "corepack prepare pnpm@9.15.0 --activate", "npm cache clean --force", "npm -v",
     "npm config set registry https://registry.example.org", "yarn global add serve"],
)  # fmt: skip
def test_commands_that_leave_the_project_alone(tmp_path: Path, line: str) -> None:
    found = effects(line, write(tmp_path, FILES))
    assert found.unknown is None
    assert not any(
        write_.region.overlaps(write_.region._replace(include=("/app",), exclude=())) for write_ in found.writes
    )


@pytest.mark.parametrize(
    "line",
    ["npm run build", "npm install -g .", "npm install express", "corepack use pnpm@9", "npm config set prefix /app", "pnpm deploy out",
     "npx tsc", "npm prune", "corepack install", "pnpm fetch"],
)  # fmt: skip
def test_commands_that_are_not_modelled(tmp_path: Path, line: str) -> None:
    assert effects(line, write(tmp_path, FILES)).unknown is not None
