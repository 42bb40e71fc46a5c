"""What is known of base images before the build: family, environment, working directory, standard directories.

Facts hold for every tag of an official image that has been published (Docker Official Images library, their Dockerfiles);
anything else is unknown, and whoever needs the fact has to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

_STANDARD = frozenset(
    "/ /bin /dev /etc /home /lib /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/bin /usr/lib /usr/local "
    "/usr/local/bin /usr/local/lib /usr/local/share /usr/sbin /usr/share /var".split()
)
#: directories that the official images leave empty, and the root, which holds nothing but standard directories
_COMPLETE = frozenset({"/", "/home", "/media", "/mnt", "/opt", "/srv", "/usr/src"})
#: what some releases have directly in such directories and others have not
UNCERTAIN = frozenset(
    "/boot /lib32 /lib64 /libx32 /lost+found /afs /data /local /__cacert_entrypoint.sh /docker-java-home /home/ubuntu "
    "/home/gradle".split()
)


#: programs by which cgo compiles C
C_COMPILERS = ("cc", "clang", "gcc")


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """Facts about one base image."""

    family: str  # "debian", "alpine", "scratch", …, "" when unknown
    #: variables whose value is known; names that are surely unset map to None
    environment: Mapping[str, str | None] = field(default_factory=dict)
    #: None: not known
    cwd: str | None = None
    user: str | None = None
    directories: frozenset[str] = frozenset({"/"})
    #: directories of which every entry is known (the standard ones): nothing else lies directly in them
    complete: frozenset[str] = frozenset()
    #: paths that surely do not exist
    absent: frozenset[str] = frozenset()
    #: no variable is set but those of `environment` and `versions`
    closed: bool = False
    #: variables that are set to something that differs from tag to tag
    versions: frozenset[str] = frozenset()


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GO_UNSET = (
    "GOMODCACHE",
    "GOCACHE",
    "GOFLAGS",
    "GOENV",
    "GOBIN",
    "GOWORK",
    "GOPROXY",
    "GOOS",
    "GOARCH",
    "GO111MODULE",
    "GOTMPDIR",
    "CC",
    "CXX",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "CGO_ENABLED",
)
#: options of the Java machine and of Maven, by which both could be led to other directories
_JAVA_UNSET = (
    "MAVEN_OPTS",
    "MAVEN_ARGS",
    "MAVEN_BASEDIR",
    "MAVEN_USER_HOME",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
)
_RUST_UNSET = (
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_INSTALL_ROOT",
    "CARGO_NET_OFFLINE",
    "RUSTUP_HOME",
)
_UNSET: dict[str, str | None] = dict.fromkeys((*_GO_UNSET, *_JAVA_UNSET, *_RUST_UNSET))

#: golang: ENV GOLANG_VERSION, GOTOOLCHAIN=local (1.21 and later), GOPATH=/go, PATH; WORKDIR $GOPATH; user root
_GOLANG = BaseFacts(
    "golang",
    {"GOPATH": "/go", "PATH": f"/go/bin:/usr/local/go/bin:{_PATH}", **_UNSET},
    cwd="/go",
    user="root",
    directories=_STANDARD | {"/go", "/go/bin", "/go/src", "/usr/local/go", "/usr/local/go/bin"},
    complete=_COMPLETE | {"/go", "/go/src", "/go/bin"},
)


def _plain(family: str) -> BaseFacts:
    # of Alpine, Debian and Ubuntu the environment is PATH and nothing else, of Fedora DISTTAG, FGC and FBR too
    # (docker-library/repo-info, repos/<image>/local); the others were not looked up, and are taken to be alike
    unset = dict.fromkeys(("GOPATH", "HOME", "PIP_CACHE_DIR", "PIP_CONFIG_FILE", "PIP_NO_CACHE_DIR"))
    return BaseFacts(family, {"PATH": _PATH, **unset, **_UNSET}, "/", "root", _STANDARD, _COMPLETE)


#: node: ENV NODE_VERSION and YARN_VERSION, yarn in /opt/yarn-v… (docker-library/node, Dockerfile templates); no WORKDIR; user root
_NODE = BaseFacts(
    "node",
    {"PATH": _PATH},
    "/",
    "root",
    _STANDARD | {"/home/node"},
    _COMPLETE - {"/home", "/opt"},
    closed=True,
    versions=frozenset({"NODE_VERSION", "YARN_VERSION", "NPM_CONFIG_LOGLEVEL"}),
)

#: what surely is not there: settings, and a `.mvn` above the directories in which people build
_NO_MAVEN_SETTINGS = frozenset({"/root/.m2/settings.xml", "/opt/.mvn", "/usr/.mvn"})


def _java(family: str, cwd: str | None = "/", **environment: str | None) -> BaseFacts:
    """Return the facts of an image with a Java machine, whose PATH and other variables differ from tag to tag."""
    return BaseFacts(
        family,
        {**dict.fromkeys(_JAVA_UNSET), **environment},
        cwd,
        "root",
        _STANDARD,
        _COMPLETE - {"/opt"},
        _NO_MAVEN_SETTINGS,
    )


#: maven: ENV MAVEN_HOME and MAVEN_CONFIG (whose default is /root/.m2), JAVA_HOME and LANG in some tags; no WORKDIR, no USER
#: (carlossg/docker-maven, all Dockerfiles of its history; master images of October 2015 had `USER maven`)
_MAVEN = _java("maven", MAVEN_CONFIG="/root/.m2", MAVEN_HOME="/usr/share/maven")
#: gradle: ENV JAVA_HOME, GRADLE_HOME, GRADLE_VERSION; WORKDIR /home/gradle; user root, `gradle` before 2019; /root/.gradle may be
#: a link to /home/gradle/.gradle (keeganwitt/docker-gradle)
_GRADLE = replace(_java("gradle", "/home/gradle"), user=None)
#: maven and gradle whose Java is Eclipse Temurin's: `eclipse-temurin` in the tag of maven; gradle from Java 17 on, which its images have
#: from Temurin alone (keeganwitt/docker-gradle, first jdk17/Dockerfile of 2021), but for those that name another one
_TEMURIN = re.compile(
    r"(?:^|-)eclipse-temurin-\d+(?:-|$)|(?:^|-)jdk(?:1[7-9]|[2-9]\d)(?!.*(?:graal|corretto|ubi))(?:-|$)"
)
#: ENV JAVA_HOME and PATH of adoptium/containers; maven and gradle change neither, and their user is root (carlossg/docker-maven,
#: keeganwitt/docker-gradle)
_TEMURIN_PLACES = {"JAVA_HOME": "/opt/java/openjdk", "PATH": f"/opt/java/openjdk/bin:{_PATH}"}
#: these have Java machines that get options by JAVA_TOOL_OPTIONS: ibmjava, openj9, semeru
_OTHER_MACHINES = ("ibm", "openj9", "semeru")

#: rust: ENV RUSTUP_HOME, CARGO_HOME, PATH and RUST_VERSION; no WORKDIR; user root (rust-lang/docker-rust, Dockerfile-*.template);
#: rustup-init is run with --no-modify-path and writes no configuration of cargo
_RUST = BaseFacts(
    "rust",
    {
        "PATH": f"/usr/local/cargo/bin:{_PATH}",
        **_UNSET,
        "CARGO_HOME": "/usr/local/cargo",
        "RUSTUP_HOME": "/usr/local/rustup",
    },
    "/",
    "root",
    _STANDARD | {"/usr/local/cargo", "/usr/local/cargo/bin", "/usr/local/rustup"},
    _COMPLETE,
    frozenset(f"/usr/local/cargo/{name}" for name in ("config", "config.toml", "credentials", "credentials.toml")),
)
_RUST_VERSION = re.compile(r"(\d+\.\d+\.\d+)(-|$)")

#: variables that Python's tools ask for and no tag of python sets: in no commit of docker-library/python up to 4f070595 (June 2026) does
#: a Dockerfile set another than PATH, LANG, GPG_KEY, PYTHON_RELEASE, PYTHON_*VERSION, _SHA256, _URL and PYTHONIOENCODING
_PYTHON_UNSET = (
    "HOME PYTHONPATH PYTHONHOME PYTHONSAFEPATH PYTHONUSERBASE PYTHONPYCACHEPREFIX VIRTUAL_ENV WORKON_HOME NETRC XDG_CACHE_HOME "
    "XDG_CONFIG_HOME XDG_DATA_HOME "
    "PIP_REQUIREMENT PIP_CONSTRAINT PIP_BUILD_CONSTRAINT PIP_EDITABLE PIP_FIND_LINKS PIP_TARGET PIP_PREFIX PIP_ROOT PIP_SRC PIP_LOG "
    "PIP_LOG_FILE PIP_REPORT PIP_PYTHON PIP_GROUP PIP_REQUIREMENTS_FROM_SCRIPT PIP_CONFIG_FILE PIP_CERT PIP_CLIENT_CERT PIP_CACHE_DIR "
    "PIP_NO_CACHE_DIR UV_PROJECT_ENVIRONMENT UV_FROZEN UV_SYSTEM_PYTHON UV_CACHE_DIR UV_PYTHON_INSTALL_DIR UV_TOOL_DIR UV_TOOL_BIN_DIR "
    "POETRY_HOME POETRY_CACHE_DIR POETRY_CONFIG_DIR POETRY_VIRTUALENVS_PATH POETRY_VIRTUALENVS_IN_PROJECT PDM_CACHE_DIR "
    "PIPENV_CACHE_DIR PIPENV_PIPFILE PIPENV_DEFAULT_PYTHON_VERSION PIPENV_SYSTEM PIPENV_VENV_IN_PROJECT PIPX_HOME PIPX_BIN_DIR "
    "CONDA_PREFIX MAMBA_ROOT_PREFIX POSIXLY_CORRECT LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT"
).split()
#: python: `ENV PATH /usr/local/bin:$PATH` in all templates (docker-library/python); no WORKDIR, no USER
_PYTHON = BaseFacts(
    "python",
    {"PATH": f"/usr/local/bin:{_PATH}", **dict.fromkeys(_PYTHON_UNSET), **_UNSET},
    "/",
    "root",
    _STANDARD,
    _COMPLETE,
)

_DOTNET_UNSET: dict[str, str | None] = dict.fromkeys(
    (
        "NUGET_PACKAGES",
        "NUGET_HTTP_CACHE_PATH",
        "NUGET_SCRATCH",
        "NUGET_PLUGINS_CACHE_PATH",
        "NUGET_PLUGIN_PATHS",
        "DOTNET_CLI_HOME",
    )
)
#: .NET SDK: no WORKDIR, user root; ENV has DOTNET_*, NUGET_XMLDOC_MODE and others, none of them a place for packages
#: (github.com/dotnet/dotnet-docker, src/sdk)
_DOTNET_SDK = BaseFacts("dotnet", _DOTNET_UNSET, "/", "root")
#: elixir: ENV ELIXIR_VERSION, LANG and PATH (erlefant/docker-elixir) over erlang's OTP_VERSION, REBAR*_VERSION; no WORKDIR; user root.
#: What mix and Hex look at is not set; hexpm/elixir is another image
_ELIXIR = BaseFacts(
    "elixir",
    {
        "PATH": _PATH,
        **dict.fromkeys(
            "MIX_ENV MIX_EXS MIX_HOME MIX_DEPS_PATH MIX_BUILD_PATH MIX_BUILD_ROOT MIX_PATH MIX_ARCHIVES HEX_HOME HEX_OFFLINE ERL_LIBS "
            "ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS ELIXIR_ERL_OPTIONS XDG_CACHE_HOME XDG_CONFIG_HOME".split()
        ),
    },
    "/",
    "root",
    _STANDARD,
    _COMPLETE - {"/usr/src"},
)

#: variables that Ruby's tools ask for and no tag of ruby sets (it sets LANG, RUBY_*, GEM_HOME, PATH, BUNDLE_SILENCE_ROOT_WARNING,
#: BUNDLE_APP_CONFIG, and until 2019 BUNDLE_PATH and BUNDLE_BIN: docker-library/ruby, Dockerfile.template)
_RUBY_UNSET = (
    "HOME BUNDLE_GEMFILE BUNDLE_LOCKFILE BUNDLE_DEPLOYMENT BUNDLE_FROZEN BUNDLE_WITHOUT BUNDLE_WITH BUNDLE_CACHE_PATH BUNDLE_CLEAN "
    "BUNDLE_PATH__SYSTEM BUNDLE_SYSTEM_BINDIR BUNDLE_USER_HOME BUNDLE_USER_CONFIG BUNDLE_USER_CACHE BUNDLE_USER_PLUGIN GEM_PATH GEMRC "
    "GEM_SPEC_CACHE RUBYLIB RUBYOPT TMPDIR POSIXLY_CORRECT LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT"
).split()
#: ruby: GEM_HOME and its programs on PATH; no WORKDIR, no USER
_RUBY = BaseFacts(
    "ruby",
    {
        "PATH": f"/usr/local/bundle/bin:{_PATH}",
        "GEM_HOME": "/usr/local/bundle",
        "BUNDLE_APP_CONFIG": "/usr/local/bundle",
        **dict.fromkeys(_RUBY_UNSET),
        **_UNSET,
    },
    "/",
    "root",
    _STANDARD | {"/usr/local/bundle"},
    _COMPLETE,
)

#: variables that Composer asks for and no tag of php or composer sets
_COMPOSER_UNSET = (
    "HOME COMPOSER COMPOSER_VENDOR_DIR COMPOSER_BIN_DIR COMPOSER_CACHE_DIR COMPOSER_AUTH COMPOSER_ROOT_VERSION "
    "COMPOSER_MIRROR_PATH_REPOS PHPRC PHP_INI_SCAN_DIR XDG_DATA_HOME POSIXLY_CORRECT LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT"
).split()
#: php: ENV PHP_*, PHPIZE_DEPS, GPG_KEYS, APACHE_* (docker-library/php, Dockerfile-linux.template); an empty /var/www/html in every
#: variant; WORKDIR /var/www/html in the apache and fpm variants
_PHP = BaseFacts(
    "php",
    {"PATH": _PATH, "COMPOSER_HOME": None, **dict.fromkeys(_COMPOSER_UNSET), **_UNSET},
    "/",
    "root",
    _STANDARD | {"/var/www", "/var/www/html"},
    (_COMPLETE - {"/usr/src"}) | {"/var/www/html"},
)
#: composer: COMPOSER_HOME=/tmp, COMPOSER_ALLOW_SUPERUSER, WORKDIR /app (composer/docker, Dockerfile)
_COMPOSER = replace(
    _PHP,
    family="composer",
    environment={"PATH": _PATH, "COMPOSER_HOME": "/tmp", **dict.fromkeys(_COMPOSER_UNSET), **_UNSET},
    cwd="/app",
    directories=_STANDARD | {"/app"},
    complete=_COMPLETE - {"/usr/src", "/"},
)

#: distroless: PATH and SSL_CERT_FILE are set, user 0 and working directory `/` unless the tag says `nonroot` (static/static.bzl, on
#: which base and cc are built; the same for Debian 12 and 13); `debug` adds /busybox to PATH and has an entrypoint
_DISTROLESS = BaseFacts(
    "distroless", {"PATH": _PATH, "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}, "/", "root"
)

_OFFICIAL: dict[str, BaseFacts] = {
    "maven": _MAVEN,
    "gradle": _GRADLE,
    # ENV JAVA_HOME, PATH, LANG, LC_ALL, JAVA_VERSION; no WORKDIR, no USER (adoptium/containers, docker-library/openjdk)
    "eclipse-temurin": _java("java", **_TEMURIN_PLACES),
    "openjdk": _java("java"),
    "rust": _RUST,
    "golang": _GOLANG,
    "node": _NODE,
    "python": _PYTHON,
    "mcr.microsoft.com/dotnet/sdk": _DOTNET_SDK,
    "elixir": _ELIXIR,
    "ruby": _RUBY,
    "php": _PHP,
    "composer": _COMPOSER,
    "alpine": _plain("alpine"),
    "debian": _plain("debian"),
    "ubuntu": _plain("debian"),
    "buildpack-deps": _plain("debian"),
    **{
        f"gcr.io/distroless/{name}-{release}": _DISTROLESS
        for name in ("static", "base-nossl", "base", "cc")
        for release in ("debian12", "debian13")
    },
    "busybox": BaseFacts("busybox", {"PATH": _PATH}, "/", "root"),
    "fedora": _plain("rpm"),
    "rockylinux": _plain("rpm"),
    "almalinux": _plain("rpm"),
    "amazonlinux": _plain("rpm"),
}

_UNKNOWN = BaseFacts("")
#: BuildKit's dockerfile2llb/image.go emptyImage: only PATH and the working directory `/`
SCRATCH = BaseFacts("scratch", {"PATH": _PATH, "HOME": None}, "/", "root")


def repository(reference: str) -> tuple[str, str]:
    """Split an image reference into repository (without the default registry and `library/`) and tag."""
    name = reference.split("@", 1)[0]
    head, _, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    head = head.removeprefix("index.docker.io").removeprefix("docker.io").strip("/")
    if head == "library":
        head = ""
    return (f"{head}/{last}" if head else last), tag


def familiar(reference: str) -> str:
    """Return an image reference as BuildKit compares it with the names of contexts (dockerui `namedcontext.go`).

    Without the default registry, `library/`, the tag `latest`, and the platform that a name may end with (`name::linux/arm64`).
    """
    name = reference.partition("::")[0].lower()
    for prefix in ("index.docker.io/", "docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name.removesuffix(":latest")


def facts_of(reference: str) -> BaseFacts:
    """Return what is known of a base; `reference` may hold `$VAR` in its tag but not in its repository."""
    if reference == "scratch":
        return SCRATCH
    name, tag = repository(reference)
    if "$" in name or any(word in tag for word in ("windows", "nanoserver", "onbuild")):
        return _UNKNOWN
    facts = _OFFICIAL.get(name, _UNKNOWN)
    if facts.family == "distroless" and ("nonroot" in tag or "debug" in tag or "$" in tag):
        return _UNKNOWN
    if facts.family == "maven" and any(word in tag for word in ("$", *_OTHER_MACHINES)):
        environment = {k: v for k, v in facts.environment.items() if k != "JAVA_TOOL_OPTIONS"}
        facts = replace(facts, environment=environment)
    if facts.family in ("maven", "gradle") and "$" not in tag and _TEMURIN.search(tag):
        facts = replace(facts, environment={**facts.environment, **_TEMURIN_PLACES}, user="root")
    if facts.family == "php":
        # without a variant in the tag it is that of the command line; a tag that only the build knows may name any
        facts = replace(facts, cwd=None if "$" in tag else "/var/www/html" if re.search("apache|fpm", tag) else "/")
    if facts.family == "golang" and "alpine" in tag:
        # golang's alpine variant installs ca-certificates and nothing else (docker-library/golang, Dockerfile-linux.template)
        directories = (facts.environment["PATH"] or "").split(":")
        facts = replace(facts, absent=frozenset(f"{d}/{name}" for d in directories for name in C_COMPILERS))
    if facts.family == "rust" and (version := _RUST_VERSION.match(tag)) is not None:
        # the tag is the version of the toolchain, and the only toolchain there is has that name
        facts = replace(facts, environment={**facts.environment, "RUST_VERSION": version[1]})
    if facts.family == "dotnet" and (tag or "@" not in reference) and not re.search(r"\$|azurelinux|mariner", tag):
        # on Debian, Ubuntu and Alpine it adds packages, /usr/share/dotnet, /usr/share/powershell and a user `app` (as above)
        facts = replace(facts, directories=_STANDARD, complete=_COMPLETE - {"/home"})
    return facts
