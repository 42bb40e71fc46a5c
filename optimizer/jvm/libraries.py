"""Libraries that need more of their image than a Java machine: a compiler, other programs, C libraries, fonts.

They are known by their names in Maven Central, as `group:artifact`. That none is found proves nothing of what libraries depend on in turn.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Need(NamedTuple):
    """What libraries need, and where that is said."""

    names: re.Pattern[str]
    reason: str
    source: str


NEEDS = (
    Need(
        re.compile(r"org\.(?:codehaus|apache)\.groovy:.*"),
        "compiles scripts when it runs, and may ask for the compiler of the JDK",
        "groovy-lang.org/groovyc.html (joint compilation by javac)",
    ),
    Need(
        re.compile(r"org\.(?:drools|kie|jbpm|optaplanner):.*"),
        "compiles rules when it runs, and may ask for the compiler of the JDK",
        "Drools documentation (`drools.dialect.java.compiler`: ECLIPSE or NATIVE)",
    ),
    Need(
        re.compile(r"org\.apache\.tomcat(?:\.embed)?:(?:tomcat-embed-jasper|tomcat-jasper)|org\.(?:apache\.jasper|eclipse\.jetty):.*(?:jasper|jsp).*|.*:(?:apache-jsp|jetty-jsp)"),
        "compiles JSP when it runs, and may ask for the compiler of the JDK",
        "tomcat.apache.org/tomcat-10.1-doc/jasper-howto.html (`compilerClassName`)",
    ),
    Need(
        re.compile(r"net\.openhft:compiler|org\.mdkt\.compiler:.*|org\.jooq:joor.*|com\.taobao\.arthas:.*|com\.google\.testing\.compile:.*|org\.eclipse\.jdt:.*"),
        "compiles sources when it runs",
        "README of these projects (`javax.tools.ToolProvider`; ECJ for `org.eclipse.jdt`)",
    ),
    Need(
        re.compile(r"net\.sf\.jasperreports:.*"),
        "compiles reports when it runs, and needs fonts",
        "community.jaspersoft.com (`net.sf.jasperreports.compiler.java`, font extensions)",
    ),
    Need(
        re.compile(r"org\.jruby:.*|org\.python:jython.*|org\.graalvm\..*|org\.clojure:.*|org\.scala-lang:.*|org\.jetbrains\.kotlin:kotlin-(?:compiler|scripting|script|main-kts).*|io\.scif.*|org\.apache\.ivy:.*|org\.apache\.maven.*:.*|org\.gradle:.*"),
        "runs or compiles programs of another language, which are not followed",
        "documentation of these projects",
    ),
    Need(
        re.compile(r"net\.bytebuddy:byte-buddy-agent|io\.opentelemetry.*:.*runtime-attach.*|co\.elastic\.apm:apm-agent-attach|io\.projectreactor(?:\.tools)?:(?:blockhound|reactor-tools)|org\.aspectj:aspectjweaver|com\.sun:tools|.*:jdk\.tools"),
        "attaches an agent to its own machine, which needs the module `jdk.attach` of the JDK",
        "javadoc of ByteBuddyAgent.install and com.sun.tools.attach (module jdk.attach)",
    ),
    Need(
        re.compile(r"org\.apache\.commons:commons-exec|commons-exec:.*|org\.zeroturnaround:.*|.*:(?:selenium-.*|playwright.*|htmlunit-.*|webdrivermanager|jave.*|ffmpeg.*|jodconverter.*|pty4j|plantuml.*|im4java|thumbnailator|appium.*|nuprocess|docx4j.*|org\.eclipse\.jgit\.ssh.*)"),
        "starts other programs of the image",
        "README of these projects",
    ),
    Need(
        re.compile(r"net\.java\.dev\.jna:.*|com\.github\.jnr:.*|org\.bytedeco:.*|org\.tensorflow:.*|com\.microsoft\.onnxruntime:.*|ai\.djl.*:.*|org\.openpnp:.*|org\.lwjgl:.*|io\.netty:netty-tcnative|org\.fusesource\.leveldbjni:.*|org\.rocksdb:.*|net\.sourceforge\.tess4j:.*|.*:(?:opencv.*|jzmq|jna.*|rocksdbjni|sqlite4java|vosk|whisper.*|jep|usb4java.*|pi4j.*|rxtx.*|jssc|oshi-core)|com\.pi4j:.*"),
        "loads libraries of C, which may need others of the image",
        "README of these projects",
    ),
    Need(
        re.compile(r"org\.apache\.poi:.*|org\.apache\.pdfbox:.*|com\.(?:itextpdf|lowagie|openhtmltopdf|github\.librepdf)(?:\..*)?:.*|org\.jfree:.*|org\.apache\.xmlgraphics:.*|org\.xhtmlrenderer:.*|com\.google\.zxing:javase|.*:(?:kaptcha|easy-captcha|easyexcel.*|batik-.*|barcode4j.*|imgscalr.*|pdfbox.*|jai.*|simplemagic|fastexcel.*|jfreechart)|org\.openjfx:.*"),
        "draws text or pictures, and finds the fonts of its image",
        "javadoc of java.awt.Font; poi.apache.org/components/spreadsheet/quick-guide.html (autosizing needs fonts)",
    ),
    Need(
        re.compile(r"io\.quarkus(?:\..*)?:.*"),
        "makes a directory with its libraries beside the jar, whose layout settings decide",
        "quarkus.io/guides/maven-tooling (`quarkus.package.jar.type`)",
    ),
)  # fmt: skip


def need_of(group: str, artifact: str) -> Need | None:
    """Return what a library needs beside a Java machine, None if it is not in the table."""
    name = f"{group}:{artifact}"
    return next((need for need in NEEDS if need.names.fullmatch(name)), None)
