"""Manifests that say in passing which releases of their language will do.

Sources: go.dev/ref/mod ("go directive", "toolchain directive") and go.dev/doc/toolchain; npm ("package.json: engines"), Volta
("Pinning"), Corepack README ("packageManager"); PEP 621 (`requires-python`), Poetry, Pipenv ("Specifying versions of Python"); Bundler
("ruby" in the Gemfile); Cargo book ("rust-version"); Composer ("config: platform", "require"); .NET ("global.json overview").
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from dockopt.optimizer.evidence.model import Evidence
from dockopt.optimizer.evidence.releases import Releases, at_least, parse_range, version_of
from dockopt.optimizer.evidence.version_files import evidence, line_with

_GO_LINE = re.compile(r"\s*(go|toolchain)\s+(\S+)\s*(?://.*)?")
_GO_RELEASE = re.compile(r"(?:go)?(\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)")
#: since this release `go mod tidy` keeps the `go` line at or above those of all modules that are used, and `go` refuses newer ones
_GO_ENFORCES = (1, 21)
_RUBY = re.compile(r"\s*ruby[\s(]+(.+?)\)?\s*(?:#.*)?")
_RUBY_WORDS = re.compile(r"(['\"])([^'\"]*)\1(?:\s*,\s*(['\"])([^'\"]*)\3)?")
_RUBY_LOCKED = re.compile(r"\s+ruby (\d+\.\d+\.\d+)(?:p-?\d+)?\s*")


def go_mod(text: str, path: str) -> Iterator[Evidence]:
    """Read the lines `go` and `toolchain`: both name the least release."""
    for number, line in enumerate(text.splitlines(), 1):
        found = _GO_LINE.fullmatch(line)
        release = _GO_RELEASE.fullmatch(found[2]) if found is not None else None
        if found is None or release is None:
            continue
        least = version_of(release[1])
        said = f"{found[1]} {found[2]}"
        if least is None:
            continue
        if least >= _GO_ENFORCES:
            yield Evidence("go", path, number, said, least=least)
        else:
            yield Evidence("go", path, number, said, releases=at_least(least))


def package_json(text: str, path: str) -> Iterator[Evidence]:
    """Read `engines`, `volta`, and `packageManager` where that is Bun."""
    data = _json(text)
    if volta := _text(data, "volta", "node"):
        yield evidence("node", path, line_with(text, '"node"', volta), volta)
    for language in ("node", "bun"):
        if wanted := _text(data, "engines", language):
            line = line_with(text, f'"{language}"', wanted)
            yield _range(language, path, line, wanted, parse_range(wanted))
    manager = data.get("packageManager")
    if isinstance(manager, str) and manager.startswith("bun@"):
        version = manager.removeprefix("bun@").partition("+")[0]
        yield evidence("bun", path, line_with(text, '"packageManager"'), version)


def pyproject(text: str, path: str) -> Iterator[Evidence]:
    """Read `requires-python`, and Poetry's `python`."""
    data = _toml(text)
    if wanted := _text(data, "project", "requires-python"):
        yield _range("python", path, line_with(text, "requires-python"), wanted, parse_range(wanted, padded=True))
    tool = data.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    if isinstance(poetry, dict) and (wanted := _text(poetry, "dependencies", "python")):
        yield _range("python", path, line_with(text, "python", wanted), wanted, parse_range(wanted, padded=True))


def pipfile(text: str, path: str) -> Iterator[Evidence]:
    """Read `python_version` and `python_full_version`."""
    data = _toml(text)
    for name in ("python_full_version", "python_version"):
        if wanted := _text(data, "requires", name):
            yield evidence("python", path, line_with(text, name), wanted)
            return


def gemfile(text: str, path: str) -> Iterator[Evidence]:
    """Read `ruby "3.3.0"`; a call with anything but texts says nothing that is known here."""
    for number, line in enumerate(text.splitlines(), 1):
        call = _RUBY.fullmatch(line)
        if call is None:
            continue
        words = _RUBY_WORDS.fullmatch(call[1])
        if words is None:
            if "file" not in call[1]:
                yield Evidence("ruby", path, number, line.strip()[:60], unclear="it is not a plain version")
            continue
        said = ", ".join(word for word in (words[2], words[4]) if word)
        yield _range("ruby", path, number, said, parse_range(said, padded=True))


def gemfile_lock(text: str, path: str) -> Iterator[Evidence]:
    """Read the section RUBY VERSION."""
    lines = text.splitlines()
    for number, line in enumerate(lines[1:], 2):
        found = _RUBY_LOCKED.fullmatch(line)
        if found is not None and lines[number - 2].strip() == "RUBY VERSION":
            yield evidence("ruby", path, number, found[1])


def cargo(text: str, path: str) -> Iterator[Evidence]:
    """Read `rust-version`, the oldest release that the package promises to build with."""
    data = _toml(text)
    workspace = data.get("workspace")
    tables = (data, workspace if isinstance(workspace, dict) else {})
    for table in tables:
        if wanted := _text(table, "package", "rust-version"):
            least = version_of(wanted)
            known = at_least(least) if least is not None else None
            yield _range("rust", path, line_with(text, "rust-version"), f"rust-version {wanted}", known)


def composer(text: str, path: str) -> Iterator[Evidence]:
    """Read `config.platform.php`, for which the packages are resolved, and `require.php`."""
    data = _json(text)
    config = data.get("config")
    platform = _text(config, "platform", "php") if isinstance(config, dict) else ""
    if platform:
        version = version_of(platform)
        line = line_with(text, '"php"', platform)
        if version is None:
            yield Evidence("php", path, line, platform, unclear="it is not understood")
        else:
            # what is resolved for 8.2.0 is for every later 8.2
            yield Evidence("php", path, line, platform, version=version[:2])
    if wanted := _text(data, "require", "php"):
        known = parse_range(wanted, tilde_keeps_all_but_last=True, padded=True)
        yield _range("php", path, line_with(text, '"php"', wanted), wanted, known)


def global_json(text: str, path: str) -> Iterator[Evidence]:
    """Read the version of the .NET SDK."""
    if wanted := _text(_json(text), "sdk", "version"):
        yield evidence("dotnet", path, line_with(text, '"version"', wanted), wanted)


def _range(language: str, path: str, line: int, said: str, known: Releases | None) -> Evidence:
    if known is None:
        return Evidence(language, path, line, said, unclear="it is a range that is not understood")
    return Evidence(language, path, line, said, releases=known)


def _json(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _text(data: dict[str, Any], table: str, name: str) -> str:
    """Return a text of a table, "" where there is none."""
    inner = data.get(table)
    value = inner.get(name) if isinstance(inner, dict) else None
    return value if isinstance(value, str) else ""
