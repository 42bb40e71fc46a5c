"""Which command lines install a project."""

from __future__ import annotations

import pytest
from dockopt.optimizer.ecosystems.node.calls import Call, call_of


def call(line: str) -> Call | str | None:
    return call_of(tuple(None if word == "?" else word for word in line.split()))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("npm ci", Call("npm", "ci", frozen=True)),
        ("npm clean-install --omit=dev", Call("npm", "ci", frozen=True)),
        ("npm i --omit dev", Call("npm", "install")),
        ("npm --prefix client ci", Call("npm", "ci", "client", frozen=True)),
        ("npm ci --ignore-scripts", Call("npm", "ci", frozen=True, ignore_scripts=True)),
        ("npm install --no-package-lock", Call("npm", "install", lock=False)),
        ("npm install --frozen-lockfile", Call("npm", "install")),
        ("npm install -g pnpm@9", Call("npm", "global")),
        ("npm install --location=global @angular/cli@13", Call("npm", "global")),
        ("yarn", Call("yarn", "install")),
        ("yarn --frozen-lockfile --network-timeout 600000", Call("yarn", "install", frozen=True)),
        ("yarn install --immutable", Call("yarn", "install", frozen=True, immutable=True)),
        ("yarn --cwd ui install", Call("yarn", "install", "ui")),
        ("yarn global add serve", Call("yarn", "global")),
        ("pnpm i -r --frozen-lockfile", Call("pnpm", "install", frozen=True)),
        ("pnpm --filter web... install --prod", Call("pnpm", "install")),
        ("pnpm fetch --prod", Call("pnpm", "fetch")),
        ("corepack pnpm install", Call("pnpm", "install", corepack=True)),
        ("bun install -p", Call("bun", "install")),
        ("bun ci", Call("bun", "install")),
    ],
)
def test_installations(line: str, expected: Call) -> None:
    assert call(line) == expected


@pytest.mark.parametrize(
    "line", ["npm run build", "yarn build", "pnpm -r build", "bun run x", "npm", "npm cache clean", "node index.js"]
)
def test_other_commands(line: str) -> None:
    assert call(line) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("npm install express", "it adds `express` to the project"),
        ("yarn add express", "it adds `express` to the project"),
        ("npm install -g", "it installs `the project` globally"),
        ("npm install -g .", "it installs `.` globally"),
        ("npm install -g ./tool.tgz", "it installs `./tool.tgz` globally"),
        ("npm ci --workspace web", "the option `--workspace` is not modelled"),
        ("npm ci --cache .npm", "the option `--cache` is not modelled"),
        ("npm install ?", "a word of it is not known before the build"),
        ("npm ci --omit ?", "the value of `--omit` is not known before the build"),
        ("pnpm install --node-linker=pnp", "the option `--node-linker=pnp` is not modelled"),
        ("yarn install --mode=update-lockfile", "the option `--mode=update-lockfile` is not modelled"),
    ],
)
def test_what_is_not_understood(line: str, reason: str) -> None:
    assert call(line) == reason
