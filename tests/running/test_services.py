"""What Compose files say about the containers of a Dockerfile."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.opening import open_build
from dockopt.optimizer.running.services import Service, services_of

DOCKERFILE = b'FROM alpine:3.20 AS base\nFROM base AS final\nCMD ["true"]\n'


def services(tmp_path: Path, **files: str) -> tuple[Service, ...]:
    (tmp_path / "Dockerfile").write_bytes(DOCKERFILE)
    for name, text in files.items():
        (tmp_path / name.replace("_dot_", ".")).write_text(text)
    return services_of(open_build(tmp_path / "Dockerfile", DOCKERFILE).build)


def test_all_that_matters_is_read(tmp_path: Path) -> None:
    (service,) = services(
        tmp_path,
        compose_dot_yaml="""\
services:
  api:
    build: .
    user: "1000"
    command: serve
    privileged: true
    network_mode: bridge
    ports: ["127.0.0.1:8080:80/tcp", {target: 443, published: 8443}]
    environment: [DATA=/data, "OTHER=${UNSET}", PASSED]
    volumes:
      - data:/data
      - ./config:/etc/app:ro
      - /anonymous
      - {type: bind, source: src, target: /src}
      - ${HOME}/x:/x
""",
    )
    assert service.user
    assert [key for key, _ in service.replaces] == ["command"]
    assert [key for key, _ in service.privileges] == ["privileged"]
    assert [port for port, _ in service.ports] == [80, 443]
    assert service.environment == {"DATA": "/data", "OTHER": None, "PASSED": None}
    assert [(m.target, m.is_of_host, m.read_only) for m in service.mounts] == [
        ("/data", False, False),
        ("/etc/app", True, True),
        ("/anonymous", False, False),
        ("/src", True, False),
        ("/x", True, False),
    ]


def test_an_override_counts_for_a_service_of_the_same_name(tmp_path: Path) -> None:
    found = services(
        tmp_path,
        compose_dot_yaml="services:\n  api:\n    build: .\n",
        compose_dot_override_dot_yaml="services:\n  api:\n    volumes: [./src:/src]\n  other:\n    privileged: true\n",
    )
    assert [service.file for service in found] == ["compose.override.yaml", "compose.yaml"]
    assert [mounted.target for service in found for mounted in service.mounts] == ["/src"]


def test_a_service_of_another_stage_or_image_does_not_count(tmp_path: Path) -> None:
    text = "services:\n  a:\n    build: {context: ., target: base}\n  b:\n    image: x\n  c:\n    build: {context: ., target: final}\n"
    assert [service.name for service in services(tmp_path, compose_dot_yaml=text)] == ["c"]


@pytest.mark.parametrize(
    ("said", "starts"),
    [
        ("    healthcheck:\n      test: [CMD, curl, localhost]\n", ["healthcheck"]),
        ("    healthcheck:\n      disable: true\n", []),
        ("    healthcheck:\n      test: [NONE]\n", []),
        ("    healthcheck:\n      interval: 5s\n", []),
        ("    post_start:\n      - command: ./warm.sh\n", ["post_start"]),
    ],
)
def test_what_is_started_beside_the_command(tmp_path: Path, said: str, starts: list[str]) -> None:
    (service,) = services(tmp_path, compose_dot_yaml=f"services:\n  web:\n    build: .\n{said}")
    assert [key for key, _ in service.starts] == starts
