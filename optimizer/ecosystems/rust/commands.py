"""Command models of `cargo` and `rustup`.

`cargo fetch` reads manifests and asks the registry; every subcommand that compiles starts build scripts and macros of the project
and of the packages that it depends on, so nothing can be said of what those read and write. `cargo install` of a published
package does not look at the project ("local configuration discovery is ignored", `cargo help install`), but at the toolchain
file, which rustup reads for it.
"""

from __future__ import annotations

from dataclasses import replace

from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.rust.arguments import CargoCommand, read_command
from dockopt.optimizer.ecosystems.rust.places import Places
from dockopt.optimizer.ecosystems.rust.project import Obstacle, Project, project_at
from dockopt.optimizer.ecosystems.rust.settings import TOOLCHAIN_NAMES
from dockopt.optimizer.effects import Effects, Kind, Leftovers, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join, parents

CRATES_AVAILABLE = (
    "crates-available: every package of Cargo.lock can be downloaded, also those for other platforms and for tests"
)
PLAIN_USR = "plain-usr: no package of the distribution puts a Cargo.toml, settings of cargo or a toolchain file into /usr or /usr/src"
LOCK_CURRENT = "crates-lock-current: `cargo fetch` finds nothing to correct in Cargo.lock, which names all packages and dependencies"

LEFTOVERS = (
    "cargo takes what it compiled before for current unless a source has a later modification time: no build may bring newer content "
    "with an older time (a cached layer, an archive, another branch), and nothing that build scripts look at may change unnoticed"
)

#: variables that cargo, rustup, curl and git may consult for a download (The Cargo Book, "Environment Variables"; the rustup book)
_DOWNLOAD_VARIABLES = (
    "CARGO*", "RUST*", "HOME", "USER", "TMPDIR", "XDG_*", "GIT_*", "SSH_*", "SSL_CERT_*", "CURL_*", "NETRC", "TERM", "CI", "TERMINAL_*",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
    "HTTP_TIMEOUT", "__CARGO*",
)  # fmt: skip
#: options of `cargo fetch` that change nothing of what is said here
_FETCH_OPTIONS = frozenset({"--locked", "--target", "-v", "-vv", "--verbose", "-q", "--quiet", "--color"})
COMPILING = frozenset(
    "build check test run bench clippy doc rustc rustdoc fix auditable zigbuild nextest install package".split()
)


