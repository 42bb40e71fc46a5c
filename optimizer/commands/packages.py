"""Package managers of distributions: apt-get, apt, apt-mark, dpkg, apk, dnf, yum, microdnf.

Where packages install. Debian Policy §9.1.1 binds packages to the FHS; §9.1.2 forbids files below /usr/local (empty
directories may be made there); apk and rpm packages follow the FHS too (Fedora Packaging Guidelines, "Filesystem
Layout"). So installing reads and writes the FHS trees of `TREES` and no other top-level directory: `/app` is out of
reach. /var is in reach as a whole (postinst scripts of web servers write /var/www/html), and so are /home, /opt, /root
and /srv (accounts, vendors' packages, ftp servers). Left out:

- where cargo keeps downloads in the official image and in root's home (§9.1.2; a user's directory of the FHS);
- /usr/src, unless a package is named like sources or headers of a kernel or a library (`linux-headers-*`, `*-dkms`,
  `*-source`, `libgtest-dev`, `kernel-devel`), and /usr/local/src;
- a directory that the Dockerfile fills itself strictly below /home, /media, /mnt, /opt, /root, /srv, or below a directory of
  /usr/local that the FHS does not name.

Which variables matter. Maintainer scripts run as root with the whole environment. By convention they ask debconf
(DEBIAN_FRONTEND, DEBCONF_*; debconf(7)), the locale, TZ, HOME, PATH, TERM and proxies; helpers in Python, Perl and Java
run from them, and vendors' packages ask ACCEPT_EULA. An ARG VERSION is none of these. Both claims are one printed
assumption, `package-scripts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dockopt.optimizer.commands.arguments import QUOTED, Arguments, NotUnderstood, Reads, modelled, parse, program
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.effects import Effects, Kind, World, Write
from dockopt.optimizer.regions import Region, below, join, region

PACKAGE_SCRIPTS = (
    "package-scripts: packages come from repositories outside the image; their scripts, and the settings of the package "
    "manager, touch the system's directories only, none that the Dockerfile fills elsewhere, and heed only the "
    "variables that package tools document"
)
#: apt, dpkg, dnf and apk 3 write down in /var/log when they did what
LOG_DATES = "log-dates: the times that package managers write into /var/log do not matter"
#: the directories of FHS 3.0 chapters 3 to 5 in which packages install or their scripts work
TREES = (
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/media", "/mnt", "/opt", "/root",
    "/run", "/sbin", "/srv", "/tmp", "/usr", "/var",
)  # fmt: skip
_LOCAL = ("/home", "/media", "/mnt", "/opt", "/root", "/srv")
#: FHS 3.0 §4.9.2, and what Debian's postinst scripts make there
_USR_LOCAL = frozenset("bin etc games include lib lib32 lib64 libx32 libexec man sbin share src".split())
_DOWNLOADS_OF_CARGO = ("/root/.cargo/git", "/root/.cargo/registry", "/usr/local/cargo/git", "/usr/local/cargo/registry")
_SOURCE_PACKAGE = re.compile(
    r"linux-(headers|source|kbuild|lts|virt|image|generic)|kernel|dkms|-(source|src)\b|akms|gtest|gmock|googletest|"
    r"google-mock|debuginfo|debugsource|systemtap|bpfcc|virtualbox|nvidia|rust-src|\*"
)
VARIABLES = (
    "DEBIAN_*", "DEBCONF_*", "DPKG_*", "APT_*", "APK_*", "DNF_*", "YUM_*", "RPM_*", "UCF_*", "NEEDRESTART_*",
    "ACCEPT_EULA", "LANG", "LANGUAGE", "LC_*", "TZ", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TMP",
    "TEMP", "PAGER", "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY",
    "FTP_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_*", "CURL_*", "GNUPGHOME", "NETRC", "PYTHON*", "PERL*", "JAVA_*",
    "FIND_BLOCK_SIZE", "LIBGCRYPT_*", "SYSTEMD_*", "INITRD", "RUNLEVEL", "SUDO_*", "SOURCE_DATE_EPOCH", "XDG_*", "MAN*", "container",
)  # fmt: skip
#: variables that lead the interpreters of package scripts to other directories
_SEARCHED = ("PATH", "PYTHONPATH", "PYTHONHOME", "PERL5LIB", "PERLLIB", "LD_LIBRARY_PATH", "LD_PRELOAD")


def system_trees(around: Surroundings, packages: Iterable[str]) -> Region:
    """Return the region that installing these packages may read and write (see the text of this module)."""
    holes = {"/usr/local/src", *_DOWNLOADS_OF_CARGO}
    if not any(_SOURCE_PACKAGE.search(package) for package in packages):
        holes.add("/usr/src")
    for root in around.project_roots:
        own_local = below(root, "/usr/local") and root != "/usr/local" and root.split("/")[3] not in _USR_LOCAL
        if own_local or any(below(root, place) and root != place for place in _LOCAL):
            holes.add(root)
    searched: set[str] = set()
    for name in _SEARCHED:
        value = around.variable(name)[1] or ""
        searched.update(join(around.cwd or "/", entry) for entry in re.split(r"[: ]", value) if entry)
    kept = {hole for hole in holes if not any(below(entry, hole) or below(hole, entry) for entry in searched - {"/"})}
    outside = {entry for entry in searched if not any(below(entry, tree) for tree in TREES)}
    return Region(tuple(sorted({*TREES, *outside})), tuple(sorted(kept)))


def _package_command(
    around: Surroundings,
    packages: Sequence[str] = (),
    *,
    writes: Region | None = None,
    world: World = World.REPOSITORY,
    cache_names: dict[str, str] | None = None,
) -> Effects:
    """Return the effects of a package manager; without `writes` it installs or removes packages."""
    trees = system_trees(around, packages)
    where = writes or Region(tuple(tree for tree in trees.include if tree in TREES), trees.exclude)
    home = around.variable("HOME")[1]
    return Effects(
        reads=trees,
        # dpkg(1) and debconf.conf(5): settings of the user who calls them
        probes=tuple(join("/", f"{home}/{name}") for name in (".debconfrc", ".dpkg.cfg")) if home else (),
        variables=VARIABLES,
        writes=(Write(Kind.MAY, where),),
        world=world,
        assumptions=(PACKAGE_SCRIPTS, LOG_DATES) if world is World.NONE else (PACKAGE_SCRIPTS,),
        cache_names=cache_names or {},
    )


def _with_versions(invocation: Invocation) -> Invocation:
    """Return the command with `"name=$VERSION"` taken as that package in a version that only the build knows."""
    argv = list(invocation.argv)
    for i, raw in enumerate(invocation.raw):
        if argv[i] is not None or "$(" in raw:
            continue
        quoted = raw[1:-1] if QUOTED.fullmatch(raw) else None
        name, equals, _ = (quoted or raw).partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9+._:-]*", name):
            continue
        if quoted is None:
            raise NotUnderstood(f"`{raw}` may become several words; write it in double quotes")
        argv[i] = f"{name}=0"
    return Invocation(tuple(argv), invocation.raw, invocation.line)


def _command(arguments: Arguments) -> tuple[str, list[str]]:
    words = arguments.texts()
    if not words:
        raise NotUnderstood("it has no subcommand")
    return words[0], words[1:]


def _require_packages(names: Sequence[str], pattern: re.Pattern[str], files: tuple[str, ...]) -> None:
    for name in names:
        if name.endswith(files) or name.startswith(("/", "./", "../", "~")):
            raise NotUnderstood(f"`{name}` is a package of its own, whose scripts may do anything")
        if not pattern.fullmatch(name):
            raise NotUnderstood(f"`{name}` is not a plain package name")


# -- Debian ----------------------------------------------------------------------------------------------------------

_APT_CACHES = {"apt-archives": "/var/cache/apt", "apt-lists": "/var/lib/apt"}
_APT_SWITCHES = (
    "-y --yes --assume-yes -q -qq --quiet --no-install-recommends --install-recommends --no-install-suggests "
    "--install-suggests -f --fix-broken -m --fix-missing --ignore-missing --allow-downgrades --allow-unauthenticated "
    "--allow-insecure-repositories --allow-change-held-packages --allow-remove-essential --allow-releaseinfo-change "
    "--force-yes --reinstall --only-upgrade --no-upgrade -d --download-only -u --show-upgraded -V --verbose-versions "
    "--show-progress --no-show-progress --purge --auto-remove --autoremove --no-remove --no-auto-remove -s --simulate "
    "--with-new-pkgs --ignore-hold --no-allow-insecure-repositories"
)
#: apt.conf(5) settings that move no directory, name no file and start no program
_APT_SETTING = re.compile(
    r"(Acquire::(Retries|Check-Date|Check-Valid-Until|M(in|ax)-ValidTime|Max-FutureTime|ForceIPv[46]|ForceHash|By-Hash|"
    r"PDiffs|Queue-Mode|Languages|GzipIndexes|CompressionTypes::Order(::)?|Allow[\w-]+|IndexTargets::[\w:-]+::"
    r"DefaultEnabled|(https?|ftp)::(Proxy(::[\w.-]+)?|Timeout|Pipeline-Depth|No-Cache|No-Store|Max-Age|Dl-Limit|"
    r"AllowRedirect|User-Agent|Verify-(Peer|Host)))|APT::(Install-\w+|Get::[\w-]+|Sandbox::User|Acquire::[\w-]+|"
    r"Immediate-Configure|Keep-Downloaded-Packages|AutoRemove::[\w-]+)|Dpkg::(Use-Pty|Progress-Fancy|Lock::Timeout)|"
    r"Dpkg::Options::)=(--force-(confold|confdef|confnew|confmiss|unsafe-io|overwrite)|[\w.:/-]*)",
    re.IGNORECASE,
)
_APT_PACKAGE = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9+._*-]*[+-]?(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~*-]+|/[a-z][a-z0-9.-]*)?[\^]?"
)


@modelled
def apt(invocation: Invocation, around: Surroundings) -> Effects:
    """Model the subcommands of `apt-get` and `apt` that install, remove, update and clean."""
    arguments = parse(
        _with_versions(invocation),
        switches=_APT_SWITCHES,
        valued="-o --option",
        optional="--error-on",
        any_value="-t --target-release --default-release -a --host-architecture",
    )
    for setting in arguments.values("-o", "--option"):
        if not _APT_SETTING.fullmatch(setting):
            raise NotUnderstood(f"the setting `{setting}` is not modelled")
    subcommand, names = _command(arguments)
    if subcommand in (
        "install",
        "remove",
        "purge",
        "upgrade",
        "dist-upgrade",
        "full-upgrade",
        "autoremove",
        "auto-remove",
        "autopurge",
    ):
        _require_packages(names, _APT_PACKAGE, (".deb", ".changes", ".dsc"))
        offline = subcommand in ("remove", "purge", "autoremove", "auto-remove", "autopurge")
        world = World.NONE if offline else World.REPOSITORY
        return _package_command(around, names, world=world, cache_names=_APT_CACHES)
    if names:
        raise NotUnderstood(f"`{invocation.name} {subcommand}` with operands is not modelled")
    if subcommand == "update":
        # hooks of apt.conf.d run after it (docker-clean, appstream, command-not-found): they keep to /var
        return _package_command(around, writes=region("/tmp", "/var"), cache_names=_APT_CACHES)
    if subcommand in ("clean", "autoclean", "auto-clean", "distclean"):
        where = region("/var/cache/apt", "/var/lib/apt")
        return _package_command(around, writes=where, world=World.NONE, cache_names=_APT_CACHES)
    raise NotUnderstood(f"no model of `{invocation.name} {subcommand}`")


@modelled
def apt_mark(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `apt-mark`: it notes names in /var/lib (dpkg's selections for hold), and asks dpkg for the architecture."""
    subcommand, _ = _command(parse(invocation, switches="-q -qq -y"))
    settings = ("/etc/apt", "/etc/dpkg", "/usr/share/dpkg", *_dpkg_settings(around))
    reads = Reads(around).entry("/var/lib/apt", "/var/lib/dpkg", "/var/cache/apt", *settings)
    if subcommand in ("showmanual", "showauto", "showhold", "showinstall"):
        return program(invocation, around, reads, variables=VARIABLES)
    if subcommand not in ("manual", "auto", "hold", "unhold", "minimize-manual"):
        raise NotUnderstood(f"no model of `apt-mark {subcommand}`")
    where = region("/var/cache/apt", "/var/lib/apt", "/var/lib/dpkg")
    return program(invocation, around, reads, writes=[Write(Kind.MAY, where)], variables=VARIABLES)


