"""Variables that an installation heeds: what they change about it, and which of them lead it to files that nothing else names.

npm takes `npm_config_x` for its setting `x`, whatever the case of the letters (@npmcli/config, loadEnv), and pnpm and yarn 1 do the
same; yarn 1 and later versions take `YARN_X` (yarnpkg.com/configuration/yarnrc, "Environment variables").
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace

from dockopt.optimizer.commands.arguments import searched_directories
from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.environment import named_in_project
from dockopt.optimizer.ecosystems.node import settings
from dockopt.optimizer.ecosystems.node.calls import Call
from dockopt.optimizer.ecosystems.view import Obstacle
from dockopt.optimizer.regions import below, join

#: variables that npm, yarn, pnpm, bun, Corepack, node-gyp, git and the install scripts of widespread packages document
VARIABLES = (
    "npm_*", "NPM_*", "NODE_*", "YARN_*", "PNPM_*", "BUN_*", "COREPACK_*", "HOME", "USER", "LOGNAME", "SHELL", "CI",
    "PREFIX", "XDG_*", "TMPDIR", "TMP", "TEMP", "SSL_*", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY",
    "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "GIT_*", "SSH_*", "PYTHON*", "CC", "CXX", "CPP*", "CFLAGS", "CXXFLAGS",
    "LDFLAGS", "MAKE*", "JOBS", "PKG_CONFIG*", "GYP_*", "V8_*", "TERM", "LANG", "LC_*", "TZ", "DEBUG", "VERBOSE", "HUSKY*",
    "PRISMA_*", "CYPRESS_*", "PUPPETEER_*", "PLAYWRIGHT_*", "ELECTRON_*", "SENTRYCLI_*", "SENTRY_*", "SHARP_*", "SASS_*",
    "ESBUILD_*", "FORCE_*", "SKIP_*", "NX_*", "NGCC_*", "NG_CLI_*", "GH_*", "GITHUB_*", "OPENSSL_*", "CHROMEDRIVER_*",
    "GECKODRIVER_*", "SWC_*", "NAPI_*", "PREBUILD_*", "FFMPEG_*", "LEFTHOOK*", "SIMPLE_GIT_HOOKS*", "DISABLE_*", "ADBLOCK",
    "OPENCOLLECTIVE_*", "VCPKG_*", "CMAKE_*", "CARGO_*", "RUST*", "GRPC_*", "BINARY_*", "BUILD_FROM_SOURCE", "SUPABASE_*",
    "FIREBASE_*", "MONGOMS_*", "WORKERD_*", "DEPLOYMENT_*",
)  # fmt: skip
#: variables that name places for what is kept in the home directory otherwise
PLACES = (
    "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "npm_config_cache", "NPM_CONFIG_CACHE",
    "YARN_CACHE_FOLDER", "YARN_GLOBAL_FOLDER", "PNPM_HOME", "npm_config_store_dir", "NPM_CONFIG_STORE_DIR", "COREPACK_HOME",
    "BUN_INSTALL", "BUN_INSTALL_CACHE_DIR", "PUPPETEER_CACHE_DIR", "PLAYWRIGHT_BROWSERS_PATH", "CYPRESS_CACHE_FOLDER",
)  # fmt: skip
#: settings that say for which machine install scripts build: words without a place, so their value alone matters
_TARGETS = frozenset(
    "arch build-from-source fallback-to-build jobs libc platform runtime spin target target-arch target-libc target-platform".split()
)
#: settings of npm that name programs or places outside the project
_OUTSIDE = frozenset("cache cafile devdir nodedir prefix python store-dir tmp user userconfig".split())
#: `YARN_X` that are no settings of yarn 2 and later, or are followed here
_OF_YARN = frozenset(
    "cacheFolder enableGlobalCache enableImmutableInstalls enableScripts frozenLockfile globalFolder ignoreScripts nonInteractive "
    "production pureLockfile registry silent version".split()
)
_LOADING = re.compile(
    r"(^|\s)(-r|--(require|import|loader|experimental-loader|env-file|openssl-config|icu-data-dir|snapshot-blob|"
    r"experimental-(default-)?config-file|experimental-policy))\b"
)


def with_environment(call: Call, around: Surroundings, found: settings.Settings) -> Call:
    """Return the call as variables change it. Raises `Obstacle` for variables that may steer it elsewhere."""
    named = named_in_project(around, VARIABLES, ("HOME", *PLACES))
    if named is not None:
        raise Obstacle(f"the variable `{named[0]}` leads it to `{named[1]}`, among the files of the project", named[1])
    _own_programs(call, around)
    options = around.assigned().get("NODE_OPTIONS", "")
    if options is None:
        raise Obstacle("NODE_OPTIONS is not known before the build, and may let every program load a file")
    if _LOADING.search(options):
        raise Obstacle("NODE_OPTIONS lets every program load a file")
    if around.assigned().get("COREPACK_ENV_FILE", "0") != "0":
        raise Obstacle("the variable `COREPACK_ENV_FILE` names a file of settings")
    for variable, value in sorted(around.assigned().items()):
        prefix, _, name = variable.lower().partition("_")
        if value == "":
            continue  # npm and yarn pay no attention to them
        if prefix in ("npm", "pnpm") and name.startswith("config_"):
            call = _npm(call, variable, name.removeprefix("config_").replace("_", "-"), value)
        elif prefix == "yarn" and call.manager == "yarn":
            call = _yarn(call, variable, re.sub(r"_(\w)", lambda part: part[1].upper(), name), value, found)
    if not found.lock and call.action != "ci":
        call = replace(call, lock=False)
    if call.frozen is None:
        known, ci = around.variable("CI")
        # pnpm and yarn 2 and later do not write lock files where CI is set
        automatic = call.manager == "pnpm" and known and ci not in (None, "", "false", "0")
        call = replace(call, frozen=True if found.frozen or automatic else None)
    return call


def _own_programs(call: Call, around: Surroundings) -> None:
    """Refuse a package manager, or a Node for it, that PATH finds among the files of the project."""
    for entry in searched_directories(around):
        directory = join(around.cwd or "/", entry)
        if posixpath.basename(posixpath.dirname(directory)) == "node_modules":
            continue  # it is made by the installation
        for program in (call.manager, "node", "npm", "corepack"):
            path = join(directory, program)
            if any(below(directory, root) for root in around.project_roots) and around.kind(path) != "absent":
                raise Obstacle(f"PATH may lead to `{path}` in the project", path)


def _npm(call: Call, variable: str, setting: str, value: str | None) -> Call:
    if setting == "ignore-scripts":
        # where that is not known, what the scripts read counts
        return replace(call, ignore_scripts=True) if value == "true" else call
    if setting == "package-lock" and value is not None:
        return replace(call, lock=False) if value == "false" else call
    if setting == "frozen-lockfile" and call.manager != "npm" and call.frozen is None:
        return replace(call, frozen=True) if value == "true" else call
    if setting in _TARGETS:
        return call
    if setting in _OUTSIDE and value is not None and (setting not in ("prefix", "userconfig") or value.startswith("/")):
        return call
    if setting == "package-lock" or not settings.is_harmless(setting):
        raise Obstacle(f"the variable `{variable}` makes it work in another way")
    return call


def _yarn(call: Call, variable: str, setting: str, value: str | None, found: settings.Settings) -> Call:
    if setting == "enableGlobalCache" and value in ("true", "false", "1", "0"):
        found.global_cache = value in ("true", "1")
    elif setting == "enableImmutableInstalls" and value in ("true", "false", "1", "0"):
        found.frozen = value in ("true", "1")
    elif setting == "ignoreScripts":
        return replace(call, ignore_scripts=True) if value in ("true", "1") else call
    elif setting.startswith("enable") and setting in _OF_YARN and value is None and setting != "enableScripts":
        raise Obstacle(f"the variable `{variable}` is not known before the build")
    elif setting not in _OF_YARN and not settings.is_harmless_for_berry(setting):
        raise Obstacle(f"the variable `{variable}` may make it work in another way")
    return call
