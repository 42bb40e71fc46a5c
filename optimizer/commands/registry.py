"""Find the model of a command and ask it; a command without a model is UNKNOWN."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dockopt.optimizer.ecosystems.registry import ECOSYSTEMS
from dockopt.optimizer.effects import Effects, unknown


@dataclass(frozen=True, slots=True)
class Invocation:
    """One simple command as the shell would start it.

    `argv` has None for a word that is not known before the build (it holds a build argument, a substitution, a glob);
    `raw` has the words as written. `argv[0]` is always known.
    """

    argv: tuple[str | None, ...]
    raw: tuple[str, ...]
    line: int = 0

    @property
    def name(self) -> str:
        """The program's base name."""
        return (self.argv[0] or "").rsplit("/", 1)[-1]


class Surroundings(Protocol):
    """What a model may ask about the place where the command runs."""

    @property
    def cwd(self) -> str | None:
        """Working directory (absolute), None where the base image decides it."""

    @property
    def user(self) -> str | None:
        """User name or number without the group ("root" is "root" or "0"), None where it is not known."""

    def variable(self, name: str) -> tuple[bool, str | None]:
        """Return (known, value): (True, None) is known to be unset, (False, None) is not known before the build."""

    def assigned(self) -> Mapping[str, str | None]:
        """Return the variables that the Dockerfile sets up to this point, with their values; None is not known before the build."""

    def context_path(self, path: str) -> str | None:
        """Return the path in the build context that surely lies at the absolute image path, None if that is not certain."""

    def kind(self, path: str) -> str:
        """Return "file", "directory", "absent" or "unknown" for an absolute path of the image at this point."""

    def placed(self, path: str) -> str:
        """Return the `kind` of a path in a directory that was empty before the first COPY from the context reached it."""

    def listing(self, path: str) -> tuple[str, ...] | None:
        """Return the names of what the Dockerfile put into a directory (empty before), None where that is not certain."""

    def kept_out(self, path: str) -> bool:
        """Tell whether no COPY of a directory of the context can bring anything to a path, whatever is on disk."""

    def read_context(self, path: str) -> bytes | None:
        """Return the bytes of the context file that lies at the absolute image path; its text becomes a frozen input."""

    def earlier(self, program: str) -> tuple[tuple[str, tuple[str | None, ...]], ...]:
        """Return text and arguments of the commands of a program that ran before in this stage and those that it starts from.

        Scripts that are not taken apart are among them if their text has the program's name; they have no arguments.
        """

    def may_be_copied(self, path: str) -> str | None:
        """Return the COPY or ADD that may have put a file at an absolute image path, None if there is none."""

    @property
    def project_roots(self) -> tuple[str, ...]:
        """Directories that the Dockerfile itself fills from the context (destinations of directory COPYs)."""

    @property
    def online(self) -> bool:
        """False if the RUN has no network (`--network=none`)."""


Model = Callable[[Invocation, Surroundings], Effects]

#: program name → "module:function"; modules load only when a Dockerfile uses the program
MODELS: dict[str, str] = {}


def register(module: str, function: str, *programs: str) -> None:
    """Say which function models the given programs."""
    for program in programs:
        MODELS[program] = f"{module}:{function}"


for _entry in ECOSYSTEMS:
    for _function, _programs in _entry.programs.items():
        register(f"dockopt.optimizer.ecosystems.{_entry.name}.commands", _function, *_programs.split())
for _module, _functions in {
    "files": {
        "mkdir": "mkdir",
        "rm": "rm",
        "rmdir": "rmdir",
        "touch": "touch",
        "chmod": "chmod",
        "chown": "chown chgrp",
        "cp": "cp",
        "mv": "mv",
        "install": "install",
        "ln": "ln",
    },
    "text": {
        "echo": "echo true false :",
        "printf": "printf",
        "test": "test [",
        "clock": "date",
        "uname": "uname arch",
        "processors": "nproc",
        "plain": "sleep basename dirname seq",
        "accounts": "id whoami groups",
        "pwd": "pwd",
        "reader": "cat head tail wc cut sort grep egrep fgrep rev tac base64 "
        "md5sum sha1sum sha224sum sha256sum sha384sum sha512sum",
        "translate": "tr",
        "listing": "ls",
        "search_path": "which",
        "tee": "tee",
        "sed": "sed",
    },
    "archives": {"tar": "tar", "unzip": "unzip"},
    "packages": {
        "apt": "apt-get apt",
        "apt_mark": "apt-mark",
        "dpkg": "dpkg",
        "apk": "apk",
        "dnf": "dnf yum microdnf",
    },
    "users": {"useradd": "useradd usermod", "adduser": "adduser", "groupadd": "groupadd addgroup"},
    "network": {"curl": "curl", "wget": "wget", "certificates": "update-ca-certificates"},
    "repositories": {"git": "git"},
}.items():
    for _function, _programs in _functions.items():
        register(f"dockopt.optimizer.commands.{_module}", _function, *_programs.split())


def effects_of(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of a command; UNKNOWN, with the reason, where no model speaks for it."""
    name = invocation.name
    target = MODELS.get(name)
    if target is None:
        program = invocation.argv[0] or ""
        if "/" not in program or program.startswith(("/bin/", "/usr/", "/sbin/")):
            return unknown("no model of this program")
        return unknown(f'no model of this program; `[effects."{program}"]` in dockopt.toml can say what it does')
    module, function = target.split(":")
    model: Model = getattr(importlib.import_module(module), function)
    return model(invocation, around)
