"""Runs commands in throw-away copies of a root directory and says what each of them changed.

It is a program of its own, `chroot_worker.py ROOT PLACE`, started in a mount namespace of its own (`unshare --mount`), so
that nothing that it mounts outlives it or is seen elsewhere. It reads requests as lines of JSON and answers each with one
line. A copy is an overlay: the root below, layers of mutations on it, and an empty directory on top, which afterwards holds
just what was written (kernel documentation, `filesystems/overlayfs.rst`).
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

#: kind, mode, owner, group, and the SHA-256 of a file or the target of a link
Entry = tuple[str, int, int, int, str]
TIMEOUT = 180

_LIBC = ctypes.CDLL(None, use_errno=True)
_MS_BIND, _MNT_DETACH = 4096, 2
_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
#: provided anew for each command, as the builder does
_PROVIDED = ("/dev", "/proc", "/sys")


def _mount(source: str, target: Path, kind: str | None, flags: int = 0, data: str = "") -> None:
    encoded = [source.encode(), str(target).encode(), kind.encode() if kind else None]
    if _LIBC.mount(*encoded, ctypes.c_ulong(flags), data.encode() or None):
        raise OSError(ctypes.get_errno(), f"mount {kind or 'bind'} at {target}: {os.strerror(ctypes.get_errno())}")


def _unmount(target: Path) -> None:
    _LIBC.umount2(str(target).encode(), _MNT_DETACH)


def entry(path: str) -> Entry | None:
    """Describe what lies at a path, without times; None if nothing does."""
    try:
        info = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    content = ""
    if stat.S_ISREG(info.st_mode):
        kind, content = "file", hashlib.sha256(Path(path).read_bytes()).hexdigest()
    elif stat.S_ISLNK(info.st_mode):
        kind, content = "link", str(Path(path).readlink())
    else:
        kind = "directory" if stat.S_ISDIR(info.st_mode) else "other"
    return kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, content


def _below(root: Path, path: str) -> Iterator[str]:
    """Yield all paths below one, as seen from the root; no links are followed."""
    for directory, directories, files in os.walk(f"{root}{path}"):
        for name in (*directories, *files):
            yield f"{directory}/{name}"[len(str(root)) :]


def changes(upper: Path, before: Path) -> dict[str, Entry | None]:
    """Return all paths that differ from `before`, by what the upper directory of an overlay holds."""
    found: dict[str, Entry | None] = {}
    for directory, directories, files in os.walk(upper):
        for name in (*directories, *files):
            path = f"{directory}/{name}"[len(str(upper)) :]
            if path in _PROVIDED:
                if name in directories:
                    directories.remove(name)
                continue
            here, old = os.lstat(upper / path[1:]), entry(f"{before}{path}")
            if stat.S_ISCHR(here.st_mode) and here.st_rdev == 0:
                found.update(dict.fromkeys([path, *_below(before, path)]))
                continue
            new = entry(f"{upper}{path}")
            if new != old:
                found[path] = new
            if old is not None and old[0] == "directory" and _hides(upper / path[1:]):
                kept = {p[len(str(upper)) :] for p in _walked(upper / path[1:])}
                found.update(dict.fromkeys(p for p in _below(before, path) if p not in kept))
    return found


def _hides(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return True
    try:
        return os.getxattr(path, "trusted.overlay.opaque") == b"y"
    except OSError:
        return False


def _walked(path: Path) -> Iterator[str]:
    for directory, directories, files in os.walk(path):
        yield from (f"{directory}/{name}" for name in (*directories, *files))


class Worker:
    """The root directory, the layers made so far, and the place where commands run."""

    def __init__(self, root: Path, place: Path) -> None:
        self.root = root
        self.place = place
        self.layers: dict[str, Path] = {}
        _mount("tmpfs", place, "tmpfs")
        self.devices = place / "dev"
        self.devices.mkdir()
        for name, (major, minor) in _DEVICES.items():
            os.mknod(self.devices / name, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
            (self.devices / name).chmod(0o666)
        for name, target in {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}.items():
            (self.devices / name).symlink_to(target if target.startswith("/") else f"/proc/self/{target}")
        (self.devices / "ptmx").symlink_to("pts/ptmx")
        (self.devices / "pts").mkdir()
        (self.devices / "shm").mkdir(mode=0o1777)
        _mount("devpts", self.devices / "pts", "devpts", 0, "newinstance,ptmxmode=0666")
        self.templates = place / "templates"
        self.templates.mkdir()
        (self.templates / "change").write_text("mutated\n")
        (self.templates / "change").chmod(0o640)
        os.chown(self.templates / "change", 77, 88)
        (self.templates / "file").write_text("#!/bin/sh\nexit 99\n")
        (self.templates / "file").chmod(0o755)
        os.mknod(self.templates / "delete", stat.S_IFCHR, os.makedev(0, 0))

    def layer(self, mutations: Sequence[tuple[str, str]]) -> Path:
        """Return the directory that makes these mutations when it lies over the root; equal ones are made once."""
        key = hashlib.sha256(json.dumps(mutations).encode()).hexdigest()
        if key not in self.layers:
            top = self.layers[key] = self.place / "layers" / key
            top.mkdir(parents=True)
            for path, how in mutations:
                target = top / path[1:]
                self._make_parents(top, path)
                if os.path.lexists(target):
                    continue
                if how == "directory":
                    target.mkdir(mode=0o711)
                elif how == "link":
                    target.symlink_to("/app/secret.txt")
                elif how == "dangling":
                    target.symlink_to("nowhere")
                else:
                    os.link(self.templates / how, target)
        return self.layers[key]

    def _make_parents(self, top: Path, path: str) -> None:
        """Make the directories above a path like those of the root: a directory in a layer gives its mode and owner."""
        for above in reversed(Path(path).parents[:-1]):
            here = Path(f"{top}{above}")
            if not here.exists():
                here.mkdir()
                original = Path(f"{self.root}{above}")
                if original.exists():
                    info = original.stat()
                    os.chown(here, info.st_uid, info.st_gid)
                    here.chmod(stat.S_IMODE(info.st_mode))

    def run(
        self, line: str, environment: dict[str, str], layers: Sequence[Sequence[tuple[str, str]]], *, network: bool
    ) -> dict[str, Any]:
        """Run one command line in a fresh copy; the answer says how it ended, what it printed and what it changed."""
        below = [*(self.layer(layer) for layer in layers if layer), self.root]
        upper, work, merged, before = (self.place / name for name in ("upper", "work", "merged", "before"))
        for directory in (upper, work, merged, before):
            directory.mkdir()
        lower = ":".join(map(str, below))
        shutil.copymode(self.root, upper)
        try:
            options = f"lowerdir={lower},upperdir={upper},workdir={work},redirect_dir=off,metacopy=off"
            _mount("overlay", merged, "overlay", 0, options)
            _mount(str(self.devices), merged / "dev", None, _MS_BIND)
            _mount(str(self.devices / "pts"), merged / "dev/pts", None, _MS_BIND)
            if len(below) > 1:
                _mount("overlay", before, "overlay", 0, f"lowerdir={lower}")
            done = self._run(line, environment, merged, network)
            shown = {"code": done[0], "out": done[1].decode("latin-1"), "err": done[2].decode("latin-1")}
            return {**shown, "changes": changes(upper, before if len(below) > 1 else self.root)}
        finally:
            for mounted in (merged / "dev/pts", merged / "dev", merged, before):
                _unmount(mounted)
            for directory in (upper, work, merged, before):
                shutil.rmtree(directory)

    def _run(self, line: str, environment: dict[str, str], root: Path, network: bool) -> tuple[int, bytes, bytes]:
        command = ["unshare", "--pid", "--fork", "--kill-child", f"--mount-proc={root}/proc"]
        command += [] if network else ["--net"]
        command += ["chroot", str(root), "/bin/sh", "-c", f"cd /app\n{line}"]
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            umask=0o022,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
        return process.returncode, out, err


def main(root: Path, place: Path) -> None:
    """Answer requests until the input ends."""
    worker = Worker(root, place)
    for text in sys.stdin:
        request = json.loads(text)
        try:
            answer = worker.run(**request)
        except Exception as error:  # the test that asked shows it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
