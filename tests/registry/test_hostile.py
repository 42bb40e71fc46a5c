"""Servers and helpers that do the worst: each is given up in time, with a problem that says why, and is never believed."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dockopt.optimizer.registry import credentials
from dockopt.optimizer.registry.client import Registries, RegistryProblem
from dockopt.optimizer.registry.credentials import LoginProblem, login_for
from dockopt.optimizer.registry.limits import within
from dockopt.optimizer.registry.reference import parse_reference

from tests.registry.fake_registry import INDEX, Fake, digest_of, serving

#: answers one request; what it does with the connection is its affair
Answering = Callable[[socket.socket, bytes], None]
MANIFEST = b'{"schemaVersion": 2}'


@contextlib.contextmanager
def speaking(answer: Answering) -> Iterator[str]:
    """Answer every connection, and hand out the name of the registry."""
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            asked = b""
            # TLS, which is tried where plain HTTP fails, begins with this byte and is not spoken here
            while b"\r\n\r\n" not in asked and not asked.startswith(b"\x16") and (piece := connection.recv(1 << 16)):
                asked += piece
            if not asked.startswith(b"\x16"):
                answer(connection, asked)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"localhost:{server.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


def problem(host: str, configuration: Path | None = None, timeout: float = 5) -> str:
    with pytest.raises(RegistryProblem) as raised:
        Registries(configuration or Path("/does/not/exist"), timeout).digest(parse_reference(f"{host}/team/app:1"))
    return f"{raised.value}; {raised.value.remedy}"


def head(*lines: str, body: bytes = b"", status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def only_get(answer: bytes | Answering) -> Answering:
    """Answer `GET` alone, so that the body is what counts."""

    def choose(connection: socket.socket, asked: bytes) -> None:
        if asked.startswith(b"HEAD"):
            connection.sendall(head("Content-Length: 0", status="405 No"))
        elif isinstance(answer, bytes):
            connection.sendall(answer)
        else:
            answer(connection, asked)

    return choose


def reset(connection: socket.socket, asked: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def dripping(beginning: bytes, drop: bytes) -> Answering:
    def answer(connection: socket.socket, asked: bytes) -> None:
        connection.sendall(beginning)
        for _ in range(100):
            connection.sendall(drop)
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(reset, "cannot be reached: connection reset by peer", id="reset"),
        pytest.param(lambda connection, asked: None, "cannot be reached", id="closed at once"),
        pytest.param(only_get(head("Content-Length: 90", body=MANIFEST)), "ended its answer too early", id="half an answer"),
        pytest.param(
            only_get(head("Transfer-Encoding: chunked", body=b"99\r\n" + MANIFEST)), "ended its answer too early", id="half a chunk"
        ),
        pytest.param(only_get(head(body=MANIFEST[:-1])), "sent no manifest", id="half of it, without a length"),
        pytest.param(only_get(head("Content-Length: 5000000", body=b" " * 5_000_000)), "more than 4 MiB", id="too large"),
        pytest.param(lambda connection, asked: connection.sendall(b"\xff\xfe\x00" * 99), "is no HTTP", id="not UTF-8"),
        pytest.param(lambda connection, asked: connection.sendall(head(status="9999 x")), "is no HTTP", id="odd status"),
        pytest.param(
            lambda connection, asked: connection.sendall(head("X: " + "x" * 70_000)), "is no HTTP", id="long header"
        ),
        pytest.param(lambda connection, asked: connection.sendall(head(*["X: y"] * 200)), "is no HTTP", id="many headers"),
        pytest.param(
            lambda connection, asked: connection.sendall(b"HTTP/1.1 200 OK\r\nDocker-Content-Digest: \xff\xfe\r\n\r\n"),
            "sent no manifest", id="a digest that is no text",
        ),
        pytest.param(
            only_get(head("Content-Encoding: gzip", "Connection: close", body=gzip.compress(MANIFEST))), "compressed", id="compressed"
        ),
        pytest.param(
            only_get(head("Content-Length: 12", "Content-Type: text/html", body=b"<p>log in</p>")), "sent no manifest", id="a portal"
        ),
        pytest.param(only_get(head("Connection: close", body=b"[" * 100_000)), "sent no manifest", id="deep"),
    ],
)  # fmt: skip
def test_what_is_no_answer(answer: Answering, said: str) -> None:
    with speaking(answer) as host:
        assert said in problem(host)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(dripping(b"", b"H"), id="status"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), id="headers"),
        pytest.param(dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="to be continued"),
        pytest.param(only_get(dripping(head("Content-Length: 1000"), b"x")), id="body"),
    ],
)
def test_an_answer_that_drips_is_given_up_in_time(answer: Answering) -> None:
    # each wait is shorter than the limit, all of them together are not
    with speaking(answer) as host:
        assert "did not answer within 0.4 s" in problem(host, timeout=0.4)


@pytest.mark.parametrize(
    ("host", "said"),
    [("localhost:99999", "names an address that is none"), ("x" * 80 + ".example", "is no name of a host")],
    ids=["port", "label"],
)
def test_hosts_that_cannot_be(host: str, said: str) -> None:
    found = problem(host)
    assert said in found
    assert "check the name" in found


def test_a_proxy_that_is_not_there_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("https_proxy", f"http://me:secret@127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        said = problem("registry.example")
    assert "`registry.example` cannot be reached: connection refused (through the proxy of the environment)" in said
    assert "secret" not in said


def test_redirects_count_towards_the_time_of_their_request() -> None:
    def answer(connection: socket.socket, asked: bytes) -> None:
        time.sleep(0.2)
        connection.sendall(head("Location: /again", "Content-Length: 0", status="307 There"))

    with speaking(answer) as host:
        assert "did not answer within 0.5 s" in problem(host, timeout=0.5)


def test_a_registry_that_cannot_be_reached_is_asked_once(tmp_path: Path) -> None:
    asked = []
    with speaking(lambda connection, request: asked.append(request)) as host:
        registries = Registries(tmp_path / "none", timeout=5)
        for tag in "abc":
            with pytest.raises(RegistryProblem, match="cannot be reached"):
                registries.digest(parse_reference(f"{host}/team/app:{tag}"))
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("challenge", "said"),
    [
        ("", "does not show"), ("Bearer", "names an address that is none"), ('Bearer realm="http://["', "names an address that is none"),
        ('Bearer realm="http://localhost:99999999/"', "names an address that is none"), ("Bearer realm=", "names an address that is none"),
        ('Bearer realm="file:///etc/passwd"', "names an address that is none"),
        ("Bearer realm=\"https://l/\xe9\"", "names an address that is none"),
        ('Bearer realm="unterminated', "names an address that is none"), ("Negotiate", "does not show"), ("=,=,=", "does not show"),
        ("a" * 65_000, "does not show"), ('a="' * 20_000, "does not show"),
        ('Bearer a="\\' + '\\"' * 30_000, "names an address that is none"),
        ("a " * 30_000, "does not show"), ("a=" + " " * 60_000 + "\x00", "does not show"),
    ],
)  # fmt: skip
def test_odd_challenges(challenge: str, said: str) -> None:
    header = [f"WWW-Authenticate: {challenge}"]
    refusal = "\r\n".join(["HTTP/1.1 401 No", *header, "Content-Length: 0", "", ""]).encode("latin-1")
    with speaking(lambda connection, asked: connection.sendall(refusal)) as host:
        assert said in problem(host, timeout=20)


def test_several_challenges_in_one_header(tmp_path: Path) -> None:
    with serving(Fake(auth="bearer")) as fake:
        digest = fake.put("team/app:1")
        token = f'Bearer realm="http://{fake.host}/token",service="a, Basic b"'

        def answer(connection: socket.socket, asked: bytes) -> None:
            if b"Authorization: Bearer" not in asked:
                header = f'WWW-Authenticate: Negotiate YWJj==, Basic realm="here", {token}'
                connection.sendall(head(header, "Content-Length: 0", status="401 No"))
            else:
                connection.sendall(
                    head(f"Docker-Content-Digest: {digest}", f"Content-Type: {INDEX}", "Content-Length: 0")
                )

        with speaking(answer) as host:
            found = Registries(tmp_path / "none").digest(parse_reference(f"{host}/team/app:1"))
        assert found.digest == digest
        assert fake.asked[0].query["service"] == ["a, Basic b"]


def test_a_token_that_is_never_good_enough_is_asked_for_once(tmp_path: Path) -> None:
    with serving(Fake(auth="bearer", token_body=b'{"token": "another"}')) as fake:
        fake.put("team/app:1")
        assert "does not show `team/app`" in problem(fake.host)
        assert [asked.path for asked in fake.asked].count("/token") == 1


def test_a_manifest_by_its_bytes_where_it_has_a_length_only(tmp_path: Path) -> None:
    answer = only_get(head(f"Content-Length: {len(MANIFEST)}", f"Content-Type: {INDEX}", body=MANIFEST))
    with speaking(answer) as host:
        found = Registries(tmp_path / "none").digest(parse_reference(f"{host}/team/app:1"))
    assert found.digest == digest_of(MANIFEST)


# -- logins ----------------------------------------------------------------------------------------------------------


def helper(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    program = directory / "docker-credential-fake"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    file = directory / "config.json"
    file.write_text('{"credsStore": "fake"}')
    return file


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("sleep 3", "did not answer within", id="hangs"),
        pytest.param("sleep 3 & exit 0", "did not answer within", id="leaves a child that holds its output"),
        pytest.param("exec sleep 3 >&-", "did not answer within", id="closes its output and stays"),
        pytest.param("exec cat /dev/zero", "does not end its answer", id="goes on for ever"),
        pytest.param("cat <<'E'\n" r'{"Username": "\ud800", "Secret": "s"}' "\nE", "no text", id="half a character"),
        pytest.param(r"printf '\377\376'", "not understood", id="not UTF-8"),
        pytest.param("printf '[[[['", "not understood", id="no JSON"),
        pytest.param("kill -9 $$", "failed (exit code -9)", id="is killed"),
        pytest.param("echo SECRET >&2; exit 1", "failed (exit code 1)", id="complains elsewhere"),
    ],
)
def test_a_helper_that_does_the_worst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(credentials, "_HELPER_TIMEOUT", 1)
    file = helper(tmp_path, monkeypatch, script)
    with pytest.raises(LoginProblem) as raised:
        login_for("a.example", file)
    assert said in str(raised.value)
    assert "the helper by itself" in raised.value.remedy
    assert "SECRET" not in "".join(capfd.readouterr())


def test_a_helper_that_does_not_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = helper(tmp_path, monkeypatch, """exec <&-; echo '{"Username": "me", "Secret": "s"}'""")
    login = login_for("a.example", file)
    assert login is not None
    assert login.username == "me"


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": "é"}, {"auth": "\ud800"}, {"auth": base64.b64encode(b"\xff:\xff").decode()}, {"auth": "e"},
        {"username": "\ud800", "password": "p"}, {"username": "u", "password": "\udfff"}, {"identitytoken": "\ud800"},
    ],
)  # fmt: skip
def test_logins_that_are_no_text(tmp_path: Path, entry: dict[str, str]) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"auths": {"a.example": entry}}))
    with pytest.raises(LoginProblem) as raised:
        login_for("a.example", file)
    assert raised.value.remedy == "`docker login a.example`"


@pytest.mark.parametrize(
    ("text", "said"), [(b"{", "no JSON"), (b"\xff", "no JSON"), (b"[" * 99_999, "no JSON"), (b'{"credsStore": {"a": 1}}', "no name")]
)  # fmt: skip
def test_a_broken_configuration(tmp_path: Path, text: bytes, said: str) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(text)
    with pytest.raises(LoginProblem) as raised:
        login_for("a.example", file)
    assert said in str(raised.value)
    assert "mend the file" in raised.value.remedy


@pytest.mark.parametrize("kind", ["pipe", "directory"])
def test_a_configuration_that_is_no_file(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "config.json"
    os.mkfifo(file) if kind == "pipe" else file.mkdir()
    with pytest.raises(LoginProblem, match="is no file"):
        login_for("a.example", file)


# -- limits ----------------------------------------------------------------------------------------------------------


def test_what_is_over_in_time() -> None:
    assert within(5, lambda: 3) == 3
    with pytest.raises(KeyError, match="why"):
        within(5, lambda: {}["why"])


def test_what_is_not_over_in_time() -> None:
    late = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.05, late.wait)
    late.set()
