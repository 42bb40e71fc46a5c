"""Command models of the `go` tool.

Facts and the experiments behind them: `docs/go-facts.md`. In short: `go mod download` reads the manifests of the main module (or
workspace) and of local replacements, nothing else below the project; every other subcommand reads the whole project. GOCACHE and
GOMODCACHE belong to the tool: entries are keyed by content or checked against hashes, so a missing entry is made again and an extra
one changes no result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dockopt.optimizer.bases import C_COMPILERS
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.go.arguments import Flags, split_goflags
from dockopt.optimizer.ecosystems.go.gosum import missing_contents, missing_sums, parse_go_sum
from dockopt.optimizer.ecosystems.go.modfile import ModFileError
from dockopt.optimizer.ecosystems.go.project import Manifests, Obstacle, download_manifests
from dockopt.optimizer.ecosystems.go.versions import go_version_key
from dockopt.optimizer.effects import Effects, Kind, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join

MODULES_AVAILABLE = (
    "modules-available: every module that go.mod requires can be downloaded, also those that this build would not need"
)
MANIFESTS_CURRENT = "manifests-current: `go mod download` finds nothing to correct in go.mod, go.sum and go.work.sum"

#: variables that module downloads may consult (cmd/go/internal/cfg, modfetch, vcs; net/http; the git and ssh it starts)
_DOWNLOAD_VARIABLES = (
    "GO111MODULE", "GOAUTH", "GOCACHE", "GODEBUG", "GOENV", "GOFIPS140", "GOFLAGS", "GOINSECURE", "GOMODCACHE", "GONOPROXY",
    "GONOSUMCHECK", "GONOSUMDB", "GOPATH", "GOPRIVATE", "GOPROXY", "GOROOT", "GOSUMDB", "GOTELEMETRY*", "GOTMPDIR", "GOTOOLCHAIN",
    "GOVCS", "GOWORK", "GOLANG_*", "GOEXPERIMENT", "GIT_*", "SSH_*", "HOME", "NETRC", "XDG_*", "TMPDIR", "SSL_CERT_*",
    "GCM_*", "BZR*", "HG*", "SVN*", "FOSSIL*",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
#: those whose values are paths, or hold them
_PATHS_OF_DOWNLOADS = (
    "NETRC", "GOPROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_CONFIG", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_SSH",
    "GIT_SSH_COMMAND", "GIT_ASKPASS", "SSH_AUTH_SOCK", "GOTMPDIR", "TMPDIR",
)  # fmt: skip
#: a build without cgo looks at these; its result also depends on the target (internal/buildcfg)
_BUILD_VARIABLES = (*_DOWNLOAD_VARIABLES, "GO*", "CGO_*", "AR", "CC", "CXX", "GCCGO", "PKG_CONFIG*")
_PLACE_VARIABLES = (
    "GOPATH", "GOMODCACHE", "GOFLAGS", "GOCACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "GOENV", "GO111MODULE", "GOWORK",
)  # fmt: skip
_EXACT_VERSION = re.compile(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+incompatible)?")
#: settings that `go env -w` may write without moving a cache or changing what is read of a project (go help environment)
_HARMLESS_SETTINGS = re.compile(
    r"(GOPRIVATE|GONOPROXY|GONOSUMDB|GOSUMDB|GOINSECURE|GOVCS|GOTOOLCHAIN|CGO_ENABLED|GOOS|GOARCH)=.*|GO111MODULE=(on|auto)"
    r"|GOPROXY=https?://[^,|]+([,|](https?://[^,|]+|direct))*"
)


def go(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one `go` command."""
    argv = invocation.argv[1:]
    if not argv or argv[0] is None:
        return unknown("its subcommand is not known before the build")
    name = argv[0]
    words = 2
    if name == "mod" and len(argv) > 1 and argv[1] is not None:
        name = f"mod {argv[1]}"
        words = 3
    if name == "env" and argv[1:2] == ("-w",):
        return _env_write(argv[2:], around)
    flags = Flags(invocation.argv[words:], invocation.raw[words:])
    if flags.problem is not None:
        return unknown(flags.problem)
    places = Places.of(around)
    if isinstance(places, str):
        return unknown(places)
    model = {
        "build": _build,
        "install": _install,
        "vet": _read_only,
        "list": _read_only,
        "env": _env,
        "version": _version,
        "mod download": _download,
        "mod verify": _verify,
        "mod vendor": _vendor,
        "mod tidy": _tidy,
    }.get(name)
    if model is None:
        why = (
            "it runs code of the project"
            if name in ("generate", "run", "test", "tool")
            else "no model of this subcommand"
        )
        return unknown(why)
    return model(flags, around, places)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the go tool keeps things in the image, and the settings that decide what it reads."""

    home: str | None
    gopath: str
    modcache: str
    cache: str
    config: str | None
    goflags: str  #: GOFLAGS as it is set
    mode: str | None  #: what `-mod=` in GOFLAGS says
    workspaces: bool  #: False with GOWORK=off

    @classmethod
    def of(cls, around: Surroundings) -> Places | str:
        """Find the places from environment and user (cmd/go/internal/cfg, os.UserCacheDir); a str says why that fails."""
        home_known, home = around.variable("HOME")
        if not (home_known and home) and around.user == "root":
            home = "/root"
        values: dict[str, str] = {}
        for name in _PLACE_VARIABLES:
            known, value = around.variable(name)
            if not known:
                return f"`{name}` is not known before the build (the base image may set it)"
            values[name] = value or ""
        if values["GO111MODULE"] == "off":
            return "GO111MODULE=off is not modelled"
        if values["GOENV"] not in ("", "off"):
            return "GOENV names a file of settings"
        if values["GOWORK"] not in ("", "off"):
            return "GOWORK names a file"
        if around.variable("GOAUTH")[1] not in (None, "", "netrc", "off"):
            return "GOAUTH names a program"
        flags = split_goflags(values["GOFLAGS"])
        if flags.problem is not None:
            return flags.problem
        gopath = values["GOPATH"].split(":")[0] or (f"{home}/go" if home else "")
        modcache = values["GOMODCACHE"] or (f"{gopath}/pkg/mod" if gopath else "")
        cache_home = values["XDG_CACHE_HOME"] or (f"{home}/.cache" if home else "")
        cache = values["GOCACHE"] or (f"{cache_home}/go-build" if cache_home else "")
        config = values["XDG_CONFIG_HOME"] or (f"{home}/.config" if home else None)
        if not modcache.startswith("/") or not gopath.startswith("/"):
            return "where the module cache lies is not known (no GOPATH, and the user's home is not known)"
        if not cache.startswith("/"):
            return "where the build cache lies is not known (no GOCACHE, and the user's home is not known)"
        if config is not None and values["GOENV"] != "off" and around.kind(join("/", f"{config}/go/env")) == "file":
            return f"`{config}/go/env` has settings (`go env -w`)"
        mode = flags.values.get("-mod")
        return cls(
            home or None, gopath, join("/", modcache), join("/", cache), config, values["GOFLAGS"], mode, values["GOWORK"] != "off"
        )  # fmt: skip

    def owned(self, *, build: bool) -> tuple[str, ...]:
        """Return the directories that belong to the tool as caches (telemetry counters since Go 1.23 too)."""
        caches = [self.modcache, f"{self.gopath}/pkg/sumdb"]
        if build:
            caches.append(self.cache)
        if self.config:
            caches.append(f"{self.config}/go/telemetry")
        return tuple(sorted(caches))

    def used(self, around: Surroundings, *, build: bool) -> tuple[tuple[str, ...], tuple[Write, ...]]:
        """Return the directories that a command uses as caches, and what it writes where their content matters."""
        caches, writes = self.owned(build=build), []
        if _offline(around):
            # without a network what the module cache holds decides: it is read for real
            caches = tuple(c for c in caches if c != self.modcache)
            writes.append(Write(Kind.MAY, Region((self.modcache,))))
        if build and not _pure_go(around):
            # "the build cache does not detect changes to C libraries imported with cgo" (go help cache): what it holds matters
            caches = tuple(c for c in caches if c != self.cache)
            writes.append(Write(Kind.MAY, Region((self.cache,))))
        return caches, tuple(writes)

    def beside(self, root: str, around: Surroundings) -> str | None:
        """Return why settings may lie among the files of the project, None where nothing says so.

        Downloads read `.netrc`, `.gitconfig`, `.ssh` and `.config/go/env` of the home directory (go help goauth, go help env).
        """
        if self.home is None:
            return "the home directory, with settings for downloads, is not known"
        if below(self.home, root) or (self.config is not None and below(self.config, root)):
            return f"the home directory `{self.home}`, with settings for downloads, lies in the project"
        for name in _PATHS_OF_DOWNLOADS:
            value = around.variable(name)[1]
            if value and (root in value or value.startswith(".")):
                return f"`{name}` leads into the project"
        return None

    @property
    def names(self) -> dict[str, str]:
        """Return cache id → directory, for rewrites."""
        return {"go-mod": self.modcache, "go-build": self.cache}


def _offline(around: Surroundings) -> bool:
    known, proxy = around.variable("GOPROXY")
    return not around.online or (known and (proxy or "").strip() == "off")


def _pure_go(around: Surroundings) -> bool:
    """Tell whether surely no C is compiled."""
    return around.variable("CGO_ENABLED") == (True, "0") or _no_c_compiler(around)


class _ImageView:
    """The image as the context view of `project.py`: paths are image paths without the leading slash."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def kind(self, rel: str) -> _Kind:
        return _Kind(self._around.kind("/" + rel))

    def read(self, rel: str) -> bytes:
        data = self._around.read_context("/" + rel)
        if data is None:
            raise OSError(f"/{rel} does not surely come from the build context")
        return data