def _dpkg_settings(around: Surroundings) -> list[str]:
    known, home = around.variable("HOME")
    if not (known and home):
        if around.user not in ("root", "0"):
            raise NotUnderstood("it reads `.dpkg.cfg` in a home directory that is not known before the build")
        home = "/root"
    path = join("/", f"{home}/.dpkg.cfg")
    if around.context_path(path) is not None:
        raise NotUnderstood(f"its settings `{path}` come from the build context")
    return [path]


@modelled
def dpkg(invocation: Invocation, around: Surroundings) -> Effects:
    """Model the questions to `dpkg`, and --add-architecture; packages given as files run scripts of their own."""
    arguments = parse(
        invocation,
        switches="--print-architecture --print-foreign-architectures --get-selections -l --list -s --status -L",
        valued="--add-architecture --remove-architecture",
    )
    arguments.texts()
    reads = Reads(around).entry("/etc/dpkg", "/var/lib/dpkg", "/usr/share/dpkg", *_dpkg_settings(around))
    changes = arguments.has("--add-architecture", "--remove-architecture")
    writes = [Write(Kind.MAY, region("/var/lib/dpkg"))] if changes else []
    return program(invocation, around, reads, writes=writes, variables=("DPKG_*", "HOME", "PAGER", "LESS*"))


