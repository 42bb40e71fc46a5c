"""Command models of Bundler and RubyGems.

`bundle install` reads the Gemfile with what that reads, the lock file, settings and local gems (`project.py`); it installs where
RubyGems does, or where the setting `path` says. `bundle config` changes a file of settings. All other subcommands are unknown:
`bundle exec` runs a program of the project.
"""

from __future__ import annotations

from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.ruby.calls import call_of, is_installation, words_of
from dockopt.optimizer.ecosystems.ruby.project import GEM_BUILDS, Project, find_gemfile, project_of
from dockopt.optimizer.ecosystems.ruby.settings import BUNDLER_SETTINGS, app_config, change_of
from dockopt.optimizer.ecosystems.view import FRESH_PROJECT, Obstacle, View, sources_of
from dockopt.optimizer.effects import Effects, Kind, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join

#: variables of Bundler, RubyGems, Ruby (ruby(1), mkmf.rb) and of what extensions of gems are built with, git's and ssh's
VARIABLES = (
    "BUNDLE_*", "BUNDLER_*", "GEM_*", "GEMRC", "RUBY*", "RB_*", "RBENV_*", "ASDF_*", "RVM_*", "MISE_*", "rvm_*", "HOME", "USER",
    "LOGNAME", "SHELL", "TERM", "CI", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "TMP", "TEMP", "XDG_*", "SOURCE_DATE_EPOCH",
    "NO_COLOR", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
    "SSL_*", "NETRC", "GIT_*", "SSH_*", "CC", "CXX", "CPP", "AR", "LD", "RANLIB", "NM", "STRIP", "INSTALL", "CFLAGS",
    "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "DLDFLAGS", "LIBS", "ARCH_FLAG", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH",
    "LIBRARY_PATH", "PKG_CONFIG*", "MAKE", "MAKEFLAGS", "JOBS", "CMAKE*", "CARGO_*", "RUST*", "NOKOGIRI_*", "XMLRPC_*",
    "MYSQL_*", "PG_*", "PGSQL_*", "FREETDS_*", "GRPC_*", "SASS*", "LIBFFI_*", "ICU_*", "EXECJS_*", "BOOTSNAP_*",
    "FREEDESKTOP_*", "THRUSTER_*", "TAILWINDCSS_*", "MAGICK_*", "OPENSSL_*",
)  # fmt: skip
#: where RubyGems of the official image installs: GEM_HOME and the programs of default gems; gems build below /tmp
_OFFICIAL = ("/tmp", "/usr/local")


