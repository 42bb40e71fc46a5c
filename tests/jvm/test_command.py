"""What the command line of `java` needs of an image."""

from __future__ import annotations

import pytest
from dockopt.optimizer.entrypoint import Program
from dockopt.optimizer.jvm.command import JavaStart, java_start, option_problem, path_problem
from dockopt.optimizer.syntax import parse

BROUGHT = ("/app/agent.jar", "/app/conf/logback.xml")


def start(*words: str | None, cwd: str | None = "/app") -> JavaStart | str:
    instruction = parse(b"FROM a\nCMD b\n").stages[0].instructions[0]
    return java_start(Program(("java", *words), (), instruction, cwd=cwd))


def test_the_jar_and_what_stands_around_it() -> None:
    assert start("-Xmx1g", "-jar", "target/a.jar", "--port=80") == JavaStart(
        "/app/target/a.jar", ("-Xmx1g",), ("--port=80",)
    )
    assert start(None, "-jar", "/srv/a.jar", None) == JavaStart("/srv/a.jar", (), ())
    assert start("--add-opens", "java.base/java.lang=ALL-UNNAMED", "-jar", "a.jar") == JavaStart(
        "/app/a.jar", ("--add-opens", "java.base/java.lang=ALL-UNNAMED"), ()
    )


@pytest.mark.parametrize(
    "words",
    [
        ("-jar",),
        ("-jar", None),
        ("-jar", "target/*.jar"),
        ("-jar", "$JAR"),
        ("-cp", "classes", "shop.Main"),
        ("shop.Main",),
        (),
    ],
)
def test_no_jar_is_certain(words: tuple[str | None, ...]) -> None:
    assert isinstance(start(*words), str)


def test_without_a_directory_no_jar_is_certain() -> None:
    assert isinstance(start("-jar", "a.jar", cwd=None), str)


@pytest.mark.parametrize(
    "option",
    [
        "-Xmx512m", "-Xms1g", "-Xss2m", "-XX:+UseG1GC", "-XX:MaxRAMPercentage=75.0", "-server", "-ea", "-Dserver.port=80", "-Dflag",
        "-Djava.security.egd=file:/dev/./urandom", "-Djava.io.tmpdir=/tmp", "--enable-preview", "-Durl=https://example.com/a",
        "-javaagent:agent.jar", "-javaagent:/app/agent.jar=a=b", "-Dlogging.config=conf/logback.xml", "-Ddb=jdbc:h2:/data/x",
        "--add-opens=java.base/java.lang=ALL-UNNAMED", "-Dlogging.config=file:/app/conf/logback.xml",
    ],
)  # fmt: skip
def test_options_that_need_nothing_else(option: str) -> None:
    assert option_problem([option], "/app", BROUGHT) is None


@pytest.mark.parametrize(
    "option",
    [
        "-javaagent:/opt/agent.jar", "-agentpath:/opt/lib.so", "-agentlib:jdwp=transport=dt_socket", "@options", "-cp", "-classpath",
        "--class-path=lib", "--module-path", "-p", "-Xbootclasspath/a:lib.jar", "-Djava.library.path=/usr/lib", "-Dloader.path=lib/",
        "-Djava.ext.dirs=lib", "-Dlogging.config=/etc/logback.xml", "-Dlogging.config=file:./missing/logback.xml",
        "-Xlog:gc:file=/var/log/gc",
        "-XX:OnOutOfMemoryError=kill -9 %p", "-XX:HeapDumpPath=/dumps", "-XX:Flags=/etc/jvm", "--add-modules=jdk.compiler", "$JAVA_OPTS",
        "-XX:SharedArchiveFile=app.jsa/x", "-Djavax.net.ssl.trustStore=/etc/trust.jks", "--upgrade-module-path=mods", "",
    ],
)  # fmt: skip
def test_options_that_may_need_more(option: str) -> None:
    assert option_problem([option], "/app", BROUGHT) is not None


def test_a_value_in_a_word_of_its_own_is_no_option() -> None:
    assert option_problem(["--add-opens", "java.base/java.util=ALL-UNNAMED", "-Xmx1g"], "/app", ()) is None


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("--port=80", True),
        ("server", True),
        ("--spring.config.location=file:./conf/", True),
        ("--spring.config.location=optional:file:/app/conf/,classpath:/", True),
        ("--config=/etc/shop.yml", False),
        ("./missing/x.yml", False),
        ("https://example.com/x", True),
        ("conf/logback.xml", True),
    ],
)
def test_paths_in_arguments(text: str, is_there: bool) -> None:
    assert (path_problem(text, "/app", BROUGHT) is None) == is_there
