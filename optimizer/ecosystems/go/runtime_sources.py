"""What the sources of a Go program say of files: what is built in (`//go:embed`), and which strings may name one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from dockopt.optimizer.ecosystems.go.binary import GoBuild
from dockopt.optimizer.ecosystems.go.literals import texts_of
from dockopt.optimizer.regions import join, parents
from dockopt.optimizer.runtime_files import Brought, Named, Question, Said

#: the whole working directory is read, or served
_EVERYTHING = re.compile(
    r"\b(?:Dir|DirFS|Walk|WalkDir|ReadDir|Static|StaticFS|FileServer)\s*\(\s*(?:\"[^\"\n]*\"\s*,\s*)?\"\.{0,2}/?\""
)
_WILD = re.compile(r"[*%{\[?]")


class GoSources:
    """The sources of what one `go build` makes (`dockopt.optimizer.runtime_files.Sources`)."""

    ending: str = ".go"
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
            strings += [Named(literal.text, file, literal.line) for literal in texts.literals]
            whole = _EVERYTHING.search(data.decode("utf-8", "replace"))
            if whole is not None:
                line = data.count(b"\n", 0, whole.start()) + 1
                questions.append(Question("does the program serve or read its whole working directory?", file, line))
            if b"joho/godotenv" in data:
                strings.append(Named(".env", file, data.count(b"\n", 0, data.index(b"joho/godotenv")) + 1))
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
