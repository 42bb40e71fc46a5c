"""What package managers read and write in a project, held against what the models claim.

A project is installed as it is, then with the claimed files alone, then with every other file changed and more files beside them:
node_modules have to be the same, and nothing else in the project may change. Dependencies are archives in the project, so no
registry is asked. Tools that are not there are skipped; npm comes with Node.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.node.commands import _KEPT

from tests.ecosystems.node.folder import obstacle, project, write


def archive(name: str, **more: object) -> bytes:
    """Return a package as `npm pack` makes it."""
    manifest = json.dumps({"name": name, "version": "1.0.0", "main": "index.js", **more}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for path, content in (("package/package.json", manifest), ("package/index.js", b"module.exports = 1;\n")):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def package(name: str, **more: object) -> str:
    return json.dumps({"name": name, "version": "1.0.0", **more}, indent=2) + "\n"


ROOT = {
    "vendor/left.tgz": archive("left"),
    "vendor/right.tgz": archive("right"),
    "README.md": "# shop\n",
    "src/index.js": "console.log(1);\n",
    "vendor/unused.tgz": archive("unused"),
    "tsconfig.json": "{}\n",
    "tools/package.json": package("no-member"),
    "scripts/check.js": 'require("./lib/rules");\n',
    "scripts/lib/rules.js": "exports.rules = [];\n",
    "scripts/unused.js": "\n",
    ".npmignore": "x\n",
}
MEMBERS = {
    "packages/a/package.json": package("@shop/a", dependencies={"right": "file:../../vendor/right.tgz"}),
    "packages/a/index.js": "\n",
    "packages/b/package.json": package("@shop/b", dependencies={"@shop/a": "1.0.0"}),
    "packages/none/README.md": "no member\n",
}
PLAIN = {**ROOT, "package.json": package("shop", dependencies={"left": "file:vendor/left.tgz"})}
SCRIPT = {
    **ROOT,
    "package.json": package("shop", dependencies={"left": "file:vendor/left.tgz"}, scripts={"postinstall": "node scripts/check.js"}),
}  # fmt: skip
WORKSPACE = {
    **ROOT,
    **MEMBERS,
    "package.json": package(
        "shop", private=True, workspaces=["packages/*"], dependencies={"left": "file:vendor/left.tgz"}
    ),
}
PNPM = {
    **ROOT,
    **MEMBERS,
    "package.json": package("shop", private=True, dependencies={"left": "file:vendor/left.tgz"}),
    "packages/b/package.json": package("@shop/b", dependencies={"@shop/a": "workspace:*"}),
    "pnpm-workspace.yaml": "packages:\n  - packages/*\n",
}
#: what makes the lock file, and the command that is tested with it; "" for one without lock file
CASES = {
    "npm-ci": (PLAIN, "npm install", "npm ci"),
    "npm-ci-with-script": (SCRIPT, "npm install", "npm ci"),
    "npm-ci-workspace": (WORKSPACE, "npm install", "npm ci"),
    "npm-install-workspace": (WORKSPACE, "npm install", "npm install"),
    "npm-install-without-lock": (WORKSPACE, "", "npm install"),
    "yarn-1": (WORKSPACE, "yarn install", "yarn install"),
    "yarn-1-frozen": (PLAIN, "yarn install", "yarn install --frozen-lockfile"),
    "pnpm": (PNPM, "pnpm install", "pnpm install"),
    "pnpm-frozen": (PNPM, "pnpm install", "pnpm install --frozen-lockfile"),
    "bun-frozen": (WORKSPACE, "bun install", "bun install --frozen-lockfile"),
}
LOCKS = ("package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb")
#: files of node_modules that hold the time or the place of the installation
_OF_THE_RUN = (
    ".modules.yaml",
    ".pnpm-workspace-state.json",
    ".pnpm-workspace-state-v1.json",
    ".yarn-integrity",
    "lock.yaml",
)


def run(line: str, folder: Path) -> None:
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "npm_config_update_notifier": "false",
        "npm_config_audit": "false",
    }
    done = subprocess.run(
        line.split(), cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def tree(folder: Path) -> dict[str, str]:
    """Return path → digest or link target, with modes."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file() and path.name not in _OF_THE_RUN:
            found[name] = f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return found


