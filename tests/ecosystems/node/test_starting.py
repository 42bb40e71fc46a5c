"""Which file a container runs, and what builds it."""

from __future__ import annotations

import pytest
from dockopt.optimizer.ecosystems.node.packages import Package
from dockopt.optimizer.ecosystems.node.starting import NodeStart, Step, builds, node_start
from hypothesis import given
from hypothesis import strategies as st


def package(**scripts: str) -> Package:
    return Package(
        "package.json", "/app", {"scripts": {name.replace("_", ":"): text for name, text in scripts.items()}}
    )


@pytest.mark.parametrize(
    ("argv", "scripts", "file", "preloaded"),
    [
        (["node", "dist/server"], {}, "/app/dist/server", ()),
        (["/usr/local/bin/node", "/app/x.js", "--port", "1"], {}, "/app/x.js", ()),
        (["node", "--enable-source-maps", "-r", "dotenv/config", "x.js"], {}, "/app/x.js", ("dotenv/config",)),
        (["node", "--import=./hook.mjs", "x.js"], {}, "/app/x.js", ("./hook.mjs",)),
        (["npm", "start"], {"start": "node x.js"}, "/app/x.js", ()),
        (["npm", "start"], {}, "/app/server.js", ()),
        (["npm", "run", "-s", "start:prod"], {"start_prod": "NODE_ENV=production node x.js"}, "/app/x.js", ()),
        (["npm", "start"], {"start": "cross-env NODE_ENV=production node x.js"}, "/app/x.js", ("cross-env",)),
    ],
)
def test_the_file_is_found(argv: list[str], scripts: dict[str, str], file: str, preloaded: tuple[str, ...]) -> None:
    found = node_start(argv, "/app", package(**scripts))
    assert isinstance(found, NodeStart)
    assert (found.file, found.preloaded) == (file, preloaded)


@pytest.mark.parametrize(
    ("argv", "scripts"),
    [
        (["node"], {}),
        (["node", "--watch", "x.js"], {}),
        (["node", "--use-system-ca", "x.js"], {}),
        (["node", "-e", "1"], {}),
        (["node", None], {}),
        (["nodemon", "x.js"], {}),
        (["/opt/node", "x.js"], {}),
        (["npm", "run", "serve"], {}),
        (["npm", "exec", "serve"], {}),
        (["npm", "start"], {"start": "node x.js", "prestart": "tsc"}),
        (["npm", "start"], {"start": "node x.js", "poststart": "true"}),
        (["npm", "start"], {"start": "tsc && node x.js"}),
        (["npm", "start"], {"start": "node $FILE"}),
        (["npm", "start"], {"start": "node x.js > log"}),
        (["npm", "start"], {"start": "next start"}),
    ],
)
def test_what_is_not_certain_has_a_reason(argv: list[str | None], scripts: dict[str, str]) -> None:
    assert isinstance(node_start(argv, "/app", package(**scripts)), str)


def test_a_script_runs_where_package_json_is() -> None:
    assert isinstance(node_start(["npm", "start"], "/srv", package(start="node x.js")), str)


@pytest.mark.parametrize(
    ("argv", "scripts", "names"),
    [
        (["npm", "run", "build"], {"build": "rimraf dist && tsc"}, ["rimraf", "tsc"]),
        (
            ["npm", "run", "build"],
            {"build": "npm run compile", "compile": "npx tsc", "postbuild": "cp -r src/*.html dist"},
            ["tsc", "cp"],
        ),
        (
            ["npm", "run", "build"],
            {"build": "run-s lint compile", "lint": "eslint .", "compile": "tsc"},
            ["eslint", "tsc"],
        ),
        (["npx", "tsc", "-p", "."], {}, ["tsc"]),
        (["npm", "prune", "--omit=dev"], {}, []),
    ],
)
def test_the_steps_of_a_build(argv: list[str], scripts: dict[str, str], names: list[str]) -> None:
    found = builds(argv, package(**scripts))
    assert isinstance(found, tuple)
    assert [step.name for step in found] == names


@pytest.mark.parametrize(
    "script",
    [
        "node build.js",
        "tsc --outDir /srv",
        "cp -r dist ../site",
        "make",
        "tsc > /log",
        "npm run build",
        "npm run missing",
        "$TOOL .",
        "cp a ~/b",
    ],
)
def test_a_build_that_may_leave_the_project_has_a_reason(script: str) -> None:
    assert isinstance(builds(["npm", "run", "build"], package(build=script)), str)


@pytest.mark.parametrize("argv", [["make"], ["rm", "-rf", "x"], ["npm", "ci"], ["npm", "run", None], []])
def test_another_command_builds_nothing_that_is_known(argv: list[str | None]) -> None:
    assert builds(argv, package()) is None


@given(st.text())
def test_any_script_has_an_answer(text: str) -> None:
    assert isinstance(node_start(["npm", "start"], "/app", package(start=text)), NodeStart | str)
    found = builds(["npm", "run", "build"], package(build=text))
    assert isinstance(found, str) or all(isinstance(step, Step) for step in found or ())
