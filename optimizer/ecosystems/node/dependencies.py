"""Install scripts of dependencies: those that are known to look at the project are followed or refused.

The others are packages of a registry; that their scripts leave the project alone is the printed assumption `dependency-scripts`.
"""

from __future__ import annotations

from collections.abc import Callable

from dockopt.optimizer.ecosystems.node import prisma
from dockopt.optimizer.ecosystems.node.packages import Package
from dockopt.optimizer.ecosystems.node.scripts import Reading, require_no_repository
from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.regions import join

DEPENDENCY_SCRIPTS = (
    "dependency-scripts: install scripts of packages from the registry read nothing of the project but its package.json and lock file, "
    "write to node_modules, /tmp and the usual hidden directories of the home directory only, "
    "and heed only the variables that their tools document"
)


def follow(view: View, packages: list[Package], names: frozenset[str], reading: Reading) -> None:
    """Look for packages whose install scripts read the project, among all that are installed. Raises `Obstacle`."""
    view.assume(DEPENDENCY_SCRIPTS)
    direct = {name for package in packages for name in package.dependencies}
    for name in sorted((names | direct) & _READERS.keys()):
        for package in packages:
            _READERS[name](view, package, reading)


def _prisma_client(view: View, package: Package, reading: Reading) -> None:
    """@prisma/client generates the client in its postinstall, from the schema of the project (scripts/postinstall.js)."""
    prisma.generate(view, package, [], reading.trees, asked=False)


def _git_hooks(name: str) -> Callable[[View, Package, Reading], None]:
    def follow_hooks(view: View, package: Package, _reading: Reading) -> None:
        require_no_repository(view, package.directory, f"the install script of `{name}`")

    return follow_hooks


def _settings(name: str, *files: str, key: str = "") -> Callable[[View, Package, Reading], None]:
    """Return the reader of a package whose script looks for settings of its own; if there are any they are not followed."""

    def follow_settings(view: View, package: Package, _reading: Reading) -> None:
        if key and key in package.raw:
            raise Obstacle(
                f"the install script of `{name}` reads `{key}` of `package.json` and may write files", package.path
            )
        for file in files:
            path = join(package.directory, file)
            view.require_absent(path, f"the install script of `{name}` reads `{path}`")

    return follow_settings


_PUPPETEER = (
    *(f".puppeteerrc{end}" for end in ("", ".json", ".yaml", ".yml", ".js", ".cjs", ".mjs", ".ts")),
    *(f"puppeteer.config{end}" for end in (".js", ".cjs", ".mjs", ".ts")),
)
_GIT_HOOKS = (
    "husky", "simple-git-hooks", "lefthook", "@evilmartians/lefthook", "@arkweid/lefthook", "yorkie", "pre-commit", "pre-push",
    "ghooks", "git-hooks", "git-commit-msg-linter",
)  # fmt: skip

#: package → what its install script looks at (the scripts in the packages themselves)
_READERS: dict[str, Callable[[View, Package, Reading], None]] = {
    "@prisma/client": _prisma_client,
    **{name: _git_hooks(name) for name in _GIT_HOOKS},
    # nx computes the project graph of a workspace (bin/post-install.js); without nx.json it does nothing
    "nx": _settings("nx", "nx.json"),
    # msw copies its worker into the directories of `msw.workerDirectory` (config/scripts/postinstall.js)
    "msw": _settings("msw", key="msw"),
    # puppeteer looks for its settings from the working directory upwards (pptr.dev/guides/configuration)
    "puppeteer": _settings("puppeteer", *_PUPPETEER, key="puppeteer"),
    "@sentry/cli": _settings("@sentry/cli", ".sentryclirc"),
    "@ibm/telemetry-js": _settings("@ibm/telemetry-js", "telemetry.yml"),
}
