"""What the image of the last stage needs to run without root: an account, directories of its own, or an answer of the author.

Everything that is not certain is a question with its place; a fact that rules it out is a refusal. What packages of others do inside of
a program is not looked at, but for those that are known to keep files.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from dockopt.optimizer.accounts import NEW, BaseUsers, needs_root, users_of
from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.entrypoint import Program, Start, health_checked, started
from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import below, join
from dockopt.optimizer.running.health import SHELL_WRITES, only_looks
from dockopt.optimizer.running.installations import installed
from dockopt.optimizer.running.languages import LANGUAGES
from dockopt.optimizer.running.modes import Closed, closed_files
from dockopt.optimizer.running.ports import low_ports
from dockopt.optimizer.running.programs import TELLING_PACKAGES, kind_of
from dockopt.optimizer.running.services import Service, services_of
from dockopt.optimizer.running.sources import FIRST_FREE_PORT, Found, read_sources
from dockopt.optimizer.symbolic.execute import evaluate
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.wording import shortened

#: everybody may write to these where a base image has them (Filesystem Hierarchy Standard 3.0; devices)
_OPEN = ("/tmp", "/var/tmp", "/dev/shm", "/dev/null", "/dev/stdout", "/dev/stderr", "/dev/fd")
#: what a program may not own: programs, libraries and settings of the system, and directories that others share
_SYSTEM = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/run",
)
_SHARED = frozenset(
    "/ /home /media /mnt /opt /srv /tmp /var /var/cache /var/lib /var/log /var/spool /usr/src /go /go/bin".split()
)
#: programs may have directories of their own below these
_NOT_SYSTEM = ("/usr/src", "/usr/app", "/usr/share/app")
#: a variable that says where something is kept
_KEPT = re.compile(
    r"(?:^|_)(?:DATA|DB|DATABASE|SQLITE|STORAGE|STORE|STATE|UPLOADS?|LOGS?|MEDIA|BACKUPS?|CACHE|SPOOL|WORK|REPOS?|PERSIST\w*)(?:_|$|DIR|PATH|FILE)"
    r"|_LOG$|LOGFILE|(?:^|_)PID(?:_|$|FILE)"
)
_A_FILE = re.compile(r"\.(?:db|sqlite3?|log|json|ya?ml|toml|txt|csv|lock|pid|bolt|dat)$")
_SQLITE = re.compile(r"sqlite3?(?:\+\w+)?:(?://)?/(/[^?\s]+)|file:(/[^?\s]+\.(?:db|sqlite3?))")
_PORT_NAME = re.compile(r"(?:^|_)PORT$|(?:^|_)(?:LISTEN|BIND|ADDR|ADDRESS)(?:_|$)")
_PORT_VALUE = re.compile(r"(?:^|:)(\d{1,5})$")
_MAKES_ACCOUNTS = frozenset({"adduser", "useradd", "addgroup", "groupadd"})
#: modes by which others than the owner may not read, or by which the owner alone may execute (`chmod(1)`)
_CLOSED_MODE = re.compile(r"0?[0-7]{2}[0-3]|(?:g?o|a)-[wx]*r[rwx]*|g?o=[wx]*|u\+[rws]*x[rws]*")
#: the shell does it itself, so it is no command that is executed
_UMASK = re.compile(r"(?<![\w./-])umask\s")


class Question(NamedTuple):
    """What only the author can answer."""

    message: str
    remedy: str
    cause: Cause


@dataclass(slots=True)
class Needs:
    """What it takes to run the last stage's image without root."""

    users: BaseUsers
    #: the user that the image has already: what USER says, or the account of the base image; None: it runs as root
    existing: str | None = None
    #: why it cannot be without root, or cannot be told
    refusal: Cause | None = None
    questions: list[Question] = field(default_factory=list)
    #: directories that the program writes to and that have to be its own, with what tells so
    written: dict[str, str] = field(default_factory=dict)
    #: those of them that a volume is mounted over
    volumes: set[str] = field(default_factory=set)
    #: files that it writes inside of the directories
    files: set[str] = field(default_factory=set)
    #: it may write to /tmp
    temporary: bool = False
    languages: tuple[str, ...] = ()
    start: Start | None = None
    base: str = ""
    #: it is there for its files, and no container is made of it
    runs_nothing: bool = False

    def refuse(self, reason: str, path: str = "", line: int = 0) -> None:
        """Note the first reason that rules it out."""
        if self.refusal is None:
            self.refusal = Cause(reason, path, line)

    def ask(self, message: str, remedy: str, path: str = "", line: int = 0) -> None:
        """Note a question, each once."""
        question = Question(message, remedy, Cause(message, path, line))
        if all(other.message != message for other in self.questions):
            self.questions.append(question)


