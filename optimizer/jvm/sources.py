"""What the sources of a program for the Java machine say of files, of tools of the JDK and of what else they need of their image.

Facts: the Java Language Specification (3.7, 3.10.5, 3.10.6: comments, strings, text blocks; Kotlin's are alike), the standard layout
of Maven and Gradle (`src/main/java`, `src/main/kotlin`; `src/main/resources` goes into the jar), and the modules that a JRE lacks:
those that OpenJDK's `make/conf/module-loader-map.conf` names neither for the boot nor for the platform loader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.regions import below, join, relative
from dockopt.optimizer.runtime_files import Brought, Named, Question, Said

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"\"\"(?P<block>.*?)\"\"\"|\"(?P<text>(?:\\.|[^\"\\\n])*)\"|'(?:\\.[^'\n]*|[^'\\\n])'",
    re.DOTALL,
)
#: packages of jdk.compiler, jdk.javadoc, jdk.jshell, jdk.jdi, jdk.attach, jdk.jartool, jdk.hotspot.agent and their kin;
#: java.compiler (`javax.tools`) is there, but finds no compiler, and `java.util.random` finds fewer algorithms without jdk.random
_TOOLS = re.compile(
    r"\b(?:javax\.tools|java\.util\.random|com\.sun\.(?:tools|source|javadoc|jdi|jarsigner)"
    r"|jdk\.(?:jshell|javadoc|tools|jpackage|jlink|jartool|security\.jarsigner|swing\.interop)"
    r"|sun\.(?:tools|jvmstat|jvm\.hotspot)|org\.graalvm\.polyglot)\b|\bVirtualMachine\s*\.\s*attach\b"
)
_STARTS = re.compile(
    r"\bProcessBuilder\b|\bgetRuntime\s*\(\s*\)(?=.*?\.\s*exec\s*\()|\bRuntime\b[^;\n]*\.\s*exec\s*\(|\bProcess\s+\w+\s*=",
    re.DOTALL,
)
_LOADS = re.compile(r"\bSystem\s*\.\s*load(?:Library)?\b|\bNative\s*\.\s*load\w*\b|\bnativeLinker\b|\bSymbolLookup\b")
_FONTS = re.compile(r"\b(?:java\.awt|javax\.(?:swing|imageio|print|sound|accessibility)|java\.applet|javafx)\b")
#: properties and variables that the image for running may set to something else, or not at all
_OF_THE_IMAGE = re.compile(
    r"java\.home|(?:JAVA|JDK|JRE|MAVEN|GRADLE|M2)_(?:HOME|CONFIG)|GRADLE_VERSION|(?:sun|java)\.(?:boot|class|library)\.\S*path|/opt/java.*|/usr/share/maven.*"
)
_EVERYTHING = re.compile(
    r"\b(?:File|Path|Paths?\s*\.\s*(?:get|of)|FileSystemResource|PathResource|FileSystemXmlApplicationContext)\s*\(\s*\"\.{0,2}/?\"\s*[),]"
    r"|\"user\.dir\"|\blistRoots\s*\("
)
_BESIDE_THE_JAR = re.compile(
    r"\bgetCodeSource\s*\(|\.codeSource\b|\bgetProtectionDomain\b|\bprotectionDomain\b|\bApplicationHome\b"
)
_SOURCES = re.compile(r"(?:^|/)src/main/(?:java|kotlin)/.*\.(?:java|kt)$")
#: other languages for the Java machine, whose sources are not read here
_OTHERS = re.compile(r"(?:^|/)src/main/(?:scala|groovy|clojure|jruby|cpp|c)/|\.(?:scala|groovy|clj|jsp|jspx|drl)$")
#: resources that hold settings, where a path may stand
_SETTINGS = re.compile(
    r"^(?!(?:.*/)?(?:static|public|templates|META-INF/resources|i18n)/).*\.(?:properties|ya?ml|conf|toml|xml|json|ini)$"
)
_WORD = re.compile(r"[\w@+~./*%-]+")
#: what Spring takes where a setting is not given: `${name:default}`
_DEFAULT = re.compile(r"[$#]\{[^:{}]+:([^{}]*)\}")
_LARGEST = 1 << 20


class Trouble(NamedTuple):
    """What a program needs that only the image has in which it is built: the reason, a file of the context, and a line."""

    reason: str
    file: str
    line: int


class JavaSources:
    """The sources of a project of one module below `root` in the image, whose build keeps to the directory `output`."""

    endings: tuple[str, ...] = (".java", ".kt")
    not_read: re.Pattern[str] | None = re.compile(
        r"(?:^|/)(?:pom\.xml|mvnw|gradlew|lombok\.config|HELP\.md|(?:system|sonar-project|gradle)\.properties"
        r"|checkstyle[\w.-]*\.xml|(?:build|settings)\.gradle(?:\.kts)?|dependency-reduced-pom\.xml|manifest\.yml)$"
        r"|(?:^|/)(?:\.mvn|\.gradle|gradle/wrapper|target|build|bin|out|src/(?:test|it|integrationTest|testFixtures))/"
        r"|\.(?:java|kt|kts|gradle|cmd|bat|iml|class)$"
    )

    def __init__(self, context: FrozenContext, root: str, output: str) -> None:
        self._context, self._root, self._output = context.aside(), root, output

    @property
    def resources(self) -> str:
        """The directory that goes into the jar."""
        return join(self._root, "src/main/resources")

    def _texts(self, brought: Sequence[Brought], pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
        """Yield path and text of the files of the project, by their names below its directory."""
        for entry in brought:
            if entry.source is None or not below(entry.path, self._root):
                continue
            if pattern.search(relative(entry.path, self._root)):
                data = self._context.read(entry.source)
                if data is not None and len(data) <= _LARGEST:
                    yield entry.source, data.decode("utf-8", "replace")

    def troubles(self, brought: Sequence[Brought]) -> Iterator[Trouble]:
        """Yield what the sources start, load or draw, and tools of the JDK that they use."""
        for entry in brought:
            if entry.source is not None and _OTHERS.search(relative(entry.path, self._root)):
                yield Trouble("it has sources in a language that is not followed", entry.source, 1)
        manifest = join(self.resources, "META-INF/MANIFEST.MF")
        for entry in brought:
            if entry.path == manifest:
                yield Trouble("a manifest of its own may name other jars", entry.source or "", 1)
        for file, text in self._texts(brought, _SOURCES):
            bare = _TOKEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
            for pattern, reason in (
                (_TOOLS, "the program uses tools of the JDK, which a JRE lacks"),
                (_STARTS, "the program starts other programs"),
                (_LOADS, "the program loads libraries of C"),
                (_FONTS, "the program draws text or pictures, and finds the fonts of its image"),
            ):
                found = pattern.search(bare)
                if found is not None:
                    yield Trouble(f"{reason} (`{' '.join(found[0].split())}`)", file, _line(bare, found.start()))
            for string, start in _strings(text):
                if _TOOLS.search(string) is not None:
                    reason = f"the program names a class of the JDK that a JRE lacks (`{string}`)"
                    yield Trouble(reason, file, _line(text, start))
                elif _OF_THE_IMAGE.fullmatch(string):
                    reason = f"the program asks where Java or the tools of its image lie (`{string}`)"
                    yield Trouble(reason, file, _line(text, start))

    def said(self, brought: Sequence[Brought]) -> Said:
        """Return what is built in, and all strings of sources and settings."""
        strings: list[Named] = []
        questions: list[Question] = []
        is_found = False
        for file, text in self._texts(brought, _SOURCES):
            is_found = True
            for pattern, message in (
                (_EVERYTHING, "does the program serve or read its whole working directory?"),
                (_BESIDE_THE_JAR, "does the program look for files beside its jar?"),
            ):
                questions += [Question(message, file, _line(text, found.start())) for found in pattern.finditer(text)]
            for string, start in _strings(text):
                texts = (string, *_DEFAULT.findall(string))
                strings += [Named(said, file, _line(text, start)) for said in texts]
        for file, text in self._texts(brought, re.compile(r"^src/main/resources/")):
            if _SETTINGS.search(file):
                words = (found for found in _WORD.finditer(text) if "/" in found[0] or "." in found[0])
                strings += [Named(found[0], file, _line(text, found.start())) for found in words]
        if not is_found:
            questions.append(Question("the sources of the program are not found"))
        made = re.compile(rf"(?:\./|{re.escape(self._root.rstrip('/'))}/)?{re.escape(self._output)}/.*")
        for named in strings:
            if made.fullmatch(named.text):
                message = f"does the program read `{named.text}`, which the build makes?"
                questions.append(Question(message, named.file, named.line))
        return Said((self.resources,), tuple(strings), tuple(questions))


def _strings(text: str) -> Iterator[tuple[str, int]]:
    for token in _TOKEN.finditer(text):
        value = token["block"] if token["block"] is not None else token["text"]
        if value:
            yield re.sub(r"\\(.)", r"\1", value), token.start()


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
