"""What the sources of a program for the Java machine say of the image that it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.jvm.libraries import NEEDS, need_of
from dockopt.optimizer.jvm.sources import JavaSources
from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.runtime_files import Brought

MAIN = "src/main/java/shop/Main.java"


def sources(folder: Path, **files: str) -> tuple[JavaSources, tuple[Brought, ...]]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    brought = tuple(Brought(f"/app/{name}", name, 1) for name in files)
    return JavaSources(FrozenContext(BuildContext(folder, None)), "/app", "target"), brought


def strings(folder: Path, text: str, name: str = MAIN) -> list[str]:
    made, brought = sources(folder, **{name: text})
    return [named.text for named in made.said(brought).strings]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('String a = "menu.txt";', ["menu.txt"]),
        ('String a = "a\\"b"; // "no"', ['a"b']),
        ('char a = \'"\'; String b = "menu.txt";', ["menu.txt"]),
        ("char a = '\\''; String b = \"menu.txt\";", ["menu.txt"]),
        ("char a = '\\u0022'; String b = \"menu.txt\";", ["menu.txt"]),
        ('String a = """\n  menu "of" today\n  """;', ['\n  menu "of" today\n  ']),
        ('/* "no" */ String a = "menu.txt";', ["menu.txt"]),
        ('@Value("${shop.menu:menu/today.txt}") String a;', ["${shop.menu:menu/today.txt}", "menu/today.txt"]),
    ],
)
def test_strings(tmp_path: Path, text: str, found: list[str]) -> None:
    assert strings(tmp_path, text) == found


def test_words_of_settings_count_and_those_of_pages_do_not(tmp_path: Path) -> None:
    assert "menu/today.txt" in strings(
        tmp_path, "shop:\n  menu: ${MENU:menu/today.txt}\n", "src/main/resources/application.yml"
    )
    assert "./conf/" in strings(
        tmp_path, "spring.config.import=file:./conf/\n", "src/main/resources/application.properties"
    )
    assert strings(tmp_path, '{"a": "menu/today.txt"}', "src/main/resources/static/a.json") == []


@pytest.mark.parametrize(
    "text",
    [
        "import javax.tools.ToolProvider;",
        "import com.sun.tools.attach.VirtualMachine;",
        "import com.sun.source.util.JavacTask;",
        'Class.forName("jdk.jshell.JShell");',
        "new ProcessBuilder(words).start();",
        'Runtime.getRuntime().exec("ls");',
        'Runtime r = Runtime.getRuntime(); r.exec("ls");',
        'System.loadLibrary("x");',
        "System . load(path);",
        "import java.awt.Font;",
        "import javax.imageio.ImageIO;",
        'System.getProperty("java.home");',
        'System.getenv("JAVA_HOME");',
    ],
)
def test_troubles(tmp_path: Path, text: str) -> None:
    made, brought = sources(tmp_path, **{MAIN: text})
    (trouble,) = list(made.troubles(brought))
    assert (trouble.file, trouble.line) == (MAIN, 1)


@pytest.mark.parametrize(
    "text",
    [
        "// import javax.tools.ToolProvider;\nint a;",
        'String a = "new ProcessBuilder()";',
        "Runtime.getRuntime().availableProcessors();",
        "import com.sun.net.httpserver.HttpServer;",
        "loader.load(path);",
        'System.getenv("SHOP_HOME");',
    ],
)
def test_no_trouble(tmp_path: Path, text: str) -> None:
    made, brought = sources(tmp_path, **{MAIN: text})
    assert list(made.troubles(brought)) == []


@pytest.mark.parametrize(
    "text",
    [
        'new File(".")',
        'Path.of("")',
        'Paths.get(".", name)',
        'System.getProperty("user.dir")',
        "Main.class.getProtectionDomain()",
        'Path.of("target/classes/x")',
        '"/app/target/x"',
    ],
)
def test_questions(tmp_path: Path, text: str) -> None:
    made, brought = sources(tmp_path, **{MAIN: f"Object a = {text};"})
    assert made.said(brought).questions


def test_a_program_without_sources_is_asked_for(tmp_path: Path) -> None:
    made, brought = sources(tmp_path, **{"src/test/java/shop/MainTest.java": "class MainTest {}"})
    assert [question.message for question in made.said(brought).questions] == [
        "the sources of the program are not found"
    ]


@pytest.mark.parametrize(
    ("library", "word"),
    [
        ("org.apache.groovy:groovy", "compiler of the JDK"),
        ("org.drools:drools-engine", "compiler of the JDK"),
        ("org.apache.tomcat.embed:tomcat-embed-jasper", "compiler of the JDK"),
        ("net.bytebuddy:byte-buddy-agent", "attaches"),
        ("org.apache.commons:commons-exec", "starts other programs"),
        ("org.rocksdb:rocksdbjni", "libraries of C"),
        ("net.java.dev.jna:jna", "libraries of C"),
        ("org.apache.poi:poi-ooxml", "fonts"),
        ("com.google.zxing:javase", "fonts"),
        ("io.quarkus:quarkus-rest", "directory"),
    ],
)
def test_libraries_that_need_more(library: str, word: str) -> None:
    need = need_of(*library.split(":"))
    assert need is not None
    assert word in need.reason
    assert need.source


@pytest.mark.parametrize(
    "library",
    [
        "org.springframework.boot:spring-boot-starter-web",
        "org.codehaus.janino:janino",
        "org.postgresql:postgresql",
        "com.google.zxing:core",
        "net.bytebuddy:byte-buddy",
        "org.jetbrains.kotlin:kotlin-stdlib",
        "org.apache.tomcat.embed:tomcat-embed-core",
    ],
)
def test_libraries_that_do_not(library: str) -> None:
    assert need_of(*library.split(":")) is None


def test_every_row_has_a_source() -> None:
    assert all(need.source and need.reason for need in NEEDS)
