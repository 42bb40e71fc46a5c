"""Which wheels a list of requirements has pip install, and what they need of the image beside Python.

A wheel for Linux may use only libraries that every system of its kind has, or that it brings itself (PEP 600; the list of auditwheel
has glibc, libstdc++ and, for programs with windows, libX11, libGL and libglib). So what is installed as a wheel runs in a smaller image of
the same release; what is compiled there (a source distribution) is linked with whatever it finds. Only hashes and
`--only-binary=:all:` tell before the build which packages come, and that they are wheels (pip's "Secure installs", "pip install").
"""

from __future__ import annotations

import re
from typing import NamedTuple

_WINDOWS = "libGL, libX11 or libglib, which wheels may take for granted (auditwheel's policy)"
_BROWSER = "a browser (its documentation)"
_NEEDS: dict[str, str] = {
    **dict.fromkeys("opencv-python opencv-contrib-python pyqt5 pyqt6 pyside2 pyside6 wxpython".split(), _WINDOWS),
    **dict.fromkeys("vtk open3d pyglet kivy mayavi".split(), _WINDOWS),
    **dict.fromkeys("selenium playwright pyppeteer undetected-chromedriver kaleido".split(), _BROWSER),
    "python-magic": "libmagic (its README)",
    "weasyprint": "Pango (its documentation, \"First Steps\")",
    "cairocffi": "Cairo (its documentation)",
    "cairosvg": "Cairo (its documentation)",
    "psycopg": "libpq, unless psycopg-binary is there (its documentation, \"Installation\")",
    "pyodbc": "drivers for ODBC (its wiki)",
    "cx-oracle": "the libraries of Oracle's client (its documentation)",
    "oracledb": "the libraries of Oracle's client in thick mode (its documentation)",
    "ibm-db": "the libraries of Db2 (its README)",
    "pyzbar": "libzbar (its README)",
    "wand": "ImageMagick (its documentation)",
    "pytesseract": "the program `tesseract` (its README)",
    "pdf2image": "the programs of Poppler (its README)",
    "pdfkit": "the program `wkhtmltopdf` (its README)",
    "imgkit": "the program `wkhtmltoimage` (its README)",
    **dict.fromkeys("ffmpeg-python pydub moviepy yt-dlp openai-whisper".split(), "the program `ffmpeg` (its README)"),
    "sounddevice": "PortAudio (its documentation)",
    "pyaudio": "PortAudio (its documentation)",
    "pyusb": "libusb (its README)",
    "gitpython": "the program `git` (its documentation, \"Requirements\")",
    "graphviz": "the program `dot` (its README)",
    "pydot": "the program `dot` (its README)",
    "pygraphviz": "Graphviz (its documentation)",
    "gdal": "GDAL (its documentation)",
    "python-ldap": "libldap (its documentation)",
    "pexpect": "whatever programs it is asked to start",
    "sh": "whatever programs it is asked to start",
    "plumbum": "whatever programs it is asked to start",
    "invoke": "whatever programs it is asked to start",
    "fabric": "whatever programs it is asked to start",
    "ansible": "programs of the system (its documentation)",
    "ansible-core": "programs of the system (its documentation)",
    "supervisor": "whatever programs it is asked to start",
    "docker": "the socket of Docker, and who may open it",
    "jupyter": "whatever its notebooks start",
    "notebook": "whatever its notebooks start",
    "triton": "a compiler for C (its source)",
}  # fmt: skip
#: packages that the slim image has in its own version: two would lie over one another
OF_THE_IMAGE = frozenset({"pip", "setuptools", "wheel"})
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[[\w\s,.-]*\])?\s*==\s*[\w.!+*-]+\s*(?:;[^#]*?)?(?P<hashes>(?:\s+--hash[= ]\S+)+)"
)
_ONLY_BINARY = re.compile(r"--only-binary(?:=|\s+):all:")
#: options of a list that change neither where packages come from nor how they are installed
_PLAIN_LINE = re.compile(r"(?:(?:-i|--index-url)[= ]https://pypi\.org/simple/?|--only-binary[= ]\S+|--require-hashes)")
_INDEX = re.compile(r"(?:-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host)\b.*")
#: wheels with the tag `linux_x86_64`, which PyPI does not take, may be linked with anything (PEP 513, "Rationale")
OTHER_INDEX = "another index than PyPI may have wheels that are linked with libraries of the large image"


class Wheel(NamedTuple):
    """One package that is installed as a wheel."""

    name: str  #: in the normal form of PEP 503
    line: int


class NotWheels(NamedTuple):
    """Why what a list installs is not known, or may be no wheel."""

    reason: str
    line: int


def wheels(text: str) -> tuple[tuple[Wheel, ...], bool] | NotWheels:
    """Return what a list of requirements installs, and whether the list itself says that only wheels come in."""
    found: list[Wheel] = []
    only = False
    for line, content in _lines(text):
        if _ONLY_BINARY.search(content):
            only = True
        if content.startswith("-"):
            if not _PLAIN_LINE.fullmatch(content) and _INDEX.fullmatch(content):
                return NotWheels(OTHER_INDEX, line)
            if not _PLAIN_LINE.fullmatch(content):
                return NotWheels(f"`{content}` is not followed", line)
            continue
        requirement = _REQUIREMENT.fullmatch(content)
        if requirement is None:
            return NotWheels(f"`{content.split(' ')[0]}` is not fixed by a version and hashes", line)
        found.append(Wheel(re.sub(r"[-_.]+", "-", requirement["name"]).lower(), line))
    return tuple(found), only


def _lines(text: str) -> list[tuple[int, str]]:
    """Return logical lines without comments, with the number of the first one."""
    lines: list[tuple[int, str]] = []
    joined, first = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not joined:
            first = number
        content = re.sub(r"(^|\s+)#.*$", "", line)
        if content.endswith("\\"):
            joined += content[:-1] + " "
            continue
        joined += content
        if joined.strip():
            lines.append((first, joined.strip()))
        joined = ""
    if joined.strip():
        lines.append((first, joined.strip()))
    return lines


def need(wheel: Wheel) -> str | None:
    """Return what a package needs that the slim image may lack, in words."""
    if wheel.name in OF_THE_IMAGE:
        return f"the slim image has a `{wheel.name}` of its own, and another one would lie over it"
    if wheel.name in _NEEDS:
        return f"the package `{wheel.name}` needs {_NEEDS[wheel.name]}"
    return None
