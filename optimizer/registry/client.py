"""Asks a registry which content a tag has now.

Sources: OCI distribution specification ("Pulling manifests", "Checking if content exists in the registry"); Docker Registry HTTP API V2
and its token authentication (distribution/distribution, docs: "Token Authentication Specification", "OAuth2 Token Authentication").
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from dockopt.optimizer.registry.credentials import Login, LoginProblem, login_for
from dockopt.optimizer.registry.reference import DIGEST, DOCKER_HUB, Reference
from dockopt.optimizer.registry.transport import TIMEOUT, Answer, NetworkProblem, Unreachable, is_this_machine, request

#: lists of one manifest per platform
_LISTS = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
#: the image of one platform
_IMAGES = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_ACCEPT = ", ".join((*_LISTS, *_IMAGES))
_HUB_HOST = "registry-1.docker.io"
_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]++"
#: a parameter of a challenge, or the scheme that begins one; possessive, so that no header takes long
_PIECE = re.compile(
    rf"[\s,]*+(?:(?P<name>{_WORD})\s*+=\s*+(?:\"(?P<quoted>(?:[^\"\\]|\\.)*+)\"|(?P<bare>[^\s,\"]*+))|(?P<scheme>{_WORD}))(?=[\s,]|$)"
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_CLIENT = "dockopt"


class RegistryProblem(Exception):
    """No digest; the message says why and `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class Found(NamedTuple):
    """The content that a tag has now."""

    digest: str
    #: it is a list of the images of several platforms
    is_list: bool


class Registries:
    """Asks registries, each with the user's login for it, and keeps tokens as long as the program runs."""

    def __init__(self, configuration: Path, timeout: float = TIMEOUT) -> None:
        self._configuration = configuration
        self._timeout = timeout
        self._authorizations: dict[tuple[str, str], str] = {}
        self._schemes: dict[str, str] = {}
        self._logins: dict[str, Login | None] = {}
        self._unreachable: dict[str, Unreachable] = {}

    def digest(self, reference: Reference) -> Found:
        """Return what a tag is now. A registry that does not answer is not asked again. Raises RegistryProblem."""
        try:
            if reference.registry in self._unreachable:
                raise self._unreachable[reference.registry]
            answer = self._ask("HEAD", reference)
            told = answer.headers.get("Docker-Content-Digest", "")
            # some servers answer HEAD with less than GET, or not at all
            if answer.status in (405, 501) or (answer.status == 200 and DIGEST.fullmatch(told) is None):
                answer = self._ask("GET", reference)
                _require_found(answer, reference)
                return Found(_digest_of(answer, reference), _is_list(answer, reference))
        except NetworkProblem as problem:
            if not isinstance(problem, Unreachable):
                raise RegistryProblem(str(problem), "check the name, and what answers to it") from None
            self._unreachable[reference.registry] = problem
            raise RegistryProblem(str(problem), "try again when the registry can be reached") from None
        except LoginProblem as problem:
            raise RegistryProblem(str(problem), problem.remedy) from None
        _require_found(answer, reference)
        return Found(told, _is_list(answer, reference))

    def _ask(self, method: str, reference: Reference) -> Answer:
        """Send a request, once more with a token where the registry asks for one."""
        key = (reference.registry, reference.repository)
        known = self._authorizations.get(key)
        answer = self._sent(method, reference, known)
        if answer.status == 401:
            fresh = self._authorization(answer, reference)
            if fresh is not None and fresh != known:
                self._authorizations[key] = fresh
                answer = self._sent(method, reference, fresh)
        return answer

    def _sent(self, method: str, reference: Reference, authorization: str | None) -> Answer:
        host = _HUB_HOST if reference.registry == DOCKER_HUB else reference.registry
        schemes = ["http", "https"] if is_this_machine(urlsplit(f"//{host}").hostname) else ["https"]
        if host in self._schemes:
            schemes = [self._schemes[host]]
        problem: NetworkProblem | None = None
        for scheme in schemes:
            url = f"{scheme}://{host}/v2/{reference.repository}/manifests/{reference.tag or 'latest'}"
            try:
                answer = request(method, url, {"Accept": _ACCEPT}, authorization, timeout=self._timeout)
            except NetworkProblem as error:
                problem = problem or error
                continue
            if answer.status == 400 and len(schemes) > 1 and scheme == "http":
                continue  # a server that speaks TLS says so in this way
            self._schemes[host] = scheme
            return answer
        raise problem or NetworkProblem(f"`{host}` does not speak as a registry")

    def _login(self, registry: str) -> Login | None:
        if registry not in self._logins:
            self._logins[registry] = login_for(registry, self._configuration)
        return self._logins[registry]

    def _authorization(self, answer: Answer, reference: Reference) -> str | None:
        """Return the value of the header `Authorization` that a challenge asks for, None where none can be given."""
        challenges = _challenges(answer)
        login = self._login(reference.registry)
        if "bearer" in challenges:
            return "Bearer " + self._token(challenges["bearer"], reference, login)
        if "basic" in challenges and login is not None and not login.identity_token:
            return login.basic
        return None

    def _token(self, challenge: dict[str, str], reference: Reference, login: Login | None) -> str:
        try:
            realm = urlsplit(challenge.get("realm", ""))
        except ValueError:
            raise NetworkProblem(f"`{reference.registry}` names an address that is none") from None
        scope = challenge.get("scope") or f"repository:{reference.repository}:pull"
        asked = {name: challenge[name] for name in ("service",) if name in challenge} | {"scope": scope}
        registry_is_here = is_this_machine(urlsplit(f"//{reference.registry}").hostname)
        if realm.scheme == "http" and not registry_is_here:
            raise NetworkProblem(f"`{reference.registry}` wants the login to be sent without encryption")
        if login is not None and login.identity_token:
            data = asked | {"grant_type": "refresh_token", "client_id": _CLIENT, "refresh_token": login.identity_token}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            url = urlunsplit(realm._replace(fragment=""))
            answer = request("POST", url, headers, data=urlencode(data).encode(), timeout=self._timeout)
        else:
            query = urlencode([*parse_qsl(realm.query), *asked.items()])
            url = urlunsplit(realm._replace(query=query, fragment=""))
            answer = request("GET", url, {}, None if login is None else login.basic, timeout=self._timeout)
        if answer.status in (401, 403):
            raise _refused(reference, has_login=login is not None)
        try:
            said = json.loads(answer.body) if answer.status == 200 else {}
            token = said.get("token") or said.get("access_token")
        except (ValueError, AttributeError, RecursionError):
            token = None
        if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
            raise RegistryProblem(
                f"`{realm.hostname}` gave no token for `{reference.registry}` (status {answer.status})",
                "try again later",
            )
        return token


def _challenges(answer: Answer) -> dict[str, dict[str, str]]:
    """Return the challenges of a 401 by their scheme, in lower case, the first one of each (RFC 9110, 11.6.1).

    One header can have several of them; what comes after something that is not understood is left out.
    """
    found: dict[str, dict[str, str]] = {}
    for value in answer.headers.get_all("WWW-Authenticate", []):
        parameters: dict[str, str] = {}
        at = 0
        while piece := _PIECE.match(value, at):
            name, quoted, bare, scheme = piece.groups()
            if scheme is not None:
                parameters = {}
                found.setdefault(scheme.lower(), parameters)
            else:
                parameters[name.lower()] = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            at = piece.end()
    return found


def _require_found(answer: Answer, reference: Reference) -> None:
    """Raise RegistryProblem unless the answer is a manifest."""
    status = answer.status
    if status == 200:
        return
    if status in (401, 403):
        raise _refused(reference, has_login=None)
    if status == 404:
        raise RegistryProblem(
            f"`{reference.registry}` has no `{reference.repository}:{reference.tag or 'latest'}`",
            "write a tag that is there",
        )
    if status == 429:
        wait = answer.headers.get("Retry-After", "")
        when = f"in {wait} s" if re.fullmatch(r"[0-9]{1,6}", wait) else "later"
        raise RegistryProblem(
            f"`{reference.registry}` wants no more requests for now",
            f"try again {when}, or `docker login` for a higher limit",
        )
    raise RegistryProblem(f"`{reference.registry}` answered with status {status}", "try again later")


def _refused(reference: Reference, *, has_login: bool | None) -> RegistryProblem:
    who = {True: " to your login", False: " without a login", None: ""}[has_login]
    host = "" if reference.registry == DOCKER_HUB else f" {reference.registry}"
    return RegistryProblem(
        f"`{reference.registry}` does not show `{reference.repository}`{who}",
        f"`docker login{host}`, or check the name",
    )


def _is_list(answer: Answer, reference: Reference) -> bool:
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in (*_LISTS, *_IMAGES):
        raise RegistryProblem(
            f"`{reference.registry}` has `{reference.tagged}` in a form that has no digest to rely on (`{kind[:80]}`)",
            "push the image again with a newer client",
        )
    return kind in _LISTS


def _digest_of(answer: Answer, reference: Reference) -> str:
    """Return the digest of a manifest by its bytes; what the server says of it has to agree."""
    if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        # nobody asked for that, and the digest is one of the bytes as they were pushed
        raise RegistryProblem(
            f"`{reference.registry}` sent `{reference.tagged}` compressed", "ask it without the proxy that does that"
        )
    digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
    told = answer.headers.get("Docker-Content-Digest")
    if told is not None and DIGEST.fullmatch(told) is not None and told != digest:
        raise RegistryProblem(
            f"`{reference.registry}` sent other bytes than it says for `{reference.tagged}`",
            "trust no copy on the way to it",
        )
    try:
        manifest = json.loads(answer.body)
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise RegistryProblem(f"`{reference.registry}` sent no manifest for `{reference.tagged}`", "try again later")
    return digest
