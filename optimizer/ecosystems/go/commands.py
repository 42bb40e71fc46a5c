"""Command models of the `go` tool.

Facts and the experiments behind them: `docs/go-facts.md`. In short: `go mod download` reads the manifests of the main module (or
workspace) and of local replacements, nothing else below the project; every other subcommand reads the whole project. GOCACHE and
GOMODCACHE belong to the tool: entries are keyed by content or checked against hashes, so a missing entry is made again and an extra
one changes no result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from dockopt.optimizer.bases import C_COMPILERS
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.go.gosum import missing_sums, parse_go_sum
from dockopt.optimizer.ecosystems.go.modfile import ModFileError
from dockopt.optimizer.ecosystems.go.project import Manifests, Obstacle, download_manifests
from dockopt.optimizer.ecosystems.go.versions import go_version_key
from dockopt.optimizer.effects import Effects, Kind, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join

MODULES_AVAILABLE = (
    "modules-available: every module that go.mod requires can be downloaded, also those that this build would not need"
)
MANIFESTS_CURRENT = "manifests-current: `go mod download` finds nothing to correct in go.mod and go.sum"

#: variables that module downloads may consult (cmd/go/internal/cfg, modfetch, vcs; net/http; the git and ssh it starts)
_DOWNLOAD_VARIABLES = (
    "GO111MODULE", "GOAUTH", "GOCACHE", "GODEBUG", "GOENV", "GOFIPS140", "GOFLAGS", "GOINSECURE", "GOMODCACHE", "GONOPROXY",
    "GONOSUMCHECK", "GONOSUMDB", "GOPATH", "GOPRIVATE", "GOPROXY", "GOROOT", "GOSUMDB", "GOTELEMETRY*", "GOTMPDIR", "GOTOOLCHAIN",
    "GOVCS", "GOWORK", "GOLANG_*", "GOEXPERIMENT", "GIT_*", "SSH_*", "HOME", "NETRC", "XDG_*", "TMPDIR", "SSL_CERT_*",
    "GCM_*", "BZR*", "HG*", "SVN*", "FOSSIL*",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
#: a build without cgo looks at these; its result also depends on the target (internal/buildcfg)
_BUILD_VARIABLES = (*_DOWNLOAD_VARIABLES, "GO*", "CGO_*", "AR", "CC", "CXX", "GCCGO", "PKG_CONFIG*")
_EXACT_VERSION = re.compile(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+incompatible)?")
#: build flags that take a value as the next argument (cmd/go/internal/work/build.go)
_VALUE_FLAGS = frozenset(
    "-o -p -asmflags -buildmode -compiler -gccgoflags -gcflags -installsuffix -ldflags -mod -pgo -pkgdir -tags -covermode -coverpkg "
    "-coverprofile -run -count -timeout -parallel -cpu -vet".split()
)
_SWITCHES = frozenset(
    "-a -n -v -x -work -race -msan -asan -cover -trimpath -linkshared -modcacherw -buildvcs -json -i -u -s -w".split()
)
_UNMODELLED = frozenset("-C -modfile -overlay -toolexec -exec -workfile".split())


def go(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one `go` command."""
    argv = invocation.argv[1:]
    if not argv or argv[0] is None:
        return unknown("its subcommand is not known before the build")
    name = argv[0]
    if name == "mod" and len(argv) > 1 and argv[1] is not None:
        name = f"mod {argv[1]}"
        rest = argv[2:]
    else:
        rest = argv[1:]
    flags = _Flags(rest)
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
        "mod verify": _download,
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


class _Flags:
    """Flags and operands of a go subcommand."""

    def __init__(self, arguments: Sequence[str | None]) -> None:
        self.values: dict[str, str | None] = {}
        self.operands: list[str | None] = []
        self.problem: str | None = None
        items = list(arguments)
        while items:
            item = items.pop(0)
            if item is None or not item.startswith("-") or self.operands:
                self.operands.append(item)
                continue
            name, equals, value = item.partition("=")
            name = "-" + name.lstrip("-")
            if name in _UNMODELLED:
                self.problem = f"`{name}` is not modelled"
            elif equals:
                if name not in _VALUE_FLAGS | _SWITCHES:
                    self.problem = f"the flag `{name}` is not known"
                self.values[name] = value
            elif name in _VALUE_FLAGS:
                self.values[name] = items.pop(0) if items else None
            elif name in _SWITCHES:
                self.values[name] = "true"
            else:
                self.problem = f"the flag `{name}` is not known"