def cargo(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one `cargo` command."""
    command = read_command(invocation.argv)
    if command is None:
        return unknown("its subcommand is not known before the build")
    if command.name == "fetch":
        return _fetch(command, around)
    if command.name == "install" and "--path" not in command.options and "--git" not in command.options:
        return _install(command, around)
    if command.name in COMPILING:
        effects = unknown("it runs build scripts and macros of the project and of its dependencies")
        places = Places.of(around)
        return replace(effects, leftovers=Leftovers(() if isinstance(places, str) else places.owned, LEFTOVERS))
    return unknown("no model of this subcommand")


def _fetch(command: CargoCommand, around: Surroundings) -> Effects:
    strange = next((name for name in command.options if name not in _FETCH_OPTIONS), None)
    if strange is not None or command.operands:
        return unknown(f"`{strange or command.operands[0]}` is not understood")
    places = Places.of(around)
    if isinstance(places, str):
        return unknown(places)
    if around.cwd is None:
        return unknown("its working directory is not known before the build")
    problem = offline(around)
    if problem is not None:
        return unknown(problem)
    found = project_at(around, around.cwd, places.cargo_home)
    if isinstance(found, Obstacle):
        return unknown(found.reason)
    unsure = unsettled(found, around)
    if unsure is not None:
        return unknown(unsure.reason)
    roots = _roots(found, around)
    home = around.variable("HOME")[1] or ("/root" if around.user == "root" else None)
    if not roots:
        return unknown("the package lies in `/`, together with the system")
    if home is None or any(below(path, root) for path in (home, places.cargo_home) for root in roots):
        return unknown("settings of the user may lie in the project")
    assumptions: list[str] = [CRATES_AVAILABLE, *([PLAIN_USR] if found.assumes_plain_usr else [])]
    writes: list[Write] = []
    if not command.is_locked:
        if found.is_lock_current:
            assumptions.append(LOCK_CURRENT)
        else:
            writes.append(Write(Kind.SET, Region((found.lock_path,))))
    writes += _facts_of_rustc(found, places, around)
    locked = found.lock is not None and (command.is_locked or found.is_lock_current)
    return Effects(
        reads=EVERYTHING.minus(*roots),
        probes=(*found.files, *found.absent),
        variables=_DOWNLOAD_VARIABLES,
        writes=tuple(writes),
        caches=places.owned,
        world=World.LOCKED if locked else World.REPOSITORY,
        relied_on=tuple(p for path in found.files if (p := around.context_path(path)) is not None),
        assumptions=tuple(assumptions),
    )


def offline(around: Surroundings) -> str | None:
    """Return why nothing can be downloaded here, None where nothing says so."""
    if not around.online:
        return "it has no network"
    known, value = around.variable("CARGO_NET_OFFLINE")
    return "`CARGO_NET_OFFLINE` is set" if value or not known else None


def unsettled(found: Project, around: Surroundings) -> Obstacle | None:
    """Return why a download may do something else than fill cargo's caches."""
    for path, config in found.configs:
        if config.offline_line:
            return Obstacle("the settings of cargo say `offline`, so nothing is downloaded", path, config.offline_line)
        if config.source_line:
            reason = "the settings of cargo replace a source (vendored packages are not downloaded)"
            return Obstacle(reason, path, config.source_line)
    if found.toolchain is not None:
        path, toolchain = found.toolchain
        if not toolchain.is_there(around.variable("RUST_VERSION")[1]):
            reason = (
                f"it asks for the toolchain `{toolchain.channel}`, which the first `cargo` may have to install; "
                "install it above the sources (`COPY rust-toolchain.toml`, `RUN rustup toolchain install`)"
            )
            return Obstacle(reason, path, toolchain.line)
    return None


def _roots(found: Project, around: Surroundings) -> tuple[str, ...]:
    """Return the directories of the project that hold its packages, () where one of them is `/`."""
    roots: set[str] = set()
    for manifest in found.manifests:
        directory = join(manifest, "..")
        outer = min((r for r in around.project_roots if below(directory, r)), key=len, default=directory)
        if outer == "/":
            return ()
        roots.add(outer)
    return tuple(sorted(roots))


def _facts_of_rustc(found: Project, places: Places, around: Surroundings) -> list[Write]:
    """Return the write of `.rustc_info.json`, which cargo keeps in a target directory that is already there."""
    target = places.target(around, found.root, found.target_dir)
    if target is None:
        return [Write(Kind.MAY, Region((found.root,)))]
    return [] if around.kind(target) == "absent" else [Write(Kind.MAY, Region((join(target, ".rustc_info.json"),)))]


def _install(command: CargoCommand, around: Surroundings) -> Effects:
    """Return the effects of `cargo install` of published packages."""
    if (
        any(name in command.options for name in ("-Z", "--config", "-C", "--target-dir", "--list"))
        or not command.operands
    ):
        return unknown("it installs something else than a published package")
    if any(operand is None for operand in command.operands):
        return unknown("what it installs is not known before the build")
    places = Places.of(around)
    if isinstance(places, str):
        return unknown(places)
    root = command.options.get("--root", "") or around.variable("CARGO_INSTALL_ROOT")[1] or places.cargo_home
    known = around.variable("CARGO_INSTALL_ROOT")[0] and command.options.get("--root", "") is not None
    if not known or around.variable("CARGO_TARGET_DIR") != (True, None) or around.cwd is None:
        return unknown("where it puts what it makes is not known before the build")
    root = join(around.cwd, root)
    names = ("bin", ".crates.toml", ".crates2.json")
    outputs = tuple(Write(Kind.MAY, Region((join(root, name),))) for name in names)
    outside = _outside(around)
    return Effects(
        reads=outside,
        probes=_toolchain_files(around.cwd),
        writes=outputs,
        caches=places.owned,
        world=World.REPOSITORY,
        assumptions=(PUBLISHED_SCRIPTS,),
    )


PUBLISHED_SCRIPTS = (
    "published-scripts: build scripts of packages that `cargo install` fetches look at nothing of the project and leave nothing "
    "outside of its own directories"
)


def _outside(around: Surroundings) -> Region:
    return EVERYTHING.minus(*around.project_roots) if around.project_roots else EVERYTHING


def _toolchain_files(directory: str) -> tuple[str, ...]:
    places = ("/", *parents(directory), directory)
    return tuple(join(place, name) for place in dict.fromkeys(places) for name in TOOLCHAIN_NAMES)


def rustup(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of `rustup target|component add` and `rustup toolchain install` (the rustup book)."""
    argv = invocation.argv[1:]
    if argv[:2] not in (("target", "add"), ("component", "add"), ("toolchain", "install")) or None in argv:
        return unknown("no model of this subcommand")
    if any(word in ("--path", "--link") for word in argv):
        return unknown("it installs something else than a published toolchain")
    places = Places.of(around)
    known, home = around.variable("RUSTUP_HOME")
    if isinstance(places, str) or not known or not home or around.cwd is None:
        return unknown("where rustup keeps toolchains is not known before the build (RUSTUP_HOME)")
    # a toolchain that is installed may bring a newer rustup, and proxies for its programs
    written = (join("/", home), f"{places.cargo_home}/bin")
    return replace(
        Effects(),
        reads=_outside(around),
        probes=_toolchain_files(around.cwd),
        variables=_DOWNLOAD_VARIABLES,
        writes=tuple(Write(Kind.MAY, Region((path,))) for path in written),
        world=World.REPOSITORY,
    )
