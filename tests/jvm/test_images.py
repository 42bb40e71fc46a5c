"""Which image runs what another one builds."""

from __future__ import annotations

import pytest
from dockopt.optimizer.jvm.images import JavaImage, builds_java, java_image


@pytest.mark.parametrize(
    ("reference", "runtime"),
    [
        ("maven:3.9-eclipse-temurin-17", "eclipse-temurin:17-jre"),
        ("docker.io/library/maven:3-eclipse-temurin-21-alpine", "eclipse-temurin:21-jre-alpine"),
        ("maven:eclipse-temurin-11", "eclipse-temurin:11-jre"),
        ("maven:3.9.9-eclipse-temurin-25-noble", "eclipse-temurin:25-jre-noble"),
        ("gradle:8.10-jdk21", "eclipse-temurin:21-jre"),
        ("gradle:jdk17-jammy", "eclipse-temurin:17-jre-jammy"),
        ("eclipse-temurin:17", "eclipse-temurin:17-jre"),
        ("eclipse-temurin:8-jdk-alpine", "eclipse-temurin:8-jre-alpine"),
        ("eclipse-temurin:17.0.9_9-jdk-jammy", "eclipse-temurin:17.0.9_9-jre-jammy"),
        ("eclipse-temurin:11.0.14.1_1-jdk-focal", "eclipse-temurin:11.0.14.1_1-jre-focal"),
        ("eclipse-temurin:8u392-b08-jdk", "eclipse-temurin:8u392-b08-jre"),
        ("eclipse-temurin:21-jdk-alpine-3.22", "eclipse-temurin:21-jre-alpine-3.22"),
    ],
)
def test_vendor_version_and_system_stay(reference: str, runtime: str) -> None:
    found = java_image(reference)
    assert isinstance(found, JavaImage)
    assert (found.runtime, found.is_alpine) == (runtime, "alpine" in runtime)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("openjdk:17", "which image for running belongs to `openjdk` is not known"),
        ("maven", "the tag `latest` does not say"),
        ("maven:3.8.5-openjdk-17", "does not say which version of Eclipse Temurin"),
        ("maven:3.9-amazoncorretto-21", "does not say which version of Eclipse Temurin"),
        ("maven:3.9-sapmachine-21", "does not say which version of Eclipse Temurin"),
        ("gradle:8.10", "does not say which version of Eclipse Temurin"),
        ("gradle:8.10-jdk11", "the vendor of Java 11 differs"),
        ("gradle:8.10-jdk21-graal", "does not say which version of Eclipse Temurin"),
        ("gradle:8.10-jdk21-ubi9", "does not say which version of Eclipse Temurin"),
        ("eclipse-temurin:21-jre", "has no JDK"),
        ("eclipse-temurin:23-jdk", "whether there is an image with a JRE"),
        ("eclipse-temurin:21-jdk-focal", "whether there is an image with a JRE"),
        ("eclipse-temurin:21-jdk-ubi9-minimal", "does not say which version"),
        ("eclipse-temurin:17_35-jdk", "there is no JRE of the release `17_35`"),
        (f"eclipse-temurin:17-jdk@sha256:{'0' * 64}", "is pinned by its digest"),
        ("eclipse-temurin:17-jdk-windowsservercore", "does not say which version"),
        ("registry.example.com/maven:3.9-eclipse-temurin-17", "which image for running belongs to"),
    ],
)
def test_what_is_not_known_is_said(reference: str, reason: str) -> None:
    found = java_image(reference)
    assert isinstance(found, str)
    assert reason in found


def test_images_for_java_are_known_by_their_names() -> None:
    for reference in (
        "openjdk:17",
        "azul/zulu-openjdk:21",
        "amazoncorretto:17",
        "maven:3",
        "ghcr.io/graalvm/jdk-community:21",
    ):
        assert builds_java(reference)
    for reference in ("node:20", "python:3", "mavenlike:1", "tomcat:9"):
        assert not builds_java(reference)
