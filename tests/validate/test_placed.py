"""What a stage put where, whatever the base and the commands before the first COPY left there."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.symbolic.filesystem import FileSystem
from dockopt.optimizer.symbolic.placing import kept_out, listing, placed
from dockopt.optimizer.syntax import parse


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in ("package.json", "packages/a/package.json", "packages/b/index.js", ".dockerignore"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("node_modules\n" if name == ".dockerignore" else "{}")
    return tmp_path


def files(context: Path, *lines: str, base: str = "example.org/own") -> FileSystem:
    source = "\n".join((f"FROM {base}", "WORKDIR /app", *lines, "")).encode()
    return Build(parse(source), FrozenContext(BuildContext(context))).runs[-1].final.files


@pytest.mark.parametrize(
    ("lines", "manifest", "settings"),
    [
        (["COPY . ."], "file", "absent"),
        (["RUN ./setup", "COPY . ."], "file", "absent"),
        (["COPY . .", "RUN ./setup"], "unknown", "unknown"),
        (["COPY package.json /other/", "RUN ./setup", "COPY . ."], "file", "unknown"),
        (["COPY . .", "RUN echo >.npmrc"], "file", "file"),
        (["COPY --from=example.org/other /app /app"], "unknown", "unknown"),
        (["RUN ./setup"], "absent", "absent"),
    ],
)
def test_placed(context: Path, lines: list[str], manifest: str, settings: str) -> None:
    found = files(context, *lines)
    assert (placed(found, "/app/package.json"), placed(found, "/app/.npmrc")) == (manifest, settings)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["COPY . ."], ("a", "b")),
        (["COPY packages/a packages/a"], ("a",)),
        (["COPY packages/a packages/a", "COPY packages/b packages/c"], ("a", "c")),
        (["COPY packages packages", "RUN ./setup"], None),
        (["RUN ./setup", "COPY packages packages"], ("a", "b")),
        (["COPY --from=example.org/other /x packages"], None),
        (["RUN true"], ()),
    ],
)
def test_listing(context: Path, lines: list[str], expected: tuple[str, ...] | None) -> None:
    assert listing(files(context, *lines), "/app/packages") == expected


def test_kept_out(context: Path) -> None:
    found = files(context, "COPY . .")
    assert kept_out(found, "/app/node_modules")
    assert not kept_out(found, "/app/packages/a/node_modules")
    assert not kept_out(found, "/app/dist")
    assert kept_out(files(context, "COPY package.json ./"), "/app/dist")


def test_a_write_to_two_places_says_nothing_of_what_is_above_them(context: Path) -> None:
    found = files(context, "COPY . .", "USER node", "RUN npm install -g serve", base="node:22")
    assert (found.kind("/usr"), found.kind("/usr/local"), found.kind("/home/node")) == (
        "directory",
        "unknown",
        "directory",
    )
