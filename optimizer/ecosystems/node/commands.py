"""Command models of npm.

`npm ci` removes node_modules and installs what the lock file says (npm-ci(1)); of the project it reads package.json,
package-lock.json (or npm-shrinkwrap.json) and .npmrc, and whatever the lifecycle scripts of the root package read.
"""

from __future__ import annotations

from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.node.project import Obstacle, Project, project_at
from dockopt.optimizer.effects import Effects, Kind, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join

_VARIABLES = (
    "npm_*",
    "NPM_*",
    "NODE_*",
    "HOME",
    "CI",
    "PREFIX",
    "SSL_*",
    "http*_proxy",
    "HTTP*",
    "NO_PROXY",
    "no_proxy",
)


def npm(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one `npm` command."""
    if invocation.argv[1:] != ("ci",):
        return unknown("no model of this subcommand")
    found = project_at(around)
    if isinstance(found, Obstacle):
        return unknown(found.reason)
    return _installation(found, around)


def _installation(project: Project, around: Surroundings) -> Effects:
    roots = [root for root in around.project_roots if below(project.directory, root)]
    root = min(roots, key=len, default=project.directory)
    if root == "/":
        return unknown("the package lies in `/`, together with the system")
    modules = join(project.directory, "node_modules")
    home = around.variable("HOME")[1] or ("/root" if around.user == "root" else None)
    if home is None or below(home, root):
        return unknown("where npm keeps its cache is not known")
    cache = join(home, ".npm")
    return Effects(
        reads=EVERYTHING.minus(root),
        probes=(*project.files, *project.absent),
        variables=_VARIABLES,
        writes=(Write(Kind.KILL, Region((modules,))), Write(Kind.TREE, Region((modules,)))),
        caches=(cache,),
        world=World.LOCKED,
        relied_on=tuple(p for path in project.files if (p := around.context_path(path)) is not None),
    )
