"""Which directories of an image can belong to the project that is copied there, and to nobody else."""

from __future__ import annotations

import re

from dockopt.optimizer.regions import below

#: directories that a COPY of a whole project may not claim for itself: settings, programs and libraries of others live there
_SHARED_DIRECTORIES = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/tmp", "/usr/bin", "/usr/include", "/usr/lib",
    "/usr/libexec", "/usr/local/bin", "/usr/local/etc", "/usr/local/include", "/usr/local/lib", "/usr/local/sbin", "/usr/sbin", "/var",
)  # fmt: skip
#: settings of tools: `/root/.config`, `/home/node/.npm`
_HIDDEN_AT_HOME = re.compile(r"/(root|home/[^/]+)/\.")
_SHARED_EXACT = frozenset(
    "/ /go /go/bin /go/pkg /go/src /home /opt /root /srv /usr /usr/bin /usr/lib /usr/local /usr/local/bin /usr/share /usr/src".split()
)


def is_project_root(path: str) -> bool:
    """Tell whether a directory can belong to one project alone (`/src`, `/usr/src/app`), unlike `/usr` or `/etc`."""
    if below(path, "/var/www") and path != "/var/www":
        return True  # a document root; what packages put there is their concern (`system_trees`)
    if _HIDDEN_AT_HOME.match(path):
        return False
    return path not in _SHARED_EXACT and not any(below(path, shared) for shared in _SHARED_DIRECTORIES)
