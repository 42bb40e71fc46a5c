"""Read the arguments of system programs and build the effects of one that is understood.

A model calls `parse` with all options that it knows and raises `NotUnderstood` for the rest; `modelled` turns that
into UNKNOWN with the reason. What every system program depends on (its binary, the loader, the places that PATH
searches before it) is written down here once, in `program`.
"""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dockopt.optimizer.commands.registry import Invocation, Model, Surroundings
from dockopt.optimizer.effects import Effects, Kind, World, Write, unknown
from dockopt.optimizer.regions import EVERYTHING, Region, below, join, parents

SYSTEM_COMMANDS = (
    "system-commands: the base image's PATH and LD_* lead to the system's own programs and libraries, "
    "not into directories that the Dockerfile fills, and what it puts into /usr/local/bin hides none of them"
)
LINKS_STAY_OUTSIDE = (
    "links-stay-outside: no link outside the directories that the Dockerfile fills from the context leads into one of "
    "them, and no file outside them is written under one name and used under another"
)

#: where the programs of a distribution lie (FHS 3.0 §3.4, §3.16, §4.4, §4.10; the aliases among them are in `regions`)
_PROGRAM_DIRECTORIES = ("/bin", "/sbin", "/usr/bin", "/usr/sbin")
_LOCAL_PROGRAMS = ("/usr/local/bin", "/usr/local/sbin")
#: programs, shared libraries, loader settings (ld.so(8); musl: `/etc/ld-musl-*.path`, for the architectures of Docker
#: images), message catalogues and the user data base that names in arguments go through (nsswitch.conf(5))
SYSTEM = (
    *_PROGRAM_DIRECTORIES,
    "/lib", "/lib32", "/lib64", "/libx32", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec",
    "/usr/local/lib", "/usr/share/locale", "/usr/share/i18n",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload",
    "/etc/ld-musl-x86_64.path", "/etc/ld-musl-i386.path", "/etc/ld-musl-aarch64.path", "/etc/ld-musl-armhf.path",
    "/etc/ld-musl-armv7.path", "/etc/ld-musl-powerpc64le.path", "/etc/ld-musl-riscv64.path", "/etc/ld-musl-s390x.path",
    "/etc/ld-musl-loongarch64.path",
    "/etc/localtime",
)  # fmt: skip
#: the data base that turns user and group names into numbers; a number is looked up as a name first (POSIX chown)
ACCOUNTS = ("/etc/passwd", "/etc/group", "/etc/nsswitch.conf")
#: variables of the C library and of GNU coreutils, findutils, sed and busybox (their manuals, section "environment")
TOOL_VARIABLES = (
    "LANG", "LANGUAGE", "LC_*", "LOCPATH", "NLSPATH", "GCONV_PATH", "GLIBC_TUNABLES", "MALLOC_*", "MUSL_LOCPATH", "TZ",
    "TZDIR", "TMPDIR", "VERSION_CONTROL", "SIMPLE_BACKUP_SUFFIX", "BLOCK_SIZE", "BLOCKSIZE", "COLUMNS", "QUOTING_STYLE",
    "FIND_BLOCK_SIZE", "TIME_STYLE", "LS_*", "TABSIZE", "TERM", "GREP_*", "COREUTILS_*", "CP_*", "_POSIX2_VERSION",
)  # fmt: skip

#: directories that every distribution has (FHS 3.0 §3.2, §4.2, §4.9; /home is optional there but always made)
_REQUIRED = (
    "/bin", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/root", "/run", "/sbin", "/srv", "/tmp", "/usr",
    "/usr/bin", "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/share", "/var", "/var/cache", "/var/lib", "/var/log",
)  # fmt: skip
#: what the builder or the kernel provides anew for each RUN; no part of the image (runc's default mounts and devices)
_OF_THE_BUILDER = ("/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/.dockerenv")
_HARMLESS_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd")

