"""Command models of Composer, and of the scripts by which the php image builds extensions.

`composer install` reads composer.json, composer.lock, auth.json, and what of the project its autoloader lists (`project.py`); it makes
the vendor directory. All other subcommands are unknown: `composer dump-autoload` reads classes, `composer require` changes the manifest.
"""

from __future__ import annotations

import re

from dockopt.optimizer.commands.packages import VARIABLES as PACKAGE_VARIABLES
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.php.calls import call_of, is_installation, words_of
from dockopt.optimizer.ecosystems.php.project import Project, project_of
from dockopt.optimizer.ecosystems.view import Obstacle, View, sources_of
from dockopt.optimizer.effects import Effects, Kind, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join

EXTENSION_SCRIPTS = (
    "extension-scripts: the scripts of the php image that build extensions leave alone what the Dockerfile copies from the context, "
    "and heed only variables that PHP's and C's build tools document"
)
#: variables of Composer (getcomposer.org, "Command-line interface"), PHP, git, ssh and curl
VARIABLES = (
    "COMPOSER*", "PHP*", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLUMNS", "NO_COLOR", "CI", "LANG", "LANGUAGE", "LC_*",
    "TZ", "TMPDIR", "TMP", "TEMP", "XDG_*", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY",
    "NO_PROXY", "ALL_PROXY", "CGI_*", "SSL_*", "CURL_*", "GIT_*", "SSH_*", "HG*", "SVN*", "APP_ENV", "SYMFONY_*",
    "SHELL_VERBOSITY", "XDEBUG_*", "APPDATA", "OPENSSL_*",
)  # fmt: skip
_BUILD_VARIABLES = (
    *PACKAGE_VARIABLES, "PHP*", "CC", "CXX", "CPP", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LIBS", "PKG_CONFIG*", "MAKE*",
    "EXTENSION*", "IPE_*", "CPATH", "LIBRARY_PATH", "C_INCLUDE_PATH", "APACHE_*",
)  # fmt: skip


def composer(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one command of Composer."""
    view = View(around)
    try:
        if is_installation(invocation.argv):
            return _installation(project_of(call_of(invocation.argv), view), around)
    except Obstacle as obstacle:
        return unknown(obstacle.reason, view.lacks(obstacle))
    found = words_of(invocation.argv)
    if found is not None and found[1] in (["--version"], ["-V"]):
        return Effects(reads=EVERYTHING, writes=(), world=World.NONE)
    return unknown("no model of this subcommand")


def php(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of `php composer.phar …`; every other script may do anything."""
    if words_of(invocation.argv) is not None:
        return composer(invocation, around)
    return unknown("it runs code of the project")


def homes(around: Surroundings) -> tuple[str, ...]:
    """Return the directories in which Composer keeps settings and downloads. Raises `Obstacle` where they lie in the project."""
    known, home = around.variable("HOME")
    if not known and "HOME" in around.assigned():
        raise Obstacle("`HOME` is not known before the build")
    places = {
        "/tmp",
        *((join("/", home),) if home else ("/root", "/home") if around.user not in ("root", "0") else ("/root",)),
    }
    for name in ("COMPOSER_HOME", "COMPOSER_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        value = around.variable(name)[1]
        if value:
            places.add(join("/", value))
    if any(below(place, root) for place in places for root in around.project_roots):
        raise Obstacle("its cache and settings lie in the project")
    return tuple(sorted(places))


def _installation(project: Project, around: Surroundings) -> Effects:
    places = homes(around)
    roots = sources_of(around, project.directory, places)
    inner = [root for root in roots if any(below(root, place) for place in places)]
    writes = [Write(Kind.TREE, Region((project.vendor,)))]
    writes += [Write(Kind.NEW, Region((path,))) for path in project.made]
    writes.append(Write(Kind.MAY, Region(places).minus(*inner)))
    return Effects(
        reads=EVERYTHING.minus(*roots),
        probes=(*project.files, *project.absent, *project.histories, *project.made),
        trees=(*project.trees, project.vendor),
        variables=VARIABLES,
        writes=tuple(writes),
        world=project.world,
        relied_on=tuple(p for path in project.relied_on if (p := around.context_path(path)) is not None),
        assumptions=project.assumptions,
    )


#: operands of the scripts of the image: names of extensions, and options of `configure`
_EXTENSION = re.compile(r"[A-Za-z0-9_.+@^-]+|--[a-z][\w-]*(=[\w./:,+-]*)?")


#: where extensions, the packages that they are built with, and settings of PHP and Apache go
_SYSTEM = (
    "/bin", "/etc", "/lib", "/lib64", "/opt", "/root", "/run", "/sbin", "/tmp", "/usr", "/var/cache", "/var/lib", "/var/log",
    "/var/tmp",
)  # fmt: skip


def extensions(invocation: Invocation, around: Surroundings) -> Effects:
    """Model docker-php-ext-install and its kin, install-php-extensions, `pecl install` and Apache's a2enmod (docker-library/php)."""
    for word, raw in zip(invocation.argv[1:], invocation.raw[1:], strict=True):
        if word is None and not re.fullmatch(r"(-j|--jobs=?)?\"?\$\(nproc\)\"?|-j\"?\$\{?\w+\}?\"?", raw):
            return unknown(f"`{raw}` is not known before the build")
        if word is not None and not _EXTENSION.fullmatch(word):
            return unknown(f"`{word}` may be a file")
    if invocation.name == "pecl" and invocation.argv[1:2] != ("install",):
        return unknown("no model of this subcommand")
    roots = sources_of(around, around.cwd or "/", ("/root", "/home"))
    program = invocation.argv[0] or ""
    if around.context_path(join("/usr/local/bin", invocation.name)) is not None or "/" in program:
        return unknown("it may come from the build context")
    plain = invocation.name in (
        "docker-php-ext-enable",
        "docker-php-ext-configure",
        "a2enmod",
        "a2dismod",
        "a2enconf",
        "a2ensite",
        "a2dissite",
    )
    return Effects(
        reads=EVERYTHING.minus(*roots),
        variables=_BUILD_VARIABLES,
        writes=tuple(Write(Kind.MAY, Region((tree,)).minus(*(r for r in roots if below(r, tree)))) for tree in _SYSTEM),
        world=World.NONE if plain else World.REPOSITORY,
        assumptions=(EXTENSION_SCRIPTS,),
    )
