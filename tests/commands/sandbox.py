"""A Debian and a busybox in which commands run for real, each time in a fresh copy, beside the servers that they ask.

The root directories come out of images that the engine builds; `chroot_worker.py` runs the commands, as root. What is
served (files by http and https, a repository of packages of each kind, one of git) is made with the image, so that no
command asks the network.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dockopt.optimizer.regions import below

from tests.commands.chroot_worker import entry
from tests.engine.engine import Engine

__all__ = ["entry"]

_HERE = Path(__file__).parent
#: names of variables, absolute paths and settings below a home directory, as strings of a compiled program or in a script
_NAME = rb"[A-Z][A-Z0-9_]{2,40}"
_PATH = rb"/(?:etc|usr/share|usr/local|var|root|opt|srv|home|run|tmp)(?:/[\w.+-]+)+"
_SETTING = rb"\.[a-z][\w-]+(?:/[\w.-]+)?"
#: what the shell itself sets or checks
_OF_THE_SHELL = frozenset(
    {"PATH", "HOME", "PWD", "OLDPWD", "OPTIND", "PPID", "PS1", "PS2", "PS4", "IFS", "SHLVL", "UID"}
)

Mutations = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one command ended, what it printed, and what it changed: None for a path that is gone."""

    code: int
    out: str
    err: str
    changes: dict[str, tuple[object, ...] | None]


@dataclass(frozen=True, slots=True)
class Words:
    """What programs may ask for, by the strings in them."""

    variables: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


@dataclass
class ImageSurroundings:
    """A root directory as a model may know it; `knows_all` is False where the base image is not known."""

    root: Path
    knows_all: bool = True
    project_roots: tuple[str, ...] = ("/app", "/opt/project")
    variables: dict[str, str] = field(default_factory=dict)
    cwd: str | None = "/app"
    user: str | None = "root"
    online: bool = True

    def variable(self, name: str) -> tuple[bool, str | None]:
        return True, self.variables.get(name)

    def context_path(self, path: str) -> str | None:
        return None

    def read_context(self, path: str) -> bytes | None:
        return None

    def kind(self, path: str) -> str:
        if not self.knows_all and not any(below(path, root) for root in self.project_roots):
            return "unknown"
        step = self.root
        for part in Path(path).parts[1:]:
            if step.is_symlink():
                return "unknown"
            step /= part
        try:
            mode = step.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return "absent"
        return "file" if stat.S_ISREG(mode) else "directory" if stat.S_ISDIR(mode) else "unknown"


