"""Bundler's settings at one place of a Dockerfile, as far as they decide what it reads and where it installs.

From highest to lowest (`Bundler::Settings`): options, the configuration of the application (`bundle config set --local`, a file in
`.bundle` or BUNDLE_APP_CONFIG), the environment, the configuration of the user.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from dockopt.optimizer.ecosystems.view import Obstacle, View, parse_yaml
from dockopt.optimizer.regions import below, join

BUNDLER_SETTINGS = (
    "bundler-settings: no setting of the base image (environment, files of RubyGems and Bundler) leads Ruby or Bundler into "
    "directories that the Dockerfile fills from the context"
)
#: settings that change neither what of a project is read nor where anything is put (bundle-config(1)); `*` is a prefix
_HARMLESS = (
    "without", "with", "only", "jobs", "retry", "timeout", "redirect", "ssl_verify_mode", "silence_root_warning",
    "silence_deprecations", "force_ruby_platform", "specific_platform", "major_deprecations", "disable_checksum_validation",
    "disable_exec_load", "disable_shared_gems", "disable_version_check", "ignore_messages", "ignore_funding_requests",
    "no_prune", "prefer_patch", "prefer_local", "trust-policy", "trust_policy", "user_agent", "allow_offline_install",
    "auto_install", "build.*", "mirror.*", "gems.*", "rubygems.*", "console", "version", "cache_all", "cache_all_platforms",
    "default", "global_gem_cache", "update_requires_all_flag", "allow_deployment_source_credential_changes",
    "default_install_uses_path", "forget_cli_options", "no_install", "setup_makes_kernel_gem_public",
    "suppress_install_using_messages", "unlock_source_unlocks_spec", "init_gems_rb", "shebang", "github.https",
    "git.allow_insecure", "allow_bundler_dependency_conflicts", "error_on_stderr", "auto_clean_without_path", "gem.*",
    "changelog", "disable_multisource", "lockfile_checksums", "simulate_version",
)  # fmt: skip
_FOLLOWED = frozenset(
    {"path", "path.system", "system", "deployment", "frozen", "bin", "cache_path", "clean", "plugins"}
)
_TRUE = frozenset({"true", "1", "yes", "y", "t", "on"})
_ENVIRONMENT = {
    "path": "BUNDLE_PATH",
    "deployment": "BUNDLE_DEPLOYMENT",
    "frozen": "BUNDLE_FROZEN",
    "bin": "BUNDLE_BIN",
    "cache_path": "BUNDLE_CACHE_PATH",
    "clean": "BUNDLE_CLEAN",
    "path.system": "BUNDLE_PATH__SYSTEM",
}
#: variables that lead RubyGems and Bundler to other places or files
_PLACES = (
    "BUNDLE_GEMFILE", "BUNDLE_APP_CONFIG", "BUNDLE_LOCKFILE", "BUNDLE_USER_HOME", "BUNDLE_USER_CONFIG", "BUNDLE_USER_CACHE",
    "BUNDLE_USER_PLUGIN", "BUNDLE_SYSTEM_BINDIR", "GEM_HOME", "GEM_PATH", "GEMRC", "GEM_SPEC_CACHE", "RUBYLIB", "RUBYOPT",
    "BUNDLE_BIN", "BUNDLE_CACHE_PATH", "TMPDIR",
)  # fmt: skip


@dataclass(slots=True)
class Settings:
    """What options, files, earlier commands and the environment say; `values` by level, highest first."""

    local: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    user: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str | None:
        """Return the value that counts."""
        for level in (self.local, self.environment, self.user):
            if name in level:
                return level[name]
        return None

    def is_on(self, name: str) -> bool:
        """Tell whether a setting is true (`Bundler::Settings#to_bool`)."""
        return (self.value(name) or "").lower() not in ("", "false", "0", "no", "n", "f", "off")

    @property
    def frozen(self) -> bool:
        """Bundler does not touch the lock file."""
        return self.is_on("frozen") or self.is_on("deployment")

    @property
    def path(self) -> str | None:
        """Where gems are installed, None for the place of RubyGems; relative to the Gemfile."""
        for level in (self.local, self.environment, self.user):
            given = level.get("path")
            if given is None and level.get("deployment", "").lower() in _TRUE:
                given = "vendor/bundle"
            if given is None and "path.system" not in level:
                continue
            return None if level.get("path.system", "").lower() in _TRUE else given
        return None


def settings_of(view: View, directory: str) -> Settings:
    """Return the settings of the project in a directory. Raises `Obstacle`."""
    around = view.around
    found = Settings()
    view.assume(BUNDLER_SETTINGS)
    for name in _PLACES:
        known, value = around.variable(name)
        if not known and name in around.assigned():
            raise Obstacle(f"`{name}` is not known before the build")
        if name not in ("BUNDLE_GEMFILE", "BUNDLE_APP_CONFIG", "RUBYOPT") and value:
            for part in value.split(":"):
                if part and any(below(join(around.cwd or "/", part), root) for root in around.project_roots):
                    raise Obstacle(f"`{name}` leads to `{part}`, among the files of the project")
    if re.search(r"(^|\s)-(r|I|C)", around.variable("RUBYOPT")[1] or ""):
        raise Obstacle("`RUBYOPT` makes Ruby load files")
    for key, name in _ENVIRONMENT.items():
        known, value = around.variable(name)
        if not known and name in around.assigned():
            raise Obstacle(f"`{name}` is not known before the build")
        if value:
            found.environment[key] = value
    config = app_config(view, directory)
    if config is not None and below(config, directory):
        if around.context_path(config) is not None:
            view.need(config)
            _from_file(view, config, found.local)
        view.look(config)
    for text, argv in around.earlier("bundle"):
        _from_command(text, argv, found)
    return found


def app_config(view: View, directory: str) -> str | None:
    """Return the file of the application's settings; None where the base image may say that it is elsewhere."""
    known, value = view.around.variable("BUNDLE_APP_CONFIG")
    if not known:
        return join(directory, ".bundle/config")
    return join(join(directory, value or ".bundle"), "config")


