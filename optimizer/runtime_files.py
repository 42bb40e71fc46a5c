"""Which files of its image a program reads at run time, beside itself: those that its strings name.

A file that COPY brings has to be accounted for: it is built in (`//go:embed`, `include_str!`), it is named by a string of the sources,
by a variable or an argument, or it is of a kind that no program reads (sources, manifests, recipes, texts for people). What is left
is a question for the author. The price is a question too many; a string too many costs a few bytes.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.regions import below, join, relative
from dockopt.optimizer.symbolic.filesystem import FileSystem, Op

#: how many files of the context are looked at
_MOST_FILES = 20_000
_MOST_STRINGS = 20_000
#: what no program reads when it runs, unless a string names it: by its path in the context
_NOT_READ = re.compile(
    r"(?:^|/)(?:vendor|testdata|tests?|e2e|docs?|examples?|k8s|kubernetes|helm|charts|terraform|\.[\w-]+)/"
    r"|\.(?:go|mod|sum|rs|md|markdown|rst|proto|sh|bash|ps1|bat|example|sample|dist|orig|mk|s|c|h|cc|cpp|hpp|swp|log)$"
    r"|(?:^|/)go\.work(?:\.sum)?$"
    r"|(?:^|/)[\w.-]*(?:Dockerfile|Containerfile|Makefile|Jenkinsfile|Procfile|Vagrantfile|Earthfile|Tiltfile)[\w.-]*$"
    r"|(?:^|/)(?:LICEN[SC]E|COPYING|NOTICE|AUTHORS|CONTRIBUTORS|CODEOWNERS|CHANGELOG|README|MAINTAINERS|OWNERS|VERSION)[\w.-]*$"
    r"|(?:^|/)\.(?!env|gitkeep|keep)[\w.-]+$|(?:^|/)\.env\.[\w.-]*(?:example|sample|template|dist)$"
    r"|(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$"
    r"|(?:^|/)(?:Taskfile|skaffold|cloudbuild|render|sqlc|buf(?:\.gen|\.work)?|codecov|mkdocs|gqlgen|app|renovate|fly|air|netlify)\.(?:ya?ml|json|toml)$",
    re.IGNORECASE,
)
#: what belongs to tools of those who write a program; a name like `description` in it is a word like any other
_OF_TOOLS = re.compile(r"(?:^|/)\.(?:git|hg|svn|github|gitlab|idea|vscode)/")
#: what belongs to the packages of a directory, which a program that names it does not read
_OF_A_PACKAGE = re.compile(
    r"\.(?:go|mod|sum|rs|s|c|h|cc|cpp|hpp|proto|mk|orig|swp)$|(?:^|/)(?:vendor|testdata)/|(?:^|/)\.git[\w.-]+$"
    r"|(?:^|/)(?:LICEN[SC]E|README|CHANGELOG|CONTRIBUTING|Makefile|Dockerfile)[\w.-]*$",
    re.IGNORECASE,
)
#: a string that names all files with an ending: `*.md`, `.md`, `%s.md`
_ENDING = re.compile(r"(?:\./)?(?:[*%]\w?)?(\.\w+)")
#: places that Debian's and Alpine's golang images have and small images may lack
_OF_THE_BASE = re.compile(
    r"/(?:usr/(?!share/zoneinfo)|s?bin/|lib/|go/|var/(?:log|lib|cache|spool|mail|opt|local)(?:/|$)|(?:opt|srv|mnt|media|home)(?:/|$)).*"
)
_PATH = re.compile(r"[\w@+~.-]*(?:/[\w@+~.*%{}\[\]-]*)*")
_WILD = re.compile(r"[*%{\[?]")
_SCHEME = re.compile(r"file:(?://)?")


class Named(NamedTuple):
    """A text in which a path may stand, and where it is said: a file of the context ("" is the Dockerfile) and a line."""

    text: str
    file: str
    line: int


class Question(NamedTuple):
    """What only the author can answer."""

    message: str
    file: str = ""
    line: int = 0


@dataclass(slots=True)
class RuntimeFiles:
    """The files that a program needs in its image."""

    #: absolute paths, files and directories; none lies in another
    paths: tuple[str, ...] = ()
    #: for each of them where it is named
    named: dict[str, Named] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()

    def told(self) -> Iterator[str]:
        """Yield for each path where it is named, as a note of a proposal that takes it along."""
        for path in self.paths:
            place = self.named[path]
            said = f"{place.file}:{place.line}" if place.file else "the Dockerfile"
            yield f"`{path}` is taken along: {said} names it"


class Brought(NamedTuple):
    """One file that COPY or ADD brings, or a tree of another stage."""

    path: str
    source: str | None  #: in the context, None for what comes from elsewhere
    line: int


class Said(NamedTuple):
    """What the sources of a program say of files."""

    #: what is built in: paths of the image
    embedded: tuple[str, ...]
    strings: tuple[Named, ...]
    questions: tuple[Question, ...] = ()


class Sources(Protocol):
    """The sources of a program in one language."""

    #: how the names of its sources end
    endings: tuple[str, ...]
    #: what no program in the language reads when it runs, beside what none reads; None: nothing
    not_read: re.Pattern[str] | None

    def said(self, brought: Sequence[Brought]) -> Said:
        """Return what they say; `brought` are the files that COPY and ADD bring, sources among them."""


def runtime_files(
    made: Sources, files: FileSystem, cwd: str, words: Iterable[Named], context: FrozenContext
) -> RuntimeFiles:
    """Return what a program reads of the files of its image; `words` are variables and arguments that it is started with."""
    reader = _Reader(made, files, cwd, context)
    return reader.read(tuple(words))


class _Reader:
    def __init__(self, made: Sources, files: FileSystem, cwd: str, context: FrozenContext) -> None:
        self._made, self._files, self._cwd, self._context = made, files, cwd, context.aside()
        self._questions: list[Question] = []
        self._named: dict[str, Named] = {}

    def read(self, words: tuple[Named, ...]) -> RuntimeFiles:
        brought = list(brought_into(self._files, self._context, self._questions))
        paths = [entry.path for entry in brought]
        self._code = [entry.path for entry in brought if entry.path.endswith(self._made.endings)]
        embedded, strings, questions = self._made.said(brought)
        self._questions += questions
        if len(strings) > _MOST_STRINGS:
            self._questions.append(Question("the sources have more strings than are looked at"))
        strings = strings[:_MOST_STRINGS]
        texts = {word.text for word in (*strings, *words)}
        endings = {found[1] for text in texts if (found := _ENDING.fullmatch(text)) is not None}
        self._data = [entry for entry in brought if self._may_be_read(entry, texts, endings)]
        for word in (*strings, *words):
            self._take(word, paths)
        for entry in self._data:
            if not any(below(entry.path, root) for root in (*embedded, *self._named)):
                self._ask_for(entry)
        outermost = tuple(sorted(p for p in self._named if not any(p != o and below(p, o) for o in self._named)))
        for path in outermost:
            source = next((e.source for e in brought if e.path == path), None) or self._directory_of(path, brought)
            if source is not None and self._context.may_be_missing(source):
                self._ask(f"git ignores `{source}`: is it in the image of everybody who builds?", self._named[path])
        return RuntimeFiles(outermost, self._named, tuple(dict.fromkeys(self._questions)))

    def _may_be_read(self, entry: Brought, texts: set[str], endings: set[str]) -> bool:
        """Tell whether programs read a file: by its kind, or as strings say its name, with or without the ending, or its ending."""
        if entry.source is None:
            return True
        if _OF_TOOLS.search(entry.source):
            return False
        more = self._made.not_read
        of_the_language = more is not None and more.search(entry.source) is not None
        if not of_the_language and not _NOT_READ.search(entry.source):
            return True
        name = posixpath.basename(entry.source)
        stem, ending = posixpath.splitext(name)
        if ending in (*self._made.endings, ".mod", ".sum"):
            return False
        if name in texts:
            return True  # in a directory that is only known when it runs (`os.Executable`, `os.Chdir`)
        if not ending or of_the_language or _OF_A_PACKAGE.search(name):
            return False
        return stem in texts or ending in endings

    def _directory_of(self, path: str, brought: list[Brought]) -> str | None:
        """Return the directory of the context whose files lie below a path."""
        for entry in brought:
            if entry.source is not None and below(entry.path, path):
                rest = relative(entry.path, path)
                return entry.source.removesuffix(rest).strip("/") or None
        return None

    def _ask(self, message: str, place: Named) -> None:
        self._questions.append(Question(message, place.file, place.line))

    def _ask_for(self, entry: Brought) -> None:
        inside = relative(entry.path, self._cwd) if below(entry.path, self._cwd) else entry.path
        head = inside.split("/")[0] if not inside.startswith("/") else inside
        shown = head if head == inside else f"{head}/"
        question = Question(f"does the program read `{shown}`? nothing in its sources names it", "", entry.line)
        self._questions.append(question)

    # -- names -------------------------------------------------------------------------------------------------------------

    def _take(self, word: Named, brought: list[str]) -> None:
        """Take over what a string names, where it is there."""
        for text in _candidates(word.text):
            path = join(self._cwd, text)
            if below(self._cwd, path):
                continue  # the working directory, or what holds it
            data = [entry.path for entry in self._data if below(entry.path, path)]
            hidden = [entry for entry in brought if entry == path]
            if path in self._code:
                continue
            if any(below(code, path) for code in self._code):
                data = [
                    entry
                    for entry in brought
                    if below(entry, path) and (entry in data or not _OF_A_PACKAGE.search(relative(entry, path)))
                ]
            elif not data:
                # a directory that is there to be written to (`uploads/.gitignore`)
                data = [entry for entry in brought if below(entry, path)]
            if data or hidden:
                for found in self._narrowed(path, data, hidden):
                    self._named.setdefault(found, word)
            elif word.file and text.startswith("/") and _OF_THE_BASE.fullmatch(path) and not self._is_made(path):
                self._ask(f"the sources name `{path}`: must it be there?", word)
            elif "/" in text or "." in text:
                self._may_appear(text, path, word)

    def _is_made(self, path: str) -> bool:
        """Tell whether an instruction makes a directory of which a path is a part: it is taken along."""
        return any(op.kind in ("dir", "dir-set") and below(path, op.path) for op in self._files.ops)

    def _narrowed(self, path: str, data: list[str], files: list[str]) -> list[str]:
        """Return a directory, or where there are sources in it, what else there is."""
        if files and not path.endswith(self._made.endings):
            return [path]
        if not any(below(code, path) for code in self._code):
            return [path] if data else []
        inside = {join(path, relative(entry, path).split("/")[0]) for entry in data if entry != path}
        return [
            found
            for child in sorted(inside)
            for found in self._narrowed(child, [e for e in data if below(e, child)], [e for e in data if e == child])
        ]

    def _may_appear(self, text: str, path: str, word: Named) -> None:
        """Ask for a file that git ignores: whoever builds may have it, and then it is copied."""
        for op in self._files.ops:
            if op.kind == "overlay" and op.source is not None and op.source.pattern is None and below(path, op.path):
                rel = f"{op.source.path}/{relative(path, op.path)}".strip("/")
                if rel and self._context.may_be_missing(rel) and not self._context.excluded(rel):
                    self._ask(f"git ignores `{text}`, which the sources name: is it in the image?", word)
                    return


def brought_into(
    files: FileSystem, context: FrozenContext, questions: list[Question] | None = None
) -> Iterator[Brought]:
    """Yield what COPY and ADD bring into the image, as the context is today."""
    for op in files.ops:
        if op.kind not in ("put", "overlay") or not op.writer.startswith("`"):
            continue
        copies = op.writer.startswith(("`COPY ", "`ADD "))
        if op.source is None:
            if copies:
                yield Brought(op.path, None, op.line)
        elif op.kind == "put" and op.source.pattern is None:
            yield Brought(op.path, op.source.path, op.line)
        else:
            yield from _listed(op, context, questions)


def _listed(op: Op, context: FrozenContext, questions: list[Question] | None) -> Iterator[Brought]:
    assert op.source is not None
    pattern = op.source.pattern
    found = (
        context.files_below(op.source.path, _MOST_FILES)
        if pattern is None
        else context.glob(f"{op.source.path}/{pattern}".strip("/"))
    )
    if found is None:
        if questions is not None:
            questions.append(Question("the files that are copied cannot be listed", "", op.line))
        return
    for rel in found:
        yield Brought(join(op.path, relative("/" + rel, "/" + op.source.path)), rel, op.line)


def _candidates(text: str) -> Iterator[str]:
    """Yield the paths that a string, an argument or a variable may stand for."""
    if len(text) > 400 or "\n" in text:
        return
    for word in {text, *re.split(r"[=,:;\s]", text)}:
        piece = _SCHEME.sub("", word.strip())
        if not piece or not _PATH.fullmatch(piece) or piece.strip("./") == "":
            continue
        parts = piece.split("/")
        wild = next((i for i, part in enumerate(parts) if _WILD.search(part)), len(parts))
        fixed = "/".join(parts[:wild])
        if fixed.strip("./"):
            yield fixed