_SEARCHED_BY_DEFAULT = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LIBRARY_VARIABLES = ("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT")
#: a word that the shell leaves one word, whatever is in its variables
QUOTED = re.compile(r'"[^"`\\]*"')
_GLOB = re.compile(r"[*?\[{]")
#: a word that holds patterns but neither quotes nor expansions nor a home directory
_GLOB_WORD = re.compile(r"[A-Za-z0-9_./:@%+=,*?\[\]{}^!-]+")


class NotUnderstood(Exception):  # it is an answer, not an error
    """A model meets something that it does not know; the message is the reason of the UNKNOWN."""


def modelled(model: Model) -> Model:
    """Make a model that may raise `NotUnderstood`, and that speaks only of the system's own program of its name."""

    @functools.wraps(model)
    def ask(invocation: Invocation, around: Surroundings) -> Effects:
        try:
            if around.variable("POSIXLY_CORRECT")[1] is not None:
                raise NotUnderstood("`POSIXLY_CORRECT` changes how it reads its arguments")
            _require_system_program(invocation, around)
            return model(invocation, around)
        except NotUnderstood as reason:
            return unknown(str(reason))

    return ask


def searched_directories(around: Surroundings) -> tuple[str, ...]:
    """Return the directories in which programs are searched; the usual ones where PATH is not known (`program` says so)."""
    return tuple((around.variable("PATH")[1] or _SEARCHED_BY_DEFAULT).split(":"))


def _require_system_program(invocation: Invocation, around: Surroundings) -> None:
    program = invocation.argv[0] or ""
    if "/" not in program:
        require_system_programs(around, program)
        return
    if posixpath.dirname(program) not in _PROGRAM_DIRECTORIES:
        raise NotUnderstood(f"`{program}` need not be the system's `{invocation.name}`")
    if around.context_path(program) is not None:
        raise NotUnderstood(f"`{program}` comes from the build context")


def require_system_programs(around: Surroundings, *names: str) -> None:
    """Raise `NotUnderstood` if PATH may lead to other programs of these names than the system's.

    What lies on the way to the system's directories but outside the project is only probed (see `program`): packages
    bring programs of their own, but none that are called like the system's.
    """
    entries = searched_directories(around)
    if any(not entry.startswith("/") for entry in entries):
        raise NotUnderstood("PATH has an entry that depends on the working directory")
    directories = [join("/", entry) for entry in entries]
    system = [i for i, directory in enumerate(directories) if directory in _PROGRAM_DIRECTORIES]
    for i, directory in enumerate(directories):
        before = not system or i < system[0]
        for name in names:
            candidate = join(directory, name)
            if around.context_path(candidate) is not None:
                raise NotUnderstood(f"`{candidate}` comes from the build context")
            of_project = directory not in _LOCAL_PROGRAMS and any(below(directory, r) for r in around.project_roots)
            if before and of_project and around.kind(candidate) != "absent":
                raise NotUnderstood(f"PATH may lead to `{candidate}` instead of the system's `{name}`")


# -- words -----------------------------------------------------------------------------------------------------------


class Operand(NamedTuple):
    """One word that is no option. Of a pattern (`dir/*.txt`), `text` is the directory that holds all its matches."""

    text: str
    raw: str
    glob: bool = False


@dataclass(frozen=True, slots=True)
class Arguments:
    """Options and operands of one command. A repeated option keeps all its values."""

    flags: dict[str, list[str]] = field(default_factory=dict)
    operands: tuple[Operand, ...] = ()

    def has(self, *names: str) -> bool:
        """Tell whether one of these options is given."""
        return any(name in self.flags for name in names)

    def values(self, *names: str) -> list[str]:
        """Return all values that are given to these options."""
        return [value for name in names for value in self.flags.get(name, [])]

    def value(self, *names: str) -> str | None:
        """Return the last value of these options, None if none is given."""
        found = self.values(*names)
        return found[-1] if found else None

    def texts(self) -> list[str]:
        """Return the operands; raises `NotUnderstood` if one of them is a pattern."""
        for operand in self.operands:
            if operand.glob:
                raise NotUnderstood(f"which files `{operand.raw}` matches is not known before the build")
        return [operand.text for operand in self.operands]


