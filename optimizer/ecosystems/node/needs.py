"""What packages of a package-lock.json need of the image that they are installed in, beside Node itself.

A package of JavaScript alone runs wherever Node runs. One with an install script may compile, download or look for a library there;
one that is restricted to a system or a processor is a program or a library. Both are marked in the lock file (npm,
package-lock-json(5): `hasInstallScript`, `os`, `cpu`, since version 2). What a package starts when it runs is not: those that start
programs are named here, by what their own documentation asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from dockopt.optimizer.ecosystems.view import Obstacle, parse_object

_FFMPEG = 'the program `ffmpeg` (its README, "Prerequisites")'
_MAGICK = "the programs of ImageMagick or GraphicsMagick (its README)"
_BROWSER = 'a browser and the libraries of one (its documentation, "Installation", "System requirements")'
_OPENSSL = 'OpenSSL of the image (prisma.io, "System requirements")'
_POPPLER = "the programs of Poppler (its README)"
_PROCESSES = "the program `ps` (its source)"
#: package → what it needs of the image
_NEEDS: dict[str, str] = {
    **dict.fromkeys("puppeteer puppeteer-core playwright playwright-core playwright-chromium phantomjs-prebuilt".split(), _BROWSER),
    **dict.fromkeys("html-pdf html-pdf-node selenium-webdriver whatsapp-web.js".split(), _BROWSER),
    **dict.fromkeys("prisma @prisma/client @prisma/engines".split(), _OPENSSL),
    **dict.fromkeys("fluent-ffmpeg ffmpeg prism-media @ffmpeg-installer/ffmpeg".split(), _FFMPEG),
    **dict.fromkeys("gm imagemagick easyimage node-imagemagick".split(), _MAGICK),
    **dict.fromkeys("pdf-poppler pdf-image pdf2pic node-poppler".split(), _POPPLER),
    **dict.fromkeys("simple-git nodegit git-rev-sync gitlog git-raw-commits".split(), "the program `git` (its README)"),
    **dict.fromkeys("ps-list ps-tree pidusage find-process".split(), _PROCESSES),
    "python-shell": "the program `python3` (its README)",
    "systeminformation": "programs of the system (its README)",
    "node-tesseract-ocr": "the program `tesseract` (its README)",
    "wkhtmltopdf": "the program `wkhtmltopdf` (its README)",
    "libreoffice-convert": "LibreOffice (its README)",
    "textract": "programs of the system (its README)",
    "exiftool-vendored": "Perl (its README)",
    "open": "the program `xdg-open` (its README)",
    "opn": "the program `xdg-open` (its README)",
    "ping": "the program `ping` (its README)",
    "mysqldump": "the program `mysqldump` (its README)",
    "mongodb-memory-server": "the libraries of MongoDB (its documentation, \"Requirements\")",
    "canvas": "Cairo and Pango (its README)",
    "sharp": "libvips or what it is built with (sharp.pixelplumbing.com, \"Installation\")",
    "pg-native": "libpq (its README)",
    "ibm_db": "the libraries of Db2 (its README)",
    "oracledb": "the libraries of Oracle's client in thick mode (its documentation, \"Initializing\")",
    "ffi-napi": "whatever libraries it is asked to load",
    "koffi": "whatever libraries it is asked to load",
    "node-pty": "whatever programs it is asked to start",
    "dockerode": "the socket of Docker, and who may open it",
}  # fmt: skip
#: packages that start what they are asked to start: they count where the project itself asks for them
_STARTERS = frozenset(
    "execa cross-spawn shelljs zx nano-spawn tinyexec child-process-promise node-cmd spawn-rx".split()
)
#: packages whose install script prints, counts or checks, and leaves nothing (the scripts in the packages themselves)
_LEAVES_NOTHING = frozenset(
    "core-js core-js-pure core-js-bundle es5-ext protobufjs @nestjs/core @scarf/scarf styled-components".split()
)


class Installed(NamedTuple):
    """One package that a lock file has installed."""

    name: str
    #: its directory, relative to the project (`node_modules/a/node_modules/b`)
    place: str
    entry: dict[str, Any]

    @property
    def is_of_development(self) -> bool:
        """Tell whether only `devDependencies` lead to it."""
        return self.entry.get("dev") is True


class Needs(NamedTuple):
    """Why a package may not run in another image, and its line in the lock file."""

    reason: str
    line: int


def installed(text: str, path: str) -> tuple[Installed, ...]:
    """Return what package-lock.json has installed. Raises `Obstacle` for one that does not tell about install scripts."""
    found = parse_object(text, path)
    entries = found.get("packages")
    if not isinstance(entries, dict) or found.get("lockfileVersion") not in (2, 3):
        raise Obstacle(
            f"`lockfileVersion` {found.get('lockfileVersion')} does not say which packages have install scripts: "
            "`npm install --package-lock-only` of npm 7 or later writes one that does",
            path,
        )
    return tuple(
        Installed(str(place).rpartition("node_modules/")[2], str(place), entry)
        for place, entry in entries.items()
        if "node_modules/" in str(place) and isinstance(entry, dict) and not entry.get("link")
    )


class Asked(NamedTuple):
    """What a project asks for by itself."""

    dependencies: frozenset[str]
    for_development: frozenset[str]
    #: names in strings of the program
    named: frozenset[str]


def needs(packages: tuple[Installed, ...], asked: Asked, text: str) -> Iterator[Needs]:
    """Yield what packages need that may be loaded when the program runs; `text` is that of the lock file.

    Packages for development count where the program names one of them.
    """
    all_count = bool(asked.named & (asked.for_development - asked.dependencies))
    for package in packages:
        if package.is_of_development and not all_count:
            continue
        reason = _need(package)
        if package.name in _STARTERS and package.name in asked.dependencies | asked.named:
            reason = f"the package `{package.name}` starts whatever programs it is asked to start"
        if reason is not None:
            yield Needs(reason, line_of(text, package.place))


def _need(package: Installed) -> str | None:
    if package.name in _NEEDS:
        return f"the package `{package.name}` needs {_NEEDS[package.name]}"
    systems = [str(system) for system in package.entry.get("os") or ()]
    if systems and "linux" not in systems and not any(system.startswith("!") for system in systems):
        return None  # not installed on Linux
    if systems.count("linux") or package.entry.get("cpu") or package.entry.get("libc"):
        return f"the package `{package.name}` is a program or a library for one system, and may load libraries of the image"
    if package.entry.get("hasInstallScript") and package.name not in _LEAVES_NOTHING:
        return (
            f"the package `{package.name}` has an install script, which may compile it against libraries of the image"
        )
    return None


def line_of(text: str, place: str) -> int:
    """Return the line at which the entry of a package begins, 0 where it is not found."""
    found = re.search(rf'"{re.escape(place)}"\s*:\s*{{', text)
    return 0 if found is None else text.count("\n", 0, found.start()) + 1