def _from_file(view: View, path: str, local: dict[str, str]) -> None:
    for name, value in parse_yaml(view.text(path), path).items():
        if isinstance(name, str) and name.startswith("BUNDLE_"):
            key = name.removeprefix("BUNDLE_").replace("___", "-").replace("__", ".").lower()
            _accept(key, path)
            local[key] = str(value).lower() if isinstance(value, bool) else str(value)


def _accept(key: str, path: str = "") -> None:
    if key in _FOLLOWED or any(key == h or (h.endswith("*") and key.startswith(h[:-1])) for h in _HARMLESS):
        return
    raise Obstacle(f"the setting `{key}` of Bundler may change what it reads", path)


def _from_command(text: str, argv: tuple[str | None, ...], found: Settings) -> None:
    if not argv:
        if "config" in text:
            raise Obstacle("settings of Bundler are made in a script that is not understood")
        return
    change = change_of(argv)
    if change is None:
        return
    scope, name, value = change
    _accept(name)
    # without a scope it is the application's, or the user's where there was no Gemfile yet (cli/config.rb)
    for level in {"local": [found.local], "global": [found.user], "": [found.local, found.user]}[scope]:
        if value is None:
            level.pop(name, None)
        else:
            level[name] = value


def change_of(argv: Iterable[str | None]) -> tuple[str, str, str | None] | None:
    """Return (scope, name, value) of a `bundle config` that sets something (value None: it unsets it), else None.

    Raises `Obstacle` where it cannot be told what it sets.
    """
    words = list(argv)[1:]
    while words and words[0] is not None and re.fullmatch(r"_[\w.]+_|--no-color|--verbose", words[0]):
        words.pop(0)
    if words[:1] != ["config"]:
        return None
    scope, unset = "", False
    operands: list[str | None] = []
    for word in words[1:]:
        if word in ("--global", "--local"):
            scope = word[2:]
        elif word == "--delete":
            unset = True
        elif word == "--parseable":
            continue
        elif word is not None and word.startswith("-") and not operands:
            raise Obstacle(f"the option `{word}` of `bundle config` is not understood")
        else:
            operands.append(word)
    if operands[:1] == ["set"]:
        operands.pop(0)
    elif operands[:1] == ["unset"]:
        operands.pop(0)
        unset = True
    elif operands[:1] in (["get"], ["list"]):
        return None
    if not operands or (len(operands) == 1 and not unset):
        return None
    name = operands[0]
    if name is None:
        raise Obstacle("which setting `bundle config` changes is not known before the build")
    # credentials of a host: `bundle config gems.example.com user:password`
    key = name.removeprefix("BUNDLE_").lower() if not re.search(r"[./]", name) or name.startswith("path.") else name
    if re.search(r"\.\w+$", key) and key not in _FOLLOWED and not key.startswith(("local.", "build.", "mirror.")):
        key = "gems.*" if "://" not in key and not key.startswith("plugin") else key
    if "://" in key and not key.startswith("mirror."):
        key = "gems.*"
    value = None if unset else " ".join("?" if word is None else word for word in operands[1:])
    if value is not None and None in operands[1:] and key in _FOLLOWED:
        raise Obstacle(f"the value of Bundler's `{key}` is not known before the build")
    return scope, key, value