class Root:
    """A root directory and the worker that runs commands in copies of it; use it as a context manager."""

    def __init__(self, root: Path, place: Path, environment: dict[str, str], servers: dict[str, str]) -> None:
        place.mkdir()
        self.path = root
        self.environment = environment
        self.servers = servers
        self._words: dict[Path, Words] = {}
        self._entries: dict[str, list[tuple[str, bool]]] = {}
        worker = ["unshare", "--mount", "--propagation=private", "--fork", "--kill-child", sys.executable]
        self._worker = subprocess.Popen(
            [*worker, str(_HERE / "chroot_worker.py"), str(root), str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._worker.stdin is not None and self._worker.stdout is not None
        self._worker.stdin.close()
        self._worker.wait()
        self._worker.stdout.close()

    def around(self, *, knows_all: bool) -> ImageSurroundings:
        return ImageSurroundings(self.path, knows_all, variables=self.environment)

    def run(
        self, line: str, layers: Sequence[Mutations] = (), variables: dict[str, str] | None = None, network: bool = True
    ) -> Outcome:
        request = {"line": line, "layers": layers, "network": network}
        request["environment"] = {**(variables or {}), **self.environment}
        assert self._worker.stdin is not None and self._worker.stdout is not None
        self._worker.stdin.write(json.dumps(request) + "\n")
        self._worker.stdin.flush()
        answer: dict[str, Any] = json.loads(self._worker.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        answer["changes"] = {path: value and tuple(value) for path, value in answer["changes"].items()}
        return Outcome(**answer)

    def entries(self, directory: str) -> list[tuple[str, bool]]:
        """Return the names in a directory ("" is the root), and whether each is a directory itself."""
        if directory not in self._entries:
            with os.scandir(f"{self.path}{directory}") as found:
                self._entries[directory] = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in found)
        return self._entries[directory]

    def words_of(self, names: Sequence[str]) -> Words:
        """Return what stands in programs and in the libraries that they load; `perl` has the modules of Debian's scripts."""
        places = ("usr/bin", "usr/sbin", "bin", "usr/lib/git-core")
        found = [self.path / place / name for name in names for place in places]
        files = {path.resolve() for path in found if path.is_file()}
        shown = " ".join(str(path)[len(str(self.path.resolve())) :] for path in sorted(files))
        libraries = self.run(f"ldd {shown} | grep -o '/[^ :]*' | sort -u").out.split()
        files |= {(self.path / library[1:]).resolve() for library in libraries}
        if "perl" in names:
            files.update((self.path / "usr/share/perl5").rglob("*.p[ml]"))
        known = [self._words_in(path) for path in sorted(files) if path.is_file()]
        variables = {name for words in known for name in words.variables} - _OF_THE_SHELL
        paths = {name for words in known for name in words.paths}
        settings = {name for words in known for name in words.settings}
        return Words(tuple(sorted(variables)), tuple(sorted(paths)), tuple(sorted(settings)))

    def _words_in(self, path: Path) -> Words:
        if path not in self._words:
            content = path.read_bytes()
            self._words[path] = Words(*(_strings(content, pattern) for pattern in (_NAME, _PATH, _SETTING)))
        return self._words[path]


def _strings(content: bytes, pattern: bytes) -> tuple[str, ...]:
    compiled = content.startswith(b"\x7fELF")
    around = (rb"(?<=\0)", rb"(?=\0)") if compiled else (rb"(?<![\w./%-])", rb"(?![\w/%$.-])")
    return tuple({word.decode() for word in re.findall(around[0] + pattern + around[1], content)})


class _Served(http.server.SimpleHTTPRequestHandler):
    """Serves files; `/to/X` leads to `/X`, and https asks to be remembered."""

    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Strict-Transport-Security", "max-age=31536000")
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def _serve(directory: Path, certificate: Path | None, stack: ExitStack) -> int:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Served, directory=str(directory)))
    stack.callback(server.server_close)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    return int(server.server_address[1])


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _serve_git(root: Path, stack: ExitStack) -> int:
    port = _free_port()
    daemon = ["chroot", str(root), "/usr/lib/git-core/git-daemon", "--export-all", "--base-path=/served", "--reuseaddr"]
    process = stack.enter_context(
        subprocess.Popen(
            [*daemon, "--listen=127.0.0.1", f"--port={port}", "/served"],
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )
    stack.callback(process.terminate)
    return port


def missing() -> str | None:
    """Say why commands cannot run in a root directory of their own here, or nothing if they can."""
    if why := Engine.missing():
        return why
    if os.geteuid() != 0:
        return "mounting and changing the root directory needs root"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return None if done.returncode == 0 else f"no mount namespaces: {done.stderr.decode().strip()}"


def export(tag: str, target: Path) -> None:
    """Unpack the file system of an image; raises `CalledProcessError` where that fails."""
    target.mkdir()
    container = subprocess.run(
        ["docker", "create", "--network=none", tag, "none"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    name = container.stdout.decode().strip()
    try:
        with subprocess.Popen(["docker", "export", name], stdout=subprocess.PIPE) as exported:
            unpack = ["tar", "-xp", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", str(target)]
            subprocess.run(unpack, stdin=exported.stdout, check=True)
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=True)


def debian(engine: Engine, place: Path, stack: ExitStack) -> Root:
    """Build the image with the tools, unpack it, start the servers and tell apt and dnf where they are."""
    tag = engine.tag("tools")
    built = engine.build((_HERE / "tools_image/Dockerfile").read_bytes(), _HERE / "tools_image", tag=tag)
    assert built.ok, built.log
    root = place / "debian"
    export(tag, root)
    packages = _serve(root / "packages", None, stack)
    servers = {
        "http": f"http://127.0.0.1:{_serve(root / 'served', None, stack)}",
        "https": f"https://localhost:{_serve(root / 'served', root / 'packages', stack)}",
        "git": f"git://127.0.0.1:{_serve_git(root, stack)}",
    }
    (root / "etc/yum.repos.d/test.repo").write_text(
        f"[test]\nname=test\nbaseurl=http://127.0.0.1:{packages}/rpm\ngpgcheck=0\n"
    )
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] http://127.0.0.1:{packages}/deb ./\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    (root / "etc/resolv.conf").write_text("")
    _run_in(root, "apt-get update && dnf -q makecache")
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    return stack.enter_context(Root(root, place / "debian-work", environment, servers))


def _run_in(root: Path, script: str) -> None:
    """Run something in a root directory itself, which keeps what it does."""
    mounted = f"mount --rbind /dev {root}/dev && mount -t proc proc {root}/proc && chroot {root} sh -c '{script}'"
    command = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "sh", "-c", mounted]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def busybox(engine: Engine, debian_root: Root, place: Path, stack: ExitStack) -> Root:
    """Unpack busybox, with the project of the other root and some accounts, and with the same servers."""
    tag = engine.tag("busybox")
    built = engine.build(
        b"FROM busybox:latest\nRUN mkdir -p /srv/site /home /var/mail /usr/bin && echo x >/srv/site/file\n",
        place,
        tag=tag,
    )
    assert built.ok, built.log
    root = place / "busybox"
    export(tag, root)
    subprocess.run(["cp", "-a", debian_root.path / "app", debian_root.path / "out", root], check=True)
    for name, line in {
        "passwd": "someone:x:1000:1000::/home/someone:/bin/sh\n",
        "shadow": "root:*:1::::::\nsomeone:!:1::::::\n",
        "group": "crowd:x:500:\ntext:x:501:\nsomeone:x:1000:\n",
    }.items():
        with (root / "etc" / name).open("a") as accounts:
            accounts.write(line)
    return stack.enter_context(Root(root, place / "busybox-work", {**debian_root.environment}, debian_root.servers))
