"""The models against the real programs: what they write is claimed, and what is claimed unread changes nothing."""

from __future__ import annotations

import functools
import gzip
import io
import os
import random
import shutil
import stat
import string
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dockopt.optimizer.commands import Invocation, effects_of
from dockopt.optimizer.commands.registry import MODELS
from dockopt.optimizer.effects import Effects, Kind, World
from dockopt.optimizer.regions import Region, below
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.commands.cases import COMMANDS, FAILING, NOT_IN_BUSYBOX
from tests.commands.claims import claimed, matters

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: raise it for a thorough run
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "60"))
_ENVIRONMENT = {"PATH": _PATH, "HOME": "/nonexistent", "LD_PRELOAD": "", "LD_LIBRARY_PATH": "", "LD_AUDIT": ""}


@dataclass
class RealSurroundings:
    """A directory of this machine as if it were the image; kinds are looked up without following links."""

    root: Path
    user: str | None = "root"
    online: bool = False

    @property
    def cwd(self) -> str | None:
        return str(self.root / "app")

    @property
    def project_roots(self) -> tuple[str, ...]:
        return (str(self.root / "app"),)

    def variable(self, name: str) -> tuple[bool, str | None]:
        return True, _ENVIRONMENT.get(name) or None

    def context_path(self, path: str) -> str | None:
        return None

    def read_context(self, path: str) -> bytes | None:
        return None

    def kind(self, path: str) -> str:
        step = Path("/")
        for part in Path(path).parts[1:]:
            if step.is_symlink() and below(str(step), str(self.root)):
                return "unknown"
            step /= part
        try:
            mode = step.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return "absent"
        return "file" if stat.S_ISREG(mode) else "directory" if stat.S_ISDIR(mode) else "unknown"


