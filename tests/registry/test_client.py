"""What registries are asked, what they are told of the user, and what becomes of their answers."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dockopt.optimizer.registry.client import Found, Registries, RegistryProblem
from dockopt.optimizer.registry.reference import parse_reference
from dockopt.optimizer.registry.transport import NetworkProblem, is_this_machine, request

from tests.registry.fake_registry import IMAGE, Fake, serving

PASSWORD = "pass:word"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with serving(Fake()) as fake:
        yield fake


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def log_in(configuration: Path, fake: Fake, user: str | None = None, **more: str) -> None:
    auth = base64.b64encode((user or fake.user).encode()).decode()
    configuration.write_text(json.dumps({"auths": {fake.host: {"auth": auth, **more}}}))


def look_up(fake: Fake, configuration: Path, name: str = "team/app:1", timeout: float = 5) -> Found:
    return Registries(configuration, timeout).digest(parse_reference(f"{fake.host}/{name}"))


def problem(fake: Fake, configuration: Path, timeout: float = 5) -> str:
    with pytest.raises(RegistryProblem) as raised:
        look_up(fake, configuration, timeout=timeout)
    said = f"{raised.value}; {raised.value.remedy}"
    for secret in (PASSWORD, fake.token, fake.refresh_token, base64.b64encode(fake.user.encode()).decode()):
        assert secret not in said
    return said


def test_a_head_request_is_enough(fake: Fake, configuration: Path) -> None:
    digest = fake.put("team/app:1")
    assert look_up(fake, configuration) == Found(digest, is_list=True)
    (asked,) = fake.asked
    assert (asked.method, asked.path) == ("HEAD", "/v2/team/app/manifests/1")
    for kind in ("oci.image.index.v1", "oci.image.manifest.v1", "docker.distribution.manifest.list.v2", "manifest.v2"):
        assert kind in asked.headers["Accept"]
    assert "Authorization" not in asked.headers


def test_an_image_of_one_platform_is_told_as_such(fake: Fake, configuration: Path) -> None:
    fake.kind = IMAGE
    digest = fake.put("team/app:1")
    assert look_up(fake, configuration) == Found(digest, is_list=False)


@pytest.mark.parametrize("how", ["no header", "a header that is none", "no HEAD", "HEAD not implemented"])
def test_the_body_is_hashed_where_head_tells_nothing(fake: Fake, configuration: Path, how: str) -> None:
    fake.digest_header = {"no header": None, "a header that is none": "sha512:" + "0" * 128}.get(how, "")
    fake.head_status = {"no HEAD": 405, "HEAD not implemented": 501}.get(how, 0)
    digest = fake.put("team/app:1")
    assert look_up(fake, configuration).digest == digest
    assert [asked.method for asked in fake.asked] == ["HEAD", "GET"]


def test_other_bytes_than_promised_are_refused(fake: Fake, configuration: Path) -> None:
    fake.head_status, fake.digest_header = 405, "sha256:" + "0" * 64
    fake.put("team/app:1")
    assert "other bytes than it says" in problem(fake, configuration)


def test_a_form_without_a_digest_to_rely_on_is_refused(fake: Fake, configuration: Path) -> None:
    fake.kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    fake.put("team/app:1")
    assert "a form that has no digest to rely on" in problem(fake, configuration)


def test_a_token_is_asked_for_without_a_login(fake: Fake, configuration: Path) -> None:
    fake.auth = "bearer"
    digest = fake.put("team/app:1")
    assert look_up(fake, configuration).digest == digest
    token = fake.asked[1]
    assert token.query == {"from": ["fake"], "service": ['fake, "quoted"'], "scope": ["repository:team/app:pull"]}
    assert "Authorization" not in token.headers


def test_a_token_is_asked_for_with_the_login(fake: Fake, configuration: Path) -> None:
    fake.auth = "bearer"
    fake.put("team/app:1")
    log_in(configuration, fake)
    look_up(fake, configuration)
    assert fake.asked[1].headers["Authorization"].startswith("Basic ")


def test_a_token_is_used_again(fake: Fake, configuration: Path) -> None:
    fake.auth = "bearer"
    for tag in ("1", "2"):
        fake.put(f"team/app:{tag}")
    registries = Registries(configuration)
    for tag in ("1", "2"):
        registries.digest(parse_reference(f"{fake.host}/team/app:{tag}"))
    assert [asked.path for asked in fake.asked].count("/token") == 1


def test_an_identity_token_is_exchanged(fake: Fake, configuration: Path) -> None:
    fake.auth = "bearer"
    digest = fake.put("team/app:1")
    log_in(configuration, fake, identitytoken=fake.refresh_token)
    assert look_up(fake, configuration).digest == digest
    exchange = fake.asked[1]
    assert exchange.method == "POST"
    assert fake.refresh_token not in exchange.path + str(exchange.query)


def test_basic_authentication(fake: Fake, configuration: Path) -> None:
    fake.auth = "basic"
    digest = fake.put("team/app:1")
    assert "does not show `team/app`" in problem(fake, configuration)
    log_in(configuration, fake)
    assert look_up(fake, configuration).digest == digest


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_a_wrong_login_is_refused(fake: Fake, configuration: Path, auth: str) -> None:
    fake.auth = auth
    fake.put("team/app:1")
    log_in(configuration, fake, user="me:wrong-one")
    said = problem(fake, configuration)
    assert "does not show `team/app`" in said
    assert f"docker login {fake.host}" in said
    assert "wrong-one" not in said


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b'{"token": 3}', b'{"token": "a b"}', b'{"token": "a\\r\\nX: y"}']
)
def test_what_is_no_token_is_not_sent(fake: Fake, configuration: Path, body: bytes) -> None:
    fake.auth, fake.token_body = "bearer", body
    fake.put("team/app:1")
    assert "gave no token" in problem(fake, configuration)
    assert len(fake.asked) == 2


def test_a_token_server_without_encryption_gets_no_login(fake: Fake, configuration: Path) -> None:
    fake.auth, fake.realm = "bearer", "http://token.example/token"
    fake.put("team/app:1")
    log_in(configuration, fake)
    assert "without encryption" in problem(fake, configuration)
    assert len(fake.asked) == 1


def test_a_redirect_to_another_server_gets_no_token(fake: Fake, configuration: Path) -> None:
    with serving(Fake()) as other:
        fake.auth, fake.location = "bearer", f"http://{other.host}/moved/v2/team/app/manifests/1"
        digest = other.put("team/app:1")
        log_in(configuration, fake)
        assert look_up(fake, configuration).digest == digest
        assert "Authorization" not in other.asked[0].headers


def test_a_redirect_on_the_same_server_keeps_the_token(fake: Fake, configuration: Path) -> None:
    fake.auth, fake.location = "bearer", "/moved/v2/team/app/manifests/1"
    digest = fake.put("team/app:1")
    assert look_up(fake, configuration).digest == digest
    assert fake.asked[-1].headers["Authorization"] == f"Bearer {fake.token}"


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("/v2/again", "redirects more than 5 times"), ("http://registry.example/x", "without encryption"), ("file:///etc/passwd", "none"),
        ("ftp://localhost/x", "without encryption"), ("http://me:you@localhost/x", "none"), ("http://[", "none"),
        ("//localhost:x/", "none"),
    ],
)  # fmt: skip
def test_redirects_that_are_not_followed(fake: Fake, configuration: Path, location: str, said: str) -> None:
    fake.location = location
    assert said in problem(fake, configuration)


@pytest.mark.parametrize(
    ("status", "extra", "said"),
    [
        (403, {}, "does not show `team/app`"), (404, {}, "has no `team/app:1`"), (429, {"Retry-After": "30"}, "try again in 30 s"),
        (429, {"Retry-After": "soon"}, "try again later"),
        (429, {"Retry-After": "9" * 40}, "try again later"), (500, {}, "answered with status 500"), (503, {}, "status 503"),
    ],
)  # fmt: skip
def test_refusals_say_what_to_do(
    fake: Fake, configuration: Path, status: int, extra: dict[str, str], said: str
) -> None:
    fake.status, fake.extra = status, extra
    assert said in problem(fake, configuration)


def test_a_tag_that_is_not_there(fake: Fake, configuration: Path) -> None:
    assert f"`{fake.host}` has no `team/app:1`" in problem(fake, configuration)


def test_a_registry_that_is_not_there(configuration: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        gone = Fake(port=taken.getsockname()[1])
        assert "cannot be reached" in problem(gone, configuration)


def test_a_registry_that_does_not_answer(fake: Fake, configuration: Path) -> None:
    fake.delay = 0.5
    assert "did not answer within 0.1 s" in problem(fake, configuration, timeout=0.1)


def test_a_server_that_speaks_something_else(configuration: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"220 mail.example\r\n")

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        assert "no HTTP" in problem(Fake(port=server.getsockname()[1]), configuration)
        thread.join()


def test_only_this_machine_is_asked_without_encryption() -> None:
    assert [is_this_machine(host) for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1")] == [True] * 4
    others = (None, "", "localhost.example", "127.0.0.1.example", "10.0.0.1", "registry")
    assert not any(map(is_this_machine, others))
    with pytest.raises(NetworkProblem, match="without encryption"):
        request("GET", "http://registry.example/v2/", {})


def test_a_login_that_cannot_be_read_is_told_with_its_remedy(fake: Fake, configuration: Path) -> None:
    fake.auth = "basic"
    configuration.write_text('{"credsStore": "not-there"}')
    said = problem(fake, configuration)
    assert "`docker-credential-not-there` of Docker's configuration is not installed" in said
    assert "install it, or take it out of Docker's configuration" in said
