"""The models against the programs of a whole Debian and a busybox, while all that they claim unread changes.

`test_models_against_tools.py` does it with files of a project on this machine; here it is every path of an image and every
variable whose name stands in a program, and also what makes accounts, installs packages and asks servers.
"""

from __future__ import annotations

import os
import shlex
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from dockopt.optimizer.commands import Invocation, effects_of
from dockopt.optimizer.commands.arguments import _OF_THE_BUILDER, _REQUIRED
from dockopt.optimizer.commands.registry import MODELS
from dockopt.optimizer.effects import ALWAYS_READ, Effects, Kind, World, matches
from dockopt.optimizer.regions import Region, below, parents

from tests.commands import sandbox
from tests.commands.cases import BUSYBOX, COMMANDS, DEBIAN, DEBIAN_FAILING, FAILING, NOT_IN_BUSYBOX, VERSIONS
from tests.commands.claims import claimed, matters
from tests.commands.sandbox import Mutations, Outcome, Root, Words
from tests.engine.engine import Engine

pytestmark = pytest.mark.engine

#: what a variable that should not matter is set to, and how a path that should not matter changes, in each of the runs
_VALUES = ("1", "/app/secret.txt", "-x y")
_KINDS_OF_CHANGE = ("change", "delete", "directory", "link", "dangling")
#: programs whose packages run long scripts: one run with changes is enough
_SLOW = ("nginx-light", "openssh-server", "vim-tiny")
#: printed assumptions that excuse times in these files
_DATED = {
    "log-dates": ("/var/log", "/var/cache/apt", "/var/lib/dpkg"),
    "account-dates": ("/etc/shadow", "/etc/shadow-"),
    "certificate-hooks": ("/etc/ssl/certs/java",),
}
#: what build arguments are often called, and what some libraries ask for
_ALWAYS_TRIED = ("VERSION", "DEBUG", "NAME", "HOME", "USER", "EDITOR", "TAR_OPTIONS", "GIT_DIR", "GZIP", "TMPDIR")
#: how often a command is run again, with nothing changed, to see what differs by chance alone
_CONTROLS = 5
#: what says more of the copy than of the command: apt's index of its lists and ldconfig's notes go by times and numbers of
#: inodes (apt `pkgcachegen.cc`, ldconfig(8) on aux-cache); not excused where a model claims to be free of the world
_OF_THE_COPY = {"/var/cache/apt/pkgcache.bin", "/var/cache/apt/srcpkgcache.bin", "/var/cache/ldconfig/aux-cache"}
_NEW_NAMES = ("zz-new", "-new", ".new", "0")
#: what programs start, whose variables are tried too
_STARTED = {
    **dict.fromkeys(
        ("apt-get", "apt", "apt-mark", "dpkg"), "dpkg dpkg-deb dpkg-split dpkg-query tar gpgv perl useradd"
    ),
    **dict.fromkeys(("adduser", "addgroup"), "perl useradd groupadd usermod gpasswd chfn passwd chage find"),
    **dict.fromkeys(("dnf", "yum"), "python3 rpm"),
    "update-ca-certificates": "openssl run-parts sed find mktemp",
    "git": "git-remote-http",
    "tar": "gzip bzip2 xz",
    "which": "which.debianutils",
}


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("gzip", "gunzip", "zcat", "bzip2", "bunzip2", "bzcat", "xz", "unxz", "xzcat"):
            patch.setitem(MODELS, name, "dockopt.optimizer.commands.archives:gzip")
        patch.setitem(MODELS, "passwd", "dockopt.optimizer.commands.users:passwd")
        yield


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    if why := sandbox.missing():
        pytest.skip(f"needs a build engine and mount namespaces: {why}")
    with ExitStack() as open_things:
        yield open_things


@pytest.fixture(scope="module")
def engine(stack: ExitStack) -> Engine:
    return stack.enter_context(Engine())


