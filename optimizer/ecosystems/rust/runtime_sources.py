"""What the sources of a Rust program say of files: what is built in, which strings may name one, and what else they need.

Facts: the reference of `std` (`include_str!` and `include_bytes!` are relative to the source), the documentation of rust-embed
(`#[folder = "…"]`, relative to Cargo.toml, built in for release builds), include_dir, askama (`templates`), and sqlx and diesel
(`migrations`), which read when the program is compiled.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.regions import below, join
from dockopt.optimizer.runtime_files import Brought, Named, Question, Said

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|(?<!\w)[bc]?r(?P<fence>#*)\"(?P<raw>.*?)\"(?P=fence)|\"(?P<text>(?:\\.|[^\"\\])*)\""
    r"|'(?:\\(?:u\{[^}]*\}|x[0-9a-fA-F]{2}|.)|[^'\\\n])'",
    re.DOTALL,
)
_MANIFEST = r"(?:concat!\s*\(\s*env!\s*\(\s*\"CARGO_MANIFEST_DIR\"\s*\)\s*,\s*)?"
_INCLUDED = re.compile(rf"\binclude(?:_str|_bytes|_dir)?!\s*\(\s*({_MANIFEST})\"([^\"\n]*)\"")
_FOLDER = re.compile(r"#\[folder\s*=\s*\"([^\"\n]*)\"")
_TEMPLATE = re.compile(r"#\[template\((?:[^)]*,)?\s*path\s*=\s*\"")
_MIGRATIONS = re.compile(r"\b(?:migrate|embed_migrations)!\s*\(\s*(?:\"([^\"\n]*)\")?")
_EVERYTHING = re.compile(
    r"\b(?:ServeDir::new|Files::new|read_dir|WalkDir::new|Walk::new|fs::dir|NamedFile::open|FileServer::from)"
    r"\s*\(\s*(?:\"[^\"\n]*\"\s*,\s*)?\"\.{0,2}/?\"|\bcurrent_dir\s*\(\s*\)"
)
_BUILT_IN_PLACE = re.compile(r"\bCARGO_MANIFEST_DIR\b|\brelative!\s*\(")
_STARTS = re.compile(r"\bprocess::(?:\*|Command\b|\{[^}]*\bCommand\b)|\b(?:execvp?e?|fork)\s*\(")
_LINKS = re.compile(r"#\[link\s*\(")
_NOT_BUILT = re.compile(r"(?:^|/)(?:tests|benches|examples)/")


class Trouble(NamedTuple):
    """What a program needs that only the image has in which it is built: the reason, a file of the context, and a line."""

    reason: str
    file: str
    line: int


class RustSources:
    """The sources of a package below `root` in the image (`dockopt.optimizer.runtime_files.Sources`)."""

    endings: tuple[str, ...] = (".rs",)
    not_read: re.Pattern[str] | None = re.compile(
        r"(?:^|/)(?:Cargo\.(?:toml|lock)|rust-toolchain(?:\.toml)?|\.?(?:rustfmt|clippy)\.toml|deny\.toml|Cross\.toml)$|(?:^|/)benches/"
    )

    def __init__(self, context: FrozenContext, root: str, *, release: bool) -> None:
        self._context, self._root, self._release = context.aside(), root, release

    def _files(self, brought: Sequence[Brought]) -> Iterator[tuple[Brought, str]]:
        for entry in brought:
            if entry.path.endswith(".rs") and entry.source is not None and not _NOT_BUILT.search(entry.source):
                data = self._context.read(entry.source)
                if data is not None:
                    yield entry, data.decode("utf-8", "replace")

    def troubles(self, brought: Sequence[Brought]) -> Iterator[Trouble]:
        """Yield what the sources start or link beside what Cargo.lock shows."""
        for entry, text in self._files(brought):
            for pattern, reason in (
                (_STARTS, "the program starts other programs (`std::process`)"),
                (_LINKS, "the program links a C library"),
            ):
                found = pattern.search(_without_comments(text))
                if found is not None:
                    yield Trouble(reason, entry.source or "", _line(_without_comments(text), found.start()))

    def said(self, brought: Sequence[Brought]) -> Said:
        """Return what is built in, and all other strings."""
        embedded: list[str] = []
        strings: list[Named] = []
        questions: list[Question] = []
        for entry, text in self._files(brought):
            file = entry.source or ""
            spans: list[tuple[int, int]] = []
            for found in _INCLUDED.finditer(text):
                spans.append(found.span())
                path = found[2].removeprefix("$CARGO_MANIFEST_DIR/")
                at_manifest = bool(found[1]) or path != found[2]
                base = self._root if at_manifest else posixpath.dirname(entry.path)
                embedded.append(join(base, path.lstrip("/") if at_manifest else path))
            if self._release:
                for found in _FOLDER.finditer(text):
                    spans.append(found.span())
                    embedded.append(join(self._root, found[1]))
            if _TEMPLATE.search(text):
                embedded.append(join(self._root, "templates"))
            embedded += [join(self._root, found[1] or "migrations") for found in _MIGRATIONS.finditer(text)]
            for pattern, message in (
                (_EVERYTHING, "does the program serve or read its whole working directory?"),
                (_BUILT_IN_PLACE, "does the program look for files where it was built (`CARGO_MANIFEST_DIR`)?"),
            ):
                for found in pattern.finditer(text):
                    if not any(start <= found.start() < end for start, end in spans):
                        questions.append(Question(message, file, _line(text, found.start())))
            for string, start in _strings(text):
                if not any(first <= start < end for first, end in spans):
                    strings.append(Named(string, file, _line(text, start)))
            if "dotenv" in text:
                strings.append(Named(".env", file, _line(text, text.index("dotenv"))))
        if not any(below(entry.path, self._root) and entry.path.endswith(".rs") for entry in brought):
            questions.append(Question("the sources of the program are not found"))
        return Said(tuple(embedded), tuple(strings), tuple(questions))


def _strings(text: str) -> Iterator[tuple[str, int]]:
    for token in _TOKEN.finditer(text):
        value = token["raw"] if token["raw"] is not None else token["text"]
        if value:
            yield re.sub(r"\\(.)", r"\1", value), token.start()


def _without_comments(text: str) -> str:
    """Return the text with blanks for all but line ends of comments and strings."""
    return _TOKEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