class Places:
    """Where the go tool keeps things in the image."""

    def __init__(self, gopath: str, modcache: str, cache: str | None, config: str | None, flags: str) -> None:
        self.gopath, self.modcache, self.cache, self.config, self.flags = gopath, modcache, cache, config, flags

    @classmethod
    def of(cls, around: Surroundings) -> Places | str:
        """Find the places from environment and user (cmd/go/internal/cfg, os.UserCacheDir); a str says why that fails."""

        def get(name: str) -> tuple[bool, str | None]:
            return around.variable(name)

        home_known, home = get("HOME")
        if not (home_known and home) and around.user == "root":
            home = "/root"
        values: dict[str, str | None] = {}
        for name in (
            "GOPATH",
            "GOMODCACHE",
            "GOFLAGS",
            "GOCACHE",
            "XDG_CACHE_HOME",
            "XDG_CONFIG_HOME",
            "GOENV",
            "GO111MODULE",
        ):
            known, value = get(name)
            if not known:
                return f"`{name}` is not known before the build (the base image may set it)"
            values[name] = value
        if values["GO111MODULE"] == "off":
            return "GO111MODULE=off is not modelled"
        if values["GOENV"] not in (None, "off"):
            return "GOENV names a file of settings"
        gopath = (values["GOPATH"] or "").split(":")[0] or (f"{home}/go" if home else "")
        modcache = values["GOMODCACHE"] or (f"{gopath}/pkg/mod" if gopath else "")
        cache_home = values["XDG_CACHE_HOME"] or (f"{home}/.cache" if home else None)
        cache = values["GOCACHE"] or (f"{cache_home}/go-build" if cache_home else None)
        config_home = values["XDG_CONFIG_HOME"] or (f"{home}/.config" if home else None)
        if not modcache.startswith("/") or not gopath.startswith("/"):
            return "where the module cache lies is not known (no GOPATH, and the user's home is not known)"
        if cache is None or not cache.startswith("/"):
            return "where the build cache lies is not known (no GOCACHE, and the user's home is not known)"
        return cls(gopath, join("/", modcache), join("/", cache), config_home, values["GOFLAGS"] or "")

    def owned(self, *, build: bool) -> tuple[str, ...]:
        """Return the directories that belong to the tool as caches (telemetry counters since Go 1.23 too)."""
        caches = [self.modcache, f"{self.gopath}/pkg/sumdb"]
        if build and self.cache:
            caches.append(self.cache)
        if self.config:
            caches.append(f"{self.config}/go/telemetry")
        return tuple(sorted(caches))

    @property
    def names(self) -> dict[str, str]:
        """Return cache id → directory, for rewrites."""
        return {"go-mod": self.modcache, **({"go-build": self.cache} if self.cache else {})}


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


def _download(flags: _Flags, around: Surroundings, places: Places) -> Effects:
    if flags.operands not in ([], ["all"]):
        return unknown("it names modules on its own")
    if around.cwd is None:
        return unknown("its working directory is not known before the build")
    if "-mod" in places.flags or "-modfile" in places.flags:
        return unknown("GOFLAGS selects another module mode")
    found = download_manifests(_ImageView(around), around.cwd)
    if isinstance(found, Obstacle):
        return unknown(found.reason)
    module = join("/", found.directory)
    roots = [root for root in around.project_roots if below(module, root)]
    root = min(roots, key=len, default=module if module != "/" else None)
    if root is None:
        return unknown("the module lies in `/`, together with the system")
    if found.vendored:
        return unknown("the module is vendored, so a build does not need what it downloads")
    manifests = tuple("/" + path for path in found.files)
    probes = (*manifests, *("/" + path for path in found.absent))
    writes, assumptions = _corrections(found, around)
    return Effects(
        reads=EVERYTHING.minus(root),
        probes=probes,
        variables=_DOWNLOAD_VARIABLES,
        writes=writes,
        caches=places.owned(build=False),
        world=World.LOCKED,
        relied_on=tuple(p for path in manifests if (p := around.context_path(path)) is not None),
        assumptions=(MODULES_AVAILABLE, *assumptions),
        cache_names=places.names,
    )


def _corrections(found: Manifests, around: Surroundings) -> tuple[tuple[Write, ...], tuple[str, ...]]:
    """Return what a download writes to go.mod and go.sum, and what is assumed where it seems to write nothing."""
    writes: list[Write] = []
    for directory, module in found.modules:
        sums = join("/", f"{directory}/go.sum")
        text = around.read_context(sums) if around.kind(sums) == "file" else b""
        try:
            complete = text is not None and not missing_sums(module, parse_go_sum(text), found.replacements)
        except ModFileError:
            complete = False
        pinned = all(requirement.pinned for requirement in module.require)
        if not complete or not pinned or go_version_key(module.go_version) < go_version_key("1.17"):
            # the new text is a function of what the command reads: a SET, whose value is the command's
            writes += [Write(Kind.SET, Region((path,))) for path in (join("/", f"{directory}/go.mod"), sums)]
    if writes and found.workspace:
        writes.append(Write(Kind.SET, Region((join("/", f"{found.directory}/go.work.sum"),))))
    return tuple(writes), () if writes else (MANIFESTS_CURRENT,)


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