def _place(stack: ExitStack) -> Path:
    """Make a directory that is gone afterwards: pytest would keep hundreds of megabytes of its last runs."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory()))


@pytest.fixture(scope="module")
def debian(engine: Engine, stack: ExitStack) -> Root:
    return sandbox.debian(engine, _place(stack), stack)


@pytest.fixture(scope="module")
def busybox(engine: Engine, debian: Root, stack: ExitStack) -> Root:
    return sandbox.busybox(engine, debian, _place(stack), stack)


@pytest.fixture(scope="module")
def words(debian: Root) -> Words:
    return debian.words_of([*MODELS, *" ".join(_STARTED.values()).split()])


@pytest.fixture(scope="module")
def changing(debian: Root, words: Words) -> Changes:
    return Changes(debian, words)


@pytest.fixture(scope="module")
def changing_busybox(busybox: Root, words: Words) -> Changes:
    return Changes(busybox, words, ("busybox",))


def ask(line: str, root: Root, *, knows_all: bool) -> Effects:
    lexer = shlex.shlex(line, posix=False, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    raw = tuple(lexer)
    argv = tuple(
        None if set(word) & set("*?[") and len(word) > 1 and "'" not in word else shlex.split(word)[0] for word in raw
    )
    return effects_of(Invocation(argv, raw), root.around(knows_all=knows_all))


_NEAR = ("/app", "/out")


class Changes:
    """Changes of all that a model claims unread; those of most of the image are the same for many commands, and kept."""

    def __init__(self, root: Root, words: Words, programs: Sequence[str] = ()) -> None:
        self.root, self.words, self.programs = root, words, programs
        self._names: dict[str, tuple[str, ...]] = {}
        self._kept: dict[object, Mutations] = {}

    def of(self, effects: Effects, seed: int) -> tuple[Mutations, Mutations]:
        """Return the changes of the project and of what lies beside it, and those of everything else."""
        far = [path for path in (*effects.reads.include, *effects.probes) if not _is_near(path)]
        written = [write.region for write in effects.writes if not all(map(_is_near, write.region.include))]
        key = (seed, tuple(far), effects.reads.exclude, tuple(written))
        if key not in self._kept:
            self._kept[key] = [*self._added(effects, seed), *self._below("", effects, seed)]
        near = [change for place in _NEAR for change in self._below(place, effects, seed)]
        return near, self._kept[key]

    def variables(self, program: str, effects: Effects, seed: int) -> dict[str, str]:
        """Return values of the variables that a program may ask for and that the model claims unread."""
        if effects.variables is None:
            return {}
        if program not in self._names:
            programs = self.programs or (program, *_STARTED.get(program, "").split())
            self._names[program] = self.root.words_of(programs).variables
        read = (*effects.variables, *ALWAYS_READ)
        return {name: _VALUES[seed] for name in (*self._names[program], *_ALWAYS_TRIED) if not matches(name, read)}

    def _added(self, effects: Effects, seed: int) -> Iterator[tuple[str, str]]:
        """Yield files that are not there, but whose names stand in programs; seed 2 only removes."""
        made: set[str] = set()
        words = self.words
        for path in sorted({*words.paths, *(f"{home}/{name}" for home in ("", "/root") for name in words.settings)}):
            above = [self.root.path / step[1:] for step in parents(path)]
            if (
                seed != 2
                and not (self.root.path / path[1:]).exists()
                and not any(step.is_symlink() or step.is_file() for step in above)
                and made.isdisjoint(parents(path))
                and not _is_kept(path)
                and not matters(path, effects)
            ):
                made.add(path)
                yield path, "file"

    def _below(self, directory: str, effects: Effects, seed: int, free: bool = False) -> Iterator[tuple[str, str]]:
        """Yield changes below a directory ("" is the root); `free`: the model claims all of it unread."""
        if seed != 2:
            new = (f"{directory}/{name}" for name in _NEW_NAMES)
            yield from ((path, "file") for path in new if free or not matters(path, effects))
        for name, holds_others in self.root.entries(directory):
            path = f"{directory}/{name}"
            if not directory and (_is_kept(path) or path in _NEAR):
                continue
            unread = free or not matters(path, effects)
            lot = zlib.crc32(f"{path}{seed}".encode())
            if not holds_others:
                if unread and path not in _REQUIRED and not _is_kept(path):
                    yield path, {0: "change", 2: "delete"}.get(seed) or _KINDS_OF_CHANGE[lot % 5]
            elif unread and path not in _REQUIRED and lot % 3 < seed:
                yield path, "delete" if seed == 2 else ("delete", "change", "dangling")[lot // 3 % 3]
            elif unread or not effects.reads.covers(Region((path,))):
                yield from self._below(path, effects, seed, unread)


def _is_near(path: str) -> bool:
    return any(below(path, place) for place in _NEAR)


def _is_kept(path: str) -> bool:
    return any(below(path, place) for place in (*_OF_THE_BUILDER, "/packages", "/served"))


def check(line: str, root: Root, changing: Changes, *, fails: bool) -> None:
    """Run a command, run it again in images that differ in what its model claims unread, and compare."""
    for name, address in root.servers.items():
        line = line.replace(f"{{{name}}}", address)
    known, blind = (ask(line, root, knows_all=knows_all) for knows_all in (True, False))
    assert known.unknown is None, f"`{line}` is not understood: {known.unknown}"
    first = root.run(line)
    assert (first.code != 0) is fails, f"`{line}` ends with {first.code}: {first.out}{first.err}"
    for effects in (known, blind):
        if effects.unknown is None and not fails:
            check_written(line, effects, first, root)
    for seed, effects in enumerate((known, blind, known)):
        if effects.unknown is not None or (seed and any(package in line for package in _SLOW)):
            continue
        layers = changing.of(effects, seed)
        variables = changing.variables(line.split()[0], effects, seed)
        second = root.run(line, layers, variables, network=effects.world is not World.NONE)
        check_same(line, effects, first, second, root)


def check_written(line: str, effects: Effects, outcome: Outcome, root: Root) -> None:
    for path in sorted(outcome.changes):
        assert claimed(path, effects), f"`{line}` changed {path}, which its model does not say: {effects.writes}"
    for write in effects.writes:
        for path in write.region.include:
            after = outcome.changes[path] if path in outcome.changes else sandbox.entry(f"{root.path}{path}")
            again = any(w.kind is not Kind.KILL and w.region.overlaps(Region((path,))) for w in effects.writes)
            assert write.kind is not Kind.KILL or after is None or again, f"`{line}` left {path}"
            assert write.kind is not Kind.SET or (after and after[0] == "file"), f"`{line}` made no file {path}"
            assert write.kind is not Kind.DIRECTORY or (after and after[0] == "directory"), f"`{line}` made no {path}"


def check_same(line: str, effects: Effects, first: Outcome, second: Outcome, root: Root) -> None:
    said = f"{first.out}{first.err}\n---\n{second.out}{second.err}"
    assert second.code == first.code, f"`{line}` ends otherwise when unread things change: {said}"
    if first.code:
        return
    differing = {
        path
        for path in first.changes.keys() | second.changes.keys()
        if first.changes.get(path) != second.changes.get(path)
        and not (effects.world is not World.NONE and path in _OF_THE_COPY)
    }
    printed = not effects.writes and first.out != second.out
    if not differing and not printed:
        return
    shaky: set[str] = set()
    prints_alike = True
    for _ in range(_CONTROLS):
        control = root.run(line)
        prints_alike = prints_alike and control.out == first.out
        shaky |= {
            path
            for path in first.changes.keys() | control.changes.keys()
            if first.changes.get(path) != control.changes.get(path)
        }
        if differing <= shaky and not (printed and prints_alike):
            break
    for path in sorted(differing - shaky):
        was, became = first.changes.get(path, "unchanged"), second.changes.get(path, "unchanged")
        raise AssertionError(f"`{line}` made {path} ({was}, then {became}) of what its model does not read: {said}")
    assert not printed or not prints_alike, f"`{line}` printed something that its model does not read: {said}"
    if effects.world is World.NONE:
        names = {assumption.partition(":")[0] for assumption in effects.assumptions}
        excused = [place for name in names for place in _DATED.get(name, ())]
        undated = {path for path in shaky if not any(below(path, place) for place in excused)}
        assert not undated, (
            f"`{line}` makes {sorted(undated)} from the clock or by chance, which its model does not say"
        )
        assert not printed, f"`{line}` prints something from the clock or by chance, which its model does not say"


def _chosen(lines: Sequence[str]) -> list[str]:
    """Return all command lines where `DOCKOPT_ALL_MODEL_CASES` is set, else the first of each program."""
    if os.environ.get("DOCKOPT_ALL_MODEL_CASES"):
        return list(lines)
    return list({line.split()[0]: line for line in reversed(lines)}.values())


@pytest.mark.parametrize("line", _chosen(DEBIAN))
def test_program_of_debian_keeps_to_its_model(line: str, debian: Root, changing: Changes) -> None:
    check(line, debian, changing, fails=line in DEBIAN_FAILING)


@pytest.mark.parametrize("line", _chosen(COMMANDS))
def test_program_on_files_keeps_to_its_model(line: str, debian: Root, changing: Changes) -> None:
    check(_quoted(line), debian, changing, fails=line in FAILING)


@pytest.fixture(scope="module")
def applets(busybox: Root) -> frozenset[str]:
    return frozenset(busybox.run("busybox --list").out.split())


@pytest.mark.parametrize("line", _chosen([*(line for line in COMMANDS if line not in NOT_IN_BUSYBOX), *BUSYBOX]))
def test_program_of_busybox_keeps_to_its_model(
    line: str, busybox: Root, changing_busybox: Changes, applets: frozenset[str]
) -> None:
    if line.split(maxsplit=1)[0] not in applets:
        pytest.skip(f"this busybox has no `{line.split(maxsplit=1)[0]}`")
    check(_quoted(line), busybox, changing_busybox, fails=line in FAILING)


def _quoted(line: str) -> str:
    """Quote what only the program should see: all but patterns of names."""
    return " ".join(
        f"'{word}'" if set(word) & set("$()<>\\[;") and not word.startswith("./") else word for word in line.split()
    )


@pytest.mark.parametrize("package", sorted({package for packages in VERSIONS.values() for package in packages}))
def test_the_documentation_names_the_versions_that_run(package: str, debian: Root, busybox: Root) -> None:
    (recorded,) = {packages[package] for packages in VERSIONS.values() if package in packages}
    if package == "busybox":
        found = busybox.run("busybox | head -n 1").out.partition(" v")[2]
    else:
        found = debian.run(f"dpkg-query -W -f '${{Version}}' {package}").out.rpartition(":")[2]
    assert found == recorded or found.startswith((f"{recorded}.", f"{recorded}-", f"{recorded}+")), found
