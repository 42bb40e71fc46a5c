"""What the sources of a Node program say of files, packages and of their image."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.ecosystems.node.runtime_sources import NodeSources, package_of
from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.runtime_files import Brought
from hypothesis import given
from hypothesis import strategies as st


def sources(folder: Path, text: str, name: str = "src/server.ts") -> tuple[NodeSources, tuple[Brought, ...]]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return NodeSources(FrozenContext(BuildContext(folder, None)), "/app", ("/app/dist",)), (
        Brought(f"/app/{name}", name, 1),
    )


def trouble(folder: Path, text: str, name: str = "src/server.ts") -> str | None:
    made, brought = sources(folder, text, name)
    return next((found.reason for found in made.troubles(brought)), None)


@pytest.mark.parametrize(
    ("text", "strings"),
    [
        ('read("menu.txt");', ["menu.txt"]),
        ("read('a \\'b\\'', `menu/${day}.txt`);", ["a \\'b\\'", "menu/${day}.txt"]),
        ('read(path.join(__dirname, "../views/menu.html")); // "no"', ["views/menu.html"]),
        ('import a from "./a";\nimport "./b";\nexport { c } from "./c";\nconst d = require("./d"); import("./e");', []),
        ('read("/etc/shop.json", "/app/menu.txt");', ["/app/menu.txt"]),
        ('import dotenv from "dotenv";', [".env"]),
    ],
)
def test_strings_that_may_name_files(tmp_path: Path, text: str, strings: list[str]) -> None:
    made, brought = sources(tmp_path, text)
    assert [named.text for named in made.said(brought).strings] == strings


@pytest.mark.parametrize(
    "text",
    [
        "readdir(process.cwd());",
        "join(process.cwd(), name);",
        'join(__dirname, "..", name);',
        'app.use(express.static("."));',
        'fs.readdirSync("./");',
        'docs({ apis: ["./src/**/*.ts"] });',
        'load("../src");',
    ],
)
def test_files_without_a_name_are_a_question(tmp_path: Path, text: str) -> None:
    made, brought = sources(tmp_path, text)
    assert len(made.said(brought).questions) == 1


@pytest.mark.parametrize(
    "text", ['join(process.cwd(), "menu");', 'join(__dirname, "..", "menu");', 'app.use(express.static("public"));']
)
def test_files_with_a_name_are_none(tmp_path: Path, text: str) -> None:
    made, brought = sources(tmp_path, text)
    assert made.said(brought).questions == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('import { spawn } from "child_process";', "starts other programs"),
        ('const { exec } = require("node:child_process");', "starts other programs"),
        ("process.dlopen(module, path);", "loads a library"),
        ('require("./build/Release/addon.node")', "loads a library"),
        ("process.env.NODE_EXTRA_CA_CERTS", "certificates"),
        ('font("/usr/share/fonts/x.ttf")', "/usr/share/fonts/x.ttf"),
    ],
)
def test_what_the_image_has_to_have(tmp_path: Path, text: str, word: str) -> None:
    assert word in (trouble(tmp_path, text) or "")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('// import "child_process"', "src/server.ts"),
        ('import "child_process";', "src/server.test.ts"),
        ('import "child_process";', "test/start.ts"),
        ('import "child_process";', "jest.config.js"),
        ('app.get("/users", home);', "src/server.ts"),
        ('read("/app/usr/bin/x");', "src/server.ts"),
    ],
)
def test_what_it_has_to_have_is_none_of_tests_and_comments(tmp_path: Path, text: str, name: str) -> None:
    assert trouble(tmp_path, text, name) is None


def test_a_library_is_told_by_its_name(tmp_path: Path) -> None:
    assert "library for one system" in (trouble(tmp_path, "", "lib/libshop.so.1") or "")


def test_names_of_packages(tmp_path: Path) -> None:
    made, brought = sources(tmp_path, 'import a from "pg/lib/a"; import b from "@x/y/z"; target("pino-pretty");')
    assert made.names(brought) == {"pg", "@x/y", "pino-pretty"}
    assert package_of("@x/y") == "@x/y"


@given(text=st.text())
def test_any_text_is_read(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = folder / "server.ts"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    made = NodeSources(FrozenContext(BuildContext(folder, None)), "/app", ())
    brought = (Brought("/app/server.ts", "server.ts", 1),)
    list(made.troubles(brought))
    made.said(brought)
