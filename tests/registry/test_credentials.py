"""Logins as Docker keeps them: in its configuration file, and in the programs that it names."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from dockopt.optimizer.registry.credentials import Login, LoginProblem, configuration_file, login_for


def auth(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def helper(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str, name: str = "docker-credential-fake") -> None:
    program = directory / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("registry", "key"),
    [
        ("docker.io", "https://index.docker.io/v1/"), ("ghcr.io", "ghcr.io"), ("ghcr.io", "https://ghcr.io/v2/"),
        ("localhost:5000", "http://localhost:5000"),
    ],
)  # fmt: skip
def test_a_login_of_the_file(file: Path, registry: str, key: str) -> None:
    file.write_text(
        json.dumps({"auths": {"other.example": {"auth": auth("x:y")}, key: {"auth": auth("me:pass:word")}}})
    )
    assert login_for(registry, file) == Login("me", "pass:word")
    assert login_for("quay.io", file) is None


def test_a_token_of_the_file_wins(file: Path) -> None:
    file.write_text(json.dumps({"auths": {"a.example": {"auth": auth("me:x"), "identitytoken": "T"}}}))
    assert login_for("a.example", file) == Login(identity_token="T")


def test_a_host_that_only_starts_alike_gets_nothing(file: Path) -> None:
    file.write_text(json.dumps({"auths": {"a.example": {"auth": auth("me:x")}}}))
    assert login_for("a.example.evil.example", file) is None
    assert login_for("a.example:444", file) is None


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"auths": 3}', '{"auths": {"a.example": {}}}', '{"auths": {"a.example": 1}}']
)
def test_nothing_is_no_login(file: Path, text: str) -> None:
    if text:
        file.write_text(text)
    assert login_for("a.example", file) is None


@pytest.mark.parametrize(
    "text", ["{", '{"auths": {"a.example": {"auth": "%%%"}}}', '{"auths": {"a.example": {"auth": "bm8="}}}']
)
def test_what_cannot_be_read_is_said_without_its_content(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(LoginProblem) as problem:
        login_for("a.example", file)
    assert "bm8=" not in str(problem.value)


def test_a_helper_is_asked_for_its_registry_only(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(
        tmp_path,
        monkeypatch,
        """read server; echo "{\\"ServerURL\\": \\"$server\\", \\"Username\\": \\"$1\\", \\"Secret\\": \\"of $server\\"}" """,
    )
    file.write_text(json.dumps({"credHelpers": {"a.example": "fake"}, "auths": {"b.example": {"auth": auth("b:b")}}}))
    assert login_for("a.example", file) == Login("get", "of a.example")
    assert login_for("b.example", file) == Login("b", "b")


def test_the_store_is_asked_for_all_others(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, """read server; printf '{"Username": "<token>", "Secret": "%s"}' "$server" """)
    file.write_text(json.dumps({"credsStore": "fake"}))
    assert login_for("docker.io", file) == Login(identity_token="https://index.docker.io/v1/")


def test_a_helper_without_a_login_leaves_the_file(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, "echo 'credentials not found in native keychain'; exit 1")
    file.write_text(json.dumps({"credsStore": "fake", "auths": {"a.example": {"auth": auth("me:x")}, "b.example": {}}}))
    assert login_for("a.example", file) == Login("me", "x")
    assert login_for("b.example", file) is None


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo SECRET; exit 3", "exit code 3"),
        ("echo SECRET", "not understood"),
        ('echo \'{"Username": 1, "Secret": 2}\'', "not understood"),
    ],
)
def test_a_helper_that_fails_is_named_and_not_quoted(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    helper(tmp_path, monkeypatch, script)
    file.write_text('{"credsStore": "fake"}')
    with pytest.raises(LoginProblem, match=said) as problem:
        login_for("a.example", file)
    assert "docker-credential-fake" in str(problem.value)
    assert "SECRET" not in str(problem.value)


@pytest.mark.parametrize(("name", "said"), [("missing", "not installed"), ("../../bin/sh", "no name of")])
def test_a_helper_that_is_none(file: Path, tmp_path: Path, name: str, said: str) -> None:
    file.write_text(json.dumps({"credsStore": name}))
    with pytest.raises(LoginProblem, match=said):
        login_for("a.example", file)


def test_where_the_file_is() -> None:
    assert configuration_file({"DOCKER_CONFIG": "/x", "HOME": "/home/me"}) == Path("/x/config.json")
    assert configuration_file({"HOME": "/home/me"}) == Path("/home/me/.docker/config.json")


def test_a_login_is_not_shown() -> None:
    login = Login("me", "secret-word", "secret-token")
    assert "secret" not in repr(login)
