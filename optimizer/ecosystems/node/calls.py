"""The command lines of package managers that install a project: options that are understood, and what they change.

Sources: npm's config(7) and npm-ci(1), npm-install(1); `yarn help install` of yarn 1; yarnpkg.com/cli/install; pnpm.io/cli/install;
bun.com/docs/cli/install.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

_NPM_CI = frozenset({"ci", "clean-install", "ic", "install-clean", "isntall-clean"})
_NPM_INSTALL = frozenset(
    {"install", "i", "in", "ins", "inst", "insta", "instal", "isnt", "isnta", "isntal", "isntall", "add"}
)
MANAGERS = ("npm", "yarn", "pnpm", "bun")


@dataclass(frozen=True, slots=True)
class Call:
    """One installation of a project."""

    manager: str  #: npm, yarn, pnpm or bun
    action: str  #: "ci" (npm), "install", "fetch" (pnpm), "global"
    #: directory that an option names (`--prefix`, `--cwd`, `--dir`), "" for the working directory
    directory: str = ""
    #: the lock file is never written; None: as settings and environment say
    frozen: bool | None = None
    #: frozen by `--immutable`, which yarn 1 does not know
    immutable: bool = False
    ignore_scripts: bool = False
    #: False: no lock file is read or written
    lock: bool = True
    #: `corepack pnpm install`
    corepack: bool = False


#: options without influence on the files of the project that are read; those that may take their value as the next word end with `=`
_SHARED = (
    "silent quiet verbose debug loglevel= registry= prefer-offline offline force frozen-lockfile no-frozen-lockfile ignore-scripts "
    "production prod dev no-optional optional color no-color reporter= network-timeout= network-concurrency= progress no-progress"
)
_OPTIONS = {
    "npm": _SHARED + " also= arch= audit before= build-from-source cache-min= cache= cpu= engine-strict fetch-retries= "
    "fetch-retry-maxtimeout= fetch-retry-mintimeout= fetch-timeout= foreground-scripts fund include= legacy-peer-deps libc= "
    "maxsockets= min-release-age= no-audit no-bin-links no-engine-strict no-fund no-legacy-peer-deps "
    "no-package-lock no-production no-save no-shrinkwrap no-strict-ssl no-update-notifier "
    "omit-lockfile-registry-resolved omit= only= os= package-lock platform= prefer-dedupe prefix= python= save save-exact "
    "strict-peer-deps strict-ssl timing unsafe-perm update-notifier yes",
    "yarn": _SHARED
    + " audit cache-folder= check-cache check-files cwd= emoji ignore-engines ignore-optional ignore-platform "
    "immutable immutable-cache inline-builds json link-duplicates mode= network-concurrency= no-audit "
    "no-bin-links no-default-rc no-emoji no-immutable no-lockfile non-interactive pure-lockfile refresh-lockfile "
    "skip-integrity-check update-checksums verbose",
    "pnpm": _SHARED
    + " C= D F= P aggregate-output child-concurrency= config.auto-install-peers config.dangerouslyAllowAllBuilds "
    "dir= engine-strict fetch-retries= fetch-timeout= filter-prod= filter= hoist hoist-pattern= ignore-pnpmfile "
    "ignore-workspace-root-check no-hoist no-lockfile no-prefer-frozen-lockfile no-side-effects-cache "
    "no-strict-dep-builds no-strict-peer-dependencies no-verify-store-integrity node-linker= package-import-method= "
    "prefer-frozen-lockfile public-hoist-pattern= r recursive shamefully-hoist side-effects-cache store-dir= stream "
    "strict-peer-dependencies trust-lockfile unsafe-perm use-store-server w workspace-concurrency= workspace-root",
    "bun": _SHARED
    + " backend= concurrent-scripts= cwd= filter= ignore-scripts linker= network-concurrency= no-cache no-production "
    "no-progress no-save no-summary no-verify omit= p save-text-lockfile trust",
}
_SHORT = {
    "npm": {
        "f": "force", "s": "silent", "q": "quiet", "d": "verbose", "dd": "verbose", "ddd": "verbose", "C": "prefix=", "S": "save",
        "D": "dev", "P": "prod", "E": "save-exact", "y": "yes",
    },
    "yarn": {"s": "silent", "D": "dev"},
    "pnpm": {"s": "silent", "F": "filter=", "C": "dir=", "r": "recursive", "w": "workspace-root", "P": "prod", "D": "dev"},
    "bun": {"p": "production", "f": "force", "y": "save"},
}  # fmt: skip
_GLOBAL = frozenset({"g", "global", "location"})
#: a package of the registry with a version, range or tag (npm-package-arg), no file, archive or repository
_REGISTRY_PACKAGE = re.compile(r"(@[a-z0-9~_-][\w.~-]*/)?[A-Za-z0-9~_-][\w.~-]*(@[\w.^~<>=*+ |-]+)?")


def call_of(argv: Sequence[str | None]) -> Call | str | None:
    """Return the installation that a command is; None for another command, a str says why its arguments are not understood."""
    corepack = argv[:1] == ("corepack",) and len(argv) > 1 and argv[1] in ("yarn", "pnpm", "npm")
    words = list(argv[1:] if corepack else argv)
    manager = words[0] if words else None
    if manager not in MANAGERS:
        return None
    rest = words[1:]
    leading: list[str | None] = []
    # options of the program itself may stand before the subcommand; a value may be the next word
    while rest and rest[0] is not None and rest[0].startswith("-"):
        leading.append(rest.pop(0))
        name = (leading[-1] or "").lstrip("-")
        if rest and "=" not in name and _takes_value(manager, leading[-1] or "") and rest[0] is not None:
            leading.append(rest.pop(0))
    subcommand = rest.pop(0) if rest else ""
    if subcommand is None:
        return None
    action = _action(manager, subcommand)
    if action is None:
        return None
    return _options(manager, action, [*leading, *rest], corepack=corepack)


def _action(manager: str, subcommand: str) -> str | None:
    if manager == "npm":
        return "ci" if subcommand in _NPM_CI else "install" if subcommand in _NPM_INSTALL else None
    if manager == "pnpm" and subcommand == "fetch":
        return "fetch"
    if manager == "yarn" and subcommand in ("", "install"):
        return "install"
    if manager in ("yarn", "pnpm", "bun") and subcommand == "global" and manager == "yarn":
        return "global"
    if manager == "bun" and subcommand == "ci":
        return "install"
    installs = ("install", "i", "add", "a") if manager != "yarn" else ("add",)
    return "install" if subcommand in installs else None


def _takes_value(manager: str, option: str) -> bool:
    known = set(_OPTIONS[manager].split())
    name = option.lstrip("-")
    if not option.startswith("--"):
        name = _SHORT[manager].get(name, name).rstrip("=")
    return f"{name}=" in known


def _options(manager: str, action: str, words: list[str | None], *, corepack: bool) -> Call | str:
    known = set(_OPTIONS[manager].split())
    call = Call(manager, action, corepack=corepack)
    operands: list[str] = []
    is_global = action == "global"
    while words:
        word = words.pop(0)
        if word is None:
            return "a word of it is not known before the build"
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("--"):
            name = _SHORT[manager].get(name, name).rstrip("=")
        if manager != "yarn" and name in _GLOBAL and value in ("", "true", "global"):
            is_global = True
            continue
        if f"{name}=" in known:
            if not equals:
                following = words.pop(0) if words else None
                if following is None:
                    return f"the value of `{word}` is not known before the build"
                value = following
        elif name not in known or (equals and value not in ("true", "false")):
            return f"the option `{word}` is not modelled"
        changed = _changed(call, name, value)
        if changed is None:
            return f"the option `{word}` is not modelled"
        call = changed
    if manager == "yarn" and action == "global" and operands[:1] != ["add"]:
        return "no model of this subcommand"
    if is_global:
        packages = operands[1:] if manager == "yarn" else operands
        odd = next((word for word in packages if not _REGISTRY_PACKAGE.fullmatch(word)), None)
        if odd is not None or not packages:
            return f"it installs `{odd or 'the project'}` globally"
        return replace(call, action="global")
    if operands or (manager == "yarn" and action != "install"):
        return f"it adds `{operands[0]}` to the project" if operands else "it adds packages to the project"
    return replace(call, frozen=True) if action == "ci" else call


def _changed(call: Call, name: str, value: str) -> Call | None:
    """Return a call as one option changes it, None for a value that is not modelled."""
    on = value != "false"
    if name in ("prefix", "cwd", "dir"):
        return replace(call, directory=value)
    if name in ("frozen-lockfile", "immutable", "pure-lockfile"):
        # npm does not know these options, and pays no attention
        return call if call.manager == "npm" else replace(call, frozen=on, immutable=name == "immutable")
    if name in ("no-frozen-lockfile", "no-immutable"):
        return replace(call, frozen=False)
    if name == "no-save" and call.manager in ("npm", "bun"):
        return replace(call, frozen=True)
    if name == "ignore-scripts":
        return replace(call, ignore_scripts=on)
    if name in ("no-package-lock", "no-lockfile", "no-shrinkwrap") or (name == "package-lock" and not on):
        return replace(call, lock=False)
    if name == "node-linker" and value not in ("hoisted", "isolated"):
        return None
    if name == "mode" and value not in ("skip-build",):
        return None
    if name in ("cache", "cache-folder", "store-dir") and not value.startswith("/"):
        return None
    return call