class _Kind:
    """A kind with the name that `project.ContextView` asks for."""

    def __init__(self, kind: str) -> None:
        self.name = {"file": "FILE", "directory": "DIR", "absent": "ABSENT"}.get(kind, "OTHER")


def _download(flags: Flags, around: Surroundings, places: Places) -> Effects:
    if flags.operands not in ([], ["all"]):
        return unknown("it names modules on its own")
    effects, found = _manifests_only(around, places)
    if found is None:
        return effects
    writes, assumptions = _corrections(found, around, everything=flags.operands == ["all"])
    return replace(effects, writes=(*effects.writes, *writes), assumptions=(*effects.assumptions, *assumptions))


def _verify(flags: Flags, around: Surroundings, places: Places) -> Effects:
    """Return the effects of `go mod verify`; before Go 1.18 it adds to go.sum what a download would add."""
    if flags.operands:
        return unknown("it takes no arguments")
    effects, found = _manifests_only(around, places)
    if found is None:
        return effects
    writes, assumptions = _corrections(found, around, everything=False)
    may = tuple(Write(Kind.MAY, write.region) for write in writes)
    return replace(effects, writes=(*effects.writes, *may), assumptions=(*effects.assumptions, *assumptions))


def _manifests_only(around: Surroundings, places: Places) -> tuple[Effects, Manifests | None]:
    """Return the effects of a command that reads nothing of the project but its manifests, and these; None with UNKNOWN."""
    if around.cwd is None:
        return unknown("its working directory is not known before the build"), None
    if places.mode is not None:
        return unknown("GOFLAGS selects another module mode"), None
    found = download_manifests(_ImageView(around), around.cwd, workspaces=places.workspaces)
    if isinstance(found, Obstacle):
        return unknown(found.reason, [found.missing] if found.missing else []), None
    module = join("/", found.directory)
    roots = [root for root in around.project_roots if below(module, root)]
    root = min(roots, key=len, default=module if module != "/" else None)
    if root is None:
        return unknown("the module lies in `/`, together with the system"), None
    problem = places.beside(root, around)
    if problem is not None:
        return unknown(problem), None
    if found.vendored:
        return unknown("the module is vendored, so a build does not need what it downloads"), None
    manifests = tuple("/" + path for path in found.files)
    caches, writes = places.used(around, build=False)
    effects = Effects(
        reads=EVERYTHING.minus(root),
        probes=(*manifests, *("/" + path for path in found.absent)),
        variables=_DOWNLOAD_VARIABLES,
        writes=writes,
        caches=caches,
        world=World.LOCKED,
        relied_on=tuple(p for path in manifests if (p := around.context_path(path)) is not None),
        assumptions=(MODULES_AVAILABLE,),
        cache_names=places.names,
    )
    return effects, found


