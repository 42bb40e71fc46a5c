"""Settings files of package managers: .npmrc, .yarnrc, .yarnrc.yml, pnpm-workspace.yaml, bunfig.toml.

Only settings that do not change which files of the project are read or written are let through; a few others are followed. The
names are those of npm's config(7), yarn's `yarn config` and pnpm's "Settings" page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockopt.optimizer.ecosystems.view import Obstacle, View, parse_yaml
from dockopt.optimizer.regions import join

#: settings of npm and pnpm (in .npmrc and, in camel case, in pnpm-workspace.yaml) that touch no other files of the project
_HARMLESS = frozenset(
    "always-auth audit audit-level auto-install-peers before bin-links block-exotic-subdeps ca child-concurrency "
    "ci-info color dedupe-direct-deps dedupe-injected-deps dedupe-peer-dependents deploy-all-files depth dev "
    "disallow-workspace-cycles dlx-cache-max-age email enable-pre-post-scripts engine-strict "
    "exclude-links-from-lockfile extend-node-path fetch-retries fetch-retry-factor fetch-retry-maxtimeout fetch-retry-mintimeout "
    "fetch-timeout force foreground-scripts frozen-lockfile fund git-checks heading hoist hoist-pattern "
    "hoist-workspace-packages http-proxy https-proxy ignore-compatibility-db ignore-dep-scripts ignore-scripts "
    "ignore-workspace-cycles ignore-workspace-root-check include include-workspace-root init-author-email "
    "init-author-name init-author-url init-license init-version init.author.email init.author.name init.author.url "
    "init.license init.version json legacy-bundling legacy-peer-deps "
    "link-workspace-packages lockfile-include-tarball-url loglevel long manage-package-manager-versions "
    "max-sockets maxsockets message minimum-release-age minimum-release-age-exclude network-concurrency "
    "network-timeout noproxy offline omit omit-lockfile-registry-resolved only "
    "optimistic-repeat-install optional package-import-method package-lock package-manager-strict "
    "package-manager-strict-version parseable peers-suffix-max-length prefer-dedupe prefer-frozen-lockfile prefer-offline prefer-online "
    "prefer-symlinked-executables prefer-workspace-packages prod production progress proxy public-hoist-pattern "
    "recursive-install registry registry-supports-time-field replace-registry-host resolution-mode "
    "resolve-peers-from-workspace-root save save-bundle save-dev save-exact save-optional save-peer save-prefix save-prod "
    "save-workspace-protocol scope send-metrics shamefully-flatten shamefully-hoist shell-emulator side-effects-cache "
    "sign-git-tag strict-dep-builds strict-peer-dependencies strict-peer-deps strict-ssl "
    "strict-store-pkg-content-check symlink tag tag-version-prefix timing trust-policy "
    "trust-policy-exclude unsafe-perm update-notifier use-beta-cli use-lockfile-v6 use-running-store-server user-agent "
    "verify-deps-before-run verify-store-integrity virtual-store-dir-max-length which-pm-runs "
    "workspace-concurrency yes".split()
)
#: of pnpm-workspace.yaml alone
_PNPM_LISTS = frozenset(
    "packages catalog catalogs onlyBuiltDependencies ignoredBuiltDependencies neverBuiltDependencies overrides packageExtensions "
    "patchedDependencies allowedDeprecatedVersions peerDependencyRules ignoredOptionalDependencies supportedArchitectures "
    "requiredScripts auditConfig updateConfig allowBuilds allowUnusedPatches allowNonAppliedPatches catalogMode cleanupUnusedCatalogs "
    "executionEnv dangerouslyAllowAllBuilds packageConfigs".split()
)
#: names of mirrors and hosts from which install scripts of packages download (`electron_mirror`, `sass_binary_site`)
_MIRROR = re.compile(
    r"[A-Za-z0-9_@/.+-]+[_-](mirror|site|host|url|baseurl|custom_dir|skip_download|skip_browser_download|skip_chromium_download)|disturl"
)
_BOOLEANS = {"true": True, "false": False, "": True}


@dataclass
class Settings:
    """What the settings files of a project say."""

    ignore_scripts: bool = False
    #: False with `package-lock=false`: no lock file is read or written
    lock: bool = True
    #: `frozen-lockfile=true`
    frozen: bool = False
    #: names of variables that the settings use
    variables: list[str] = field(default_factory=list)
    #: yarn's `yarnPath` / `yarn-path`, as an image path
    yarn_path: str = ""
    #: yarn's `nodeLinker`, or "pnp"
    linker: str = "pnp"
    #: yarn keeps its cache in the project (`enableGlobalCache: false`); None: as its version does
    global_cache: bool | None = None
    #: `patchedDependencies` and `packages` of pnpm-workspace.yaml
    patched: list[str] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)


def read_npmrc(view: View, directory: str, settings: Settings) -> None:
    """Read a .npmrc if there is one (npm's npmrc(5): an ini file with `${VARIABLE}`)."""
    path = join(directory, ".npmrc")
    if not view.has(path):
        return
    text = view.text(path)
    settings.variables += re.findall(r"\$\{([A-Za-z_]\w*)[?:}-]?", text)
    for number, name, value in _ini(text):
        if name.startswith("//") or re.fullmatch(r"@[^:/]+:registry", name):
            if name.endswith((":tokenHelper", ":cafile", ":certfile", ":keyfile")):
                raise Obstacle(f"the setting `{name}` names a file", path, number)
            continue
        key = name.removesuffix("[]").replace("_", "-")
        if key == "ignore-scripts":
            settings.ignore_scripts = _boolean(value, path, number)
        elif key == "package-lock":
            settings.lock = _boolean(value, path, number)
        elif key == "frozen-lockfile":
            settings.frozen = _boolean(value, path, number)
        elif key == "node-linker" and value in ("hoisted", "isolated"):
            continue
        elif (
            key not in _HARMLESS and not name.startswith("_") and not re.match(r"_?(auth|password)|username|email", key)
        ) and not (_MIRROR.fullmatch(name) and not value.startswith((".", "/"))):
            raise Obstacle(f"the setting `{name}` is not understood", path, number)


def _ini(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, name, value) of an ini file without sections."""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped and stripped[0] not in ";#":
            name, _, value = stripped.partition("=")
            yield number, name.strip().strip("\"'"), value.strip().strip("\"'")


def _boolean(value: str, path: str, line: int) -> bool:
    if value not in _BOOLEANS:
        raise Obstacle(f"the value `{value}` is not understood", path, line)
    return _BOOLEANS[value]


#: settings of yarn 1 in .yarnrc without influence on the files that are read
_YARNRC = re.compile(
    r"registry|lastUpdateCheck|network-timeout|network-concurrency|save-prefix|strict-ssl|version-[\w-]+|init-[\w-]+|child-concurrency|"
    r"workspaces-experimental|ignore-engines|ignore-platform|ignore-optional|disable-self-update-check|no-progress|email|username|"
    r"unsafe-disable-integrity-migration|enable-meta-folder|--(install|add)\.(ignore-engines|ignore-optional|ignore-platform|"
    r"network-timeout|no-progress|non-interactive|prefer-offline|silent|pure-lockfile)|--(silent|ignore-engines|network-timeout|"
    r"non-interactive|emoji|no-progress|registry)|\"?@[^\"]+:registry\"?|\"?//.*"
)


def read_yarnrc(view: View, directory: str, settings: Settings) -> None:
    """Read a .yarnrc of yarn 1 if there is one: a name and a value on each line."""
    path = join(directory, ".yarnrc")
    if not view.has(path):
        return
    for number, line in enumerate(view.text(path).splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, value = line.strip().partition(" ")
        value = value.strip().strip("\"'")
        if name == "yarn-path":
            settings.yarn_path = _own_program(view, directory, value, path, number)
        elif name in ("--install.frozen-lockfile", "--frozen-lockfile"):
            settings.frozen = _boolean(value, path, number)
        elif name in ("ignore-scripts", "--install.ignore-scripts"):
            settings.ignore_scripts = _boolean(value, path, number)
        elif not _YARNRC.fullmatch(name):
            raise Obstacle(f"the setting `{name}` is not understood", path, number)


def _own_program(view: View, directory: str, value: str, path: str, line: int) -> str:
    if value.startswith(("/", "~")) or ".." in value.split("/"):
        raise Obstacle(f"yarn lies outside of the project (`{value}`)", path, line)
    program = join(directory, value)
    view.need(program)
    return program


#: settings of yarn 2 and later (yarnpkg.com/configuration/yarnrc) without influence on the files that are read
_BERRY = frozenset(
    "approvedGitRepositories cacheMigrationMode caFilePath checksumBehavior cloneConcurrency compressionLevel defaultProtocol "
    "defaultSemverRangePrefix enableColors enableConstraintsChecks enableHardenedMode enableHyperlinks enableImmutableCache "
    "enableInlineBuilds enableInlineHunks enableMessageNames enableNetwork enableOfflineMode enableProgressBars enableStrictSsl "
    "enableTelemetry enableTimers enableTransparentWorkspaces httpProxy httpsProxy httpRetry httpTimeout httpsCaFilePath ignoreCwd "
    "initFields initScope logFilters networkConcurrency networkSettings nmHoistingLimits nmSelfReferences "
    "npmAlwaysAuth npmAuditRegistry npmAuthIdent npmAuthToken npmPublishAccess npmPublishRegistry npmRegistries npmRegistryServer "
    "npmScopes packageExtensions pnpEnableEsmLoader pnpEnableInlining pnpFallbackMode pnpIgnorePatterns pnpMode preferAggregateCacheInfo "
    "preferDeferredVersions preferInteractive preferReuse preferTruncatedLines progressBarStyle supportedArchitectures "
    "taskPoolConcurrency taskPoolMode telemetryInterval telemetryUserId tsEnableAutoTypes unsafeHttpWhitelist workerPoolMode "
    "winLinkType npmMinimalAgeGate npmPreapprovedPackages catalog catalogs".split()
)


#: the plugins of yarn's own repository, which read the same files as an installation
_KNOWN_PLUGIN = re.compile(
    r"/plugin-(workspace-tools|typescript|interactive-tools|version|stage|constraints|outdated)\.c?js$|@yarnpkg/plugin-"
)


def read_berry(view: View, directory: str, settings: Settings) -> bool:
    """Read a .yarnrc.yml if there is one; tell whether there is. Its release and plugins are noted as files that are read."""
    path = join(directory, ".yarnrc.yml")
    if not view.has(path):
        return False
    text = view.text(path)
    settings.variables += re.findall(r"\$\{([A-Za-z_]\w*)", text)
    for name, value in parse_yaml(text, path).items():
        line = _line_of(text, str(name))
        if name == "yarnPath" and isinstance(value, str):
            settings.yarn_path = _own_program(view, directory, value, path, line)
        elif name == "plugins" and isinstance(value, list):
            for item in value:
                plugin = item.get("path") if isinstance(item, dict) else item
                if not isinstance(plugin, str) or plugin.startswith("/") or ".." in plugin:
                    raise Obstacle("a plugin of yarn is not understood", path, line)
                if not re.search(
                    r"yarnpkg/|@yarnpkg/|/plugin-(workspace-tools|typescript|interactive-tools|version|stage|outdated|constraints|exec|prod-install|workspaces-foreach|docker-build|workspaces-focus)\.c?js",
                    f"{item}",
                ):
                    raise Obstacle(f"the plugin `{plugin}` may read other files", path, line)
                view.need(join(directory, plugin))
        elif name == "nodeLinker" and value in ("pnp", "node-modules", "pnpm"):
            settings.linker = str(value)
        elif name == "enableGlobalCache" and isinstance(value, bool):
            settings.global_cache = value
        elif name == "enableScripts" and isinstance(value, bool):
            # it is about the scripts of dependencies; those of workspaces always run
            continue
        elif name == "enableImmutableInstalls" and isinstance(value, bool):
            settings.frozen = value
        elif name == "nmMode" and value in ("classic", "hardlinks-local"):
            continue
        elif not is_harmless_for_berry(str(name)) or "FilePath" in repr(value):
            raise Obstacle(f"the setting `{name}` is not understood", path, line)
    return True


def read_pnpm_workspace(view: View, directory: str, settings: Settings) -> bool:
    """Read a pnpm-workspace.yaml if there is one; tell whether there is."""
    path = join(directory, "pnpm-workspace.yaml")
    if not view.has(path):
        return False
    text = view.text(path)
    settings.variables += re.findall(r"\$\{([A-Za-z_]\w*)", text)
    found = parse_yaml(text, path)
    for name, value in found.items():
        line = _line_of(text, str(name))
        kebab = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", str(name)).lower()
        if name == "packages" and isinstance(value, list) and all(isinstance(item, str) for item in value):
            settings.patterns = list(value)
        elif name == "patchedDependencies" and isinstance(value, dict):
            settings.patched += patches_of(value, path, line)
        elif name in ("ignoreScripts", "frozenLockfile", "lockfile") and isinstance(value, bool):
            if name == "ignoreScripts":
                settings.ignore_scripts = value
            elif name == "frozenLockfile":
                settings.frozen = value
            else:
                settings.lock = value
        elif name == "nodeLinker" and value in ("hoisted", "isolated"):
            continue
        elif name not in _PNPM_LISTS and kebab not in _HARMLESS:
            raise Obstacle(f"the setting `{name}` is not understood", path, line)
    for name, spec in _nested(found.get("overrides")):
        if re.match(r"(file|link|portal):", spec):
            raise Obstacle(f"the override of `{name}` leads into the project", path, _line_of(text, "overrides"))
    return True


def _nested(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str):
                yield str(name), inner


def patches_of(value: object, path: str, line: int = 0) -> list[str]:
    """Return the files that a `patchedDependencies` names."""
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise Obstacle("`patchedDependencies` is not understood", path, line)
    return [str(item) for item in value.values()]


def read_bunfig(view: View, directory: str, settings: Settings) -> None:
    """Read a bunfig.toml if there is one: of `[install]` only settings that name no files are let through."""
    import tomllib

    path = join(directory, "bunfig.toml")
    if not view.has(path):
        return
    text = view.text(path)
    settings.variables += re.findall(r"\$\{?([A-Za-z_]\w*)", text)
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Obstacle(f"`bunfig.toml` is no TOML: {error}", path) from error
    install = found.get("install", {})
    if not isinstance(install, dict):
        raise Obstacle("`install` of `bunfig.toml` is not understood", path)
    for name, value in install.items():
        if name == "frozenLockfile" and isinstance(value, bool):
            settings.frozen = value
        elif name == "ignoreScripts" and isinstance(value, bool):
            settings.ignore_scripts = value
        elif name not in ("registry", "scopes", "exact", "production", "optional", "dev", "peer", "auto", "logLevel",
                          "concurrentScripts", "linkWorkspacePackages", "minimumReleaseAge", "minimumReleaseAgeExcludes"):  # fmt: skip
            raise Obstacle(f"the setting `install.{name}` is not understood", path, _line_of(text, str(name)))


def _line_of(text: str, name: str) -> int:
    found = re.search(rf"^\s*[\"']?{re.escape(name)}\b", text, re.MULTILINE)
    return 0 if found is None else text.count("\n", 0, found.start()) + (found.group().count("\n")) + 1


def is_harmless(name: str) -> bool:
    """Tell whether a setting of npm changes neither places nor which files of a project are read."""
    return (
        name.replace("_", "-") in _HARMLESS - {"ignore-scripts", "package-lock", "frozen-lockfile"}
        or re.fullmatch(r"@[^:/]+:registry|//.*:_auth(Token)?|_auth", name) is not None
        or _MIRROR.fullmatch(name) is not None
    )


def is_harmless_for_berry(name: str) -> bool:
    """Tell whether a setting of yarn 2 and later changes neither places nor which files of a project are read."""
    return name in _BERRY and not name.endswith("FilePath")


def read_all(view: View, directory: str | None) -> None:
    """Read the settings files of npm and yarn in a directory. Raises `Obstacle` if one of them is not understood."""
    if directory is None:
        raise Obstacle("its working directory is not known before the build")
    found = Settings()
    read_npmrc(view, directory, found)
    read_yarnrc(view, directory, found)
    read_berry(view, directory, found)