def _project(flags: _Flags, around: Surroundings, places: Places) -> Effects:
    """Return what is common to subcommands that load packages: everything is read, the caches grow."""
    proxy_known, proxy = around.variable("GOPROXY")
    offline = not around.online or (proxy_known and (proxy or "").strip() == "off")
    module_mode = flags.values.get("-mod", places.flags) or ""
    writes: tuple[Write, ...] = ()
    if "mod" in module_mode.split("=")[-1:] or "-mod=mod" in places.flags:
        if around.cwd is None:
            return unknown("`-mod=mod` corrects go.mod in a directory that is not known")
        module = _module_root(around)
        if module is None:
            return unknown("`-mod=mod` may correct a go.mod that cannot be found")
        writes = (
            Write(Kind.MAY, Region((join(module, "go.mod"),))),
            Write(Kind.MAY, Region((join(module, "go.sum"),))),
        )
    caches = places.owned(build=True)
    if offline:
        # without a network what the module cache holds decides: it is read for real, and stays as it is
        caches = tuple(c for c in caches if c != places.modcache)
    pure_go = around.variable("CGO_ENABLED") == (True, "0") or _no_c_compiler(around)
    if not pure_go and places.cache:
        # "the build cache does not detect changes to C libraries imported with cgo" (go help cache): what it holds matters
        caches = tuple(c for c in caches if c != places.cache)
        writes = (*writes, Write(Kind.MAY, Region((places.cache,))))
    return Effects(
        reads=EVERYTHING,
        variables=_BUILD_VARIABLES if pure_go else None,
        writes=writes,
        caches=caches,
        world=World.LOCKED,
        cache_names=places.names,
    )


def _no_c_compiler(around: Surroundings) -> bool:
    """Tell whether surely nothing can compile C: then the build cache holds nothing that C libraries went into."""
    known, path = around.variable("PATH")
    if not known or not path or around.variable("CC") != (True, None) or around.variable("CXX") != (True, None):
        return False
    return all(around.kind(join("/", f"{d}/{name}")) == "absent" for d in path.split(":") for name in C_COMPILERS)


def _read_only(flags: _Flags, around: Surroundings, places: Places) -> Effects:
    return _project(flags, around, places)


def _build(flags: _Flags, around: Surroundings, places: Places) -> Effects:
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


def _install(flags: _Flags, around: Surroundings, places: Places) -> Effects:
    known, gobin = around.variable("GOBIN")
    if not known:
        return unknown("GOBIN is not known before the build")
    where = Write(Kind.MAY, Region((join("/", gobin or f"{places.gopath}/bin"),)))
    versions = [operand.partition("@")[2] if operand else "" for operand in flags.operands]
    if flags.operands and all(operand is not None and "@" in operand for operand in flags.operands):
        # `go install pkg@version` does not look at the module in the working directory
        exact = all(_EXACT_VERSION.fullmatch(version) for version in versions)
        roots = around.project_roots
        return Effects(
            reads=EVERYTHING.minus(*roots) if roots else EVERYTHING,
            writes=(where,),
            caches=places.owned(build=True),
            world=World.LOCKED if exact else World.FREE,
            cache_names=places.names,
        )
    effects = _project(flags, around, places)
    return effects if effects.unknown is not None else replace(effects, writes=(*effects.writes, where))


def _env(flags: _Flags, _around: Surroundings, places: Places) -> Effects:
    if flags.values or any(o is None or "=" in o for o in flags.operands):
        return unknown("it may change the settings of later commands")
    return Effects(writes=(), caches=places.owned(build=False), world=World.NONE)


def _version(flags: _Flags, _around: Surroundings, places: Places) -> Effects:
    return (
        unknown("it looks into a file")
        if flags.operands
        else Effects(writes=(), caches=places.owned(build=False), world=World.NONE)
    )


def _vendor(flags: _Flags, around: Surroundings, places: Places) -> Effects:
    module = _module_root(around) if around.cwd is not None else None
    if module is None:
        return unknown("which module it serves is not known")
    effects = _project(flags, around, places)
    return (
        effects
        if effects.unknown is not None
        else replace(effects, writes=(*effects.writes, Write(Kind.MAY, Region((join(module, "vendor"),)))))
    )


def _tidy(flags: _Flags, around: Surroundings, places: Places) -> Effects:
    module = _module_root(around) if around.cwd is not None else None
    if module is None:
        return unknown("which module it serves is not known")
    effects = _project(flags, around, places)
    if effects.unknown is not None:
        return effects
    manifests = tuple(Write(Kind.MAY, Region((join(module, name),))) for name in ("go.mod", "go.sum"))
    # without -mod=mod it still asks the proxy for packages that nothing requires yet: what it finds is not pinned
    return replace(effects, writes=(*effects.writes, *manifests), world=World.FREE)