def needs_of(build: Build) -> Needs:
    """Return what the image of the last stage needs. Raises Unsupported."""
    stage = build.dockerfile.stages[-1]
    bottom = build.lineage(stage.index)[-1]
    base = build.dockerfile.stages[bottom].base
    line = build.dockerfile.stages[bottom].from_.start_line
    users = users_of(base) if not build.executor.is_replaced(base) else None
    needs = Needs(users or BaseUsers(), base=base)
    needs.existing = _existing_user(build, needs)
    if needs.existing is None and needs.refusal is None:
        why = needs_root(base)
        if why is not None:
            needs.refuse(f"`{base}` has to start as root: {why}", "", line)
        elif users is None:
            needs.refuse(f"as which user `{base}` runs, and how it makes accounts, is not known", "", line)
        elif not users.is_root and users.account is not None:
            needs.existing = users.account.owner
    if needs.refusal is None:
        _look_at_the_start(build, needs)
    if needs.refusal is None:
        _look_at_the_stage(build, needs)
    for service in services_of(build):
        _look_at_a_service(service, needs)
    return needs


def _existing_user(build: Build, needs: Needs) -> str | None:
    """Return what the last USER says unless that is root, which is an answer of the author too."""
    for index in build.lineage(build.dockerfile.stages[-1].index):
        stage = build.dockerfile.stages[index]
        for position in reversed(range(len(stage.instructions))):
            instruction = stage.instructions[position]
            if instruction.keyword != "USER":
                continue
            state = build.runs[index].states[position + 1]
            if state.user == "root":
                needs.refuse("the author says that it runs as root", "", instruction.start_line)
                return None
            text = evaluate(instruction.args, state, build.dockerfile.escape, instruction.start_line).text
            return text if text is not None else instruction.args
    return None


# -- what is started -------------------------------------------------------------------------------------------------


def _look_at_the_start(build: Build, needs: Needs) -> None:
    last = build.dockerfile.stages[-1].index
    start = needs.start = started(build, last)
    if not start.instructions and needs.base == "scratch":
        needs.runs_nothing = True
        needs.refuse("nothing is started: the image only holds files")
        return
    if start.unknown is not None:
        needs.refuse(start.unknown.reason, start.unknown.path, start.unknown.line)
        return
    languages: list[str] = []
    for program in start.programs:
        name = posixpath.basename(program.argv[0] or "")
        if name == "docker-entrypoint.sh" and needs.users.account is not None and len(start.programs) > 1:
            continue  # node's own, which only runs what follows (`dockopt.optimizer.entrypoint`)
        kind = kind_of(build, last, program)
        if not kind.language:
            needs.refuse(kind.unknown, program.file, program.line)
            return
        languages.append(kind.language)
        for place in program.places:
            if below(place, "/root"):
                needs.refuse(
                    f"`{place}` lies in the home directory of root, which nobody else may enter",
                    "",
                    program.instruction.start_line,
                )
        _look_at_arguments(needs, program)
        for port in low_ports(program.argv[1:]):
            _ask_about_port(needs, port, program.file, program.line)
    if not languages:
        needs.refuse("it starts no program of which something is known", "", start.instructions[-1].start_line)
        return
    needs.languages = tuple(dict.fromkeys(languages))
    for source in start.scripts.values():
        text = (build.context.peek(source) or b"").decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            if not line.lstrip().startswith("#") and SHELL_WRITES.search(line):
                needs.ask(
                    f"the script writes a file: `{shortened(line)}`",
                    "say where that may be without root",
                    source,
                    number,
                )
    for instruction in start.instructions:
        if instruction.json is None and SHELL_WRITES.search(instruction.args):
            needs.ask(
                f"the shell writes a file: `{shortened(instruction.args)}`",
                "let the program write to its output, or say where it may write without root",
                "",
                instruction.start_line,
            )
    health = health_checked(build, last)
    if health is not None and (health.unknown is not None or health.scripts or not only_looks(health)):
        needs.ask(
            "what HEALTHCHECK runs is not known",
            "make sure that it needs no root",
            "",
            health.instructions[0].start_line,
        )


