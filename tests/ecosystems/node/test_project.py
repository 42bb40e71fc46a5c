"""What an installation reads of a project, and why it cannot be told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ecosystems.node.folder import obstacle, project, write

EMPTY_LOCK = json.dumps({"lockfileVersion": 3, "packages": {"": {}}})


def npm(tmp_path: Path, manifest: object, **files: str) -> Path:
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    return write(tmp_path, {"package.json": text, "package-lock.json": EMPTY_LOCK, **files})


def reason(folder: Path, line: str = "npm ci", **known: object) -> str:
    found = obstacle(folder, line, **known)
    assert found is not None
    return found.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is no JSON"),
        ("[]", "holds no object"),
        ('"x"', "holds no object"),
        ('{"scripts": []}', "`scripts` of `package.json` is not understood"),
        ('{"scripts": {"postinstall": 1}}', "`scripts` of `package.json` is not understood"),
        ('{"dependencies": {"a": null}}', "`dependencies` of `package.json` is not understood"),
        ('{"workspaces": "packages/*"}', "is no list of patterns"),
        ('{"workspaces": ["../other"]}', "leads out of the project"),
        ('{"workspaces": ["packages/[ab]"]}', "is not understood"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"a": ' * 100_000, "is nested too deeply"),
    ],
)
def test_bad_manifests(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in reason(npm(tmp_path, text))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    npm(tmp_path, {})
    (tmp_path / "package.json").write_bytes(b'{\n"name": "\xff"}')
    found = obstacle(tmp_path, "npm ci")
    assert found is not None
    assert (found.reason, found.line) == ("`/app/package.json` is not UTF-8", 2)


def test_huge_manifests_are_not_read(tmp_path: Path) -> None:
    assert "is larger than 4 MiB" in reason(npm(tmp_path, '{"name": "' + "x" * (5 << 20) + '"}'))


@pytest.mark.parametrize(
    ("lock", "expected"),
    [
        ("", "is no JSON"),
        ("[]", "holds no object"),
        ('{"packages": {"": []}}', None),
        ('{"packages": []}', None),
        ("{}", None),
    ],
)
def test_bad_locks(tmp_path: Path, lock: str, expected: str | None) -> None:
    folder = npm(tmp_path, {}, **{"package-lock.json": lock})
    found = obstacle(folder, "npm ci")
    assert (found is None) == (expected is None)
    assert found is None or expected in found.reason  # type: ignore[operator]  # it is a text there
    if found is None:
        assert project(folder, "npm install").rewritten is not None


@pytest.mark.parametrize("text", ["a: [", "- x", "a: &a [*a]", "a: !!python/object:os.system {}"])
def test_bad_yaml(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"package.json": "{}", "pnpm-lock.yaml": text, "pnpm-workspace.yaml": "packages: []\n"})
    found = obstacle(tmp_path, "pnpm install --frozen-lockfile")
    assert found is None or "pnpm-lock.yaml" in found.reason


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        ({"postinstall": "make"}, "what `make` reads is not known"),
        ({"prepare": "npm run build", "build": "tsc"}, "what `tsc` reads is not known"),
        ({"prepare": "npm run prepare"}, "calls itself"),
        ({"prepare": "npm run none"}, "there is no script `none`"),
        ({"install": "node -e 'x'"}, "it runs code of its own"),
        ({"install": "node $FILE"}, "is not known before the build"),
        ({"install": "echo $(cat src/secret)"}, "is not known before the build"),
        ({"install": "echo x > made.txt"}, "it redirects to a file"),
        ({"install": "for f in *; do echo $f; done"}, "a shell `for` is not followed"),
        ({"install": "test -f $FILE"}, "the file of a test is not known before the build"),
        ({"install": "npm install other"}, "it calls `npm install other`"),
        ({"postinstall": "prisma migrate deploy"}, "it calls `prisma migrate deploy`"),
        ({"postinstall": "husky add x"}, "it calls `husky add x`"),
        ({"postinstall": "'"}, "is not understood"),
    ],
)
def test_scripts_that_are_not_followed(tmp_path: Path, scripts: dict[str, str], expected: str) -> None:
    folder = npm(tmp_path, {"scripts": scripts})
    assert expected in reason(folder)
    assert obstacle(folder, "npm ci --ignore-scripts") is None
    assert obstacle(folder, "npm ci", environment={"npm_config_ignore_scripts": "true"}) is None


@pytest.mark.parametrize(
    "script",
    [
        "echo done", "true", "exit 0", "husky", "husky install || true", "is-ci || husky install", "npx only-allow npm", "npx -y husky",
        "test -f x.js && echo x", "[ -n \"$CI\" ] || husky", "cross-env A=b husky", "npm run -s hooks", "node_modules/.bin/husky",
        "patch-package", "npm run --if-present none", "echo a 2>/dev/null",
    ],
)  # fmt: skip
def test_scripts_that_read_nothing_more(tmp_path: Path, script: str) -> None:
    found = project(npm(tmp_path, {"scripts": {"postinstall": script, "hooks": "simple-git-hooks"}}), "npm ci")
    assert set(found.files) == {"/app/package.json", "/app/package-lock.json"}
    assert found.runs_scripts
    assert found.trees == ()


def test_hooks_want_no_repository(tmp_path: Path) -> None:
    folder = npm(tmp_path, {"scripts": {"prepare": "husky"}})
    assert "/app/.git" in project(folder, "npm ci").absent
    (folder / ".git").mkdir()
    assert "add `.git` to the ignore file" in reason(folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("require('fs');", "loads `fs`"),
        ("import('./x.js');", "uses `import` in a way that is not followed"),
        ("const r = require; r('fs');", "uses `require` in a way that is not followed"),
        ("eval('1');", "uses `eval`"),
        ("process.mainModule;", "uses `mainModule`"),
        ("import { readFileSync } from 'node:fs';", "loads `fs`"),
        ("import fs, * as x from 'fs';", "loads `fs`"),
        ("require(`./${x}`);", "uses `require` in a way that is not followed"),
        ("require('left-pad');", "loads `left-pad`"),
        ("fetch('https://example.org');", "uses `fetch`"),
        ("require('./none');", "is not there"),
        ("export * from './other';", "uses `from` in a way that is not followed"),
    ],
)
def test_programs_that_are_not_followed(tmp_path: Path, text: str, expected: str) -> None:
    folder = npm(tmp_path, {"scripts": {"postinstall": "node tools/x.js"}}, **{"tools/x.js": text})
    assert expected in reason(folder)


def test_a_program_and_what_it_loads(tmp_path: Path) -> None:
    files = {
        "tools/x.js": "const path = require('node:path');\nconst { a } = require('./lib');\nconsole.log(path.sep, a);\n",
        "tools/lib/index.js": "import data from '../data.json';\n",
        "tools/data.json": "{}",
    }
    found = project(npm(tmp_path, {"scripts": {"install": "node tools/x"}}, **files), "npm ci")
    assert {path.removeprefix("/app/") for path in found.files} == {"package.json", "package-lock.json", *files}


def test_members_by_patterns(tmp_path: Path) -> None:
    member = '{"name": "m"}'
    files = {
        f"{path}/package.json": member
        for path in ("apps/web", "apps/old", "apps/web/node_modules/dep", "libs/deep/er/one", "libs/.hidden", "other")
    }
    write(
        tmp_path,
        {"package.json": "{}", "pnpm-workspace.yaml": "packages: ['apps/*', '!apps/old', 'libs/**']\n", **files},
    )
    found = project(tmp_path, "pnpm install")
    assert [path for path in found.files if path.endswith("package.json")] == [
        "/app/package.json", "/app/apps/web/package.json", "/app/libs/deep/er/one/package.json",
    ]  # fmt: skip
    assert found.outputs == ("/app/node_modules", "/app/apps/web/node_modules", "/app/libs/deep/er/one/node_modules")
    assert found.made == ("/app/pnpm-lock.yaml",)


def test_a_member_belongs_to_its_workspace(tmp_path: Path) -> None:
    npm(tmp_path, {"workspaces": ["packages/*"]}, **{"packages/a/package.json": "{}", "other/package.json": "{}"})
    assert project(tmp_path, "npm ci", cwd="/app/packages/a").directory == "/app"
    write(tmp_path / "other", {"package-lock.json": EMPTY_LOCK})
    assert project(tmp_path, "npm ci", cwd="/app/other").directory == "/app/other"


@pytest.mark.parametrize(
    ("spec", "read"),
    [("file:./lib", {"lib/package.json"}), ("./lib", {"lib/package.json"}), ("file:pack.tgz", {"pack.tgz"}), ("^1.0.0", set()),
     ("github:a/b", set()), ("npm:other@1", set())],
)  # fmt: skip
def test_local_dependencies_of_npm(tmp_path: Path, spec: str, read: set[str]) -> None:
    folder = npm(tmp_path, {"dependencies": {"x": spec}}, **{"lib/package.json": "{}", "lib/x.js": "", "pack.tgz": ""})
    found = project(folder, "npm ci")
    assert {path.removeprefix("/app/") for path in found.files} - {"package.json", "package-lock.json"} == read


@pytest.mark.parametrize(
    ("spec", "expected"),
    [("file:../other", "it is not certain what lies there"), ("file:~/x", "comes from outside"), ("file:none", "it is not certain"),
     ("exec:./x.js", "is made by a script")],
)  # fmt: skip
def test_local_dependencies_that_are_not_followed(tmp_path: Path, spec: str, expected: str) -> None:
    assert expected in reason(npm(tmp_path, {"dependencies": {"x": spec}}))


def test_copied_directories_are_read_whole(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "package.json": '{"dependencies": {"x": "file:lib"}}',
            "lib/package.json": "{}",
            "yarn.lock": "# yarn lockfile v1\n",
        },
    )
    assert project(tmp_path, "yarn --frozen-lockfile").trees == ("/app/lib",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fund=false\ncache=./x\n", ("the setting `cache` is not understood", 2)),
        ("; comment\nprefix=/opt\n", ("the setting `prefix` is not understood", 2)),
        ("ignore-scripts=maybe\n", ("the value `maybe` is not understood", 1)),
        ("script-shell=./sh\n", ("the setting `script-shell` is not understood", 1)),
        ("//registry.example.org/:certfile=./x\n", ("the setting `//registry.example.org/:certfile` names a file", 1)),
        ("node-options=--require ./x.js\n", ("the setting `node-options` is not understood", 1)),
    ],
)
def test_settings_that_are_not_understood(tmp_path: Path, text: str, expected: tuple[str, int]) -> None:
    found = obstacle(npm(tmp_path, {}, **{".npmrc": text}), "npm ci")
    assert found is not None
    assert (found.reason, found.line) == expected


def test_settings_name_variables(tmp_path: Path) -> None:
    text = "@own:registry=https://example.org\n//example.org/:_authToken=${NPM_TOKEN}\nlegacy-peer-deps=true\n"
    assert project(npm(tmp_path, {}, **{".npmrc": text}), "npm ci").variables == ("NPM_TOKEN",)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("npm_config_workspaces", "true", "the variable `npm_config_workspaces` makes it work in another way"),
        ("NPM_CONFIG_PREFIX", "x", "the variable `NPM_CONFIG_PREFIX` makes it work in another way"),
        ("NPM_CONFIG_global", "true", "the variable `NPM_CONFIG_global` makes it work in another way"),
        ("npm_config_package_lock", None, "the variable `npm_config_package_lock` makes it work in another way"),
        ("NPM_CONFIG_WORKSPACE", None, "the variable `NPM_CONFIG_WORKSPACE` makes it work in another way"),
        ("NPM_CONFIG_LOGLEVEL", None, None),
        ("npm_config_prefix", "/opt/node", None),
        ("npm_config_prefix", "", None),
        (
            "NODE_EXTRA_CA_CERTS",
            "/app/ca.pem",
            "the variable `NODE_EXTRA_CA_CERTS` leads it to `/app/ca.pem`, among the files of the project",
        ),
        ("NODE_EXTRA_CA_CERTS", "/etc/ssl/ca.pem", None),
        ("NODE_OPTIONS", None, "NODE_OPTIONS is not known before the build, and may let every program load a file"),
        ("COREPACK_ENV_FILE", ".env", "the variable `COREPACK_ENV_FILE` names a file of settings"),
        ("NODE_OPTIONS", "--require ./hook.js", "NODE_OPTIONS lets every program load a file"),
        ("NODE_OPTIONS", "--max-old-space-size=4096", None),
        ("NODE_ENV", "production", None),
    ],
)
def test_variables(tmp_path: Path, name: str, value: str | None, expected: str | None) -> None:
    found = obstacle(npm(tmp_path, {}), "npm ci", environment={name: value})
    assert (None if found is None else found.reason) == expected


def test_immutable_means_nothing_to_yarn_1(tmp_path: Path) -> None:
    write(tmp_path, {"package.json": '{"dependencies": {"ms": "1"}}', "yarn.lock": "# yarn lockfile v1\n"})
    assert project(tmp_path, "yarn --immutable").rewritten is not None
    assert project(tmp_path, "yarn --frozen-lockfile").rewritten is None


def test_installs_that_look_for_settings_of_dependencies(tmp_path: Path) -> None:
    folder = npm(tmp_path, {"devDependencies": {"nx": "19", "msw": "2"}})
    assert "/app/nx.json" in project(folder, "npm ci").absent
    write(folder, {"nx.json": "{}"})
    assert "reads `/app/nx.json`" in reason(folder)


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        ("YARN_RC_FILENAME", ".other.yml", True),
        ("yarn_modules_folder", "lib", True),
        ("YARN_ENABLE_GLOBAL_CACHE", None, True),
        ("YARN_ENABLE_GLOBAL_CACHE", "true", False),
        ("YARN_ENABLE_IMMUTABLE_INSTALLS", "true", False),
        ("YARN_VERSION", "1.22.22", False),
        ("YARN_HTTP_TIMEOUT", "60000", False),
    ],
)
def test_variables_of_yarn(tmp_path: Path, name: str, value: str | None, refused: bool) -> None:
    write(tmp_path, {"package.json": "{}", "yarn.lock": "# yarn lockfile v1\n"})
    assert (obstacle(tmp_path, "yarn install", environment={name: value}) is not None) is refused


def test_scripts_after_changes_of_the_modules(tmp_path: Path) -> None:
    npm(tmp_path, {"scripts": {"postdependencies": "make"}})
    assert "what `make` reads is not known" in reason(tmp_path)
    write(tmp_path, {"yarn.lock": "# yarn lockfile v1\n"})
    assert obstacle(tmp_path, "yarn install --frozen-lockfile") is None


def test_a_member_may_be_a_link(tmp_path: Path) -> None:
    npm(tmp_path, {"workspaces": ["packages/a"]}, **{"libs/a/package.json": "{}", "packages/x": ""})
    (tmp_path / "packages/a").symlink_to("../libs/a")
    assert reason(tmp_path) == "`/app/packages/a` may be a link to a member of the workspace"


@pytest.mark.parametrize(
    ("key", "entry", "expected"),
    [
        ("node_modules/a", {"resolved": "file:vendor/a.tgz"}, None),
        ("node_modules/a", {"resolved": "file:vendor/b.tgz"}, "`/app/vendor/b.tgz` is not there"),
        ("node_modules/a", {"resolved": "file:vendor"}, "the lock file has `vendor` of the project"),
        ("node_modules/a", {"resolved": "vendor", "link": True}, "the lock file has `vendor` of the project"),
        ("vendor", {}, "the lock file has `vendor` of the project"),
        ("node_modules/a", {"resolved": "git+file:///app/a#1"}, "a git repository among the files"),
    ],
)
def test_what_the_lock_file_of_npm_leads_to(
    tmp_path: Path, key: str, entry: dict[str, object], expected: str | None
) -> None:
    npm(tmp_path, {}, **{"vendor/a.tgz": ""})
    write(tmp_path, {"package-lock.json": json.dumps({"lockfileVersion": 3, "packages": {"": {}, key: entry}})})
    found = obstacle(tmp_path, "npm ci")
    assert found is None if expected is None else found is not None and expected in found.reason
    if expected is None:
        assert "/app/vendor/a.tgz" in project(tmp_path, "npm ci").files


@pytest.mark.parametrize(
    ("lock", "refused"),
    [
        ('a@1:\n  version "1.0.0"\n  resolved "https://example.org/a.tgz#1"\n', False),
        ('a@1:\n  version "1.0.0"\n  resolved "file:vendor/a.tgz#1"\n', False),
        ('a@1:\n  version "1.0.0"\n  resolved "git+ssh://git@example.org/a.git#1"\n', False),
        ('a@1:\n  version "1.0.0"\n  resolved a-1.0.0.tgz#1\n', True),
        ('a@1:\n  version "1.0.0"\n  resolved "git+file:///app/a#1"\n', True),
    ],
)
def test_what_the_lock_file_of_yarn_leads_to(tmp_path: Path, lock: str, refused: bool) -> None:
    write(tmp_path, {"package.json": '{"dependencies": {"a": "1"}}', "vendor/a.tgz": "", "yarn.lock": lock})
    assert (obstacle(tmp_path, "yarn install --frozen-lockfile") is not None) is refused


@pytest.mark.parametrize(
    ("resolution", "expected"),
    [
        ("tarball: file:vendor/a.tgz", None),
        ("tarball: file:vendor/b.tgz", "`/app/vendor/b.tgz` is not there"),
        ("directory: vendor, type: directory", "the lock file has `vendor` of the project"),
        ("repo: git+file:///app/a, type: git", "a git repository among the files"),
    ],
)
def test_what_the_lock_file_of_pnpm_leads_to(tmp_path: Path, resolution: str, expected: str | None) -> None:
    lock = f"lockfileVersion: '9.0'\nimporters:\n  .: {{}}\npackages:\n  a@1.0.0:\n    resolution: {{{resolution}}}\n"
    write(tmp_path, {"package.json": "{}", "vendor/a.tgz": "", "pnpm-lock.yaml": lock})
    found = obstacle(tmp_path, "pnpm install --frozen-lockfile")
    assert found is None if expected is None else found is not None and expected in found.reason


@pytest.mark.parametrize(
    ("files", "line", "expected"),
    [
        ({".yarnrc": "yarn-path y.js\n"}, "yarn install", "yarn heeds `/app/.yarnrc` above the project, too"),
        ({".npmrc": "cafile=x\n"}, "yarn install", "yarn heeds `/app/.npmrc` above the project, too"),
        ({".npmrc": "cafile=x\n"}, "npm install", None),
        ({"package.json": '{"packageManager": "yarn@4.1.0"}'}, "yarn install", "says which package manager runs"),
        ({"package.json": '{"packageManager": "npm@10.0.0"}'}, "npm install", None),
    ],
)
def test_what_lies_above_the_project(tmp_path: Path, files: dict[str, str], line: str, expected: str | None) -> None:
    write(tmp_path, {"ui/package.json": "{}", **files})
    found = obstacle(tmp_path, line, cwd="/app/ui")
    assert found is None if expected is None else found is not None and expected in found.reason


def test_programs_that_a_build_machine_may_have(tmp_path: Path) -> None:
    npm(tmp_path, {"workspaces": ["b"]}, **{"b/package.json": '{"bin": "dist/cli.js"}'})
    modules = frozenset({"/app/node_modules", "/app/b/node_modules"})
    assert "where the context brings it" in reason(tmp_path, "npm install", ignored=modules)
    found = obstacle(tmp_path, "npm install", ignored=modules | {"/app/b/dist/cli.js"})
    assert found is None


def test_variables_from_a_file_of_yarn(tmp_path: Path) -> None:
    write(tmp_path, {"package.json": '{"packageManager": "yarn@4.1.0"}', ".env.yarn": "A=1\n"})
    assert reason(tmp_path, "yarn install") == "yarn 4 and later read variables from `/app/.env.yarn`"


def test_overrides_that_are_paths(tmp_path: Path) -> None:
    npm(tmp_path, {"overrides": {"a": "./vendor"}}, **{"vendor/package.json": "{}"})
    assert "/app/vendor/package.json" in project(tmp_path, "npm install").files
    npm(tmp_path, {"dependencies": {"a": "git+file:./vendor"}})
    assert "a git repository among the files" in reason(tmp_path, "npm install")


def test_the_nearest_manifest_says_what_kind_of_module_a_script_is(tmp_path: Path) -> None:
    npm(tmp_path, {"scripts": {"postinstall": "node tools/x.js"}}, **{"tools/x.js": "console.log(1)\n"})
    assert "/app/tools/package.json" in project(tmp_path, "npm ci").absent
    write(tmp_path, {"tools/package.json": '{"type": "module"}'})
    assert "/app/tools/package.json" in project(tmp_path, "npm ci").files


def test_programs_of_the_project(tmp_path: Path) -> None:
    npm(tmp_path, {}, **{"tools/npm": "#!/bin/sh\n"})
    found = obstacle(tmp_path, "npm ci", environment={"PATH": "/app/tools:/usr/bin"})
    assert found is not None
    assert found.reason == "PATH may lead to `/app/tools/npm` in the project"
    for path in ("/app/node_modules/.bin:/usr/bin", "/app/scripts:/usr/bin"):
        assert obstacle(tmp_path, "npm ci", environment={"PATH": path}) is None
