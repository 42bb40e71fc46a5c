"""Users of base images: as whom their containers run, which accounts they bring, and how a new one is made there.

Facts hold for every tag that has been published under a name, unless a tag is told apart here; each names its source. Of any
other image nothing is known, and whoever needs to know has to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from dockopt.optimizer.bases import repository


class Account(NamedTuple):
    """A user without privileges, with the group of its own."""

    name: str
    uid: int
    gid: int

    @property
    def owner(self) -> str:
        """User and group as `USER` and `--chown` take them; numbers, because Kubernetes cannot tell whether a name is root."""
        return f"{self.uid}:{self.gid}"


class BaseUsers(NamedTuple):
    """What is known of the users of a base image."""

    #: containers run as root where nothing else is said
    is_root: bool = True
    #: an account without privileges that the image brings
    account: Account | None = None
    #: commands that make NEW, for a shell; () where the image has neither a shell nor programs for it
    making: tuple[str, ...] = ()
    #: there is a directory /tmp that everybody may write to
    open_tmp: bool = True


#: what is made where the image brings nothing: above 10000, so that it meets no user of the host by chance
NEW = Account("app", 10001, 10001)

#: busybox `loginutils/addgroup.c` and `adduser.c`: -S a system account, -D no password, -H no home, -G the group
_BUSYBOX = BaseUsers(making=("addgroup -S -g 10001 app", "adduser -S -D -H -u 10001 -G app app"))
#: shadow `groupadd(8)` and `useradd(8)`; -l keeps a high UID out of /var/log/lastlog, a sparse file that layers fill up
_SHADOW = BaseUsers(
    making=(
        "groupadd --system --gid 10001 app",
        "useradd --system --no-log-init --uid 10001 --gid app --no-create-home --shell /usr/sbin/nologin app",
    )
)
#: docker-library/node, all templates since 2016: `groupadd --gid 1000 node`, `useradd --uid 1000 --gid node`, and the same on Alpine
_NODE = BaseUsers(account=Account("node", 1000, 1000))
#: distroless `common/variables.bzl`: NONROOT = 65532; an entry of /etc/passwd in every image; /tmp has mode 1777
_DISTROLESS = BaseUsers(account=Account("nonroot", 65532, 65532))
#: an empty image has no account and no /tmp; numbers need no account (OCI image specification, `config.User`)
_SCRATCH = BaseUsers(account=NEW, open_tmp=False)

#: official images whose Dockerfiles have no USER, built on Debian or Ubuntu, and on Alpine where the tag says so
_ON_DISTRIBUTIONS = frozenset("buildpack-deps debian eclipse-temurin golang python ruby rust ubuntu".split())
#: tags that name another system
_OTHER_SYSTEMS = re.compile(r"windows|nanoserver|ltsc|ubi|centos|onbuild")
#: what a tag with a variable in it has to name, so that the variable does not decide on which distribution it is built
_DISTRIBUTION = re.compile(r"alpine|slim|bookworm|bullseye|trixie|buster|jammy|noble|focal")
_DISTROLESS_NAME = re.compile(
    r"gcr\.io/distroless/(?:static|base|base-nossl|cc|java\d*|java-base|nodejs\d*|python3)(?:-debian\d+)?"
)

#: images whose own start needs root and gives it up by itself, and what says so there
_DROPS_BY_ITSELF: Mapping[str, str] = {
    "nginx": "its master process starts as root and its workers do not; `nginxinc/nginx-unprivileged` runs without root",
    "httpd": "its master process starts as root, binds port 80, and its workers run as `www-data`",
    "php": "Apache and PHP-FPM start as root, and their workers run as `www-data`",
    "wordpress": "Apache and PHP-FPM start as root, and their workers run as `www-data`",
    "tomcat": "its directories belong to root",
    **dict.fromkeys(
        "postgres mysql mariadb mongo redis valkey rabbitmq cassandra couchdb influxdb".split(),
        "its entrypoint takes over the data directory as root, and then runs the server as a user of its own",
    ),
    "docker": "a container daemon needs root",
    "haproxy": "releases differ in whether it runs as `haproxy`",
    "caddy": "it binds ports 80 and 443 and keeps certificates in `/data`",
    "traefik": "it binds ports 80 and 443, and reads the socket of Docker",
}


def users_of(reference: str) -> BaseUsers | None:
    """Return what is known of a base image; None where that is nothing."""
    if reference == "scratch":
        return _SCRATCH
    name, tag = repository(reference)
    if "$" in name or _OTHER_SYSTEMS.search(tag):
        return None
    if _DISTROLESS_NAME.fullmatch(name):
        return _DISTROLESS._replace(is_root="nonroot" not in tag)
    if name == "node":
        return _NODE
    if name in ("alpine", "busybox"):
        return _BUSYBOX
    if name in ("debian", "ubuntu"):
        return _SHADOW
    if name in _ON_DISTRIBUTIONS:
        if "$" in tag and _DISTRIBUTION.search(tag) is None:
            return None
        return _BUSYBOX if "alpine" in tag else _SHADOW
    return None


def needs_root(reference: str) -> str | None:
    """Return why an image has to start as root, None for one of which that is not known."""
    return _DROPS_BY_ITSELF.get(repository(reference)[0])