def bundle(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one command of Bundler."""
    view = View(around)
    try:
        if is_installation(invocation.argv):
            call = call_of(invocation.argv, invocation.raw)
            return _installation(project_of(call, view), around)
        return _other(invocation, around)
    except Obstacle as obstacle:
        return unknown(obstacle.reason, view.lacks(obstacle))


def sources(around: Surroundings, directory: str | None = None) -> tuple[str, ...]:
    """Return the directories that the Dockerfile fills from the context, for a project (that of the working directory)."""
    home = require_home_outside(around)
    return sources_of(around, directory or around.cwd or "/", (home,) if home else ("/root", "/home"))


def require_home_outside(around: Surroundings) -> str | None:
    """Return the home directory, None where it is not known. Raises `Obstacle` where it lies in the project."""
    known, home = around.variable("HOME")
    if not known and "HOME" in around.assigned():
        raise Obstacle("`HOME` is not known before the build")
    if not home:
        return "/root" if around.user in ("root", "0") else None
    if any(below(join("/", home), root) for root in around.project_roots):
        raise Obstacle("its cache and settings lie in the project, below the home directory")
    return join("/", home)


def _outside(around: Surroundings, place: str | None, directory: str | None = None) -> Region:
    """Return where gems are installed outside of the project."""
    home = require_home_outside(around)
    roots = sources(around, directory)
    if around.variable("GEM_HOME")[1] == "/usr/local/bundle" and home is not None:
        where = tuple(sorted({*_OFFICIAL, home, *((place,) if place else ())}))
        return Region(where).minus(*(root for root in roots if any(below(root, path) for path in where)))
    return EVERYTHING.minus(*roots)


def _installation(project: Project, around: Surroundings) -> Effects:
    writes = [Write(Kind.MAY, _outside(around, project.place, project.directory))]
    writes += [Write(Kind.TREE, Region((path,))) for path in project.outputs]
    writes += [Write(Kind.NEW, Region((path,))) for path in project.made]
    if project.rewritten is not None:
        writes.append(Write(Kind.MAY, Region((project.files[1] if len(project.files) > 1 else project.files[0],))))
    return Effects(
        reads=EVERYTHING.minus(*sources(around, project.directory)),
        probes=(*project.files, *project.absent, *project.made),
        trees=(*project.trees, *project.outputs),
        variables=(*VARIABLES, *project.variables),
        writes=tuple(writes),
        world=project.world,
        relied_on=tuple(p for path in project.relied_on if (p := around.context_path(path)) is not None),
        assumptions=project.assumptions,
    )


def _other(invocation: Invocation, around: Surroundings) -> Effects:
    words = words_of(invocation.argv)
    if words in (["--version"], ["-v"], ["version"]):
        return Effects(reads=EVERYTHING, writes=(), world=World.NONE)
    if words[:1] == ["config"]:
        return _config(invocation, around)
    return unknown("no model of this subcommand")


def _config(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `bundle config`: it changes the settings of the application or of the user (bundle-config(1))."""
    change = change_of(invocation.argv)
    if change is None:
        return Effects(reads=EVERYTHING, variables=VARIABLES, writes=(), world=World.NONE)
    scope, _, _ = change
    home = require_home_outside(around)
    view = View(around)
    probes: list[str] = []
    writes: list[Write] = []
    outside = {join(home or "/root", ".bundle"), *(() if home else ("/home",))}
    known, elsewhere = around.variable("BUNDLE_APP_CONFIG")
    if not known and "BUNDLE_APP_CONFIG" in around.assigned():
        raise Obstacle("`BUNDLE_APP_CONFIG` is not known before the build")
    if known and elsewhere and elsewhere.startswith("/"):
        outside.add(join("/", elsewhere))
    elif scope != "global":
        if around.cwd is None:
            raise Obstacle("its working directory is not known before the build")
        try:
            directory = find_gemfile(view, None).rpartition("/")[0] or "/"
        except Obstacle as obstacle:
            if obstacle.reason != "there is no Gemfile":
                raise
            directory = around.cwd
        path = app_config(view, directory)
        assert path is not None
        if around.context_path(path) is not None:
            raise Obstacle("it changes settings that come from the build context", path)
        probes = [*view.files, *view.absent, path]
        writes = [Write(Kind.NEW, Region((path,)))]
        if not known:
            outside.add("/usr/local/bundle")
    if any(below(path, root) for path in outside for root in around.project_roots):
        raise Obstacle("its settings lie in the project")
    inner = [root for root in around.project_roots if any(below(root, path) for path in outside)]
    writes.append(Write(Kind.MAY, Region(tuple(sorted(outside))).minus(*inner)))
    return Effects(
        reads=EVERYTHING.minus(*sources(around)),
        probes=tuple(dict.fromkeys(probes)),
        variables=VARIABLES,
        writes=tuple(writes),
        world=World.NONE,
        assumptions=(FRESH_PROJECT, BUNDLER_SETTINGS),
    )


def gem(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `gem install`, `gem update --system` and questions; files of gems that lie in the working directory are an obstacle."""
    words = list(invocation.argv[1:])
    if None in words:
        return unknown("a word of it is not known before the build")
    texts = [word for word in words if word is not None]
    if texts in (["--version"], ["-v"], ["env"], ["list"]):
        return Effects(reads=EVERYTHING, writes=(), world=World.NONE)
    try:
        return _gem_installation(texts, around)
    except Obstacle as obstacle:
        return unknown(obstacle.reason)


_GEM_SWITCHES = frozenset(
    "--no-document --no-doc --no-ri --no-rdoc -N --conservative --force -f --no-user-install --verbose -V --quiet -q --silent --system "
    "--remote -r --prerelease --pre --minimal-deps --no-suggestions --backtrace --default --no-wrappers".split()
)
_GEM_VALUED = frozenset("-v --version --source -s -P --trust-policy --platform".split())


def _gem_installation(texts: list[str], around: Surroundings) -> Effects:
    if texts[:1] not in (["install"], ["i"], ["update"]):
        raise Obstacle("no model of this subcommand")
    names, rest = [], texts[1:]
    while rest:
        word = rest.pop(0)
        name, equals, _ = word.partition("=")
        if word == "--":
            raise Obstacle("options of the build of an extension are not understood")
        if name in _GEM_VALUED:
            if not equals and rest:
                rest.pop(0)
        elif name.startswith("-") and name not in _GEM_SWITCHES:
            raise Obstacle(f"the option `{word}` of `gem` is not modelled")
        elif not name.startswith("-"):
            names.append(word)
    if texts[0] == "update" and "--system" not in texts:
        raise Obstacle("it updates all gems")
    if any("/" in name or name.endswith(".gem") for name in names):
        raise Obstacle("it installs a gem from a file")
    if not {"-r", "--remote"} & set(texts):
        _no_local_gems(around)
    return Effects(
        reads=EVERYTHING.minus(*sources(around)),
        variables=VARIABLES,
        writes=(Write(Kind.MAY, _outside(around, None)),),
        world=World.REPOSITORY,
        assumptions=(GEM_BUILDS, BUNDLER_SETTINGS),
    )


def _no_local_gems(around: Surroundings) -> None:
    """Make sure that the working directory has no gems: without `--remote` they count as well (gem help install)."""
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    if not any(below(around.cwd, root) for root in around.project_roots):
        return
    names = around.listing(around.cwd)
    if names is None or any(name.endswith(".gem") for name in names):
        raise Obstacle("a gem may lie in the working directory, and would be installed; `--remote` rules that out")