def parse(
    invocation: Invocation, *, switches: str = "", valued: str = "", optional: str = "", any_value: str = ""
) -> Arguments:
    """Split arguments as getopt_long with permutation does (GNU and busybox alike).

    `switches`, `valued` and `optional` list the known options, separated by blanks; `optional` ones take a value only
    in the same word (`-i.bak`, `--preserve=mode`). `any_value` options take a value that does not matter to the model,
    also an unknown one in double quotes (without them the shell may make several words of it). Raises `NotUnderstood`
    for anything else and for words that are not known.
    """
    plain, attached, opaque = set(switches.split()), set(optional.split()), set(any_value.split())
    wanting = opaque.union(valued.split())
    words = list(zip(invocation.argv, invocation.raw, strict=True))[1:]
    flags: dict[str, list[str]] = {}
    operands: list[Operand] = []
    options = True

    def following(flag: str) -> str:
        if not words:
            raise NotUnderstood(f"the option `{flag}` has no value")
        text, raw = words.pop(0)
        if text is None and flag in opaque and QUOTED.fullmatch(raw):
            return raw
        if text is None:
            raise NotUnderstood(f"the value `{raw}` of `{flag}` is not known before the build")
        return text

    while words:
        text, raw = words.pop(0)
        if text is None:
            operands.append(_pattern(raw))
        elif not options or text == "-" or not text.startswith("-"):
            operands.append(Operand(text, raw))
        elif text == "--":
            options = False
        elif text.startswith("--") or text in plain | wanting | attached:
            name, equals, value = text.partition("=")
            if equals and name in wanting | attached:
                flags.setdefault(name, []).append(value)
            elif not equals and name in wanting:
                flags.setdefault(name, []).append(following(name))
            elif not equals and name in plain | attached:
                flags.setdefault(name, []).append("")
            else:
                raise NotUnderstood(f"the option `{text}` is not modelled")
        else:
            cluster = text[1:]
            while cluster:
                flag, cluster = f"-{cluster[0]}", cluster[1:]
                if flag in plain:
                    flags.setdefault(flag, []).append("")
                elif flag in attached:
                    flags.setdefault(flag, []).append(cluster)
                    break
                elif flag in wanting:
                    flags.setdefault(flag, []).append(cluster or following(flag))
                    break
                else:
                    raise NotUnderstood(f"the option `{flag}` is not modelled")
    return Arguments(flags, tuple(operands))


def _pattern(raw: str) -> Operand:
    """Return the operand of a word that the shell expands, if at least the directory of its matches is certain."""
    found = _GLOB.search(raw)
    if found is None or not _GLOB_WORD.fullmatch(raw) or ".." in raw[raw.rfind("/", 0, found.start()) + 1 :]:
        raise NotUnderstood(f"the word `{raw}` is not known before the build")
    if found.start() == 0 and raw[0] != "{":
        raise NotUnderstood(f"a file that `{raw}` matches may look like an option; write `./{raw}`")
    if raw[0] == "{" or raw[0] == "-":
        raise NotUnderstood(f"the word `{raw}` is not known before the build")
    return Operand(raw[: raw.rfind("/", 0, found.start()) + 1] or ".", raw, glob=True)


# -- places ----------------------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """An absolute path that an operand means. Of a pattern it is the directory that holds all its matches."""

    path: str
    raw: str
    glob: bool
    #: written with a slash, `.` or `..` at its end: what is meant is a directory or its content
    directory: bool

    @property
    def through(self) -> bool:
        """Whether a pattern goes on after a `/`: then its matches lie behind directories, which may be links."""
        found = _GLOB.search(self.raw) if self.glob else None
        return found is not None and "/" in self.raw[found.start() :]

    @property
    def base(self) -> str:
        """The last component."""
        return posixpath.basename(self.path)


