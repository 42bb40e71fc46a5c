"""Which jar `mvn package` makes, in projects that the golden cases of `multi-stage` do not have."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.ecosystems.maven import wrapper
from dockopt.optimizer.ecosystems.maven.jar import maven_jar
from dockopt.optimizer.jvm.jar import JarBuild, with_copies
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.syntax import parse

PROPERTIES = "distributionUrl=https://example.com/apache-maven-3.9.9-bin.zip\n"


def pom(inner: str = "", version: str = "<version>1.0</version>") -> str:
    return (
        "<project>\n<modelVersion>4.0.0</modelVersion>\n<groupId>com.example</groupId>\n<artifactId>shop</artifactId>\n"
        f"{version}\n{inner}\n</project>\n"
    )


def build_of(folder: Path, *lines: str, text: str | None = None, **files: str) -> Build:
    for name, content in {"pom.xml": text or pom(), **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    source = "\n".join(("FROM eclipse-temurin:17-jdk", "WORKDIR /app", "COPY . .", *lines, ""))
    return Build(parse(source.encode()), FrozenContext(BuildContext(folder)))


def made(build: Build) -> JarBuild | Cause:
    found = [jar for command in build.executed if (jar := maven_jar(command, build.executor)) is not None]
    assert len(found) == 1
    return found[0]


def jars(folder: Path, inner: str, **files: str) -> dict[str, bool]:
    found = made(build_of(folder, "RUN mvn package", text=pom(inner), **files))
    assert isinstance(found, JarBuild)
    return dict(found.jars)


def reason(folder: Path, inner: str, command: str = "mvn package", **files: str) -> str:
    found = made(build_of(folder, f"RUN {command}", text=pom(inner), **files))
    assert isinstance(found, Cause)
    return found.reason


def test_names_follow_properties(tmp_path: Path) -> None:
    build = "<build><finalName>${name}-${project.version}</finalName></build>"
    properties = "<properties><name>${stem}.x</name><stem>store</stem></properties>"
    assert jars(tmp_path, properties + build) == {"/app/target/store.x-1.0.jar": False}


@pytest.mark.parametrize("value", ["${a}", "${missing}", "${env.NAME}", "a b", "${project.build.finalName}", "../shop"])
def test_names_that_are_not_certain(tmp_path: Path, value: str) -> None:
    inner = f"<properties><a>${{b}}</a><b>${{a}}</b></properties><build><finalName>{value}</finalName></build>"
    assert "in the name of the jar" in (said := reason(tmp_path, inner)) or "name of the jar (" in said


@pytest.mark.parametrize(
    "place", ["src/main/kotlin", "${project.basedir}/src/main/java", "${basedir}/src/main/kotlin/"]
)
def test_the_usual_directory_of_sources_may_be_named(tmp_path: Path, place: str) -> None:
    assert jars(tmp_path, f"<build><sourceDirectory>{place}</sourceDirectory></build>") == {
        "/app/target/shop-1.0.jar": False
    }


@pytest.mark.parametrize(
    "setting",
    [
        "<classifier>exec</classifier>", "<outputDirectory>/srv</outputDirectory>", "<finalName>x</finalName>", "<skip>true</skip>",
        "<archive><manifest><addClasspath>true</addClasspath></manifest></archive>",
        "<archive><manifestEntries><Class-Path>lib/a.jar</Class-Path></manifestEntries></archive>",
        "<archive><manifestFile>MANIFEST.MF</manifestFile></archive>",
    ],
)  # fmt: skip
def test_settings_of_the_jar_are_refused_wherever_they_stand(tmp_path: Path, setting: str) -> None:
    plugin = "<plugin><artifactId>maven-jar-plugin</artifactId>{}</plugin>"
    configured = f"<configuration>{setting}</configuration>"
    executed = f"<executions><execution><id>default-jar</id>{configured}</execution></executions>"
    for inner in (configured, executed):
        for place in (
            "<build><plugins>{}</plugins></build>",
            "<build><pluginManagement><plugins>{}</plugins></pluginManagement></build>",
        ):
            assert "jar" in reason(tmp_path, place.format(plugin.format(inner)))


def test_a_goal_that_runs_too_late_is_refused(tmp_path: Path) -> None:
    plugin = (
        "<plugin><artifactId>maven-shade-plugin</artifactId><executions><execution><phase>{}</phase><goals><goal>shade</goal></goals>"
        "</execution></executions></plugin>"
    )
    inner = "<build><plugins>" + plugin + "</plugins></build>"
    assert jars(tmp_path, inner.format("package")) == {"/app/target/shop-1.0.jar": True}
    assert "runs in the phase `install`" in reason(tmp_path, inner.format("install"))


@pytest.mark.parametrize(
    "command",
    [
        "mvn -Pprod package", "mvn package -DfinalName=x", "mvn -f other/pom.xml package", "mvn -pl shop package", "mvn compile",
        "mvn package spring-boot:repackage", "mvn -s settings.xml package", "mvn package $OPTIONS", "mvn -Djar.finalName=x package",
        "MAVEN_OPTS=-Dx=y mvn package", "MAVEN_ARGS=-Pprod mvn package",
    ],
)  # fmt: skip
def test_command_lines_that_may_make_another_jar(tmp_path: Path, command: str) -> None:
    assert reason(tmp_path, "", command, **{"settings.xml": "<settings/>"})


@pytest.mark.parametrize(
    "command", ["mvn package", "mvn -B -ntp clean verify -DskipTests", "mvn -T 1C install -Dmaven.test.skip=true"]
)
def test_command_lines_that_make_it(tmp_path: Path, command: str) -> None:
    found = made(build_of(tmp_path, f"RUN {command}"))
    assert isinstance(found, JarBuild)
    assert found.tests == ("skip" not in command)


@pytest.mark.parametrize(
    "line", ["RUN ./mvnw package", "RUN chmod +x mvnw && ./mvnw package", "RUN chmod 755 mvnw\nRUN ./mvnw package"]
)
def test_a_published_wrapper_may_be_made_executable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    script = "#!/bin/sh\n"
    monkeypatch.setattr(wrapper, "_SCRIPTS", frozenset({hashlib.sha256(script.encode()).hexdigest()}))
    files = {"mvnw": script, ".mvn/wrapper/maven-wrapper.properties": PROPERTIES}
    assert isinstance(made(build_of(tmp_path, line, **files)), JarBuild)
    files["mvnw"] = "#!/bin/sh\nmvn package\n"
    assert isinstance(made(build_of(tmp_path, line, **files)), Cause)


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("cp target/*.jar app.jar", {"/app/target/shop-1.0.jar", "/app/app.jar"}),
        ("mv target/shop-1.0.jar /srv/shop.jar", {"/srv/shop.jar"}),
        ("cp ./target/shop-*.jar /app.jar", {"/app/target/shop-1.0.jar", "/app.jar"}),
        ("cp target/store.jar app.jar", {"/app/target/shop-1.0.jar"}),
        ("cp */shop-1.0.jar app.jar", {"/app/target/shop-1.0.jar"}),
        ("cp target/*.jar lib/", {"/app/target/shop-1.0.jar"}),
        ("cp -r target/shop-1.0.jar app.jar", {"/app/target/shop-1.0.jar"}),
    ],
)
def test_other_names_of_the_jar(tmp_path: Path, command: str, found: set[str]) -> None:
    build = build_of(tmp_path, f"RUN mvn package && {command}")
    jar = made(build)
    assert isinstance(jar, JarBuild)
    renamed, commands = with_copies(jar, build.executed)
    assert set(renamed.jars) == found
    assert bool(commands) == (found != {"/app/target/shop-1.0.jar"})