def _look_at_arguments(needs: Needs, program: Program) -> None:
    """Take options that say where something is kept."""
    words = [word or "" for word in program.argv[1:]]
    for option, value in [*pairwise(words), *(tuple(word.split("=", 1)) for word in words if "=" in word)]:
        name = option.strip("-").upper().replace("-", "_")
        if not option.startswith("-") or not _KEPT.search(name) or value in ("-", "") or value.startswith("-"):
            continue
        _look_at_a_variable(needs, name, value, program.file, program.line)


def _ask_about_port(needs: Needs, port: int, path: str, line: int) -> None:
    needs.ask(
        f"it may listen on port {port}, which is below {FIRST_FREE_PORT}: not every run-time lets others than root do that",
        f"let it listen on a port from {FIRST_FREE_PORT} on, and publish that as {port}",
        path,
        line,
    )


# -- what the stage is made of -----------------------------------------------------------------------------------------


def _look_at_the_stage(build: Build, needs: Needs) -> None:
    last = build.dockerfile.stages[-1].index
    lineage = build.lineage(last)
    state = build.runs[last].final
    for command in build.executed:
        if command.stage in lineage:
            _look_at_a_command(command, needs)
    if state.cwd is not None and below(state.cwd, "/root"):
        needs.refuse(f"it works in `{state.cwd}`, in the home directory of root, which nobody else may enter")
    for index in lineage:
        stage = build.dockerfile.stages[index]
        for position, instruction in enumerate(stage.instructions):
            before, line = build.runs[index].states[position], instruction.start_line
            texts = [evaluate(word, before, build.dockerfile.escape, line).text for word in instruction.words]
            if instruction.keyword in ("COPY", "ADD"):
                mode = instruction.flag("chmod")
                if mode is not None and _CLOSED_MODE.fullmatch(mode):
                    needs.ask(f"`--chmod={mode}` keeps others than its owner out", "let others read it", "", line)
                if texts[-1] is None or below(join(before.cwd or "/", texts[-1]), "/root"):
                    needs.refuse("it copies to where others than root may not look", "", line)
            elif instruction.keyword == "EXPOSE":
                for text in texts:
                    number = (text or "0").partition("/")[0].partition("-")[0]
                    if number.isdigit() and 0 < int(number) < FIRST_FREE_PORT:
                        _ask_about_port(needs, int(number), "", line)
            elif instruction.keyword == "VOLUME":
                for text in texts:
                    if text is None or not text.startswith("/"):
                        needs.refuse("where a volume is mounted is not known before the build", "", line)
                    else:
                        _write(needs, text.rstrip("/") or "/", "VOLUME", "", line, volume=True)
            elif instruction.keyword == "RUN":
                script = instruction.args + "".join(f"\n{heredoc.body}" for heredoc in instruction.heredocs)
                if _UMASK.search(script):
                    needs.ask("the umask may keep others than root from reading", "leave it at 022", "", line)
            elif instruction.keyword == "ONBUILD":
                needs.refuse("ONBUILD is for images that are built on this one", "", line)
    for closed in closed_files(build, lineage):
        _ask_about_a_mode(needs, closed)
    for name, value in state.env.items():
        _look_at_a_variable(needs, name, value.text, "", build.dockerfile.stages[-1].line_that_sets(name))
    _look_at_sources(build, needs)


def _ask_about_a_mode(needs: Needs, closed: Closed) -> None:
    owner = closed.instruction.flag("chown")
    if owner == (needs.users.account or NEW).owner:
        return
    message = f"only its owner, `{owner or 'root'}`, may read `{closed.path}` (mode {closed.mode:o}), as it is copied"
    remedy = "let others read it (`chmod`, or `--chmod`), or copy it on its own with the `--chown` of the new user"
    needs.ask(message, remedy, "", closed.instruction.start_line)


