"""The texts that the editor has open: Dockerfiles, and every other file that an analysis may look at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dockopt.optimizer.context.discover import is_dockerfile_name
from dockopt.optimizer.lsp.positions import DEFAULT_ENCODING, LineIndex, Range

#: what editors call the language: VS Code and Neovim, Emacs modes, Helix and Zed
_LANGUAGES = frozenset({"dockerfile", "dockerfile-ts", "containerfile"})


@dataclass(frozen=True)
class Document:
    """One state of one open text; a change makes another one."""

    uri: str
    language: str
    version: int
    text: str
    encoding: str = DEFAULT_ENCODING

    @cached_property
    def index(self) -> LineIndex:
        """The lines of the text."""
        return LineIndex(self.text, self.encoding)

    @cached_property
    def path(self) -> Path | None:
        """Where the text lies; None for one that is no file yet, or lies in a place that only the client knows."""
        return path_of(self.uri)

    @property
    def is_dockerfile(self) -> bool:
        """Whether this is a Dockerfile: the client says so, or its name does."""
        return self.path is not None and (self.language.lower() in _LANGUAGES or is_dockerfile_name(self.path.name))


class Documents:
    """All open texts, by the URI that the client gave them."""

    def __init__(self, encoding: str = DEFAULT_ENCODING) -> None:
        """`encoding` is what both sides have agreed on."""
        self.encoding = encoding
        self._open: dict[str, Document] = {}

    def __iter__(self) -> Iterator[Document]:
        return iter(tuple(self._open.values()))

    def get(self, uri: str) -> Document | None:
        """Return the present state of a text."""
        return self._open.get(uri)

    def at(self, path: Path) -> Document | None:
        """Return the open text of a file, whatever its URI looks like."""
        return next((document for document in self._open.values() if document.path == path), None)

    def open(self, uri: str, language: str, version: int, text: str) -> Document:
        """Take a text that was opened."""
        return self._put(Document(uri, language, version, text, self.encoding))

    def change(self, uri: str, version: int, changes: list[tuple[Range | None, str]]) -> Document | None:
        """Apply changes in order, each a new text (for the range None) or a replacement of one range.

        The server asks for whole texts, so a text that was never opened is taken from its first one: after a message that got
        lost both sides agree again with the next change. None where only a part of such a text is known.
        """
        document = self._open.get(uri)
        language, text = ("", None) if document is None else (document.language, document.text)
        for where, new in changes:
            if where is None:
                text = new
            elif text is not None:
                index = LineIndex(text, self.encoding)
                start, end = sorted((index.offset(where.start), index.offset(where.end)))
                text = text[:start] + new + text[end:]
        return None if text is None else self._put(Document(uri, language, version, text, self.encoding))

    def close(self, uri: str) -> Document | None:
        """Forget a text, and return its last state."""
        return self._open.pop(uri, None)

    def unsaved(self) -> dict[str, bytes]:
        """Return what the editor has of each file, by its path; texts that are no Unicode are left out."""
        found: dict[str, bytes] = {}
        for document in self:
            if document.path is not None:
                try:
                    found[os.fspath(document.path)] = document.index.source
                except UnicodeEncodeError:
                    continue
        return found

    def _put(self, document: Document) -> Document:
        self._open[document.uri] = document
        return document


def path_of(uri: str) -> Path | None:
    """Return the path that a `file:` URI names, None for any other URI."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    path = unquote(parts.path, errors="surrogateescape")
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path:
        return None
    try:
        os.fsencode(path)
    except UnicodeEncodeError:  # half of a surrogate pair, which no name holds
        return None
    return Path(os.path.normpath(path))