def _corrections(
    found: Manifests, around: Surroundings, *, everything: bool
) -> tuple[tuple[Write, ...], tuple[str, ...]]:
    """Return what a download writes to manifests, and what is assumed where it seems to write nothing.

    With `everything` (`go mod download all`) it writes down the hashes of all modules that it downloads.
    """
    if found.workspace:
        return _workspace_corrections(found, around)
    writes: list[Write] = []
    for directory, module in found.modules:
        sums = _sums(around, f"{directory}/go.sum")
        complete = sums is not None and not missing_sums(module, sums)
        if everything and complete and sums is not None:
            complete = not missing_contents(sums)
        if not complete or not module.pinned or go_version_key(module.go_version) < go_version_key("1.17"):
            # the new text is a function of what the command reads: a SET, whose value is the command's
            paths = (join("/", f"{directory}/{name}") for name in ("go.mod", "go.sum"))
            writes += [Write(Kind.SET, Region((path,))) for path in paths]
    return tuple(writes), () if writes else (MANIFESTS_CURRENT,)


def _workspace_corrections(found: Manifests, around: Surroundings) -> tuple[tuple[Write, ...], tuple[str, ...]]:
    """Do the same for a workspace: it leaves the manifests of its modules alone, and writes hashes to go.work.sum."""
    names = [f"{found.directory}/go.work.sum", *(f"{directory}/go.sum" for directory, _ in found.modules)]
    known: set[tuple[str, str]] = set()
    complete = all(module.pinned for _, module in found.modules)
    for name in names:
        sums = _sums(around, name)
        complete = complete and sums is not None
        known |= sums or frozenset()
    members = {module.module for _, module in found.modules}
    complete = complete and not missing_contents(known)
    for _, module in found.modules:
        outside = replace(module, require=tuple(r for r in module.require if r.path not in members))
        complete = complete and not missing_sums(outside, known, found.replacements)
    if complete:
        return (), (MANIFESTS_CURRENT,)
    return (Write(Kind.MAY, Region((join("/", names[0]),))),), ()


