"""The models of `mvn` and `mvnw`: what they claim, and when they claim nothing."""

from __future__ import annotations

import hashlib

import pytest
from dockopt.optimizer.ecosystems.maven import wrapper
from dockopt.optimizer.effects import World

from tests.ecosystems.go.fakes import effects
from tests.ecosystems.maven.image import MAVEN, image, pom

FILES = {"pom.xml": pom(), "src/main/java/A.java": "class A { }\n"}
RESOLVE = "mvn dependency:go-offline"


def test_it_reads_the_pom_and_looks_for_settings() -> None:
    found = effects(RESOLVE, image(FILES))
    assert found.unknown is None
    assert found.probes == ("/src/pom.xml", "/src/.mvn", "/.mvn")
    assert found.caches == ("/root/.m2/repository",)
    assert found.writes == ()
    assert found.variables is None
    assert found.world is World.REPOSITORY
    assert found.reads.exclude == ("/src",)
    assert found.relied_on == ("src/pom.xml",)


def test_it_reads_all_poms_and_settings_of_a_reactor() -> None:
    modules = "<packaging>pom</packaging><modules><module>a</module><module>gone</module></modules>"
    above = "<parent><groupId>org.example</groupId><artifactId>top</artifactId><version>1</version></parent>"
    files = {
        "pom.xml": pom(modules, artifact="top"),
        "a/pom.xml": pom(above),
        ".mvn/maven.config": "-B\n",
        "a/A.java": "",
    }
    found = effects(RESOLVE, image(files))
    assert found.unknown is None
    assert set(found.probes) == {"/src/pom.xml", "/src/a/pom.xml", "/src/gone/pom.xml"} - {"/src/gone/pom.xml"} | {
        "/src/gone"
    }
    assert found.trees == ("/src/.mvn",)


def test_a_child_does_not_read_the_other_modules_of_its_parent() -> None:
    modules = "<packaging>pom</packaging><modules><module>a</module><module>b</module></modules>"
    above = "<parent><groupId>org.example</groupId><artifactId>top</artifactId><version>1</version></parent>"
    files = {"pom.xml": pom(modules, artifact="top"), "a/pom.xml": pom(above), "b/pom.xml": pom(above, artifact="b")}
    found = effects(RESOLVE, image(files, cwd="/src/a"))
    assert found.unknown is None
    assert "/src/pom.xml" in found.probes
    assert "/src/b/pom.xml" not in found.probes


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("mvn package", "`package` runs plugins over the sources"),
        ("mvn dependency:go-offline compile", "`compile` runs plugins"),
        ("mvn dependency:copy-dependencies", "runs plugins"),
        ("mvn org.example:dependency:go-offline", "runs plugins"),
        ("mvn", "without a goal"),
        ("mvn -o dependency:go-offline", "without a network"),
        ("mvn -Dmaven.repo.local=/x dependency:go-offline", "leads to other files"),
        ("mvn -DoutputFile=x dependency:resolve", "leads to other files"),
        ("mvn -l log dependency:resolve", "`-l` is not modelled"),
        ("mvn ?$GOAL", "`$GOAL` is not known before the build"),
        ("mvn -P ?$PROFILE dependency:resolve", "`$PROFILE` is not known before the build"),
        ("mvn -f other.xml dependency:resolve", "there is no `/src/other.xml`"),
        ("mvn -s here.xml dependency:resolve", "`/src/here.xml` does not surely come from the build context"),
        ("mvn ?-D$NAME=1 dependency:resolve", "is not known before the build"),
    ],
)
def test_everything_else_is_unknown(line: str, reason: str) -> None:
    assert reason in (effects(line, image(FILES)).unknown or "")


@pytest.mark.parametrize(
    "line",
    [
        "mvn -B -q -ntp dependency:resolve",
        "mvn --batch-mode -Pa,b -T1C dependency:resolve-plugins dependency:resolve",
        "mvn -fae -D skipTests -DskipTests=true org.apache.maven.plugins:maven-dependency-plugin:3.8.1:go-offline",
        "mvn --file=pom.xml ?-Drevision=$R dependency:go-offline",
        "/usr/bin/mvn -f . dependency:go-offline",
    ],
)
def test_plain_options_are_understood(line: str) -> None:
    assert effects(line, image(FILES)).unknown is None


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({".mvn/extensions.xml": "<extensions><extension><artifactId>e</artifactId></extension></extensions>"}, "`:e`"),
        ({".mvn/maven.config": "-B\n-s other.xml\n"}, "`-s`"),
        ({".mvn/maven.config": "-Dmaven.repo.local=.m2\n"}, "`-Dmaven.repo.local=.m2`"),
        ({".mvn/jvm.config": "-Duser.home=/src\n"}, "`-Duser.home=/src`"),
        ({".mvn/jvm.config": "-javaagent:x.jar\n"}, "`-javaagent:x.jar`"),
        ({".mvn/settings.xml": "<settings/>"}, "`settings.xml` in `.mvn`"),
        (
            {"/root/.m2/settings.xml": "<settings><localRepository>/src/x</localRepository></settings>"},
            "localRepository",
        ),
        ({"pom.xml": "<project>"}, "it is no XML"),
        ({"pom.xml": pom("<parent><relativePath>up.xml</relativePath></parent>"), "up.xml": "no"}, "it is no XML"),
    ],
)
def test_files_that_may_lead_elsewhere_make_it_unknown(files: dict[str, str], reason: str) -> None:
    assert reason in (effects(RESOLVE, image(FILES | files)).unknown or "")