def locate(text: str, around: Surroundings, raw: str = "", *, glob: bool = False) -> Place:
    """Resolve a path against the working directory; raises `NotUnderstood` if that cannot be done before the build."""
    if not text:
        raise NotUnderstood("an operand is empty")
    if not text.startswith("/") and around.cwd is None:
        raise NotUnderstood(f"`{raw or text}` is relative to a working directory that is not known before the build")
    parts = (around.cwd or "").split("/") if not text.startswith("/") else []
    named = False
    for part in text.split("/"):
        if part == ".." and named:
            # that it is there, and no link, would be one more thing that the command reads
            raise NotUnderstood(f"`{raw or text}` goes up again from a directory that it names")
        if part == "..":
            # the kernel follows a link before it goes up
            here = join("/", "/".join(parts))
            if here != "/" and around.kind(here) != "directory":
                raise NotUnderstood(f"`{raw or text}` goes up from `{here}`, which may be a link")
            here = posixpath.dirname(here)
            parts = here.split("/")
        else:
            parts.append(part)
            named = named or part not in ("", ".")
    return Place(
        join("/", "/".join(parts)), raw or text, glob, text.endswith(("/", "/.", "/..")) or text in (".", "..")
    )


def places(arguments: Arguments, around: Surroundings) -> list[Place]:
    """Return the places of all operands."""
    return [locate(operand.text, around, operand.raw, glob=operand.glob) for operand in arguments.operands]


def leads_astray(path: str, around: Surroundings) -> bool:
    """Tell whether a path may be, or go through, a link that the context brought (below the directories it fills)."""
    return any(
        around.kind(step) == "unknown"
        for step in (*parents(path), path)
        if any(below(step, root) for root in around.project_roots)
    )


def require_no_link(path: str, around: Surroundings) -> None:
    """Raise `NotUnderstood` if writing to a path may write somewhere else, through a link that the context brought."""
    if leads_astray(path, around):
        raise NotUnderstood(f"`{path}` may be a link or lie behind one, so what it writes to is not known")


def require_no_link_on_the_way(place: Place, around: Surroundings) -> None:
    """Raise `NotUnderstood` if removing or replacing an operand, itself perhaps a link, may happen somewhere else."""
    if place.through and any(below(place.path, root) or below(root, place.path) for root in around.project_roots):
        raise NotUnderstood(f"`{place.raw}` may go through a link that its pattern matches")
    require_no_link(place.path if place.glob else posixpath.dirname(place.path), around)


def made_parents(path: str, around: Surroundings) -> list[Write]:
    """Return the write of a program that makes the missing directories above a path: all below the first uncertain one."""
    for directory in parents(path):
        if directory not in _REQUIRED and around.kind(directory) != "directory":
            return [Write(Kind.MAY, Region((directory,)))]
    return []


@dataclass
class Reads:
    """Collects what a command reads beside the system."""

    around: Surroundings
    paths: set[str] = field(default_factory=set)
    #: exact files, present or absent
    files: set[str] = field(default_factory=set)
    everything: bool = False
    outside: bool = False
    #: something is read that the builder or the kernel provides
    of_the_builder: bool = False

    def entry(self, *paths: str) -> Reads:
        """Add paths with their subtrees; links in them are taken as links."""
        for path in paths:
            if self.around.kind(path) in ("file", "absent"):
                self.files.add(path)
                continue
            self.paths.add(path)
            above = parents(path)
            self.everything = self.everything or (bool(above) and leads_astray(above[-1], self.around))
        return self

    def tree(self, path: str) -> Reads:
        """Add a path with everything below it; links are taken as links, also the path itself."""
        self.of_the_builder = self.of_the_builder or any(below(place, path) for place in _OF_THE_BUILDER)
        self._note_builder(path)
        return self.entry(path)

    def _note_builder(self, path: str) -> None:
        provided = any(below(path, place) for place in _OF_THE_BUILDER)
        harmless = any(below(path, device) for device in _HARMLESS_DEVICES)
        self.of_the_builder = self.of_the_builder or (provided and not harmless)

    def content(self, path: str) -> Reads:
        """Add a path whose content is read, through a link if it is one."""
        self._note_builder(path)
        self.entry(path)
        if self.around.kind(path) == "unknown":
            if any(below(path, root) or below(root, path) for root in self.around.project_roots):
                self.everything = True
            else:
                self.outside = True
        return self

    def operand(self, place: Place) -> Reads:
        """Add what an operand of a reading program means; of a pattern, everything in its directory."""
        if not place.glob:
            return self.content(place.path)
        self.everything = self.everything or bool(self.around.project_roots)
        self.outside = True
        return self.tree(place.path)

    def as_links(self, place: Place) -> Reads:
        """Add what an operand means of which links are taken as links, but those on the way to it are followed."""
        self.everything = self.everything or (place.glob and (place.through or leads_astray(place.path, self.around)))
        return self.tree(place.path)


