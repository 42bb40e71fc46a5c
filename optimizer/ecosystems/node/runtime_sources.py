"""What the sources of a Node program say: which files they name, which packages, and what they need of their image.

They are read as text. It errs to one side: a name in a comment counts as well as one in the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.regions import below, join, parents
from dockopt.optimizer.runtime_files import Brought, Named, Question, Said
from dockopt.optimizer.slim_variants import place_of_packages

_SOURCE = re.compile(r"\.[cm]?[jt]sx?$")
_NOT_RUN = re.compile(
    r"(?:^|/)(?:node_modules|tests?|__tests__|__mocks__|e2e|spec|cypress|coverage|\.git|\.github|\.husky|docs?)/"
    r"|\.(?:test|spec|e2e-spec|stories|d)\.[cm]?[jt]sx?$"
)
#: settings of programs that build and check
_OF_THE_BUILD = re.compile(
    r"(?:^|/)(?:(?:jest|webpack|rollup|vite|vitest|babel|postcss|tailwind|eslint|prettier|commitlint|lint-staged|tsup|karma|playwright|"
    r"cypress|stylelint|svgo|release|semantic-release)[\w.-]*\.[cm]?[jt]s|\.\w[\w.-]*\.[cm]?js|[Gg](?:ulp|runt)file\.[cm]?[jt]s)$"
)
#: regular expressions are not told apart: a quote in one may hide a text up to the end of its line
_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|'((?:\\.|[^'\\\n])*)'|\"((?:\\.|[^\"\\\n])*)\"|`((?:\\.|[^`\\])*)`",
    re.DOTALL,
)
_STARTS = re.compile(
    r"\bchild_process\b|\bexecFile(?:Sync)?\b|\bspawnSync\b|\bexecSync\b|\bBun\.(?:spawn|\$)|\bDeno\.Command\b"
)
_LOADS = re.compile(r"\bprocess\.(?:dlopen|binding)\b|\.node[\"'`]\s*\)|\bffi-napi\b|\bkoffi\b")
_CERTIFICATES = re.compile(
    r"\b(?:NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR)|use-(?:openssl|system)-ca)\b|/etc/(?:ssl|pki)\b"
)
_IMPORTED = re.compile(r"(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(?=[\"'`])")
#: a directory that the program finds by itself, and not with a literal name behind it
_ANYWHERE = re.compile(
    r"\bprocess\.cwd\(\)(?!\s*[,+]\s*[\"'`]|\}/[\w.-])|[\"'`]\.\.[\"'`]\s*,(?!\s*[\"'`])"
    r"|\b(?:static|readdir(?:Sync)?|serveStatic|opendir|glob(?:Sync)?|sync)\s*\(\s*[\"'`](?:\.{0,2}/?|\*[^\"'`]*)[\"'`]"
)


class Trouble(NamedTuple):
    """What a program needs that another image may lack: the reason, a file of the context, and a line."""

    reason: str
    file: str
    line: int


class _Text(NamedTuple):
    file: str
    path: str  #: in the image
    text: str


class NodeSources:
    """The sources of a program in TypeScript below `root` (`dockopt.optimizer.runtime_files.Sources`), or in JavaScript."""

    endings: tuple[str, ...] = (".ts",)
    not_read: re.Pattern[str] | None = re.compile(
        r"(?:^|/)(?:package(?:-lock)?|npm-shrinkwrap|tsconfig[\w.-]*|tslint|nodemon|typedoc|nest-cli|lerna|nx|turbo|jsconfig|api-extractor|"
        r"renovate|biome|cspell|sonar-project|tsoa|deno|bunfig|vercel|now)\.(?:json|properties|toml)$|(?:^|/)(?:yarn\.lock|pnpm-[\w.-]+\.yaml)$"
        r"|(?:^|/)__(?:tests|mocks)__/|\.(?:test|spec|e2e-spec)\.[cm]?[jt]sx?$|\.snap$|\.[cm]?tsx?$|"
        + _OF_THE_BUILD.pattern,
    )

    def __init__(self, context: FrozenContext, root: str, taken: Sequence[str]) -> None:
        """Read the sources of the package in `root`; what lies below `taken` goes along in any case."""
        self._context, self._root, self._taken = context.aside(), root, tuple(taken)
        self._texts: dict[str, str] = {}

    def _files(self, brought: Sequence[Brought]) -> Iterator[_Text]:
        for entry in brought:
            source = entry.source
            if source is None or not _SOURCE.search(source) or _NOT_RUN.search(source) or _OF_THE_BUILD.search(source):
                continue
            if source not in self._texts:
                self._texts[source] = (self._context.read(source) or b"").decode("utf-8", "replace")
            yield _Text(source, entry.path, self._texts[source])

    def troubles(self, brought: Sequence[Brought]) -> Iterator[Trouble]:
        """Yield what the sources start, load and look for outside of their project."""
        for entry in brought:
            # those of packages are the business of the lock file
            if entry.source is None or "node_modules/" in entry.source:
                continue
            if re.search(r"\.(?:node|so(?:\.\d+)*)$", entry.source):
                yield Trouble("a library for one system is copied, which may need others of the image", entry.source, 0)
        for file, _, text in self._files(brought):
            code = _without_comments(text)
            for pattern, reason in (
                (_STARTS, "the program starts other programs"),
                (_LOADS, "the program loads a library"),
                (_CERTIFICATES, "the program reads certificates of the image"),
            ):
                found = pattern.search(code)
                if found is not None:
                    yield Trouble(f"{reason} (`{found[0]}`)", file, _line(code, found.start()))
            for string, start in _strings(text):
                if place_of_packages(string) == string and not below(string, self._root):
                    yield Trouble(
                        f"the sources name `{string}`, which the smaller image may lack", file, _line(text, start)
                    )

    def names(self, brought: Sequence[Brought]) -> frozenset[str]:
        """Return the names of packages that strings may mean (`@a/b/c` is the package `@a/b`), and the strings themselves."""
        found: set[str] = set()
        for _, _, text in self._files(brought):
            found |= {package_of(string) for string, _ in _strings(text)}
        return frozenset(found)

    def said(self, brought: Sequence[Brought]) -> Said:
        """Return what goes along in any case, and the strings, those that lead upwards as if they led to the project."""
        strings: list[Named] = []
        questions: list[Question] = []
        code = {entry.path for entry in brought if entry.path.endswith(self.endings)}
        directories = {directory for path in code for directory in parents(path) if below(directory, self._root)}
        for file, _, text in self._files(brought):
            anywhere = _ANYWHERE.search(_without_comments(text))
            if anywhere is not None:
                message = "does the program look for files of its working directory by names that are not written down?"
                questions.append(Question(message, file, _line(text, anywhere.start())))
            imported = {found.end() for found in _IMPORTED.finditer(text)}
            for string, start in _strings(text):
                if start in imported:
                    continue
                inside = re.sub(r"^(?:\.{1,2}/)+", "", string)
                fixed = join(self._root, re.split(r"[*{(\[$]", inside)[0].rstrip("/"))
                if inside and fixed != self._root and (fixed in code or fixed in directories):
                    message = f"does the program read its own sources at `{string}`?"
                    questions.append(Question(message, file, _line(text, start)))
                if not string.startswith("/") or below(string, self._root):
                    strings.append(Named(inside, file, _line(text, start)))
            if "dotenv" in text:
                strings.append(Named(".env", file, _line(text, text.index("dotenv"))))
        return Said(self._taken, tuple(strings), tuple(questions))


def package_of(specifier: str) -> str:
    """Return the package that the specifier of a module means (nodejs.org/api/esm, "Bare specifiers")."""
    return "/".join(specifier.split("/")[: 2 if specifier.startswith("@") else 1])


def _strings(text: str) -> Iterator[tuple[str, int]]:
    for token in _TOKEN.finditer(text):
        value = token[1] or token[2] or token[3]
        if value and len(value) <= 400:
            yield value, token.start()


def _without_comments(text: str) -> str:
    """Return the text with blanks for comments; strings stay."""
    return _TOKEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]) if found[0].startswith("/") else found[0], text)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