def split(found: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what lies in node_modules, and the rest."""
    made = {name: value for name, value in found.items() if "node_modules" in name.split("/")}
    return made, {name: value for name, value in found.items() if name not in made}


@pytest.mark.parametrize("case", CASES)
def test_an_installation_reads_and_writes_what_its_model_says(case: str, tmp_path: Path) -> None:
    files, first, line = CASES[case]
    tool = line.partition(" ")[0]
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")
    source = write(tmp_path / "source", files)
    if first:
        run(first, source)
        for modules in [*source.rglob("node_modules")]:
            shutil.rmtree(modules, ignore_errors=True)
    claimed = project(source, line)
    assert claimed.rewritten is None
    names = {path.removeprefix("/app/") for path in claimed.files}
    # links of pnpm and yarn hold no absolute paths; the folder has the same name each time all the same
    whole = Path(shutil.copytree(source, tmp_path / "whole" / "app"))
    before = tree(whole)
    run(line, whole)
    made, rest = split(tree(whole))
    assert made
    new_files = {path.removeprefix("/app/") for path in claimed.made}
    assert {name: value for name, value in rest.items() if name not in new_files} == before
    assert set(rest) - set(before) <= new_files
    outputs = tuple(path.removeprefix("/app/") + "/" for path in claimed.outputs)
    assert all(name.startswith(outputs) for name in made)

    assert {path.name for path in (tmp_path / "whole" / "home").iterdir()} <= set(_KEPT)

    few = write(tmp_path / "few" / "app", {name: (source / name).read_bytes() for name in sorted(names)})
    run(line, few)
    assert split(tree(few))[0] == made
    assert {name: tree(few).get(name) for name in new_files} == {name: rest.get(name) for name in new_files}

    other = Path(shutil.copytree(source, tmp_path / "other" / "app"))
    for path in sorted(other.rglob("*")):
        if path.is_file() and path.relative_to(other).as_posix() not in names:
            path.write_text("changed\n")
    write(
        other,
        {
            "more/index.js": "\n",
            "packages/none/more.js": "\n",
            ".editorconfig": "\n",
            "Makefile": "all:\n",
            ".nvmrc": "1\n",
        },
    )
    run(line, other)
    assert split(tree(other))[0] == made


def test_a_claimed_file_matters(tmp_path: Path) -> None:
    """The comparison above can fail: with another manifest of a member npm installs something else."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm")
    source = write(tmp_path / "app", WORKSPACE)
    run("npm install", source)
    made, _ = split(tree(source))
    write(
        source, {"packages/a/package.json": package("@shop/a", dependencies={"unused": "file:../../vendor/unused.tgz"})}
    )
    write(source, {"vendor/unused.tgz": archive("unused")})
    run("npm install", source)
    assert split(tree(source))[0] != made


def test_programs_of_members_are_made_executable_and_linked_if_they_are_there(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("needs npm")
    member = {"packages/a/package.json": package("@shop/a", bin={"a-tool": "cli.js", "b-tool": "dist/none.js"})}
    root = {"package.json": package("shop", workspaces=["packages/*"])}
    source = write(tmp_path / "app", {**root, **member, "packages/a/cli.js": "#!/usr/bin/env node\n"})
    (source / "packages/a/cli.js").chmod(0o644)
    found = obstacle(source, "npm install")
    assert found is not None
    assert "makes it executable" in found.reason
    run("npm install", source)
    assert (source / "packages/a/cli.js").stat().st_mode & 0o111
    assert (source / "node_modules/.bin/a-tool").is_symlink()
    assert not (source / "node_modules/.bin/b-tool").is_symlink()


@pytest.mark.parametrize("line", ["npm install", "yarn install", "pnpm install"])
def test_what_builds_on_node_modules(line: str, tmp_path: Path) -> None:
    """npm install, yarn and pnpm take over what they find in node_modules; so a context must not bring it."""
    if shutil.which(line.partition(" ")[0]) is None:
        pytest.skip(f"needs {line.partition(' ')[0]}")
    source = write(tmp_path / "app", PLAIN)
    run(line, source)
    write(source, {"node_modules/left/index.js": "of the host\n"})
    run(line, source)
    assert (source / "node_modules/left/index.js").read_text() == "of the host\n"
    assert "/app/node_modules" not in project(source, line).removes


def test_ci_removes_node_modules(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("needs npm")
    source = write(tmp_path / "app", PLAIN)
    run("npm install", source)
    write(source, {"node_modules/left/index.js": "of the host\n", "node_modules/stray/index.js": "of the host\n"})
    run("npm ci", source)
    assert (source / "node_modules/left/index.js").read_text() == "module.exports = 1;\n"
    assert not (source / "node_modules/stray").exists()
    assert project(source, "npm ci").removes == ("/app/node_modules",)