def program(
    invocation: Invocation,
    around: Surroundings,
    reads: Reads | None = None,
    *,
    writes: Sequence[Write] = (),
    variables: Sequence[str] = (),
    world: World = World.NONE,
    assumptions: Sequence[str] = (),
    starts: Sequence[str] = (),
) -> Effects:
    """Return the effects of a system program that reads `reads` and the system itself.

    `starts` names the other programs that it searches in PATH.
    """
    require_system_programs(around, *starts)
    found = reads or Reads(around)
    taken = list(assumptions)
    extra, search_known = _environment_paths(around)
    local = {join("/", entry) for entry in searched_directories(around)}.intersection(_LOCAL_PROGRAMS)
    if not search_known or any(below(place, root) for place in local for root in around.project_roots):
        taken.append(SYSTEM_COMMANDS)
    probes = {
        join(entry, name)
        for entry in searched_directories(around)
        if join("/", entry) not in _PROGRAM_DIRECTORIES
        for name in (invocation.name, *starts)
    }
    probes |= found.files
    roots = around.project_roots
    named: tuple[str, ...] = ()
    if found.everything or (found.outside and not roots):
        where = EVERYTHING
        named = tuple(sorted({*SYSTEM, *found.paths, *found.files, *extra}))
    elif found.outside:
        where = EVERYTHING.minus(*roots)
        probes |= {path for path in (*found.paths, *extra) if any(below(path, root) for root in roots)}
        taken.append(LINKS_STAY_OUTSIDE)
    else:
        where = Region(tuple(sorted({*SYSTEM, *found.paths, *extra})))
    if any(_may_follow_links(write, around) for write in writes):
        taken.append(LINKS_STAY_OUTSIDE)
    if found.of_the_builder:
        world = World.FREE
    return Effects(
        reads=where,
        probes=tuple(sorted(probes)),
        variables=(*TOOL_VARIABLES, *variables),
        writes=tuple(writes),
        world=world,
        assumptions=tuple(dict.fromkeys(taken)),
        named=named,
    )


def _may_follow_links(write: Write, around: Surroundings) -> bool:
    """Tell whether a write may go through a link outside the project (inside it, models refuse: `require_no_link`)."""
    followed = write.kind in (Kind.SET, Kind.MAY)
    return any(
        around.kind(step) == "unknown"
        for path in write.region.include
        for step in (*parents(path), *((path,) if followed else ()))
    )


def _environment_paths(around: Surroundings) -> tuple[set[str], bool]:
    """Return the paths that LD_* add to what programs load, and whether PATH and LD_* are known."""
    extra: set[str] = set()
    everything_known = around.variable("PATH")[0]
    for name in _LIBRARY_VARIABLES:
        known, value = around.variable(name)
        everything_known = everything_known and known
        for entry in re.split(r"[: ]", value or ""):
            if entry.startswith("/"):
                extra.add(join("/", entry))
            elif entry and around.cwd is None:
                raise NotUnderstood(f"`{name}` depends on the working directory")
            elif entry:
                extra.add(join(around.cwd or "/", entry))
    return extra, everything_known
