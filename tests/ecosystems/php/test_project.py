"""composer.json, composer.lock and options of Composer: what an installation reads and makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.php.calls import call_of, is_installation
from dockopt.optimizer.ecosystems.php.project import Project, project_of
from dockopt.optimizer.ecosystems.view import Obstacle, View

from tests.ecosystems.folder import Folder, write

LOCK = json.dumps({"packages": [{"name": "a/a", "type": "library"}], "packages-dev": []})


def manifest(**more: object) -> str:
    return json.dumps({"name": "example/shop", "autoload": {"psr-4": {"Shop\\": "src/"}}, **more}, indent=1)


def project(
    folder: Path, line: str = "composer install", files: dict[str, str | bytes] | None = None, **known: object
) -> Project:
    laid = {"composer.json": manifest(), "composer.lock": LOCK, "src/Door.php": "<?php\n", **(files or {})}
    around = Folder(write(folder, laid), **known)  # type: ignore[arg-type]  # names are those of the fields
    return project_of(call_of(tuple(line.split())), View(around))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("composer install", True),
        ("composer i --no-dev", True),
        ("/usr/bin/composer -n install", True),
        ("php composer.phar install", True),
        ("php -d memory_limit=-1 /usr/bin/composer install", True),
        ("composer update", False),
        ("composer dump-autoload", False),
        ("composer --version", False),
        ("php artisan install", False),
        ("npm install", False),
    ],
)
def test_which_commands_install(line: str, expected: bool) -> None:
    assert is_installation(tuple(line.split())) is expected


@pytest.mark.parametrize(
    "line", ["composer install a/a", "composer install --working-dir=x", "composer -d x install", "composer install -z"]
)
def test_options_that_are_not_understood(line: str) -> None:
    with pytest.raises(Obstacle, match="not modelled"):
        call_of(tuple(line.split()))
    with pytest.raises(Obstacle, match="not known before the build"):
        call_of((*line.split()[:1], "install", None))


def test_short_options_may_stand_together() -> None:
    call = call_of(("composer", "install", "-on", "--ignore-platform-req=ext-gd", "--prefer-install", "dist"))
    assert call.switches == {"--optimize-autoloader", "-n"}


def test_what_an_installation_reads(tmp_path: Path) -> None:
    found = project(tmp_path)
    assert (found.directory, found.files) == ("/app", ("/app/composer.json", "/app/composer.lock"))
    assert found.absent == ("/app/auth.json", *(f"/app/{n}" for n in (".git", ".hg", ".svn", ".fslckout", "_FOSSIL_")))
    assert (found.trees, found.vendor, found.made, found.histories) == ((), "/app/vendor", (), ())


@pytest.mark.parametrize(
    ("line", "config", "reason"),
    [
        ("composer install -o", {}, "`-o` makes it read every class"),
        ("composer install -a", {}, "`-a` makes it read every class"),
        ("composer install", {"optimize-autoloader": True}, "`optimize-autoloader` makes it read"),
        ("composer install", {"classmap-authoritative": True}, "`classmap-authoritative` makes it read"),
        ("composer install", {"apcu-autoloader": True}, None),
        ("composer install --no-autoloader", {"optimize-autoloader": True}, None),
        ("composer install", {"vendor-dir": "lib"}, None),
        ("composer install", {"vendor-dir": ".."}, "installs into `/`"),
        ("composer install", {"vendor-dir": "."}, "installs into `/app`"),
        ("composer install", {"vendor-dir": "$HOME/v"}, "is not understood"),
        ("composer install", {"vendor-dir": ["x"]}, "is not understood"),
        ("composer install", {"bin-dir": "vendor/programs"}, None),
        ("composer install", {"bin-dir": "bin"}, "puts programs among"),
        ("composer install", {"cache-dir": "x"}, "`cache-dir` may change"),
        ("composer install", {"cafile": "x"}, "`cafile` may change"),
    ],
)
def test_settings(line: str, config: dict[str, object], reason: str | None, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"composer.json": manifest(config=config)}
    if reason is None:
        assert project(tmp_path, line, files).vendor == f"/app/{config.get('vendor-dir', 'vendor')}"
        return
    with pytest.raises(Obstacle, match=reason) as found:
        project(tmp_path, line, files)
    assert (found.value.line > 0) == (found.value.path != "")


@pytest.mark.parametrize(
    ("line", "event", "reason"),
    [
        ("composer install", "post-install-cmd", "the script `post-install-cmd`"),
        ("composer install", "post-autoload-dump", "the script `post-autoload-dump`"),
        ("composer install", "post-package-install", "the script `post-package-install`"),
        ("composer install --no-autoloader", "post-autoload-dump", None),
        ("composer install --no-scripts", "post-install-cmd", None),
        ("composer install", "post-update-cmd", None),
        ("composer install", "post-create-project-cmd", None),
        ("composer install", "test", None),
    ],
)
def test_scripts(line: str, event: str, reason: str | None, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"composer.json": manifest(scripts={event: ["@php artisan x"]})}
    if reason is None:
        assert project(tmp_path, line, files).files
        return
    with pytest.raises(Obstacle, match=reason) as found:
        project(tmp_path, line, files)
    assert f'"{event}"' in str(files["composer.json"]).splitlines()[found.value.line - 1]


def test_scripts_of_an_update_run_where_there_is_no_lock_file(tmp_path: Path) -> None:
    laid = write(tmp_path, {"composer.json": manifest(scripts={"post-update-cmd": "x"})})
    with pytest.raises(Obstacle, match="the script `post-update-cmd`"):
        project_of(call_of(("composer", "install", "--no-plugins")), View(Folder(laid)))


@pytest.mark.parametrize(
    ("line", "allowed", "where", "name", "reason"),
    [
        ("composer install", True, "packages", "symfony/flex", "the plugin `symfony/flex`"),
        ("composer install", {"symfony/flex": True}, "packages", "symfony/flex", "the plugin `symfony/flex`"),
        ("composer install", {"other/*": True}, "packages", "symfony/flex", "the plugin `symfony/flex`"),
        ("composer install", {"symfony/flex": False}, "packages", "symfony/flex", None),
        ("composer install", False, "packages", "symfony/flex", None),
        ("composer install --no-plugins", True, "packages", "symfony/flex", None),
        ("composer install", True, "packages-dev", "symfony/flex", "the plugin `symfony/flex`"),
        ("composer install --no-dev", True, "packages-dev", "symfony/flex", None),
        ("composer install", True, "packages", "php-http/discovery", None),
    ],
)
def test_plugins(line: str, allowed: object, where: str, name: str, reason: str | None, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "composer.json": manifest(config={"allow-plugins": allowed}),
        "composer.lock": json.dumps({where: [{"name": name, "type": "composer-plugin"}]}),
    }
    if reason is None:
        assert project(tmp_path, line, files).files
        return
    with pytest.raises(Obstacle, match=reason) as found:
        project(tmp_path, line, files)
    assert found.value.path == "/app/composer.lock"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"composer.json": b"\xff"}, "is not UTF-8"),
        ({"composer.json": "{"}, "is no JSON"),
        ({"composer.json": "[" * 100_000}, "is nested too deeply|is no JSON"),
        ({"composer.json": "[]"}, "holds no object"),
        ({"composer.json": '{"config": 1}'}, "`config` holds no object"),
        ({"composer.json": '{"scripts": ["x"]}'}, "`scripts` holds no object"),
        ({"composer.json": '{"autoload": "x"}'}, "`autoload` holds no object"),
        ({"composer.json": '{"repositories": 1}'}, "`repositories` holds no list"),
        ({"composer.json": '{"autoload": {"classmap": ["src/*"]}}'}, "`classmap` of `autoload` is not understood"),
        ({"composer.json": '{"autoload": {"classmap": [1]}}'}, "`classmap` of `autoload` is not understood"),
        ({"composer.json": '{"autoload": {"classmap": [""]}}'}, "every file of the project"),
        ({"composer.json": '{"autoload": {"classmap": ["none"]}}'}, "`none` is not there"),
        ({"composer.json": '{"repositories": [{"type": "artifact", "url": "zips"}]}'}, "`zips` lies in the project"),
        ({"composer.json": '{"repositories": {"a": {"type": "vcs", "url": "../a"}}}'}, "`../a` lies in the project"),
        ({"composer.lock": "1"}, "holds no object"),
        ({"composer.lock": '{"packages": {"a": 1}}'}, "`packages` holds no list of objects"),
        ({"composer.lock": '{"packages": ["a"]}'}, "`packages` holds no list of objects"),
        ({"composer.lock": '{"packages": [{"name": "a", "dist": {"type": "path"}}]}'}, "where `a` lies"),
        ({"composer.lock": '{"packages": [{"name": "a", "dist": {"type": "path", "url": "."}}]}'}, "is the project itself"),
        ({"composer.lock": '{"packages": [{"name": "a", "dist": {"type": "path", "url": "no"}}]}'}, "is no directory"),
        ({"composer.lock": '{"packages": [{"name": "a", "bin": ["x"], "dist": {"type": "path", "url": "src"}}]}'}, "sets the modes"),
    ],
)  # fmt: skip
def test_files_that_are_obstacles(files: dict[str, str | bytes], reason: str, tmp_path: Path) -> None:
    with pytest.raises(Obstacle, match=reason):
        project(tmp_path, files=files)


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"COMPOSER": "other.json"}, "`COMPOSER` makes"),
        ({"COMPOSER_VENDOR_DIR": "lib"}, "`COMPOSER_VENDOR_DIR` makes"),
        ({"COMPOSER_HOME": "/app/.composer"}, "`COMPOSER_HOME` lies"),
        ({"PHP_INI_SCAN_DIR": "/app"}, "`PHP_INI_SCAN_DIR` makes"),
    ],
)
def test_variables_that_are_obstacles(environment: dict[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(Obstacle, match=reason):
        project(tmp_path, environment=environment)


def test_packages_and_class_maps_of_the_project_go_along(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "composer.json": manifest(
            autoload={"classmap": ["old", "one.php"]},
            **{"autoload-dev": {"classmap": "tests"}},
            repositories=[{"type": "path", "url": "packages/*"}, {"type": "vcs", "url": "https://example.org/a.git"}],
        ),
        "composer.lock": json.dumps({"packages": [{"name": "b", "dist": {"type": "path", "url": "./packages/b"}}]}),
        "old/x.php": "", "one.php": "", "tests/x.php": "", "packages/b/composer.json": "{}", "auth.json": "{}",
    }  # fmt: skip
    found = project(tmp_path, files=files)
    assert found.trees == ("/app/packages/b", "/app/old", "/app/tests")
    assert found.files == ("/app/composer.json", "/app/composer.lock", "/app/auth.json", "/app/one.php")
    assert project(tmp_path, "composer install --no-dev", files).trees == ("/app/packages/b", "/app/old")


def test_a_history_tells_the_version(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {".git/HEAD": ""}
    assert project(tmp_path, files=files).histories == ()
    assert project(tmp_path, files=files, ignored=frozenset()).histories == ("/app/.git",)
    files["composer.json"] = manifest(version="1.2.3")
    assert project(tmp_path, files=files, ignored=frozenset()).histories == ()