def _look_at_a_command(command: Executed, needs: Needs) -> None:
    line, name = command.line, command.name
    words = {word for word in command.argv[1:] if word is not None}
    if name in _MAKES_ACCOUNTS:
        needs.ask(
            f"`{shortened(command.text)}` makes an account or a group, and the container does not run as it",
            "say `USER` with its number above CMD, or drop it",
            "",
            line,
        )
    elif name in ("apk", "apt", "apt-get", "dnf", "yum", "microdnf"):
        telling = sorted(words & TELLING_PACKAGES)
        if telling:
            needs.refuse(f"it installs `{telling[0]}`, which is used as root or to give root up", "", line)
    elif name == "setcap":
        needs.refuse("it gives a program capabilities", "", line)
    elif name == "chmod" and any(_CLOSED_MODE.fullmatch(word) for word in words):
        needs.ask(f"`{shortened(command.text)}` keeps others than the owner out", "let others read it", "", line)
    if name in ("pip", "pip3") and "--user" in words:
        needs.refuse("it installs into the home directory of root, which nobody else may enter", "", line)
    if name in ("playwright", "puppeteer", "spacy", "nltk") or words & {"playwright", "puppeteer"}:
        needs.ask(
            f"`{shortened(command.text)}` may leave files in the home directory of root", "say where they go", "", line
        )


def _look_at_a_variable(needs: Needs, name: str, value: str | None, path: str, line: int) -> None:
    if value is None:
        if _KEPT.search(name) or _PORT_NAME.search(name):
            needs.ask(f"what `{name}` is, is not known before the build", "give it a value", path, line)
        return
    if name in ("PATH", "HOME", "LD_LIBRARY_PATH", "GOPATH"):
        if any(below(part, "/root") for part in value.split(":") if part.startswith("/")):
            needs.refuse(f"`{name}` leads into the home directory of root, which nobody else may enter", path, line)
        return
    found = _SQLITE.search(value)
    if found is not None:
        _write(needs, posixpath.dirname(found[1] or found[2]), f"`{name}`", path, line)
    elif "sqlite" in value.lower() or value.startswith("file:"):
        needs.ask(f"where the data base of `{name}` lies is not told", "give it an absolute path", path, line)
    elif value.startswith("/") and (_KEPT.search(name) or "/data" in value or "/var/l" in value):
        _write(needs, posixpath.dirname(value) if _A_FILE.search(value) else value, f"`{name}`", path, line)
    elif value.startswith("/root"):
        needs.refuse(f"`{name}` leads into the home directory of root, which nobody else may enter", path, line)
    elif _PORT_NAME.search(name):
        port = _PORT_VALUE.search(value)
        if port is not None and 0 < int(port[1]) < FIRST_FREE_PORT:
            _ask_about_port(needs, int(port[1]), path, line)
    elif _KEPT.search(name) and ("/" in value or value.startswith(".")) and "://" not in value:
        needs.ask(f"`{name}` may name a place to write to", "give it an absolute path", path, line)


def _write(needs: Needs, path: str, why: str, file: str, line: int, *, volume: bool = False) -> None:
    """Note that a directory is written to."""
    path = join("/", path)
    if any(below(path, place) for place in _OPEN):
        needs.temporary |= below(path, "/tmp") or below(path, "/var/tmp")
        if not needs.users.open_tmp and not volume and below(path, "/tmp"):
            needs.ask(f"it writes to `{path}`, and an empty image has no such directory", "make it", file, line)
        return
    if path in _SHARED or (
        any(below(path, place) for place in _SYSTEM) and not any(below(path, p) for p in _NOT_SYSTEM)
    ):
        needs.ask(
            f"{why} has it write to `{path}`, which is the system's", "give it a directory of its own", file, line
        )
        return
    needs.written.setdefault(path, why)
    if volume:
        needs.volumes.add(path)


# -- what the sources say ----------------------------------------------------------------------------------------------


