"""The user's logins: Docker's configuration file, and the credential helpers that it names.

Sources: docker/cli `cli/config/configfile/file.go` (auths, credsStore, credHelpers; DOCKER_CONFIG) and `cli/config/credentials`;
docker/docker-credential-helpers README ("Development": the protocol of `get`).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockopt.optimizer.registry.limits import within
from dockopt.optimizer.registry.reference import DOCKER_HUB

#: under this name logins of Docker Hub are kept
_HUB_KEY = "https://index.docker.io/v1/"
_HELPER = re.compile(r"[A-Za-z0-9_.-]+")
#: seconds; a helper may ask somebody to unlock a key ring
_HELPER_TIMEOUT = 60
_NOT_FOUND = "credentials not found"
#: instead of a user's name, where the secret is a token to get others by
_TOKEN_USER = "<token>"
_LARGEST = 1 << 20


_MEND_FILE = "mend the file, or name another directory in `DOCKER_CONFIG`"
_MEND_HELPER = "try the helper by itself, or take it out of Docker's configuration"


class LoginProblem(Exception):
    """A login cannot be read; the message says why and `remedy` what to do, and neither holds a secret."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Login:
    """What to present to one registry; never printed."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    #: a token by which others are asked for, instead of name and password
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of the header `Authorization`."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")


def configuration_file(environment: Mapping[str, str]) -> Path:
    """Return where Docker's configuration lies, whether or not it is there."""
    directory = environment.get("DOCKER_CONFIG")
    home = environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - a home that does not exist is no error
    return (Path(directory) if directory else Path(home) / ".docker") / "config.json"


def login_for(registry: str, file: Path) -> Login | None:
    """Return the login for a registry, None where there is none: it is then asked anonymously. Raises LoginProblem."""
    configuration = _read(file)
    key = _HUB_KEY if registry == DOCKER_HUB else registry
    helpers = configuration.get("credHelpers")
    own = helpers if isinstance(helpers, dict) else {}
    helper = own.get(key) or own.get(registry) or configuration.get("credsStore")
    if helper:
        found = _ask_helper(str(helper), key)
        if found is not None:
            return found
    auths = configuration.get("auths")
    entries = auths if isinstance(auths, dict) else {}
    entry = entries.get(key) or next((e for name, e in entries.items() if _host(str(name)) == _host(key)), None)
    return _from_entry(entry, registry, file) if isinstance(entry, dict) and entry else None


def _read(file: Path) -> dict[str, Any]:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            # a pipe would be waited for
            raise LoginProblem(f"`{file}` is no file", _MEND_FILE)
        with file.open("rb") as stream:
            data = json.loads(stream.read(_LARGEST))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise LoginProblem(f"`{file}` cannot be read: {(error.strerror or 'error').lower()}", _MEND_FILE) from None
    except (ValueError, RecursionError):
        raise LoginProblem(f"`{file}` is no JSON", _MEND_FILE) from None
    return data if isinstance(data, dict) else {}


def _from_entry(entry: Mapping[str, Any], registry: str, file: Path) -> Login | None:
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return _checked(Login(identity_token=token), f"`{file}`", _log_in(registry))
    username, password = entry.get("username"), entry.get("password")
    auth = entry.get("auth")
    if isinstance(auth, str) and auth:
        try:
            username, colon, password = base64.b64decode(auth, validate=True).decode().strip("\0").partition(":")
        except ValueError:  # no base64, not even ASCII, or no UTF-8 in it
            colon = ""
        if not colon:
            raise LoginProblem(
                f"`{file}` has a login for `{registry}` that is not understood", _log_in(registry)
            ) from None
    if isinstance(username, str) and username and isinstance(password, str):
        return _checked(Login(username, password), f"`{file}`", _log_in(registry))
    return None


def _log_in(registry: str) -> str:
    return "`docker login`" if registry == DOCKER_HUB else f"`docker login {registry}`"


def _checked(login: Login, where: str, remedy: str) -> Login:
    """Return a login that can be sent: JSON can hold halves of characters, which no encoding has."""
    try:
        f"{login.username}{login.password}{login.identity_token}".encode()
    except UnicodeEncodeError:
        raise LoginProblem(f"{where} has a login that is no text", remedy) from None
    return login


def _ask_helper(name: str, server: str) -> Login | None:
    program = f"docker-credential-{name}"
    if _HELPER.fullmatch(name) is None:
        raise LoginProblem(f"`{name[:80]}` is no name of a credential helper", _MEND_FILE)
    code, said = _answer_of(program, server)
    if code:
        # what it printed may hold anything, so only the one answer that the protocol knows is looked for
        if _NOT_FOUND in said.decode("utf-8", "replace").lower():
            return None
        raise LoginProblem(f"the credential helper `{program}` failed (exit code {code})", _MEND_HELPER)
    try:
        answer = json.loads(said)
        username, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        username = secret = None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise LoginProblem(f"the credential helper `{program}` gave an answer that is not understood", _MEND_HELPER)
    if not username and not secret:
        return None
    login = Login(identity_token=secret) if username == _TOKEN_USER else Login(username, secret)
    return _checked(login, f"the credential helper `{program}`", _MEND_HELPER)


def _answer_of(program: str, server: str) -> tuple[int, bytes]:
    """Return the exit code of a helper and what it prints on standard output, where errors go, too (`credentials.Serve`)."""
    try:
        process = subprocess.Popen(
            [program, "get"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except FileNotFoundError:
        why = f"the credential helper `{program}` of Docker's configuration is not installed"
        raise LoginProblem(why, "install it, or take it out of Docker's configuration") from None
    except OSError as error:
        why = f"the credential helper `{program}` cannot be started: {(error.strerror or 'error').lower()}"
        raise LoginProblem(why, _MEND_HELPER) from None
    try:
        said = within(_HELPER_TIMEOUT, lambda: _conversation(process, server))
    except TimeoutError:
        why = f"the credential helper `{program}` did not answer within {_HELPER_TIMEOUT} s"
        raise LoginProblem(why, _MEND_HELPER) from None
    finally:
        process.kill()
        code = process.wait()
    if len(said) > _LARGEST:
        raise LoginProblem(f"the credential helper `{program}` does not end its answer", _MEND_HELPER)
    return code, said


def _conversation(process: subprocess.Popen[bytes], server: str) -> bytes:
    """Return what a helper prints, up to a byte more than is taken; after less than that it has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(server.encode())
    with process.stdout:
        said = process.stdout.read(_LARGEST + 1)
    if len(said) <= _LARGEST:
        process.wait()
    return said


def _host(key: str) -> str:
    """Return the host of a key, as `ConvertToHostname` does."""
    for scheme in ("https://", "http://"):
        key = key.removeprefix(scheme)
    return key.partition("/")[0]
