"""Which packages of a Cargo.lock may link a program with C libraries of the image that it is built in, or look there for files.

By convention a package that links a C library is called `NAME-sys` (The Cargo Book, "Build Scripts", "*-sys Packages"), and asks
`pkg-config` or `vcpkg` where the library is. Those that only declare functions, or compile what they link, are named here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dockopt.optimizer.ecosystems.rust.manifest import ManifestError, line_of, parse_toml

#: declarations of other systems, of the kernel and of the C library alone; aws-lc-sys compiles its C and links it statically
_WITHOUT_LIBRARY = frozenset(
    "windows-sys web-sys js-sys linux-raw-sys core-foundation-sys security-framework-sys system-configuration-sys inotify-sys "
    "fsevent-sys kqueue-sys objc-sys dirs-sys jni-sys wasi ndk-sys mach-sys schannel-sys defmt-sys aws-lc-sys".split()
)
_LINKS = re.compile(
    r".*[-_](?:sys|ffi)\d*|pkg-config|vcpkg|system-deps|metadeps|libloading|dlopen\d?|pyo3|mlua|cxx|link-cplusplus|bindgen"
)
#: packages that read the certificates of the system
_CERTIFICATES = frozenset("rustls-native-certs rustls-platform-verifier native-tls openssl-probe".split())
#: packages that read the time zones of the system
_ZONES = frozenset("jiff tzfile tz-rs tzdb".split())


class Linked(NamedTuple):
    """What the packages of a lock file show, each a name and the line in Cargo.lock, or None."""

    library: tuple[str, int] | None
    certificates: tuple[str, int] | None
    zones: tuple[str, int] | None


def linked(lock: bytes) -> Linked:
    """Look through a Cargo.lock. Raises ManifestError."""
    names = [package.get("name") for package in parse_toml(lock, "Cargo.lock").get("package", [])]
    if not all(isinstance(name, str) for name in names):
        raise ManifestError("a package of Cargo.lock has no name")

    def first(wanted: list[str]) -> tuple[str, int] | None:
        return (wanted[0], line_of(lock, "name", f'"{wanted[0]}"')) if wanted else None

    return Linked(
        first([name for name in names if _LINKS.fullmatch(name) and name not in _WITHOUT_LIBRARY]),
        first([name for name in names if name in _CERTIFICATES]),
        first([name for name in names if name in _ZONES]),
    )