# -- Alpine ----------------------------------------------------------------------------------------------------------

_APK_SWITCHES = (
    "--no-cache -q --quiet -v --verbose -U --update-cache --update -u --upgrade -l --latest --no-progress --progress "
    "-f --force --force-broken-world --force-overwrite --force-refresh --force-old-apk --no-scripts --no-network -s "
    "--simulate --clean-protected --no-commit-hooks -a --available --purge --rdepends -r --initramfs-diskless-boot "
    "--allow-untrusted --no-interactive --ignore"
)
_APK_PACKAGE = re.compile(r"!?[.A-Za-z0-9][A-Za-z0-9+._:-]*(@[\w-]+)?([<>=~]+[\w.+:~-]+)?(@[\w-]+)?")


@modelled
def apk(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `apk add`, `del`, `upgrade`, `update` and `cache clean`."""
    arguments = parse(
        _with_versions(invocation),
        switches=_APK_SWITCHES,
        valued="-X --repository",
        any_value="-t --virtual --cache-max-age --timeout",
    )
    for url in arguments.values("-X", "--repository"):
        if not re.match(r"(@[\w-]+ +)?https?://", url):
            raise NotUnderstood(f"the repository `{url}` may lie in the image")
    subcommand, names = _command(arguments)
    caches = {"apk": "/var/cache/apk"}
    if subcommand in ("add", "del", "upgrade", "fix"):
        _require_packages(names, _APK_PACKAGE, (".apk",))
        world = World.NONE if subcommand == "del" else World.REPOSITORY
        # Alpine's linux-headers are those of the C library, below /usr/include
        kernel = [name for name in names if name != "linux-headers"]
        return _package_command(around, kernel, world=world, cache_names=caches)
    where = region("/etc/apk", "/lib/apk", "/usr/lib/apk", "/var/cache/apk", "/var/lib/apk")
    if subcommand == "update" and not names:
        # the data base of what is installed is only locked (apk-tools src/app_update.c, src/database.c apk_db_open)
        return _package_command(around, writes=region("/etc/apk/cache", "/var/cache/apk"), cache_names=caches)
    if subcommand == "cache" and names == ["clean"]:
        return _package_command(around, writes=where, cache_names=caches)
    raise NotUnderstood(f"no model of `apk {subcommand}`")


# -- Red Hat ---------------------------------------------------------------------------------------------------------

_DNF_SWITCHES = (
    "-y --assumeyes -q --quiet -v --verbose --nodocs --nogpgcheck --best --nobest --allowerasing --skip-broken "
    "--refresh -C --cacheonly --noautoremove --security --bugfix --no-best --skip-unavailable"
)
#: dnf.conf(5) settings that move no directory and start no program
_DNF_SETTING = re.compile(
    r"(install_weak_deps|tsflags|keepcache|best|sslverify|timeout|retries|fastestmirror|max_parallel_downloads|"
    r"skip_missing_names_on_install|[\w-]+\.module_hotfixes|override_install_langs|deltarpm|zchunk|metadata_expire|"
    r"[\w*-]+\.skip_if_unavailable|multilib_policy|obsoletes|clean_requirements_on_remove)=[\w.,-]*"
)
_RPM_PACKAGE = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9+._:*~^-]*(/[a-z0-9-]+)?")
#: where Fedora keeps the data bases of rpm and dnf 5, and what dnf of a user other than root writes
_RPM_DATA = ("/usr/lib/sysimage", "/var/tmp")
_RPM_URL = re.compile(r"https?://\S+\.rpm")


@modelled
def dnf(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `dnf`, `yum` and `microdnf`: install and its kin, makecache, clean. A URL operand is FREE."""
    arguments = parse(
        invocation,
        switches=_DNF_SWITCHES,
        valued="--setopt",
        any_value="--enablerepo --disablerepo --repo --repoid --releasever --exclude -x --forcearch --disableplugin",
    )
    for setting in arguments.values("--setopt"):
        if not _DNF_SETTING.fullmatch(setting):
            raise NotUnderstood(f"the setting `{setting}` is not modelled")
    subcommand, names = _command(arguments)
    caches = {"dnf": "/var/cache/yum" if invocation.name == "yum" else "/var/cache/dnf"}
    where = region("/tmp", "/var/cache", "/var/lib/dnf", "/var/lib/rpm", "/var/lib/yum", "/var/log", *_RPM_DATA)
    if subcommand == "makecache" and not names:
        return _package_command(around, writes=where, cache_names=caches)
    if subcommand == "clean" and names in (["all"], ["metadata"], ["packages"], ["expire-cache"], ["dbcache"]):
        # of the other directories it takes locks, and gives them back (dnf 4 dnf/cli/commands/clean.py)
        cleaned = region("/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum", "/var/log")
        return _package_command(around, writes=cleaned, world=World.NONE, cache_names=caches)
    if subcommand == "module" and names and names[0] in ("enable", "disable", "reset", "install"):
        names = names[1:]
    elif subcommand not in (
        "install", "update", "upgrade", "reinstall", "downgrade", "remove", "erase", "autoremove", "groupinstall",
        "distro-sync", "upgrade-minimal", "update-minimal",
    ):  # fmt: skip
        raise NotUnderstood(f"no model of `{invocation.name} {subcommand}`")
    urls = [name for name in names if _RPM_URL.fullmatch(name)]
    _require_packages([name for name in names if name not in urls], _RPM_PACKAGE, (".rpm",))
    # removing asks no repository, but its time goes into dnf's history and rpm's data base
    world = World.FREE if urls else World.REPOSITORY
    return _package_command(around, names, world=world, cache_names=caches)
