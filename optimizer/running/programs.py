"""Which language a program is written in that a container starts, where that is certain.

A Go program counts where a `go build` or `go install` of this very Dockerfile makes the file that is started; an interpreter where it
is given a file or a module of the project. Of anything else it is not known what it does.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockopt.optimizer.entrypoint import Program
from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import below, join
from dockopt.optimizer.symbolic.execute import clean_source, evaluate
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Instruction

#: programs that need root, or give it up by themselves and need it until then
NEEDS_ROOT = frozenset(
    "su su-exec gosu setpriv sudo doas chroot runuser start-stop-daemon chown chgrp useradd adduser usermod groupadd addgroup groupmod "
    "supervisord supervisor cron crond anacron dcron nginx httpd apache2 apache2-foreground apache2ctl apachectl php-fpm postgres mysqld "
    "mysqld_safe mariadbd redis-server mongod sshd dockerd containerd mount umount iptables ip6tables nft sysctl setcap capsh s6-svscan "
    "init s6-overlay runsvdir runit openrc rc-service service systemctl systemd tcpdump openvpn wg wg-quick dnsmasq haproxy caddy traefik "
    "fusermount insmod modprobe rsyslogd syslog-ng squid exim4 postfix dovecot vsftpd".split()
)
#: packages of distributions by which one sees that a container does more than to run a program of the project
TELLING_PACKAGES = NEEDS_ROOT | frozenset(
    "libcap libcap2-bin openssh openssh-server openssh-client-default docker docker-cli docker.io wireguard-tools fuse fuse3 nginx-full "
    "apache2-utils postgresql mysql-server mariadb-server redis memcached rabbitmq-server mosquitto samba nfs-utils nfs-common "
    "busybox-suid shadow busybox-openrc logrotate iproute2 iputils net-tools-root".split()
) - {"init", "service", "chown", "chgrp", "mount", "ip"}
_WRAPPERS = frozenset({"tini", "dumb-init", "tini-static", "catatonit"})
_SOURCE = re.compile(r"\.(?:[cm]?[jt]sx?|py)$")
#: what servers of Python are told to serve: a module, and maybe the name in it
_MODULE = re.compile(r"([A-Za-z_][\w.]*)(?::[\w.()]+)?")
_FLASK_APP = re.compile(r"--app=([\w.]+)(?::\w+)?")
_MOST_ENTRIES = 20_000
_PYTHON_SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "flask", "waitress-serve", "fastapi", "granian"})
_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?")


class Kind(NamedTuple):
    """The language of a program, "" with the reason why it cannot be told."""

    language: str
    unknown: str = ""


def kind_of(build: Build, stage: int, program: Program) -> Kind:
    """Return in which language a program of a stage is written. Raises Unsupported."""
    argv, places = _unwrapped(program)
    name = posixpath.basename(argv[0] or "") if argv else ""
    if not name:
        return Kind("", "the name of the program is not known before the container runs")
    if name in NEEDS_ROOT:
        return Kind("", f"`{name}` needs root, or gives it up by itself")
    if name in ("npm", "yarn", "pnpm", "npx", "bun", "bunx", "corepack"):
        return Kind("", f"`{name}` starts what package.json says, with caches and logs of its own; start `node` itself")
    language = {"node": "Node", "nodejs": "Node", "java": "Java"}.get(name, "")
    if _PYTHON.fullmatch(name) or name in _PYTHON_SERVERS:
        language = "Python"
    if language:
        part = _part_of_project(build, stage, language, argv, program.cwd)
        return (
            Kind(language) if part else Kind("", f"it is not certain that `{name}` runs a program of the build context")
        )
    if any(is_built_by_go(build, stage, place) for place in places):
        return Kind("Go")
    return Kind(
        "",
        f"what `{name}` writes, and whether it needs root, is not known: nothing builds it from Go sources of the build context",
    )


def _part_of_project(build: Build, stage: int, language: str, argv: Sequence[str | None], cwd: str | None) -> bool:
    """Tell whether an interpreter is given a file or module of which the build context has a source by that name."""
    words = list(argv)
    name = posixpath.basename(words.pop(0) or "")
    if language == "Java":
        jar = words[words.index("-jar") + 1] if "-jar" in words[:-1] else None
        writer = None if jar is None or cwd is None else build.runs[stage].final.files.last_writer(join(cwd, jar))
        return writer is not None and not writer.writer.startswith("`ADD ")
    if language == "Python" and name not in _PYTHON_SERVERS and "-m" in words[:-1]:
        module = words[words.index("-m") + 1] or ""
        words = words[words.index("-m") + 2 :]
        if module not in _PYTHON_SERVERS:
            return _has_source(build, module.replace(".", "/"))
        name = module
    operands = [word for word in words if word is not None and not word.startswith("-")]
    if name in _PYTHON_SERVERS:
        # `uvicorn --workers 4 package.module:name`; flask looks for app.py and wsgi.py (Flask, "Application Discovery")
        modules = [
            found[1] for word in operands if (found := _MODULE.fullmatch(word)) is not None and not word.isdigit()
        ]
        if name == "flask":
            modules = [found[1] for word in words if word is not None and (found := _FLASK_APP.fullmatch(word))] or [
                "app",
                "wsgi",
            ]
        return any(_has_source(build, module.replace(".", "/")) for module in modules)
    first = operands[0] if operands else None
    if (
        first is None
        or posixpath.basename(first) == "manage.py"
        or (language == "Python" and not first.endswith(".py"))
    ):
        return False
    return _has_source(build, posixpath.splitext(posixpath.basename(first))[0])


def _has_source(build: Build, module: str) -> bool:
    names = tuple(f"/{module}{rest}" for rest in ("", "/__init__", "/__main__", "/index"))
    paths = build.context.files_below("", _MOST_ENTRIES) or ()
    return any(
        f"/{posixpath.splitext(path)[0]}".endswith(names)
        for path in paths
        if _SOURCE.search(path) and "node_modules/" not in path
    )


def _unwrapped(program: Program) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """Take an init program off that only starts the rest of its arguments (tini, dumb-init)."""
    argv, places = program.argv, program.places
    while argv and posixpath.basename(argv[0] or "") in _WRAPPERS:
        rest = argv[1:]
        if "--" in rest:
            rest = rest[rest.index("--") + 1 :]
        while rest and rest[0] is not None and rest[0].startswith("-"):
            rest = rest[1:]
        argv = rest
        head = rest[0] if rest else None
        places = (join(program.cwd or "/", head),) if head and "/" in head else ()
    return argv, places


def is_built_by_go(build: Build, stage: int, path: str) -> bool:
    """Tell whether the file at a path of a stage is what the go tool makes there of the project, or in a stage it is copied from."""
    for command in build.executed:
        if command.stage == stage and command.name == "go" and _makes(command.argv, command.cwd, path):
            return _works_in_the_project(command)
    for source_stage, source in _copied_from(build, stage, path):
        if source_stage < stage and is_built_by_go(build, source_stage, source):
            return True
    parent = build.executor.stage_named(build.dockerfile.stages[stage].base, stage)
    return parent is not None and is_built_by_go(build, parent.stage.index, path)


def _works_in_the_project(command: Executed) -> bool:
    """Tell whether the directory of a command comes from the build context: else it builds something else, a clone for example."""
    mounted = [m.target or "/" for m in command.instruction.mounts if m.type == "bind" and not m.from_]
    roots = (*command.roots, *(join(command.before.cwd or "/", target) for target in mounted))
    return command.cwd is not None and any(below(command.cwd, root) for root in roots)


def _makes(argv: Sequence[str | None], cwd: str | None, path: str) -> bool:
    if len(argv) < 2 or cwd is None:
        return False
    if argv[1] == "install":
        return below(path, "/go/bin")
    if argv[1] != "build":
        return False
    output: str | None = None
    for at, word in enumerate(argv):
        if word in ("-o", "--o") and at + 1 < len(argv):
            output = argv[at + 1]
            if output is None:
                return False
        elif word is not None and re.match(r"--?o=", word):
            output = word.partition("=")[2]
    if output is None:
        # the module or the directory gives the name (`go help build`)
        return posixpath.dirname(path) == cwd
    place = join(cwd, output)
    return path == place or (posixpath.dirname(path) == place)


def _copied_from(build: Build, stage: int, path: str) -> Iterator[tuple[int, str]]:
    """Yield the stages, and the paths in them, of which COPYs of a stage may have made a path, the last one first."""
    found = build.dockerfile.stages[stage]
    for position in reversed(range(len(found.instructions))):
        instruction = found.instructions[position]
        origin = _stage_of(build, instruction)
        if instruction.keyword != "COPY" or origin is None:
            continue
        state = build.runs[stage].states[position]
        words = [evaluate(w, state, build.dockerfile.escape, instruction.start_line).text for w in instruction.words]
        destination = words.pop()
        if destination is None or (state.cwd is None and not destination.startswith("/")):
            continue
        target = join(state.cwd or "/", destination)
        for word in words:
            if word is None:
                continue
            source = "/" + clean_source(word)
            if path in (target, join(target, posixpath.basename(source))):
                yield origin, source
            if below(path, target) and path != target:
                yield origin, join(source, path[len(target) :].lstrip("/"))


def _stage_of(build: Build, instruction: Instruction) -> int | None:
    name = instruction.flag("from")
    if name is None:
        return None
    if name.isdigit():
        return int(name) if int(name) < len(build.dockerfile.stages) else None
    return next((s.index for s in reversed(build.dockerfile.stages) if s.name == name.lower()), None)
