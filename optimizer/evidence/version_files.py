"""Files that exist to name a version: `.nvmrc`, `.go-version`, `.tool-versions`, `mise.toml`, `rust-toolchain.toml` and their kin.

Sources: nvm README (".nvmrc"), nodejs/Release (code names), asdf ("Configuration: .tool-versions"), mise ("Dev Tools"), pyenv README
(".python-version"), rbenv README (".ruby-version"), rustup book ("The toolchain file"), SDKMAN ("Env Command"), jenv README.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from dockopt.optimizer.evidence.model import Evidence
from dockopt.optimizer.evidence.releases import Version, version_of

#: names of tools in asdf's and mise's files; mise also has `core:go`
_TOOLS = {
    "golang": "go",
    "go": "go",
    "nodejs": "node",
    "node": "node",
    "python": "python",
    "ruby": "ruby",
    "rust": "rust",
    "java": "java",
    "php": "php",
    "bun": "bun",
    "elixir": "elixir",
    "dotnet": "dotnet",
    "dotnet-core": "dotnet",
}
#: releases with long-term support by their code names (nodejs/Release, README)
_NODE_NAMES = {
    "argon": 4, "boron": 6, "carbon": 8, "dubnium": 10, "erbium": 12, "fermium": 14, "gallium": 16, "hydrogen": 18, "iron": 20,
    "jod": 22, "krypton": 24,
}  # fmt: skip
_MOVING = frozenset({"latest", "lts", "lts/*", "node", "stable", "current", "system", "nightly", "beta"})
_JAVA = re.compile(r"(?:[a-z]+(?:-[a-z]+)*-)?(\d+)(?:[.+-].*)?")


def named(language: str, text: str) -> Version | str:
    """Return the version that one word names, or why none follows from it."""
    word = text.strip().strip("\"'").lower()
    if language == "node" and word.removeprefix("lts/") in _NODE_NAMES:
        return (_NODE_NAMES[word.removeprefix("lts/")],)
    if word in _MOVING:
        return "it names another release from time to time"
    if language == "java":
        found = _JAVA.fullmatch(word)
        return (int(found[1]),) if found is not None else "it is not understood"
    for prefix in ("go", "ruby-", "cpython-"):
        word = word.removeprefix(prefix)
    return version_of(word) or "it is not understood"


def evidence(language: str, path: str, line: int, text: str) -> Evidence:
    """Return what a word that names a version says."""
    found = named(language, text)
    said = text.strip()
    if isinstance(found, str):
        return Evidence(language, path, line, said, unclear=found)
    return Evidence(language, path, line, said, version=found)


def one_word(language: str, text: str, path: str) -> Iterator[Evidence]:
    """Read a file of one version: empty lines and comments do not count."""
    words = [(number, line.split("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1)]
    words = [(number, word) for number, word in words if word]
    if len(words) == 1:
        yield evidence(language, path, *words[0])
    elif words:
        said = ", ".join(word for _, word in words)
        yield Evidence(language, path, words[0][0], said, unclear="it names several versions")


def tool_versions(text: str, path: str) -> Iterator[Evidence]:
    """Read asdf's `.tool-versions`: a tool and its version a line; further versions of a line are asked if the first is missing."""
    for number, line in enumerate(text.splitlines(), 1):
        name, *versions = line.split("#")[0].split()[:10] or [""]
        language = _TOOLS.get(name)
        if language is None or not versions:
            continue
        if len(versions) > 1:
            said = " ".join(versions)
            yield Evidence(language, path, number, said, unclear="it names several versions")
        else:
            yield evidence(language, path, number, versions[0])


def mise(text: str, path: str) -> Iterator[Evidence]:
    """Read the table `tools` of mise's settings."""
    try:
        tools = tomllib.loads(text).get("tools")
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    for name, value in tools.items() if isinstance(tools, dict) else ():
        language = _TOOLS.get(name.removeprefix("core:"))
        if language is None:
            continue
        line = line_with(text, name)
        if isinstance(value, dict):
            value = value.get("version")  # noqa: PLW2901
        if isinstance(value, list) and len(value) == 1:
            value = value[0]  # noqa: PLW2901
        if isinstance(value, str):
            yield evidence(language, path, line, value)
        else:
            yield Evidence(language, path, line, str(value)[:40], unclear="it names several versions or none")


def rust_toolchain(text: str, path: str) -> Iterator[Evidence]:
    """Read rustup's file: TOML with a channel, or nothing but the channel in a file without the ending."""
    try:
        table = tomllib.loads(text).get("toolchain")
        channel = table.get("channel") if isinstance(table, dict) else None
    except (tomllib.TOMLDecodeError, RecursionError):
        words = text.split()
        channel = words[0] if len(words) == 1 and not path.endswith(".toml") else None
    if isinstance(channel, str):
        yield evidence("rust", path, line_with(text, channel), channel)


def sdkmanrc(text: str, path: str) -> Iterator[Evidence]:
    """Read SDKMAN's `java=21.0.2-tem`."""
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.split("#")[0].partition("=")
        if equals and name.strip() == "java":
            yield evidence("java", path, number, value)


def line_with(text: str, *words: str) -> int:
    """Return the first line that has all the words, 0 if there is none."""
    for number, line in enumerate(text.splitlines(), start=1):
        if all(word in line for word in words):
            return number
    return 0
