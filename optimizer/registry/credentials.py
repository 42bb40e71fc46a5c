"""The user's logins: Docker's configuration file, and the credential helpers that it names.

Sources: docker/cli `cli/config/configfile/file.go` (auths, credsStore, credHelpers; DOCKER_CONFIG) and `cli/config/credentials`;
docker/docker-credential-helpers README ("Development": the protocol of `get`).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


class LoginProblem(Exception):
    """A login cannot be read; the message says why, and holds no secret."""


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
        with file.open("rb") as stream:
            data = json.loads(stream.read(_LARGEST))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise LoginProblem(f"`{file}` cannot be read: {(error.strerror or 'error').lower()}") from None
    except (ValueError, RecursionError):
        raise LoginProblem(f"`{file}` is no JSON") from None
    return data if isinstance(data, dict) else {}


def _from_entry(entry: Mapping[str, Any], registry: str, file: Path) -> Login | None:
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return Login(identity_token=token)
    username, password = entry.get("username"), entry.get("password")
    auth = entry.get("auth")
    if isinstance(auth, str) and auth:
        try:
            username, colon, password = base64.b64decode(auth, validate=True).decode().strip("\0").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            colon = ""
        if not colon:
            raise LoginProblem(f"`{file}` has a login for `{registry}` that is not understood; log in again") from None
    if isinstance(username, str) and username and isinstance(password, str):
        return Login(username, password)
    return None


def _ask_helper(name: str, server: str) -> Login | None:
    program = f"docker-credential-{name}"
    if _HELPER.fullmatch(name) is None:
        raise LoginProblem(f"`{name}` is no name of a credential helper")
    try:
        done = subprocess.run(
            [program, "get"], input=server.encode(), capture_output=True, timeout=_HELPER_TIMEOUT, check=False
        )
    except FileNotFoundError:
        raise LoginProblem(f"the credential helper `{program}` of Docker's configuration is not installed") from None
    except subprocess.TimeoutExpired:
        raise LoginProblem(f"the credential helper `{program}` did not answer within {_HELPER_TIMEOUT} s") from None
    except OSError as error:
        raise LoginProblem(f"the credential helper `{program}` cannot be started: {error.strerror}") from None
    if done.returncode:
        # what it printed may hold anything, so only the one answer that the protocol knows is looked for
        if _NOT_FOUND in (done.stdout + done.stderr).decode("utf-8", "replace").lower():
            return None
        raise LoginProblem(f"the credential helper `{program}` failed (exit code {done.returncode})")
    try:
        answer = json.loads(done.stdout)
        username, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise LoginProblem(f"the credential helper `{program}` gave an answer that is not understood") from None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise LoginProblem(f"the credential helper `{program}` gave an answer that is not understood")
    if not username and not secret:
        return None
    return Login(identity_token=secret) if username == _TOKEN_USER else Login(username, secret)


def _host(key: str) -> str:
    """Return the host of a key, as `ConvertToHostname` does."""
    for scheme in ("https://", "http://"):
        key = key.removeprefix(scheme)
    return key.partition("/")[0]
