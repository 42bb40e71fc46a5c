"""What Composer reads and writes in a project, held against what the models claim; skipped where there is no Composer.

A project is installed as it is, then with the claimed files alone, then with every other file changed and more files beside them:
vendor has to be the same, and nothing else in the project may change but what is claimed. No registry is asked: packages lie in
directories of the project.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.php.calls import call_of
from dockopt.optimizer.ecosystems.php.project import Project, project_of
from dockopt.optimizer.ecosystems.view import Obstacle, View

from tests.ecosystems.folder import Folder, write
from tests.ecosystems.trees import tree

pytestmark = pytest.mark.skipif(shutil.which("composer") is None, reason="needs Composer")

OTHERS = {
    "src/Door.php": "<?php\nnamespace Shop;\nclass Door {}\n",
    "src/functions.php": "<?php\n",
    "tests/DoorTest.php": "<?php\n",
    "index.php": "<?php\n",
    "packages/unused/composer.json": '{"name": "example/unused", "version": "1.0.0"}\n',
}
WORDS = {
    "packages/words/composer.json": json.dumps(
        {"name": "example/words", "version": "1.0.0", "autoload": {"classmap": ["src/"]}}
    ),
    "packages/words/src/Sign.php": "<?php\nnamespace Words;\nclass Sign {}\n",
}
NO_REGISTRY = [{"packagist.org": False}]


def manifest(**more: object) -> str:
    config = more.pop("config", {})
    assert isinstance(config, dict)
    base = {
        # without one the autoloader gets a name by chance
        "config": {"autoloader-suffix": "Shop", **config},
        "name": "example/shop",
        "repositories": [{"type": "path", "url": "packages/words"}, {"packagist.org": False}],
        "autoload": {"psr-4": {"Shop\\": "src/"}, "files": ["src/functions.php"]},
        "autoload-dev": {"psr-4": {"Tests\\": "tests/"}},
    }
    return json.dumps({**base, **more})


CASES: dict[str, tuple[dict[str, str | bytes], str]] = {
    "nothing-required": ({"composer.json": manifest()}, "composer install"),
    "package-of-the-project": (
        {"composer.json": manifest(require={"example/words": "^1.0"}), **WORDS},
        "composer install --no-dev --no-interaction",
    ),
    "package-is-copied": (
        {
            "composer.json": manifest(
                require={"example/words": "^1.0"},
                repositories=[
                    {"type": "path", "url": "packages/words", "options": {"symlink": False}},
                    {"packagist.org": False},
                ],
            ),
            **WORDS,
        },
        "composer install -n",
    ),
    "class-map": (
        {
            "composer.json": manifest(autoload={"psr-4": {"Shop\\": "src/"}, "classmap": ["legacy", "old.php"]}),
            "legacy/Shelf.php": "<?php\nclass Shelf {}\n",
            "old.php": "<?php\nclass Old {}\n",
        },
        "composer install",
    ),
    "without-autoloader-and-scripts": (
        {"composer.json": manifest(scripts={"post-install-cmd": "false"}, config={"optimize-autoloader": True})},
        "composer install --no-scripts --no-autoloader",
    ),
}


class Place:
    """A project and a home directory, always at the same paths."""

    def __init__(self, folder: Path) -> None:
        self.app, self.home = folder / "app", folder / "home"

    def run(self, files: Mapping[str, str | bytes], line: str) -> None:
        for path in (self.app, self.home):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
        write(self.app, files)
        self.again(line)

    def again(self, line: str) -> None:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "COMPOSER_ALLOW_SUPERUSER": "1"}
        done = subprocess.run(
            line.split(), cwd=self.app, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def split(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return what lies in vendor, and the rest."""
        found = tree(self.app)
        made = {name: value for name, value in found.items() if name.startswith("vendor/")}
        return made, {name: value for name, value in found.items() if name not in made}


def claimed(folder: Path, line: str = "composer install") -> Project:
    return project_of(call_of(tuple(line.split())), View(Folder(folder)))