def _sums(around: Surroundings, path: str) -> frozenset[tuple[str, str]] | None:
    """Return what a go.sum of the image has, nothing if there is none; None if it cannot be told."""
    path = join("/", path)
    kind = around.kind(path)
    text = around.read_context(path) if kind == "file" else b"" if kind == "absent" else None
    try:
        return None if text is None else parse_go_sum(text)
    except ModFileError:
        return None


def _module_root(around: Surroundings) -> str | None:
    """Return the directory of the go.mod that governs the working directory, if that is certain."""
    directory = around.cwd or "/"
    while True:
        kind = around.kind(join(directory, "go.mod"))
        if kind == "file":
            return directory if around.context_path(join(directory, "go.mod")) is not None else None
        if kind != "absent" or directory == "/":
            return None
        directory = join(directory, "..")


def _project(flags: Flags, around: Surroundings, places: Places) -> Effects:
    """Return what is common to subcommands that load packages: everything is read, the caches grow."""
    mode = flags.values.get("-mod", places.mode or "")
    if mode is None:
        return unknown("its module mode is not known before the build")
    if around.cwd is None:
        return unknown("its working directory is not known before the build")
    caches, writes = places.used(around, build=True)
    if mode == "mod":
        module = _module_root(around)
        if module is None:
            return unknown("`-mod=mod` may correct a go.mod that cannot be found")
        writes += tuple(Write(Kind.MAY, Region((join(module, name),))) for name in ("go.mod", "go.sum"))
    if places.workspaces and mode != "vendor":
        writes += tuple(Write(Kind.MAY, Region((path,))) for path in _workspace_sums(around, around.cwd))
    return Effects(
        reads=EVERYTHING,
        variables=_BUILD_VARIABLES if _pure_go(around) else None,
        writes=writes,
        caches=caches,
        rebuilt=(places.cache,),
        world=World.LOCKED,
        cache_names=places.names,
    )


def _workspace_sums(around: Surroundings, directory: str) -> tuple[str, ...]:
    """Return every go.work.sum to which a build in a directory may add hashes that its modules' go.sum do not have."""
    found: list[str] = []
    while True:
        kind = around.kind(join(directory, "go.work"))
        if kind not in ("absent", "directory"):
            found.append(join(directory, "go.work.sum"))
        if kind == "file" or directory == "/":
            return tuple(found)
        directory = join(directory, "..")


def _no_c_compiler(around: Surroundings) -> bool:
    """Tell whether surely nothing can compile C: then the build cache holds nothing that C libraries went into."""
    known, path = around.variable("PATH")
    if not known or not path or around.variable("CC") != (True, None) or around.variable("CXX") != (True, None):
        return False
    return all(around.kind(join("/", f"{d}/{name}")) == "absent" for d in path.split(":") for name in C_COMPILERS)


def _read_only(flags: Flags, around: Surroundings, places: Places) -> Effects:
    return _project(flags, around, places)


