"""A program of Node in the image that it is installed in, and in a stage of its own: it answers the same.

The images `node:20` and `node:20-slim` may be one and the same here: what only the full image has is not missed then, and the sizes
tell of caches and sources alone.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.proposal import FileReport

from tests.engine.engine import Engine
from tests.engine.test_multi_stage import answer, serving, size

_PROGRAM = """\
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import tls from "node:tls";
import ms from "ms";

const menu = fs.readFileSync(path.join(__dirname, "..", "views", "menu.html"), "utf8");
const port = Number(process.argv.at(-1)?.split(":").pop());
http
  .createServer((request, response) => {
    const hour = new Intl.DateTimeFormat("en-GB", { hour: "numeric", timeZone: "Europe/Zurich" }).format(new Date(0));
    const user = process.getuid?.();
    const authorities = tls.rootCertificates.length > 100;
    response.end(JSON.stringify({ menu, wait: ms(60000), hour, user, authorities, path: request.url }));
  })
  .listen(port, "127.0.0.1");
"""
_FILES = {
    "package.json": {
        "name": "shop",
        "version": "1.0.0",
        "private": True,
        "scripts": {"build": "tsc", "start": "node dist/server.js"},
        "dependencies": {"ms": "2.1.3"},
        "devDependencies": {"@types/ms": "2.1.0", "@types/node": "20.11.0", "typescript": "5.4.5"},
    },
    "tsconfig.json": {
        "compilerOptions": {
            "module": "commonjs", "target": "es2022", "lib": ["es2022"], "outDir": "dist", "rootDir": "src", "esModuleInterop": True,
            "strict": True, "skipLibCheck": True,
        },
        "include": ["src"],
    },
}  # fmt: skip


def project(directory: Path, dockerfile: str) -> FileReport:
    """Write the project and return what is proposed."""
    files = {name: json.dumps(value, indent=2) for name, value in _FILES.items()}
    package = _FILES["package.json"]
    development = ("@types/ms", "@types/node", "typescript", "undici-types")
    versions = {
        "ms": "2.1.3",
        "@types/ms": "2.1.0",
        "@types/node": "20.11.0",
        "typescript": "5.4.5",
        "undici-types": "5.26.5",
    }
    entries: dict[str, object] = {"": {k: package[k] for k in ("name", "version", "dependencies", "devDependencies")}}
    for name, version in versions.items():
        entries[f"node_modules/{name}"] = {"version": version, **({"dev": True} if name in development else {})}
    entries["node_modules/@types/node"] = {
        "version": "20.11.0", "dev": True, "dependencies": {"undici-types": "~5.26.4"},
    }  # fmt: skip
    entries["node_modules/typescript"] = {"version": "5.4.5", "dev": True, "bin": {"tsc": "bin/tsc"}}
    lock = {"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": entries}
    files |= {
        "package-lock.json": json.dumps(lock, indent=2),
        "src/server.ts": _PROGRAM,
        "views/menu.html": "<li>Soup</li>\n",
        ".dockerignore": "node_modules\ndist\n",
        "Dockerfile": dockerfile,
    }
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    path = directory / "Dockerfile"
    chosen = frozenset({"multi-stage"})
    return analyze(path, path.read_bytes(), Options(context=directory, select=chosen, named=chosen))


@pytest.mark.engine
@pytest.mark.parametrize("user", ["root", "node"])
def test_a_program_of_node_answers_the_same_from_a_stage_of_its_own(
    warm_engine: Engine, tmp_path: Path, user: str
) -> None:
    for base in ("node:20", "node:20-slim"):
        if not warm_engine.has(base):
            pytest.skip(f"the engine has no image {base}")
    told = project(
        tmp_path,
        "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n"
        f'USER {user}\nENTRYPOINT ["node", "dist/server.js"]\n',
    )
    assert b"COPY --from=build /app/views /app/views\n" in told.result
    tags = []
    for source in (told.source, told.result):
        tags.append(warm_engine.tag("node-stages"))
        result = warm_engine.build(source, tmp_path, tag=tags[-1])
        assert result.ok, result.log
    with serving(tags[0]) as old, serving(tags[1]) as new:
        before, after = answer(old + "/menu"), answer(new + "/menu")
    assert before == after
    said = json.loads(after)
    assert said["menu"] == "<li>Soup</li>\n"
    assert (said["wait"], said["authorities"], said["user"]) == ("1m", True, 1000 if user == "node" else 0)
    print(f"node: {size(tags[0])} bytes before, {size(tags[1])} after")
    assert size(tags[1]) < size(tags[0])
    files = warm_engine.contents(tags[1])
    assert "/app/dist/server.js" in files
    assert "/app/src" not in files


@pytest.mark.engine
def test_a_program_in_javascript_takes_its_whole_directory_along(warm_engine: Engine, tmp_path: Path) -> None:
    for base in ("node:20", "node:20-slim"):
        if not warm_engine.has(base):
            pytest.skip(f"the engine has no image {base}")
    program = 'const name = process.env.MENU || "soup";\nconsole.log(require("ms")(1000), require(`./menus/${name}.json`).price);\n'
    (tmp_path / "menus").mkdir()
    (tmp_path / "menus/soup.json").write_text('{ "price": 7 }\n')
    (tmp_path / "server.js").write_text(program)
    told = project(
        tmp_path,
        'FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci --omit=dev\nCOPY . .\nCMD ["node", "server.js"]\n',
    )
    assert b"COPY --from=build /app /app\n" in told.result
    said = []
    for source in (told.source, told.result):
        tag = warm_engine.tag("node-stages")
        result = warm_engine.build(source, tmp_path, tag=tag)
        assert result.ok, result.log
        said.append(warm_engine.run(tag))
    assert said == ["1s 7\n", "1s 7\n"]