def plant(root: Path) -> None:
    """Make the image: a project with links in it, and a directory beside it."""
    if root.exists():
        shutil.rmtree(root)
    for name, content in {
        "app/a": "alpha\n",
        "app/b": "beta\n",
        "app/d/a": "inner alpha\n",
        "app/d/e/f": "deep\n",
        "app/other": "other\n",
        "out/a": "outer alpha\n",
        "out/d/x": "x\n",
        "out/victim": "untouched\n",
        "app/secret.txt": "secret\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    (root / "app/empty").mkdir()
    (root / "app/link").symlink_to("../out/victim")
    (root / "app/dirlink").symlink_to("../out/d")
    (root / "app/d/leak").symlink_to("../../out/victim")
    (root / "out/d.tgz").write_bytes(archive())
    (root / "out/z.gz").write_bytes(gzip.compress(b"packed\n", mtime=0))
    with zipfile.ZipFile(root / "out/d.zip", "w") as packed:
        packed.writestr(zipfile.ZipInfo("d/a"), "zipped alpha\n")
        packed.writestr(zipfile.ZipInfo("n/m"), "zipped\n")


@functools.cache
def archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, content in {"d/a": b"packed alpha\n", "d/e/f": b"packed deep\n"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """Return type, mode, owner and content of everything below a directory."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        info = path.lstat()
        content: object = None
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        found[str(path)] = (info.st_mode, info.st_uid, info.st_gid, content)
    return found


def ask(line: str, root: Path) -> Effects:
    raw = tuple(line.split())
    argv = tuple(None if set(word) & set("*?[") and _is_bare(word) and len(word) > 1 else word for word in raw)
    return effects_of(Invocation(argv, raw), RealSurroundings(root))


def run(line: str, root: Path, shell: str = "sh", **extra: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**{k: v for k, v in _ENVIRONMENT.items() if v}, **extra}
    return subprocess.run(
        [*shell.split(), "-c", _lines_as_shell(line) if "&&" not in line else line],
        cwd=root / "app",
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def mutate(root: Path, effects: Effects, seed: int = 0) -> int:
    """Change, remove, replace and add entries that the model claims unread, and all times; return how many."""
    chance = random.Random(seed)
    changed = 0
    for path in sorted(p for p in root.rglob("*") if not p.is_dir() or p.is_symlink()):
        if matters(str(path), effects):
            continue
        changed += 1
        how = chance.randrange(5)
        if how == 0 and not path.is_symlink():
            path.write_text("mutated\n")
            path.chmod(0o640)
            os.chown(path, 77, 88) if os.geteuid() == 0 else None
            continue
        path.unlink()
        if how == 1:
            path.symlink_to(root / "out/victim")
        elif how == 2:
            path.mkdir()
        elif how == 3:
            path.symlink_to("nowhere")
    for directory in [root, *(p for p in root.rglob("*") if p.is_dir() and not p.is_symlink())]:
        for name in ("zz-new", "0", "-new", ".new"):
            new = directory / name
            if not os.path.lexists(new) and not matters(str(new), effects):
                new.write_text("new\n")
                changed += 1
    for path in root.rglob("*"):
        moment = chance.randrange(10**9)
        os.utime(path, (moment, moment), follow_symlinks=False)
    return changed


def check(line: str, root: Path, shell: str = "sh", seed: int = 0) -> Effects | None:
    """Run a command twice and compare it with its model; None if the model does not understand it or it fails."""
    plant(root)
    effects = ask(line, root)
    if effects.unknown is not None:
        return None
    before = snapshot(root)
    first = run(line, root, shell)
    after = snapshot(root)
    if first.returncode == 0:
        _check_written(line, effects, before, after)
    plant(root)
    mutate(root, effects, seed)
    second = run(line, root, shell, UNREAD_VARIABLE="x", VERSION="2", LS="1", HOSTNAME="y")
    # what a failing command leaves behind is of no interest: the build ends; but it has to fail again
    assert second.returncode == first.returncode or effects.world is World.FREE, (
        f"`{line}` ends otherwise when unread files change: {first.stderr!r} {second.stderr!r}"
    )
    if first.returncode != 0:
        return None
    if effects.world is World.FREE:
        return effects
    again = snapshot(root)
    for write in effects.writes:
        inside = {path for path in after.keys() | again.keys() if write.region.covers(Region((path,)))}
        if write.kind is Kind.DIRECTORY:
            inside = set(write.region.include)
        for path in inside:
            assert after.get(path) == again.get(path), (
                f"`{line}` made {path} from something that its model does not read"
            )
    if not effects.writes:
        assert first.stdout == second.stdout, f"`{line}` printed something that its model does not read"
    return effects


def _check_written(
    line: str, effects: Effects, before: dict[str, tuple[object, ...]], after: dict[str, tuple[object, ...]]
) -> None:
    for path in {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}:
        assert claimed(path, effects), f"`{line}` changed {path}, which its model does not say: {effects.writes}"
    for write in effects.writes:
        for path in write.region.include:
            mode = after[path][0] if path in after else None
            assert not (write.kind is Kind.KILL and mode is not None and not _made_again(path, effects)), line
            assert write.kind is not Kind.SET or (isinstance(mode, int) and stat.S_ISREG(mode)), line
            assert write.kind is not Kind.DIRECTORY or Path(path).is_dir(), line


def _made_again(path: str, effects: Effects) -> bool:
    return any(w.kind is not Kind.KILL and w.region.overlaps(Region((path,))) for w in effects.writes)


#: a stand-alone busybox runs its own programs where the shell would search for others
BUSYBOX = "busybox sh"


def _busybox_has_its_own_programs() -> bool:
    """Tell whether this busybox prefers its own programs to those in PATH (CONFIG_FEATURE_SH_STANDALONE)."""
    if shutil.which("busybox") is None:
        return False
    done = subprocess.run(["busybox", "sh", "-c", "cp --help"], capture_output=True, check=False, env={"PATH": _PATH})
    return b"BusyBox" in done.stdout + done.stderr


SHELLS = ["sh", BUSYBOX]
needs_busybox = pytest.mark.skipif(not _busybox_has_its_own_programs(), reason="no stand-alone busybox")


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("gzip", "gunzip", "zcat"):
            patch.setitem(MODELS, name, "dockopt.optimizer.commands.archives:gzip")
        yield


def _lines_as_shell(line: str) -> str:
    """Quote what only the program should see."""
    return " ".join(word if _is_bare(word) else f"'{word}'" for word in line.split())


def _is_bare(word: str) -> bool:
    return set(word) <= set(string.ascii_letters + string.digits + "_./:@%+=,-*?![]")


@pytest.mark.parametrize("line", COMMANDS)
def test_real_program_keeps_to_its_model(line: str, tmp_path: Path) -> None:
    fails = line in FAILING
    for seed in range(3):
        assert (check(line, tmp_path / "image", seed=seed) is None) is fails, f"`{line}` is not understood or fails"


@needs_busybox
@pytest.mark.parametrize("line", [line for line in COMMANDS if line not in NOT_IN_BUSYBOX])
def test_busybox_program_keeps_to_its_model(line: str, tmp_path: Path) -> None:
    fails = line in FAILING
    assert (check(line, tmp_path / "image", BUSYBOX) is None) is fails, f"`{line}` is not understood or fails"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("cp a link", id="writes-through-a-link-to-a-file"),
        pytest.param("cp a dirlink/new", id="writes-through-a-link-to-a-directory"),
        pytest.param("cp -r ../out/. d", id="merges-into-a-directory-that-may-hold-links"),
        pytest.param("chmod 600 link", id="chmod-follows-a-link"),
        pytest.param("chmod 600 ./*", id="chmod-follows-links-that-a-pattern-matches"),
        pytest.param("touch link", id="touch-follows-a-link"),
        pytest.param("tee link", id="tee-follows-a-link"),
        pytest.param("rm -rf dirlink/x", id="rm-behind-a-link"),
        pytest.param("mkdir -p dirlink/new", id="mkdir-behind-a-link"),
        pytest.param("mv dirlink/x new", id="mv-from-behind-a-link"),
        pytest.param("sed -i s/a/b/ dirlink/x", id="sed-behind-a-link"),
        pytest.param("tar -xzf ../out/d.tgz", id="unpacks-among-links"),
    ],
)
def test_refuses_what_goes_through_links_of_the_project(line: str, tmp_path: Path) -> None:
    plant(tmp_path / "image")
    reason = ask(line, tmp_path / "image").unknown
    assert reason is not None
    assert "link" in reason


def test_a_mutation_reaches_something(tmp_path: Path) -> None:
    root = tmp_path / "image"
    plant(root)
    assert mutate(root, ask("cp a new", root)) > 5


def test_the_check_notices_a_model_that_claims_too_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Effects(reads=Region(("/usr",)), writes=(), world=World.NONE)
    monkeypatch.setattr(f"{__name__}.ask", lambda line, root: wrong)
    with pytest.raises(AssertionError, match="does not say"):
        check("rm a", tmp_path / "image")
    with pytest.raises(AssertionError, match=r"unread files change|does not read"):
        check("cat other a b", tmp_path / "image")


_NAMES = [
    *(
        "a",
        "b",
        "d",
        "d/",
        "d/a",
        "d/e",
        "d/e/f",
        "empty",
        "link",
        "dirlink",
        "dirlink/x",
        "d/leak",
        "new",
        "new/x",
        ".",
    ),
    *("../out", "../out/a", "../out/new", "../out/d", "d/.", "./d/*", "../out/*"),
    *("./*/a", "./*/", "dirlink/*", "dirlink/.", "d/../a", "dirlink/../a", "../out/d.tgz", "../out/z.gz", "./[ab]"),
    *("nothing", "./d/e/", "empty/", "a/", "../app/a", "..", "../out/new/deep", "./?", "../out/*/x"),
]
_TOOLS = [
    *(
        "cp",
        "cp -r",
        "cp -a",
        "cp -rL",
        "cp -P",
        "mv",
        "mv -f",
        "rm",
        "rm -f",
        "rm -rf",
        "mkdir",
        "mkdir -p",
        "mkdir -pm 700",
    ),
    *("rmdir", "touch", "touch -c", "chmod 640", "chmod -R 700", "chown 12", "chown -R 12:34", "chown -h 12", "ln -s"),
    *(
        "ln -sf",
        "ln -sfn",
        "install",
        "install -D",
        "install -d",
        "sed -i s/a/b/",
        "tee",
        "cat",
        "grep -r a",
        "ls",
        "ls -R",
    ),
    *("test -e", "wc -c", "tar -xf ../out/d.tgz -C"),
    *("gzip -n", "gzip -nk", "gzip -nf", "gunzip", "gunzip -f", "zcat", "unzip -qo ../out/d.zip -d", "tar -cf new"),
    *("cp -rT", "cp -n", "cp -p", "cp -d", "cp -rf", "cp -t empty", "cp -t ../out", "cp --remove-destination", "mv -n"),
    *(
        "mv -T",
        "mv -t ../out",
        "install -t ../out",
        "install -D -m 600 -t ../out/x",
        "ln -sr",
        "ln -sT",
        "rm -r",
        "rm -d",
    ),
    *("chmod a+X", "chmod -R a+X", "chgrp 9", "chgrp -hR 9", "tee -a", "sed -i.bak 1d", "sed -ni p", "sed -n $p"),
    *(
        "sort",
        "head -1",
        "tail -c 2",
        "grep -l a",
        "grep -R a",
        "ls -a",
        "ls -F",
        "ls -L",
        "test -f",
        "test -d",
        "test -h",
    ),
    *("test -x", "sha256sum", "base64", "cat -A", "touch -h", "touch -r a", "mkdir -m 711", "install -d -m 711"),
    *("tar -C ../out -cf new.tar", "tar -cf ../out/new.tar -C d", "tar -tf"),
]


@st.composite
def _lines(draw: st.DrawFn) -> str:
    operands = draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3))
    return f"{draw(st.sampled_from(_TOOLS))} {' '.join(operands)}"


@pytest.fixture(scope="module")
def workshop() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory).resolve()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)
@given(
    line=_lines(),
    shell=st.sampled_from(SHELLS if _busybox_has_its_own_programs() else SHELLS[:1]),
    seed=st.integers(0, 99),
)
def test_any_understood_command_keeps_to_its_model(line: str, shell: str, seed: int, workshop: Path) -> None:
    assume(check(line, workshop / "image", shell, seed) is not None)


def test_git_questions_write_nothing(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    root = tmp_path / "image"
    plant(root)
    identity = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    setup = "git init -q . && git add -A && git -c user.name=x -c user.email=x@y commit -qm one && git tag v1"
    assert run(setup, root, **identity).returncode == 0
    for line in (
        "git describe --tags --always",
        "git rev-parse --short HEAD",
        "git log -1 --format=%H",
        "git ls-files",
        "git tag --list",
    ):
        effects = ask(line, root)
        assert effects.unknown is None, line
        assert effects.writes == ()
        before = snapshot(root)
        assert run(line, root, **identity).returncode == 0, line
        assert snapshot(root) == before, line
    (root / "app/a").touch()
    os.utime(root / "app/a", (1, 1))
    before = snapshot(root)
    line = "git describe --tags --dirty"
    assert run(line, root, **identity).returncode == 0
    changed = {path for path, value in snapshot(root).items() if before.get(path) != value}
    effects = ask(line, root)
    assert changed, "the index was not refreshed, so this tests nothing"
    assert all(claimed(path, effects) for path in changed)
