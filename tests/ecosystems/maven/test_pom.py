"""Poms and settings, sound and broken: what is read of them, and where it is refused."""

from __future__ import annotations

import pytest
from dockopt.optimizer.ecosystems.maven.pom import (
    Coordinates,
    PomError,
    extension_obstacle,
    parse_pom,
    settings_obstacle,
)
from dockopt.optimizer.ecosystems.xml import XmlError, parse_xml

from tests.ecosystems.maven.image import pom

LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "&{a};&{a};&{a};&{a};&{a};&{a};&{a};&{a};">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><project>&i;</project>"
)


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"", 1, "no element found"),
        (b"\xef\xbb\xbf", 1, "no element found"),
        (b"<project>\n<a></b></project>", 2, "mismatched tag"),
        (b"<project>\xff\xfe</project>", 1, "not well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><project/>', 0, "unknown encoding"),
        (b"<project>&undefined;</project>", 1, "undefined entity"),
        (LAUGHS.encode(), 1, "a document type declaration is not followed"),
        (b'<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><p>&x;</p>', 1, "a document type declaration"),
        (b"<a>" * 200 + b"</a>" * 200, 1, "nested more than 100 deep"),
        (b"<p>" + b" " * 4_000_000 + b"</p>", 0, "larger than 4 MB"),
        (b"{}", 1, "not well-formed"),
    ],
    ids=[
        "empty",
        "mark-only",
        "mismatch",
        "no-utf-8",
        "encoding",
        "undefined",
        "laughs",
        "outside",
        "deep",
        "large",
        "json",
    ],
)
def test_what_is_no_xml_is_refused_at_its_line(data: bytes, line: int, message: str) -> None:
    with pytest.raises(XmlError) as caught:
        parse_xml(data)
    assert message in caught.value.message
    assert caught.value.line == line
    with pytest.raises(PomError):
        parse_pom(data)


def test_a_mark_another_encoding_and_no_namespace_are_read() -> None:
    text = "<project><artifactId>größe</artifactId></project>"
    assert parse_pom(b"\xef\xbb\xbf" + text.encode()).own.artifact == "größe"
    latin = ('<?xml version="1.0" encoding="ISO-8859-1"?>' + text).encode("latin-1")
    assert parse_pom(latin).own.artifact == "größe"


def test_another_root_element_is_no_pom() -> None:
    with pytest.raises(PomError, match="`settings`, not `project`"):
        parse_pom(b"<settings/>")


def test_group_and_version_come_from_the_parent() -> None:
    parent = "<parent><groupId>g</groupId><artifactId>a</artifactId><version>3</version></parent>"
    found = parse_pom(f"<project>{parent}<artifactId>b</artifactId></project>".encode())
    assert found.own == Coordinates("g", "b", "3")
    assert found.parent_path is not None
    assert found.parent_path.path == "../pom.xml"


def test_an_empty_relative_path_leads_to_repositories_only() -> None:
    found = parse_pom(b"<project><parent><artifactId>a</artifactId><relativePath/></parent></project>")
    assert found.parent is not None
    assert found.parent_path is None


def test_modules_of_profiles_count() -> None:
    profile = "<profiles><profile><modules><module>slow</module></modules></profile></profiles>"
    found = parse_pom(pom("<modules><module>a</module><module>b/pom.xml</module></modules>" + profile).encode())
    assert [place.path for place in found.modules] == ["a", "b/pom.xml", "slow"]


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ("<modules><module>${which}</module></modules>", "`${which}` is a path that is not followed"),
        ("<modules><module>/elsewhere</module></modules>", "`/elsewhere` is a path that is not followed"),
        ("<parent><relativePath>..\\pom.xml</relativePath></parent>", "is a path that is not followed"),
        (
            "<build><extensions><extension><groupId>g</groupId><artifactId>e</artifactId></extension></extensions></build>",
            "the extension `g:e` runs with every command",
        ),
        (
            "<profiles><profile><build><pluginManagement><plugins><plugin><artifactId>p</artifactId><extensions>true</extensions>"
            "</plugin></plugins></pluginManagement></build></profile></profiles>",
            "the extension `org.apache.maven.plugins:p` runs with every command",
        ),
        ("<repositories><repository><url>file:///srv/x</url></repository></repositories>", "may lie in the project"),
        ("<repositories><repository><url>${unset}</url></repository></repositories>", "may lie in the project"),
        (
            "<profiles><profile><activation><file><exists>${user.home}/x</exists></file></activation></profile></profiles>",
            "a profile looks for `${user.home}/x`",
        ),
        (
            "<profiles><profile><activation><condition>exists('x')</condition></activation></profile></profiles>",
            "a profile has a condition",
        ),
        (
            "<dependencies><dependency><systemPath>${lib.dir}/x.jar</systemPath></dependency></dependencies>",
            "the system dependency `${lib.dir}/x.jar` may lie in the project",
        ),
        (
            "<build><plugins><plugin><artifactId>maven-dependency-plugin</artifactId><configuration><outputFile>x</outputFile>"
            "</configuration></plugin></plugins></build>",
            "`outputFile` lets maven-dependency-plugin write files",
        ),
    ],
)  # fmt: skip
def test_what_may_lead_to_other_files_is_an_obstacle(inner: str, reason: str) -> None:
    (obstacle,) = parse_pom(pom(inner).encode()).obstacles
    assert reason in obstacle.reason
    assert obstacle.line == 6


def test_harmless_things_are_none() -> None:
    inner = (
        "<properties><where>https://maven.example.org</where></properties>"
        "<repositories><repository><url>${where}/all</url></repository></repositories>"
        "<build><extensions><extension><groupId>kr.motd.maven</groupId><artifactId>os-maven-plugin</artifactId></extension></extensions>"
        "<plugins><plugin><artifactId>maven-dependency-plugin</artifactId><executions><execution><id>copy</id><configuration>"
        "<outputDirectory>target/lib</outputDirectory></configuration></execution></executions></plugin></plugins></build>"
    )
    assert parse_pom(pom(inner).encode()).obstacles == ()


@pytest.mark.parametrize("version", ["2-SNAPSHOT", "[1,2)", "(,1]", "LATEST", "RELEASE"])
def test_versions_that_are_not_exact_are_noticed(version: str) -> None:
    inner = (
        f"<dependencies><dependency><artifactId>x</artifactId><version>{version}</version></dependency></dependencies>"
    )
    ((_, obstacle),) = parse_pom(pom(inner).encode()).moving
    assert version in obstacle.reason


def test_core_extensions() -> None:
    def text(group: str) -> bytes:
        inner = f"<groupId>{group}</groupId><artifactId>os-maven-plugin</artifactId>"
        return f"<extensions><extension>{inner}</extension></extensions>".encode()

    assert extension_obstacle(text("kr.motd.maven")) is None
    found = extension_obstacle(text("org.example"))
    assert found is not None
    assert "org.example:os-maven-plugin" in found.reason
    assert extension_obstacle(b"<") is not None


@pytest.mark.parametrize(
    ("inner", "harmless"),
    [
        ("<mirrors><mirror><url>https://maven.example.org</url></mirror></mirrors>", True),
        ("<localRepository/>", True),
        ("<localRepository>/cache</localRepository>", False),
        ("<mirrors><mirror><url>file:///repo</url></mirror></mirrors>", False),
        ("<profiles><profile><activation><file><exists>x</exists></file></activation></profile></profiles>", False),
        ("<", False),
    ],
)
def test_settings(inner: str, harmless: bool) -> None:
    assert (settings_obstacle(f"<settings>{inner}</settings>".encode()) is None) == harmless