def _build(flags: Flags, around: Surroundings, places: Places) -> Effects:
    effects = _project(flags, around, places)
    if effects.unknown is not None:
        return effects
    output = flags.values.get("-o", "")
    if output is None:
        return unknown("the place of its output is not known before the build")
    if output == "/dev/null":
        return effects
    if around.cwd is None and not output.startswith("/"):
        return unknown("it writes below a working directory that is not known before the build")
    if not output:
        # a single main package goes to the working directory under a name that the packages decide
        write = Write(Kind.MAY, Region((around.cwd or "/",)))
    else:
        path = join(around.cwd or "/", output)
        exact = not output.endswith("/") and around.kind(path) in ("absent", "file")
        write = Write(Kind.SET if exact else Kind.MAY, Region((path,)))
    return replace(effects, writes=(*effects.writes, write))


def _install(flags: Flags, around: Surroundings, places: Places) -> Effects:
    known, gobin = around.variable("GOBIN")
    if not known:
        return unknown("GOBIN is not known before the build")
    where = Write(Kind.MAY, Region((join("/", gobin or f"{places.gopath}/bin"),)))
    versions = [operand.partition("@")[2] if operand else "" for operand in flags.operands]
    if flags.operands and all(operand is not None and "@" in operand for operand in flags.operands):
        # `go install pkg@version` does not look at the module in the working directory
        exact = all(_EXACT_VERSION.fullmatch(version) for version in versions)
        for root in around.project_roots:
            problem = places.beside(root, around)
            if problem is not None:
                return unknown(problem)
        caches, writes = places.used(around, build=True)
        return Effects(
            reads=EVERYTHING.minus(*around.project_roots),
            writes=(*writes, where),
            caches=caches,
            world=World.LOCKED if exact else World.FREE,
            cache_names=places.names,
        )
    effects = _project(flags, around, places)
    return effects if effects.unknown is not None else replace(effects, writes=(*effects.writes, where))


def _env(flags: Flags, _around: Surroundings, places: Places) -> Effects:
    if flags.values or any(o is None or "=" in o for o in flags.operands):
        return unknown("it may change the settings of later commands")
    return Effects(writes=(), caches=places.owned(build=False), world=World.LOCKED)


def _env_write(settings: Sequence[str | None], around: Surroundings) -> Effects:
    """Return the effects of `go env -w`: it writes one file, which all later commands read."""
    places = Places.of(around)
    if not settings or any(setting is None or setting.startswith("-") for setting in settings):
        return unknown("it may change the settings of later commands")
    if isinstance(places, str):
        return unknown(places)
    if places.config is None or around.variable("GOENV")[1] == "off":
        return unknown("the file that it changes is not known")
    file = Region((join("/", f"{places.config}/go/env"),))
    harmless = all(_HARMLESS_SETTINGS.fullmatch(setting or "") for setting in settings)
    # other settings move caches or change what is read: the file is then known to be there, and later models refuse
    write = Write(Kind.MAY if harmless else Kind.SET, file)
    return Effects(writes=(write,), caches=places.owned(build=False), world=World.LOCKED)


def _version(flags: Flags, _around: Surroundings, places: Places) -> Effects:
    if flags.operands or flags.values:
        return unknown("it looks into a file")
    # a go.mod that demands a newer Go makes it download one (https://go.dev/doc/toolchain)
    return Effects(writes=(), caches=places.owned(build=False), world=World.LOCKED)


def _vendor(flags: Flags, around: Surroundings, places: Places) -> Effects:
    module = _module_root(around) if around.cwd is not None else None
    if module is None:
        return unknown("which module it serves is not known")
    if flags.values.keys() - {"-v"}:
        return unknown("it may write elsewhere than to `vendor`")
    effects = _project(flags, around, places)
    return (
        effects
        if effects.unknown is not None
        else replace(effects, writes=(*effects.writes, Write(Kind.MAY, Region((join(module, "vendor"),)))))
    )


def _tidy(flags: Flags, around: Surroundings, places: Places) -> Effects:
    module = _module_root(around) if around.cwd is not None else None
    if module is None:
        return unknown("which module it serves is not known")
    effects = _project(flags, around, places)
    if effects.unknown is not None:
        return effects
    manifests = tuple(Write(Kind.MAY, Region((join(module, name),))) for name in ("go.mod", "go.sum"))
    # without -mod=mod it still asks the proxy for packages that nothing requires yet: what it finds is not pinned
    return replace(effects, writes=(*effects.writes, *manifests), world=World.FREE)
