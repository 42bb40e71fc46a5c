"""A registry in this process that misbehaves as asked, with a token server beside it; it remembers what it was sent."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.docker.distribution.manifest.v2+json"


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: str = ""


@dataclass
class Fake:
    """What is there, and how it answers."""

    manifests: dict[str, bytes] = field(default_factory=dict)  # `repository:tag` → bytes
    kind: str = INDEX
    #: "", "basic" or "bearer"
    auth: str = ""
    user: str = "me:pass:word"
    refresh_token: str = "refresh-me"
    token: str = "token-of-the-fake"
    realm: str = ""
    #: answer of the token server, instead of the right one
    token_body: bytes | None = None
    digest_header: str | None = ""  # "": the right one, None: none at all
    head_status: int = 0
    status: int = 0
    location: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    before_answering: Callable[[], object] = bool
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def put(self, name: str, content: str = "") -> str:
        body = json.dumps({"schemaVersion": 2, "name": name, "content": content}).encode()
        self.manifests[name] = body
        return digest_of(body)


class _Handler(BaseHTTPRequestHandler):
    fake: Fake
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _handle(self) -> None:
        fake, url = self.fake, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        asked = Asked(self.command, url.path, parse_qs(url.query), dict(self.headers.items()), body)
        fake.asked.append(asked)
        fake.before_answering()
        if fake.delay:
            time.sleep(fake.delay)
        if url.path == "/token":
            return self._token(asked)
        given = self.headers.get("Authorization", "")
        basic = "Basic " + base64.b64encode(fake.user.encode()).decode()
        if fake.auth == "basic" and given != basic:
            return self._answer(401, WWW_Authenticate='Basic realm="here"')
        if fake.auth == "bearer" and given != f"Bearer {fake.token}":
            realm = fake.realm or f"http://{fake.host}/token?from=fake"
            repository = url.path.removeprefix("/v2/").partition("/manifests/")[0]
            challenge = f'Bearer realm="{realm}",service="fake, \\"quoted\\"",scope="repository:{repository}:pull"'
            return self._answer(401, WWW_Authenticate=challenge)
        if fake.location and not url.path.startswith("/moved"):
            return self._answer(307, Location=fake.location)
        if fake.status or (fake.head_status and self.command == "HEAD"):
            return self._answer(fake.status or fake.head_status, b"no", **fake.extra)
        name = url.path.removeprefix("/moved").removeprefix("/v2/").replace("/manifests/", ":")
        if name not in fake.manifests:
            return self._answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
        manifest = fake.manifests[name]
        told = (
            {} if fake.digest_header is None else {"Docker_Content_Digest": fake.digest_header or digest_of(manifest)}
        )
        return self._answer(200, manifest, Content_Type=fake.kind, **told)

    def _token(self, asked: Asked) -> None:
        fake = self.fake
        given = self.headers.get("Authorization", "")
        right = (
            parse_qs(asked.body).get("refresh_token") == [fake.refresh_token]
            if self.command == "POST"
            else not given or given == "Basic " + base64.b64encode(fake.user.encode()).decode()
        )
        if not right:
            return self._answer(401, b"{}")
        name = "access_token" if self.command == "POST" else "token"
        return self._answer(
            200, json.dumps({name: fake.token}).encode() if fake.token_body is None else fake.token_body
        )

    do_GET = do_HEAD = do_POST = _handle  # noqa: N815


@contextlib.contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    handler = type("Handler", (_Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    fake.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