@pytest.mark.parametrize("case", CASES)
def test_an_installation_reads_and_writes_what_its_model_says(case: str, tmp_path: Path) -> None:
    files, line = CASES[case]
    place = Place(tmp_path)
    place.run({**files, **OTHERS}, "composer update --no-install --no-scripts")
    files = {**files, "composer.lock": (place.app / "composer.lock").read_bytes()}
    whole = {**files, **OTHERS}
    found = claimed(write(tmp_path / "source", whole), line)
    assert (found.made, found.vendor) == ((), "/app/vendor")

    place.run(whole, line)
    made, rest = place.split()
    assert made
    assert rest == tree(tmp_path / "source")
    # settings and downloads of the user
    assert {path.name for path in place.home.iterdir()} <= {".cache", ".config", ".composer", ".local"}

    trees = tuple(f"{path.removeprefix('/app/')}/" for path in found.trees)
    names = {path.removeprefix("/app/") for path in found.files}
    few = {name: content for name, content in whole.items() if name in names or name.startswith(trees)}
    assert len(few) < len(whole)
    place.run(few, line)
    assert place.split()[0] == made

    changed = {name: content if name in few else "<?php\nclass Changed {}\n" for name, content in whole.items()}
    place.run({**changed, "artisan": "x\n", ".env": "A=1\n", "src/More.php": "<?php\nclass More {}\n"}, line)
    assert place.split()[0] == made


def test_a_claimed_file_matters(tmp_path: Path) -> None:
    """The comparison above can fail: a class more in a directory of the class map is listed."""
    files, line = CASES["class-map"]
    place = Place(tmp_path)
    place.run(files, line)
    made, _ = place.split()
    place.again(f"rm -r {place.app}/vendor")
    write(place.app, {"legacy/More.php": "<?php\nclass More {}\n"})
    place.again(line)
    assert place.split()[0] != made


def test_without_a_lock_file_one_is_made_whatever_else_there_is(tmp_path: Path) -> None:
    files = {"composer.json": manifest(repositories=NO_REGISTRY, config={"allow-plugins": False})}
    assert claimed(write(tmp_path / "source", {**files, **OTHERS})).made == ("/app/composer.lock",)
    place = Place(tmp_path)
    made = []
    for laid in (files, {**files, **OTHERS}):
        place.run(laid, "composer install")
        made.append((place.split()[0], tree(place.app)["composer.lock"]))
    assert made[0] == made[1]


def test_git_tells_the_version_of_the_project(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.run({"composer.json": manifest(repositories=NO_REGISTRY)}, "git init -q")
    place.again("git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m x")
    place.again("composer install")
    noted = (place.app / "vendor/composer/installed.php").read_text()
    assert "'reference' => null" not in noted
    write(tmp_path / "source", {"composer.json": manifest(repositories=NO_REGISTRY), ".git/HEAD": "x\n"})
    around = Folder(tmp_path / "source", ignored=frozenset())
    assert project_of(call_of(("composer", "install", "--no-plugins")), View(around)).histories == ("/app/.git",)
    (place.app / "composer.json").write_text(manifest(repositories=NO_REGISTRY, version="1.0.0"))
    place.again("composer install")
    assert "'reference' => null" in (place.app / "vendor/composer/installed.php").read_text()
    write(tmp_path / "source", {"composer.json": manifest(repositories=NO_REGISTRY, version="1.0.0")})
    assert project_of(call_of(("composer", "install", "--no-plugins")), View(around)).histories == ()


def test_what_is_in_vendor_is_built_on(tmp_path: Path) -> None:
    files, line = CASES["package-is-copied"]
    place = Place(tmp_path)
    place.run(files, line)
    write(place.app, {"vendor/example/words/src/Sign.php": "<?php\n// of the host\n"})
    place.again(line)
    assert "of the host" in (place.app / "vendor/example/words/src/Sign.php").read_text()


def test_an_optimized_autoloader_lists_classes(tmp_path: Path) -> None:
    place = Place(tmp_path)
    lists = []
    for more in ({}, {"src/Window.php": "<?php\nnamespace Shop;\nclass Window {}\n"}):
        place.run({"composer.json": manifest(repositories=NO_REGISTRY), **OTHERS, **more}, "composer install -o")
        lists.append("Window" in (place.app / "vendor/composer/autoload_classmap.php").read_text())
    assert lists == [False, True]
    with pytest.raises(Obstacle, match="`-o` makes it read every class"):
        claimed(
            write(tmp_path / "source", {"composer.json": manifest(repositories=NO_REGISTRY)}),
            "composer install -o --no-plugins",
        )


def test_programs_of_a_package_of_the_project_are_made_executable(tmp_path: Path) -> None:
    words = json.dumps({"name": "example/words", "version": "1.0.0", "bin": ["bin/words"]})
    files = {
        "composer.json": manifest(require={"example/words": "^1.0"}),
        "packages/words/composer.json": words,
        "packages/words/bin/words": "#!/usr/bin/env php\n",
    }
    place = Place(tmp_path)
    place.run(files, "composer install")
    assert (place.app / "packages/words/bin/words").stat().st_mode & 0o111
    files["composer.lock"] = (place.app / "composer.lock").read_text()
    with pytest.raises(Obstacle, match="sets the modes of the programs"):
        claimed(write(tmp_path / "source", files))
