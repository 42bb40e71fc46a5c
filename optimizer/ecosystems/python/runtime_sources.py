"""What the sources of a Python program need of their image, beside Python and its packages; read as text.

`tkinter` needs Tk, which the slim image lacks (docker-library/python, Dockerfile-linux.template).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.regions import below
from dockopt.optimizer.running.languages import LANGUAGES
from dockopt.optimizer.runtime_files import Brought
from dockopt.optimizer.slim_variants import place_of_packages

_TOKEN = re.compile(
    r"#[^\n]*|\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|\"((?:\\.|[^\"\\\n])*)\"|'((?:\\.|[^'\\\n])*)'",
    re.DOTALL,
)
_STARTS = LANGUAGES["Python"].starts
_LOADS = re.compile(r"\b(?:ctypes|cffi|find_library|CDLL)\b")
_TK = re.compile(r"^\s*(?:import|from)\s+(?:tkinter|turtle|idlelib|turtledemo|_tkinter)\b", re.MULTILINE)
_CERTIFICATES = re.compile(r"\b(?:SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)\b")
_TYPES = re.compile(
    r"\bmimetypes\b|\bsend_file\b|\bsend_from_directory\b|\bStaticFiles\b|\bFileResponse\b|\bhttp\.server\b"
)


class Trouble(NamedTuple):
    """What a program needs that another image may lack: the reason, a file of the context, and a line."""

    reason: str
    file: str
    line: int


def troubles(context: FrozenContext, brought: Sequence[Brought], root: str) -> Iterator[Trouble]:
    """Yield what the sources start, load and look for outside of `root`."""
    aside = context.aside()
    for entry in brought:
        source = entry.source
        if source is None:
            continue
        if re.search(r"\.(?:so(?:\.\d+)*|pyd|pyx|c|cpp)$", source):
            yield Trouble("a library for one system is copied or built, which may need others of the image", source, 0)
        if not source.endswith((".py", ".pyw")) or LANGUAGES["Python"].not_run.search(source):
            continue
        text = (aside.read(source) or b"").decode("utf-8", "replace")
        code = _TOKEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]) if found[0][0] == "#" else found[0], text)
        for pattern, reason in (
            (_STARTS, "the program starts other programs"),
            (_LOADS, "the program loads libraries"),
            (_TK, "the program needs Tk"),
            (_CERTIFICATES, "the program reads certificates of the image"),
        ):
            found = pattern.search(code)
            if found is not None:
                yield Trouble(f"{reason} (`{found[0].strip()}`)", source, code.count("\n", 0, found.start()) + 1)
        for token in _TOKEN.finditer(text):
            string = token[1] or token[2] or ""
            if string and place_of_packages(string) == string and not below(string, root):
                line = text.count("\n", 0, token.start()) + 1
                yield Trouble(f"the sources name `{string}`, which the smaller image may lack", source, line)


def serves_files(context: FrozenContext, brought: Sequence[Brought]) -> bool:
    """Tell whether a program may ask for the type of a file by its ending."""
    aside = context.aside()
    sources = (entry.source for entry in brought if entry.source is not None and entry.source.endswith(".py"))
    return any(_TYPES.search((aside.read(source) or b"").decode("utf-8", "replace")) for source in sources)
