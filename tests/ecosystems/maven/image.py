"""An image with Maven and a project, in memory."""

from __future__ import annotations

from collections.abc import Mapping

from tests.ecosystems.go.fakes import Image

#: what the official `maven` image sets; None is known to be unset
MAVEN: Mapping[str, str | None] = {
    "MAVEN_CONFIG": "/root/.m2", "MAVEN_OPTS": None, "MAVEN_ARGS": None, "MAVEN_BASEDIR": None, "MAVEN_USER_HOME": None,
    "JAVA_TOOL_OPTIONS": None, "_JAVA_OPTIONS": None, "JDK_JAVA_OPTIONS": None, "HOME": None, "MVNW_REPOURL": None,
}  # fmt: skip


def pom(inner: str = "", *, artifact: str = "orders") -> str:
    """Return a small pom with further elements."""
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0">\n<modelVersion>4.0.0</modelVersion>\n<groupId>org.example</groupId>\n'
        f"<artifactId>{artifact}</artifactId>\n<version>1</version>\n{inner}</project>\n"
    )


def image(files: Mapping[str, str], **changes: object) -> Image:
    """Return an image of the project in /src."""
    placed = {f"/src/{name}" if not name.startswith("/") else name: text for name, text in files.items()}
    return Image(placed, environment=changes.pop("environment", MAVEN), **changes)  # type: ignore[arg-type]
