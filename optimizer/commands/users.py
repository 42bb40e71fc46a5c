"""Programs that make accounts: useradd, usermod, adduser and addgroup (Debian's and busybox's), groupadd.

Facts: shadow 4.13 (`useradd.c`, `usermod.c`), Debian adduser 3.134, busybox `loginutils/`. The day on which an account
was made stands in /etc/shadow; that it does not matter is the printed assumption `account-dates`.
"""

from __future__ import annotations

import re

from dockopt.optimizer.commands.arguments import (
    Arguments,
    NotUnderstood,
    Reads,
    locate,
    made_parents,
    modelled,
    parse,
    program,
    require_no_link,
)
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.effects import Effects, Kind, Write
from dockopt.optimizer.regions import region

ACCOUNT_DATES = "account-dates: the day on which an account was made, which /etc/shadow records, does not matter"

_DATA_BASES = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
#: the data bases, their backups, the lock that stays, mail boxes (made also without a home: `useradd.c`, create_mail),
#: what counts logins, the cache that is told of new accounts, and the lock of Debian's adduser
ACCOUNT_FILES = (
    *(f"/etc/{name}{suffix}" for name in _DATA_BASES for suffix in ("", "-")),
    "/etc/.pwd.lock", "/var/mail", "/var/spool/mail", "/var/log/faillog", "/var/log/lastlog", "/var/log/tallylog",
    "/var/lib/lastlog", "/var/lib/sss", "/run/adduser",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\$?")
#: what Debian's adduser, a Perl script, and the shadow tools start
_STARTED = (
    "perl", "useradd", "groupadd", "usermod", "gpasswd", "chfn", "passwd", "chage", "find", "nscd", "sss_cache",
)  # fmt: skip
_VARIABLES = ("SOURCE_DATE_EPOCH", "LOGNAME", "USER", "HOME", "ADDUSER_*", "DEBUGLEVEL", "PERL*")


def _names(arguments: Arguments, most: int) -> list[str]:
    names = arguments.texts()
    if not 1 <= len(names) <= most or not all(_NAME.fullmatch(name) for name in names):
        raise NotUnderstood("the names of user and group are not plain")
    return names


def _accounts(
    invocation: Invocation, around: Surroundings, home: str | None = None, skeleton: str | None = None
) -> Effects:
    """Return the effects of changing the account files and, with `home`, of making that directory."""
    for variable in ("PERL5LIB", "PERLLIB", "PERL5OPT"):
        if around.variable(variable)[1]:
            raise NotUnderstood(f"`{variable}` adds to the script that adduser is")
    reads = Reads(around).entry(
        "/etc", "/run/adduser", "/usr/local/sbin/adduser.local", "/usr/share/perl5", "/usr/share/perl"
    )
    writes = [Write(Kind.MAY, region(*ACCOUNT_FILES))]
    if home is not None:
        place = locate(home, around)
        if place.path == "/":
            raise NotUnderstood("the home directory is `/`")
        require_no_link(place.path, around)
        if skeleton is not None:
            reads.content(locate(skeleton, around).path)
        reads.entry(place.path)
        writes += made_parents(place.path, around)
        writes.append(Write(Kind.MAY, region(place.path)))
    assumptions = (ACCOUNT_DATES,)
    return program(
        invocation, around, reads, writes=writes, variables=_VARIABLES, assumptions=assumptions, starts=_STARTED
    )


@modelled
def useradd(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `useradd [-r] [-m|-M] [-d dir] … name` and `usermod -aG group name`.

    Whether useradd makes a home without -m or -M is decided by CREATE_HOME in /etc/login.defs, so it may.
    """
    if invocation.name == "usermod":
        return _usermod(invocation, around)
    arguments = parse(
        invocation,
        switches="-m -M -N -U -r -l -o -F --create-home --no-create-home --system --no-user-group --user-group "
        "--no-log-init --non-unique --badname --badnames",
        valued="-d --home-dir --home -b --base-dir -k --skel",
        any_value="-s --shell -g --gid -G --groups -u --uid -c --comment -K --key -e --expiredate -f --inactive",
    )
    (name,) = _names(arguments, 1)
    home = arguments.value("-d", "--home-dir", "--home")
    if arguments.has("-M", "--no-create-home"):
        return _accounts(invocation, around)
    if home is None and arguments.has("-r", "--system") and not arguments.has("-m", "--create-home"):
        return _accounts(invocation, around)  # useradd(8) -r: no home, whatever CREATE_HOME says
    if any(re.match("(HOME|MAIL_DIR|CREATE_MAIL_SPOOL|MAIL_FILE)", key) for key in arguments.values("-K", "--key")):
        raise NotUnderstood("`-K` moves the home directory")
    base = arguments.value("-b", "--base-dir")
    if home is None and base is None and around.context_path("/etc/default/useradd") is not None:
        raise NotUnderstood("`/etc/default/useradd` comes from the build context and may move the home directory")
    return _accounts(invocation, around, home or f"{base or '/home'}/{name}", arguments.value("-k", "--skel"))


def _usermod(invocation: Invocation, around: Surroundings) -> Effects:
    arguments = parse(
        invocation,
        switches="-a --append -L --lock -U --unlock -o --non-unique",
        any_value="-G --groups -s --shell -c --comment -d --home -e --expiredate -f --inactive",
    )
    _names(arguments, 1)
    return _accounts(invocation, around)


@modelled
def adduser(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `adduser`, in Debian's form (`--system --no-create-home name`) and busybox's (`-D -H name`).

    Both make /home/name unless told otherwise; `adduser name group` only adds to the group.
    """
    arguments = parse(
        invocation,
        switches="-D -H -S --system --group --no-create-home --disabled-password --disabled-login --quiet -q "
        "--allow-bad-names --force-badname --allow-badname --allow-all-names --add_extra_groups --comment-none",
        valued="--home -h -k",
        any_value="-s --shell -g --gecos --comment -G --ingroup -u --uid --gid",
    )
    names = _names(arguments, 2)
    if len(names) == 2 or arguments.has("-H", "--no-create-home"):
        return _accounts(invocation, around)
    home = arguments.value("--home", "-h") or f"/home/{names[0]}"
    if around.context_path("/etc/adduser.conf") is not None or around.context_path("/usr/local/sbin/adduser.local"):
        raise NotUnderstood("the build context brings settings of adduser")
    return _accounts(invocation, around, home, arguments.value("-k"))


@modelled
def groupadd(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `groupadd` and `addgroup` (Debian's and busybox's, also `addgroup user group`)."""
    arguments = parse(
        invocation,
        switches="-r -f -o -S -q --system --force --non-unique --quiet --allow-bad-names --force-badname",
        any_value="-g --gid -K --key -p --password",
    )
    _names(arguments, 2)
    return _accounts(invocation, around)


@modelled
def passwd(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `passwd -d|-l|-u|-S [name]`; without one of them it asks for a password."""
    arguments = parse(
        invocation, switches="-d -l -u -S -q --delete --lock --unlock --status --quiet", any_value="-n -x -w -i"
    )
    if not arguments.has("-d", "-l", "-u", "-S", "--delete", "--lock", "--unlock", "--status"):
        raise NotUnderstood("it asks for a password")
    if arguments.operands:
        _names(arguments, 1)
    return _accounts(invocation, around)
