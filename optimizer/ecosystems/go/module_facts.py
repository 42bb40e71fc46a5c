"""What is known of Go packages and C: which of the standard library use it, and what the table of other packages says of one.

Modules that surely have no C stand in `modules_without_c`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from dockopt.optimizer.ecosystems.go.c_packages import C_PACKAGES, DYNAMIC_WITHOUT_CGO, NOT_ON_LINUX, CPackage

_MAJOR = re.compile(r"v\d+")
#: packages of the standard library that call the C library if cgo is on, each with the tag that stops that (`go help buildconstraint`;
#: net/conf.go, os/user/cgo_lookup_cgo.go); `plugin` and `runtime/cgo` are for cgo only
C_STANDARD = {"net": "netgo", "os/user": "osusergo", "plugin": "", "runtime/cgo": ""}
#: packages of the standard library that import one of these (`go list -f '{{.Deps}}' std`, Go 1.26; tests compare)
_REACHING = {
    "net": "crypto/tls crypto/x509 expvar log/syslog mime/multipart net/http net/http/cgi net/http/cookiejar net/http/fcgi "
    "net/http/httptest net/http/httptrace net/http/httputil net/http/pprof net/mail net/rpc net/rpc/jsonrpc net/smtp net/textproto",
    "os/user": "archive/tar",
}


def standard_use(package: str) -> tuple[str, ...]:
    """Return which packages with C a package of the standard library reaches (itself included), () for none."""
    return tuple(name for name in C_STANDARD if package == name or package in _REACHING.get(name, "").split())


def c_package(path: str) -> CPackage | None:
    """Return what is known of the C that an imported package needs, whatever the major version of its module."""
    found = [package for package in C_PACKAGES if _below(path, package.path) is not None]
    package = max(found, key=lambda entry: len(entry.path), default=None)
    return None if package is None or _below(path, package.path) in package.free else package


def c_in_module(module: str) -> CPackage | None:
    """Return what is known of a package with C among those of a module; only some of its packages may need it."""
    exact = next((package for package in C_PACKAGES if _below(module, package.path) == ""), None)
    return exact or next((package for package in C_PACKAGES if _below(package.path, module) is not None), None)


def _below(path: str, prefix: str) -> str | None:
    """Return a path as it stands below another and a major version, "" for that itself, None for one that is elsewhere."""
    if path != prefix and not path.startswith(prefix + "/"):
        return None
    first, _, rest = path[len(prefix) + 1 :].partition("/")
    return rest if _MAJOR.fullmatch(first) else path[len(prefix) + 1 :]


def dynamic_without_cgo(path: str) -> bool:
    """Tell whether a program with a package is linked against the C library even where cgo is off."""
    return any(_below(path, known) is not None for known in DYNAMIC_WITHOUT_CGO)


def may_be_dynamic_without_cgo(modules: Iterable[str], without_c: Container[str]) -> str | None:
    """Return a required module by which a program may be linked against the C library even where cgo is off, None for none.

    A module that needs it for another system is no reason, if all that is required besides is known (`without_c`).
    """
    named = tuple(modules)
    found = next((module for module in named if dynamic_without_cgo(module)), None)
    rest = [m for m in named if not dynamic_without_cgo(m) and m not in NOT_ON_LINUX and m not in without_c]
    return None if found is None or (not rest and any(module in NOT_ON_LINUX for module in named)) else found
