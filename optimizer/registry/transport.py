"""One HTTP request and its redirects: bounded in time and size, encrypted, and with no login for anybody else.

Plain HTTP is spoken with this machine only (`localhost`, 127.0.0.0/8, ::1), as Docker does where nothing else is configured.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from dockopt.optimizer.registry.limits import within

#: seconds for one request, with its redirects and all of its answers
TIMEOUT = 20.0
#: larger answers are no manifests and no tokens, bytes (the distribution specification wants 4 MiB manifests to be taken)
_LARGEST = 4 << 20
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class NetworkProblem(Exception):
    """No answer; the message says why."""


class Unreachable(NetworkProblem):
    """No answer, and the next request to the same server will fare no better."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    headers: Message
    body: bytes


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing, so that the answer itself comes back: redirects are followed below, where the login can be left out."""

    def http_error_302(self, *_: Any, **__: Any) -> None:
        """Leave a redirect alone."""

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def is_this_machine(host: str | None) -> bool:
    """Tell whether a host name or address surely means the machine itself."""
    if host is None:
        return False
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    authorization: str | None = None,
    data: bytes | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """Send a request and follow redirects, in `timeout` seconds; `authorization` goes to the origin of `url` only.

    Raises NetworkProblem.
    """
    try:
        return within(timeout, lambda: _followed(method, url, headers, authorization, data, timeout))
    except TimeoutError:
        raise Unreachable(f"`{_host(url)}` did not answer within {timeout:g} s") from None


def _followed(
    method: str, url: str, headers: Mapping[str, str], authorization: str | None, data: bytes | None, timeout: float
) -> Answer:
    start = _split(url, _host(url))
    for _ in range(_MAX_REDIRECTS + 1):
        here = _checked(url, start)
        sent = dict(headers)
        if authorization is not None and _origin(here) == _origin(start):
            sent["Authorization"] = authorization
        answer = _once(urllib.request.Request(url, data, sent, method=method), here, timeout)
        location = answer.headers.get("Location")
        if answer.status not in _REDIRECTS or location is None:
            return answer
        if data is not None:
            raise NetworkProblem(f"`{start.hostname}` redirects a login, which is not followed")
        try:
            url = urljoin(url, location)
        except ValueError:
            raise NetworkProblem(f"`{start.hostname}` names an address that is none") from None
    raise NetworkProblem(f"`{start.hostname}` redirects more than {_MAX_REDIRECTS} times")


def _host(url: str) -> str:
    """Return the host of an address for a message."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _split(url: str, named_by: str | None) -> SplitResult:
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError:
        raise NetworkProblem(f"`{named_by}` names an address that is none") from None
    return found


def _checked(url: str, start: SplitResult) -> SplitResult:
    here = _split(url, start.hostname)
    local = is_this_machine(here.hostname) and is_this_machine(start.hostname)
    if here.hostname is None or here.username is not None or not url.isascii() or any(c <= " " for c in url):
        raise NetworkProblem(f"`{start.hostname}` names an address that is none")
    if here.scheme != "https" and not (here.scheme == "http" and local):
        raise NetworkProblem(f"`{here.hostname}` is to be asked without encryption, which is done on this machine only")
    return here


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"https": 443, "http": 80}.get(url.scheme)


def _once(asked: urllib.request.Request, here: SplitResult, timeout: float) -> Answer:
    # a proxy of the environment is right for the world, not for this machine
    proxies = urllib.request.ProxyHandler({} if is_this_machine(here.hostname) else None)
    opener = urllib.request.build_opener(proxies, _NoRedirect)
    try:
        try:
            with opener.open(asked, timeout=timeout) as response:
                return Answer(response.status, response.headers, _body(response))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, _body(error))
    except (urllib.error.URLError, OSError) as error:
        raise Unreachable(f"`{here.hostname}` {_why(error, timeout)}{_way(here)}") from None
    except _TooLarge:
        raise NetworkProblem(f"`{here.hostname}` gave an answer of more than {_LARGEST >> 20} MiB") from None
    except http.client.IncompleteRead:
        raise NetworkProblem(f"`{here.hostname}` ended its answer too early") from None
    except UnicodeError:  # of the codec `idna`: a label that is empty or too long
        raise NetworkProblem(f"`{here.hostname}` is no name of a host") from None
    except (http.client.HTTPException, ValueError):
        raise NetworkProblem(f"`{here.hostname}` gave an answer that is no HTTP") from None


class _TooLarge(Exception):
    pass


def _body(response: Any) -> bytes:
    body: bytes = response.read(_LARGEST + 1)
    if len(body) > _LARGEST:
        raise _TooLarge
    # read(amount) is content with less than the header promised: what is left of that is in `length` (`http.client.HTTPResponse`)
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    return body


def _way(here: SplitResult) -> str:
    """Return that a proxy is in between, which may be what cannot be reached; its address may hold a password."""
    if is_this_machine(here.hostname) or here.scheme not in urllib.request.getproxies():
        return ""
    return "" if urllib.request.proxy_bypass(here.hostname or "") else " (through the proxy of the environment)"


def _why(error: Exception, timeout: float) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"did not answer within {timeout:g} s"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"has a certificate that is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return "does not speak TLS as expected"
    if isinstance(cause, socket.gaierror):
        return "cannot be found, as if this machine were offline"
    strerror = cause.strerror if isinstance(cause, OSError) else None
    return f"cannot be reached: {(strerror or 'no connection').lower()}"