def _look_at_sources(build: Build, needs: Needs) -> None:
    state = build.runs[-1].final

    def variable(name: str) -> str | None:
        value = state.variable(name)
        return None if value is None else value.text

    for name in needs.languages:
        facts = read_sources(build.context, LANGUAGES[name], variable)
        if facts.unread is not None:
            needs.refuse(facts.unread)
            return
        if not facts.files:
            needs.refuse(f"the sources of the program are not in the build context: no {name} file is")
            return
        for found in facts.root:
            needs.refuse(f"`{found.text}` may need root", found.file, found.line)
            return
        needs.temporary |= facts.temporary or name != "Go"
        if facts.temporary and not needs.users.open_tmp:
            needs.ask("it may write temporary files, and an empty image has no /tmp", "give it one, or a mount")
        for found in facts.starts:
            needs.ask(
                f"`{found.text}` starts another program",
                "make sure that it needs no root, and where it writes",
                found.file,
                found.line,
            )
        for found in facts.keepers:
            needs.ask(
                f"`{found.text}` is known to keep files",
                "say where, in `ENV` or `VOLUME`, and that this works without root",
                found.file,
                found.line,
            )
        for text, line in installed(build, LANGUAGES[name].keepers):
            needs.ask(
                f"`{shortened(text)}` installs what is known to keep files",
                "say where, in `ENV` or `VOLUME`, and that this works without root",
                "",
                line,
            )
        for port, found in facts.ports:
            _ask_about_port(needs, port, found.file, found.line)
        for found in facts.writes:
            _look_at_a_write(needs, found, state.cwd)
        for found in facts.named:
            _look_at_a_name(needs, found, state.cwd)


def _look_at_a_write(needs: Needs, found: Found, cwd: str | None) -> None:
    if found.place is None or (cwd is None and not found.place.path.startswith("/")):
        needs.ask(
            f"`{found.text}` writes, and where is not spelled out"
            + (f" (`{found.variable}` is not set)" if found.variable else ""),
            "set the variable by `ENV`, or spell the place out" if found.variable else "name the directory there",
            found.file,
            found.line,
        )
        return
    path = join(cwd or "/", found.place.path)
    if not found.place.is_directory:
        needs.files.add(path)
    _write(
        needs, path if found.place.is_directory else posixpath.dirname(path), f"`{found.text}`", found.file, found.line
    )


def _look_at_a_name(needs: Needs, found: Found, cwd: str | None) -> None:
    """Take a text that names a place where programs keep files, unless it is known already that this one does."""
    assert found.place is not None
    path = join(cwd or "/", found.place.path)
    if not any(below(path, place) for place in (*needs.written, *_OPEN)):
        needs.ask(
            f"`{shortened(found.text)}` looks like a place to write to",
            "name its directory by VOLUME if the program writes there",
            found.file,
            found.line,
        )


# -- how it is run -----------------------------------------------------------------------------------------------------


def _look_at_a_service(service: Service, needs: Needs) -> None:
    where = f"service `{service.name}`"
    if service.user:
        needs.refuse(f"{where} says as which user it runs", service.file, service.line)
    for key, line in service.privileges:
        needs.refuse(f"{where} has `{key}`: it needs more than a user has", service.file, line)
    for key, line in service.replaces:
        needs.ask(f"{where} has a `{key}` of its own", "make sure that it needs no root", service.file, line)
    for port, line in service.ports:
        if 0 < port < FIRST_FREE_PORT:
            _ask_about_port(needs, port, service.file, line)
    for key, line in service.files:
        needs.ask(
            f"{where} gets `{key}` from files of the host, with their owners and modes",
            "make sure that others than their owner may read them",
            service.file,
            line,
        )
    for mounted in service.mounts:
        if (
            (mounted.source or "").endswith(".sock")
            or mounted.target.endswith(".sock")
            or (mounted.source or "").startswith("/var/run")
        ):
            needs.refuse(
                f"{where} mounts a socket of the host, which others than root may not open", service.file, mounted.line
            )
        elif mounted.read_only:
            continue
        elif mounted.is_of_host:
            needs.ask(
                f"{where} mounts `{mounted.source}` of the host, where its owner decides who may write",
                "mount it read-only, use a volume, or give it to the user there",
                service.file,
                mounted.line,
            )
        elif mounted.target.startswith("/"):
            _write(needs, mounted.target.rstrip("/") or "/", "a volume", service.file, mounted.line, volume=True)
        else:
            needs.refuse(f"where {where} mounts a volume is not known", service.file, mounted.line)
    for name, value in service.environment.items():
        _look_at_a_variable(needs, name, value, service.file, service.line)
