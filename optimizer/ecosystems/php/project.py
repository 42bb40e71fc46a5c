"""What `composer install` reads of a project and makes in it: composer.json, lock file, packages in directories of the project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dockopt.optimizer.ecosystems.php.calls import Call
from dockopt.optimizer.ecosystems.view import FRESH_PROJECT, Obstacle, View
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import below, join

COMPOSER_SETTINGS = (
    "composer-settings: no setting of the base image (environment, php.ini, files in Composer's home) leads Composer into directories that "
    "the Dockerfile fills from the context, or loads plugins and scripts of its own"
)
#: events of an installation (getcomposer.org, "Scripts"): those of single packages too, and those of the autoloader
_EVENTS = frozenset(
    "pre-install-cmd post-install-cmd pre-package-install post-package-install pre-package-update post-package-update "
    "pre-package-uninstall post-package-uninstall pre-operations-exec pre-pool-create pre-dependencies-solving "
    "post-dependencies-solving init command pre-file-download post-file-download pre-command-run".split()
)
_DUMP_EVENTS = frozenset({"pre-autoload-dump", "post-autoload-dump"})
#: events of an installation without a lock file: it is an update (Composer's InstallCommand, Installer)
_UPDATE_EVENTS = frozenset({"pre-update-cmd", "post-update-cmd"})
#: plugins that read composer.json and the installed packages, and write into their own directory in vendor, when packages are installed
#: (read in their sources: php-http/discovery's Plugin.php, phpstan's Plugin.php, Pest's Manager.php, PackageVersions' Installer.php)
_HARMLESS_PLUGINS = frozenset(
    {"php-http/discovery", "phpstan/extension-installer", "pestphp/pest-plugin", "composer/package-versions-deprecated"}
)
#: settings of `config` that name no file, start no program and move nothing (getcomposer.org, "Config")
_HARMLESS_SETTINGS = frozenset(
    "process-timeout use-include-path use-parent-dir preferred-install audit use-github-api github-protocols github-domains gitlab-domains "
    "gitlab-protocol github-expose-hostname github-oauth gitlab-oauth gitlab-token bitbucket-oauth bitbucket-token forgejo-domains "
    "forgejo-token http-basic bearer custom-headers disable-tls secure-http platform cache-files-ttl cache-files-maxsize cache-read-only "
    "bin-compat prepend-autoloader autoloader-suffix sort-packages notify-on-install discard-changes archive-format lock platform-check "
    "secure-svn-domains allow-missing-requirements bump-after-update update-with-minimal-changes store-auths allow-plugins vendor-dir "
    "optimize-autoloader classmap-authoritative apcu-autoloader bin-dir htaccess-protect cafile-none php-version policy".split()
)
_HISTORIES = (".git", ".hg", ".svn", ".fslckout", "_FOSSIL_")


@dataclass(frozen=True, slots=True)
class Project:
    """An installation as far as the project goes; paths are those of the image."""

    directory: str
    files: tuple[str, ...]
    absent: tuple[str, ...]
    trees: tuple[str, ...]
    vendor: str
    #: a lock file that it makes because there is none
    made: tuple[str, ...]
    relied_on: tuple[str, ...]
    assumptions: tuple[str, ...]
    world: World
    #: histories that it asks for the version of the project where there is one
    histories: tuple[str, ...]


def project_of(call: Call, view: View) -> Project:
    """Return what an installation reads and makes. Raises `Obstacle`."""
    around = view.around
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    directory = around.cwd
    if directory == "/":
        raise Obstacle("the project lies in `/`, together with the system")
    _environment(view)
    view.assume(FRESH_PROJECT)
    view.assume(COMPOSER_SETTINGS)
    path = join(directory, "composer.json")
    view.need(path)
    manifest = view.json(path)
    settings = _object(manifest, "config", path)
    _settings(view, settings, path)
    lock_path = join(directory, "composer.lock")
    lock = None
    if view.has(lock_path):
        lock = view.json_of(view.lock_text(lock_path), lock_path)
    view.has(join(directory, "auth.json"))
    if call.script and any(below(join(directory, call.script), root) for root in around.project_roots):
        view.need(join(directory, call.script))
    if call.scripts:
        _scripts(view, manifest, call, path, locked=lock is not None)
    _plugins(view, call, settings, lock, path, lock_path)
    trees = _local_packages(view, lock, call, directory, path, lock_path, manifest)
    if call.dumps:
        trees += _autoload(view, manifest, call, settings, directory, path)
    histories = _histories(view, manifest, directory)
    return Project(
        directory=directory,
        files=tuple(sorted(view.files, key=lambda p: (p != path, p != lock_path))),
        absent=tuple(view.absent),
        trees=tuple(dict.fromkeys(trees)),
        vendor=_vendor(view, settings, directory, path),
        made=() if lock is not None else (lock_path,),
        relied_on=tuple(view.relied_on),
        assumptions=tuple(view.assumptions),
        world=World.LOCKED if lock is not None else World.REPOSITORY,
        histories=histories,
    )


def _object(holder: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    found = holder.get(key, {})
    if found == []:
        return {}  # PHP writes an empty object like that
    if not isinstance(found, dict):
        raise Obstacle(f"`{key}` holds no object", path)
    return found


def _list(holder: dict[str, Any], key: str, path: str) -> list[dict[str, Any]]:
    found = holder.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise Obstacle(f"`{key}` holds no list of objects", path)
    return found


def _line(view: View, path: str, word: str) -> int:
    """Return the line in which a key stands first."""
    at = view.text(path).find(f'"{word}"')
    return 0 if at < 0 else view.text(path).count("\n", 0, at) + 1


def _environment(view: View) -> None:
    around = view.around
    for name in (
        "COMPOSER",
        "COMPOSER_VENDOR_DIR",
        "COMPOSER_BIN_DIR",
        "COMPOSER_MIRROR_PATH_REPOS",
        "PHPRC",
        "PHP_INI_SCAN_DIR",
    ):
        known, value = around.variable(name)
        if value or (not known and name in around.assigned()):
            raise Obstacle(f"`{name}` makes Composer use other files")
    for name in ("COMPOSER_HOME", "COMPOSER_CACHE_DIR", "COMPOSER_AUTH"):
        known, value = around.variable(name)
        if not known and name in around.assigned() and name != "COMPOSER_AUTH":
            raise Obstacle(f"`{name}` is not known before the build")
        if value and name != "COMPOSER_AUTH" and any(below(join("/", value), root) for root in around.project_roots):
            raise Obstacle(f"`{name}` lies among the files of the project")


def _settings(view: View, settings: dict[str, Any], path: str) -> None:
    for name in settings:
        if name not in _HARMLESS_SETTINGS:
            raise Obstacle(f"the setting `{name}` may change what Composer reads", path, _line(view, path, name))


def _vendor(view: View, settings: dict[str, Any], directory: str, path: str) -> str:
    name = settings.get("vendor-dir", "vendor")
    programs = settings.get("bin-dir", "vendor/bin")
    if not isinstance(name, str) or not isinstance(programs, str) or re.search(r"[$~{%]", name + programs):
        raise Obstacle("where Composer installs is not understood", path, _line(view, path, "config"))
    vendor = join(directory, name)
    if vendor == directory or not below(vendor, directory):
        raise Obstacle(f"Composer installs into `{vendor}`", path, _line(view, path, "vendor-dir"))
    if "bin-dir" in settings and not below(join(directory, programs), vendor):
        raise Obstacle("it puts programs among the files of the project", path, _line(view, path, "bin-dir"))
    return vendor


def _scripts(view: View, manifest: dict[str, Any], call: Call, path: str, *, locked: bool) -> None:
    for event, script in _object(manifest, "scripts", path).items():
        runs = event in _EVENTS or (event in _DUMP_EVENTS and call.dumps) or (event in _UPDATE_EVENTS and not locked)
        if runs and script:
            first = script[0] if isinstance(script, list) else script
            reason = f"the script `{event}` (`{first}`) may look at any file of the project; `--no-scripts` would leave it to a later step"
            raise Obstacle(reason, path, _line(view, path, event))


def _plugins(
    view: View, call: Call, settings: dict[str, Any], lock: dict[str, Any] | None, path: str, lock_path: str
) -> None:
    """Make sure that no plugin runs of which it is not known what it reads (Composer's PluginManager)."""
    if not call.plugins:
        return
    allowed = settings.get("allow-plugins", {})
    if allowed is False:
        return
    if lock is None:
        raise Obstacle(
            "without a lock file it is not known which plugins would run; `--no-plugins` or a lock file would tell",
            path,
        )
    packages = _list(lock, "packages", lock_path) + (_list(lock, "packages-dev", lock_path) if call.dev else [])
    for package in packages:
        name = str(package.get("name"))
        if package.get("type") in ("composer-plugin", "composer-installer") and name not in _HARMLESS_PLUGINS:
            if isinstance(allowed, dict) and allowed.get(name) is False:
                continue
            raise Obstacle(f"the plugin `{name}` may do anything", lock_path, _line(view, lock_path, name))


def _local_packages(
    view: View,
    lock: dict[str, Any] | None,
    call: Call,
    directory: str,
    path: str,
    lock_path: str,
    manifest: dict[str, Any],
) -> list[str]:
    """Return the directories of packages that lie in the project."""
    for repository in _repositories(manifest, path):
        kind, url = repository.get("type"), repository.get("url", "")
        local = isinstance(url, str) and not re.match(r"(https?|git|ssh)://|[\w.-]+@[\w.-]+:", url)
        if kind == "artifact" or (kind in ("vcs", "git", "hg", "svn", "composer") and local):
            raise Obstacle(f"the repository `{url}` lies in the project", path, _line(view, path, "repositories"))
        if kind == "path" and lock is None:
            raise Obstacle(
                "without a lock file it is not known which packages of the project are installed",
                path,
                _line(view, path, "repositories"),
            )
    if lock is None:
        return []
    trees = []
    for package in _list(lock, "packages", lock_path) + (_list(lock, "packages-dev", lock_path) if call.dev else []):
        dist = package.get("dist") or {}
        if not isinstance(dist, dict) or dist.get("type") != "path":
            continue
        name, url = str(package.get("name")), dist.get("url")
        line = _line(view, lock_path, name)
        if not isinstance(url, str):
            raise Obstacle(f"where `{name}` lies is not understood", lock_path, line)
        where = join(directory, url)
        if not any(below(where, root) for root in view.around.project_roots):
            continue
        if below(directory, where):
            raise Obstacle(f"`{name}` is the project itself", lock_path, line)
        if view.kind(where) != "directory":
            absent = view.kind(where) == "absent"
            raise Obstacle(f"`{where}` is no directory of the build context", lock_path, line, where if absent else "")
        if package.get("bin"):
            # Composer's BinaryInstaller::installBinaries
            raise Obstacle(
                f"Composer sets the modes of the programs of `{name}`, which lie in the project", lock_path, line
            )
        trees.append(where)
    return trees


def _repositories(manifest: dict[str, Any], path: str) -> list[dict[str, Any]]:
    found = manifest.get("repositories") or []
    items = list(found.values()) if isinstance(found, dict) else found
    if not isinstance(items, list):
        raise Obstacle("`repositories` holds no list", path)
    return [item for item in items if isinstance(item, dict)]


def _autoload(
    view: View, manifest: dict[str, Any], call: Call, settings: dict[str, Any], directory: str, path: str
) -> list[str]:
    """Return the directories whose files the autoloader lists; files are noted (Composer's AutoloadGenerator)."""
    for option, name in (
        ({"-o", "--optimize-autoloader"}, "optimize-autoloader"),
        ({"-a", "--classmap-authoritative"}, "classmap-authoritative"),
    ):
        given = option & call.switches
        rules = [_object(manifest, "autoload", path), *([_object(manifest, "autoload-dev", path)] if call.dev else [])]
        scanned = [key for rule in rules for key in ("psr-4", "psr-0") if rule.get(key)]
        if (given or settings.get(name)) and scanned:
            line = 0 if given else _line(view, path, name)
            shown = f"`{min(given)}`" if given else f"`{name}`"
            reason = f"{shown} makes it read every class of the project; an optimized autoloader can be made below the sources"
            raise Obstacle(reason, path if not given else "", line)
    trees: list[str] = []
    for key in ("autoload", "autoload-dev") if call.dev else ("autoload",):
        listed = _object(manifest, key, path).get("classmap") or []
        for item in listed if isinstance(listed, list) else [listed]:
            if not isinstance(item, str) or re.search(r"[*?\[]", item):
                raise Obstacle(f"`classmap` of `{key}` is not understood", path, _line(view, path, "classmap"))
            where = join(directory, item)
            if below(directory, where):
                raise Obstacle(
                    "`classmap` makes it read every file of the project", path, _line(view, path, "classmap")
                )
            if view.kind(where) == "directory":
                trees.append(where)
            elif not view.has(where):
                raise Obstacle(f"`{item}` is not there", path, _line(view, path, "classmap"), where)
    return trees


def _histories(view: View, manifest: dict[str, Any], directory: str) -> tuple[str, ...]:
    """Return the histories that may tell the version of the project (RootPackageLoader, VersionGuesser); else they are absent."""
    if manifest.get("version"):
        return ()
    found = []
    for place in dict.fromkeys((directory, *(r for r in view.around.project_roots if below(directory, r)))):
        for name in _HISTORIES:
            path = join(place, name)
            if view.around.kept_out(path) or view.kind(path) == "absent":
                view.look(path)
            else:
                found.append(path)
    return tuple(found)