def test_settings_that_are_not_known_may_keep_downloads_anywhere_but_in_the_project() -> None:
    for found in (
        effects(RESOLVE, image(FILES, unknown=frozenset({"/root/.m2/settings.xml"}))),
        effects(RESOLVE, image(FILES, environment={**MAVEN, "MAVEN_OPTS": "-Dmaven.repo.local=/cache"})),
        effects(RESOLVE, image(FILES, environment={})),
    ):
        assert found.unknown is None
        assert found.caches == ()
        ((kind, region, _),) = found.writes
        assert (kind.value, region.include, region.exclude) == ("may", ("/",), ("/src",))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user": "app"}, "the home directory of its user"),
        ({"user": None}, "the home directory of its user"),
        ({"cwd": None}, "its working directory"),
        ({"online": False}, "without a network"),
        ({"unknown": frozenset({"/.mvn"})}, "it is not certain whether `/.mvn` exists"),
        ({"project_roots": ("/",)}, "together with the system"),
    ],
)
def test_places_that_are_not_known_make_it_unknown(changes: dict[str, object], reason: str) -> None:
    assert reason in (effects(RESOLVE, image(FILES, **changes)).unknown or "")


def test_parents_from_a_repository_are_an_assumption() -> None:
    parent = "<parent><groupId>g</groupId><artifactId>a</artifactId><version>1</version><relativePath/></parent>"
    named = [a.partition(":")[0] for a in effects(RESOLVE, image({"pom.xml": pom(parent)})).assumptions]
    assert named == ["modules-available", "maven-settings", "repository-parents"]


SCRIPT, JAR = "#!/bin/sh\nexec the published one\n", "a jar\n"
WRAPPED = {
    **FILES,
    "mvnw": SCRIPT,
    ".mvn/wrapper/maven-wrapper.properties": "distributionUrl=https://example.org/apache-maven-3.9.9-bin.zip\n",
}


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(wrapper, "_SCRIPTS_WITH_JAR", frozenset({hashlib.sha256(SCRIPT.encode()).hexdigest()}))
    monkeypatch.setattr(wrapper, "_JARS", frozenset({hashlib.sha256(JAR.encode()).hexdigest()}))
    return monkeypatch


@pytest.mark.usefixtures("published")
def test_a_published_wrapper_is_read_with_its_settings() -> None:
    found = effects("./mvnw dependency:go-offline", image(WRAPPED | {".mvn/wrapper/maven-wrapper.jar": JAR}))
    assert found.unknown is None
    assert "/src/mvnw" in found.probes
    assert found.trees == ("/src/.mvn",)
    assert found.caches == ("/root/.m2/repository", "/root/.m2/wrapper")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mvnw": SCRIPT + "\n"}, "none of the wrapper scripts that Apache published"),
        ({".mvn/wrapper/maven-wrapper.jar": "other"}, "none of the jars that Apache published"),
        ({}, "would fetch `.mvn/wrapper/maven-wrapper.jar` into the project"),
        (
            {".mvn/wrapper/maven-wrapper.jar": JAR, ".mvn/wrapper/maven-wrapper.properties": "distributionUrl=file:maven-bin.zip\n"},
            "names no release",
        ),
        (
            {".mvn/wrapper/maven-wrapper.jar": JAR, ".mvn/wrapper/maven-wrapper.properties": "distributionUrl=https://x/4-SNAPSHOT-bin.zip"},
            "names no release",
        ),
    ],
)  # fmt: skip
def test_any_other_wrapper_is_unknown(changes: dict[str, str], reason: str) -> None:
    assert reason in (effects("./mvnw dependency:go-offline", image(WRAPPED | changes)).unknown or "")


def test_every_digest_is_one() -> None:
    for digest in wrapper._SCRIPTS | wrapper._SCRIPTS_WITH_JAR | wrapper._JARS:
        assert len(digest) == 64
        assert digest != hashlib.sha256(b"").hexdigest()
