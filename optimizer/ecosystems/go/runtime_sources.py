"""What the sources of a Go program say of files: what is built in (`//go:embed`), and which strings may name one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from dockopt.optimizer.ecosystems.go.binary import GoBuild
from dockopt.optimizer.ecosystems.go.literals import texts_of
from dockopt.optimizer.regions import join, parents
from dockopt.optimizer.runtime_files import Brought, Named, Question, Said

#: strings that are looked up in what is built in: `template.ParseFS(pages, "pages/*.html")`, `pages.ReadFile("pages/a.html")`
_OF_EMBEDDED = re.compile(
    r"\b(?:ParseFS|fs\.(?:Sub|ReadFile|ReadDir|WalkDir|Glob|Stat))\(\s*(?P<fs>\w+)\s*,\s*(?P<in>\"[^\"\n]*\"(?:\s*,\s*\"[^\"\n]*\")*)"
    r"|\b(?P<own>\w+)\.(?:ReadFile|ReadDir|Open)\(\s*(?P<one>\"[^\"\n]*\")"
)
_EMBEDDED = re.compile(r"\b(\w+)\s+embed\.FS\b")
#: the whole working directory is read, or served
_EVERYTHING = re.compile(
    r"\b(?:Dir|DirFS|Walk|WalkDir|ReadDir|Static|StaticFS|FileServer)\s*\(\s*(?:\"[^\"\n]*\"\s*,\s*)?\"\.{0,2}/?\""
    # what is put behind it names any file: `"./" + r.URL.Path`
    r"|\"\.{1,2}/?\"\s*\+"
)
#: modules that read the file `.env` where they are told no other
_DOTENV = re.compile(rb"joho/godotenv|subosito/gotenv")
_WILD = re.compile(r"[*%{\[?]")


class GoSources:
    """The sources of what one `go build` makes (`dockopt.optimizer.runtime_files.Sources`)."""

    endings: tuple[str, ...] = (".go",)
    not_read: re.Pattern[str] | None = None

    def __init__(self, made: GoBuild) -> None:
        self._made = made

    def said(self, brought: Sequence[Brought]) -> Said:
        """Return what is built in, and all strings."""
        embedded: list[str] = []
        strings: list[Named] = []
        questions: list[Question] = []
        facts = self._made.facts
        for path in () if facts is None else facts.files:
            data = self._made.tree.read(path)
            if data is None:
                continue
            file = self._made.tree.context_path(path)
            texts = texts_of(data)
            for pattern in texts.embedded:
                embedded += _matching(join(posixpath.dirname(path), pattern.removeprefix("all:")), brought)
            source = data.decode("utf-8", "replace")
            inside = _looked_up_in_embedded(source)
            strings += [
                Named(literal.text, file, literal.line)
                for literal in texts.literals
                if (literal.text, literal.line) not in inside
            ]
            whole = _EVERYTHING.search(source)
            if whole is not None:
                line = source.count("\n", 0, whole.start()) + 1
                questions.append(Question("does the program serve or read its whole working directory?", file, line))
            dotenv = _DOTENV.search(data)
            if dotenv is not None:
                strings.append(Named(".env", file, data.count(b"\n", 0, dotenv.start()) + 1))
        return Said(tuple(embedded), tuple(strings), tuple(questions))


def _matching(pattern: str, brought: Sequence[Brought]) -> list[str]:
    if not _WILD.search(pattern):
        return [pattern]
    from dockopt.optimizer.context import gopath

    found = []
    for entry in brought:
        # a pattern that matches a directory embeds all below it
        for path in (entry.path, *parents(entry.path)):
            try:
                if gopath.match(pattern, path):
                    found.append(path)
            except gopath.BadPatternError:
                return []
    return found


def _looked_up_in_embedded(source: str) -> set[tuple[str, int]]:
    """Return the strings, with their lines, that name a file of an `embed.FS`: in a line where no other string is the same."""
    embedded = set(_EMBEDDED.findall(source))
    found: set[tuple[str, int]] = set()
    for call in _OF_EMBEDDED.finditer(source) if embedded else ():
        if (call["fs"] or call["own"]) not in embedded:
            continue
        start = call.start("in") if call["in"] else call.start("one")
        for text in re.finditer(r"\"([^\"\n]*)\"", call["in"] or call["one"]):
            at = start + text.start()
            line = source[source.rfind("\n", 0, at) + 1 :].split("\n", 1)[0]
            if line.count(text[0]) == 1:
                found.add((text[1], source.count("\n", 0, at) + 1))
    return found
