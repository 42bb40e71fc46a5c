"""The accounts that a building stage makes for the program, and how another image gets the same ones.

The new image takes over the account files of the old one. So a name in USER is the same number and group in both, whatever they
are. A home that is made with the account goes along. A COPY makes a directory anew as root's (fsutil, copy/copy.go,
prepareTargetDir): `--chown` gives it back to the account.
"""

from __future__ import annotations

from typing import NamedTuple

from dockopt.optimizer.commands.users import ACCOUNT_FILES
from dockopt.optimizer.model import Build
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Stage
from dockopt.rewrites.editing import PLAIN

#: what makes accounts and groups; one that changes them further is not followed
MAKES = frozenset({"adduser", "addgroup", "useradd", "groupadd"})
#: name → number and group (runc, libcontainer/user; BuildKit, solver/llbsolver/file/user_linux.go)
FILES = ("/etc/group", "/etc/passwd")


class Accounts(NamedTuple):
    """What is made of accounts in one stage."""

    names: frozenset[str] = frozenset()
    #: home directory → account that it belongs to
    homes: tuple[tuple[str, str], ...] = ()

    @property
    def copies(self) -> tuple[str, ...]:
        """Paths that a new image needs for a `USER` with one of the names; homes are not among them."""
        return FILES if self.names else ()


def accounts_of(build: Build, stage: Stage) -> Accounts:
    """Return the accounts that the commands of a stage make."""
    names: set[str] = set()
    homes: dict[str, str] = {}
    for command in build.executed:
        if command.stage == stage.index and command.name in MAKES:
            name = command.argv[-1]
            if name is None:
                continue
            names.add(name)
            homes |= dict.fromkeys(_homes(command), name)
    return Accounts(frozenset(names), tuple(sorted(homes.items())))


def account_problem(command: Executed) -> str | None:
    """Return why the account that a command makes may not be had in another image by its files and its home alone."""
    for home in _homes(command):
        if not home.startswith("/home/") or not PLAIN.fullmatch(home):
            return f"the account has its home at `{home}`: an option like `-H` makes none"
    return None


def _homes(command: Executed) -> list[str]:
    if command.name in ("addgroup", "groupadd") or (command.name == "useradd" and not _makes_home(command)):
        return []
    written = {path for write in command.effects.writes for path in write.region.include}
    return sorted(path for path in written if path not in ACCOUNT_FILES and path != "/home")


def _makes_home(command: Executed) -> bool:
    """Tell whether useradd makes a home: with -m only, as Debian's /etc/login.defs does not set CREATE_HOME (useradd(8))."""
    return any(
        word is not None and (word == "--create-home" or (word.startswith("-") and word[1:2] != "-" and "m" in word))
        for word in command.argv[1:]
    )
